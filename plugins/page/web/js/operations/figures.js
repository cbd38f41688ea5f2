// The server's figures over time: read again and again while somebody looks, and turned into rates.

import { askJson } from "../api.js";
import { POINTS } from "./chart.js";

/** Time between two readings, in milliseconds. */
export const EVERY_MS = 1500;

/** The server's own paths, which this page asks all the time, are no traffic. */
const OWN = "host";

/**
 * Reads figures until it is stopped, and not while the page is hidden. Calls `onReading(series)` after each, with
 * `series.latest` as the server gave it and `series.points`: `{requests, tokens, waiting, running, median, slow}`.
 * Calls `onTrouble(error)` when one fails. Returns how to stop.
 */
export function follow(onReading, onTrouble) {
  const series = { latest: null, points: [] };
  let timer = null;
  let isStopped = false;
  const read = async () => {
    timer = null;
    try {
      const figures = await askJson("/_mimus/figures", { isQuiet: series.latest !== null });
      if (isStopped) return;
      if (series.latest) series.points.push(point(series.latest, figures));
      if (series.points.length > POINTS) series.points.shift();
      series.latest = figures;
      onReading(series);
    } catch (error) {
      if (!isStopped) onTrouble(error);
    }
    plan();
  };
  const plan = () => {
    if (!isStopped && !document.hidden && timer === null) timer = setTimeout(read, EVERY_MS);
  };
  const onVisibility = () => {
    if (document.hidden) {
      clearTimeout(timer);
      timer = null;
    } else {
      plan();
    }
  };
  document.addEventListener("visibilitychange", onVisibility);
  read();
  return () => {
    isStopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", onVisibility);
  };
}

/** What happened between two readings. */
function point(before, after) {
  const seconds = Math.max(0.001, (after.at_ms - before.at_ms) / 1000);
  // A server or a model that has started anew counts from zero.
  const grown = (one, other) => Math.max(0, other - one);
  const requests = (figures) => sum(served(figures), (dialect) => dialect.requests);
  const tokens = (figures) => sum(figures.models, (model) => model.generated_tokens);
  const spread = after.spread_ms.map((_, index) => index).concat(after.spread_ms.length);
  const times = spread.map((index) => {
    const at = (figures) => sum(served(figures), (dialect) => dialect.first_byte[index]);
    return grown(at(before), at(after));
  });
  return {
    requests: grown(requests(before), requests(after)) / seconds,
    tokens: grown(tokens(before), tokens(after)) / seconds,
    waiting: sum(after.models, (model) => model.waiting),
    running: sum(after.models, (model) => model.running),
    median: quantile(times, after.spread_ms, 0.5),
    slow: quantile(times, after.spread_ms, 0.95),
  };
}

/** Dialects without the server's own paths. */
export function served(figures) {
  return figures.dialects.filter((dialect) => dialect.name !== OWN);
}

/** The time below which a share of requests was, in milliseconds, from counts by class; null where there were none. */
export function quantile(counts, bounds, share) {
  const total = counts.reduce((one, other) => one + other, 0);
  if (total === 0) return null;
  let left = share * total;
  for (let index = 0; index < counts.length; index += 1) {
    if (left <= counts[index]) {
      const low = index === 0 ? 0 : bounds[index - 1];
      const high = bounds[index] ?? low;
      return low + (high - low) * (left / counts[index]);
    }
    left -= counts[index];
  }
  return bounds.at(-1);
}

function sum(list, value) {
  return list.reduce((total, one) => total + value(one), 0);
}
