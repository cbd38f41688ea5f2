"""Writes the small graphs of `golden/` and what onnxruntime makes of them.

Needs torch, onnx, onnxscript, onnxruntime and numpy. For each graph `NAME.onnx` there is a `NAME.bin`: for each run the shapes of the inputs,
whose values follow from their index, and the outputs. All numbers are little-endian and 32 bits wide:
runs, then for each run: inputs, (rank, sizes)..., outputs, (rank, sizes, values)....
"""
import io
import struct
import sys
from pathlib import Path

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from yolo_parts import C2f, Conv, Spp

HERE = Path(__file__).parent / "golden"
RANDOM = numpy.random.default_rng(7)
torch.manual_seed(7)


def values(shape):
    """As `graph/tests.rs` makes them."""
    index = numpy.arange(int(numpy.prod(shape)), dtype=numpy.int64)
    return (((index * 7919 + 13) % 1000).astype(numpy.float32) / 500 - 1).reshape(shape)


def save(name, model, runs):
    """Runs a graph on inputs of several shapes and writes both files."""
    data = model if isinstance(model, bytes) else model.SerializeToString()
    (HERE / f"{name}.onnx").write_bytes(data)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    names = [port.name for port in session.get_inputs()]
    out = bytearray(struct.pack("<I", len(runs)))
    for shapes in runs:
        outputs = session.run(None, dict(zip(names, map(values, shapes))))
        out += struct.pack("<I", len(shapes))
        for shape in shapes:
            out += struct.pack(f"<{len(shape) + 1}I", len(shape), *shape)
        out += struct.pack("<I", len(outputs))
        for output in outputs:
            out += struct.pack(f"<{output.ndim + 1}I", output.ndim, *output.shape)
            out += output.astype("<f4").tobytes()
    (HERE / f"{name}.bin").write_bytes(bytes(out))
    print(name, len(data), len(out))


class Build:
    """A graph written node by node."""

    def __init__(self, inputs, opset=13):
        self.inputs = inputs
        self.opset = opset
        self.nodes, self.weights, self.outputs = [], [], []

    def weight(self, array):
        name = f"w{len(self.weights)}"
        self.weights.append(numpy_helper.from_array(numpy.asarray(array), name))
        return name

    def random(self, *shape):
        fan = max(1, int(numpy.prod(shape[1:])))
        return self.weight((RANDOM.standard_normal(shape) / fan**0.5).astype(numpy.float32))

    def half(self, *shape):
        """Weights stored in 16 bits, and widened before they are used."""
        stored = self.weight((RANDOM.standard_normal(shape) / 4).astype(numpy.float16))
        return self.node("Cast", stored, to=TensorProto.FLOAT)

    def node(self, operator, *inputs, outputs=1, keep=False, **attributes):
        names = [f"v{len(self.nodes)}_{index}" for index in range(outputs)]
        self.nodes.append(helper.make_node(operator, list(inputs), names, **attributes))
        if keep:
            self.outputs += names
        return names[0] if outputs == 1 else names

    def keep(self, operator, *inputs, **attributes):
        return self.node(operator, *inputs, keep=True, **attributes)

    def conv(self, source, channels, to, kernel=(3, 3), groups=1, keep=True, operator="Conv", bias=True, **attributes):
        shape = (to, channels // groups) if operator == "Conv" else (channels, to // groups)
        inputs = [source, self.random(*shape, *kernel)] + ([self.random(to)] if bias else [])
        return self.node(operator, *inputs, keep=keep, group=groups, kernel_shape=kernel, **attributes)

    def model(self):
        inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name, shape in self.inputs]
        outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in self.outputs]
        for output in outputs:
            output.type.tensor_type.ClearField("shape")
        graph = helper.make_graph(self.nodes, "golden", inputs, outputs, self.weights)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", self.opset)], ir_version=8)


def convolutions():
    g = Build([("x", ["n", 12, "h", "w"])])
    c = lambda *a, **k: g.conv("x", 12, *a, **k)
    c(13, (1, 1))
    c(16, (1, 1), strides=[2, 2])
    c(20, pads=[1, 1, 1, 1])
    c(9, bias=False)
    c(8, pads=[0, 2, 1, 0])
    c(16, pads=[1, 1, 1, 1], strides=[2, 2])
    c(10, (5, 5), pads=[2, 2, 2, 2])
    c(8, (5, 3), pads=[2, 0, 1, 1], strides=[2, 1])
    c(8, pads=[2, 2, 2, 2], dilations=[2, 2])
    c(8, (1, 3), pads=[0, 1, 0, 1])
    c(8, (2, 2), auto_pad="SAME_UPPER")
    c(8, auto_pad="SAME_UPPER", strides=[2, 2])
    c(8, auto_pad="SAME_LOWER", strides=[2, 2])
    c(6, groups=2, pads=[1, 1, 1, 1])
    c(8, groups=4, pads=[1, 1, 1, 1], strides=[2, 2])
    c(12, groups=12, pads=[1, 1, 1, 1])
    c(12, (5, 5), groups=12, pads=[2, 2, 2, 2], strides=[2, 2])
    c(12, groups=12, pads=[2, 2, 2, 2], dilations=[2, 2], bias=False)
    c(24, groups=12, pads=[1, 1, 1, 1])
    wide = g.node("Concat", "x", "x", "x", "x", axis=1)
    g.conv(wide, 48, 24, groups=3, pads=[1, 1, 1, 1])
    save("convolutions", g.model(), [[(1, 12, 6, 7)], [(2, 12, 5, 3)]])


def pictures():
    g = Build([("x", ["n", 3, "h", "w"]), ("gray", ["n", 1, "h", "w"])])
    g.conv("x", 3, 8, pads=[1, 1, 1, 1], strides=[2, 2])
    g.conv("x", 3, 8, (7, 7), pads=[3, 3, 3, 3], strides=[2, 2])
    g.conv("x", 3, 12, (6, 6), pads=[2, 2, 2, 2], strides=[2, 2])
    g.conv("x", 3, 8, pads=[1, 1, 1, 1])
    g.conv("x", 3, 8, (1, 1))
    g.conv("x", 3, 8, pads=[2, 2, 2, 2], dilations=[2, 2])
    g.conv("x", 3, 6, groups=3, pads=[1, 1, 1, 1])
    g.conv("gray", 1, 8, pads=[1, 1, 1, 1])
    g.keep("MaxPool", "x", kernel_shape=[2, 2], strides=[2, 2])
    save("pictures", g.model(), [[(1, 3, 9, 7), (1, 1, 9, 7)]])


def transposed():
    g = Build([("x", ["n", 12, 3, 4])])
    t = lambda *a, **k: g.conv("x", 12, *a, operator="ConvTranspose", **k)
    t(9, (2, 2), strides=[2, 2])
    t(8, (4, 4), strides=[2, 2], pads=[1, 1, 1, 1])
    t(8, (3, 3), strides=[2, 2], pads=[1, 1, 1, 1], output_padding=[1, 1])
    t(6, (3, 3), groups=2, bias=False)
    t(8, (2, 2), strides=[3, 3])
    t(8, (3, 2), strides=[1, 2], dilations=[2, 1], pads=[1, 0, 0, 1])
    y = g.conv("x", 12, 8, (2, 2), strides=[2, 2], operator="ConvTranspose", keep=False)
    g.keep("Relu", y)
    save("transposed", g.model(), [[(1, 12, 3, 4)]])


def windows():
    g = Build([("x", [2, 12, "h", "w"])])
    y = g.conv("x", 12, 12, (1, 1), keep=False)
    g.keep("MaxPool", y, kernel_shape=[5, 5], pads=[2, 2, 2, 2])
    g.keep("MaxPool", y, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    g.keep("MaxPool", y, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    g.keep("MaxPool", y, kernel_shape=[2, 3], dilations=[2, 1])
    g.keep("MaxPool", y, kernel_shape=[2, 2], strides=[2, 1], auto_pad="SAME_UPPER")
    g.keep("AveragePool", y, kernel_shape=[3, 3], pads=[1, 1, 1, 1], strides=[2, 2])
    g.keep("AveragePool", y, kernel_shape=[3, 3], pads=[1, 1, 1, 1], count_include_pad=1)
    g.keep("AveragePool", y, kernel_shape=[2, 2], strides=[2, 2], ceil_mode=1)
    g.keep("GlobalAveragePool", y)
    g.keep("GlobalMaxPool", y)
    g.keep("ReduceMean", y, axes=[2, 3], keepdims=0)
    g.keep("ReduceMean", y, axes=[1])
    g.keep("ReduceMax", y, axes=[-1], keepdims=0)
    scales = lambda *s: ["", g.weight(numpy.array([1, 1, *s], numpy.float32))]
    r = lambda source, s, **k: g.keep("Resize", y, *source(*s), **k)
    r(scales, (2, 2), mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor")
    r(scales, (1.5, 2.5), mode="nearest")
    r(scales, (0.6, 0.7), mode="nearest", nearest_mode="round_prefer_ceil")
    r(scales, (2, 2), mode="linear")
    r(scales, (2, 3), mode="linear", coordinate_transformation_mode="align_corners")
    r(scales, (0.5, 0.5), mode="linear", coordinate_transformation_mode="pytorch_half_pixel")
    r(scales, (2, 2), mode="linear", coordinate_transformation_mode="asymmetric")
    sizes = lambda *s: ["", "", g.weight(numpy.array([2, 12, *s], numpy.int64))]
    r(sizes, (3, 11), mode="linear")
    r(sizes, (3, 11), mode="nearest", nearest_mode="ceil")
    save("windows", g.model(), [[(2, 12, 3, 5)]])


def epilogues():
    g = Build([("x", ["n", 12, 5, 2])], opset=20)
    weights = [g.random(12, 12, 3, 3), g.random(12)]
    c = lambda source="x": g.node("Conv", source, *weights, pads=[1, 1, 1, 1])
    number = lambda value: g.weight(numpy.float32(value))
    for operator, attributes in [
        ("Relu", {}), ("LeakyRelu", {"alpha": 0.1}), ("Sigmoid", {}), ("HardSigmoid", {}), ("HardSwish", {}), ("Tanh", {}),
        ("Elu", {}), ("Softplus", {}), ("Mish", {}), ("Gelu", {}), ("Exp", {}), ("Erf", {}), ("Neg", {}), ("Abs", {}),
        ("Floor", {}), ("Ceil", {}),
    ]:
        g.keep(operator, g.conv("x", 12, 3, (1, 1), keep=False), **attributes)
    g.keep("Clip", c(), number(0), number(6))
    g.keep("Clip", c(), "", number(0.25))
    y = c()
    g.keep("Mul", y, g.node("Sigmoid", y))
    y = c()
    g.keep("Mul", g.node("HardSigmoid", y, alpha=1 / 6), y)
    y = c()
    g.keep("Mul", y, g.node("Tanh", g.node("Softplus", y)))
    shortcut = c()
    # As YOLO adds, as ResNet adds, two sums, a sum of two convolutions and one that broadcasts.
    y = c(shortcut)
    g.keep("Add", shortcut, g.node("Mul", y, g.node("Sigmoid", y)))
    g.keep("Relu", g.node("Add", c(shortcut), shortcut))
    g.keep("Add", g.node("Add", c(), shortcut), shortcut)
    g.keep("Relu", g.node("Add", c(), g.conv("x", 12, 12, (1, 1), keep=False)))
    g.keep("Relu", g.node("Add", c(), g.node("GlobalAveragePool", shortcut)))
    g.keep("Add", c(), g.random(12, 1, 1))
    g.keep("Add", g.conv("x", 12, 12, groups=4, pads=[1, 1, 1, 1], keep=False), shortcut)
    # Squeeze and excitation.
    y = g.node("Relu", g.conv(g.node("GlobalAveragePool", shortcut), 12, 5, (1, 1), keep=False))
    g.keep("Mul", shortcut, g.node("HardSigmoid", g.conv(y, 5, 12, (1, 1), keep=False)))
    norm = lambda n: [g.random(n), g.random(n), g.random(n), g.weight(RANDOM.uniform(0.5, 2, n).astype(numpy.float32))]
    g.keep("Relu", g.node("BatchNormalization", c(), *norm(12)))
    g.keep("BatchNormalization", g.node("Relu", shortcut), *norm(12))
    for operator in ("Add", "Sub", "Mul", "Div", "Max", "Min"):
        g.keep(operator, shortcut, g.random(1, 12, 1, 1))
        if operator != "Div":  # By numbers close to zero: of which nothing exact follows.
            g.keep(operator, number(0.7), shortcut)
    g.keep("Sub", shortcut, c())
    save("epilogues", g.model(), [[(2, 12, 5, 2)]])


def parts():
    """Joins and parts of channels, of whole blocks and of others, and what lies between pictures and rows."""
    g = Build([("x", ["n", 12, "h", 4])])
    integers = lambda *v: g.weight(numpy.array(v, numpy.int64))
    y = g.conv("x", 12, 32, (1, 1), keep=False)
    a, b = g.node("Split", y, integers(16, 16), outputs=2, axis=1)
    first = g.node("Relu", g.conv(b, 16, 16, pads=[1, 1, 1, 1], keep=False))
    second = g.node("Add", first, g.conv(first, 16, 16, pads=[1, 1, 1, 1], keep=False))
    joined = g.node("Concat", a, b, first, second, axis=1)
    g.conv(joined, 64, 8, (1, 1))
    g.keep("Concat", first, second, first, axis=1)
    c, d, e = g.node("Split", y, integers(5, 10, 17), outputs=3, axis=1)
    g.keep("Concat", d, c, e, axis=1)
    g.keep("Concat", y, "x", axis=1)
    g.keep("Slice", y, integers(8), integers(24), integers(1))
    g.keep("Slice", y, integers(-3, 6), integers(-40, 0), integers(1, 3), integers(-2, -2))
    focus = [g.node("Slice", y, integers(i, j), integers(2**31, 2**31), integers(2, 3), integers(2, 2)) for j in (0, 1) for i in (0, 1)]
    g.keep("Concat", *focus, axis=1)
    shape = g.node("Shape", y)
    size = lambda at: g.node("Gather", shape, integers(at), axis=0)
    rows = g.node("Reshape", y, g.node("Concat", size(0), integers(4, 8), g.node("Mul", size(2), size(3)), axis=0))
    turned = g.node("Transpose", rows, perm=[0, 2, 1, 3])
    soft = g.node("Softmax", turned, axis=1)
    g.keep("Softmax", turned, axis=-1)
    back = g.conv(soft, 8, 1, (1, 1), keep=False)
    g.keep("Reshape", back, integers(0, 4, -1))
    g.keep("Flatten", g.node("GlobalAveragePool", y))
    flat = g.node("Flatten", g.node("GlobalAveragePool", y))
    g.keep("Gemm", flat, g.random(10, 32), g.random(10), transB=1)
    g.keep("MatMul", flat, g.random(32, 19))
    g.keep("MatMul", turned, g.node("Transpose", turned, perm=[0, 1, 3, 2]))
    g.keep("Gather", rows, integers(3, -1), axis=1)
    g.keep("Squeeze", g.node("Unsqueeze", rows, integers(0)), integers(0))
    g.keep("Expand", g.node("GlobalMaxPool", y), integers(1, 1, 2, 3))
    g.keep("Pad", y, integers(0, 1, 2, 0, 0, 0, 1, 3), g.weight(numpy.float32(0.5)))
    g.keep("Pow", y, g.weight(numpy.float32(2)))
    g.keep("Pow", y, g.weight(numpy.float32(3)))
    steps = g.node("Cast", g.node("Range", g.weight(numpy.int64(0)), g.node("Squeeze", size(2)), g.weight(numpy.int64(1))), to=1)
    g.keep("Mul", g.node("Reshape", steps, integers(1, 1, -1, 1)), y)
    g.keep("Div", y, g.node("Sqrt", g.node("Add", g.node("Pow", y, g.weight(numpy.float32(2))), g.weight(numpy.float32(1)))))
    save("parts", g.model(), [[(2, 12, 2, 4)]])


def halves():
    g = Build([("x", ["n", 8, "h", "w"])])
    shared = g.random(10)
    a = g.node("Conv", "x", g.half(10, 8, 3, 3), g.node("Identity", shared), kernel_shape=(3, 3), pads=[1, 1, 1, 1])
    b = g.node("Conv", g.node("Relu", a), g.half(10, 10, 1, 1), g.node("Identity", shared), kernel_shape=(1, 1))
    g.keep("Mul", b, g.half(10, 1, 1))
    g.keep("ConvTranspose", b, g.half(10, 4, 2, 2), kernel_shape=(2, 2), strides=[2, 2])
    save("halves", g.model(), [[(1, 8, 5, 3)]])


class Neck(nn.Module):
    """What detectors have in common: three pictures, of an eighth, a sixteenth and a thirty-second of the size."""

    def __init__(self, a=8, b=8, c=8, d=8, e=8):
        super().__init__()
        self.stem = nn.Sequential(Conv(3, a, 3, 2), Conv(a, b, 3, 2), C2f(b, b))
        self.down = nn.ModuleList([nn.Sequential(Conv(b, c, 3, 2), C2f(c, c, 2)), nn.Sequential(Conv(c, d, 3, 2), C2f(d, d)), nn.Sequential(Conv(d, e, 3, 2), C2f(e, e), Spp(e))])
        self.up = nn.Upsample(scale_factor=2, mode="nearest")
        self.middle, self.large = C2f(e + d, d, 1, False), C2f(d + c, c, 1, False)

    def forward(self, x):
        p3 = self.down[0](self.stem(x))
        p4 = self.down[1](p3)
        p5 = self.down[2](p4)
        p4 = self.middle(torch.cat((self.up(p5), p4), 1))
        return self.large(torch.cat((self.up(p4), p3), 1)), p4, p5


class Yolo8(nn.Module):
    """Boxes as distributions over four bins, five classes, and masks."""

    def __init__(self):
        super().__init__()
        self.neck = Neck()
        widths = (8, 8, 8)
        head = lambda to: nn.ModuleList(nn.Sequential(Conv(c, 8, 3), nn.Conv2d(8, to, 1)) for c in widths)
        self.boxes, self.classes = head(16), head(5)
        self.bins = nn.Conv2d(4, 1, 1, bias=False)
        self.bins.weight.data[:] = torch.arange(4.0).view(1, 4, 1, 1)
        self.factors = head(8)
        self.prototypes = nn.Sequential(Conv(8, 8, 3), nn.ConvTranspose2d(8, 8, 2, 2), Conv(8, 8))

    def forward(self, x):
        pictures = self.neck(x)
        batch = x.shape[0]
        rows = [torch.cat((self.boxes[i](p), self.classes[i](p)), 1).view(batch, 21, -1) for i, p in enumerate(pictures)]
        anchors, strides = [], []
        for picture, stride in zip(pictures, (8, 16, 32)):
            height, width = picture.shape[2:]
            y, x = torch.meshgrid(torch.arange(height) + 0.5, torch.arange(width) + 0.5, indexing="ij")
            anchors.append(torch.stack((x, y)).reshape(2, -1))
            strides.append(torch.full((1, y.numel()), float(stride)))
        boxes, classes = torch.cat(rows, 2).split((16, 5), 1)
        boxes = self.bins(boxes.view(batch, 4, 4, -1).transpose(2, 1).softmax(1)).view(batch, 4, -1)
        near, far = boxes.chunk(2, 1)
        anchors = torch.cat(anchors, 1).unsqueeze(0)
        near, far = anchors - near, anchors + far
        out = torch.cat((torch.cat(((near + far) / 2, far - near), 1) * torch.cat(strides, 1), classes.sigmoid()), 1)
        factors = torch.cat([self.factors[i](p).view(batch, 8, -1) for i, p in enumerate(pictures)], 2)
        return torch.cat((out, factors), 1), self.prototypes(pictures[0])


class Yolo5(nn.Module):
    """Three anchors, an objectness and three classes."""

    def __init__(self):
        super().__init__()
        self.neck = Neck()
        self.heads = nn.ModuleList(nn.Conv2d(c, 3 * 8, 1) for c in (8, 8, 8))
        self.anchors = torch.tensor([[10.0, 13, 16, 30, 33, 23], [30, 61, 62, 45, 59, 119], [116, 90, 156, 198, 373, 326]]).view(3, 1, 3, 1, 1, 2)

    def forward(self, x):
        rows = []
        for head, anchors, picture, stride in zip(self.heads, self.anchors, self.neck(x), (8, 16, 32)):
            y = head(picture)
            batch, _, height, width = y.shape
            y = y.view(batch, 3, 8, height, width).permute(0, 1, 3, 4, 2).contiguous().sigmoid()
            grid_y, grid_x = torch.meshgrid(torch.arange(height), torch.arange(width), indexing="ij")
            grid = torch.stack((grid_x, grid_y), 2).view(1, 1, height, width, 2).float() - 0.5
            place, size, rest = y.split((2, 2, 4), 4)
            y = torch.cat(((place * 2 + grid) * stride, (size * 2) ** 2 * anchors, rest), 4)
            rows.append(y.view(batch, -1, 8))
        return torch.cat(rows, 1)


class ResNet(nn.Module):
    def __init__(self):
        super().__init__()
        relu = lambda *a: Conv(*a, function=nn.ReLU)
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 7, 2, 3, bias=False), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(3, 2, 1))
        self.a, self.b = relu(8, 8, 3), nn.Conv2d(8, 8, 3, 1, 1)
        self.c, self.d, self.short = relu(8, 16, 3, 2), nn.Conv2d(16, 16, 3, 1, 1), nn.Conv2d(8, 16, 1, 2)
        self.last = nn.Linear(16, 10)

    def forward(self, x):
        x = self.stem(x)
        x = torch.relu(self.b(self.a(x)) + x)
        x = torch.relu(self.d(self.c(x)) + self.short(x))
        return self.last(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1)).softmax(1)


class Crnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.picture = nn.Sequential(Conv(1, 8, 3, 2, nn.ReLU), Conv(8, 16, 3, 2, nn.ReLU), nn.MaxPool2d((4, 1)))
        self.rows = nn.LSTM(16, 12, bidirectional=True)
        self.last = nn.Linear(24, 11)

    def forward(self, x):
        x = self.picture(x).squeeze(2).permute(2, 0, 1)
        return self.last(self.rows(x)[0]).log_softmax(2)


class Vit(nn.Module):
    def __init__(self):
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 8, 8)
        self.before, self.after = nn.LayerNorm(16), nn.LayerNorm(16)
        self.queries, self.out = nn.Linear(16, 48), nn.Linear(16, 16)
        self.wide = nn.Sequential(nn.Linear(16, 32), nn.GELU(), nn.Linear(32, 16))

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        batch, rows, _ = x.shape
        q, k, v = self.queries(self.before(x)).view(batch, rows, 3, 4, 4).permute(2, 0, 3, 1, 4).unbind(0)
        mixed = ((q @ k.transpose(-1, -2)) / 2).softmax(-1) @ v
        x = x + self.out(mixed.transpose(1, 2).reshape(batch, rows, 16))
        return x + self.wide(self.after(x))


def network(name, module, shape, runs, opset, dynamic=("n",), size=False):
    module = module.eval()
    for part in module.modules():
        if isinstance(part, (nn.Conv2d, nn.ConvTranspose2d)) and part.weight.requires_grad and part.out_channels > 1:
            nn.init.normal_(part.weight, 0, (2 / part.weight[0].numel()) ** 0.5)
        if isinstance(part, nn.BatchNorm2d):
            part.running_mean.normal_(0, 0.3), part.running_var.uniform_(0.5, 2)
    file = io.BytesIO()
    axes = {"x": {0: "n", **({2: "h", 3: "w"} if size else {})}}
    torch.onnx.export(module, torch.zeros(shape), file, opset_version=opset, dynamo=False, input_names=["x"], dynamic_axes=axes)
    save(name, shorten(onnx.load_from_string(file.getvalue())), [[run] for run in runs])


def shorten(model):
    """Gives values short names: an exporter's are longer than the rest of the graph."""
    names = {port.name: port.name for port in model.graph.input} | {"": ""}
    short = lambda name: names.setdefault(name, f"v{len(names)}")
    for weight in model.graph.initializer:
        weight.name = short(weight.name)
    for node in model.graph.node:
        node.input[:], node.output[:] = map(short, node.input), map(short, node.output)
        node.ClearField("name")
        node.ClearField("doc_string")
    for port in model.graph.output:
        port.name = short(port.name)
    model.graph.ClearField("value_info")
    return model


def main():
    HERE.mkdir(exist_ok=True)
    convolutions()
    pictures()
    transposed()
    windows()
    epilogues()
    parts()
    network("yolov8", Yolo8(), (1, 3, 64, 64), [(2, 3, 64, 64), (1, 3, 64, 32)], 12, size=True)
    network("yolov5", Yolo5(), (1, 3, 64, 64), [(2, 3, 64, 64)], 17)
    network("resnet", ResNet(), (1, 3, 40, 44), [(3, 3, 40, 44), (1, 3, 40, 44)], 13)
    network("crnn", Crnn(), (1, 1, 16, 40), [(1, 1, 16, 40), (2, 1, 16, 40)], 14)
    network("vit", Vit(), (1, 3, 32, 32), [(2, 3, 32, 32)], 17)
    halves()
    total = sum(file.stat().st_size for file in HERE.iterdir())
    print(total, "bytes in all")
    sys.exit(total > 620_000)


if __name__ == "__main__":
    main()
