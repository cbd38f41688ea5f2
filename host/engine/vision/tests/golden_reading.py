"""Writes what docTR makes of small maps, numbers and pictures: tests/golden/reading.json, tests/golden/reading/{detection,recognition}.onnx and config.json.

Run: python tests/golden_reading.py   (python-doctr 1.1.0, torch, onnx)
"""

import json
import pathlib

import doctr.transforms.modules.pytorch
import numpy as np
import torch
from PIL import Image
from torch import nn

from doctr.models.builder import DocumentBuilder
from doctr.models.detection.differentiable_binarization.base import DBPostProcessor
from doctr.models.detection.predictor import DetectionPredictor
from doctr.models.predictor.pytorch import OCRPredictor
from doctr.models.preprocessor import PreProcessor
from doctr.models.recognition.crnn.pytorch import CTCPostProcessor
from doctr.models.recognition.predictor import RecognitionPredictor
from doctr.models.recognition.predictor._utils import remap_preds, split_crops

GOLDEN = pathlib.Path(__file__).parent / "golden"
VOCAB = "abcdefghijklmnopqrst"
SIDE = 256
DETECTION = {"mean": [0.798, 0.785, 0.772], "std": [0.264, 0.2749, 0.287]}
RECOGNITION = {"mean": [0.694, 0.695, 0.693], "std": [0.299, 0.296, 0.301]}


def random(seed):
    return np.random.default_rng(seed)


def map_case(seed, width, height, count):
    """Rectangles of probabilities in sixteenths, some above others, some hollow: [x, y, width, height, sixteenths]."""
    rng, rectangles = random(seed), []
    for _ in range(count):
        w, h = int(rng.integers(2, width // 2)), int(rng.integers(2, max(height // 6, 4)))
        x, y = int(rng.integers(0, width - w + 1)), int(rng.integers(0, height - h + 1))
        rectangles.append([x, y, w, h, int(rng.integers(1, 17))])
        if w > 12 and h > 8:
            rectangles.append([x + 4, y + 3, w - 8, h - 6, 0])
    values = np.zeros((height, width, 1), np.float32)
    for x, y, w, h, level in rectangles:
        values[y:y + h, x:x + w] = level / 16
    boxes = DBPostProcessor()(values[None])[0][0]
    return {"width": width, "height": height, "rectangles": rectangles, "boxes": np.round(boxes, 6).tolist()}


def logits_case(seed, steps):
    """Logits in eighths, and what is read from them."""
    rng = random(seed)
    eighths = rng.integers(-24, 25, (steps, len(VOCAB) + 1))
    for step, best in enumerate(np.repeat(rng.integers(0, len(VOCAB) + 1, steps), 2)[:steps]):
        eighths[step, best] = 40 + step % 3
    logits = torch.tensor(eighths / 8, dtype=torch.float32)
    text, confidence = CTCPostProcessor(vocab=VOCAB)(logits[None])[0]
    return {"eighths": eighths.tolist(), "text": text, "confidence": confidence}


def pieces_case(seed, width, height):
    """Where a wide word is cut, and what its pieces' texts make: texts that overlap, with mistakes."""
    rng = random(seed)
    crops, crop_map, _ = split_crops([np.arange(width, dtype=np.int64)[None, :, None].repeat(height, 0)], 8, 6, 0.5)
    columns = [[int(crop[0, 0, 0]), int(crop[0, -1, 0]) + 1] for crop in crops]
    truth = [VOCAB[i] for i in rng.integers(0, 4 if seed % 2 else len(VOCAB), max(width * 2 // (3 * height), 1))]
    texts = []
    for start, end in columns:
        letters = [letter if rng.random() > 0.12 else VOCAB[rng.integers(0, len(VOCAB))] for letter in truth[round(start * len(truth) / width):round(end * len(truth) / width)]]
        texts.append(("".join(letters), float(np.round(rng.random(), 3))))
    (text, confidence), = remap_preds(texts, crop_map, 0.5)
    return {"width": width, "height": height, "columns": columns, "read": texts, "text": text, "confidence": confidence}


def layout_case(seed, width, height, count):
    """Words strewn or in columns, in thousandths of the picture, and docTR's lines and blocks."""
    rng, boxes = random(seed), []
    if seed % 2:
        boxes = [[x, y, x + int(rng.integers(20, 120)), y + int(rng.integers(15, 40))] for x, y in rng.integers(0, 860, (count, 2)).tolist()]
    else:
        for column in range(2):
            y = 40 + int(rng.integers(0, 40))
            for _ in range(count // 10):
                x = 40 + column * 500
                for _ in range(5):
                    w = int(rng.integers(20, 90))
                    boxes.append([x, y + int(rng.integers(-3, 4)), x + w, y + 22 + int(rng.integers(-3, 4))])
                    x += w + int(rng.integers(4, 14))
                y += 30 + int(rng.random() < 0.3) * 150
        boxes = [boxes[i] for i in rng.permutation(len(boxes)) if max(boxes[i]) <= 1000]
    relative = np.asarray(boxes, np.float64) / 1000
    words = [(str(i), 1.0) for i in range(len(boxes))]
    made = DocumentBuilder(resolve_blocks=True)._build_blocks(relative, np.ones(len(boxes)), words, [None] * len(boxes), (height, width))
    blocks = [[[int(word.value) for word in line.words] for line in block.lines] for block in made]
    return {"width": width, "height": height, "boxes": boxes, "blocks": blocks}


class Detector(nn.Module):
    """Bright pixels and their neighbours: a page [batch, 3, H, W] to logits [batch, 1, H, W]."""

    def __init__(self):
        super().__init__()
        self.mix = nn.Conv2d(3, 1, 1)
        self.grow = nn.MaxPool2d(5, 1, 2)
        nn.init.constant_(self.mix.weight, 1.5)
        nn.init.constant_(self.mix.bias, 4.0)

    def forward(self, x):
        return self.grow(self.mix(x))


class Recogniser(nn.Module):
    """A word [batch, 3, 32, 128] to logits [batch, 16, characters + 1]."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(5)
        self.body = nn.Sequential(nn.Conv2d(3, 12, (8, 8), (8, 8)), nn.ReLU(), nn.Conv2d(12, len(VOCAB) + 1, (4, 3), padding=(0, 1)))
        with torch.no_grad():
            # Edges count, brightness does not: so that different words are read differently.
            for layer, gain in (self.body[0], 8), (self.body[2], 16):
                layer.weight.sub_(layer.weight.mean((1, 2, 3), keepdim=True)).mul_(gain)

    def forward(self, x):
        return self.body(x).squeeze(2).transpose(1, 2)


class Found(nn.Module):
    """The detector as docTR's predictor calls it."""

    assume_straight_pages = True

    def __init__(self, network):
        super().__init__()
        self.network, self.postprocessor = network, DBPostProcessor()

    def forward(self, x, **_):
        maps = torch.sigmoid(self.network(x)).permute(0, 2, 3, 1).numpy()
        return {"preds": [{"words": preds[0]} for preds in self.postprocessor(maps)]}


class Read(nn.Module):
    """The recogniser as docTR's predictor calls it."""

    def __init__(self, network):
        super().__init__()
        self.network, self.postprocessor = network, CTCPostProcessor(vocab=VOCAB)

    def forward(self, x, **_):
        return {"preds": self.postprocessor(self.network(x))}


def picture_case(seed, width, height, predictor):
    """Bright words of small bars on a dark ground: [x, y, width, height, grey], painted in turn."""
    rng, rectangles = random(seed), [[0, 0, width, height, 20]]
    for y in range(8, height - 24, 34):
        x = 6 + int(rng.integers(0, 8))
        while x < width - 60:
            # One long and low word, which is read in pieces.
            is_long = y == 8
            word = width if is_long else x + int(rng.integers(20, 110))
            while x < min(word, width - 12):
                bar = int(rng.integers(2, 6))
                rectangles.append([x, y + int(rng.integers(0, 4)), bar, int(rng.integers(5, 8) if is_long else rng.integers(8, 16)), int(rng.integers(170, 256))])
                x += bar + 1
            x += int(rng.integers(26, 60))
    picture = np.zeros((height, width, 3), np.uint8)
    for x, y, w, h, grey in rectangles:
        picture[y:y + h, x:x + w] = grey, grey, max(grey - 30, 0)
    page = predictor([picture]).pages[0]
    blocks = [[[[word.value, word.confidence, *[float(round(value, 5)) for point in word.geometry for value in point]] for word in line.words if word.value] for line in block.lines] for block in page.blocks]
    return {"width": width, "height": height, "rectangles": rectangles, "blocks": blocks}


def resize(tensor, size, *_, **__):
    """Pillow's resize in place of torchvision's, which rounds otherwise: by one step of 255, but these networks tell even that apart."""
    picture = Image.fromarray(tensor.permute(1, 2, 0).numpy()).resize(tuple(size)[::-1], Image.BILINEAR)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1)


def write(network, shape, name):
    path = GOLDEN / "reading" / f"{name}.onnx"
    path.parent.mkdir(exist_ok=True)
    axes = {"input": {0: "batch"}, "logits": {0: "batch"}}
    torch.onnx.export(network, (torch.zeros(1, *shape),), str(path), input_names=["input"], output_names=["logits"], dynamic_axes=axes, opset_version=17, dynamo=False)


def main():
    torch.set_grad_enabled(False)
    doctr.transforms.modules.pytorch.F.resize = resize
    detector, recogniser = Detector().eval(), Recogniser().eval()
    write(detector, (3, SIDE, SIDE), "detection")
    write(recogniser, (3, 32, 128), "recognition")
    config = {"detection": {"input_shape": [3, SIDE, SIDE], **DETECTION}, "recognition": {"input_shape": [3, 32, 128], **RECOGNITION, "vocab": VOCAB}}
    (GOLDEN / "reading" / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    find = DetectionPredictor(PreProcessor((SIDE, SIDE), batch_size=1, preserve_aspect_ratio=True, symmetric_pad=True, **DETECTION), Found(detector))
    read = RecognitionPredictor(PreProcessor((32, 128), batch_size=32, preserve_aspect_ratio=True, **RECOGNITION), Read(recogniser))
    # docTR asks the networks for the place of their parameters.
    predictor = OCRPredictor(find, read, resolve_blocks=True)
    cases = {
        "maps": [map_case(seed, *size) for seed, size in enumerate([(64, 64, 6), (96, 48, 9), (33, 80, 7), (120, 120, 30), (16, 16, 3)])],
        "logits": [logits_case(10 + seed, steps) for seed, steps in enumerate([1, 2, 9, 16])],
        "pieces": [pieces_case(20 + seed, *size) for seed, size in enumerate([(80, 10), (81, 10), (200, 10), (333, 12), (500, 9), (97, 12), (640, 20), (12, 1)])],
        "layouts": [layout_case(40 + seed, *size) for seed, size in enumerate([(800, 1000, 80), (600, 600, 30), (1200, 700, 60), (500, 900, 12), (100, 100, 20)])],
        "pictures": [picture_case(60 + seed, *size, predictor) for seed, size in enumerate([(300, 200), (200, 300), (640, 120), (96, 96)])],
        "vocab": VOCAB,
    }
    (GOLDEN / "reading.json").write_text("{\n" + ",\n".join(f'"{name}": ' + (json.dumps(value, separators=(",", ":"))) for name, value in cases.items()) + "\n}\n")
    for case in cases["pictures"]:
        words = [word for block in case["blocks"] for line in block for word in line]
        print(len(words), "words,", len(case["blocks"]), "blocks:", *[word[0] for word in words])
    print([len(case["boxes"]) for case in cases["maps"]], [case["text"] for case in cases["logits"]], [case["text"] for case in cases["pieces"]], [len(case["blocks"]) for case in cases["layouts"]])


if __name__ == "__main__":
    main()
