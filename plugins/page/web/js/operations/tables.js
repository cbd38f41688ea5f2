// Models, plugins and swaps as tables.

import { el } from "../dom.js";
import * as models from "../models.js";
import { bytes, moment } from "../words.js";

const STATES = { ready: "ready", loading: "loading", idle: "not in memory", failed: "failed" };

/** A table with a name; `head`: the names of its columns. */
function table(name, head, rows) {
  return el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": name },
    el(
      "table",
      { class: "wide-table" },
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          head.map((text) => el("th", { scope: "col" }, text)),
        ),
      ),
      el("tbody", {}, rows),
    ),
  );
}

/** Models with their states. `figures`: what each does now. */
export function modelTable(list, figures) {
  const now = new Map((figures?.models ?? []).map((model) => [model.name, model]));
  const rows = list.map((model) => {
    const doing = now.get(model.name);
    return el(
      "tr",
      {},
      el("th", { scope: "row" }, model.name),
      el("td", {}, models.abilities(model).join(", ")),
      el("td", {}, state(model)),
      el("td", { class: "number" }, model.memory_bytes > 0 ? bytes(model.memory_bytes) : "–"),
      el("td", { class: "number" }, doing ? `${doing.running} / ${doing.waiting}` : "–"),
    );
  });
  return table("Models", ["Model", "Abilities", "State", "Memory", "Running / waiting"], rows);
}

function state(model) {
  const word = el("span", { class: `state state-${model.readiness}` }, STATES[model.readiness] ?? model.readiness);
  if (model.readiness === "ready") return word;
  const done = model.progress?.fraction;
  return [
    word,
    Number.isFinite(done) &&
      el("progress", { max: "1", value: String(done), "aria-label": `${model.name} is loading` }),
    model.detail && el("span", { class: "faint block" }, model.detail),
  ];
}

/** Plugins with their versions. */
export function pluginTable(list) {
  const rows = list.map((plugin) =>
    el(
      "tr",
      {},
      el("th", { scope: "row" }, plugin.name),
      el("td", {}, plugin.kind || "–"),
      el("td", {}, plugin.version || "–", plugin.hash && el("code", { class: "hash" }, plugin.hash)),
      el("td", {}, plugin.source),
      el(
        "td",
        {},
        el("span", { class: `state state-${plugin.state.startsWith("active") ? "ready" : "failed"}` }, plugin.state),
        plugin.last_error && el("span", { class: "trouble block" }, plugin.last_error),
      ),
      el("td", {}, plugin.loaded_s ? moment(plugin.loaded_s * 1000) : "–"),
    ),
  );
  return table("Plugins", ["Plugin", "Kind", "Version", "From", "State", "Since"], rows);
}

/** What became of new contents of plugins, the newest first. */
export function swapList(swaps) {
  if (swaps.length === 0) {
    return el(
      "p",
      { class: "faint" },
      "None since the server was started. Put a plugin into the folder that --plugins names, and it serves within a second.",
    );
  }
  return el("ol", { class: "swaps", "aria-label": "Swaps, the newest first" }, swaps.map(swap));
}

function swap(one) {
  const change = one.before ? `${one.before} → ${one.version || "?"}` : one.version;
  return el(
    "li",
    { class: one.error ? "swap is-refused" : "swap" },
    el("time", { datetime: new Date(one.at_ms).toISOString() }, moment(one.at_ms)),
    el("span", { class: "name" }, one.plugin),
    el("span", {}, one.error ? "refused" : change, el("code", { class: "hash" }, one.hash)),
    el("span", { class: "faint" }, `${one.file}, ${one.took_ms} ms`),
    one.error && el("span", { class: "trouble block" }, `${one.error}. What served before goes on.`),
  );
}
