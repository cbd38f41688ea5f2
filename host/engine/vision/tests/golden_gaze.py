"""Writes two tiny networks in the form of MediaPipe's short-range detector and of L2CS-Net, and what a plain reading of MediaPipe's and L2CS-Net's steps makes of them: tests/golden/gaze.json, tests/golden/gaze/*.onnx.

Run: python tests/golden_gaze.py   (torch, onnx, pillow, opencv)
"""

import json
import pathlib

import cv2
import numpy as np
import torch
from PIL import Image
from torch import nn

GOLDEN = pathlib.Path(__file__).parent / "golden"


class Faces(nn.Module):
    """Bright places: [batch, 3, 128, 128] to regressors [batch, 896, 16] and classificators [batch, 896, 1]."""

    def __init__(self, channels_last):
        super().__init__()
        torch.manual_seed(3)
        self.channels_last = channels_last
        self.heads = nn.ModuleList([nn.Conv2d(3, 34, 2, 2), nn.Conv2d(3, 102, 4, 4)])
        self.pool = nn.AvgPool2d(4, 4)
        for head, anchors, size in zip(self.heads, (2, 6), (2, 4)):
            weight, bias = head.weight, head.bias
            weight.mul_(2)
            bias.copy_(torch.randn(bias.shape) * 6)
            for anchor in range(anchors):
                score, box = anchors * 16 + anchor, anchor * 16
                weight[score] = torch.randn(weight[score].shape) * 2 / size + 4 / (3 * size * size)
                bias[score] = -5 + 0.3 * anchor
                bias[box + 2:box + 4] = torch.tensor([22.0, 26.0]) + torch.randn(2) * 3

    def forward(self, x):
        if self.channels_last:
            x = x.permute(0, 3, 1, 2)
        x = self.pool(x)
        regressors, scores = [], []
        for head, anchors in zip(self.heads, (2, 6)):
            y = head(x)
            regressors.append(y[:, :anchors * 16].permute(0, 2, 3, 1).reshape(x.shape[0], -1, 16))
            scores.append(y[:, anchors * 16:].permute(0, 2, 3, 1).reshape(x.shape[0], -1, 1))
        return torch.cat(regressors, 1), torch.cat(scores, 1)


class Gaze(nn.Module):
    """A face [batch, 3, 448, 448] to 90 bins of yaw and 90 of pitch."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(4)
        self.body = nn.Conv2d(3, 4, 28, 28)
        self.pool = nn.AvgPool2d(8, 8)
        self.yaw, self.pitch = nn.Linear(16, 90), nn.Linear(16, 90)
        for parameter in self.parameters():
            parameter.mul_(4)

    def forward(self, x):
        x = self.pool(self.body(x)).flatten(1)
        return self.yaw(x), self.pitch(x)


def rectangles(seed, width, height):
    rng = np.random.default_rng(seed)
    out = [[0, 0, width, height, 40]]
    for _ in range(3):
        w, h = int(rng.integers(width // 8, width // 3)), int(rng.integers(height // 5, height // 2))
        x, y = int(rng.integers(0, width - w)), int(rng.integers(0, height - h))
        out += [[x, y, w, h, int(rng.integers(190, 256))], [x + w // 4, y + h // 3, w // 8, h // 8, 30], [x + w // 2, y + h // 2, w // 6, h // 8, 120]]
    return out


def painted(case):
    picture = np.zeros((case["height"], case["width"], 3), np.uint8)
    for x, y, w, h, grey in case["rectangles"]:
        picture[y:y + h, x:x + w] = grey, grey, max(grey - 30, 0)
    # Darker to the right and below, so that no two places are alike.
    shade = np.arange(picture.shape[1])[None] * 40 // picture.shape[1] + np.arange(picture.shape[0])[:, None] * 17 // picture.shape[0]
    return np.clip(picture.astype(int) - shade[..., None], 0, 255).astype(np.uint8)


def squared(picture):
    """A picture in 128 x 128 pixels, centred on black; and where it is: left, top, width, height as parts of the square."""
    height, width = picture.shape[:2]
    scale = 128 / max(width, height)
    size = max(int(width * scale + 1e-9), 1), max(int(height * scale + 1e-9), 1)
    left, top = -((size[0] - 128) // 2), -((size[1] - 128) // 2)
    out = np.zeros((128, 128, 3), np.uint8)
    out[top:top + size[1], left:left + size[0]] = np.asarray(Image.fromarray(picture).resize(size, Image.BILINEAR))
    side = max(width, height)
    return out, ((1 - width / side) / 2, (1 - height / side) / 2, width / side, height / side)


def anchors():
    out = []
    for cells, each in (16, 2), (8, 6):
        for y in range(cells):
            for x in range(cells):
                out += [((x + 0.5) / cells, (y + 0.5) / cells)] * each
    return np.array(out)


def overlap(a, b):
    w, h = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(w, 0) * max(h, 0)
    return both / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - both)


def faces(regressors, scores):
    """Decoding and weighted suppression: [(score, [left, top, right, bottom, x, y, ...])]."""
    scores = 1 / (1 + np.exp(-np.clip(scores.astype(np.float64), -100, 100)))
    raw, centres = regressors.astype(np.float64) / 128, anchors()
    xy = raw[:, :2] + centres
    rows = np.concatenate([xy - raw[:, 2:4] / 2, xy + raw[:, 2:4] / 2, (raw[:, 4:].reshape(-1, 6, 2) + centres[:, None]).reshape(-1, 12)], 1)
    left = [int(i) for i in np.argsort(-scores, kind="stable") if scores[i] >= 0.5]
    out = []
    while left:
        same = [i for i in left if overlap(rows[left[0]], rows[i]) > 0.3]
        out.append((float(scores[left[0]]), (rows[same] * scores[same, None]).sum(0) / scores[same].sum()))
        left = [i for i in left if i not in same]
    return out


def angles(network, face):
    """L2CS-Net's angles of a crop."""
    small = torch.from_numpy(cv2.resize(face, (224, 224))).permute(2, 0, 1)[None].float() / 255
    x = nn.functional.interpolate(small, (448, 448), mode="bilinear", align_corners=False)
    x = (x - torch.tensor([0.485, 0.456, 0.406])[:, None, None]) / torch.tensor([0.229, 0.224, 0.225])[:, None, None]
    bins = torch.arange(90)
    return [float((torch.softmax(y[0].double(), 0) * bins).sum() * 4 - 180) * np.pi / 180 for y in network(x)]


def case(seed, width, height, find, network):
    out = {"width": width, "height": height, "rectangles": rectangles(seed, width, height)}
    picture = painted(out)
    square, (left, top, w, h) = squared(picture)
    x = torch.from_numpy(square).permute(2, 0, 1)[None].float() / 127.5 - 1
    regressors, scores = find(x)
    found = []
    for score, row in faces(regressors[0].numpy(), scores[0, :, 0].numpy()):
        xs, ys = (row[0::2] - left) / w * width, (row[1::2] - top) / h * height
        box = [int(np.floor(np.clip(value, 0, side) + 0.5)) for value, side in zip([xs[0], ys[0], xs[1], ys[1]], [width, height] * 2)]
        if box[0] >= box[2] or box[1] >= box[3]:
            continue
        points = [[min(max(int(x), 0), width - 1), min(max(int(y), 0), height - 1)] for x, y in zip(xs[2:], ys[2:])]
        found.append({"score": score, "box": box, "points": points, "angles": angles(network, picture[box[1]:box[3], box[0]:box[2]])})
    return {**out, "faces": found, "whole": angles(network, picture)}


def write(network, shape, name, outputs, dynamic):
    path = GOLDEN / "gaze" / f"{name}.onnx"
    path.parent.mkdir(exist_ok=True)
    axes = {port: {0: "batch"} for port in ["input", *outputs]} if dynamic else None
    torch.onnx.export(network, (torch.zeros(1, *shape),), str(path), input_names=["input"], output_names=outputs, dynamic_axes=axes, opset_version=17, dynamo=False)


def main():
    torch.set_grad_enabled(False)
    find, network = Faces(False).eval(), Gaze().eval()
    write(find, (3, 128, 128), "faces", ["regressors", "classificators"], False)
    write(Faces(True).eval(), (128, 128, 3), "faces_channels_last", ["regressors", "classificators"], False)
    write(network, (3, 448, 448), "angles", ["yaw", "pitch"], True)
    cases = [case(seed, *size, find, network) for seed, size in enumerate([(320, 240), (200, 333), (128, 128), (90, 50)])]
    (GOLDEN / "gaze.json").write_text("[\n" + ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases) + "\n]\n")
    print([[(round(face["score"], 3), face["box"], [round(angle, 2) for angle in face["angles"]]) for face in case["faces"]] for case in cases])


if __name__ == "__main__":
    main()
