// The server at work.

import { askJson, inWords } from "../api.js";
import { el, replace } from "../dom.js";
import * as models from "../models.js";
import { bytes, percent, plural, span } from "../words.js";
import { chart } from "./chart.js";
import { follow } from "./figures.js";
import { modelTable, pluginTable, swapList } from "./tables.js";

/** Models and plugins change seldom: they are read with every second reading of the figures. */
const LISTS_EVERY = 2;

/** See the module. */
export const operations = { title: "Operations", mount };

function mount(main) {
  const perSecond = (number) => `${number >= 10 ? Math.round(number) : number.toFixed(1)}/s`;
  const milliseconds = (number) =>
    number >= 1000 ? `${(number / 1000).toFixed(1)} s` : `${number.toFixed(number < 10 ? 1 : 0)} ms`;
  const whole = (number) => String(Math.round(number));
  const charts = [
    chart("Requests", [["a second", "requests"]], perSecond),
    chart("Tokens", [["a second", "tokens"]], perSecond),
    chart(
      "Queue",
      [
        ["running", "running"],
        ["waiting", "waiting"],
      ],
      whole,
    ),
    chart(
      "First byte",
      [
        ["half within", "median"],
        ["95 % within", "slow"],
      ],
      milliseconds,
    ),
  ];
  const tiles = el("dl", { class: "tiles" });
  const trouble = el("p", { class: "trouble", role: "alert", hidden: true });
  const modelBox = el("div");
  const pluginBox = el("div");
  const swapBox = el("div");
  main.append(
    trouble,
    tiles,
    el(
      "div",
      { class: "charts" },
      charts.map(({ box }) => box),
    ),
    section("Models", modelBox),
    section("Swaps of plugins", swapBox),
    section("Plugins", pluginBox),
  );

  let readings = 0;
  let figures = null;
  let kept = "";
  const lists = async () => {
    const [found, plugins] = await Promise.all([
      models.refresh({ isQuiet: true }),
      askJson("/_mimus/plugins", { isQuiet: true }),
    ]);
    // What has not changed is left alone: somebody may be selecting in it.
    const text = JSON.stringify([found, plugins, figures?.models]);
    if (text === kept) return;
    kept = text;
    replace(modelBox, modelTable(found, figures));
    replace(pluginBox, pluginTable(plugins.plugins));
    replace(swapBox, swapList(plugins.swaps));
  };
  const failed = (error) => {
    trouble.hidden = false;
    trouble.textContent = inWords(error);
  };
  return follow((series) => {
    trouble.hidden = true;
    figures = series.latest;
    replace(tiles, tilesOf(figures));
    charts.forEach(({ draw }) => draw(series.points));
    if (readings % LISTS_EVERY === 0) lists().catch(failed);
    readings += 1;
  }, failed);
}

function section(title, box) {
  return el("section", { class: "block-section", "aria-label": title }, el("h2", {}, title), box);
}

function tilesOf(figures) {
  const { memory_bytes: used, memory_bytes_max: most } = figures;
  const tile = (name, text, detail) =>
    el(
      "div",
      { class: "tile" },
      el("dt", {}, name),
      el("dd", {}, text, detail && el("span", { class: "faint block" }, detail)),
    );
  return [
    tile("State", figures.status, `Mimus ${figures.version}`),
    tile("Up for", span(figures.uptime_ms)),
    tile("Requests now", String(figures.requests_in_flight), plural(figures.connections, "connection")),
    el(
      "div",
      { class: "tile" },
      el("dt", {}, "Memory of models"),
      el(
        "dd",
        {},
        bytes(used),
        most && el("span", { class: "faint block" }, `${percent(used / most)} of ${bytes(most)}`),
        most && el("progress", { max: "1", value: String(used / most), "aria-label": "Memory of models" }),
      ),
    ),
  ];
}
