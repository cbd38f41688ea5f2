// The playground: what models do besides talking, each on a tab of its own.

import { inWords } from "../api.js";
import { el, replace } from "../dom.js";
import * as models from "../models.js";
import { embeddings } from "./embeddings.js";
import { imaging } from "./imaging.js";
import { rerank } from "./rerank.js";
import { vision } from "./vision.js";

const TABS = { vision, embeddings, rerank, imaging };

/** See the module. */
export const playground = { title: "Playground", mount, go: () => {} };

function mount(main, [first]) {
  const names = Object.keys(TABS);
  const panel = el("div", { class: "panel", role: "tabpanel", id: "tab-panel", tabindex: "-1" });
  const tabs = names.map((name) =>
    el(
      "button",
      { type: "button", role: "tab", id: `tab-${name}`, "aria-controls": "tab-panel", onclick: () => open(name, true) },
      TABS[name].title,
    ),
  );
  const bar = el("div", { class: "tabs", role: "tablist", "aria-label": "What to try" }, tabs);
  let shown = null;
  let leave = () => {};

  function open(name, isChosen) {
    if (isChosen) globalThis.history.replaceState(null, "", `#/playground/${name}`);
    shown = name;
    tabs.forEach((tab, index) => {
      const isShown = names[index] === name;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
    });
    panel.setAttribute("aria-labelledby", `tab-${name}`);
    leave();
    replace(panel);
    leave = TABS[name].mount(panel) ?? (() => {});
  }

  // Tabs are one stop of the tab key; arrows go between them.
  bar.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    const next = (names.indexOf(shown) + step + names.length) % names.length;
    open(names[next], true);
    tabs[next].focus();
  });
  main.append(bar, panel);
  const start = Object.hasOwn(TABS, first ?? "") ? first : names[0];
  playground.go = ([name]) => Object.hasOwn(TABS, name ?? "") && name !== shown && open(name, false);
  replace(panel, el("p", { class: "faint" }, "Reading the list of models …"));
  tabs.forEach((tab) => tab.setAttribute("aria-selected", "false"));
  models.refresh().then(
    () => main.isConnected && bar.isConnected && open(start, false),
    (error) => replace(panel, el("p", { class: "trouble", role: "alert" }, inWords(error))),
  );
  return () => leave();
}
