"""Checkpoint to a model folder as the server reads it: weights.onnx, environment.json, model_type.json, class_names.txt, keypoints_metadata.json.

Usage: python export.py --checkpoint build/shapes.pt --as detection --out ../../shapes/1 [--size 256]
The shapes checkpoint serves twice: `--as detection` leaves the masks out, `--as segmentation` keeps them.
"""

import argparse
import json
import pathlib

import onnx
import torch

from network import Classifier, Detector, Served, folded, parameters
from outlines import EDGES, POINTS, POSES, SHAPES, SLOTS

TYPES = {
    "detection": ("object-detection", "yolov8n"),
    "segmentation": ("instance-segmentation", "yolov8n-seg"),
    "keypoints": ("keypoint-detection", "yolov8n-pose"),
    "classification": ("classification", "yolov8"),
}
COLOURS = ["#4892EA", "#00EEC3", "#FE4EF0", "#F4004E", "#FA7200", "#EEEE17", "#90FF00", "#8C29FF"]
OPSET = 17


def load(path, kind):
    """The averaged network of a checkpoint, without the parts that `kind` does not use."""
    state = torch.load(path)["average"]
    if kind == "classification":
        model = Classifier(len(SHAPES))
    elif kind == "keypoints":
        model = Detector(len(POSES), slots=SLOTS)
    else:
        model = Detector(len(SHAPES), masks=kind == "segmentation")
    own = model.state_dict()
    model.load_state_dict({name: value for name, value in state.items() if name in own})
    return model.eval()


def environment(kind, classes, size):
    return {
        "PREPROCESSING": {"auto-orient": {"enabled": True}, "resize": {"enabled": True, "width": size, "height": size, "format": "Fit (black edges) in"}},
        "CLASS_MAP": {str(index): name for index, name in enumerate(classes)},
        "COLORS": dict(zip(classes, COLOURS)),
        "MULTICLASS": False,
        "RESOLUTION": size,
    }


def shortened(model):
    """The file with short names of values: the long ones of the exporter are a share of the bytes."""
    graph = model.graph
    kept = {value.name for value in [*graph.input, *graph.output]} | {""}
    names = {}
    short = lambda name: name if name in kept else names.setdefault(name, f"v{len(names)}")
    for number, node in enumerate(graph.node):
        node.name = f"{node.op_type}_{number}"
        node.input[:], node.output[:] = [short(name) for name in node.input], [short(name) for name in node.output]
    for tensor in graph.initializer:
        tensor.name = short(tensor.name)
    del graph.value_info[:]
    return model


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--as", dest="kind", choices=list(TYPES), required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--size", type=int, default=256)
    args = parser.parse_args()
    model = folded(load(args.checkpoint, args.kind))
    classes = POSES if args.kind == "keypoints" else SHAPES
    served = model if args.kind == "classification" else Served(model, args.size)
    args.out.mkdir(parents=True, exist_ok=True)
    outputs = ["output0", "output1"] if args.kind == "segmentation" else ["output0"]
    weights = args.out / "weights.onnx"
    with torch.no_grad():
        torch.onnx.export(served.eval(), (torch.zeros(2, 3, args.size, args.size),), str(weights), input_names=["images"], output_names=outputs, opset_version=OPSET,
                          dynamic_axes={name: {0: "batch"} for name in ["images", *outputs]}, dynamo=False)
    short = shortened(onnx.load(weights))
    onnx.checker.check_model(short, full_check=True)
    onnx.save(short, weights)

    def write(name, value):
        (args.out / name).write_text(json.dumps(value, indent=2) + "\n")

    write("environment.json", environment(args.kind, classes, args.size))
    task, kind = TYPES[args.kind]
    write("model_type.json", {"project_task_type": task, "model_type": kind})
    (args.out / "class_names.txt").write_text("\n".join(classes) + "\n")
    if args.kind == "keypoints":
        write("keypoints_metadata.json", [
            {"object_class_id": index, "keypoints": {str(slot): point for slot, point in enumerate(POINTS[name])}, "edges": [{"from": a, "to": b} for a, b in EDGES[name]]}
            for index, name in enumerate(classes)
        ])
    graph = onnx.load(weights).graph
    print(f"{parameters(model):,} parameters, {weights.stat().st_size:,} bytes, operations: {', '.join(sorted({node.op_type for node in graph.node}))}")


if __name__ == "__main__":
    main()
