// The key, where the server asks for one: kept until the tab is closed, and sent to this server alone.

import { el, uid } from "./dom.js";

const PLACE = "mimus.key";

/** The dialog that is open, as a promise of whether a key was given. */
let asking = null;

/** Where the browser keeps nothing for pages, the key is forgotten when the page is left. */
let held = null;

/** The key that was entered, or null. */
export function heldKey() {
  try {
    return sessionStorage.getItem(PLACE);
  } catch {
    return held;
  }
}

/** A key that was refused is of no use. */
export function forgetKey() {
  keep(null);
}

function keep(key) {
  held = key;
  try {
    if (key === null) sessionStorage.removeItem(PLACE);
    else sessionStorage.setItem(PLACE, key);
  } catch {
    // It is held until the page is left.
  }
}

/** Asks for a key. Resolves to whether one was entered; all who ask at once get the same answer. */
export function askForKey() {
  asking ??= open().finally(() => {
    asking = null;
  });
  return asking;
}

function open() {
  const id = uid("key");
  const input = el("input", {
    id,
    type: "password",
    autocomplete: "current-password",
    required: true,
    spellcheck: "false",
  });
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": `${id}-title` },
    el(
      "form",
      { method: "dialog" },
      el("h2", { id: `${id}-title` }, "This server asks for a key"),
      el("p", {}, "Whoever runs it can give you one. The key stays in this tab and is forgotten when you close it."),
      // Password managers remember a key under a name.
      el("input", { type: "text", autocomplete: "username", value: "Mimus", hidden: true, "aria-hidden": "true" }),
      el("label", { for: id }, "Key"),
      input,
      el(
        "div",
        { class: "row end" },
        el("button", { type: "button", class: "quiet", onclick: () => dialog.close("") }, "Not now"),
        el("button", { class: "primary", value: "enter" }, "Use this key"),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  input.focus();
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      const key = dialog.returnValue === "enter" ? input.value.trim() : "";
      if (key) keep(key);
      dialog.remove();
      resolve(key !== "");
    });
  });
}
