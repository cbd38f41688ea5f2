"""Pages of words for the detector and the evaluation: paragraphs, receipts, signs, labels, lone words, plain drawings on white."""

import math

import cv2
import numpy as np
from PIL import Image, ImageDraw

import fonts
import scene
import words
from crops import ink_box

# Most words of a page.
WORDS_MAX = 40


class Page:
    """A page under way. Lines are in reading order; a word is its text and its four corners, clockwise from the upper left."""

    def __init__(self, rng, width, height, evaluation, held_out_font, longest=24):
        self.rng, self.width, self.height = rng, width, height
        self.evaluation, self.held_out_font, self.longest = evaluation, held_out_font, longest
        self.paper, self.ink = scene.colours(rng)
        self.mask = Image.new("L", (width, height))
        self.draw = ImageDraw.Draw(self.mask)
        self.lines = []

    def font(self, size):
        return fonts.font(fonts.choose(self.rng, self.evaluation, self.held_out_font), max(int(size), 8))

    def word(self):
        return words.word(self.rng, self.evaluation, self.longest)

    def count(self):
        return sum(len(line) for line in self.lines)

    def put(self, text, x, base, font):
        """Draws a word with its origin at (x, base) and gives its entry; None where it would leave the page or the font lacks a letter."""
        left, top, right, bottom = ink_box(font, text)
        if fonts.lacks(font, text) or x + left < 1 or base + top < 1 or x + right > self.width - 1 or base + bottom > self.height - 1:
            return None
        self.draw.text((x, base), text, fill=255, font=font, anchor="ls")
        box = (x + left, base + top, x + right, base + bottom)
        return text, np.array([[box[0], box[1]], [box[2], box[1]], [box[2], box[3]], [box[0], box[3]]], np.float32)

    def row(self, x, base, end, font, most=99):
        """A line of words from x as far as they fit before `end`; returns whether any was drawn."""
        line, space = [], font.getlength(" ") * self.rng.uniform(0.9, 1.3)
        while len(line) < most and self.count() + len(line) < WORDS_MAX:
            text = self.word()
            if x + font.getlength(text) > end:
                break
            entry = self.put(text, round(x), base, font)
            if entry is None:
                break
            line.append(entry)
            x += font.getlength(text) + space
        if line:
            self.lines.append(line)
        return bool(line)


def paragraph(page):
    rng = page.rng
    columns = rng.choice([1, 1, 1, 2])
    size = page.width * rng.uniform(0.026, 0.075) / (1 if columns == 1 else 1.25)
    margin = page.width * rng.uniform(0.02, 0.1)
    width = (page.width - margin * (columns + 1)) / columns
    for column in range(columns):
        x, font = margin + column * (width + margin), page.font(size)
        base = margin + size * rng.uniform(0.9, 2)
        rows = rng.randint(1, 9)
        if rng.random() < 0.3:
            page.row(x, round(base), x + width, page.font(size * rng.uniform(1.2, 2)))
            base += size * 1.8
        for _ in range(rows):
            page.row(x, round(base), x + width, font)
            base += size * rng.uniform(1.15, 1.3) if rng.random() < 0.9 else size * 2.2


def receipt(page):
    """Names at the left, amounts at the right; one line of the table is one line of text."""
    rng = page.rng
    size = page.width * rng.uniform(0.035, 0.06)
    font, margin = page.font(size), page.width * rng.uniform(0.04, 0.1)
    base, step = margin + size * 1.5, size * rng.uniform(1.2, 1.7)
    page.row(page.width * rng.uniform(0.1, 0.4), round(base), page.width - margin, page.font(size * rng.uniform(1.1, 1.6)), most=2)
    for _ in range(rng.randint(3, 10)):
        base += step
        before = len(page.lines)
        page.row(margin, round(base), page.width * 0.66, font, most=rng.randint(1, 3))
        price = words.number(rng)
        while words.held_out(price) != page.evaluation:
            price = words.number(rng)
        entry = page.put(price, round(page.width - margin - font.getlength(price)), round(base), font)
        if entry and len(page.lines) > before:
            page.lines[-1].append(entry)
        elif entry:
            page.lines.append([entry])


def sign(page):
    """One to four short lines of large words in the middle."""
    rng = page.rng
    rows = rng.randint(1, 4)
    size = page.height / rows * rng.uniform(0.25, 0.6)
    base = (page.height - rows * size * 1.3) / 2 + size
    for _ in range(rows):
        font, texts = page.font(size), [page.word() for _ in range(rng.choice([1, 1, 2]))]
        while font.getlength(" ".join(texts)) > page.width * 0.94 and font.size > 9:
            font = fonts.font(font.path, int(font.size * 0.85)) if isinstance(font.path, str) else page.font(font.size * 0.8)
        x, line = (page.width - font.getlength(" ".join(texts))) / 2, []
        for text in texts:
            entry = page.put(text, round(x), round(base), font)
            line += [entry] if entry else []
            x += font.getlength(text + " ")
        page.lines += [line] if line else []
        base += size * 1.3


def labels(page):
    """Words strewn over the page, each a line of its own, sorted from top to bottom."""
    rng, taken = page.rng, []
    for _ in range(rng.randint(2, 16)):
        font = page.font(page.width * rng.uniform(0.025, 0.09))
        text = page.word()
        x, base = rng.randint(4, page.width), rng.randint(10, page.height)
        left, top, right, bottom = ink_box(font, text)
        gap = font.size * 0.4
        area = (x + left - gap, base + top - gap, x + right + gap, base + bottom + gap)
        if any(area[0] < b[2] and b[0] < area[2] and area[1] < b[3] and b[1] < area[3] for b in taken):
            continue
        entry = page.put(text, x, base, font)
        if entry:
            taken.append(area)
            page.lines.append([entry])
    page.lines.sort(key=lambda line: line[0][1][:, 1].mean())


def plain(page):
    """What people draw first: a few words in black on white, DejaVu Sans or PIL's own font."""
    rng = page.rng
    page.paper, page.ink = (255, 255, 255), rng.choice([(0, 0, 0), (0, 0, 0), (0, 0, 0), (255, 0, 0), (0, 0, 255)])
    size = rng.randint(14, 44)
    names = [name for name in fonts.files()["DejaVu"] if name.endswith(("DejaVuSans.ttf", "DejaVuSans-Bold.ttf"))] + ["default"]
    x, base = rng.choice([2, 5, 10, 20, 30]), rng.choice([2, 5, 10, 20, 30]) + size
    font = fonts.font(rng.choice(names), size)
    for _ in range(rng.randint(1, 4)):
        page.row(x, base, page.width, font, most=rng.randint(1, 6))
        base += round(size * rng.uniform(1.15, 2))


def lone(page):
    """One word, or two, that fill a small picture."""
    page.height = page.mask.height
    size = page.height * page.rng.uniform(0.3, 0.75)
    base = round(page.height / 2 + size * page.rng.uniform(0.2, 0.45))
    page.row(round(page.width * page.rng.uniform(0.02, 0.2)), base, page.width, page.font(size), most=page.rng.choice([1, 1, 2]))


KINDS = {paragraph: 5, receipt: 3, sign: 2, labels: 3, plain: 3, lone: 1.5}


def page(rng, evaluation=False, held_out_font=False, side_max=900, kind=None):
    """A picture uint8 [height, width, 3], its lines of (text, corners [4, 2] in pixels), and the name of its kind."""
    kind = kind or rng.choices(list(KINDS), list(KINDS.values()))[0]
    width = int(math.exp(rng.uniform(math.log(220), math.log(side_max))))
    height = min(max(int(width * math.exp(rng.uniform(-0.9, 0.4))), 60), side_max)
    if kind in (lone, plain) and rng.random() < 0.6:
        width, height = rng.randint(100, 420), rng.randint(36, 200)
    made = Page(rng, width, height, evaluation, held_out_font)
    kind(made)
    if not made.lines:
        return page(rng, evaluation, held_out_font, side_max)
    alpha = np.asarray(made.mask, np.float32)
    lines = made.lines
    if kind not in (plain, lone) and rng.random() < 0.3:
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), max(-3, min(3, rng.gauss(0, 1.5))), 1)
        turned = [[(text, corners @ turn[:, :2].T.astype(np.float32) + turn[:, 2].astype(np.float32)) for text, corners in line] for line in lines]
        if all((c >= 0).all() and (c <= (width, height)).all() for line in turned for _, c in line):
            alpha, lines = cv2.warpAffine(alpha, turn, (width, height), flags=cv2.INTER_LINEAR), turned
    alpha = alpha[..., None] / 255
    paper = np.full((height, width, 3), 255, np.float32) if kind is plain else scene.background(rng, width, height, made.paper)
    if kind in (receipt, paragraph, sign) and rng.random() < 0.15:
        y = rng.randrange(height)
        cv2.line(paper, (0, y), (width, y), tuple(float(v) for v in made.ink), rng.randint(1, 2))
        alpha_line = [c for line in lines for _, c in line if c[:, 1].min() - 3 < y < c[:, 1].max() + 3]
        if alpha_line:
            paper = scene.background(rng, width, height, made.paper)
    picture = paper * (1 - alpha) + np.array(made.ink, np.float32) * alpha
    picture = np.clip(picture, 0, 255).astype(np.uint8) if kind is plain else scene.degrade(rng, picture)
    return picture, lines, kind.__name__
