// Texts as vectors, and how alike they are.

import { Trouble, askJson } from "../api.js";
import { el } from "../dom.js";
import * as models from "../models.js";
import { plural } from "../words.js";
import { linesOf, missing, modelChoice, workbench } from "./parts.js";

/** A larger map is no longer read. */
const TEXTS_MAX = 24;

const EXAMPLE =
  "The cat sleeps on the sofa.\nA kitten naps on the couch.\nThe train leaves at noon.\nWhen does the next train go?";

/** The tab. */
export const embeddings = { title: "Similarity", mount };

function mount(panel) {
  const able = models.able("embed");
  if (able.length === 0) {
    panel.append(
      missing("embeds texts", "Put one (a folder of sentence-transformers) into the server’s models folder."),
    );
    return null;
  }
  const model = modelChoice(able);
  const field = el("textarea", { id: "texts", rows: "6", value: EXAMPLE });
  const fields = [
    model.box,
    el("div", { class: "field wide" }, el("label", { for: "texts" }, "Texts, one a line"), field),
  ];
  const bench = workbench(fields, "Compare", async (signal) => {
    const texts = linesOf(field);
    if (texts.length < 2) throw new Trouble("There is nothing to compare.", "Write at least two lines.");
    if (texts.length > TEXTS_MAX)
      throw new Trouble(`${texts.length} texts are too many for a map.`, `Take at most ${TEXTS_MAX}.`);
    const answer = await askJson("/openai/v1/embeddings", {
      body: { model: model.chosen().name, input: texts },
      signal,
    });
    const vectors = [...answer.data].sort((one, other) => one.index - other.index).map((one) => one.embedding);
    return map(texts, vectors);
  });
  panel.append(
    el("p", { class: "lead" }, "Each text becomes a vector; texts that mean the same point the same way."),
    bench.form,
    bench.results,
  );
  return bench.stop;
}

/** A table of how alike each two texts are, darker where more. */
function map(texts, vectors) {
  const alike = vectors.map((one) => vectors.map((other) => cosine(one, other)));
  const others = alike.flatMap((row, index) => row.filter((_, place) => place !== index));
  const least = Math.min(...others);
  const most = Math.max(...others);
  // Colours spread over what there is: models differ in how alike they find anything.
  const heat = (value) => (most > least ? Math.max(0, Math.min(1, (value - least) / (most - least))) : 1);
  const cell = (value, row, column) =>
    el(
      "td",
      { class: "heat", vars: { "--heat": heat(value).toFixed(2) }, title: `${texts[row]} — ${texts[column]}` },
      value.toFixed(2),
    );
  return [
    el(
      "p",
      { class: "faint" },
      `${plural(vectors.length, "vector")} of ${vectors[0].length} numbers. 1 is the same, 0 has nothing in common.`,
    ),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "How alike the texts are" },
      el(
        "table",
        { class: "heatmap" },
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            el("th", { scope: "col" }, "Text"),
            texts.map((text, index) => el("th", { scope: "col", title: text }, String(index + 1))),
          ),
        ),
        el(
          "tbody",
          {},
          texts.map((text, row) =>
            el(
              "tr",
              {},
              el("th", { scope: "row", title: text }, `${row + 1}  ${text}`),
              alike[row].map((value, column) => cell(value, row, column)),
            ),
          ),
        ),
      ),
    ),
  ];
}

/** From -1 to 1; 0 for a vector without a direction. */
function cosine(one, other) {
  let product = 0;
  let first = 0;
  let second = 0;
  for (let index = 0; index < one.length; index += 1) {
    product += one[index] * other[index];
    first += one[index] ** 2;
    second += other[index] ** 2;
  }
  return first && second ? product / Math.sqrt(first * second) : 0;
}
