// A picture with what was found drawn over it.

import { el, svg } from "../dom.js";
import { percent, plural } from "../words.js";

/** Colours of classes, readable on light and dark pictures. */
const COLOURS = ["#e4572e", "#2f7ed8", "#17a67a", "#b45bd0", "#e0a106", "#d6336c", "#3bb3c4", "#7a8b1f"];

/** Points of bodies that are less sure are not shown. */
const KEYPOINT_MIN = 0.3;

/** Whether a finding is sure enough to be shown. Classes of a classifier and read words have their own kind of number. */
const isShown = (confidence) => (one) => one.confidence >= confidence;

/** The picture and its boxes, outlines and points, from a confidence on. */
export function overlay(url, findings, confidence) {
  const { width, height } = findings;
  const boxes = findings.boxes.filter(isShown(confidence));
  const unit = Math.max(width, height) / 100;
  const place = placer(unit);
  return svg(
    "svg",
    { class: "overlay", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": summary(findings, confidence) },
    svg("image", { href: url, width, height }),
    boxes.map((box) => shapes(box, unit)),
    boxes.map((box) => label(box, unit, place, width)),
  );
}

function shapes(box, unit) {
  const colour = colourOf(box.label);
  const keypoints = (box.keypoints ?? []).filter((point) => point.confidence >= KEYPOINT_MIN);
  const outline =
    box.points?.length > 2
      ? svg("polygon", {
          class: "mask",
          points: box.points.map(({ x, y }) => `${x},${y}`).join(" "),
          stroke: colour,
          fill: colour,
        })
      : svg("rect", {
          class: "box",
          x: box.x - box.width / 2,
          y: box.y - box.height / 2,
          width: box.width,
          height: box.height,
          rx: unit * 0.6,
          stroke: colour,
        });
  const dots = keypoints.map(({ x, y, name }) =>
    svg("circle", { class: "keypoint", cx: x, cy: y, r: unit * 1.1, fill: colour }, svg("title", {}, name)),
  );
  return svg("g", { "data-label": box.label || "word" }, outline, dots);
}

function label(box, unit, place, width) {
  if (!box.label) return null;
  const text = box.confidence < 0.995 ? `${box.label} ${percent(box.confidence)}` : box.label;
  const size = unit * 3.6;
  const length = text.length * size * 0.62 + size * 0.6;
  const left = Math.max(0, Math.min(box.x - box.width / 2, width - length));
  const top = place(left, Math.max(0, box.y - box.height / 2 - size * 1.3), length, size * 1.3);
  return svg(
    "g",
    { class: "label" },
    svg("rect", { x: left, y: top, width: length, height: size * 1.3, rx: unit * 0.6, fill: colourOf(box.label) }),
    svg("text", { x: left + size * 0.3, y: top + size, "font-size": size }, text),
  );
}

/** Moves labels down until they cover no other. */
function placer(unit) {
  const taken = [];
  return (x, y, width, height) => {
    let top = y;
    const covers = (other) =>
      x < other.x + other.width && other.x < x + width && top < other.y + other.height && other.y < top + height;
    for (let tries = 0; tries < 40 && taken.some(covers); tries += 1) top += unit;
    taken.push({ x, y: top, width, height });
    return top;
  };
}

/** Labels in the order in which they were met: each takes the next colour, and has it everywhere. */
const met = new Map();

function colourOf(label) {
  if (!met.has(label)) met.set(label, COLOURS[met.size % COLOURS.length]);
  return met.get(label);
}

/** What was found, in a sentence. */
export function summary(findings, confidence) {
  const boxes = findings.boxes.filter(isShown(confidence));
  if (findings.text) return `${plural(boxes.length, "word")} read: ${findings.text.replace(/\s+/g, " ").trim()}`;
  if (findings.classes.length > 0) {
    return findings.classes.map((one) => `${one.label} (${percent(one.confidence)})`).join(", ");
  }
  const names = boxes.map((box) => box.label);
  const counted = [...new Set(names)].map((name) => plural(names.filter((other) => other === name).length, name));
  return counted.length > 0 ? counted.join(", ") : "nothing found";
}

/** The numbers behind a picture, for those who want them. */
export function findingsTable(findings, confidence) {
  const rows = [...findings.classes, ...findings.boxes].filter(isShown(confidence));
  if (rows.length === 0) return null;
  return el(
    "details",
    { class: "more" },
    el("summary", {}, `All of it, as numbers (${rows.length})`),
    el(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": "What was found" },
      el(
        "table",
        {},
        el(
          "thead",
          {},
          el(
            "tr",
            {},
            ["What", "Confidence", "Where"].map((name) => el("th", { scope: "col" }, name)),
          ),
        ),
        el(
          "tbody",
          {},
          rows
            .slice(0, 200)
            .map((row) =>
              el(
                "tr",
                {},
                el("td", {}, row.label || "–"),
                el("td", {}, percent(row.confidence)),
                el("td", {}, where(row)),
              ),
            ),
        ),
      ),
    ),
  );
}

function where(row) {
  if (row.x === undefined) return "the whole picture";
  const whole = [row.x - row.width / 2, row.y - row.height / 2, row.width, row.height].map(Math.round);
  return `${whole[0]}, ${whole[1]}, ${whole[2]} × ${whole[3]}`;
}
