"""Drawings as arrays of the network's size, drawn ahead and kept in memory, and what is changed about them at each use.

Usage: python data.py --kind shapes --count 12000 --seed 1 --out build/shapes.npz [--size 256]
"""

import argparse
import pathlib
import time

import cv2
import numpy as np

import world
from outlines import POSES, SHAPES, SLOTS

# Most items of one picture.
ITEMS = 14


def fit(picture, size, interpolation=cv2.INTER_LINEAR):
    """The picture inside a black square as "Fit (black edges) in" has it; also its scale and its left and top edge."""
    height, width = picture.shape[:2]
    scale = min(size / width, size / height)
    w, h = max(1, int(width * scale)), max(1, int(height * scale))
    left, top = (size - w) // 2, (size - h) // 2
    square = np.zeros((size, size, *picture.shape[2:]), picture.dtype)
    square[top:top + h, left:left + w] = cv2.resize(picture, (w, h), interpolation=interpolation)
    return square, scale, left, top


def arrays(count, size):
    return {
        "pictures": np.zeros((count, size, size, 3), np.uint8),
        "labels": np.zeros((count, size, size), np.uint8),
        "classes": np.full((count, ITEMS), -1, np.int8),
        "marks": np.zeros((count, ITEMS), np.uint8),
        "boxes": np.zeros((count, ITEMS, 4), np.float32),
        "points": np.zeros((count, ITEMS, SLOTS, 3), np.float32),
    }


def draw(count, kind, seed, size, largest=800):
    """Draws `count` pictures. Points are x, y, 1 where the class has one; `marks` are the items' labels in `labels`."""
    rng = np.random.default_rng(seed)
    names = POSES if kind == "poses" else SHAPES
    held = arrays(count, size)
    for row in range(count):
        scene = world.scene(rng, kind, largest)
        held["pictures"][row], scale, left, top = fit(scene.picture, size)
        held["labels"][row] = fit(scene.labels, size, cv2.INTER_NEAREST)[0]
        for slot, item in enumerate(scene.items[:ITEMS]):
            held["classes"][row, slot] = names.index(item.name)
            held["marks"][row, slot] = item.label
            held["boxes"][row, slot] = np.array(item.box) * scale + [left, top, left, top]
            if kind == "poses":
                held["points"][row, slot, :len(item.points), :2] = item.points * scale + [left, top]
                held["points"][row, slot, :len(item.points), 2] = 1
    return held


def join(paths):
    """Drawings of several files; `ITEMS` may have been less when they were drawn."""
    parts = [np.load(path) for path in paths]
    joined = {}
    for name in parts[0].files:
        values = [part[name] for part in parts]
        if name not in ("pictures", "labels"):
            values = [np.pad(value, [(0, 0), (0, ITEMS - value.shape[1])] + [(0, 0)] * (value.ndim - 2), constant_values=-1 if name == "classes" else 0) for value in values]
        joined[name] = np.concatenate(values)
    return joined


def flip(points, boxes, size, swap):
    """Mirrors points and boxes left to right; `swap` exchanges the sides of a figure."""
    boxes = np.stack([size - boxes[..., 2], boxes[..., 1], size - boxes[..., 0], boxes[..., 3]], -1)
    points = points.copy()
    points[..., 0] = size - points[..., 0]
    if swap is not None:
        points[swap] = points[swap][:, [0, 1, 3, 2, 4, 6, 5]]
    return points, boxes


def batch(held, rows, rng, upright=False):
    """Pictures of `rows` mirrored, turned by quarters (not when upright), with colours exchanged, inverted, brighter or darker."""
    size = held["pictures"].shape[1]
    chosen = {name: held[name][rows].copy() for name in held}
    for row in range(len(rows)):
        picture, labels = chosen["pictures"][row], chosen["labels"][row]
        points, boxes = chosen["points"][row], chosen["boxes"][row]
        if rng.random() < 0.5:
            picture, labels = picture[:, ::-1], labels[:, ::-1]
            points, boxes = flip(points, boxes, size, chosen["classes"][row] == POSES.index("figure") if upright else None)
        if not upright and rng.random() < 0.5:
            picture, labels = picture.transpose(1, 0, 2), labels.T
            points, boxes = points[..., [1, 0, 2]], boxes[..., [1, 0, 3, 2]]
        if not upright and rng.random() < 0.5:
            picture, labels = picture[::-1], labels[::-1]
            points[..., 1], boxes = size - points[..., 1], np.stack([boxes[..., 0], size - boxes[..., 3], boxes[..., 2], size - boxes[..., 1]], -1)
        if rng.random() < 0.6:
            picture = picture[..., rng.permutation(3)]
        if rng.random() < 0.15:
            # Letterbox edges stay black.
            columns, lines = np.flatnonzero(picture.any(axis=(0, 2))), np.flatnonzero(picture.any(axis=(1, 2)))
            if len(columns):
                picture = picture.copy()
                picture[lines[0]:lines[-1] + 1, columns[0]:columns[-1] + 1] ^= 255
        if rng.random() < 0.25:
            picture = cv2.convertScaleAbs(np.ascontiguousarray(picture), alpha=rng.uniform(0.65, 1.15))
        chosen["pictures"][row], chosen["labels"][row] = picture, labels
        chosen["points"][row], chosen["boxes"][row] = points, boxes
    chosen["points"][..., :2] *= chosen["points"][..., 2:]
    return chosen


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", choices=["shapes", "crowd", "single", "poses"], default="shapes")
    parser.add_argument("--count", type=int, default=12000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--size", type=int, default=256)
    parser.add_argument("--largest", type=int, default=800)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    begin = time.time()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    np.savez(args.out, **draw(args.count, args.kind, args.seed, args.size, args.largest))
    print(f"{args.count} drawings in {time.time() - begin:.0f} s")


if __name__ == "__main__":
    main()
