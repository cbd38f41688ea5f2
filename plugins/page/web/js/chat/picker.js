// Which model answers: a button with its name, and behind it all models with what they can do.

import { el, replace, uid } from "../dom.js";
import { icon } from "../icons.js";
import * as models from "../models.js";
import { count } from "../words.js";
import * as store from "./store.js";

const STATES = { loading: "loading", idle: "not in memory", failed: "failed" };

/** The picker. Chooses a model for a conversation that has none yet. */
export function picker(onChoose) {
  const id = uid("models");
  const label = el("span", { class: "picked" });
  const button = el(
    "button",
    { type: "button", class: "picker", "aria-haspopup": "dialog", "aria-expanded": "false", "aria-controls": id },
    el("span", { class: "faint" }, "Model"),
    label,
    icon("chevron"),
  );
  const panel = el("div", { class: "popover", id, role: "dialog", "aria-label": "Choose a model", hidden: true });
  const box = el("div", { class: "picker-box" }, button, panel);

  const close = () => {
    if (panel.hidden) return;
    panel.hidden = true;
    button.setAttribute("aria-expanded", "false");
    if (panel.contains(document.activeElement)) button.focus();
  };
  const draw = () => {
    label.textContent = store.shown().model || "none";
    if (!panel.hidden) fillPanel(panel, onPick);
  };
  const onPick = (name) => {
    store.shown().model = name;
    store.save();
    draw();
    onChoose();
  };
  button.addEventListener("click", () => {
    if (!panel.hidden) return close();
    panel.hidden = false;
    button.setAttribute("aria-expanded", "true");
    fillPanel(panel, onPick);
    (panel.querySelector("input:checked") ?? panel.querySelector("input"))?.focus();
  });
  box.addEventListener("keydown", (event) => {
    const isChosen = event.key === "Enter" && event.target.matches("input");
    if (panel.hidden || !(isChosen || event.key === "Escape")) return;
    event.preventDefault();
    event.stopPropagation();
    close();
  });
  box.addEventListener("focusout", (event) => {
    if (event.relatedTarget && !box.contains(event.relatedTarget)) close();
  });
  document.addEventListener("pointerdown", (event) => {
    if (!box.contains(event.target)) close();
  });
  return { box, draw };
}

/** The model for a conversation whose own is not there: the first that chats. */
export function settle(conversation) {
  if (models.named(conversation.model)) return;
  conversation.model = (models.able("chat")[0] ?? models.able("generate")[0])?.name ?? "";
}

function fillPanel(panel, onPick) {
  const chatting = models.all().filter((model) => model.abilities.includes("chat"));
  const others = models.all().filter((model) => !model.abilities.includes("chat"));
  const name = uid("model");
  replace(
    panel,
    el(
      "fieldset",
      {},
      el("legend", {}, "For conversations"),
      chatting.map((model) => choice(model, name, onPick)),
    ),
    chatting.length === 0 &&
      el("p", { class: "faint" }, "No model that chats is loaded. Start the server with --models DIR, or launch one."),
    others.length > 0 && el("h3", {}, "For the playground and for pictures"),
    el(
      "ul",
      { class: "plain" },
      others.map((model) => el("li", { class: "model-row" }, facts(model))),
    ),
  );
}

function choice(model, name, onPick) {
  const isShown = store.shown().model === model.name;
  const input = el("input", {
    type: "radio",
    name,
    value: model.name,
    checked: isShown,
    disabled: model.readiness === "failed",
  });
  input.addEventListener("change", () => onPick(model.name));
  return el("label", { class: "model-row" }, input, facts(model));
}

/** Name, size and abilities. */
function facts(model) {
  const size = model.parameters > 0 ? `${count(model.parameters)} parameters` : "";
  const context = model.context_tokens > 0 ? `${count(model.context_tokens)} tokens` : "";
  const state = STATES[model.readiness];
  return el(
    "span",
    { class: "facts" },
    el("span", { class: "name" }, model.name),
    el("span", { class: "faint" }, [size, context, state].filter(Boolean).join(" · ")),
    el(
      "span",
      { class: "chips" },
      models.abilities(model).map((word) => el("span", { class: "chip" }, word)),
    ),
  );
}
