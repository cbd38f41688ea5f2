// Small pictures, drawn with lines of the text's colour. They say nothing to screen readers: what they are on has a name.

import { el, svg } from "./dom.js";

const PATHS = {
  chat: "M4 5h12v8H9l-4 3v-3H4z",
  playground: "M8 3v4.5L3.8 15a1.3 1.3 0 0 0 1.1 2h10.2a1.3 1.3 0 0 0 1.1-2L12 7.500V3M6.500 3h7M6.300 12h7.400",
  dialects:
    "M10 3a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM3 10h14M10 3c2.200 2 3 4.500 3 7s-.8 5-3 7c-2.200-2-3-4.500-3-7s.8-5 3-7z",
  operations: "M3 11h3l2-6 4 11 2-5h3",
  plus: "M10 4v12M4 10h12",
  close: "M5 5l10 10M15 5L5 15",
  trash: "M4 6h12M8 6V4h4v2M6 6l.7 10h6.600L14 6",
  stop: "M6 6h8v8H6z",
  retry: "M15.500 8A6 6 0 1 0 16 11M16 4v4h-4",
  edit: "M4 16l.6-3L13 4.500l2.500 2.500L7 15.400zM11.500 6l2.500 2.500",
  copy: "M7 7h9v9H7zM4 13V4h9",
  check: "M4 10.500l4 4 8-9",
  sun: "M10 6.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7zM10 2v1.500M10 16.500V18M2 10h1.500M16.500 10H18M4.300 4.300l1.100 1.100M14.600 14.600l1.100 1.100M4.300 15.700l1.100-1.100M14.600 5.400l1.100-1.100",
  moon: "M15.800 11.800A6.500 6.500 0 0 1 8.200 4.200a6.500 6.500 0 1 0 7.600 7.600z",
  settings: "M4 6h7M15 6h1M4 14h1M9 14h7M13 4v4M7 12v4",
  image: "M3.500 4.500h13v11h-13zM3.500 13l4-4 3.500 3.500 2-2 3.500 3M13 7.200v.1",
  send: "M10 16V4.500M5 9.500l5-5 5 5",
  menu: "M3.500 6h13M3.500 10h13M3.500 14h13",
  key: "M12.500 3.500a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM9.600 10.400L4 16v1h2.500v-2h2v-2M13.500 6.500v.1",
  keyboard: "M2.500 5.500h15v9h-15zM5.500 8.500v.1M8.500 8.500v.1M11.500 8.500v.1M14.500 8.500v.1M6.500 11.500h7",
  chevron: "M6 8l4 4 4-4",
};

/** An icon by its name. */
export function icon(name) {
  return svg("svg", { class: "icon", viewBox: "0 0 20 20", "aria-hidden": "true" }, svg("path", { d: PATHS[name] }));
}

/** A small button with an icon. Its name is what screen readers and the pointer are told, unless `more` has another `title`. */
export function toolButton(picture, label, more = {}) {
  return el("button", { type: "button", class: "tool", "aria-label": label, title: label, ...more }, icon(picture));
}

/** The bird: a mockingbird on a line, looking up. */
export function bird() {
  return svg(
    "svg",
    { class: "bird", viewBox: "0 0 64 64", "aria-hidden": "true" },
    svg("path", {
      class: "bird-body",
      d: "M57 13l-9.500 2.600C44.500 10.700 38 9.700 33.600 13c-2.500 1.900-3.900 4.600-4.300 7.700C26.600 29.500 19 37 4.500 45.500c9.500 1.700 17 .6 22.500-1.700L20.500 56l14-11.300C45.500 41 51 31.500 49.700 19.800z",
    }),
    svg("path", {
      class: "bird-wing",
      d: "M30.500 26c1.500 7-2.500 12.500-11.500 16 10.500.5 18.500-4 20.500-13.500-3.500 1-6.500.2-9-2.500z",
    }),
    svg("circle", { class: "bird-eye", cx: "41.500", cy: "16.800", r: "1.700" }),
  );
}
