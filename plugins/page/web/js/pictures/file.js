// A picture that somebody gave: read, checked, and kept small enough to remember.

import { Trouble } from "../api.js";

/** Largest file that is sent, in bytes: as base64 it fits the server's bound. */
const BYTES_MAX = 20 << 20;

/** Longest side of what is kept with a conversation, in pixels. */
const KEPT_SIDE = 360;

/**
 * Reads an image file. Resolves to `{name, width, height, url, kept}`: `url` holds the whole file, `kept` a small one.
 * Throws `Trouble`.
 */
export async function readPicture(file) {
  if (!file.type.startsWith("image/"))
    throw new Trouble(`“${file.name}” is no picture.`, "Choose a PNG, JPEG, WebP or GIF file.");
  if (file.size > BYTES_MAX) throw new Trouble("The picture is larger than 20 MB.", "Make it smaller and try again.");
  const url = await dataUrl(file);
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw new Trouble("The browser cannot read this picture.", "Save it as PNG or JPEG and try again.");
  }
  const { naturalWidth: width, naturalHeight: height } = image;
  return { name: file.name || "picture", width, height, url, kept: small(image, width, height, url) };
}

function dataUrl(file) {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.addEventListener("load", () => resolve(reader.result));
    reader.addEventListener("error", () => reject(new Trouble("The file cannot be read.", "Choose it again.")));
    reader.readAsDataURL(file);
  });
}

function small(image, width, height, url) {
  const scale = Math.min(1, KEPT_SIDE / Math.max(width, height));
  if (scale === 1 && url.length < 60_000) return url;
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const context = canvas.getContext("2d");
  // JPEG knows no transparency; black would hide what is drawn in black.
  context.fillStyle = "#fff";
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.drawImage(image, 0, 0, canvas.width, canvas.height);
  return canvas.toDataURL("image/jpeg", 0.85);
}

/** The first image among what was dropped or pasted, or null. */
export function imageOf(transfer) {
  const files = [...(transfer?.files ?? [])];
  return files.find((file) => file.type.startsWith("image/")) ?? files[0] ?? null;
}

/**
 * Lets files be dropped on an element: calls `onFile(file)`.
 * While a file is over it, it has the class `is-over`.
 */
export function takesDrops(node, onFile) {
  let inside = 0;
  const leave = () => {
    inside = 0;
    node.classList.remove("is-over");
  };
  const hasFiles = (event) => event.dataTransfer?.types.includes("Files");
  node.addEventListener("dragenter", (event) => {
    if (!hasFiles(event)) return;
    inside += 1;
    node.classList.add("is-over");
  });
  node.addEventListener("dragleave", () => {
    inside -= 1;
    if (inside <= 0) leave();
  });
  node.addEventListener("dragover", (event) => {
    if (hasFiles(event)) event.preventDefault();
  });
  node.addEventListener("drop", (event) => {
    leave();
    const file = imageOf(event.dataTransfer);
    if (!file) return;
    event.preventDefault();
    onFile(file);
  });
}
