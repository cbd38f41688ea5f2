// Small charts of the last minutes.

import { el, replace, svg } from "../dom.js";

const WIDTH = 240;
const HEIGHT = 64;

/** Points that a full chart has. */
export const POINTS = 60;

/**
 * A chart with a title and the latest number. `lines`: `[name, key]` for each line; `write(number)` puts it in words.
 * Returns `{box, draw}`; `draw(points)` draws them.
 */
export function chart(title, lines, write) {
  const picture = svg("svg", {
    class: "chart",
    viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
    preserveAspectRatio: "none",
    role: "img",
  });
  const number = el("p", { class: "chart-number" }, "–");
  const legend =
    lines.length > 1 &&
    el(
      "p",
      { class: "legend" },
      lines.map(([name], index) => el("span", { class: `legend-${index}` }, name)),
    );
  const most = el("span", { class: "faint chart-most" });
  const box = el(
    "section",
    { class: "card chart-card", "aria-label": title },
    el("h3", {}, title),
    number,
    el("div", { class: "chart-box" }, picture, most),
    legend,
  );

  const draw = (points) => {
    const latest = lines.map(([, key]) => points.at(-1)?.[key] ?? null);
    number.textContent = latest.map((value) => (value === null ? "–" : write(value))).join(" · ");
    const top = Math.max(1e-9, ...points.flatMap((point) => lines.map(([, key]) => point[key] ?? 0)));
    const high = roundUp(top);
    most.textContent = points.length > 0 ? write(high) : "";
    picture.setAttribute(
      "aria-label",
      `${title}: ${lines.map(([name], index) => `${name} ${latest[index] === null ? "none" : write(latest[index])}`).join(", ")}`,
    );
    replace(
      picture,
      svg("line", { class: "grid", x1: 0, x2: WIDTH, y1: HEIGHT / 2, y2: HEIGHT / 2 }),
      lines.map(([, key], index) => trace(points, key, high, index)),
    );
  };
  draw([]);
  return { box, draw };
}

/** A line, and for the first one the area below it. Where there is no number, the last one holds. */
function trace(points, key, high, index) {
  if (points.length < 2) return null;
  let held = 0;
  const places = points.map((point, at) => {
    held = point[key] ?? held;
    const x = WIDTH - ((points.length - 1 - at) * WIDTH) / (POINTS - 1);
    return `${x.toFixed(1)},${(HEIGHT - 2 - (held / high) * (HEIGHT - 6)).toFixed(1)}`;
  });
  const first = WIDTH - ((points.length - 1) * WIDTH) / (POINTS - 1);
  const area =
    index === 0 &&
    svg("polygon", { class: "area", points: `${first},${HEIGHT} ${places.join(" ")} ${WIDTH},${HEIGHT}` });
  return [area, svg("polyline", { class: `line line-${index}`, points: places.join(" ") })].filter(Boolean);
}

/** The next of 1, 2, 5, 10, 20 and so on, so that the scale does not tremble. */
function roundUp(value) {
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((step) => step * power).find((step) => step >= value * 0.999) ?? value;
}
