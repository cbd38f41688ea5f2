"""Writes golden/: tiny networks, pictures, and what the two servers of such models make of them.

Networks are those of YOLOv5, v8, v10 and v11 in small, with weights of chance, scaled so that many sure boxes overlap. They run in
onnxruntime; what comes before and after is written here after the published sources of roboflow/inference 1.8.3 (`inference/core`: the
legacy rules) and inference-models 0.39.6 (`models/common/roboflow`: the modern ones), with OpenCV, scikit-image and pycocotools.

    pip install numpy torch onnx onnxruntime onnxscript opencv-python-headless scikit-image pycocotools
    OMP_NUM_THREADS=1 python make_golden.py
"""

import json
import pathlib
import struct

import cv2
import numpy as np
import onnx
import onnxruntime
import torch
from pycocotools import mask as coco
from skimage import exposure
from torch import nn
from torch.nn import functional

GOLDEN = pathlib.Path(__file__).parent / "golden"
CLASSES = ["red", "green", "blue"]


# Networks.


class Conv(nn.Module):
    def __init__(self, before, after, kernel=1, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, stride, kernel // 2)

    def forward(self, x):
        return functional.silu(self.conv(x))


class Split(nn.Module):
    """C2f with one bottleneck."""

    def __init__(self, width):
        super().__init__()
        self.first = Conv(width, width)
        self.inner = nn.Sequential(Conv(width // 2, width // 2, 3), Conv(width // 2, width // 2, 3))
        self.last = Conv(width * 3 // 2, width)

    def forward(self, x):
        one, two = self.first(x).chunk(2, 1)
        return self.last(torch.cat([one, two, two + self.inner(two)], 1))


class Attention(nn.Module):
    """What v11 has at its coarsest."""

    def __init__(self, width, heads=2):
        super().__init__()
        self.heads, self.mix, self.out = heads, nn.Conv2d(width, width * 3, 1), nn.Conv2d(width, width, 1)

    def forward(self, x):
        batch, width, height, length = x.shape
        q, k, v = self.mix(x).view(-1, self.heads, 3 * width // self.heads, height * length).chunk(3, 2)
        weights = (q.transpose(-2, -1) @ k * (width // self.heads) ** -0.5).softmax(-1)
        return x + self.out((v @ weights.transpose(-2, -1)).reshape(-1, width, height, length))


class Backbone(nn.Module):
    def __init__(self, has_attention=False):
        super().__init__()
        self.stem = nn.Sequential(Conv(3, 8, 3, 2), Conv(8, 8, 3, 2))
        self.stages = nn.ModuleList([nn.Sequential(Conv(a, b, 3, 2), Split(b)) for a, b in [(8, 12), (12, 12), (12, 12)]])
        self.attention = Attention(12) if has_attention else nn.Identity()
        self.pool, self.after = nn.MaxPool2d(5, 1, 2), Conv(24, 12)
        self.up = nn.Upsample(scale_factor=2)
        self.merge = nn.ModuleList([Conv(24, 12), Conv(24, 12)])

    def forward(self, x):
        levels = []
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
            levels.append(x)
        coarse = self.attention(self.after(torch.cat([levels[2], self.pool(levels[2])], 1)))
        middle = self.merge[0](torch.cat([self.up(coarse), levels[1]], 1))
        fine = self.merge[1](torch.cat([self.up(middle), levels[0]], 1))
        return [fine, middle, coarse]


def anchors(height, width):
    points, strides = [], []
    for stride in (8, 16, 32):
        y, x = torch.meshgrid(torch.arange(height // stride) + 0.5, torch.arange(width // stride) + 0.5, indexing="ij")
        points.append(torch.stack([x.flatten(), y.flatten()]))
        strides.append(torch.full((1, x.numel()), float(stride)))
    return torch.cat(points, 1), torch.cat(strides, 1)


class V8(nn.Module):
    """`extra`: coefficients of masks, or three numbers for each point."""

    def __init__(self, height, width, classes, kind="detect", points=0, has_attention=False, bins=8):
        super().__init__()
        self.backbone, self.classes, self.kind, self.bins = Backbone(has_attention), classes, kind, bins
        self.extra = {"detect": 0, "segment": 32, "pose": points * 3, "suppressed": 0}[kind]
        self.heads = nn.ModuleList([nn.Conv2d(12, bins * 4 + classes + self.extra, 1) for _ in range(3)])
        self.protos = nn.Sequential(nn.AvgPool2d(3, 1, 1), nn.Upsample(scale_factor=2, mode="bilinear"), nn.Conv2d(12, 32, 1))
        points, strides = anchors(height, width)
        self.register_buffer("points", points)
        self.register_buffer("strides", strides)
        self.register_buffer("steps", torch.arange(bins).float().view(1, bins, 1, 1))

    def raw(self, x):
        levels = self.backbone(x)
        return levels, torch.cat([head(level).flatten(2) for head, level in zip(self.heads, levels)], 2)

    def forward(self, x):
        levels, raw = self.raw(x)
        box, score, extra = raw.split([self.bins * 4, self.classes, self.extra], 1)
        box = (box.view(-1, 4, self.bins, box.shape[2]).transpose(1, 2).softmax(1) * self.steps).sum(1)
        near, far = box.chunk(2, 1)
        low, high = self.points - near, self.points + far
        score = score.sigmoid()
        if self.kind == "suppressed":
            corners = torch.cat([low, high], 1) * self.strides
            best, index = score.amax(1).topk(20, 1)
            rows = torch.cat([corners, score], 1).transpose(1, 2).gather(1, index.unsqueeze(2).expand(-1, -1, 4 + self.classes))
            top, ids = rows[..., 4:].max(2, keepdim=True)
            return torch.cat([rows[..., :4], top, ids.float()], 2)
        boxes = torch.cat([(low + high) / 2, high - low], 1) * self.strides
        if self.kind == "pose":
            extra = extra.view(-1, self.extra // 3, 3, extra.shape[2])
            place = (extra[:, :, :2] * 2 + (self.points - 0.5)) * self.strides
            extra = torch.cat([place, extra[:, :, 2:].sigmoid()], 2).flatten(1, 2)
        output = torch.cat([boxes, score, extra], 1)
        return (output, self.protos(levels[0])) if self.kind == "segment" else output


class V5(nn.Module):
    def __init__(self, height, width, classes):
        super().__init__()
        self.backbone, self.classes = Backbone(), classes
        self.heads = nn.ModuleList([nn.Conv2d(12, 5 + classes, 1) for _ in range(3)])
        points, strides = anchors(height, width)
        self.register_buffer("points", points.T - 0.5)
        self.register_buffer("strides", strides.T)
        self.register_buffer("sizes", strides.T * 3)

    def raw(self, x):
        levels = self.backbone(x)
        return levels, torch.cat([head(level).flatten(2) for head, level in zip(self.heads, levels)], 2)

    def forward(self, x):
        values = self.raw(x)[1].transpose(1, 2).sigmoid()
        xy, wh, rest = values.split([2, 2, 1 + self.classes], 2)
        return torch.cat([(xy * 2 + self.points) * self.strides, (wh * 2) ** 2 * self.sizes, rest], 2)


class Classifier(nn.Module):
    def __init__(self, classes, is_softmaxed):
        super().__init__()
        self.stem = nn.Sequential(Conv(3, 8, 3, 2), Conv(8, 12, 3, 2), Conv(12, 16, 3, 2))
        self.last, self.is_softmaxed = nn.Linear(16, classes), is_softmaxed

    def forward(self, x):
        x = self.last(functional.adaptive_avg_pool2d(self.stem(x), 1).flatten(1))
        return x.softmax(1) if self.is_softmaxed else x


def calibrate(model, pictures):
    """Scales weights so that layers keep their spread and heads give many sure boxes."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, Conv):
                module.conv.weight *= 2.2
        levels, _ = model.raw(pictures)
        aims = []
        if isinstance(model, V8):
            for _ in range(4):
                aims += [(1.5 - 0.8 * step, 1.2) for step in range(model.bins)]
            aims += [(-1.9, 1.8)] * model.classes
            aims += [(0.0, 1.0)] * model.extra
        else:
            aims += [(0.0, 0.8)] * 4 + [(-1.0, 2.0)] + [(0.0, 2.0)] * model.classes
        want_mean, want_spread = (torch.tensor(values) for values in zip(*aims))
        for head, level in zip(model.heads, levels):
            raw = head(level).flatten(2)
            mean, spread = raw.mean((0, 2)), raw.std((0, 2)) + 1e-3
            scale = want_spread / spread
            head.weight *= scale.view(-1, 1, 1, 1)
            head.bias.copy_((head.bias - mean) * scale + want_mean)


def export(model, name, height, width, is_batched=True, notes=None):
    path = GOLDEN / f"{name}.onnx"
    dynamic = {"images": {0: "batch"}} if is_batched else None
    torch.onnx.export(model.eval(), (torch.zeros(2 if is_batched else 1, 3, height, width),), path, input_names=["images"],
                      output_names=["output0", "output1"][: 2 if getattr(model, "kind", "") == "segment" else 1],
                      dynamic_axes=dynamic, opset_version=17, dynamo=False)
    network = onnx.load(path)
    for output in network.graph.output:
        output.type.tensor_type.shape.dim[0].ClearField("dim_value")
        if is_batched:
            output.type.tensor_type.shape.dim[0].dim_param = "batch"
        else:
            output.type.tensor_type.shape.dim[0].dim_value = 1
    onnx.helper.set_model_props(network, notes or {})
    onnx.save(network, path)
    assert path.stat().st_size < 150 << 10, (name, path.stat().st_size)


# Pictures.


def scene(seed, width, height):
    chance = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    picture = np.stack([x / width * 120 + 40, y / height * 140 + 30, (x + y) / (width + height) * 90 + 60], 2)
    picture = picture.astype(np.uint8)
    for _ in range(12):
        color = tuple(int(c) for c in chance.integers(0, 256, 3))
        center = int(chance.integers(0, width)), int(chance.integers(0, height))
        size = int(chance.integers(3, max(4, width // 4))), int(chance.integers(3, max(4, height // 4)))
        if chance.random() < 0.5:
            cv2.ellipse(picture, center, size, float(chance.integers(0, 180)), 0, 360, color, -1)
        else:
            cv2.rectangle(picture, center, (center[0] + size[0], center[1] + size[1]), color, -1)
    noise = chance.integers(-6, 7, picture.shape)
    return np.clip(picture.astype(int) + noise, 0, 255).astype(np.uint8)


PICTURES = {"wide": scene(1, 160, 120), "tall": scene(2, 61, 97), "small": scene(3, 40, 30), "long": scene(4, 200, 50)}


# Before the network. Pictures are RGB.


def gray(picture):
    return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, 2)


def contrast(picture, kind, rules):
    if kind == "Contrast Stretching":
        return exposure.rescale_intensity(picture, in_range=tuple(np.percentile(picture, (2, 98))))
    if rules == "legacy":
        one = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
        clahe = cv2.createCLAHE(clipLimit=0.03, tileGridSize=(8, 8))
        one = cv2.equalizeHist(one) if kind == "Histogram Equalization" else clahe.apply(one)
        return np.repeat(one[..., None], 3, 2)
    unit = picture.astype(np.float32) / 255
    changed = exposure.equalize_hist(unit) if kind == "Histogram Equalization" else exposure.equalize_adapthist(unit, clip_limit=0.03)
    return (changed * 255).astype(np.uint8)


def prepare(picture, steps, width, height, rules):
    """The pixels for a network, and where they came from."""
    full = picture.shape[1], picture.shape[0]
    left, top, right, bottom = 0, 0, *full
    crop = steps.get("crop")
    if crop:
        left, right = (int(percent / 100 * full[0]) for percent in crop[0::2])
        top, bottom = (int(percent / 100 * full[1]) for percent in crop[1::2])
    picture = picture[top:bottom, left:right]
    jobs = [("gray", steps.get("gray")), ("contrast", steps.get("contrast"))]
    for name, value in jobs if rules == "modern" else reversed(jobs):
        if value:
            picture = gray(picture) if name == "gray" else contrast(picture, value, rules)
    h, w = picture.shape[:2]
    fit, fill = steps.get("fit", "stretch"), steps.get("fill", 0)
    scale = min(width / w, height / h)
    if fit == "stretch":
        canvas, pads, scales = resize(picture, width, height, rules), (0, 0, 0, 0), (width / w, height / h)
    elif fit == "letterbox":
        if rules == "modern":
            size = int(w * scale), int(h * scale)
        else:
            size = (width, int(width / (w / h))) if w / h >= width / height else (int(height * (w / h)), height)
        x, y = (width - size[0]) // 2, (height - size[1]) // 2
        canvas = np.full((height, width, 3), fill, np.uint8)
        canvas[y:y + size[1], x:x + size[0]] = cv2.resize(picture, size)
        pads, scales = (x, y, width - x - size[0], height - y - size[1]), (scale, scale)
    else:
        canvas = np.zeros((height, width, 3), np.uint8)
        x, y = max(width - w, 0) // 2, max(height - h, 0) // 2
        cut_x, cut_y = max(w - width, 0) // 2, max(h - height, 0) // 2
        part = picture[cut_y:cut_y + height, cut_x:cut_x + width]
        canvas[y:y + part.shape[0], x:x + part.shape[1]] = part
        before = x - cut_x, y - cut_y
        pads, scales = (*before, width - w - before[0], height - h - before[1]), (1.0, 1.0)
    return canvas, {"full": full, "crop": (left, top, right - left, bottom - top), "percent": crop, "net": (width, height), "pads": pads,
                    "scales": scales, "fit": fit}


def resize(picture, width, height, rules):
    """The legacy server stretches in single precision, without rounding."""
    return cv2.resize(picture.astype(np.float32) if rules == "legacy" else picture, (width, height))


def tensor(pixels, steps):
    values = pixels.astype(np.float32)
    if steps.get("bgr"):
        values = values[..., ::-1]
    values = values / np.float32(steps.get("scaling", 255))
    mean, deviation = steps.get("normalization", ([0, 0, 0], [1, 1, 1]))
    values = (values - np.float32(mean)) / np.float32(deviation)
    return np.ascontiguousarray(values.transpose(2, 0, 1)[None]).astype(np.float32)


# After the network.


def overlap(one, others, rules):
    pixel = np.float32(rules == "legacy")
    area = lambda box: (box[..., 2] - box[..., 0] + pixel) * (box[..., 3] - box[..., 1] + pixel)
    w = np.maximum(0, np.minimum(one[2], others[:, 2]) - np.maximum(one[0], others[:, 0]) + pixel)
    h = np.maximum(0, np.minimum(one[3], others[:, 3]) - np.maximum(one[1], others[:, 1]) + pixel)
    return w * h / (area(others) if rules == "legacy" else area(one) + area(others) - w * h)


def detect(output, layout, classes, options):
    """Boxes that stay: corners, confidence, class and what comes after, best first."""
    rules, least = options["post_processing"], np.float32(options["confidence"])
    if layout == "suppressed":
        rows = output[output[:, 4] >= least]
        rows = rows[np.argsort(-rows[:, 4], kind="stable")][: options["detections_max"]]
        return [(row[:4], row[4], int(row[5]), row[6:]) for row in rows]
    if layout == "columns":
        rows = output.T
        scores, rest = rows[:, 4:4 + classes], rows[:, 4 + classes:]
    else:
        rows = output
        scores, rest = rows[:, 5:5 + classes] * rows[:, 4:5], rows[:, 5 + classes:]
    best, ids = scores.max(1), scores.argmax(1)
    sure = best >= least if rules == "legacy" else best > least
    boxes, best, ids, rest = rows[sure, :4], best[sure], ids[sure], rest[sure]
    boxes = np.concatenate([boxes[:, :2] - boxes[:, 2:] / 2, boxes[:, :2] + boxes[:, 2:] / 2], 1)
    order = list(np.argsort(-best, kind="stable")[: options["candidates_max"]])
    kept = []
    while order:
        first = order.pop(0)
        kept.append(first)
        if order:
            rivals = np.array(order)
            gone = overlap(boxes[first], boxes[rivals], rules) > np.float32(options["iou"])
            if not options["is_class_agnostic"]:
                gone &= ids[rivals] == ids[first]
            order = list(rivals[~gone])
    return [(boxes[i], best[i], int(ids[i]), rest[i]) for i in kept[: options["detections_max"]]]


def legacy_frame(meta):
    w, h = meta["full"]
    x0, y0, x1, y1 = [percent / 100 for percent in meta["percent"] or (0, 0, 100, 100)]
    return round(x0 * w), round(y0 * h), round(w * (x1 - x0)), round(h * (y1 - y0))


def legacy_back(points, meta, grid, is_rounded):
    """Points of a grid to the part that is looked at."""
    _, _, w, h = legacy_frame(meta)
    if meta["fit"] != "letterbox":
        return points * [w / grid[0], h / grid[1]]
    scale = min(grid[1] / h, grid[0] / w)
    whole = round if is_rounded else int
    return (points - [(grid[0] - whole(w * scale)) / 2, (grid[1] - whole(h * scale)) / 2]) / scale


def place_box(box, meta, rules):
    if rules == "legacy":
        x, y, w, h = legacy_frame(meta)
        points = legacy_back(box.astype(np.float64).reshape(2, 2), meta, meta["net"], True)
        return (np.round(np.clip(points, 0, [w, h])) + [x, y]).flatten()
    points = (box.reshape(2, 2) - np.float32(meta["pads"][:2])) / np.float32(meta["scales"]) + np.float32(meta["crop"][:2])
    return np.round(np.clip(points, 0, meta["full"])).flatten()


def place_points(values, meta, names, options):
    rules = options["post_processing"]
    found = []
    for index, (x, y, confidence) in enumerate(values.reshape(-1, 3)[: len(names)]):
        if confidence < options["keypoint_confidence"]:
            continue
        if rules == "legacy":
            left, top, w, h = legacy_frame(meta)
            point = legacy_back(np.array([[x, y]], np.float64), meta, meta["net"], False)[0]
            point = np.round(np.clip(point, 0, [w, h])) + [left, top]
        else:
            point = (np.float32([x, y]) - np.float32(meta["pads"][:2])) / np.float32(meta["scales"]) + np.float32(meta["crop"][:2])
            point = np.round(point)
        found.append({"x": float(point[0]), "y": float(point[1]), "confidence": float(confidence), "id": index, "name": names[index]})
    return found


def outline(mask):
    contours = cv2.findContours(mask.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0]
    if not contours:
        return np.zeros((0, 2))
    return contours[int(np.argmax([len(contour) for contour in contours]))].reshape(-1, 2).astype(np.float64)


def legacy_polygon(box, coefficients, protos, meta, options):
    _, mh, mw = protos.shape
    width, height = meta["net"]
    mask = 1 / (1 + np.exp(-np.einsum("c,chw->hw", coefficients, protos)))
    mode, factor = options["mask_mode"], options.get("tradeoff", 0.0)
    factor = {"accurate": 1.0, "fast": 0.0}.get(mode, factor)
    grid = int(mw * (1 - factor) + width * factor), int(mh * (1 - factor) + height * factor)
    if factor:
        mask = cv2.resize(mask, grid)
    scale = np.array([grid[0] / width, grid[1] / height] * 2)
    x0, y0, x1, y1 = box.astype(np.float64) * scale
    y, x = np.mgrid[0:grid[1], 0:grid[0]]
    mask = (mask * ((x >= x0) & (x < x1) & (y >= y0) & (y < y1))) >= 0.5
    left, top, _, _ = legacy_frame(meta)
    return legacy_back(outline(mask), meta, grid, False) + [left, top]


def modern_masks(boxes, coefficients, protos, meta, factor):
    """Masks on the picture or a coarser grid, and boxes there."""
    width, height = meta["net"]
    _, mh, mw = protos.shape
    masks = torch.einsum("chw,nc->nhw", torch.from_numpy(protos), torch.from_numpy(coefficients)).sigmoid()
    cells = torch.round(torch.from_numpy(boxes) * 0.25)
    x, y = torch.arange(mw)[None, None], torch.arange(mh)[None, :, None]
    x0, y0, x1, y1 = (cells[:, i][:, None, None] for i in range(4))
    masks = masks * ((x >= x0) & (x < x1) & (y >= y0) & (y < y1))
    left, top, right, bottom = (round(pad * scale) for pad, scale in zip(meta["pads"], [mw / width, mh / height] * 2))
    masks = functional.pad(masks, [-left, -right, -top, -bottom])
    crop_x, crop_y, crop_w, crop_h = meta["crop"]
    size = crop_h, crop_w
    if factor < 1:
        size = tuple(max(1, round(own * (1 - factor) + side * factor)) for own, side in zip(masks.shape[1:], size))
    masks = functional.interpolate(masks[None], size, mode="bilinear", antialias=True)[0] > 0.5
    ratio = size[1] / crop_w, size[0] / crop_h
    at = round(crop_x * ratio[0]), round(crop_y * ratio[1])
    full_w, full_h = meta["full"]
    grid = max(round(full_w * ratio[0]), at[0] + size[1]), max(round(full_h * ratio[1]), at[1] + size[0])
    canvas = np.zeros((len(boxes), grid[1], grid[0]), bool)
    canvas[:, at[1]:at[1] + size[0], at[0]:at[0] + size[1]] = masks.numpy()
    scales = np.float32([meta["scales"][0] / ratio[0], meta["scales"][1] / ratio[1]] * 2)
    boxes = np.clip((boxes - np.float32(meta["pads"][:2] * 2)) / scales + np.float32(at * 2), 0, np.float32(grid * 2))
    return canvas, np.round(boxes) if grid == meta["full"] else boxes, grid


# Cases.


DEFAULTS = {"confidence": 0.5, "iou": 0.3, "detections_max": 300, "candidates_max": 3000, "is_class_agnostic": False, "classes": [],
            "keypoint_confidence": 0.0, "post_processing": "modern", "mask_mode": "accurate", "tradeoff": 0.0, "mask_form": "polygon",
            "is_mask_reduced": False}
SESSIONS = {}
CASES = []


def run(network, values):
    if network not in SESSIONS:
        SESSIONS[network] = onnxruntime.InferenceSession(str(GOLDEN / f"{network}.onnx"))
    return SESSIONS[network].run(None, {"images": values})


def is_stable(output, layout, classes, options):
    """Whether small errors of numbers change which boxes stay."""
    def key(output, **changes):
        return [(np.round(box), ids) for box, _, ids, _ in detect(output, layout, classes, {**options, **changes})]
    same = lambda a, b: len(a) == len(b) and all(np.abs(x[0] - y[0]).max() < 2 and x[1] == y[1] for x, y in zip(a, b))
    first = key(output)
    tries = [key(output, confidence=options["confidence"] + d) for d in (-1e-3, 1e-3)]
    tries += [key(output, iou=options["iou"] + d) for d in (-1e-3, 1e-3)]
    if layout != "suppressed":
        tries += [key(output * np.float32(1 + d)) for d in (-1e-5, 1e-5)]
    return all(same(first, other) for other in tries)


def objects(output, protos, layout, names, points, meta, options):
    rules, kept = options["post_processing"], detect(output, layout, len(names), options)
    kept = [one for one in kept if not options["classes"] or names[one[2]] in options["classes"]]
    grid = meta["full"]
    found = []
    is_legacy_mask = rules == "legacy" and options["mask_form"] == "polygon"
    if protos is not None and not is_legacy_mask:
        factor = {"accurate": 1.0, "fast": 0.0}.get(options["mask_mode"], options["tradeoff"]) if options["is_mask_reduced"] else 1.0
        boxes = np.array([one[0] for one in kept], np.float32).reshape(-1, 4)
        coefficients = np.array([one[3] for one in kept], np.float32).reshape(-1, 32)
        masks, boxes, grid = modern_masks(boxes, coefficients, protos, meta, factor)
    for index, (box, confidence, ids, rest) in enumerate(kept):
        one = {"confidence": float(confidence), "class_id": ids, "class_name": names[ids]}
        if protos is None:
            corners = place_box(box, meta, rules)
        elif is_legacy_mask:
            corners = place_box(box, meta, rules)
            one["polygon"] = legacy_polygon(box, rest, protos, meta, options).tolist()
        else:
            corners = boxes[index]
            if options["mask_form"] == "rle":
                packed = coco.encode(np.asfortranarray(masks[index].astype(np.uint8)))
                one["rle"] = {"height": packed["size"][0], "width": packed["size"][1], "counts": packed["counts"].decode()}
            else:
                one["polygon"] = outline(masks[index]).tolist()
        if points is not None:
            one["keypoints"] = place_points(rest, meta, points[ids], options)
        x0, y0, x1, y1 = (float(corner) for corner in corners)
        one["box"] = [(x0 + x1) / 2, (y0 + y1) / 2, x1 - x0, y1 - y0]
        found.append(one)
    return {"width": grid[0], "height": grid[1], "objects": found}


def case(package, picture, least=1, **changes):
    options = {**DEFAULTS, **changes}
    rules = options["post_processing"]
    steps = dict(package["steps"])
    steps["fill"] = {"grey": 127 if rules == "modern" else 114}.get(steps.get("fill", 0), steps.get("fill", 0))
    width, height = package["size"]
    pixels, meta = prepare(PICTURES[picture], steps, width, height, rules)
    outputs = run(package["network"], tensor(pixels, steps))
    if package["task"] == "classes":
        values = outputs[0][0].astype(np.float64)
        activation = package["activation"]
        if activation == "softmax":
            values = np.exp(values - values.max())
            values /= values.sum()
        elif activation == "sigmoid":
            values = 1 / (1 + np.exp(-values))
        expect = {"width": meta["full"][0], "height": meta["full"][1], "classes": values.tolist()}
    else:
        protos = outputs[1][0] if len(outputs) > 1 else None
        arguments = package["layout"], len(package["names"])
        while not is_stable(outputs[0][0], *arguments, options):
            options["confidence"] = round(options["confidence"] + 0.007, 6)
            options["iou"] = round(options["iou"] + 0.0037, 6)
            assert options["confidence"] < 0.95, (package["name"], picture)
        expect = objects(outputs[0][0], protos, package["layout"], package["names"], package.get("points"), meta, options)
        assert len(expect["objects"]) >= least, (package["name"], picture, len(expect["objects"]))
    CASES.append({"package": package["name"], "picture": picture, "options": options, "expect": expect})


def legacy_files(task, kind, names, preprocessing, is_text=False, points=None, **environment):
    files = {
        "model_type.json": {"project_task_type": task, "model_type": kind},
        "environment.json": {"PREPROCESSING": json.dumps(preprocessing) if is_text else preprocessing,
                             "CLASS_MAP": {str(index): name for index, name in enumerate(names)}, **environment},
        "class_names.txt": "\n".join(names) + "\n",
    }
    if points:
        files["keypoints_metadata.json"] = points
    return files


def modern_files(task, kind, names, width, height, after, mode="stretch", before=None, points=None, **network):
    inputs = {"training_input_size": {"height": height, "width": width}, "dynamic_spatial_size_supported": False, "color_mode": "rgb",
              "resize_mode": mode, "padding_value": None, "input_channels": 3, "scaling_factor": 255, "normalization": None, **network}
    files = {
        "model_config.json": {"model_architecture": kind, "task_type": task, "backend_type": "onnx"},
        "inference_config.json": {"image_pre_processing": before or {}, "network_input": inputs,
                                  "forward_pass": {"static_batch_size": None, "max_dynamic_batch_size": 8}, "post_processing": after},
        "class_names.txt": "\n".join(names),
    }
    if points:
        files["keypoints_metadata.json"] = points
    return files


def networks():
    """Writes the networks."""
    torch.manual_seed(7)
    def batch(width, height):
        parts = [tensor(cv2.resize(picture, (width, height)), {}) for picture in PICTURES.values()]
        return torch.from_numpy(np.concatenate(parts))
    v8 = V8(64, 64, 3)
    calibrate(v8, batch(64, 64))
    export(v8, "v8", 64, 64)
    flat = V8(64, 96, 2)
    calibrate(flat, batch(96, 64))
    export(flat, "v8-wide", 64, 96, is_batched=False)
    segment = V8(96, 96, 2, "segment")
    calibrate(segment, batch(96, 96))
    with torch.no_grad():
        segment.protos[2].weight *= 3
    export(segment, "v8-seg", 96, 96)
    pose = V8(64, 64, 2, "pose", points=3)
    calibrate(pose, batch(64, 64))
    export(pose, "v8-pose", 64, 64)
    v11 = V8(64, 64, 3, has_attention=True)
    calibrate(v11, batch(64, 64))
    notes = {"description": "Ultralytics YOLO11n model trained on shapes.yaml", "task": "detect", "stride": "32", "imgsz": "[64, 64]",
             "names": "{0: 'red', 1: 'green', 2: 'blue'}"}
    export(v11, "v11", 64, 64, notes=notes)
    v10 = V8(64, 64, 3, "suppressed")
    calibrate(v10, batch(64, 64))
    export(v10, "v10", 64, 64)
    v5 = V5(64, 64, 3)
    calibrate(v5, batch(64, 64))
    export(v5, "v5", 64, 64, notes={"stride": "32", "names": "['red', 'green', 'blue']"})
    for name, is_softmaxed in (("classes", False), ("classes-softmax", True)):
        classifier = Classifier(3, is_softmaxed)
        with torch.no_grad():
            for module in classifier.modules():
                if isinstance(module, Conv):
                    module.conv.weight *= 2.2
            classifier.last.weight *= 6
        names = {"names": "{0: 'red', 1: \"green\", 2: 'blue'}", "task": "classify"} if is_softmaxed else None
        export(classifier, name, 64, 64, is_batched=not is_softmaxed, notes=names)


def packages():
    """Descriptions around the networks: the files, and what they mean for the reference."""
    resize = lambda form, width=64, height=64: {"resize": {"enabled": True, "width": width, "height": height, "format": form}}
    crop = {"static-crop": {"enabled": True, "x_min": 10, "x_max": 85, "y_min": 5, "y_max": 90}}
    detect = {"type": "nms", "fused": False}
    body = [{"object_class_id": 0, "keypoints": {"0": "head", "1": "hand", "2": "foot"}, "edges": []},
            {"object_class_id": 1, "keypoints": {"0": "wheel"}, "edges": []}]
    points = [["head", "hand", "foot"], ["wheel"]]
    two = CLASSES[:2]
    one = lambda name, network, files, size, steps, **rest: {"name": name, "network": network, "files": files, "size": size,
                                                             "steps": steps, "task": "objects", "layout": "columns", **rest}
    cut = {"crop": (10, 5, 85, 90)}
    return [
        one("legacy", "v8", legacy_files("object-detection", "yolov8n", CLASSES, {"auto-orient": {"enabled": True}, **resize("Stretch to")},
                                         COLORS={"red": "#FF0000", "blue": "#0000ff"}), (64, 64), {}, names=CLASSES),
        one("legacy-fit", "v8", legacy_files("object-detection", "yolov8n", CLASSES, {**resize("Fit (grey edges) in"), **crop}, True),
            (64, 64), {**cut, "fit": "letterbox", "fill": "grey"}, names=CLASSES),
        one("legacy-wide", "v8-wide", legacy_files("object-detection", "yolov8s", two, resize("Fit (white edges) in", 96, 64)), (96, 64),
            {"fit": "letterbox", "fill": 255}, names=two),
        one("legacy-steps", "v8", legacy_files("object-detection", "yolov8n", CLASSES,
            {**resize("Stretch to"), **crop, "contrast": {"enabled": True, "type": "Contrast Stretching"}, "grayscale": {"enabled": True}}),
            (64, 64), {**cut, "contrast": "Contrast Stretching", "gray": True}, names=CLASSES),
        one("modern", "v8", modern_files("object-detection", "yolov8", CLASSES, 64, 64, detect), (64, 64), {}, names=CLASSES),
        one("modern-fit", "v8-wide", modern_files("object-detection", "yolov8", two, 96, 64, detect, "letterbox",
            {"static-crop": crop["static-crop"]}, padding_value=127), (96, 64), {**cut, "fit": "letterbox", "fill": 127}, names=two),
        one("modern-center", "v8", modern_files("object-detection", "yolov12", CLASSES, 64, 64, detect, "center-crop", color_mode="bgr"),
            (64, 64), {"fit": "center", "bgr": True}, names=CLASSES),
        one("modern-v10", "v10", modern_files("object-detection", "yolov10", CLASSES, 64, 64, {"type": "nms", "fused": True}), (64, 64), {},
            names=CLASSES, layout="suppressed"),
        one("legacy-seg", "v8-seg", legacy_files("instance-segmentation", "yolov8n-seg", two, resize("Stretch to", 96, 96)), (96, 96), {},
            names=two),
        one("legacy-seg-fit", "v8-seg", legacy_files("instance-segmentation", "yolov8n-seg", two,
            {**resize("Fit (black edges) in", 96, 96), **crop}), (96, 96), {**cut, "fit": "letterbox"}, names=two),
        one("modern-seg-fit", "v8-seg", modern_files("instance-segmentation", "yolov8", two, 96, 96, detect, "letterbox",
            {"static-crop": crop["static-crop"]}, padding_value=127), (96, 96), {**cut, "fit": "letterbox", "fill": 127}, names=two),
        one("legacy-pose", "v8-pose", legacy_files("keypoint-detection", "yolov8n-pose", two, {**resize("Fit (black edges) in"), **crop},
            points=body), (64, 64), {**cut, "fit": "letterbox"}, names=two, points=points),
        one("modern-pose", "v8-pose", modern_files("keypoint-detection", "yolov8", two, 64, 64, detect, "letterbox", points=body), (64, 64),
            {"fit": "letterbox"}, names=two, points=points),
        one("plain-v11", "v11", None, (64, 64), {"fit": "letterbox", "fill": 114}, names=CLASSES),
        one("plain-v5", "v5", None, (64, 64), {"fit": "letterbox", "fill": 114}, names=CLASSES, layout="rows"),
        one("legacy-classes", "classes", legacy_files("classification", "vit", CLASSES, resize("Stretch to")), (64, 64),
            {"normalization": ([0.5] * 3, [0.5] * 3)}, names=CLASSES, task="classes", activation="softmax"),
        one("legacy-labels", "classes", legacy_files("classification", "vit", CLASSES, resize("Stretch to"), MULTICLASS=True), (64, 64),
            {"normalization": ([0.5] * 3, [0.5] * 3)}, names=CLASSES, task="classes", activation="none"),
        one("modern-labels", "classes", modern_files("multi-label-classification", "vit", CLASSES, 64, 64, {"type": "sigmoid", "fused": False},
            normalization=[[0.485, 0.456, 0.406], [0.229, 0.224, 0.225]]), (64, 64),
            {"normalization": ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])}, names=CLASSES, task="classes", activation="sigmoid"),
        one("plain-classes", "classes-softmax", None, (64, 64), {"fit": "stretch"}, names=CLASSES, task="classes", activation="none"),
    ]


def cases(known):
    for name in ("legacy", "legacy-fit", "legacy-wide", "legacy-steps", "modern", "modern-fit", "modern-center", "plain-v11", "plain-v5"):
        for picture in PICTURES:
            for rules in ("modern", "legacy"):
                if name != "modern-center" or rules == "modern":
                    case(known[name], picture, post_processing=rules, least=0)
    for rules in ("modern", "legacy"):
        case(known["legacy"], "wide", post_processing=rules, is_class_agnostic=True, iou=0.5)
        case(known["legacy"], "tall", post_processing=rules, detections_max=2, classes=["green", "nothing"], least=0)
        case(known["legacy"], "tall", post_processing=rules, detections_max=0, least=0)
        case(known["legacy"], "small", post_processing=rules, candidates_max=5, iou=0.9)
        case(known["legacy"], "wide", post_processing=rules, confidence=0.2, iou=0.7, least=5)
        for picture in ("wide", "tall", "long"):
            case(known["legacy-pose"], picture, post_processing=rules, keypoint_confidence=0.5)
            case(known["modern-pose"], picture, post_processing=rules)
    case(known["modern-v10"], "wide")
    for name in ("legacy-seg", "legacy-seg-fit", "modern-seg-fit"):
        for picture in ("wide", "tall"):
            case(known[name], picture)
            case(known[name], picture, mask_form="rle")
            for mode in ("accurate", "fast", "tradeoff"):
                case(known[name], picture, post_processing="legacy", mask_mode=mode, tradeoff=0.4)
        for mode in ("fast", "tradeoff"):
            case(known[name], "wide", mask_mode=mode, tradeoff=0.3, is_mask_reduced=True, mask_form="rle")
            case(known[name], "wide", mask_mode=mode, tradeoff=0.3, mask_form="rle")
    for name in ("legacy-classes", "legacy-labels", "modern-labels"):
        for picture in PICTURES:
            case(known[name], picture, post_processing=name.split("-")[0])


def write_tensors(path, arrays):
    """The layout of safetensors."""
    header, offset, blobs = {}, 0, []
    for name, array in arrays.items():
        kind = {"uint8": "U8", "float32": "F32", "int32": "I32"}[str(array.dtype)]
        blob = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": kind, "shape": list(array.shape), "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))


def pictures():
    """Pictures, and what single steps make of them."""
    arrays = {f"picture/{name}": picture for name, picture in PICTURES.items()}
    arrays["stretch/small"] = cv2.resize(PICTURES["small"].astype(np.float32), (33, 41))
    arrays["stretch/tall"] = cv2.resize(PICTURES["tall"][:96, :60].astype(np.float32), (30, 48))
    for name, (width, height) in {"wide": (64, 48), "tall": (64, 64), "small": (80, 60), "long": (17, 90)}.items():
        arrays[f"resize/{name}"] = cv2.resize(PICTURES[name], (width, height))
    for kind in ("Contrast Stretching", "Histogram Equalization", "Adaptive Equalization"):
        for rules in ("modern", "legacy"):
            for name in ("tall", "small") if kind[0] == "A" else ("small",):
                arrays[f"contrast/{kind}/{rules}/{name}"] = contrast(PICTURES[name], kind, rules)
    chance = np.random.default_rng(11)
    for index, (width, height, share, blur) in enumerate([(1, 1, 1.0, 1), (1, 9, 0.5, 1), (9, 1, 0.5, 1), (12, 9, 0.5, 1), (40, 30, 0.3, 1),
                                                          (40, 30, 0.7, 1), (70, 50, 0.5, 7), (150, 40, 0.5, 9), (64, 64, 0.5, 15),
                                                          (16, 16, 0.0, 1), (16, 16, 1.0, 1)]):
        field = cv2.blur(chance.random((height, width)).astype(np.float32), (blur, blur))
        mask = (field <= np.quantile(field, share)).astype(np.uint8) if share else np.zeros((height, width), np.uint8)
        arrays[f"mask/{index}"] = mask
        arrays[f"outline/{index}"] = outline(mask).astype(np.int32).reshape(-1, 2)
        arrays[f"rle/{index}"] = np.frombuffer(coco.encode(np.asfortranarray(mask))["counts"], np.uint8)
    write_tensors(GOLDEN / "pictures.safetensors", arrays)


def main():
    GOLDEN.mkdir(exist_ok=True)
    torch.set_num_threads(1)
    networks()
    pictures()
    known = {package["name"]: package for package in packages()}
    cases(known)
    text = lambda value: value if isinstance(value, str) else json.dumps(value)
    shown = {name: {"network": f"{package['network']}.onnx", "files": {file: text(value) for file, value in (package["files"] or {}).items()}}
             for name, package in known.items()}
    shorter = lambda value: int(value) if value == int(value) else float(f"{value:.5g}")
    rounded = lambda value: [rounded(one) for one in value] if isinstance(value, list) else \
        {key: rounded(one) for key, one in value.items()} if isinstance(value, dict) else \
        shorter(value) if isinstance(value, float) else value
    (GOLDEN / "cases.json").write_text(json.dumps(rounded({"packages": shown, "cases": CASES}), separators=(",", ":")))
    print(len(CASES), "cases", sum(len(one["expect"].get("objects", [])) for one in CASES), "objects",
          sum(path.stat().st_size for path in GOLDEN.iterdir()) >> 10, "KiB")


if __name__ == "__main__":
    main()
