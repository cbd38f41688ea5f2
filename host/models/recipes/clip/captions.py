"""Captions of scenes in many wordings, each with what it claims, so that a caption can be tried on any scene."""

import dataclasses

from world import COLOURS, GROUNDS, SHAPES

PLURALS = {**{shape: shape + "s" for shape in SHAPES}, "cross": "crosses"}
NUMBERS = {2: "two", 3: "three"}
WHERE = {
    "left": ["on the left", "at the left", "on the left side"], "right": ["on the right", "at the right", "on the right side"],
    "top": ["at the top", "in the upper part"], "bottom": ["at the bottom", "in the lower part"], "middle": ["in the middle", "in the center"],
}
LARGE = {True: ["large", "big"], False: ["small", "little", "tiny"]}
# Wordings marked "~" are kept for the evaluation.
FRAMES = [
    "{}", "{}", "{}", "a photo of {}", "a picture of {}", "a drawing of {}", "drawing of {}", "an image of {}", "{} .", "this is {}", "there is {}", "a sketch of {}",
    "image with {}", "a simple drawing of {}", "i see {}", "a photo showing {}", "the picture shows {}", "an illustration of {}", "a clipart of {}", "~an image showing {}", "~look , {}", "~a painting of {}",
]


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a caption says. `parts` are (count or None, shape or None, colour or None, large or None, place or None); a count is exact, none means at least one."""
    parts: tuple
    ground: str | None = None
    total: int | None = None


def is_such(thing, shape, colour, large, place):
    return ((shape is None or thing.shape == shape) and (colour is None or thing.colour == colour)
            and (large is None or thing.large == large) and (place is None or place in thing.places()))


def fits(claim, scene):
    """Whether a caption is true of a scene."""
    if claim.ground is not None and claim.ground != scene.ground:
        return False
    if claim.total is not None and claim.total != len(scene.things):
        return False
    for count, *what in claim.parts:
        found = sum(is_such(thing, *what) for thing in scene.things)
        if found != count if count else not found:
            return False
    return True


def article(words):
    return ("an " if words[0] in "aeiou" else "a ") + words


def phrase(rng, count, shape, colour, large, place):
    noun = shape or rng.choice(["shape", "object", "figure", "thing"])
    if count:
        noun = PLURALS.get(shape, noun + "s")
    words = " ".join(part for part in (rng.choice(LARGE[large]) if large is not None else "", colour or "", noun) if part)
    words = f"{NUMBERS[count]} {words}" if count else words if rng.random() < 0.12 else article(words)
    return f"{words} {rng.choice(WHERE[place])}" if place else words


def caption(rng, scene, evaluation=False):
    """A true caption and its claim."""
    things = list(scene.things)
    thing = rng.choice(things)
    ground = scene.ground if rng.random() < 0.18 else None
    alike = [other for other in things if (other.shape, other.colour) == (thing.shape, thing.colour)]
    kind = rng.random()
    if len(alike) > 1 and kind < 0.7:
        colour = thing.colour if rng.random() < 0.8 else None
        shape = thing.shape if colour is None or rng.random() < 0.9 else None
        count = sum(is_such(other, shape, colour, None, None) for other in things)
        claim = Claim(((count, shape, colour, None, None),), ground)
    elif len(things) > 1 and kind < 0.65:
        chosen = rng.sample(things, len(things) if rng.random() < 0.5 else 2)
        if len({(other.shape, other.colour) for other in chosen}) < len(chosen):
            return caption(rng, scene, evaluation)
        full = rng.random() < 0.8
        claim = Claim(tuple((None, other.shape, other.colour if full else None, None, None) for other in chosen), ground)
    elif kind < 0.75:
        # A caption of a single thing, mostly of its shape and colour.
        large = thing.large if rng.random() < 0.2 else None
        places = sorted(thing.places())
        place = rng.choice(places) if places and rng.random() < 0.2 else None
        claim = Claim(((None, thing.shape, thing.colour, large, place),), ground)
    elif kind < 0.84:
        claim = Claim(((None, thing.shape, None, None, None),), ground)
    elif kind < 0.92:
        claim = Claim(((None, None, thing.colour, None, None),), ground)
    elif kind < 0.95 and len(things) > 1:
        claim = Claim(((len(things), None, None, None, None),), ground, len(things))
    else:
        claim = Claim(((None, thing.shape, thing.colour, None, None),), scene.ground)
    return worded(rng, claim, evaluation), claim


def worded(rng, claim, evaluation=False):
    count, shape, colour, large, place = claim.parts[0]
    if len(claim.parts) == 1 and claim.ground is None and not count and large is None and place is None and rng.random() < 0.3 and not evaluation:
        text = " ".join(part for part in (colour, shape) if part)
        return text if shape or rng.random() < 0.6 else f"the color {colour}" if rng.random() < 0.5 else f"something {colour}"
    phrases = [phrase(rng, *part) for part in claim.parts]
    rng.shuffle(phrases)
    text = " and ".join(phrases) if len(phrases) < 3 else f"{phrases[0]} , {phrases[1]} and {phrases[2]}"
    if claim.ground:
        text += " " + rng.choice(["on a {} background", "on {}", "on a {} ground", "in front of a {} background"]).format(claim.ground).replace("a orange", "an orange")
    frame = rng.choice([frame.removeprefix("~") for frame in FRAMES if frame.startswith("~") == evaluation])
    return frame.format(text).replace(" ,", ",").replace(" .", ".")
