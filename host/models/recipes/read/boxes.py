"""From pictures to the detector's input and from its map to boxes, as docTR does both; and the map that the detector learns."""

import math

import cv2
import numpy as np
from PIL import Image

SIDE = 768
BIN_THRESHOLD, BOX_THRESHOLD, UNCLIP_RATIO, SIZE_MIN = 0.3, 0.1, 1.5, 2
# Pixels of the input taken off each side of a core.
EDGE = 0.5
MEAN, STD = (0.798, 0.785, 0.772), (0.264, 0.2749, 0.287)


def placement(width, height, side=SIDE):
    """Size of a picture inside the square input and its left and upper padding, in pixels: aspect kept, centred, the odd pixel before."""
    if height > width:
        size = (max(int(side * width / height), 1), side)
    else:
        size = (side, max(int(side * height / width), 1))
    return size, (math.ceil((side - size[0]) / 2), math.ceil((side - size[1]) / 2))


def squared(picture, side=SIDE):
    """docTR's resize for detection: the padding is black."""
    size, (left, top) = placement(picture.shape[1], picture.shape[0], side)
    out = np.zeros((side, side, 3), np.uint8)
    out[top:top + size[1], left:left + size[0]] = np.asarray(Image.fromarray(picture).resize(size, Image.BILINEAR))
    return out


def normalised(picture, mean, std):
    """uint8 [H, W, 3] to float32 [3, H, W]."""
    return ((picture.astype(np.float32) / 255 - np.float32(mean)) / np.float32(std)).transpose(2, 0, 1)


def shrunk(corners):
    """The core of a word that the detector shall mark: `unclipped` brings the core of an upright box back to the box itself."""
    across, down = corners[1] - corners[0], corners[3] - corners[0]
    width, height = np.linalg.norm(across), np.linalg.norm(down)
    whole, r = width + height, UNCLIP_RATIO
    # d = r (w - 2d)(h - 2d) / (2 (w + h - 4d)), solved for d.
    a, b, c = 8 + 4 * r, -(2 + 2 * r) * whole, r * width * height
    distance = (-b - math.sqrt(b * b - 4 * a * c)) / (2 * a)
    x, y = across / width * distance, down / height * distance
    return corners + np.array([x + y, y - x, -x - y, x - y])


def target(corners, side=SIDE, scale=2):
    """Map uint8 [side / scale, side / scale]: how much of each pixel lies inside the core of a word, 0 to 255. The corners are in pixels of the input."""
    fine = np.zeros((side * 2, side * 2), np.uint8)
    for word in corners:
        core = shrunk(word)
        middle = core.mean(0)
        # Sixteenths of half a pixel. The drawn border is part of the polygon, and the threshold of the map lies outside the edge: both are taken off.
        points = (core - np.sign(core - middle) * EDGE) * 2 - 0.5
        cv2.fillPoly(fine, [(points * 16).round().astype(np.int32)], 255, shift=4)
    return cv2.resize(fine, (side // scale, side // scale), interpolation=cv2.INTER_AREA)


def unclipped(x, y, width, height):
    """A rectangle grown on each side by its area times the ratio over its perimeter."""
    distance = width * height * UNCLIP_RATIO / (2 * (width + height))
    return x - distance, y - distance, x + width + distance, y + height + distance


def found(probabilities):
    """Upright boxes (x1, y1, x2, y2) in pixels of the map [H, W], with scores: docTR's post-processing for straight pages."""
    marks = (probabilities >= BIN_THRESHOLD).astype(np.uint8)
    marks = cv2.morphologyEx(marks, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    contours, _ = cv2.findContours(marks, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    boxes = []
    for contour in contours:
        x, y, width, height = cv2.boundingRect(contour)
        if min(width, height) - 1 < SIZE_MIN:
            continue
        score = float(probabilities[y:y + height, x:x + width].mean())
        if score >= BOX_THRESHOLD:
            boxes.append((*unclipped(x, y, width, height), score))
    return boxes


def onto_picture(boxes, width, height, side=SIDE):
    """Boxes of the square input in pixels of the picture, cut at its edges; empty ones are dropped."""
    size, (left, top) = placement(width, height, side)
    out = []
    for x1, y1, x2, y2, score in boxes:
        x1, x2 = [min(max((x - left) * width / size[0], 0), width) for x in (x1, x2)]
        y1, y2 = [min(max((y - top) * height / size[1], 0), height) for y in (y1, y2)]
        if x2 - x1 >= 1 and y2 - y1 >= 1:
            out.append((x1, y1, x2, y2, score))
    return out


def cut(picture, place):
    """The part of a picture in a box, with its last row and column, as docTR cuts."""
    x1, y1, x2, y2 = [int(round(value)) for value in place[:4]]
    return picture[max(y1, 0):y2 + 1, max(x1, 0):x2 + 1]


def upright(corners):
    return (*corners.min(0).tolist(), *corners.max(0).tolist())


def overlap(a, b):
    """Intersection over union of two boxes."""
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def matched(predicted, true, least=0.5):
    """Pairs (index of predicted, index of true), best overlap first."""
    pairs = sorted(((overlap(p, t), i, j) for i, p in enumerate(predicted) for j, t in enumerate(true)), reverse=True)
    out, left, right = [], set(), set()
    for value, i, j in pairs:
        if value >= least and i not in left and j not in right:
            out.append((i, j))
            left.add(i)
            right.add(j)
    return out
