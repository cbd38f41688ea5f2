// Pictures made of words, where the server has a model for it.

import { Trouble, askJson } from "../api.js";
import { el } from "../dom.js";
import * as models from "../models.js";
import { missing, modelChoice, workbench } from "./parts.js";

/** The tab. */
export const imaging = { title: "Drawing", mount };

function mount(panel) {
  const able = models.makers();
  if (able.length === 0) {
    panel.append(missing("makes pictures", "When one is, it can be asked here."));
    return null;
  }
  const model = modelChoice(able);
  const prompt = el("textarea", { id: "prompt", rows: "3" });
  const fields = [
    model.box,
    el("div", { class: "field wide" }, el("label", { for: "prompt" }, "What to draw"), prompt),
  ];
  const bench = workbench(fields, "Draw", async (signal) => {
    const text = prompt.value.trim();
    if (!text) throw new Trouble("There is nothing to draw.", "Describe a picture.");
    const body = { model: model.chosen().name, prompt: text, n: 1, response_format: "b64_json" };
    const answer = await askJson("/xinference/v1/images/generations", { body, signal });
    return answer.data.map((one) =>
      el("img", { class: "made", src: `data:image/png;base64,${one.b64_json}`, alt: text }),
    );
  });
  panel.append(bench.form, bench.results);
  return bench.stop;
}
