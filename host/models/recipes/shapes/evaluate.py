"""Measures a model folder on held-out drawings and writes eval/scores.json beside the card.

Usage: python evaluate.py --model ../../shapes/1 [--count 400] [--write]
"""

import argparse
import json
import pathlib
import time

import numpy as np

import world
from metrics import likeness, mean_precision
from serve import Model, iou

# Never used in training, whose seeds are below 1000.
SEED = 20260701
KINDS = {"object-detection": "shapes", "instance-segmentation": "shapes", "keypoint-detection": "poses", "classification": "single"}
# Low, so that the curve of precision over recall is whole; overlap as the server's default.
CONFIDENCE, OVERLAP = 0.01, 0.3


def overlaps(found, real):
    """Intersection over union of masks."""
    if not len(found) or not len(real):
        return np.zeros((len(found), len(real)))
    a, b = found.reshape(len(found), -1).astype(np.float32), real.reshape(len(real), -1).astype(np.float32)
    both = a @ b.T
    return both / (a.sum(1)[:, None] + b.sum(1)[None] - both + 1e-9)


def detector(model, scenes):
    names = model.names
    tables = {name: {index: [] for index in range(len(names))} for name in ("box", "mask", "keypoint")}
    right, wrong, missed = 0, 0, 0
    for scene in scenes:
        boxes, scores, classes, masks, keypoints = model.detect(scene.picture, CONFIDENCE, OVERLAP)
        for index, name in enumerate(names):
            mine, items = classes == index, [item for item in scene.items if item.name == name]
            real = np.array([item.box for item in items], float).reshape(-1, 4)
            alike = iou(boxes[mine], real)
            tables["box"][index].append((scores[mine], alike))
            sure = alike[scores[mine] > 0.4]
            hit = int((sure.max(0) >= 0.5).sum()) if sure.size else 0
            right, wrong, missed = right + hit, wrong + len(sure) - hit, missed + len(items) - hit
            if masks is not None:
                shapes = np.array([scene.mask(item) for item in items]).reshape(-1, *scene.labels.shape)
                tables["mask"][index].append((scores[mine], overlaps(masks[mine], shapes)))
            if keypoints is not None:
                near = np.array([likeness(keypoints[mine], item) for item in items]).reshape(len(items), mine.sum())
                tables["keypoint"][index].append((scores[mine], near.T))
    result = {name: mean_precision(table, names) for name, table in tables.items() if table[0]}
    result["at_0.4"] = {"precision": round(right / max(1, right + wrong), 4), "recall": round(right / max(1, right + missed), 4)}
    return result


def classifier(model, scenes):
    hits = {name: [] for name in model.names}
    for scene in scenes:
        name = scene.items[0].name
        hits[name].append(model.names[model.classify(scene.picture).argmax()] == name)
    every = [hit for one in hits.values() for hit in one]
    return {"top1": round(float(np.mean(every)), 4), "classes": {name: round(float(np.mean(one)), 4) for name, one in hits.items()}}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--count", type=int, default=400)
    parser.add_argument("--write", action="store_true")
    args = parser.parse_args()
    model = Model(args.model)
    rng = np.random.default_rng(SEED)
    scenes = [world.scene(rng, KINDS[model.task]) for _ in range(args.count)]
    scenes = [scene for scene in scenes if model.task != "classification" or scene.items]
    begin = time.perf_counter()
    result = classifier(model, scenes) if model.task == "classification" else detector(model, scenes)
    result = {"drawings": len(scenes), "items": sum(len(scene.items) for scene in scenes), "seed": SEED, **result}
    print(json.dumps(result, indent=2))
    blank = np.zeros((1, model.size, model.size, 3), np.uint8)
    times = []
    for _ in range(30):
        begin = time.perf_counter()
        model.run(blank)
        times.append(time.perf_counter() - begin)
    print(f"network alone {1000 * np.median(times):.1f} ms a picture, one thread")
    if args.write:
        (args.model / "eval").mkdir(exist_ok=True)
        (args.model / "eval" / "scores.json").write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
