// Markdown as a tree of elements: paragraphs, headings, lists, quotes, tables, code. Made for what models write, half of it
// while it is being written. HTML in the text is shown as text.

import { copyButton } from "../copy.js";
import { el } from "../dom.js";
import { highlight } from "./highlight.js";
import { inline } from "./inline.js";

/** Quotes and lists inside each other; deeper ones are text. */
const DEPTH_MAX = 6;

/** Longer lines are paragraphs, whatever they look like. */
const LINE_MAX = 2_000;

const FENCE = /^ {0,3}(`{3,}|~{3,})\s*([\w+#.-]*)/;
const HEADING = /^ {0,3}(#{1,6})\s+(.*)$/;
const RULE = /^ {0,3}([-*_])(\s*\1){2,}\s*$/;
const ITEM = /^(\s*)([-*+]|\d{1,9}[.)])\s+(.*)$/;
const QUOTE = /^ {0,3}> ?(.*)$/;
const DIVIDER = /^\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*$/;

/** A fragment with the text's elements. */
export function markdown(text) {
  const fragment = document.createDocumentFragment();
  fragment.append(...blocks(text.replaceAll("\r\n", "\n").split("\n"), 0));
  return fragment;
}

function blocks(lines, depth) {
  const nodes = [];
  let at = 0;
  while (at < lines.length) {
    const line = lines[at];
    if (!line.trim()) {
      at += 1;
      continue;
    }
    const [node, next] = block(lines, at, depth);
    nodes.push(node);
    at = next;
  }
  return nodes;
}

/** The block that begins at a line, and the line after it. */
function block(lines, at, depth) {
  const line = lines[at];
  const heading = line.length <= LINE_MAX && HEADING.exec(line);
  // The page has a heading of its own above an answer.
  if (heading) return [el(`h${Math.min(heading[1].length + 2, 6)}`, {}, inline(heading[2].trim())), at + 1];
  if (FENCE.test(line)) return fenced(lines, at);
  if (RULE.test(line)) return [el("hr"), at + 1];
  if (depth < DEPTH_MAX && QUOTE.test(line)) return quote(lines, at, depth);
  if (depth < DEPTH_MAX && ITEM.test(line)) return list(lines, at, depth);
  const isShort = line.length <= LINE_MAX && (lines[at + 1] ?? "").length <= LINE_MAX;
  if (isShort && line.includes("|") && DIVIDER.test(lines[at + 1] ?? "") && lines[at + 1].includes("-"))
    return table(lines, at);
  return paragraph(lines, at);
}

function fenced(lines, at) {
  const [, mark, language] = FENCE.exec(lines[at]);
  let end = at + 1;
  while (end < lines.length && !lines[end].trimStart().startsWith(mark)) end += 1;
  return [codeBlock(lines.slice(at + 1, end).join("\n"), language), end + 1];
}

/** Code with its language and a button that copies it. */
export function codeBlock(text, language) {
  return el(
    "div",
    { class: "code" },
    el(
      "div",
      { class: "code-head" },
      el("span", {}, language || "text"),
      copyButton("code", () => text),
    ),
    el(
      "pre",
      { tabindex: "0", role: "region", "aria-label": `Code, ${language || "text"}` },
      el("code", {}, highlight(text, language)),
    ),
  );
}

function quote(lines, at, depth) {
  const inside = [];
  while (at < lines.length && QUOTE.test(lines[at])) {
    inside.push(QUOTE.exec(lines[at])[1]);
    at += 1;
  }
  return [el("blockquote", {}, blocks(inside, depth + 1)), at];
}

function list(lines, at, depth) {
  const [, indent, mark] = ITEM.exec(lines[at]);
  const isOrdered = /\d/.test(mark);
  const items = [];
  while (at < lines.length) {
    const found = ITEM.exec(lines[at]);
    if (!found || found[1].length > indent.length + 1 || found[1].length < indent.length) break;
    if (/\d/.test(found[2]) !== isOrdered) break;
    const inside = [found[3]];
    const margin = found[1].length + found[2].length + 1;
    at += 1;
    // What is indented, and lines that only go on.
    while (at < lines.length && isOfItem(lines, at, found[1].length)) {
      inside.push(lines[at].slice(Math.min(margin, lines[at].search(/\S|$/))));
      at += 1;
    }
    items.push(item(inside, depth));
    while (at < lines.length - 1 && !lines[at].trim() && ITEM.test(lines[at + 1])) at += 1;
  }
  const start = isOrdered ? Number.parseInt(mark, 10) : null;
  return [el(isOrdered ? "ol" : "ul", { start: start === 1 ? null : start }, items), at];
}

function isOfItem(lines, at, indent) {
  const line = lines[at];
  if (!line.trim()) return (lines[at + 1] ?? "").search(/\S/) > indent;
  if (line.search(/\S/) > indent) return true;
  return (
    !ITEM.test(line) && !FENCE.test(line) && !HEADING.test(line) && !QUOTE.test(line) && lines[at - 1].trim() !== ""
  );
}

/** A line alone is no paragraph, so that lists stay close. */
function item(inside, depth) {
  const nodes = blocks(inside, depth + 1);
  const [first, ...rest] = nodes;
  return el("li", {}, first?.tagName === "P" ? [...first.childNodes] : (first ?? ""), rest);
}

function table(lines, at) {
  const cells = (line) =>
    line
      .trim()
      .replace(/^\||\|$/g, "")
      .split("|")
      .map((cell) => cell.trim());
  const head = cells(lines[at]);
  const rows = [];
  at += 2;
  while (at < lines.length && lines[at].includes("|")) {
    rows.push(cells(lines[at]).slice(0, head.length));
    at += 1;
  }
  const node = el(
    "div",
    { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table" },
    el(
      "table",
      {},
      el(
        "thead",
        {},
        el(
          "tr",
          {},
          head.map((cell) => el("th", { scope: "col" }, inline(cell))),
        ),
      ),
      el(
        "tbody",
        {},
        rows.map((row) =>
          el(
            "tr",
            {},
            row.map((cell) => el("td", {}, inline(cell))),
          ),
        ),
      ),
    ),
  );
  return [node, at];
}

function paragraph(lines, at) {
  const inside = [lines[at]];
  at += 1;
  const begins = (line) =>
    FENCE.test(line) || HEADING.test(line) || QUOTE.test(line) || ITEM.test(line) || RULE.test(line);
  while (at < lines.length && lines[at].trim() && !begins(lines[at])) {
    inside.push(lines[at]);
    at += 1;
  }
  return [el("p", {}, inline(inside.join("\n").trim())), at];
}
