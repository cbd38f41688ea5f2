// What screen readers say, and the short notes at the edge of the page.

import { el } from "./dom.js";

/** Says a sentence to screen readers, after what they are saying now. */
export function announce(text) {
  const region = document.getElementById("announcer");
  region.textContent = "";
  // A change is only heard when it comes after the emptying.
  requestAnimationFrame(() => {
    region.textContent = text;
  });
}

/** Shows a sentence for a few seconds and says it. */
export function note(text) {
  const box = el("div", { class: "note" }, text);
  document.getElementById("notes").replaceChildren(box);
  announce(text);
  setTimeout(() => box.remove(), 5000);
}
