// Turns of a conversation as people see them.

import { copyButton } from "../copy.js";
import { el, replace } from "../dom.js";
import { bird, toolButton } from "../icons.js";
import { markdown } from "../markdown/blocks.js";
import { findingsTable, overlay, summary } from "../pictures/overlay.js";
import { plural } from "../words.js";
import { isRunning, pictureUrl } from "./answer.js";
import * as store from "./store.js";

/** From here on a finding is worth a label in a conversation. */
const CONFIDENCE = 0.5;

/** Tokens from which on their speed means something. */
const SPEED_TOKENS_MIN = 20;

const ENDS = {
  stopped: "Stopped.",
  length: "It stopped at the longest answer that is allowed. The settings have the limit.",
  content_filter: "The answer was held back.",
};

/** The element of a turn. `acts`: `edit(turn)`, `retry(turn)`. */
export function turnNode(turn, acts) {
  const node = el("li", { class: `turn turn-${turn.role}`, id: turn.id });
  drawTurn(node, turn, acts);
  return node;
}

/** Draws a turn into its element again. */
export function drawTurn(node, turn, acts) {
  if (turn.role === "user") replace(node, userTurn(turn, acts));
  else replace(node, answerTurn(turn, acts));
}

function userTurn(turn, acts) {
  return [
    el("span", { class: "unseen" }, "You: "),
    turn.picture && el("img", { class: "attached", src: pictureUrl(turn), alt: `Your picture, ${turn.picture.name}` }),
    turn.text && el("div", { class: "bubble" }, turn.text),
    el(
      "div",
      { class: "acts" },
      turn.text && copyButton("your message", () => turn.text),
      toolButton("edit", "Edit and send again", { onclick: () => acts.edit(turn) }),
    ),
  ];
}

function answerTurn(turn, acts) {
  const isLast = store.shown().turns.at(-1) === turn;
  const isWriting = isLast && isRunning();
  return [
    el(
      "div",
      { class: "who" },
      bird(),
      el("span", {}, turn.findings ? "What the picture models see" : turn.model || "Model"),
    ),
    turn.reasoning && reasoning(turn, isWriting),
    turn.findings &&
      turn.model &&
      el("p", { class: "faint" }, `${turn.model} does not see pictures, so these models looked at it.`),
    turn.findings?.filter(isSomething).map((findings) => seen(turn, findings)),
    turn.findings && nothing(turn.findings.filter((findings) => !isSomething(findings))),
    turn.text && el("div", { class: "prose" }, markdown(turn.text)),
    isWriting && !turn.text && waiting(turn),
    turn.error && el("p", { class: "trouble", role: "alert" }, turn.error),
    !isWriting && ENDS[turn.end] && el("p", { class: "faint" }, ENDS[turn.end]),
    !isWriting && el("div", { class: "acts" }, tools(turn, acts)),
  ];
}

function waiting(turn) {
  return el(
    "p",
    { class: "waiting", "aria-hidden": "true" },
    el("span"),
    el("span"),
    el("span"),
    turn.findings && "looking",
  );
}

function tools(turn, acts) {
  const { figures } = turn;
  return [
    turn.text && copyButton("the answer", () => turn.text),
    toolButton("retry", "Try again", { onclick: () => acts.retry(turn) }),
    figures?.tokens > 0 && el("span", { class: "faint figures" }, speed(figures)),
  ];
}

/** How fast it was. Of a few tokens, which come at once, no speed is told. */
function speed({ tokens, per_s: perSecond, first_ms: first }) {
  const rate = tokens >= SPEED_TOKENS_MIN ? `${perSecond}/s` : null;
  return [plural(tokens, "token"), rate, `first after ${first} ms`].filter(Boolean).join(" · ");
}

/** What the model thought before it answered, folded once it answers. */
function reasoning(turn, isWriting) {
  return el(
    "details",
    { class: "reasoning", open: isWriting && !turn.text },
    el("summary", {}, isWriting && !turn.text ? "Thinking …" : "Thoughts before the answer"),
    el("div", { class: "prose" }, markdown(turn.reasoning)),
  );
}

/** Whether there is anything to show of what a model found. */
function isSomething(findings) {
  return (
    findings.classes.length > 0 ||
    findings.text.trim() !== "" ||
    findings.boxes.some((box) => box.confidence >= CONFIDENCE)
  );
}

/** Models that found nothing, in one line. */
function nothing(findings) {
  return (
    findings.length > 0 &&
    el("p", { class: "faint" }, `Nothing found by ${findings.map(({ model }) => model).join(", ")}.`)
  );
}

function seen(turn, findings) {
  const asked = store.shown().turns.find((one) => one.id === turn.seen);
  const isDrawn = asked?.picture && findings.boxes.length > 0;
  return el(
    "section",
    { class: "seen", "aria-label": findings.model },
    isDrawn && overlay(pictureUrl(asked), findings, CONFIDENCE),
    el(
      "div",
      { class: "seen-words" },
      el("h3", {}, findings.model),
      el("p", {}, summary(findings, CONFIDENCE)),
      findingsTable(findings, CONFIDENCE),
    ),
  );
}
