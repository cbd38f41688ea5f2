// Gradio's client for Node of one release against a running server: `gradio_node.cjs BASE_URL MODEL RELEASE`.
//
// The checks are about the protocol as this client reads it; what the Python clients check already is not said again.

const assert = require("node:assert/strict");
const { Blob } = require("node:buffer");

const [BASE, MODEL, RELEASE] = process.argv.slice(2);
// The package may only be imported; its folder is told by NODE_PATH.
const module_path = require("node:path").join(process.env.NODE_PATH, "@gradio/client/dist/index.js");
const MAJOR = Number(RELEASE.split(".")[0]);

let library;

async function app(path = "") {
  if (MAJOR === 0) return library.client(`${BASE}${path}/`);
  return library.Client.connect(`${BASE}${path}/`, { events: ["data", "status"] });
}

/**
 * What a call gives in between. Not by `for await`: 1.x waits forever where such a loop is left, and mostly at its end as well.
 */
async function watch(job, onData = () => {}) {
  const values = [];
  for (;;) {
    const { value: event, done } = await job.next();
    if (done || (event.type === "status" && event.stage === "complete")) return values;
    if (event.type === "status" && event.stage === "error") throw new Error(event.message);
    if (event.type === "data") {
      values.push(event.data);
      await onData(values.length);
    }
  }
}

const checks = {
  async the_first_call_of_all() {
    const client = await app();
    const { data } = await client.predict(0, ["vicuna-7b,vicuna-13b"]);
    const button = { mode: "static", __type__: "update" };
    assert.deepEqual(data.slice(0, 4), ["", button, button, button]);
  },

  async a_chat_remembers() {
    const client = await app("/chat");
    const first = await client.predict("/chat", ["What is the capital of France?"]);
    assert.match(first.data[0], /Paris/);
    const second = await client.predict("/chat", ["And of Germany?"]);
    assert.match(second.data[0], /Berlin/);
  },

  async an_answer_is_streamed() {
    if (MAJOR === 0) return;
    const client = await app("/chat");
    const values = (await watch(client.submit("/chat", ["Tell me a short story."]))).map((data) => data[0]);
    assert.ok(values.length > 1, values);
    values.slice(1).forEach((value, place) => assert.ok(value.startsWith(values[place]), values));
    // The stream was closed; the next call opens another.
    assert.match((await client.predict("/chat", ["What is the capital of France?"])).data[0], /Paris/);
  },

  async fastchat_by_name() {
    const client = await app();
    const added = await client.predict("/add_text", [MODEL, "What is the capital of France?"]);
    assert.ok(JSON.stringify(added.data).includes('["What is the capital of France?",null]'), JSON.stringify(added.data));
    const answered = await client.predict("/bot_response", [0, 1, 64]);
    assert.match(JSON.stringify(answered.data), /Paris/);
  },

  async lmdeploys_page() {
    const client = await app("/lmdeploy");
    const { data } = await client.predict("/chat_stream_restful", ["What is the capital of France?", 0.8, 0.01, 64]);
    assert.match(JSON.stringify(data), /Paris/);
  },

  async calls_at_once() {
    const client = await app();
    const calls = Array.from({ length: 6 }, (_, number) => client.predict(number % 3, [MODEL]));
    for (const { data } of await Promise.all(calls)) assert.equal(data[0], "");
    for (let turn = 0; turn < 5; turn++) assert.equal((await client.predict(0, [MODEL])).data[0], "");
  },

  async a_long_answer_is_ended() {
    if (MAJOR === 0) return;
    const client = await app();
    await client.predict("/add_text", [MODEL, "Repeat after me: " + "banana ".repeat(400)]);
    const job = client.submit("/bot_response", [0, 1, 4000]);
    await watch(job, (count) => (count === 3 ? job.cancel() : undefined));
    assert.equal(JSON.stringify((await client.predict("/clear_history", [])).data.filter(Array.isArray)[0]), "[]");
  },

  async errors_are_shown() {
    if (MAJOR === 0) return;
    const client = await app();
    await assert.rejects(client.predict("/add_text", ["nobody", "Hello!"]), (error) => /`nobody` does not exist/.test(error.message));
    assert.match((await client.predict("/chat", ["What is the capital of France?"])).data[0], /Paris/);
  },

  async a_file_goes_up() {
    if (MAJOR === 0) return;
    const client = await app();
    const { files } = await client.upload_files(BASE, [new Blob(["text"])]);
    assert.equal(files.length, 1);
    assert.equal(await (await fetch(`${BASE}/gradio_api/file=${files[0]}`)).text(), "text");
  },
};

async function main() {
  library = await import(module_path);
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log("ok   " + name);
    } catch (error) {
      failed += 1;
      console.log("FAIL " + name + "\n" + (error?.stack ?? JSON.stringify(error)));
    }
  }
  console.log(`${Object.keys(checks).length} checks, ${failed} failed`);
  process.exit(failed ? 1 : 0);
}

main();
