// What models of pictures see. Each ability has its call; answers become one form, whatever was asked.

import { askJson } from "../api.js";
import * as models from "../models.js";

/** Calls by ability; the first that a model has is taken. */
const CALLS = [
  ["segment", "/roboflow/infer/instance_segmentation"],
  ["keypoints", "/roboflow/infer/keypoints_detection"],
  ["detect", "/roboflow/infer/object_detection"],
  ["classify", "/roboflow/infer/classification"],
];

/** Below this nothing is asked for; what people want to see of it they choose afterwards. */
const CONFIDENCE_MIN = 0.05;

/** What people want to know of a picture first; a model counts by the last of these that it can. */
const ORDER = ["detect", "segment", "keypoints", "classify", "read-text"];

/** Models that can be asked about a picture. */
export function lookers() {
  const place = (model) => ORDER.findLastIndex((ability) => model.abilities.includes(ability));
  const able = models.all().filter((model) => model.readiness !== "failed" && place(model) >= 0);
  return able.sort((one, other) => place(one) - place(other));
}

/**
 * Asks one model about a picture. Resolves to findings: `{model, width, height, boxes, classes, text}`, of which boxes are
 * `{x, y, width, height, label, confidence, points, keypoints}` with the middle in `x` and `y`, in pixels.
 * Throws `Trouble`.
 */
export async function look(model, picture, signal) {
  const image = { type: "base64", value: picture.url.slice(picture.url.indexOf(",") + 1) };
  if (model.abilities.includes("read-text")) {
    const body = { image, doctr_version_id: model.name, generate_bounding_boxes: true };
    return reading(model, picture, await askJson("/roboflow/doctr/ocr", { body, signal }));
  }
  const [, path] = CALLS.find(([ability]) => model.abilities.includes(ability));
  const body = { model_id: model.name, image, confidence: CONFIDENCE_MIN };
  return seeing(model, picture, await askJson(path, { body, signal }));
}

function reading(model, picture, answer) {
  const words = answer.result.split(/\s+/).filter(Boolean);
  const places = (answer.predictions ?? []).filter((one) => one.class === "word");
  const label = (index) => (words.length === places.length ? words[index] : "");
  return {
    model: model.name,
    width: answer.image?.width ?? picture.width,
    height: answer.image?.height ?? picture.height,
    boxes: places.map((place, index) => box(place, label(index))),
    classes: [],
    text: answer.result,
  };
}

function seeing(model, picture, answer) {
  const predictions = Array.isArray(answer.predictions)
    ? answer.predictions
    : Object.entries(answer.predictions ?? {}).map(([name, one]) => ({ class: name, ...one }));
  const isPlaced = (one) => Number.isFinite(one.x) && Number.isFinite(one.width);
  const round = (one) => ({ label: one.class, confidence: one.confidence });
  return {
    model: model.name,
    width: answer.image?.width ?? picture.width,
    height: answer.image?.height ?? picture.height,
    boxes: predictions.filter(isPlaced).map((one) => box(one, one.class)),
    classes: predictions.filter((one) => !isPlaced(one)).map(round),
    text: "",
  };
}

function box(place, label) {
  return {
    x: place.x,
    y: place.y,
    width: place.width,
    height: place.height,
    label,
    confidence: place.confidence,
    points: place.points ?? null,
    keypoints: place.keypoints?.map(({ x, y, confidence, class: name }) => ({ x, y, confidence, name })) ?? null,
  };
}
