"""What the server does with a model folder, in numpy: resize, run, boxes without doubles, masks, keypoints, classes. For measuring and for looking."""

import json
import pathlib

import cv2
import numpy as np
import onnxruntime

from data import fit


def iou(a, b):
    """Intersection over union of boxes [n, 4] and [m, 4] with corners."""
    low, high = np.maximum(a[:, None, :2], b[None, :, :2]), np.minimum(a[:, None, 2:], b[None, :, 2:])
    both = (high - low).clip(min=0).prod(-1)
    return both / ((a[:, 2:] - a[:, :2]).prod(-1)[:, None] + (b[:, 2:] - b[:, :2]).prod(-1)[None] - both + 1e-9)


def without_doubles(boxes, scores, classes, least, most):
    """Indices of the boxes kept, best first; of two of a class that overlap by more than `least` the better stays."""
    order, kept = list(np.argsort(-scores, kind="stable")), []
    overlaps = iou(boxes, boxes) * (classes[:, None] == classes[None])
    while order and len(kept) < most:
        best = order.pop(0)
        kept.append(best)
        order = [other for other in order if overlaps[best, other] <= least]
    return np.array(kept, int)


class Model:
    """A folder as the server reads it."""

    def __init__(self, folder, threads=1):
        folder = pathlib.Path(folder)
        self.task = json.loads((folder / "model_type.json").read_text())["project_task_type"]
        self.environment = json.loads((folder / "environment.json").read_text())
        self.size = self.environment["PREPROCESSING"]["resize"]["width"]
        self.names = (folder / "class_names.txt").read_text().split()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        self.session = onnxruntime.InferenceSession(str(folder / "weights.onnx"), options, providers=["CPUExecutionProvider"])

    def run(self, squares):
        """Pictures [n, size, size, RGB] to the outputs of the network."""
        x = squares.transpose(0, 3, 1, 2).astype(np.float32) / 255
        if self.task == "classification":
            x = (x - 0.5) / 0.5
        return self.session.run(None, {self.session.get_inputs()[0].name: np.ascontiguousarray(x)})

    def classify(self, picture):
        """Share of each class."""
        logits = self.run(fit(picture, self.size)[0][None])[0][0]
        share = np.exp(logits - logits.max())
        return share / share.sum()

    def detect(self, picture, confidence=0.4, overlap=0.3, most=300):
        """Boxes, scores, classes, masks (as the picture, or None) and keypoints (x, y, score, or None), best first, in pixels of the picture."""
        height, width = picture.shape[:2]
        square, scale, left, top = fit(picture, self.size)
        outputs = self.run(square[None])
        rows, count = outputs[0][0].T, len(self.names)
        scores, classes = rows[:, 4:4 + count].max(1), rows[:, 4:4 + count].argmax(1)
        rows, scores, classes = (values[scores > confidence] for values in (rows, scores, classes))
        boxes = np.concatenate([rows[:, :2] - rows[:, 2:4] / 2, rows[:, :2] + rows[:, 2:4] / 2], 1)
        kept = without_doubles(boxes, scores, classes, overlap, most)
        rows, scores, classes, inner = rows[kept], scores[kept], classes[kept], boxes[kept]
        edge, limit = np.array([left, top]), [width, height]
        boxes = ((inner.reshape(-1, 2, 2) - edge) / scale).clip(0, limit).reshape(-1, 4)
        rest, masks, keypoints = rows[:, 4 + count:], None, None
        if len(outputs) > 1:
            masks = self.masks(rest, outputs[1][0], inner, (left, top), (width, height), scale)
        elif rest.shape[1]:
            keypoints = rest.reshape(len(rest), rest.shape[1] // 3, 3).copy()
            keypoints[..., :2] = (keypoints[..., :2] - edge) / scale
        return boxes, scores, classes, masks, keypoints

    def masks(self, coefficients, prototypes, boxes, edge, shape, scale):
        """Masks of the picture's size: mixed on the prototypes' grid, cut at the box, enlarged, true above a half."""
        width, height = shape
        high, wide = prototypes.shape[1:]
        values = 1 / (1 + np.exp(-(coefficients @ prototypes.reshape(len(prototypes), -1)))).reshape(-1, high, wide)
        part = high / self.size
        x0, y0 = int(edge[0] * part), int(edge[1] * part)
        x1, y1 = x0 + max(1, round(width * scale * part)), y0 + max(1, round(height * scale * part))
        result = np.zeros((len(values), height, width), bool)
        for number, (value, box) in enumerate(zip(values, boxes)):
            left, top, right, bottom = np.round(box * part).astype(int).clip(0, high)
            cut = np.zeros_like(value)
            cut[top:bottom, left:right] = value[top:bottom, left:right]
            result[number] = cv2.resize(cut[y0:y1, x0:x1], (width, height), interpolation=cv2.INTER_LINEAR) > 0.5
        return result
