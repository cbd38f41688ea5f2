// The frame around the views: which one is shown, and what works in all of them.

import { chat } from "./chat/view.js";
import { dialects } from "./dialects/view.js";
import { el, replace } from "./dom.js";
import { operations } from "./operations/view.js";
import { playground } from "./playground/view.js";
import { shortcuts } from "./shortcuts.js";
import { tools } from "./tools.js";

const VIEWS = { chat, playground, dialects, operations };

const main = document.getElementById("main");

/** Ends what the shown view has begun. */
let leave = () => {};
let shown = null;

/** Shows the view that the address names, `#/playground/rerank`. */
function route() {
  const [, name, ...rest] = location.hash.split("/");
  const key = Object.hasOwn(VIEWS, name ?? "") ? name : "chat";
  const isFirst = shown === null;
  if (shown !== key) {
    leave();
    shown = key;
    const view = VIEWS[key];
    document.title = `${view.title} · Mimus`;
    main.className = `view view-${key}`;
    replace(main, el("h1", { class: key === "chat" ? "unseen" : "view-title", tabindex: "-1" }, view.title));
    leave = view.mount(main, rest) ?? (() => {});
    for (const link of document.querySelectorAll(".views a")) {
      const isCurrent = link.getAttribute("href") === `#/${key}`;
      if (isCurrent) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    // Those who do not see the page hear where they are.
    if (!isFirst) main.querySelector("h1").focus();
  } else {
    VIEWS[key].go?.(rest);
  }
}

document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  main.focus();
});
replace(document.getElementById("tools"), tools());
shortcuts(Object.keys(VIEWS));
addEventListener("hashchange", route);
route();
