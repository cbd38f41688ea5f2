// The conversation view.

import { inWords } from "../api.js";
import { announce } from "../announce.js";
import { el, replace } from "../dom.js";
import { bird, icon, toolButton } from "../icons.js";
import * as models from "../models.js";
import { takesDrops } from "../pictures/file.js";
import { sample } from "../pictures/sample.js";
import { again, isRunning, send, stop } from "./answer.js";
import { composer } from "./composer.js";
import { editTurn } from "./edit.js";
import { history } from "./history.js";
import { picker, settle } from "./picker.js";
import { settingsPanel } from "./settings.js";
import * as store from "./store.js";
import { drawTurn, turnNode } from "./turns.js";

/** Time between two drawings of an answer that is being written, in milliseconds. */
const DRAW_MS = 50;

const IDEAS = ["What is the largest animal?", "Name three fruits.", "Two steps to build a house?"];

/** See the module. */
export const chat = { title: "Chat", mount };

function mount(main) {
  const log = el("ol", { class: "log", "aria-label": "Conversation" });
  const scroller = el("div", { class: "chat-scroll" }, log);
  const acts = { edit, retry };
  let due = null;

  const chosen = picker(() => drawAll());
  const settingsButton = toggle("settings", "Settings", "settings");
  const historyButton = toggle("menu", "Conversations", "history");
  const writing = composer({ send: (text, picture) => send(text, picture, onTurn), editLast });
  const talks = history({
    begin,
    open: (id) => change(() => store.open(id)),
    remove: (id) => change(() => store.remove(id)),
  });
  const panel = el("div", { class: "settings-box", hidden: true });
  const column = el(
    "div",
    { class: "chat-column" },
    el("div", { class: "chat-head" }, historyButton, chosen.box, settingsButton),
    panel,
    scroller,
    writing.form,
    el("div", { class: "drop-hint", "aria-hidden": "true" }, "Drop the picture here"),
  );
  main.append(talks.box, column);
  takesDrops(column, writing.attach);

  settingsButton.addEventListener("click", () => {
    panel.hidden = !panel.hidden;
    settingsButton.setAttribute("aria-expanded", String(!panel.hidden));
    if (!panel.hidden) panel.querySelector("textarea").focus();
  });
  historyButton.addEventListener("click", () => {
    const isOpen = talks.box.classList.toggle("is-open");
    historyButton.setAttribute("aria-expanded", String(isOpen));
    if (isOpen) talks.box.querySelector("button").focus();
  });

  function closeHistory() {
    talks.box.classList.remove("is-open");
    historyButton.setAttribute("aria-expanded", "false");
  }

  /** Draws everything. */
  function drawAll() {
    settle(store.shown());
    chosen.draw();
    talks.draw();
    writing.draw();
    const { turns } = store.shown();
    replace(
      log,
      turns.map((turn) => turnNode(turn, acts)),
    );
    scroller.querySelector(".welcome")?.remove();
    if (turns.length === 0) scroller.append(welcome());
    toEnd();
  }

  /** A turn has changed. */
  function onTurn(turn, isNew) {
    const isEnd = !isRunning();
    if (isNew || isEnd) {
      clearTimeout(due);
      due = null;
      isNew ? drawAll() : finish(turn);
    } else {
      due ??= setTimeout(() => drawNow(turn), DRAW_MS);
    }
  }

  function drawNow(turn) {
    due = null;
    const node = document.getElementById(turn.id);
    if (!node) return;
    const wasAtEnd = isAtEnd();
    drawTurn(node, turn, acts);
    if (wasAtEnd) toEnd();
  }

  function finish(turn) {
    drawNow(turn);
    writing.draw();
    talks.draw();
    if (!turn.error) announce(turn.text ? `Answer: ${turn.text}` : "The picture has been looked at.");
  }

  function edit(turn) {
    const node = document.getElementById(turn.id);
    stop();
    editTurn(node, turn, (text) => {
      if (text === null) drawTurn(node, turn, acts);
      else again(turn.id, text, onTurn);
      document.getElementById("message").focus();
    });
  }

  function editLast() {
    const last = store.shown().turns.findLast((turn) => turn.role === "user");
    if (last) edit(last);
  }

  function retry(turn) {
    const { turns } = store.shown();
    const asked = turns.slice(0, turns.indexOf(turn)).findLast((one) => one.role === "user");
    if (asked) again(asked.id, null, onTurn);
  }

  function change(act) {
    stop();
    act();
    closeHistory();
    replace(panel, settingsPanel());
    drawAll();
    document.getElementById("message").focus();
  }

  function begin() {
    change(() => store.begin());
  }

  function welcome() {
    const idea = (text) =>
      el("button", { type: "button", class: "idea", onclick: () => send(text, null, onTurn) }, text);
    const draw = async () => writing.attach(await sample());
    return el(
      "section",
      { class: "welcome", "aria-label": "Beginning" },
      bird(),
      el("h2", {}, "One server, every voice."),
      el("p", { class: "faint" }, "Ask the model something, or drop a picture for the picture models."),
      el(
        "div",
        { class: "ideas" },
        IDEAS.map(idea),
        el("button", { type: "button", class: "idea", onclick: draw }, icon("image"), "A sample drawing"),
      ),
    );
  }

  const isAtEnd = () => scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 80;
  const toEnd = () => {
    scroller.scrollTop = scroller.scrollHeight;
  };
  const onKey = (event) => {
    if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
    if (isRunning()) stop();
    else closeHistory();
  };
  const onPointer = (event) => {
    if (!talks.box.contains(event.target) && !historyButton.contains(event.target)) closeHistory();
  };
  addEventListener("keydown", onKey);
  addEventListener("pointerdown", onPointer);
  document.addEventListener("mimus:begin", begin);

  replace(panel, settingsPanel());
  drawAll();
  models.refresh().then(drawAll, (error) => {
    if (store.shown().turns.length > 0 || models.all().length > 0) return;
    scroller.append(el("p", { class: "trouble", role: "alert" }, inWords(error)));
  });
  return () => {
    clearTimeout(due);
    removeEventListener("keydown", onKey);
    removeEventListener("pointerdown", onPointer);
    document.removeEventListener("mimus:begin", begin);
  };
}

/** A button that shows and hides something. */
function toggle(picture, label, controls) {
  return toolButton(picture, label, {
    class: `tool toggle-${controls}`,
    "aria-expanded": "false",
    "aria-controls": controls,
  });
}
