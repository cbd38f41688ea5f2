// The frame around the views: which one is shown, and what works in all of them.

import { inWords } from "./api.js";
import { chat } from "./chat/view.js";
import { el, replace } from "./dom.js";
import { shortcuts } from "./shortcuts.js";
import { tools } from "./tools.js";

/** The views, or how to fetch them: the one that most people come for is there from the start, the others when they are first asked for. */
const VIEWS = {
  chat,
  playground: async () => (await import("./playground/view.js")).playground,
  dialects: async () => (await import("./dialects/view.js")).dialects,
  operations: async () => (await import("./operations/view.js")).operations,
};

const main = document.getElementById("main");

/** Ends what the shown view has begun. */
let leave = () => {};

/** The view that is shown, or on its way. */
let shown = { name: null, view: null };

/** Shows the view that the address names, `#/playground/rerank`. */
function route() {
  const [, asked, ...rest] = location.hash.split("/");
  const name = Object.hasOwn(VIEWS, asked ?? "") ? asked : "chat";
  if (shown.name === name) shown.view?.go?.(rest);
  else bring(name, rest);
}

/** Brings a view, one that has been fetched at once; but not when another is asked for before it is there. */
async function bring(name, rest) {
  const own = { name, view: null, isFirst: shown.name === null };
  shown = own;
  try {
    if (typeof VIEWS[name] === "function") VIEWS[name] = await VIEWS[name]();
    own.view = VIEWS[name];
    if (shown === own) show(own, rest);
  } catch (error) {
    if (shown === own) replace(main, el("p", { class: "trouble", role: "alert" }, inWords(error)));
  }
}

/** Goes to a view; the event of the new address comes later and finds it there. */
async function go(name) {
  if (shown.name === name) return;
  location.hash = `#/${name}`;
  await bring(name, []);
}

function show({ name, view, isFirst }, rest) {
  leave();
  document.title = `${view.title} · Mimus`;
  main.className = `view view-${name}`;
  replace(main, el("h1", { class: name === "chat" ? "unseen" : "view-title", tabindex: "-1" }, view.title));
  leave = view.mount(main, rest) ?? (() => {});
  for (const link of document.querySelectorAll(".views a")) {
    const isCurrent = link.getAttribute("href") === `#/${name}`;
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  // Those who do not see the page hear where they are.
  if (!isFirst) main.querySelector("h1").focus();
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
replace(document.getElementById("tools"), tools());
shortcuts(Object.keys(VIEWS), go);
addEventListener("hashchange", route);
route();
