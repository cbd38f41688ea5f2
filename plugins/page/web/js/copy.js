// The button that copies.

import { announce, note } from "./announce.js";
import { el, replace } from "./dom.js";
import { icon, toolButton } from "./icons.js";

/** A button that copies what `text()` returns when it is pressed. `what` completes its name: "Copy code". */
export function copyButton(what, text) {
  const button = toolButton("copy", `Copy ${what}`);
  button.addEventListener("click", async () => {
    try {
      await write(text());
      replace(button, icon("check"));
      announce(`Copied ${what}.`);
      setTimeout(() => replace(button, icon("copy")), 1500);
    } catch {
      note("The browser did not allow copying. Select the text and copy it yourself.");
    }
  });
  return button;
}

/** Browsers give pages that are not served by https or by this machine no clipboard, but do copy a selection. */
async function write(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const field = el("textarea", { class: "unseen", "aria-hidden": "true", tabindex: "-1", value: text });
  const focused = document.activeElement;
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  focused?.focus();
  if (!done) throw new Error("not allowed");
}
