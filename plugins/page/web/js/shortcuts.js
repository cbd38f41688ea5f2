// Keys that work everywhere, and the list of them.

import { el } from "./dom.js";

const KEYS = [
  ["/", "Write a message"],
  ["Enter", "Send it; Shift and Enter begin a new line"],
  ["Escape", "Stop the answer, or close what is open"],
  ["↑", "Change the last message, in an empty message field"],
  ["Alt N", "A new conversation"],
  ["Alt 1 … 4", "Chat, playground, dialects, operations"],
  ["?", "This list"],
];

/** Listens for keys. `views`: their names, in the order of their numbers; `go` brings one of them. */
export function shortcuts(views, go) {
  addEventListener("keydown", async (event) => {
    const isWriting = event.target.matches?.("input, textarea, select");
    if (event.altKey && !event.ctrlKey && !event.metaKey) {
      // The digit of the key, whatever it writes with this one held.
      const digit = /^Digit([1-9])$/.exec(event.code)?.[1];
      if (digit && views[digit - 1]) {
        event.preventDefault();
        go(views[digit - 1]);
      } else if (event.code === "KeyN") {
        event.preventDefault();
        await go("chat");
        document.dispatchEvent(new Event("mimus:begin"));
      }
    } else if (event.key === "?" && !isWriting) {
      showKeys();
    } else if (event.key === "/" && !isWriting && !event.ctrlKey && !event.metaKey) {
      event.preventDefault();
      await go("chat");
      document.getElementById("message")?.focus();
    }
  });
}

/** Shows the list. */
export function showKeys() {
  if (document.querySelector("dialog[open]")) return;
  const dialog = el(
    "dialog",
    { class: "dialog", "aria-labelledby": "keys-title" },
    el("h2", { id: "keys-title" }, "Keyboard"),
    el(
      "dl",
      { class: "keys" },
      KEYS.map(([key, what]) => [el("dt", {}, el("kbd", {}, key)), el("dd", {}, what)]),
    ),
    el("form", { method: "dialog", class: "row end" }, el("button", { class: "primary" }, "Close")),
  );
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
