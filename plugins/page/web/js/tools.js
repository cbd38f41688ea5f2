// The small buttons of the frame: light or dark, and the keys.

import { announce } from "./announce.js";
import { el, replace } from "./dom.js";
import { icon, toolButton } from "./icons.js";
import { showKeys } from "./shortcuts.js";

const PLACE = "mimus.theme";
const dark = matchMedia("(prefers-color-scheme: dark)");

/** The buttons. */
export function tools() {
  return [
    toolButton("keyboard", "Keyboard shortcuts", { title: "Keyboard shortcuts (?)", onclick: showKeys }),
    themeButton(),
  ];
}

function themeButton() {
  const button = el("button", { type: "button", class: "tool", id: "theme" });
  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? "dark" : "light")) === "dark";
  const draw = () => {
    const label = isDark() ? "Use light colours" : "Use dark colours";
    button.setAttribute("aria-label", label);
    button.title = label;
    replace(button, icon(isDark() ? "sun" : "moon"));
  };
  button.addEventListener("click", () => {
    const theme = isDark() ? "light" : "dark";
    document.documentElement.dataset.theme = theme;
    try {
      localStorage.setItem(PLACE, theme);
    } catch {
      // It holds until the page is left.
    }
    draw();
    announce(theme === "dark" ? "Dark colours." : "Light colours.");
  });
  dark.addEventListener("change", draw);
  draw();
  return button;
}
