// Documents by how well they answer a query.

import { Trouble, askJson } from "../api.js";
import { el } from "../dom.js";
import * as models from "../models.js";
import { linesOf, missing, modelChoice, workbench } from "./parts.js";

const QUERY = "What is the largest animal?";
const DOCUMENTS =
  "Paris is the capital of France.\nThe largest animal is the blue whale.\nElephants are large and live in Africa.\nBread is made of flour and water.";

/** The tab. */
export const rerank = { title: "Relevance", mount };

function mount(panel) {
  const able = models.able("rerank");
  if (able.length === 0) {
    panel.append(missing("sorts by relevance", "Put a cross-encoder into the server’s models folder."));
    return null;
  }
  const model = modelChoice(able);
  const query = el("input", { id: "query", type: "text", value: QUERY });
  const documents = el("textarea", { id: "documents", rows: "6", value: DOCUMENTS });
  const fields = [
    model.box,
    el("div", { class: "field" }, el("label", { for: "query" }, "Query"), query),
    el("div", { class: "field wide" }, el("label", { for: "documents" }, "Documents, one a line"), documents),
  ];
  const bench = workbench(fields, "Sort", async (signal) => {
    const texts = linesOf(documents);
    if (!query.value.trim() || texts.length === 0)
      throw new Trouble("There is nothing to sort.", "Write a query and some documents.");
    const body = { model: model.chosen().name, query: query.value.trim(), documents: texts };
    const answer = await askJson("/openai/v1/rerank", { body, signal });
    return bars(texts, answer.results);
  });
  panel.append(
    el("p", { class: "lead" }, "The model reads the query with each document and says how well one answers the other."),
    bench.form,
    bench.results,
  );
  return bench.stop;
}

function bars(texts, results) {
  const sorted = [...results].sort((one, other) => other.relevance_score - one.relevance_score);
  const most = Math.max(...sorted.map((one) => one.relevance_score), Number.EPSILON);
  return el(
    "ol",
    { class: "bars", "aria-label": "Documents by relevance" },
    sorted.map((one) =>
      el(
        "li",
        { vars: { "--share": `${Math.max(1, (100 * one.relevance_score) / most)}%` } },
        el("span", { class: "bar-text" }, texts[one.index]),
        el("span", { class: "bar-number" }, one.relevance_score.toFixed(3)),
        el("span", { class: "bar", "aria-hidden": "true" }),
      ),
    ),
  );
}
