// Asking the server, and what it says when it refuses, in words.

import { askForKey, forgetKey, heldKey } from "./key.js";

/** Path of the server's root without a slash at its end, whether the page was opened there or below its own mount point. */
export const root = location.pathname.replace(/\/(page)?\/*$/, "");

/** The server's address as clients write it. */
export const origin = location.origin + root;

/** Something that went wrong, for people: what happened, and what to do. */
export class Trouble extends Error {
  constructor(message, advice, status = 0) {
    super(message);
    this.advice = advice;
    this.status = status;
  }
}

const ADVICE = {
  400: "Change what is asked and send it again.",
  401: "Enter a key of this server.",
  403: "The server's operator has to allow this.",
  404: "Choose another model, or look at the dialects that are loaded.",
  408: "The connection is slow; try again.",
  413: "Send less at once, or a smaller picture.",
  422: "Change what is asked and send it again.",
  429: "The server is busy. Wait a moment and try again.",
  503: "It is not ready yet. Wait a moment and try again.",
  504: "It took too long. Ask for less, or try again.",
};

/**
 * Sends a request and returns the response, once the server has accepted it.
 *
 * `body` is sent as JSON. With `isQuiet` nobody is asked for a key. Throws `Trouble`, or the `AbortError` of `signal`.
 */
export async function ask(path, { body, signal, isQuiet = false } = {}) {
  let response = await send(path, body, signal);
  if (response.status === 401 && !isQuiet) {
    forgetKey();
    if (await askForKey()) response = await send(path, body, signal);
  }
  if (!response.ok) throw await refusal(response);
  return response;
}

/** The JSON that the server answers. */
export async function askJson(path, options) {
  const response = await ask(path, options);
  try {
    return await response.json();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("The answer is not complete.", "Try again.", response.status);
  }
}

async function send(path, body, signal) {
  const headers = {};
  const key = heldKey();
  if (key) headers.authorization = `Bearer ${key}`;
  if (body !== undefined) headers["content-type"] = "application/json";
  const text = body === undefined ? undefined : JSON.stringify(body);
  try {
    return await fetch(root + path, { method: body === undefined ? "GET" : "POST", headers, body: text, signal });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Trouble("The server does not answer.", "See whether it is running and reachable, then try again.");
  }
}

async function refusal(response) {
  let message = `The server answered with status ${response.status}.`;
  try {
    const said = await response.json();
    const found = said.error?.message ?? said.error ?? said.message ?? said.detail;
    if (typeof found === "string") message = sentence(found);
    if (typeof said.inner_error_message === "string") message += " " + sentence(said.inner_error_message);
  } catch {
    // The status has to do.
  }
  const advice = ADVICE[response.status] ?? "Try again; the server's log says more.";
  return new Trouble(message, advice, response.status);
}

/** With a capital and a full stop. */
function sentence(text) {
  const trimmed = text.trim();
  return trimmed.charAt(0).toUpperCase() + trimmed.slice(1) + (/[.!?]$/.test(trimmed) ? "" : ".");
}

/** What to show of an error, whatever it is. */
export function inWords(error) {
  if (error instanceof Trouble) return `${error.message} ${error.advice}`;
  return `The page could not do this: ${error?.message ?? error}. Reload it and try again.`;
}
