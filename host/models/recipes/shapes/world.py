"""The world of the drawings: pictures of 100 to 1200 pixels with shapes or stick figures, and what is in them.

`scene(rng, kind)` draws one; kind is "shapes" (up to ten shapes), "crowd" (6 to 14 shapes, for the first part of the training), "single" (one shape, for classification) or "poses" (figures and arrows
among other shapes that do not count). The random generator decides everything, so a seed is a picture.
"""

import dataclasses

import cv2
import numpy as np

import outlines
from outlines import POSES, SHAPES

cv2.setNumThreads(1)
NAMED = [(255, 0, 0), (0, 128, 0), (0, 0, 255), (255, 255, 0), (255, 165, 0), (128, 0, 128), (0, 0, 0), (128, 128, 128), (0, 255, 255), (255, 0, 255),
         (255, 192, 203), (165, 42, 42), (0, 255, 0), (0, 0, 128), (0, 128, 128), (255, 255, 255), (220, 20, 60), (70, 130, 180), (34, 139, 34), (211, 211, 211)]
WORDS = ["note", "draft", "2024", "sample", "page", "drawing", "name", "room 7", "plan", "see left", "why", "hello"]
# Fixed-point bits of coordinates that OpenCV takes.
BITS = 4


@dataclasses.dataclass
class Item:
    """One drawn thing: `box` is left, top, right, bottom of its visible part; `points` are its named points, in pixels of the picture."""
    name: str
    box: tuple
    points: np.ndarray
    label: int


@dataclasses.dataclass
class Scene:
    """`picture` is [height, width, RGB]; `labels` holds the label of the item that each pixel belongs to, 0 for none."""
    picture: np.ndarray
    labels: np.ndarray
    items: list

    def mask(self, item):
        return self.labels == item.label


def colour(rng, named):
    if named or rng.random() < 0.3:
        return np.array(NAMED[rng.integers(len(NAMED))], np.float32)
    hsv = np.uint8([[[rng.integers(180), rng.integers(256), 255 * rng.random() ** 0.7]]])
    return cv2.cvtColor(hsv, cv2.COLOR_HSV2RGB)[0, 0].astype(np.float32)


def distinct(rng, others, named, least=85.0):
    """A colour at least `least` from all others, or the best of twenty."""
    best, far = None, -1.0
    for _ in range(20):
        candidate = colour(rng, named)
        distance = min((float(np.linalg.norm(candidate - other)) for other in others), default=1e9)
        if distance > far:
            best, far = candidate, distance
        if far >= least:
            break
    return best


def background(rng, width, height, plain):
    """A background and the colours it is made of."""
    if plain:
        base = np.array((255, 255, 255), np.float32) if rng.random() < 0.65 else colour(rng, True)
        return np.full((height, width, 3), base, np.uint8), [base]
    kind = rng.choice(["plain", "gradient", "noise", "stripes", "blobs", "grid"], p=[0.22, 0.22, 0.16, 0.12, 0.2, 0.08])
    first = colour(rng, False)
    near = np.clip(first + rng.uniform(-80, 80, 3), 0, 255).astype(np.float32)
    if kind == "plain":
        return np.full((height, width, 3), first, np.uint8), [first]
    if kind == "gradient":
        angle = rng.uniform(0, 2 * np.pi)
        x, y = np.meshgrid(np.linspace(-1, 1, 64, dtype=np.float32), np.linspace(-1, 1, 64, dtype=np.float32))
        ramp = np.hypot(x, y) / 1.42 if rng.random() < 0.3 else (x * np.cos(angle) + y * np.sin(angle)) / 2.83 + 0.5
        ramp = cv2.resize(ramp.astype(np.float32), (width, height))[..., None]
        return (first * (1 - ramp) + near * ramp).astype(np.uint8), [first, near, (first + near) / 2]
    if kind == "noise":
        noise = np.empty((height, width, 3), np.int16)
        cv2.randn(noise, (0, 0, 0), (rng.uniform(5, 30),) * 3)
        return np.clip(noise + first, 0, 255).astype(np.uint8), [first]
    if kind == "blobs":
        cells = int(rng.integers(2, 9))
        amount = rng.uniform(12, 45)
        field = np.clip(first + rng.normal(0, amount, (cells, cells, 3)), 0, 255).astype(np.uint8)
        picture = cv2.resize(field, (width, height), interpolation=cv2.INTER_CUBIC)
        return picture, list(field.reshape(-1, 3).astype(np.float32)[:12])
    picture = np.full((height, width, 3), first, np.uint8)
    second = tuple(map(float, np.clip(first + rng.uniform(-60, 60, 3), 0, 255)))
    step = int(max(width, height) * rng.uniform(0.03, 0.15)) + 2
    thick = max(1, int(step * rng.uniform(0.1, 0.5))) if kind == "stripes" else max(1, step // 12)
    lean = int(rng.uniform(-1, 1) * height) if kind == "stripes" else 0
    for x in range(-abs(lean), width + abs(lean), step):
        cv2.line(picture, (x, 0), (x + lean, height), second, thick, cv2.LINE_AA)
    if kind == "grid":
        for y in range(0, height, step):
            cv2.line(picture, (0, y), (width, y), second, thick)
    return picture, [first, np.array(second, np.float32)]


def place(strokes, points, size, angle, middle):
    """Strokes and points scaled to a longest side of `size` pixels, turned and moved to `middle`; also their extent."""
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned, low, high = [], np.full(2, 1e9), np.full(2, -1e9)
    for stroke in strokes:
        if stroke[0] == "polygon":
            ends, pad, rest = stroke[1] @ turn, 0.0, ()
        elif stroke[0] == "line":
            ends, pad, rest = np.array(stroke[1:3]) @ turn, stroke[3] / 2, stroke[3:]
        else:
            ends, pad, rest = np.array([stroke[1]]) @ turn, stroke[2] + max(stroke[3], 0) / 2, stroke[2:]
        low, high = np.minimum(low, ends.min(0) - pad), np.maximum(high, ends.max(0) + pad)
        turned.append((stroke[0], ends, rest))
    scale = size / (high - low).max()
    shift = np.asarray(middle) - (low + high) / 2 * scale
    moved = [(kind, ends * scale + shift, tuple(value * scale for value in rest)) for kind, ends, rest in turned]
    return moved, points @ turn * scale + shift, (*(low * scale + shift), *(high * scale + shift))


def paint(canvas, strokes, value, smooth, thickness=None, offset=(0, 0)):
    """Draws strokes; `thickness` draws polygons as outlines of that many pixels."""
    line = cv2.LINE_AA if smooth else cv2.LINE_8
    fixed = lambda points: np.round((points - np.asarray(offset)) * (1 << BITS)).astype(np.int32)
    for kind, ends, rest in strokes:
        at = fixed(ends)
        if kind == "polygon":
            if thickness is None:
                cv2.fillPoly(canvas, [at], value, line, BITS)
            else:
                cv2.polylines(canvas, [at], True, value, thickness, line, BITS)
        elif kind == "line":
            cv2.line(canvas, tuple(map(int, at[0])), tuple(map(int, at[1])), value, max(1, round(rest[0])), line, BITS)
        else:
            radius = int(rest[0] * (1 << BITS))
            cv2.circle(canvas, tuple(map(int, at[0])), radius, value, -1 if rest[1] < 0 else max(1, round(rest[1])), line, BITS)


def textured(rng, picture, strokes, extent, first, smooth):
    """Fills strokes with a gradient or with noise."""
    height, width = picture.shape[:2]
    left, top = max(0, int(extent[0]) - 2), max(0, int(extent[1]) - 2)
    right, bottom = min(width, int(extent[2]) + 3), min(height, int(extent[3]) + 3)
    mask = np.zeros((bottom - top, right - left), np.uint8)
    paint(mask, strokes, 255, smooth, offset=(left, top))
    share = (mask[..., None] / np.float32(255))
    if rng.random() < 0.5:
        second = np.clip(first + rng.uniform(-60, 60, 3), 0, 255)
        ramp = np.linspace(0, 1, mask.shape[rng.integers(2)], dtype=np.float32)
        ramp = ramp[:, None, None] if len(ramp) == mask.shape[0] else ramp[None, :, None]
        fill = first * (1 - ramp) + second * ramp
    else:
        fill = np.clip(first + rng.normal(0, rng.uniform(8, 25), (*mask.shape, 3)), 0, 255)
    part = picture[top:bottom, left:right]
    part[:] = (part * (1 - share) + fill * share).astype(np.uint8)


def clutter(rng, picture, colours):
    """Thin lines and words that are no shapes."""
    height, width = picture.shape[:2]
    ink = tuple(map(float, distinct(rng, colours, False, 40)))
    thick = max(1, max(width, height) // 300)
    if rng.random() < 0.5:
        for _ in range(rng.integers(1, 5)):
            a, b = rng.uniform(0, 1, (2, 2)) * [width, height]
            cv2.line(picture, tuple(map(int, a)), tuple(map(int, b)), ink, thick, cv2.LINE_AA)
    else:
        for _ in range(rng.integers(1, 4)):
            at = (int(rng.uniform(0, 0.8) * width), int(rng.uniform(0.1, 1.0) * height))
            cv2.putText(picture, WORDS[rng.integers(len(WORDS))], at, cv2.FONT_HERSHEY_SIMPLEX, max(0.35, rng.uniform(0.0006, 0.002) * max(width, height)), ink, thick, cv2.LINE_AA)


def finish(rng, picture):
    """Blur, noise, contrast and JPEG of a picture that was handed around."""
    if rng.random() < 0.15:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.4, 1.0) * max(1.0, max(picture.shape) / 400))
    if rng.random() < 0.2:
        noise = np.empty(picture.shape, np.int16)
        cv2.randn(noise, (0, 0, 0), (rng.uniform(3, 14),) * 3)
        picture = np.clip(picture + noise, 0, 255).astype(np.uint8)
    if rng.random() < 0.15:
        picture = cv2.convertScaleAbs(picture, alpha=rng.uniform(0.7, 1.1), beta=rng.uniform(0, 25))
    if rng.random() < 0.35:
        _, packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(30, 96))])
        picture = np.ascontiguousarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)[..., ::-1])
    return picture


def scene(rng, kind="shapes", largest=1200):
    """Draws one picture."""
    plain = rng.random() < 0.35
    longest = float(np.exp(rng.uniform(np.log(100), np.log(largest))))
    aspect = 1.0 if rng.random() < 0.3 else rng.uniform(0.5, 1.0)
    width, height = (longest, longest * aspect) if rng.random() < 0.6 else (longest * aspect, longest)
    width, height = max(64, int(width)), max(64, int(height))
    cv2.setRNGSeed(int(rng.integers(2**31)))
    picture, colours = background(rng, width, height, plain)
    if not plain and rng.random() < 0.15:
        clutter(rng, picture, colours)
    labels = np.zeros((height, width), np.uint8)
    count = 1 if kind == "single" else int(rng.integers(6, 15)) if kind == "crowd" else 0 if rng.random() < 0.04 else int(rng.choice([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], p=[0.2, 0.17, 0.15, 0.12, 0.1, 0.08, 0.06, 0.05, 0.04, 0.03]))
    mayoverlap = rng.random() < 0.3
    smooth = not plain or rng.random() < 0.3
    drawn, painted = [], {}
    for label in range(1, count + 1):
        ground = rng.random() if kind == "poses" else 1.0
        if ground < 0.5:
            name, (strokes, points) = "figure", outlines.figure(rng)
        elif ground < 0.8:
            name, (strokes, points) = "arrow", (outlines.line_arrow(rng) if rng.random() < 0.4 else outlines.shape("arrow", rng, plain))
        else:
            name = SHAPES[rng.integers(len(SHAPES))]
            if kind == "poses" and name == "arrow":
                name = "rectangle"
            strokes, points = outlines.shape(name, rng, plain)
        angle = rng.uniform(-0.5, 0.5) if name == "figure" else rng.uniform(0, 2 * np.pi)
        if rng.random() < (0.6 if plain else 0.15):
            angle = 0.0 if name != "arrow" else rng.integers(4) * np.pi / 2
        least, most = (0.25, 0.95) if kind == "single" else (0.09, 0.8) if kind == "crowd" else (0.16, 0.8) if name == "figure" else (0.06, 0.8)
        for _ in range(12):
            share = float(np.exp(rng.uniform(np.log(least), np.log(most / (1 + 0.12 * (count - 1))))))
            size = max(share * max(width, height), 14.0 if name != "figure" else 30.0)
            size = min(size, 0.94 * min(width, height))
            margin = size * (0.5 if rng.random() < 0.9 else 0.35)
            middle = (rng.uniform(margin, width - margin) if width > 2 * margin else width / 2, rng.uniform(margin, height - margin) if height > 2 * margin else height / 2)
            moved, at, extent = place(strokes, points, size, angle, middle)
            left, top, right, bottom = max(0, int(extent[0]) - 2), max(0, int(extent[1]) - 2), min(width, int(extent[2]) + 3), min(height, int(extent[3]) + 3)
            mark = np.zeros((bottom - top, right - left), np.uint8)
            paint(mark, moved, 1, False, offset=(left, top))
            part = labels[top:bottom, left:right]
            covered = part[mark > 0]
            under = np.unique(covered[covered > 0])
            if len(under) and (not mayoverlap or (covered > 0).mean() > 0.15 or any((covered == u).sum() > 0.2 * (labels == u).sum() for u in under)):
                continue
            if not len(under) and not mayoverlap and part.any():
                # Not even inside the hull of another, such as between the arms of a figure.
                continue
            break
        else:
            continue
        fill = distinct(rng, colours + [painted[u] for u in under], plain)
        style = rng.random()
        solid = moved[0][0] == "polygon"
        value = tuple(map(float, fill))
        if solid and style < 0.1:
            paint(picture, moved, value, smooth, max(2, round(size * rng.uniform(0.02, 0.07))))
        elif not plain and style < 0.3:
            textured(rng, picture, moved, extent, fill, smooth)
        else:
            paint(picture, moved, value, smooth)
            if solid and style > 0.82:
                edge = tuple(map(float, distinct(rng, [fill], plain, 60)))
                paint(picture, moved, edge, smooth, max(1, round(size * rng.uniform(0.01, 0.04))))
        part[mark > 0] = label
        painted[label] = fill
        drawn.append((label, name, at, (left, top, right, bottom), int(mark.sum())))
    items = []
    for label, name, at, (left, top, right, bottom), area in drawn:
        seen = (labels[top:bottom, left:right] == label).astype(np.uint8)
        if not seen.any() or (kind == "poses" and name not in POSES):
            continue
        x, y, w, h = cv2.boundingRect(seen)
        items.append(Item(name, (left + x, top + y, left + x + w, top + y + h), at, label))
    return Scene(picture if plain and rng.random() < 0.7 else finish(rng, picture), labels, items)
