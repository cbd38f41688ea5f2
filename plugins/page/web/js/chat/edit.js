// Changing a message that was sent.

import { el, replace } from "../dom.js";

/** Puts a field in place of a turn. Calls `done(text)` with the new text, or with null when it is to stay as it was. */
export function editTurn(node, turn, done) {
  const field = el("textarea", { class: "edit-field", rows: "3", "aria-label": "Your message", value: turn.text });
  const finish = (isKept) => done(isKept && (field.value.trim() || turn.picture) ? field.value.trim() : null);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      event.stopPropagation();
      finish(false);
    } else if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      finish(true);
    }
  });
  replace(
    node,
    el(
      "div",
      { class: "editing" },
      field,
      el(
        "div",
        { class: "row end" },
        el("button", { type: "button", class: "quiet", onclick: () => finish(false) }, "Cancel"),
        el("button", { type: "button", class: "primary", onclick: () => finish(true) }, "Send again"),
      ),
    ),
  );
  field.focus();
  field.setSelectionRange(field.value.length, field.value.length);
}
