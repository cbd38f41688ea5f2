// What becomes of a message: an answer by the model, or what models of pictures see.

import { inWords } from "../api.js";
import { uid } from "../dom.js";
import * as models from "../models.js";
import { look, lookers } from "../pictures/look.js";
import * as store from "./store.js";
import { requestFor, stream } from "./stream.js";

/** Files of pictures by the id of their turn; only small ones are kept with the conversation. */
const files = new Map();

let running = null;

/** Whether an answer is being made. */
export function isRunning() {
  return running !== null;
}

/** Ends the answer that is being made; what there is of it stays. */
export function stop() {
  running?.abort();
}

/** Adds a message and answers it. `shown(turn, isNew)` is called whenever a turn has changed. */
export async function send(text, picture, shown) {
  const turn = { id: uid("t"), role: "user", text };
  if (picture) {
    turn.picture = { name: picture.name, width: picture.width, height: picture.height, kept: picture.kept };
    files.set(turn.id, picture);
  }
  store.shown().turns.push(turn);
  shown(turn, true);
  await answer(shown);
}

/** Answers a message again, changed or not; what came after it goes. */
export async function again(id, text, shown) {
  const { turns } = store.shown();
  const at = turns.findIndex((turn) => turn.id === id);
  if (at < 0) return;
  turns.length = at + 1;
  turns[at].text = text ?? turns[at].text;
  shown(turns[at], true);
  await answer(shown);
}

async function answer(shown) {
  stop();
  const conversation = store.shown();
  const asked = conversation.turns.at(-1);
  const turn = { id: uid("t"), role: "assistant", text: "", reasoning: "", model: conversation.model };
  conversation.turns.push(turn);
  store.save();
  const controller = new AbortController();
  running = controller;
  shown(turn, true);
  try {
    const canSee = models.named(conversation.model)?.abilities.includes("vision");
    if (asked.picture && !canSee) await see(asked, turn, controller.signal, shown);
    else await write(conversation, turn, controller.signal, shown);
  } catch (error) {
    if (error.name === "AbortError") turn.end = "stopped";
    else turn.error = inWords(error);
  } finally {
    if (running === controller) running = null;
    store.save();
    shown(turn, false);
  }
}

async function write(conversation, turn, signal, shown) {
  const started = performance.now();
  let first = null;
  const { reason, usage } = await stream(requestFor(conversation, messagesOf(conversation)), signal, (part) => {
    first ??= performance.now();
    turn.text += part.text;
    turn.reasoning += part.reasoning;
    shown(turn, false);
  });
  turn.end = reason ?? "stop";
  turn.figures = figures(started, first, usage);
}

function figures(started, first, usage) {
  const seconds = (performance.now() - (first ?? started)) / 1000;
  const tokens = usage?.completion_tokens ?? 0;
  return {
    first_ms: Math.round((first ?? performance.now()) - started),
    tokens,
    per_s: seconds > 0 ? Math.round(tokens / seconds) : 0,
  };
}

/**
 * The conversation as the model is given it: without findings, and without questions of whose answer nothing came, because
 * many models want the two to take turns.
 */
function messagesOf({ turns, model }) {
  const canSee = models.named(model)?.abilities.includes("vision");
  const messages = [];
  for (const turn of turns.slice(0, -1)) {
    if (turn.findings || (turn.role === "assistant" && !turn.text)) {
      if (messages.at(-1)?.role === "user") messages.pop();
    } else if (!turn.picture) {
      messages.push({ role: turn.role, content: turn.text });
    } else if (canSee) {
      messages.push({ role: turn.role, content: parts(turn) });
    }
  }
  return messages;
}

function parts(turn) {
  const url = files.get(turn.id)?.url ?? turn.picture.kept;
  const text = turn.text || "Describe the picture.";
  return [
    { type: "text", text },
    { type: "image_url", image_url: { url } },
  ];
}

/** Asks every model that looks at pictures, one after the other. */
async function see(asked, turn, signal, shown) {
  const picture = files.get(asked.id) ?? { ...asked.picture, url: asked.picture.kept };
  turn.findings = [];
  turn.seen = asked.id;
  const troubles = [];
  for (const model of lookers()) {
    try {
      const findings = await look(model, picture, signal);
      // Without the file only the small picture can be drawn over, and its size is the file's.
      turn.findings.push(findings);
    } catch (error) {
      if (error.name === "AbortError") throw error;
      troubles.push(`${model.name}: ${inWords(error)}`);
    }
    shown(turn, true);
  }
  if (turn.findings.length > 0) return;
  turn.error =
    troubles[0] ?? "No model that looks at pictures is loaded. Start the server with one in its models folder.";
}

/** What can be drawn of a turn's picture: the file while the page is open, else what was kept. */
export function pictureUrl(turn) {
  return files.get(turn.id)?.url ?? turn.picture.kept;
}
