"""Writes the two networks of the checkpoints as ONNX graphs, with the config that names sizes, normalisation and letters.

Usage: python export.py --detection build/detection.pt --recognition build/recognition.pt --out build/model
"""

import argparse
import json
import pathlib

import numpy as np
import onnx
import torch
from torch.nn.utils.fusion import fuse_conv_bn_eval

import boxes
import crops
import train_recogniser
import words
from networks import Detector, Recogniser

OPSET = 17


def folded(model):
    """Batch normalisations become part of the convolutions before them."""
    for module in list(model.modules()):
        if isinstance(module, torch.nn.Sequential):
            for i in range(len(module) - 1):
                if isinstance(module[i], torch.nn.Conv2d) and isinstance(module[i + 1], torch.nn.BatchNorm2d):
                    module[i], module[i + 1] = fuse_conv_bn_eval(module[i], module[i + 1]), torch.nn.Identity()
    return model


class Map(torch.nn.Module):
    """The detector with its map brought to the size of the input, as probabilities."""

    def __init__(self, detector):
        super().__init__()
        self.detector = detector

    def forward(self, x):
        return torch.nn.functional.interpolate(self.detector(x), scale_factor=2, mode="bilinear").sigmoid()


def halved(graph):
    """The weights of convolutions are stored in 16 bits and widened when the graph is loaded: half of the size, the same arithmetic."""
    for tensor in graph.initializer:
        if len(tensor.dims) == 4 and tensor.data_type == onnx.TensorProto.FLOAT:
            short = onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(tensor).astype(np.float16), tensor.name + ".half")
            graph.node.insert(0, onnx.helper.make_node("Cast", [short.name], [tensor.name], to=onnx.TensorProto.FLOAT))
            tensor.CopyFrom(short)


def write(model, shape, path, output):
    model = model.eval()
    torch.onnx.export(
        model, (torch.zeros(1, *shape),), str(path), input_names=["input"], output_names=[output], dynamic_axes={"input": {0: "batch"}, output: {0: "batch"}}, opset_version=OPSET, dynamo=False,
    )
    graph = onnx.load(path)
    halved(graph.graph)
    onnx.checker.check_model(graph)
    onnx.save(graph, path)
    print(path.name, path.stat().st_size, "bytes:", sorted({node.op_type for node in graph.graph.node}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--detection", type=pathlib.Path, required=True)
    parser.add_argument("--recognition", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    detector, recogniser = Detector().eval(), Recogniser().eval()
    detector.load_state_dict(torch.load(args.detection, weights_only=True)["average"])
    recogniser.load_state_dict(torch.load(args.recognition, weights_only=True)["average"])
    write(Map(folded(detector)), (3, boxes.SIDE, boxes.SIDE), args.out / "detection.onnx", "probabilities")
    write(folded(recogniser), (3, crops.HEIGHT, crops.WIDTH), args.out / "recognition.onnx", "logits")
    config = {
        "detection": {
            "file": "detection.onnx", "task": "detection", "architecture": "db", "input": "input", "output": "probabilities", "input_shape": [3, boxes.SIDE, boxes.SIDE],
            "mean": boxes.MEAN, "std": boxes.STD, "preserve_aspect_ratio": True, "symmetric_pad": True, "assume_straight_pages": True,
            "bin_thresh": boxes.BIN_THRESHOLD, "box_thresh": boxes.BOX_THRESHOLD, "unclip_ratio": boxes.UNCLIP_RATIO, "min_size_box": boxes.SIZE_MIN,
        },
        "recognition": {
            "file": "recognition.onnx", "task": "recognition", "architecture": "crnn", "input": "input", "output": "logits", "input_shape": [3, crops.HEIGHT, crops.WIDTH],
            "mean": train_recogniser.MEAN, "std": train_recogniser.STD, "preserve_aspect_ratio": True, "symmetric_pad": False, "split_wide_crops": False,
            "vocab": words.VOCAB, "blank": len(words.VOCAB),
        },
    }
    (args.out / "config.json").write_text(json.dumps(config, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
