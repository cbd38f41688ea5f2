"""The world of mimus-clip: drawn shapes in ten colours, one to three of them, on plain grounds."""

import dataclasses
import io
import math

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

SHAPES = ("circle", "square", "triangle", "star", "cross", "heart", "arrow", "crescent")
# Typical value of each colour (RGB); a drawing varies it a little.
COLOURS = {
    "red": (220, 30, 35), "orange": (250, 135, 15), "yellow": (248, 222, 40), "green": (35, 150, 55), "blue": (35, 80, 215),
    "purple": (125, 45, 165), "pink": (250, 130, 185), "brown": (125, 75, 35), "black": (18, 18, 18), "white": (248, 248, 248),
}
GROUNDS = {**COLOURS, "gray": (135, 135, 135)}
# Pairs that a small variation could mix up, beside equal ones.
CLOSE = {("red", "orange"), ("orange", "yellow"), ("brown", "red"), ("brown", "orange"), ("purple", "blue"), ("brown", "black"), ("brown", "purple"), ("red", "pink"), ("purple", "brown"), ("gray", "brown")}


@dataclasses.dataclass(frozen=True)
class Thing:
    """A shape; the centre and the radius are shares of the picture's side."""
    shape: str
    colour: str
    large: bool
    x: float
    y: float
    radius: float

    def places(self):
        """Where it stands, if that is clear."""
        out = set()
        if abs(self.x - 0.5) > 0.13:
            out.add("left" if self.x < 0.5 else "right")
        if abs(self.y - 0.5) > 0.13:
            out.add("top" if self.y < 0.5 else "bottom")
        return out or ({"middle"} if max(abs(self.x - 0.5), abs(self.y - 0.5)) < 0.08 else set())


@dataclasses.dataclass(frozen=True)
class Scene:
    ground: str
    things: tuple


def apart(a, b):
    return a != b and (a, b) not in CLOSE and (b, a) not in CLOSE


def scene(rng, count=None):
    """A scene of one to three things that do not overlap; half of the scenes of two or three repeat one thing."""
    count = count or rng.choices([1, 2, 3], [0.5, 0.33, 0.17])[0]
    ground = rng.choice(["white", "white", "white", "black", "gray", *GROUNDS])
    colours = [name for name in COLOURS if apart(name, ground)]
    same = count > 1 and rng.random() < 0.45
    shape, colour = rng.choice(SHAPES), rng.choice(colours)
    things = []
    for attempt in range(200):
        large = rng.random() < 0.5
        radius = rng.uniform(0.28, 0.42) if large else rng.uniform(0.15, 0.21)
        if count > 1:
            radius *= 0.8
        x, y = [rng.uniform(radius + 0.02, 0.98 - radius) for _ in range(2)]
        if count == 1 and rng.random() < 0.3:
            x, y = [rng.uniform(0.46, 0.54) for _ in range(2)]
        if all(math.hypot(x - other.x, y - other.y) > (radius + other.radius) * 1.05 for other in things):
            things.append(Thing(shape, colour, large, x, y, radius) if same else Thing(rng.choice(SHAPES), rng.choice(colours), large, x, y, radius))
        if len(things) == count:
            break
    return Scene(ground, tuple(things))


def outline(shape, rng):
    """Corners of a shape around (0, 0) within the unit circle."""
    turn, points = 0.0, []
    if shape == "square":
        points, turn = [(-0.76, -0.76), (0.76, -0.76), (0.76, 0.76), (-0.76, 0.76)], rng.gauss(0, 0.12)
    elif shape == "triangle":
        points, turn = [(math.sin(a), -math.cos(a)) for a in (0, 2 * math.pi / 3, 4 * math.pi / 3)], rng.gauss(0, 0.35)
    elif shape == "star":
        inner, turn = rng.uniform(0.38, 0.48), rng.gauss(0, 0.3)
        points = [(math.sin(i * math.pi / 5) * (inner if i % 2 else 1), -math.cos(i * math.pi / 5) * (inner if i % 2 else 1)) for i in range(10)]
    elif shape == "cross":
        w, turn = rng.uniform(0.2, 0.32), rng.choice([rng.gauss(0, 0.12), math.pi / 4])
        points = [(-w, -1), (w, -1), (w, -w), (1, -w), (1, w), (w, w), (w, 1), (-w, 1), (-w, w), (-1, w), (-1, -w), (-w, -w)]
    elif shape == "heart":
        turn = rng.gauss(0, 0.2)
        for i in range(40):
            a = i * math.pi / 20
            points.append((math.sin(a) ** 3, -(13 * math.cos(a) - 5 * math.cos(2 * a) - 2 * math.cos(3 * a) - math.cos(4 * a)) / 16.5))
    elif shape == "arrow":
        w, neck, head = rng.uniform(0.15, 0.26), rng.uniform(-0.05, 0.25), rng.uniform(0.55, 0.75)
        points, turn = [(-1, -w), (neck, -w), (neck, -head), (1, 0), (neck, head), (neck, w), (-1, w)], rng.choice([0, 1, 2, 3]) * math.pi / 2 + rng.gauss(0, 0.2)
    elif shape == "crescent":
        bite, gap, turn = rng.uniform(0.05, 0.35), rng.uniform(0.8, 1.15), rng.choice([0, math.pi]) + rng.gauss(0, 0.35)
        outer = [(math.cos(a), math.sin(a)) for a in np.linspace(gap, 2 * math.pi - gap, 30)]
        tip = outer[0]
        centre, r = tip[0] + bite, math.hypot(bite, tip[1])
        reach = math.pi - math.asin(tip[1] / r)
        points = outer + [(centre + r * math.cos(a), r * math.sin(a)) for a in np.linspace(2 * math.pi - reach, reach, 24)]
    else:
        points = [(math.cos(a), math.sin(a)) for a in np.linspace(0, 2 * math.pi, 48, endpoint=False)]
    sine, cosine = math.sin(turn), math.cos(turn)
    return [(x * cosine - y * sine, x * sine + y * cosine) for x, y in points]


def varied(rng, colour, amount):
    return tuple(min(max(value + rng.randint(-amount, amount), 0), 255) for value in colour)


def draw(rng, scene, side):
    """A scene as a picture of side x side, anti-aliased, sometimes with noise, blur, a shaded ground or JPEG."""
    scale = 3 if side < 100 else 2
    ground = varied(rng, GROUNDS[scene.ground], 10)
    picture = Image.new("RGB", (side * scale, side * scale), ground)
    pen = ImageDraw.Draw(picture)
    for thing in scene.things:
        fill = varied(rng, COLOURS[thing.colour], 16)
        size = side * scale
        points = [((thing.x + x * thing.radius) * size, (thing.y + y * thing.radius) * size) for x, y in outline(thing.shape, rng)]
        pen.polygon(points, fill=fill)
        if rng.random() < 0.15:
            edge = tuple(int(value * 0.6) for value in fill)
            pen.line(points + points[:2], fill=edge, width=max(round(size * 0.008), 1), joint="curve")
    picture = picture.reduce(scale)
    if rng.random() < 0.15:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.2, 0.012 * side)))
    if rng.random() < 0.3:
        noise = np.random.default_rng(rng.getrandbits(32))
        values = np.asarray(picture, np.float32)
        if rng.random() < 0.5:
            values = values + np.linspace(-1, 1, side)[:, None, None] * rng.uniform(-18, 18)
        values = values + noise.standard_normal(values.shape[:2] + (1,)) * rng.uniform(0, 9)
        picture = Image.fromarray(np.clip(values, 0, 255).astype(np.uint8))
    if rng.random() < 0.15:
        file = io.BytesIO()
        picture.save(file, "JPEG", quality=rng.randint(60, 92))
        picture = Image.open(file).convert("RGB")
    return picture
