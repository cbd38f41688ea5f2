"""Writes the small held-out set that stays beside the model, for repeating the measures over the network: pictures and `annotations.json`.

Usage: python heldout.py --models ../..
Four folders below shapes/1/eval: `detection` (40 pictures), `segmentation`, `keypoints` and `classification` (20 each). Boxes are left, top, right,
bottom in pixels; a polygon is the outer contour of what is seen of an item; keypoints are in the order of the class's names.
"""

import argparse
import json
import pathlib

import cv2
import numpy as np

import world
from outlines import POINTS, POSES, SHAPES

SETS = {"detection": ("shapes", 40), "segmentation": ("shapes", 20), "keypoints": ("poses", 20), "classification": ("single", 20)}
# A seed for each set, away from those of training (below 1000) and of evaluate.py.
SEED = 77_000_000
LARGEST, BYTES = 480, 15 * 1024


def contour(mask):
    """Outer contour of the largest part, within half a pixel."""
    found, _ = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    largest = max(found, key=cv2.contourArea)
    return cv2.approxPolyDP(largest, 0.5, True)[:, 0].tolist()


def packed(picture):
    """PNG where it is small enough, else a JPEG that is; the ending and the bytes, or None when even that is too large."""
    turned = np.ascontiguousarray(picture[..., ::-1])
    trials = [(".png", [cv2.IMWRITE_PNG_COMPRESSION, 9])] + [(".jpg", [cv2.IMWRITE_JPEG_QUALITY, quality]) for quality in (90, 75, 60)]
    for ending, options in trials:
        data = cv2.imencode(ending, turned, options)[1].tobytes()
        if len(data) <= BYTES:
            return ending, data
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=pathlib.Path, required=True)
    args = parser.parse_args()
    for offset, (task, (kind, count)) in enumerate(SETS.items()):
        folder = args.models / "shapes" / "1" / "eval" / task
        folder.mkdir(parents=True, exist_ok=True)
        rng = np.random.default_rng(SEED + offset)
        pictures = []
        while len(pictures) < count:
            scene = world.scene(rng, kind, LARGEST)
            data = packed(scene.picture)
            if data is None or (kind == "single" and not scene.items):
                continue
            name = f"{len(pictures):02}{data[0]}"
            (folder / name).write_bytes(data[1])
            items = []
            for item in scene.items:
                entry = {"class": item.name, "box": [int(value) for value in item.box]}
                if kind == "shapes":
                    entry["polygon"] = contour(scene.mask(item))
                if kind == "poses":
                    entry["keypoints"] = [{"name": point, "x": round(float(x), 1), "y": round(float(y), 1)} for point, (x, y) in zip(POINTS[item.name], item.points)]
                items.append(entry)
            pictures.append({"file": name, "width": scene.picture.shape[1], "height": scene.picture.shape[0], "items": items})
        lines = ",\n".join("  " + json.dumps(picture) for picture in pictures)
        (folder / "annotations.json").write_text(f'{{"classes": {json.dumps(POSES if kind == "poses" else SHAPES)}, "pictures": [\n{lines}\n]}}\n')
        print(f"{task}: {len(pictures)} pictures, {sum(len(picture['items']) for picture in pictures)} items, {sum(path.stat().st_size for path in folder.iterdir()):,} bytes")


if __name__ == "__main__":
    main()
