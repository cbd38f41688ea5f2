// Where messages are written.

import { inWords } from "../api.js";
import { note } from "../announce.js";
import { el, replace } from "../dom.js";
import { icon, toolButton } from "../icons.js";
import { imageOf, readPicture } from "../pictures/file.js";
import { isRunning, stop } from "./answer.js";

/** The form. `acts`: `send(text, picture)`, `editLast()`. Returns `{form, draw, attach}`. */
export function composer(acts) {
  let picture = null;
  const field = el("textarea", {
    id: "message",
    rows: "1",
    placeholder: "Ask something",
    "aria-label": "Message",
    enterkeyhint: "send",
  });
  const chooser = el("input", {
    type: "file",
    accept: "image/*",
    class: "unseen",
    tabindex: "-1",
    "aria-label": "Picture file",
  });
  const attached = el("div", { class: "attachment", hidden: true });
  const choose = toolButton("image", "Add a picture", { title: "Add a picture; you can also drop or paste one" });
  const button = el("button", { class: "send" });

  const grow = () => {
    field.style.height = "auto";
    field.style.height = `${Math.min(field.scrollHeight, 220)}px`;
  };
  const draw = () => {
    const label = isRunning() ? "Stop" : "Send";
    button.type = isRunning() ? "button" : "submit";
    button.setAttribute("aria-label", label);
    button.title = isRunning() ? "Stop (Escape)" : "Send (Enter)";
    replace(button, icon(isRunning() ? "stop" : "send"));
  };
  const drawPicture = () => {
    attached.hidden = !picture;
    if (!picture) return replace(attached);
    const remove = () => {
      picture = null;
      drawPicture();
      field.focus();
    };
    replace(
      attached,
      el("img", { src: picture.kept, alt: "" }),
      el("span", {}, picture.name, el("span", { class: "faint" }, ` ${picture.width} × ${picture.height}`)),
      toolButton("close", "Remove the picture", { onclick: remove }),
    );
  };
  const attach = async (file) => {
    try {
      picture = await readPicture(file);
      drawPicture();
      field.focus();
    } catch (error) {
      note(inWords(error));
    }
  };
  const submit = () => {
    const text = field.value.trim();
    if (isRunning() || (!text && !picture)) return;
    const sent = picture;
    field.value = "";
    picture = null;
    grow();
    drawPicture();
    acts.send(text, sent);
  };

  field.addEventListener("input", grow);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
      event.preventDefault();
      submit();
    } else if (event.key === "ArrowUp" && field.value === "" && !isRunning()) {
      event.preventDefault();
      acts.editLast();
    }
  });
  field.addEventListener("paste", (event) => {
    const file = imageOf(event.clipboardData);
    if (!file) return;
    event.preventDefault();
    attach(file);
  });
  choose.addEventListener("click", () => chooser.click());
  chooser.addEventListener("change", () => {
    if (chooser.files[0]) attach(chooser.files[0]);
    chooser.value = "";
  });
  button.addEventListener("click", (event) => {
    if (!isRunning()) return;
    event.preventDefault();
    stop();
  });
  const form = el(
    "form",
    { class: "composer" },
    attached,
    el("div", { class: "composer-row" }, choose, chooser, field, button),
  );
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    submit();
  });
  draw();
  return { form, draw, attach };
}
