"""Single words as the detector would cut them out, for the recogniser: neighbours may show at the edges and the cut is not exact."""

import math

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


def crop(rng, text=None, held_out_font=False):
    """A picture uint8 [32, 128, 3] and its text."""
    text = text or words.word(rng)
    size = int(math.exp(rng.uniform(math.log(10), math.log(56))))
    font = fonts.font(fonts.choose(rng, held_out_font), size)
    while fonts.lacks(font, text):
        font = fonts.font(fonts.choose(rng, held_out_font), size)
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
    tall = bottom - top
    cut = lambda grow: grow + tall * rng.choice([rng.uniform(-0.03, 0.08), rng.uniform(-0.05, 0.22)])
    x1, x2 = margin - cut(grow_x), width - margin + cut(grow_x)
    y1, y2 = margin - cut(grow_y), height - margin + cut(grow_y)
    x1, y1, x2, y2 = max(round(x1), 0), max(round(y1), 0), min(round(x2), width), min(round(y2), height)
    if x2 - x1 < 2 or y2 - y1 < 2:
        return crop(rng, None, held_out_font)
    return fitted(picture[y1:y2, x1:x2]), text
