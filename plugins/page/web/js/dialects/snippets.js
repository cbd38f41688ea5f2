// How the official clients of each dialect are pointed at this server. Which dialects there are comes from the server;
// for one that is not known here there is curl.

import * as models from "../models.js";

const name = (ability, otherwise) => models.able(ability)[0]?.name ?? otherwise;

/** Snippets by dialect: `(base) => [[title, language, code], …]`; `base` is its address without a slash at its end. */
const KNOWN = {
  openai: (base) => [
    [
      "Python",
      "python",
      `from openai import OpenAI

client = OpenAI(base_url="${base}/v1", api_key="none")
answer = client.chat.completions.create(
    model="${name("chat", "MODEL")}",
    messages=[{"role": "user", "content": "What is the largest animal?"}],
)
print(answer.choices[0].message.content)`,
    ],
    [
      "Node",
      "js",
      `import OpenAI from "openai";

const client = new OpenAI({ baseURL: "${base}/v1", apiKey: "none" });
const answer = await client.chat.completions.create({
  model: "${name("chat", "MODEL")}",
  messages: [{ role: "user", content: "What is the largest animal?" }],
});
console.log(answer.choices[0].message.content);`,
    ],
    ["curl", "sh", chatCurl(`${base}/v1/chat/completions`)],
  ],
  lmdeploy: (base) => [
    [
      "Python",
      "python",
      `from lmdeploy.serve.openai.api_client import APIClient

client = APIClient("${base}")
model = client.available_models[0]
for item in client.chat_completions_v1(model=model, messages="What is the largest animal?"):
    print(item)`,
    ],
    [
      "curl",
      "sh",
      `curl ${base}/v1/chat/interactive \\
  -H "Content-Type: application/json" \\
  -d '{"prompt": "Hello! How are you?", "session_id": 1, "interactive_mode": true}'`,
    ],
  ],
  xinference: (base) => [
    [
      "Python",
      "python",
      `from xinference_client import RESTfulClient as Client

client = Client("${base}")
model = client.get_model("${name("chat", "MODEL")}")
print(model.chat(messages=[{"role": "user", "content": "What is the largest animal?"}]))`,
    ],
    ["Shell", "sh", `xinference list -e ${base}`],
    ["curl", "sh", `curl ${base}/v1/models`],
  ],
  roboflow: (base) => [
    [
      "Python",
      "python",
      `from inference_sdk import InferenceHTTPClient

client = InferenceHTTPClient(api_url="${base}", api_key="none")
print(client.infer("picture.png", model_id="${name("detect", "PROJECT/VERSION")}"))`,
    ],
    ["curl", "sh", `base64 picture.png | curl -d @- "${base}/${name("detect", "PROJECT/VERSION")}?confidence=50"`],
  ],
  fastchat: (base) => [
    [
      "Python",
      "python",
      `import openai  # 0.28, as FastChat's manual has it

openai.api_base = "${base}/v1"
openai.api_key = "none"
answer = openai.ChatCompletion.create(
    model="${name("chat", "MODEL")}",
    messages=[{"role": "user", "content": "What is the largest animal?"}],
)
print(answer.choices[0].message.content)`,
    ],
    [
      "Shell",
      "sh",
      `python3 -m fastchat.serve.test_message \\
  --controller-address ${base} --model-name ${name("chat", "MODEL")}`,
    ],
    ["curl", "sh", chatCurl(`${base}/v1/chat/completions`)],
  ],
  gradio: (base) => [
    [
      "Python",
      "python",
      `from gradio_client import Client

client = Client("${base}/")
client.view_api()  # what can be called, and with what`,
    ],
    ["curl", "sh", `curl ${base}/config`],
  ],
  page: (base) => [["Browser", "text", `${base}/`]],
};

function chatCurl(address) {
  return `curl ${address} \\
  -H "Content-Type: application/json" \\
  -d '{"model": "${name("chat", "MODEL")}", "messages": [{"role": "user", "content": "Hello! How are you?"}]}'`;
}

/** Snippets for a dialect of the server at an address. */
export function snippets(dialect, base) {
  if (Object.hasOwn(KNOWN, dialect.name)) return KNOWN[dialect.name](base);
  const plain =
    dialect.routes.find((route) => route.method === "GET" && !route.path.includes("{")) ?? dialect.routes[0];
  const method = plain.method === "GET" ? "" : ` -X ${plain.method}`;
  return [["curl", "sh", `curl${method} ${base}${plain.path}`]];
}
