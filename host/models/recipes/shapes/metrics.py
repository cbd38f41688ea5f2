"""Mean average precision with 101 points of recall, as COCO has it, for any likeness of a prediction and an item."""

import numpy as np

LEVELS = np.arange(0.5, 1.0, 0.05)
# Keypoints: a point off by twice this share of the item's size counts exp(-1/2), as in COCO, whose shares are 0.026 (eyes) to 0.107 (hips).
# The size is the root of the box's area, or half its longer side if that is more: an arrow may have a box of next to no area.
SIGMAS = {"figure": 0.05, "arrow": 0.1}


def likeness(found, item):
    """Object keypoint similarity of points [n, slots, 3] with those of one item."""
    wide, high = item.box[2] - item.box[0], item.box[3] - item.box[1]
    area = max(wide * high, 0.25 * max(wide, high) ** 2)
    off = ((found[:, :len(item.points), :2] - item.points) ** 2).sum(-1)
    return np.exp(-off / (2 * area * (2 * SIGMAS[item.name]) ** 2)).mean(1)


def precision(pictures, level):
    """Average precision of one class. `pictures` are pairs of scores [n] and likeness [n, items]; None without items."""
    marks, total = [], 0
    for scores, alike in pictures:
        total += alike.shape[1]
        free = np.ones(alike.shape[1], bool)
        for row in np.argsort(-scores, kind="stable"):
            candidates = np.where(free, alike[row], -1.0) if alike.shape[1] else np.array([-1.0])
            best = candidates.argmax()
            hit = candidates[best] >= level
            if hit:
                free[best] = False
            marks.append((scores[row], hit))
    if not total:
        return None
    if not marks:
        return 0.0
    marks.sort(key=lambda mark: -mark[0])
    hits = np.cumsum([hit for _, hit in marks])
    recall, exact = hits / total, hits / np.arange(1, len(hits) + 1)
    exact = np.maximum.accumulate(exact[::-1])[::-1]
    at = np.searchsorted(recall, np.linspace(0, 1, 101))
    return float(np.where(at < len(exact), exact[np.minimum(at, len(exact) - 1)], 0.0).mean())


def mean_precision(classes, names):
    """`classes` maps a class index to its pictures. The mean at 0.5, the mean over 0.5 to 0.95, and each class at 0.5."""
    half = {names[index]: precision(pictures, 0.5) for index, pictures in classes.items()}
    half = {name: value for name, value in half.items() if value is not None}
    every = [np.mean([value for index in classes if (value := precision(classes[index], level)) is not None]) for level in LEVELS]
    return {"map50": round(float(np.mean(list(half.values()))), 4), "map50_95": round(float(np.mean(every)), 4), "classes": {name: round(value, 4) for name, value in half.items()}}
