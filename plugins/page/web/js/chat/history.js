// The list of conversations.

import { el, replace } from "../dom.js";
import { icon, toolButton } from "../icons.js";
import * as store from "./store.js";

/** The list. `acts`: `begin()`, `open(id)`, `remove(id)`. Returns `{box, draw}`. */
export function history(acts) {
  const list = el("ul", { class: "plain" });
  const box = el(
    "aside",
    { class: "history", id: "history", "aria-label": "Conversations" },
    el("button", { type: "button", class: "begin", onclick: acts.begin }, icon("plus"), "New conversation"),
    list,
  );
  const draw = () => {
    const current = store.shown().id;
    replace(
      list,
      store.list().map((one) => row(one, one.id === current, acts)),
    );
  };
  return { box, draw };
}

function row(conversation, isCurrent, acts) {
  const title = conversation.title || "Untitled";
  return el(
    "li",
    { class: "history-row" },
    el(
      "button",
      {
        type: "button",
        class: "history-open",
        "aria-current": isCurrent ? "true" : null,
        onclick: () => acts.open(conversation.id),
      },
      title,
    ),
    toolButton("trash", `Delete “${title}”`, { onclick: () => acts.remove(conversation.id) }),
  );
}
