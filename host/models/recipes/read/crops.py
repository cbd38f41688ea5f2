"""Single words as the detector would cut them out, for the recogniser: neighbours may show at the edges and the cut is not exact."""

import math
import typing

import numpy as np
from PIL import Image, ImageDraw

import fonts
import scene
import words

# Input of the recogniser.
HEIGHT, WIDTH = 32, 128


def ink_box(font, text):
    """Box of a word drawn at (0, 0) with anchor "ls": its ink from side to side, from cap height or above to the base line or below."""
    left, top, right, bottom = font.getbbox(text, anchor="ls")
    cap = font.getbbox("H", anchor="ls")[1]
    return left, min(top, cap), right, max(bottom, 0)


def fitted(picture, height=HEIGHT, width=WIDTH):
    """docTR's resize for recognition: aspect ratio kept, black at the right and below."""
    rows, columns = picture.shape[:2]
    if rows / columns > height / width:
        size = (max(int(height * columns / rows), 1), height)
    else:
        size = (width, max(int(width * rows / columns), 1))
    out = np.zeros((height, width, 3), np.uint8)
    out[:size[1], :size[0]] = np.asarray(Image.fromarray(picture).resize(size, Image.BILINEAR))
    return out


class Word(typing.NamedTuple):
    """A word with some of what surrounds it: each look at it cuts it out anew."""

    picture: np.ndarray  # uint8 [height, width, 3]
    box: tuple  # x1, y1, x2, y2 in pixels of the picture
    text: str
    cuts: tuple  # how far outside the box a side may be cut, lowest and highest in heights of the word: one of these pairs


# Around ink that is known exactly, and around the box of a detector.
DRAWN, FOUND = ((-0.03, 0.08), (-0.05, 0.22)), ((-0.05, 0.05),)
# What is kept around a word, in heights of it.
MARGIN = 0.3


def word(picture, box, text, cuts):
    """The part of a picture that holds a word and its margin."""
    x1, y1, x2, y2 = box
    margin = (y2 - y1) * MARGIN + 1
    left, top = max(math.floor(x1 - margin), 0), max(math.floor(y1 - margin), 0)
    part = picture[top:math.ceil(y2 + margin), left:math.ceil(x2 + margin)].copy()
    return Word(part, (x1 - left, y1 - top, x2 - left, y2 - top), text, cuts)


def look(rng, word):
    """A picture uint8 [32, 128, 3] of a word, its sides cut somewhere near the box."""
    rows, columns = word.picture.shape[:2]
    x1, y1, x2, y2 = word.box
    cut = lambda: rng.uniform(*rng.choice(word.cuts)) * (y2 - y1)
    left, top = [min(max(round(side), 0), size - 1) for side, size in ((x1 - cut(), columns), (y1 - cut(), rows))]
    right, bottom = [max(round(side), start) for side, start in ((x2 + cut(), left), (y2 + cut(), top))]
    return fitted(word.picture[top:bottom + 1, left:right + 1])


def drawn(rng, evaluation=False, held_out_font=False):
    """A word drawn alone, often with neighbours."""
    text = words.word(rng, evaluation)
    size = int(math.exp(rng.uniform(math.log(8), math.log(56))))
    font = fonts.font(fonts.choose(rng, evaluation, held_out_font), size)
    while fonts.lacks(font, text):
        font = fonts.font(fonts.choose(rng, evaluation, held_out_font), size)
    left, top, right, bottom = ink_box(font, text)
    margin = size
    width, height = right - left + 2 * margin, bottom - top + 2 * margin
    mask = Image.new("L", (width, height))
    draw = ImageDraw.Draw(mask)
    x, y = margin - left, margin - top
    draw.text((x, y), text, fill=255, font=font, anchor="ls")
    space = font.getlength(" ")
    if rng.random() < 0.4:
        draw.text((x + font.getlength(text) + space, y), words.word(rng), fill=255, font=font, anchor="ls")
    if rng.random() < 0.4:
        draw.text((x - space, y), words.word(rng), fill=255, font=font, anchor="rs")
    step = size * rng.uniform(1.1, 1.5)
    if rng.random() < 0.25:
        draw.text((x - rng.uniform(0, size), y + step), words.word(rng) + " " + words.word(rng), fill=255, font=font, anchor="ls")
    if rng.random() < 0.25:
        draw.text((x - rng.uniform(0, size), y - step), words.word(rng) + " " + words.word(rng), fill=255, font=font, anchor="ls")
    grow_x = grow_y = 0
    if rng.random() < 0.3:
        angle = max(-3, min(3, rng.gauss(0, 1.5)))
        mask = mask.rotate(angle, Image.BILINEAR)
        sine = abs(math.sin(math.radians(angle)))
        grow_x, grow_y = sine * (bottom - top) / 2, sine * (right - left) / 2
    paper, ink = scene.colours(rng)
    alpha = np.asarray(mask, np.float32)[..., None] / 255
    picture = scene.background(rng, width, height, paper) * (1 - alpha) + np.array(ink, np.float32) * alpha
    picture = scene.degrade(rng, picture)
    return word(picture, (margin - grow_x, margin - grow_y, width - margin + grow_x, height - margin + grow_y), text, DRAWN)
