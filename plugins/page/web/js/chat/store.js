// Conversations, kept in this browser and nowhere else.

import { uid } from "../dom.js";

const PLACE = "mimus.conversations";

/** More are not kept: the one that has not been touched for the longest goes. */
const CONVERSATIONS_MAX = 40;

/** How answers are made, unless people say otherwise; what is empty is left to the model. */
const SETTINGS = { system: "", temperature: "", top_p: "", max_tokens: "", seed: "" };

let conversations = read();
let current = conversations[0] ?? blank();

/**
 * A conversation: `{id, title, model, settings, turns, at}`. A turn: `{id, role, text}`, and as the case may be `reasoning`,
 * `picture`, `findings`, `error`, `end` (why it stopped) and `figures` (how fast it was).
 */
function blank() {
  return { id: uid("c"), title: "", model: "", settings: { ...SETTINGS }, turns: [], at: Date.now() };
}

function read() {
  try {
    const kept = JSON.parse(localStorage.getItem(PLACE) ?? "[]");
    if (!Array.isArray(kept)) return [];
    const isWhole = (one) => typeof one?.id === "string" && Array.isArray(one.turns);
    return kept.filter(isWhole).map((one) => ({ ...blank(), ...one, settings: { ...SETTINGS, ...one.settings } }));
  } catch {
    return [];
  }
}

/** The conversation that is shown. */
export function shown() {
  return current;
}

/** All that have a turn, the latest first. */
export function list() {
  return conversations;
}

/** Begins another, with the model and the settings of the last. */
export function begin() {
  if (current.turns.length > 0) current = { ...blank(), model: current.model, settings: { ...current.settings } };
  return current;
}

/** Shows another. */
export function open(id) {
  current = conversations.find((one) => one.id === id) ?? current;
  return current;
}

/** Deletes one. */
export function remove(id) {
  conversations = conversations.filter((one) => one.id !== id);
  if (current.id === id) current = conversations[0] ?? blank();
  write();
}

/** Keeps the present state of the conversation that is shown. */
export function save() {
  current.at = Date.now();
  const first = current.turns.find((turn) => turn.role === "user");
  current.title = (first?.text || (first?.picture ? "A picture" : "")).slice(0, 60);
  conversations = conversations.filter((one) => one.id !== current.id);
  if (current.turns.length > 0) conversations.unshift(current);
  conversations.length = Math.min(conversations.length, CONVERSATIONS_MAX);
  write();
}

/** Browsers keep some 5 MB; when it is full the oldest conversations make room. */
function write() {
  for (let kept = conversations.length; kept >= 0; kept -= 1) {
    try {
      localStorage.setItem(PLACE, JSON.stringify(conversations.slice(0, kept)));
      return;
    } catch (error) {
      if (error.name !== "QuotaExceededError") return;
    }
  }
}
