"""Reads a picture with an exported folder through onnxruntime, as docTR would: find the words, cut them out, read each."""

import json
import pathlib

import numpy as np
import onnxruntime

import boxes
import crops


def session(path):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


class Reader:
    """The two graphs of a folder and what its config says about them."""

    def __init__(self, folder):
        folder = pathlib.Path(folder)
        self.config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        self.detector, self.recogniser = [session(folder / self.config[part]["file"]) for part in ("detection", "recognition")]

    def find(self, picture):
        """Boxes (x1, y1, x2, y2, score) of a picture uint8 [height, width, 3], in its pixels."""
        x = boxes.normalised(boxes.squared(picture), self.config["detection"]["mean"], self.config["detection"]["std"])
        probabilities = self.detector.run(None, {"input": x[None]})[0][0, 0]
        return boxes.onto_picture(boxes.found(probabilities), picture.shape[1], picture.shape[0])

    def read(self, picture, places):
        """Texts in boxes of a picture, and how sure each is: the smallest probability of its letters."""
        if not places:
            return []
        config = self.config["recognition"]
        x = np.stack([boxes.normalised(crops.fitted(boxes.cut(picture, place)), config["mean"], config["std"]) for place in places])
        logits = np.concatenate([self.recogniser.run(None, {"input": x[i:i + 64]})[0] for i in range(0, len(x), 64)])
        return [greedy(row, config["vocab"]) for row in logits]


def greedy(logits, vocab):
    """Greedy CTC of [columns, characters + 1]: the best class of each column, repetitions dropped, then blanks, which are the last class."""
    best = logits.argmax(-1)
    powers = np.exp(logits - logits.max(-1, keepdims=True))
    sure = float((powers.max(-1) / powers.sum(-1)).min())
    text = "".join(vocab[now] for before, now in zip([-1, *best], best) if now != before and now < len(vocab))
    return text, sure
