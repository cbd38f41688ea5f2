"""Measures an exported folder on pages that training never saw, or writes the small set of them that lies beside the model.

Usage: python evaluate.py --build --model build/model
       python evaluate.py --model build/model [--pages 300]
       python evaluate.py --model build/model --picture page.png --drawn found.png
"""

import argparse
import io
import json
import pathlib
import random
import time
from collections import Counter, defaultdict

import cv2
import numpy as np
from PIL import Image

import boxes
import pages
from reader import Reader

SEED, BUILT_SEED = 20260404, 20260405
BUILT, BUILT_BYTES_MAX = 30, 20_000
# Words lower than this, in pixels of the picture, are also counted apart.
SMALL = 10


def drawn(count, seed):
    """Held-out pages: words that no training page holds, every second page in fonts that none uses."""
    rng = random.Random(seed)
    for i in range(count):
        picture, lines, kind = pages.page(rng, evaluation=True, held_out_font=i % 2 == 0)
        yield picture, [[(text, boxes.upright(corners)) for text, corners in line] for line in lines], kind, "new fonts" if i % 2 == 0 else "known fonts"


def build(folder):
    """Writes pictures and what they say, each at most 20 KB as PNG or else JPEG."""
    folder.mkdir(parents=True, exist_ok=True)
    entries = []
    for picture, lines, kind, fonts in drawn(10 * BUILT, BUILT_SEED):
        if len(entries) == BUILT:
            break
        for form, options in (("png", {"optimize": True}), ("jpg", {"quality": 90})):
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "JPEG" if form == "jpg" else "PNG", **options)
            if file.tell() <= BUILT_BYTES_MAX:
                name = f"{len(entries):02}-{kind}.{form}"
                (folder / name).write_bytes(file.getvalue())
                rows = [[{"text": text, "box": [round(value, 1) for value in box]} for text, box in line] for line in lines]
                entries.append({"file": name, "width": picture.shape[1], "height": picture.shape[0], "kind": kind, "fonts": fonts, "lines": rows})
                break
    (folder / "annotations.json").write_text("[\n" + ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in entries) + "\n]\n", encoding="utf-8")


def built(folder):
    for entry in json.loads((folder / "annotations.json").read_text(encoding="utf-8")):
        picture = np.asarray(Image.open(folder / entry["file"]).convert("RGB"))
        yield picture, [[(word["text"], word["box"]) for word in line] for line in entry["lines"]], entry["kind"], entry["fonts"]


def measure(reader, samples):
    """Counts by group, and what was read wrongly: [(group, true, read)]."""
    groups, wrong = defaultdict(Counter), []
    for picture, lines, kind, fonts in samples:
        true = [word for line in lines for word in line]
        places = [box for _, box in true]
        predicted = reader.find(picture)
        read = [text for text, _ in reader.read(picture, predicted)]
        pairs = {j: i for i, j in boxes.matched(predicted, places)}
        alone = [text for text, _ in reader.read(picture, places)]
        for name in ("all", kind, fonts):
            groups[name].update(pages=1, predicted=len(predicted))
        for j, (text, box) in enumerate(true):
            answer = read[pairs[j]] if j in pairs else ""
            counts = {"words": 1, "found": j in pairs, "exact": answer == text, "exact_any_case": answer.lower() == text.lower(), "alone": alone[j] == text}
            for name in ("all", kind, fonts, f"under {SMALL} pixels" if box[3] - box[1] < SMALL else f"{SMALL} pixels and more"):
                groups[name].update(counts)
        wrong += [(kind, text, read[pairs[j]] if j in pairs else None) for j, (text, _) in enumerate(true) if j not in pairs or read[pairs[j]] != text]
    return groups, wrong


def shares(counts):
    words = counts["words"]
    parts = {"read_exactly": "exact", "read_but_for_case": "exact_any_case", "found": "found", "recogniser_on_true_boxes": "alone"}
    out = {"words": words, **{name: round(counts[part] / words, 4) for name, part in parts.items()}}
    if counts["pages"]:
        out.update(pages=counts["pages"], precision=round(counts["found"] / max(counts["predicted"], 1), 4))
    return out


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--pages", type=int, default=300)
    parser.add_argument("--picture", type=pathlib.Path)
    parser.add_argument("--drawn", type=pathlib.Path)
    args = parser.parse_args()
    if args.build:
        return build(args.model / "eval")
    reader = Reader(args.model)
    if args.picture:
        picture = np.array(Image.open(args.picture).convert("RGB"))
        places = reader.find(picture)
        for place, (text, sure) in sorted(zip(places, reader.read(picture, places)), key=lambda pair: pair[0][1]):
            print([round(value) for value in place[:4]], f"{sure:.2f}", text)
            cv2.rectangle(picture, [round(v) for v in place[:2]], [round(v) for v in place[2:4]], (255, 0, 0), 1)
        if args.drawn:
            Image.fromarray(picture).save(args.drawn)
        return
    begin, scores = time.time(), {}
    for name, samples in (("eval", built(args.model / "eval")), ("pages", drawn(args.pages, SEED))):
        groups, wrong = measure(reader, samples)
        scores[name] = {group: shares(counts) for group, counts in groups.items()}
        print(name, json.dumps(scores[name], indent=1))
    print(f"{time.time() - begin:.0f} s", Counter("missed" if read is None else "misread" for _, _, read in wrong))
    for entry in wrong[:60]:
        print(*entry)
    (args.model / "eval" / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
