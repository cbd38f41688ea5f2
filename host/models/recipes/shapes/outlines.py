"""Outlines of the shapes and of the stick figure in their own coordinates: about one unit wide, y downwards, the middle at zero.

A drawing is a list of strokes: ("polygon", points), ("line", a, b, width) or ("disc", middle, radius, width or -1 for filled).
"""

import numpy as np

SHAPES = ["arrow", "circle", "crescent", "cross", "heart", "rectangle", "star", "triangle"]
POSES = ["figure", "arrow"]
# Points of each class of POSES; the sides of the figure are those of the picture.
POINTS = {
    "figure": ["head", "neck", "left hand", "right hand", "hip", "left foot", "right foot"],
    "arrow": ["tip", "tail"],
}
EDGES = {"figure": [(0, 1), (1, 2), (1, 3), (1, 4), (4, 5), (4, 6)], "arrow": [(1, 0)]}
SLOTS = 7


def ring(count, radius=0.5, start=0.0):
    angles = start + np.arange(count) * (2 * np.pi / count)
    return np.stack([np.cos(angles), np.sin(angles)], 1) * radius


def circle(rng, plain):
    aspect = rng.choice([1.0, rng.uniform(0.6, 1.0)], p=[0.65, 0.35])
    return ring(72) * [1.0, aspect]


def rectangle(rng, plain):
    aspect = rng.choice([1.0, rng.uniform(0.3, 1.0)], p=[0.35, 0.65])
    half = np.array([0.5, 0.5 * aspect])
    if rng.random() < 0.5:
        half = half[::-1]
    corners = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    if rng.random() > 0.15:
        return corners
    radius = rng.uniform(0.05, 0.22) * half.min() * 2
    arcs = []
    for corner, start in zip(corners, (np.pi, 1.5 * np.pi, 0.0, 0.5 * np.pi)):
        middle = corner - np.sign(corner) * radius
        angles = start + np.linspace(0, 0.5 * np.pi, 7)
        arcs.append(middle + np.stack([np.cos(angles), np.sin(angles)], 1) * radius)
    return np.concatenate(arcs)


def triangle(rng, plain):
    kind = rng.random()
    if kind < 0.4:
        points = ring(3, start=-np.pi / 2)
    elif kind < 0.6:
        points = np.array([[-0.5, 0.5], [0.5, 0.5], [-0.5, 0.5 - rng.uniform(0.6, 1.0)]])
    else:
        points = np.array([[-0.5, 0.4], [0.5, 0.4], [rng.uniform(-0.35, 0.35), 0.4 - rng.uniform(0.55, 1.0)]])
    return points - (points.max(0) + points.min(0)) / 2


def star(rng, plain):
    count = int(rng.choice([5, 6, 7, 8], p=[0.7, 0.14, 0.08, 0.08]))
    inner = rng.uniform(0.36, 0.5) if count == 5 else rng.uniform(0.45, 0.6)
    points = ring(2 * count, start=-np.pi / 2)
    points[1::2] *= inner
    return points


def cross(rng, plain):
    a = rng.uniform(0.1, 0.2)
    points = [[-a, -0.5], [a, -0.5], [a, -a], [0.5, -a], [0.5, a], [a, a], [a, 0.5], [-a, 0.5], [-a, a], [-0.5, a], [-0.5, -a], [-a, -a]]
    points = np.array(points)
    if rng.random() < 0.2:
        points[[6, 7], 1] += rng.uniform(0.1, 0.35)
        points[:, 1] -= (points[:, 1].max() + points[:, 1].min()) / 2
    return points


def heart(rng, plain):
    if rng.random() < 0.3:
        # As people build it: two half circles on a triangle.
        radius = 0.25
        arc = np.linspace(np.pi, 2 * np.pi, 18)
        left = np.stack([-radius + radius * np.cos(arc), radius * np.sin(arc)], 1)
        right = np.stack([radius + radius * np.cos(arc), radius * np.sin(arc)], 1)
        return np.concatenate([left, right, [[0, rng.uniform(0.5, 0.75)]]]) - [0, 0.2]
    t = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    x = 16 * np.sin(t) ** 3
    y = -(13 * np.cos(t) - 5 * np.cos(2 * t) - 2 * np.cos(3 * t) - np.cos(4 * t))
    points = np.stack([x, y * rng.uniform(0.85, 1.1)], 1) / 32
    return points - (points.max(0) + points.min(0)) / 2


def crescent(rng, plain):
    inner, shift = rng.uniform(0.72, 0.95), rng.uniform(0.4, 0.65)
    # Where the circle of radius `inner` around (shift, 0) cuts the unit circle.
    x = (1 - inner**2 + shift**2) / (2 * shift)
    x = float(np.clip(x, -0.95, 0.95))
    outer = np.arccos(x)
    cut = np.arctan2(np.sqrt(1 - x * x), x - shift)
    far = np.linspace(outer, 2 * np.pi - outer, 40)
    near = np.linspace(2 * np.pi - cut, cut, 30)
    points = np.concatenate([np.stack([np.cos(far), np.sin(far)], 1), np.stack([shift + inner * np.cos(near), inner * np.sin(near)], 1)]) * 0.5
    return points - (points.max(0) + points.min(0)) / 2


def arrow(rng, plain):
    """Points to the right; its tip is the first point, its tail is the middle of the first and last of `TAIL`."""
    head = rng.uniform(0.25, 0.5)
    half = rng.uniform(0.16, 0.36)
    shaft = half * rng.uniform(0.18, 0.55)
    notch = rng.uniform(0, 0.08) if rng.random() < 0.25 else 0.0
    x = 0.5 - head
    return np.array([[0.5, 0], [x, half], [x + notch, shaft], [-0.5, shaft], [-0.5, -shaft], [x + notch, -shaft], [x, -half]])


MAKERS = {"arrow": arrow, "circle": circle, "crescent": crescent, "cross": cross, "heart": heart, "rectangle": rectangle, "star": star, "triangle": triangle}


def shape(name, rng, plain):
    """Strokes and named points (tip and tail for an arrow, else none) of a shape."""
    points = MAKERS[name](rng, plain)
    named = np.array([points[0], (points[3] + points[4]) / 2]) if name == "arrow" else np.zeros((0, 2))
    return [("polygon", points)], named


def line_arrow(rng):
    """An arrow of three strokes."""
    width, wing, opening = rng.uniform(0.03, 0.09), rng.uniform(0.15, 0.3), rng.uniform(0.4, 0.8)
    tip, tail = np.array([0.5, 0.0]), np.array([-0.5, 0.0])
    back = np.array([np.cos(opening), np.sin(opening)]) * wing
    strokes = [("line", tail, tip, width), ("line", tip, tip - back, width), ("line", tip, tip - back * [1, -1], width)]
    return strokes, np.array([tip, tail])


def figure(rng):
    """A stick figure: a round head, a body, two arms with elbows and two legs with knees."""
    width = rng.uniform(0.025, 0.075)
    radius = rng.uniform(0.09, 0.16)
    body, arm, leg = rng.uniform(0.26, 0.4), rng.uniform(0.24, 0.38), rng.uniform(0.3, 0.45)
    neck = np.array([0.0, 0.0])
    lean = rng.uniform(-0.12, 0.12)
    hip = neck + np.array([lean, body])
    head = neck - np.array([lean * 0.5 + rng.uniform(-0.03, 0.03), radius + rng.uniform(0.0, 0.03)])
    shoulder = neck + (hip - neck) * rng.choice([0.0, rng.uniform(0.05, 0.25)])
    straight = rng.random() < 0.5

    def limb(start, side, angle, bend, length):
        # Angles from straight down, outwards to the side.
        def reach(turn):
            return np.array([side * np.sin(turn), np.cos(turn)]) * length / 2
        middle = start + reach(angle)
        return middle, middle + reach(angle if straight else angle + bend)

    strokes, ends = [], []
    for start, low, high, bend, length in ((shoulder, 0.35, 2.5, 0.7, arm), (hip, 0.12, 0.8, 0.4, leg)):
        same = rng.uniform(low, high)
        for side in (-1, 1):
            angle = same if rng.random() < 0.4 else rng.uniform(low, high)
            turn = rng.uniform(-bend, bend) if length == arm else rng.uniform(-bend, 0.1)
            middle, end = limb(start, side, angle, turn, length)
            strokes += [("line", start, middle, width), ("line", middle, end, width)]
            ends.append(end)
    strokes.append(("line", neck, hip, width))
    strokes.append(("disc", head, radius, -1 if rng.random() < 0.5 else width))
    return strokes, np.array([head, neck, ends[0], ends[1], hip, ends[2], ends[3]])
