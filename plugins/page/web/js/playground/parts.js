// What the tabs of the playground share.

import { announce } from "../announce.js";
import { inWords } from "../api.js";
import { el, replace, uid } from "../dom.js";

/** A labelled choice among models. Returns `{box, chosen}`; `chosen()` is the model. */
export function modelChoice(models, onChange = () => {}) {
  const id = uid("model");
  const select = el(
    "select",
    { id, onchange: () => onChange(chosen()) },
    models.map((model) => el("option", { value: model.name }, model.name)),
  );
  const chosen = () => models.find((model) => model.name === select.value);
  return { box: el("div", { class: "field" }, el("label", { for: id }, "Model"), select), chosen };
}

/** One line for what is not there, and how to get it. */
export function missing(what, advice) {
  return el("p", { class: "empty" }, `No model that ${what} is loaded. ${advice}`);
}

/**
 * A form with a button and a place for results. `work(signal)` returns what is put there; its errors are shown in words,
 * and what is asked before the answer has come replaces it.
 */
export function workbench(fields, label, work) {
  const results = el("div", { class: "results" });
  const button = el("button", { class: "primary" }, label);
  const form = el("form", { class: "bench" }, fields, el("div", { class: "row" }, button));
  let controller = null;
  const run = async () => {
    controller?.abort();
    const own = new AbortController();
    controller = own;
    results.setAttribute("aria-busy", "true");
    try {
      const nodes = await work(own.signal);
      if (controller === own) {
        replace(results, nodes);
        announce("The result is there.");
      }
    } catch (error) {
      if (error.name !== "AbortError") replace(results, el("p", { class: "trouble", role: "alert" }, inWords(error)));
    } finally {
      if (controller === own) results.removeAttribute("aria-busy");
    }
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    run();
  });
  return { form, results, run, stop: () => controller?.abort() };
}

/** Lines of a field that have something in them. */
export function linesOf(field) {
  return field.value
    .split("\n")
    .map((line) => line.trim())
    .filter(Boolean);
}
