// Numbers and states as people read them.

/** Bytes with a unit: `5.6 MiB`. */
export function bytes(count) {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}

/** Large counts in short: `3.0 M`. */
export function count(number) {
  for (const [limit, unit] of [
    [1e9, "G"],
    [1e6, "M"],
    [1e3, "k"],
  ]) {
    if (number >= limit) return `${(number / limit).toFixed(1)} ${unit}`;
  }
  return String(number);
}

/** One thing, or several: `plural(2, "word")` is `2 words`. */
export function plural(number, word) {
  return `${number} ${word}${number === 1 ? "" : word.endsWith("s") ? "es" : "s"}`;
}

/** A time span in two units at most. */
export function span(milliseconds) {
  const seconds = Math.floor(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`;
}

/** A time of day, with the date when it is not today's. */
export function moment(milliseconds) {
  const date = new Date(milliseconds);
  const isToday = date.toDateString() === new Date().toDateString();
  return isToday ? date.toLocaleTimeString() : date.toLocaleString();
}

/** A share as a percentage. */
export function percent(share) {
  return `${Math.round(share * 100)} %`;
}
