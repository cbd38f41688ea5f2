// How answers are made: the system prompt and the settings of sampling.

import { el } from "../dom.js";
import * as store from "./store.js";

const FIELDS = [
  {
    name: "temperature",
    label: "Temperature",
    min: 0,
    max: 2,
    step: 0.05,
    help: "0 takes the likeliest word, more is freer",
  },
  { name: "top_p", label: "Top p", min: 0, max: 1, step: 0.01, help: "Only the likeliest words, up to this share" },
  { name: "max_tokens", label: "Longest answer", min: 1, max: 1_000_000, step: 1, help: "In tokens" },
  { name: "seed", label: "Seed", min: 0, max: 4_294_967_295, step: 1, help: "The same seed gives the same answer" },
];

/** The panel for the conversation that is shown. */
export function settingsPanel() {
  const { settings } = store.shown();
  const system = el("textarea", {
    id: "system",
    rows: "3",
    placeholder: "How the model should behave",
    value: settings.system,
  });
  system.addEventListener("input", () => keep("system", system.value));
  return el(
    "section",
    { class: "settings", id: "settings", "aria-label": "Settings of this conversation" },
    el("div", { class: "field wide" }, el("label", { for: "system" }, "System prompt"), system),
    FIELDS.map((field) => numberField(field, settings)),
    el("p", { class: "faint wide" }, "What is left empty is up to the model."),
  );
}

function numberField({ name, label, help, min, max, step }, settings) {
  const id = `set-${name}`;
  const input = el("input", {
    id,
    type: "number",
    inputmode: "decimal",
    min,
    max,
    step,
    placeholder: "model’s own",
    value: settings[name],
    "aria-describedby": `${id}-help`,
  });
  input.addEventListener("input", () => {
    const isGood = input.validity.valid;
    input.toggleAttribute("aria-invalid", !isGood);
    if (isGood) keep(name, input.value);
  });
  return el(
    "div",
    { class: "field" },
    el("label", { for: id }, label),
    input,
    el("span", { class: "faint", id: `${id}-help` }, help),
  );
}

function keep(name, value) {
  store.shown().settings[name] = value;
  store.save();
}
