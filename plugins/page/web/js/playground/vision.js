// A picture, and what a model sees in it.

import { inWords } from "../api.js";
import { note } from "../announce.js";
import { el, replace } from "../dom.js";
import * as models from "../models.js";
import { imageOf, readPicture, takesDrops } from "../pictures/file.js";
import { look, lookers } from "../pictures/look.js";
import { findingsTable, overlay, summary } from "../pictures/overlay.js";
import { sample } from "../pictures/sample.js";
import { percent } from "../words.js";
import { missing, modelChoice, workbench } from "./parts.js";

/** Where the slider begins. */
const CONFIDENCE = 0.5;

/** The tab. */
export const vision = { title: "Pictures", mount };

function mount(panel) {
  const able = lookers();
  if (able.length === 0) {
    panel.append(missing("looks at pictures", "Put a detector’s .onnx file into the server’s models folder."));
    return null;
  }
  let picture = null;
  let findings = null;
  const model = modelChoice(able, () => bench.run());
  const abilities = el("p", { class: "chips" });
  const slider = el("input", {
    id: "confidence",
    type: "range",
    min: "0.05",
    max: "1",
    step: "0.05",
    value: String(CONFIDENCE),
  });
  const shown = el("output", { for: "confidence" }, percent(CONFIDENCE));
  const chooser = el("input", {
    id: "picture-file",
    type: "file",
    accept: "image/*",
    class: "unseen",
    tabindex: "-1",
    "aria-label": "Picture file",
  });
  const drop = el(
    "div",
    { class: "drop" },
    el("p", {}, "Drop or paste a picture here"),
    el(
      "div",
      { class: "row" },
      el("button", { type: "button", class: "quiet", onclick: () => chooser.click() }, "Choose a file"),
      el(
        "button",
        { type: "button", class: "quiet", onclick: async () => take(await sample()) },
        "Use a sample drawing",
      ),
    ),
    chooser,
  );
  const fields = [
    model.box,
    el("div", { class: "field" }, el("label", { for: "confidence" }, "At least this sure: ", shown), slider),
    el("div", { class: "wide" }, abilities),
    el("div", { class: "wide" }, drop),
  ];
  const bench = workbench(fields, "Look", async (signal) => {
    abilities.replaceChildren(...models.abilities(model.chosen()).map((word) => el("span", { class: "chip" }, word)));
    if (!picture) return null;
    findings = await look(model.chosen(), picture, signal);
    return draw();
  });

  const draw = () => {
    const confidence = Number(slider.value);
    shown.textContent = percent(confidence);
    if (!findings) return null;
    return [
      overlay(picture.url, findings, confidence),
      el("p", { class: "summary" }, summary(findings, confidence)),
      findings.classes.length > 0 && classes(findings.classes),
      findings.text &&
        el("pre", { class: "read", tabindex: "0", role: "region", "aria-label": "Text in the picture" }, findings.text),
      findingsTable(findings, confidence),
    ];
  };
  const take = async (file) => {
    try {
      picture = await readPicture(file);
      findings = null;
      await bench.run();
    } catch (error) {
      note(inWords(error));
    }
  };
  slider.addEventListener("input", () => {
    const nodes = draw();
    if (nodes) replace(bench.results, nodes);
  });
  chooser.addEventListener("change", () => {
    if (chooser.files[0]) take(chooser.files[0]);
    chooser.value = "";
  });
  takesDrops(drop, take);
  const onPaste = (event) => {
    const file = imageOf(event.clipboardData);
    if (file) take(file);
  };
  addEventListener("paste", onPaste);
  panel.append(
    el("p", { class: "lead" }, "Objects, outlines, keypoints, classes and words, drawn where they were found."),
    bench.form,
    bench.results,
  );
  bench.run();
  return () => {
    removeEventListener("paste", onPaste);
    bench.stop();
  };
}

function classes(found) {
  return el(
    "ol",
    { class: "bars", "aria-label": "Classes" },
    found.map((one) =>
      el(
        "li",
        { vars: { "--share": `${Math.max(1, 100 * one.confidence)}%` } },
        el("span", { class: "bar-text" }, one.label),
        el("span", { class: "bar-number" }, percent(one.confidence)),
        el("span", { class: "bar", "aria-hidden": "true" }),
      ),
    ),
  );
}
