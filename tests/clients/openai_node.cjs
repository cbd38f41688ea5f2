// The official OpenAI client for Node against a running server: `openai_node.cjs BASE_URL CHAT_MODEL EMBEDDING_MODEL`.
//
// The checks are about the protocol as this client reads it; what the Python client checks already is not said again.

const assert = require("node:assert/strict");
const { OpenAI, NotFoundError, BadRequestError, APIUserAbortError } = require("openai");
const { zodResponseFormat, zodTextFormat, zodFunction } = require("openai/helpers/zod");
const { z } = require("zod");

const [BASE_URL, MODEL, EMBEDDING_MODEL] = process.argv.slice(2);
const client = new OpenAI({ baseURL: BASE_URL, apiKey: "unused", maxRetries: 0, timeout: 120_000 });

const CAPITAL = [{ role: "user", content: "What is the capital of France?" }];
const STORY = [{ role: "user", content: "Tell me a short story." }];
const Weather = z.object({ city: z.enum(["Paris", "Rome"]) });
const WEATHER = {
  type: "function",
  function: {
    name: "weather",
    parameters: { type: "object", properties: { city: { enum: ["Paris", "Rome"] } }, required: ["city"] },
  },
};

const chat = (options = {}) => client.chat.completions.create({ model: MODEL, messages: CAPITAL, temperature: 0, max_tokens: 200, ...options });
const respond = (options = {}) => client.responses.create({ model: MODEL, input: STORY[0].content, temperature: 0, max_output_tokens: 200, ...options });

async function collect(stream) {
  const events = [];
  for await (const event of stream) events.push(event);
  return events;
}

const checks = {
  async models_are_listed() {
    const ids = [];
    for await (const model of client.models.list()) ids.push(model.id);
    assert.ok(ids.includes(MODEL), ids);
    assert.equal((await client.models.retrieve(MODEL)).id, MODEL);
    await assert.rejects(client.models.retrieve("owner/none"), NotFoundError);
  },

  async a_chat() {
    const answer = await chat();
    assert.equal(answer.choices[0].message.role, "assistant");
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.total_tokens, answer.usage.prompt_tokens + answer.usage.completion_tokens);
    assert.ok(answer._request_id);
  },

  async a_chat_as_stream() {
    const chunks = await collect(await chat({ messages: STORY, stream: true, stream_options: { include_usage: true } }));
    const text = chunks.map((chunk) => chunk.choices[0]?.delta.content ?? "").join("");
    assert.equal(text, (await chat({ messages: STORY })).choices[0].message.content);
    assert.ok(chunks.at(-1).usage.completion_tokens > 0);
  },

  async the_stream_helper() {
    const runner = client.chat.completions.stream({ model: MODEL, messages: STORY, temperature: 0, max_tokens: 200 });
    let text = "";
    runner.on("content", (delta) => (text += delta));
    assert.equal((await runner.finalChatCompletion()).choices[0].message.content, text);
  },

  async a_call() {
    const answer = await chat({ tools: [WEATHER], tool_choice: "required", parallel_tool_calls: false });
    const [call] = answer.choices[0].message.tool_calls;
    assert.equal(call.function.name, "weather");
    Weather.parse(JSON.parse(call.function.arguments));
    const runner = client.chat.completions.stream({
      model: MODEL, messages: CAPITAL, max_tokens: 200, temperature: 0,
      tools: [zodFunction({ name: "weather", parameters: Weather })], tool_choice: "required", parallel_tool_calls: false,
    });
    const final = await runner.finalChatCompletion();
    Weather.parse(final.choices[0].message.tool_calls[0].function.parsed_arguments);
  },

  async an_answer_of_a_shape() {
    const answer = await client.chat.completions.parse({
      model: MODEL, messages: CAPITAL, temperature: 0, max_tokens: 200, response_format: zodResponseFormat(Weather, "weather"),
    });
    Weather.parse(answer.choices[0].message.parsed);
    const response = await client.responses.parse({
      model: MODEL, input: "Where?", temperature: 0, max_output_tokens: 200, text: { format: zodTextFormat(Weather, "weather") },
    });
    Weather.parse(response.output_parsed);
  },

  async a_completion() {
    const options = { model: MODEL, prompt: "The capital of France is", temperature: 0, max_tokens: 8 };
    const answer = await client.completions.create(options);
    const chunks = await collect(await client.completions.create({ ...options, stream: true }));
    assert.equal(chunks.map((chunk) => chunk.choices[0].text).join(""), answer.choices[0].text);
  },

  async a_response() {
    const response = await respond();
    assert.equal(response.status, "completed");
    assert.ok(response.output_text);
    assert.equal((await client.responses.retrieve(response.id)).output_text, response.output_text);
    const items = await collect(client.responses.inputItems.list(response.id));
    assert.equal(items[0].content[0].text, STORY[0].content);
    const next = await respond({ input: "And then?", previous_response_id: response.id });
    assert.equal(next.previous_response_id, response.id);
    await client.responses.delete(response.id);
    await assert.rejects(client.responses.retrieve(response.id), NotFoundError);
  },

  async a_response_as_stream() {
    const events = await collect(await respond({ stream: true }));
    assert.deepEqual(events.map((event) => event.sequence_number), [...events.keys()]);
    const text = events.filter((event) => event.type === "response.output_text.delta").map((event) => event.delta).join("");
    assert.equal(events.at(-1).type, "response.completed");
    assert.equal(text, events.at(-1).response.output[0].content[0].text);
    const runner = client.responses.stream({ model: MODEL, input: STORY[0].content, temperature: 0, max_output_tokens: 200 });
    assert.equal((await runner.finalResponse()).output_text, text);
  },

  async embeddings() {
    // This client asks for base64 when the caller says nothing, and decodes it.
    const unsaid = await client.embeddings.create({ model: EMBEDDING_MODEL, input: ["a cat", "a dog"] });
    const plain = await client.embeddings.create({ model: EMBEDDING_MODEL, input: ["a cat", "a dog"], encoding_format: "float" });
    assert.equal(unsaid.data.length, 2);
    assert.equal(unsaid.data[0].embedding.length, plain.data[0].embedding.length);
    plain.data[0].embedding.forEach((number, index) => assert.ok(Math.abs(number - unsaid.data[0].embedding[index]) < 1e-6));
  },

  async errors_by_class() {
    await assert.rejects(chat({ model: "none" }), NotFoundError);
    await assert.rejects(chat({ messages: [] }), BadRequestError);
    await assert.rejects(chat({ messages: [], stream: true }), BadRequestError);
    const error = await respond({ temperature: 3 }).catch((error) => error);
    assert.ok(error instanceof BadRequestError);
    assert.deepEqual([error.param, error.type], ["temperature", "invalid_request_error"]);
  },

  async a_client_that_leaves() {
    const stream = await chat({ messages: STORY, stream: true, ignore_eos: true });
    for await (const _ of stream) break;
    stream.controller.abort();
    const aborted = new AbortController();
    const waiting = client.chat.completions.create({ model: MODEL, messages: STORY, ignore_eos: true }, { signal: aborted.signal });
    aborted.abort();
    await assert.rejects(waiting, APIUserAbortError);
    assert.ok((await chat()).choices[0].message.content);
  },
};

(async () => {
  let failed = 0;
  for (const [name, check] of Object.entries(checks)) {
    try {
      await check();
      console.log("ok  ", name);
    } catch (error) {
      failed += 1;
      console.log("FAIL", name, "\n", error);
    }
  }
  console.log(`${Object.keys(checks).length} checks, ${failed} failed`);
  process.exit(failed ? 1 : 0);
})();
