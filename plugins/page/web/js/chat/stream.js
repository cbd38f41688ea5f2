// An answer as it is written.

import { Trouble, ask } from "../api.js";

/** Where answers come from. */
const PATH = "/openai/v1/chat/completions";

/** The request for a conversation: settings that are empty are not sent, so that the model's own hold. */
export function requestFor(conversation, messages) {
  const { system, ...sampling } = conversation.settings;
  const request = { model: conversation.model, messages, stream: true, stream_options: { include_usage: true } };
  if (system.trim()) request.messages = [{ role: "system", content: system }, ...messages];
  for (const [name, value] of Object.entries(sampling)) {
    if (value !== "" && Number.isFinite(Number(value))) request[name] = Number(value);
  }
  return request;
}

/**
 * Sends a request and calls `onPart({text, reasoning})` for each piece. Resolves to `{reason, usage}` at the end of the answer.
 * Throws `Trouble`, or the `AbortError` of `signal`.
 */
export async function stream(request, signal, onPart) {
  const response = await ask(PATH, { body: request, signal });
  let reason = null;
  let usage = null;
  for await (const data of events(response)) {
    if (data === "[DONE]") return { reason, usage };
    const chunk = JSON.parse(data);
    if (chunk.error) throw new Trouble(String(chunk.error.message ?? chunk.error), "Try again.");
    usage = chunk.usage ?? usage;
    const choice = chunk.choices?.[0];
    reason = choice?.finish_reason ?? reason;
    const delta = choice?.delta;
    if (delta?.content || delta?.reasoning_content) {
      onPart({ text: delta.content ?? "", reasoning: delta.reasoning_content ?? "" });
    }
  }
  if (reason === null) throw new Trouble("The answer broke off.", "Try again.");
  return { reason, usage };
}

/** The `data:` of each server-sent event. */
async function* events(response) {
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let waiting = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    waiting += value;
    const lines = waiting.split(/\r?\n/);
    waiting = lines.pop();
    for (const line of lines) if (line.startsWith("data:")) yield line.slice(5).trim();
  }
}
