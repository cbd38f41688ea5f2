// Colours for code: comments, texts, numbers and the words that most languages share. Nothing is parsed; a wrong colour
// harms nobody.

import { el } from "../dom.js";

/** Longer code is shown without colours. */
const LENGTH_MAX = 50_000;

const HASH = new Set(["py", "python", "sh", "bash", "shell", "toml", "yaml", "yml", "ruby", "rb", "r", "makefile"]);
/** Words and numbers of command lines are no keywords and no numbers. */
const SHELL = new Set(["sh", "bash", "shell", "console"]);
const PLAIN = new Set(["", "text", "txt", "output", "md", "markdown"]);

const KEYWORDS =
  "and as assert async await break case catch class const continue def del do elif else enum except export extends false False fi " +
  "finally fn for from func function if impl import in interface is lambda let loop match mod mut new nil None not null or pass pub " +
  "raise return self static struct super switch then this throw trait true True try type typeof use var void while with yield";
const WORDS = new Set(KEYWORDS.split(" "));

const TEXT = /"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`/;
const SLASHES = /\/\/[^\n]*|\/\*[\s\S]*?\*\//;
const NUMBER = /\b(?:0x[\da-fA-F]+|\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?)\b/;
const WORD = /[A-Za-z_]\w*/;

/** Nodes of a piece of code. */
export function highlight(text, language) {
  const name = language.toLowerCase();
  if (PLAIN.has(name) || text.length > LENGTH_MAX) return [text];
  const comment = HASH.has(name) ? /#[^\n]*/ : SLASHES;
  const pattern = new RegExp([comment, TEXT, NUMBER, WORD].map((part) => `(${part.source})`).join("|"), "g");
  const nodes = [];
  let last = 0;
  for (const found of text.matchAll(pattern)) {
    const [whole, isComment, isText, isNumber] = found;
    let kind = isComment ? "comment" : isText ? "string" : null;
    if (!kind && !SHELL.has(name)) kind = isNumber ? "number" : WORDS.has(whole) ? "keyword" : null;
    if (!kind) continue;
    nodes.push(text.slice(last, found.index), el("span", { class: `hl-${kind}` }, whole));
    last = found.index + whole.length;
  }
  nodes.push(text.slice(last));
  return nodes;
}
