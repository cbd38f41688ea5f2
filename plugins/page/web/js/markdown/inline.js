// Markdown inside a line: code, emphasis, links. Reads text once from the left and makes nodes of it.

import { el } from "../dom.js";

/** Longer pieces of text are shown as they are: marks that never close would be searched for again and again. */
const LENGTH_MAX = 8_000;

/** Marks inside each other; deeper ones are text. */
const DEPTH_MAX = 8;

/** Addresses that may be followed. Everything else, `javascript:` above all, stays text. */
const SCHEMES = ["http:", "https:", "mailto:"];

/** What stands between two marks of the same kind, the longest mark first. */
const EMPHASIS = [
  ["**", "strong"],
  ["__", "strong"],
  ["~~", "s"],
  ["*", "em"],
  ["_", "em"],
];

const BARE = /^https?:\/\/[^\s<>"'`]+[^\s<>"'`.,;:!?)\]]/;

/** Nodes of a piece of text. */
export function inline(text, depth = 0) {
  if (text.length > LENGTH_MAX || depth > DEPTH_MAX) return [text];
  const nodes = [];
  let plain = "";
  let at = 0;
  const add = (node) => {
    if (plain) nodes.push(plain);
    plain = "";
    nodes.push(node);
  };
  while (at < text.length) {
    const found = special(text, at, depth + 1);
    if (found === null) {
      plain += text[at];
      at += 1;
    } else if (typeof found.node === "string") {
      plain += found.node;
      at = found.end;
    } else {
      add(found.node);
      at = found.end;
    }
  }
  if (plain) nodes.push(plain);
  return nodes;
}

/** What begins at a place, and where it ends; null where it is plain text. */
function special(text, at, depth) {
  switch (text[at]) {
    case "\\":
      return /[\\`*_~[\](){}#+.!>|-]/.test(text[at + 1] ?? "") ? { node: text[at + 1], end: at + 2 } : null;
    case "`":
      return code(text, at);
    case "*":
    case "_":
    case "~":
      return emphasis(text, at, depth);
    case "!":
      return text[at + 1] === "[" ? link(text, at + 1, depth) : null;
    case "[":
      return link(text, at, depth);
    case "<":
      return angle(text, at);
    case "h":
      return isInsideWord(text, at) ? null : bare(text, at);
    case "\n":
      return { node: el("br"), end: at + 1 };
    default:
      return null;
  }
}

function code(text, at) {
  const mark = /^`+/.exec(text.slice(at, at + 16))[0];
  const end = text.indexOf(mark, at + mark.length);
  if (end < 0) return { node: mark, end: at + mark.length };
  return { node: el("code", {}, text.slice(at + mark.length, end).trim()), end: end + mark.length };
}

function emphasis(text, at, depth) {
  for (const [mark, tag] of EMPHASIS) {
    if (!text.startsWith(mark, at)) continue;
    const start = at + mark.length;
    // `snake_case` and `2 * 3` are no emphasis.
    if (/\s/.test(text[start] ?? " ") || (mark[0] === "_" && isInsideWord(text, at))) continue;
    const end = closing(text, start, mark);
    if (end > start) return { node: el(tag, {}, inline(text.slice(start, end), depth)), end: end + mark.length };
  }
  return null;
}

/** Where a mark closes: after something other than a space, and for a single mark not inside a double one. */
function closing(text, start, mark) {
  for (let end = text.indexOf(mark, start + 1); end >= 0; end = text.indexOf(mark, end + 1)) {
    const isPartOfLonger = mark.length === 1 && (text[end + 1] === mark || text[end - 1] === mark);
    const isInWord = mark[0] === "_" && /\w/.test(text[end + mark.length] ?? "");
    if (!/\s/.test(text[end - 1]) && !isPartOfLonger && !isInWord) return end;
  }
  return -1;
}

function link(text, at, depth) {
  const close = text.indexOf("](", at);
  const end = close < 0 ? -1 : closingParenthesis(text, close + 2);
  if (end < 0 || text.slice(at + 1, close).includes("\n\n")) return null;
  const words = text.slice(at + 1, close);
  const target = text
    .slice(close + 2, end)
    .trim()
    .split(/\s/)[0];
  // A picture is not fetched: it could tell its owner who reads this.
  return { node: anchor(target, inline(words || target, depth)), end: end + 1 };
}

/** Addresses may hold pairs of parentheses. */
function closingParenthesis(text, at) {
  let open = 0;
  for (let end = at; end < text.length && text[end] !== "\n"; end += 1) {
    if (text[end] === "(") open += 1;
    if (text[end] !== ")") continue;
    if (open === 0) return end;
    open -= 1;
  }
  return -1;
}

function angle(text, at) {
  const end = text.indexOf(">", at);
  const target = end < 0 ? "" : text.slice(at + 1, end);
  return /^https?:\/\/\S+$/.test(target) ? { node: anchor(target, [target]), end: end + 1 } : null;
}

function bare(text, at) {
  const found = BARE.exec(text.slice(at, at + 2048));
  return found ? { node: anchor(found[0], [found[0]]), end: at + found[0].length } : null;
}

/** A link that opens elsewhere and tells nothing of this page; only its words where the address may not be followed. */
function anchor(target, words) {
  let url;
  try {
    url = new URL(target);
  } catch {
    return el("span", {}, words);
  }
  if (!SCHEMES.includes(url.protocol)) return el("span", {}, words);
  return el("a", { href: url.href, target: "_blank", rel: "noopener noreferrer nofollow" }, words);
}

function isInsideWord(text, at) {
  return at > 0 && /\w/.test(text[at - 1]);
}
