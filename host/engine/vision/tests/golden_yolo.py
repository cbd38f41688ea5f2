"""Makes golden/yolo.json: what ultralytics' own YOLOv8 networks answer, with weights that a formula gives to both sides.

Usage: pip install "ultralytics==8.4.190" (with torch, torchvision and opencv) and python golden_yolo.py
"""

import json
import math
import pathlib

import numpy as np
import torch
from ultralytics.nn.tasks import ClassificationModel, DetectionModel, PoseModel, SegmentationModel

GOLDEN = pathlib.Path(__file__).parent / "golden" / "yolo.json"
# Height and width.
SIZE = (64, 96)
# As narrow and shallow as the trainer's rounding of channels allows, with every kind of layer.
BODY = [[-1, 1, "Conv", [64, 3, 2]], [-1, 1, "Conv", [128, 3, 2]], [-1, 3, "C2f", [128, True]], [-1, 1, "Conv", [256, 3, 2]], [-1, 6, "C2f", [256, True]],
        [-1, 1, "Conv", [512, 3, 2]], [-1, 6, "C2f", [512, True]], [-1, 1, "Conv", [1024, 3, 2]], [-1, 3, "C2f", [1024, True]]]
NECK = [[-1, 1, "SPPF", [1024, 5]]]
UP = [[-1, 1, "nn.Upsample", [None, 2, "nearest"]], [[-1, 6], 1, "Concat", [1]], [-1, 3, "C2f", [512]], [-1, 1, "nn.Upsample", [None, 2, "nearest"]],
      [[-1, 4], 1, "Concat", [1]], [-1, 3, "C2f", [256]], [-1, 1, "Conv", [256, 3, 2]], [[-1, 12], 1, "Concat", [1]], [-1, 3, "C2f", [512]],
      [-1, 1, "Conv", [512, 3, 2]], [[-1, 9], 1, "Concat", [1]], [-1, 3, "C2f", [1024]]]
TASKS = {
    "detect": (DetectionModel, NECK, [*UP, [[15, 18, 21], 1, "Detect", ["nc"]]], {}),
    "segment": (SegmentationModel, NECK, [*UP, [[15, 18, 21], 1, "Segment", ["nc", 32, 256]]], {}),
    "pose": (PoseModel, NECK, [*UP, [[15, 18, 21], 1, "Pose", ["nc", "kpt_shape"]]], {"kpt_shape": [5, 3]}),
    "classify": (ClassificationModel, [], [[-1, 1, "Classify", ["nc"]]], {}),
}


def formula(name, count):
    """Numbers from -1 to 1 that depend on the name alone."""
    start = 2166136261
    for byte in name.encode():
        start = (start ^ byte) * 16777619 % 2**32
    k = (np.arange(count, dtype=np.uint64) + np.uint64(start)) * np.uint64(2654435761) % np.uint64(2**32)
    k = (k ^ (k >> np.uint64(15))) * np.uint64(2246822519) % np.uint64(2**32)
    return (k.astype(np.float64) / 2**31 - 1).astype(np.float32)


def filled(name, shape):
    values = formula(name, math.prod(shape)).reshape(shape)
    if name.endswith("running_var"):
        return 1 + values / 2
    if name.endswith("bn.weight"):
        return 1.5 + values / 4
    if len(shape) > 1:
        return values * np.float32(1.5 / math.sqrt(math.prod(shape[1:])))
    return values / 4


def main():
    cases = {}
    for task, (kind, neck, head, more) in TASKS.items():
        model = kind({"nc": 3, "scales": {"n": [0.33, 0.0625, 1024]}, "scale": "n", "backbone": BODY + neck, "head": head, **more}, verbose=False).eval()
        state = {name: value for name, value in model.state_dict().items() if not name.endswith(("num_batches_tracked", "dfl.conv.weight"))}
        model.load_state_dict({name: torch.from_numpy(filled(name, tuple(value.shape))) for name, value in state.items()}, strict=False)
        picture = torch.from_numpy((formula("picture", 3 * SIZE[0] * SIZE[1]).reshape(1, 3, *SIZE) + 1) / 2)
        if task != "classify":
            model.model[-1].export = True
            model.model[-1].format = "onnx"
        with torch.no_grad():
            answer = model(picture)
        outputs = []
        for output in answer if isinstance(answer, (tuple, list)) else [answer]:
            if isinstance(output, torch.Tensor):
                flat = output[0].flatten()
                # Every seventh number of long ones: an error in any layer shows in all of them.
                step = 7 if len(flat) > 500 else 1
                outputs.append({"shape": list(output.shape), "step": step, "values": [float(f"{value:.6g}") for value in flat[::step].tolist()]})
        if task == "classify":
            outputs = outputs[:1]
        cases[task] = {"tensors": {name: list(value.shape) for name, value in state.items()}, "outputs": outputs}
        print(task, [output["shape"] for output in outputs], sum(math.prod(value.shape) for value in state.values()))
    GOLDEN.write_text(json.dumps({"size": list(SIZE), "cases": cases}) + "\n")


if __name__ == "__main__":
    main()
