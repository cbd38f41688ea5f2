// The dialects that the server speaks, and how to speak to it.

import { askJson, inWords, origin, root } from "../api.js";
import { copyButton } from "../copy.js";
import { el, replace } from "../dom.js";
import { codeBlock } from "../markdown/blocks.js";
import * as models from "../models.js";
import { plural } from "../words.js";
import { snippets } from "./snippets.js";

/** See the module. */
export const dialects = { title: "Dialects", mount };

function mount(main) {
  const lead = el(
    "p",
    { class: "lead" },
    "The same models, in every API’s voice. Point a client at its dialect’s address and change nothing else.",
  );
  const list = el("div", { class: "cards" }, el("p", { class: "faint" }, "Reading the list …"));
  main.append(lead, list);
  load(list);
}

async function load(list) {
  try {
    const [answer] = await Promise.all([askJson("/_mimus/dialects"), models.refresh()]);
    replace(list, inOrder(answer.dialects).map(card), answer.conflicts.length > 0 && notes(answer.conflicts));
  } catch (error) {
    replace(list, el("p", { class: "trouble", role: "alert" }, inWords(error)));
  }
}

/** This page comes last: whoever reads it has found it. */
function inOrder(dialects) {
  const isPage = (dialect) => dialect.routes.some((route) => route.path.startsWith("/page-assets/"));
  return [...dialects].sort((one, other) => isPage(one) - isPage(other));
}

function card(dialect) {
  const base = origin + dialect.mount;
  const title = `dialect-${dialect.name}`;
  return el(
    "article",
    { class: "card", "aria-labelledby": title },
    el(
      "header",
      { class: "card-head" },
      el("h2", { id: title }, dialect.name),
      el("span", { class: "chip" }, dialect.version),
    ),
    el("p", {}, dialect.description),
    address("Address for clients", base + dialect.client_path),
    dialect.port &&
      address("On its own port", `${location.protocol}//${location.hostname}:${dialect.port}${dialect.client_path}`),
    examples(dialect, base),
    routes(dialect),
    el("p", { class: "faint" }, el("a", { href: `${root}${dialect.mount}/docs` }, `Documents of ${dialect.name}`)),
  );
}

function address(label, text) {
  return el(
    "p",
    { class: "address" },
    el("span", { class: "faint" }, label),
    el("code", {}, text),
    copyButton(`the address ${text}`, () => text),
  );
}

/** One snippet at a time, with a button for each client. */
function examples(dialect, base) {
  const found = snippets(dialect, base);
  const place = el("div", {});
  const buttons = found.map(([title], index) =>
    el("button", { type: "button", class: "choice", onclick: () => show(index) }, title),
  );
  const show = (index) => {
    buttons.forEach((button, other) => button.setAttribute("aria-pressed", String(other === index)));
    replace(place, codeBlock(found[index][2], found[index][1]));
  };
  show(0);
  return el(
    "div",
    { class: "examples" },
    el("div", { class: "row", role: "group", "aria-label": `Clients of ${dialect.name}` }, buttons),
    place,
  );
}

function routes(dialect) {
  return el(
    "details",
    { class: "more" },
    el("summary", {}, plural(dialect.routes.length, "route")),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `Routes of ${dialect.name}` },
      el(
        "table",
        {},
        el(
          "tbody",
          {},
          dialect.routes.map((route) =>
            el(
              "tr",
              {},
              el("td", { class: "method" }, route.method),
              el("td", {}, el("code", {}, route.path)),
              el("td", { class: "faint" }, route.is_public ? "open" : ""),
            ),
          ),
        ),
      ),
    ),
  );
}

function notes(conflicts) {
  return el(
    "section",
    { class: "card", "aria-label": "Shared paths" },
    el("h2", {}, "Shared paths"),
    el(
      "p",
      { class: "faint" },
      "At the server’s root, where several dialects have the same path, one answers. Below its own address each has all of its paths.",
    ),
    el(
      "ul",
      {},
      conflicts.map((text) => el("li", {}, text)),
    ),
  );
}
