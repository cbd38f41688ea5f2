"""Compares our executor with onnxruntime on a YOLOv8n-shaped detector, or on a file that is given.

    cargo build --release -p mimus-onnx --example bench_graph
    python compare_speed.py --bench target/release/examples/bench_graph [--threads 1 2] [--rounds 5] [FILE]

Needs torch, onnx and onnxruntime. Without FILE it writes one: the architecture of YOLOv8n (3.2 million parameters, 8.7 GFLOP at 640 pixels)
with random weights. Both run by turns, in processes of their own. Of each run the wall clock and the processor time are taken: on a machine
that others use too, only the second says something, and only the ratio within one call of this script.
"""
import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def write_detector(path):
    import torch
    from torch import nn

    sys.path.append(str(Path(__file__).parents[1] / "tests"))
    from yolo_parts import C2f, Conv, Spp

    class Detector(nn.Module):
        def __init__(self):
            super().__init__()
            self.p3 = nn.Sequential(Conv(3, 16, 3, 2), Conv(16, 32, 3, 2), C2f(32, 32, 1, True), Conv(32, 64, 3, 2), C2f(64, 64, 2, True))
            self.p4 = nn.Sequential(Conv(64, 128, 3, 2), C2f(128, 128, 2, True))
            self.p5 = nn.Sequential(Conv(128, 256, 3, 2), C2f(256, 256, 1, True), Spp(256))
            self.up = nn.Upsample(scale_factor=2, mode="nearest")
            self.up4, self.up3 = C2f(384, 128, 1, False), C2f(192, 64, 1, False)
            self.down4, self.down5 = Conv(64, 64, 3, 2), Conv(128, 128, 3, 2)
            self.out4, self.out5 = C2f(192, 128, 1, False), C2f(384, 256, 1, False)
            head = lambda c, to: nn.ModuleList(nn.Sequential(Conv(x, c, 3), Conv(c, c, 3), nn.Conv2d(c, to, 1)) for x in (64, 128, 256))
            self.boxes, self.classes = head(64, 64), head(80, 80)
            self.bins = nn.Conv2d(16, 1, 1, bias=False)

        def forward(self, x):
            p3 = self.p3(x)
            p4 = self.p4(p3)
            p5 = self.p5(p4)
            n4 = self.up4(torch.cat((self.up(p5), p4), 1))
            n3 = self.up3(torch.cat((self.up(n4), p3), 1))
            n4 = self.out4(torch.cat((self.down4(n3), n4), 1))
            n5 = self.out5(torch.cat((self.down5(n4), p5), 1))
            rows = [torch.cat((self.boxes[i](p), self.classes[i](p)), 1).view(1, 144, -1) for i, p in enumerate((n3, n4, n5))]
            anchors, strides = [], []
            for stride in (8, 16, 32):
                place = torch.arange(640 // stride) + 0.5
                y, x = torch.meshgrid(place, place, indexing="ij")
                anchors.append(torch.stack((x, y)).reshape(2, -1))
                strides.append(torch.full((1, y.numel()), float(stride)))
            boxes, classes = torch.cat(rows, 2).split((64, 80), 1)
            near, far = self.bins(boxes.view(1, 4, 16, -1).transpose(2, 1).softmax(1)).view(1, 4, -1).chunk(2, 1)
            anchors = torch.cat(anchors, 1).unsqueeze(0)
            near, far = anchors - near, anchors + far
            boxes = torch.cat(((near + far) / 2, far - near), 1) * torch.cat(strides, 1)
            return torch.cat((boxes, classes.sigmoid()), 1)

    torch.manual_seed(0)
    detector = Detector().eval()
    for part in detector.modules():
        # As in trained networks, activations keep their size from layer to layer.
        if isinstance(part, nn.Conv2d):
            nn.init.normal_(part.weight, 0, (2.2 / part.weight[0].numel()) ** 0.5)
    torch.onnx.export(detector, torch.zeros(1, 3, 640, 640), path, opset_version=12, dynamo=False, input_names=["images"])


def run_onnxruntime(path, threads, runs):
    """Times onnxruntime in this process and prints what `bench_graph` prints."""
    import numpy
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    # Threads that spin while they wait would count as busy.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    inputs = {
        port.name: numpy.full([size if isinstance(size, int) else (640 if axis else 1) for axis, size in enumerate(port.shape)], 0.5, numpy.float32)
        for port in session.get_inputs()
    }
    wall, cpu = [], []
    for run in range(runs + 1):
        before, start = resource.getrusage(resource.RUSAGE_SELF), time.perf_counter()
        session.run(None, inputs)
        after = resource.getrusage(resource.RUSAGE_SELF)
        if run:
            wall.append((time.perf_counter() - start) * 1e3)
            cpu.append((after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e3)
    print(json.dumps({"executor": "onnxruntime", "threads": threads, "wall_ms": wall, "cpu_ms": cpu}))


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file", nargs="?")
    parser.add_argument("--bench", default="target/release/examples/bench_graph")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--runs", type=int, default=4)
    parser.add_argument("--onnxruntime", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.onnxruntime:
        return run_onnxruntime(options.file, options.threads[0], options.runs)
    with tempfile.TemporaryDirectory() as folder:
        path = options.file or str(Path(folder) / "detector.onnx")
        if not options.file:
            write_detector(path)
        for threads in options.threads:
            common = [path, "--threads", str(threads), "--runs", str(options.runs)]
            commands = {"onnxruntime": [sys.executable, __file__, "--onnxruntime", *common], "ours": [options.bench, *common]}
            wall, cpu = ({name: [] for name in commands} for _ in range(2))
            for _ in range(options.rounds):
                for name, command in commands.items():
                    found = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
                    wall[name] += found["wall_ms"]
                    cpu[name] += found["cpu_ms"]
            for label, times in (("processor", cpu), ("wall", wall)):
                for name in commands:
                    print(f"{threads} threads, {label}: {name} best {min(times[name]):.1f} ms, median {statistics.median(times[name]):.1f} ms")
                median = statistics.median(times["ours"]) / statistics.median(times["onnxruntime"])
                print(f"{threads} threads, {label}: ours takes {median:.2f} of onnxruntime's median, {min(times['ours']) / min(times['onnxruntime']):.2f} of its best")


if __name__ == "__main__":
    main()
