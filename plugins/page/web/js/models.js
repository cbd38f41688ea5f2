// The models that the server has, and what they can do.

import { askJson } from "./api.js";

/** What abilities are called on the page; others are shown as the server names them. */
const WORDS = {
  chat: "chats",
  generate: "continues texts",
  vision: "sees pictures",
  reasoning: "reasons",
  tools: "uses tools",
  embed: "embeds texts",
  "embed-image": "compares pictures and texts",
  rerank: "sorts by relevance",
  detect: "finds objects",
  segment: "outlines",
  keypoints: "finds keypoints",
  classify: "classifies",
  "read-text": "reads text",
  gaze: "follows gazes",
  text2image: "makes pictures",
};

/** Abilities that mean making pictures, in the words of several APIs. */
const MAKES_IMAGES = ["text2image", "image-generation", "generate-image"];

let models = [];
const listeners = new Set();

/** Reads the list again. Throws `Trouble`. */
export async function refresh(options) {
  const answer = await askJson("/_mimus/models", options);
  models = answer.models;
  listeners.forEach((listener) => listener(models));
  return models;
}

/** All models as they were last read. */
export function all() {
  return models;
}

/** Calls `listener` whenever the list was read. Returns how to stop. */
export function watch(listener) {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

/** Models that can do something and have not failed. */
export function able(ability) {
  return models.filter((model) => model.abilities.includes(ability) && model.readiness !== "failed");
}

/** Models that make pictures. */
export function makers() {
  return models.filter((model) => model.abilities.some((ability) => MAKES_IMAGES.includes(ability)));
}

/** A model by its name. */
export function named(name) {
  return models.find((model) => model.name === name);
}

/** Abilities in words. */
export function abilities(model) {
  return model.abilities.map((ability) => WORDS[ability] ?? ability);
}
