"""The networks: a one-stage detector with branches for masks or keypoints on a shared trunk, and a classifier of the same parts.

The detector looks at three grids with cells of 8, 16 and 32 pixels. Each cell gives the distances from its middle to the four sides of a box, a score
for each class and, where asked, 32 mask coefficients or three values for each keypoint.
"""

import copy

import torch
from torch import nn
from torch.nn import functional

STRIDES = (8, 16, 32)
# Masks are mixed from so many prototypes, on a grid with cells of 4 pixels.
PROTOTYPES = 32


class Conv(nn.Sequential):
    """Convolution, batch normalisation, ReLU."""

    def __init__(self, inputs, outputs, kernel=1, stride=1, groups=1):
        super().__init__(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs, momentum=0.03), nn.ReLU(inplace=True))


class Depthwise(nn.Sequential):
    """One convolution for each channel and one over the channels."""

    def __init__(self, inputs, outputs, kernel=3):
        super().__init__(Conv(inputs, inputs, kernel, groups=inputs), Conv(inputs, outputs))


class Halving(nn.Sequential):
    """The same to a grid of half the size."""

    def __init__(self, inputs, outputs):
        super().__init__(Conv(inputs, inputs, 3, 2, groups=inputs), Conv(inputs, outputs))


class Stage(nn.Module):
    """Half of the channels go through `depth` residual blocks; every step is kept and mixed at the end."""

    def __init__(self, inputs, outputs, depth=1, residual=True):
        super().__init__()
        self.half, self.residual = outputs // 2, residual
        self.enter = Conv(inputs, outputs)
        self.blocks = nn.ModuleList(nn.Sequential(Conv(self.half, self.half, 3), Conv(self.half, self.half, 3)) for _ in range(depth))
        self.leave = Conv(self.half * (2 + depth), outputs)

    def forward(self, x):
        parts = list(self.enter(x).split(self.half, 1))
        for block in self.blocks:
            parts.append(parts[-1] + block(parts[-1]) if self.residual else block(parts[-1]))
        return self.leave(torch.cat(parts, 1))


class Pyramid(nn.Module):
    """Largest values of ever wider windows, so that a cell of the coarsest grid knows its surroundings."""

    def __init__(self, channels):
        super().__init__()
        self.enter = Conv(channels, channels // 2)
        self.pool = nn.MaxPool2d(5, 1, 2)
        self.leave = Conv(channels * 2, channels)

    def forward(self, x):
        parts = [self.enter(x)]
        for _ in range(3):
            parts.append(self.pool(parts[-1]))
        return self.leave(torch.cat(parts, 1))


def flattened(x):
    """[batch, values, cells]. The sizes as plain numbers make one Reshape of it in the exported file."""
    return x.reshape(-1, int(x.shape[1]), int(x.shape[2]) * int(x.shape[3]))


def double(x):
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class Encoder(nn.Module):
    """Picture to features on grids of 8, 16 and 32 pixels, each knowing only what is finer."""

    def __init__(self):
        super().__init__()
        self.stem = Conv(3, 32, 7, 4)
        self.down8 = nn.Sequential(Conv(32, 64, 3, 2), Stage(64, 64, 1))
        self.down16 = nn.Sequential(Conv(64, 96, 3, 2), Stage(96, 96, 1))
        self.down32 = nn.Sequential(Conv(96, 128, 3, 2), Stage(128, 128, 1), Pyramid(128))

    def forward(self, x):
        c8 = self.down8(self.stem(x))
        c16 = self.down16(c8)
        return c8, c16, self.down32(c16)


class Trunk(Encoder):
    """The encoder, then coarse grids tell finer ones and finer ones coarser."""

    def __init__(self):
        super().__init__()
        self.up16, self.up8 = Stage(128 + 96, 64, 1, False), Stage(64 + 64, 64, 1, False)
        self.back16, self.back32 = Halving(64, 64), Halving(64, 64)
        self.mix16, self.mix32 = Stage(64 + 64, 64, 1, False), Stage(64 + 128, 96, 1, False)

    def forward(self, x):
        c8, c16, c32 = super().forward(x)
        p16 = self.up16(torch.cat([double(c32), c16], 1))
        p8 = self.up8(torch.cat([double(p16), c8], 1))
        p16 = self.mix16(torch.cat([self.back16(p8), p16], 1))
        p32 = self.mix32(torch.cat([self.back32(p16), c32], 1))
        return [p8, p16, p32]


WIDTHS = (64, 64, 96)


def branch(outputs):
    """One head branch for each grid."""
    return nn.ModuleList(nn.Sequential(Depthwise(width, 64), Depthwise(64, 64), nn.Conv2d(64, outputs, 1)) for width in WIDTHS)


def narrow(outputs):
    return nn.ModuleList(nn.Sequential(Depthwise(width, 48), nn.Conv2d(48, outputs, 1)) for width in WIDTHS)


class Masks(nn.Module):
    """Prototypes of masks from the finest grid: each cell becomes two by two."""

    def __init__(self):
        super().__init__()
        self.enter = nn.Sequential(Depthwise(64, 64), Conv(64, 64))
        self.leave = nn.ConvTranspose2d(64, PROTOTYPES, 2, 2)

    def forward(self, p8):
        return self.leave(self.enter(p8))


class Detector(nn.Module):
    """`masks` adds mask coefficients and prototypes, `slots` that many keypoints."""

    def __init__(self, classes, masks=False, slots=0):
        super().__init__()
        self.classes, self.slots = classes, slots
        self.trunk = Trunk()
        self.boxes, self.scores = branch(4), branch(classes)
        self.coefficients = narrow(PROTOTYPES) if masks else None
        self.masks = Masks() if masks else None
        self.keypoints = branch(3 * slots) if slots else None
        for boxes, scores in zip(self.boxes, self.scores):
            nn.init.constant_(boxes[-1].bias, 2.0)
            nn.init.constant_(scores[-1].bias, -4.6)

    def forward(self, x):
        """Raw distances, score logits, coefficients and keypoints as [batch, values, cells], and the prototypes; None for what is not there."""
        grids = self.trunk(x)
        flat = lambda heads: None if heads is None else torch.cat([flattened(head(grid)) for head, grid in zip(heads, grids)], 2)
        return flat(self.boxes), flat(self.scores), flat(self.coefficients), flat(self.keypoints), self.masks(grids[0]) if self.masks else None


def cells(size):
    """Middles of the cells in pixels as [2, cells] and their widths as [cells], finest grid first."""
    middles, widths = [], []
    for stride in STRIDES:
        steps = (torch.arange(size // stride) + 0.5) * stride
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        middles.append(torch.stack([x.flatten(), y.flatten()]))
        widths.append(torch.full((x.numel(),), float(stride)))
    return torch.cat(middles, 1), torch.cat(widths)


def corners(distances, middles, widths):
    """Left, top, right, bottom in pixels."""
    distances = distances * widths
    return torch.cat([middles - distances[:, :2], middles + distances[:, 2:]], 1)


def placed(keypoints, middles, widths):
    """Keypoints as [batch, slots, 3, cells]: x and y in pixels, the logit of the point being there."""
    batch, values, count = keypoints.shape
    keypoints = keypoints.view(batch, values // 3, 3, count)
    return torch.cat([keypoints[:, :, :2] * (2 * widths) + middles, keypoints[:, :, 2:]], 2)


class Served(nn.Module):
    """A detector as it is served: one tensor [batch, 4 + classes + rest, cells] with middle, width and height of boxes, and the prototypes if any."""

    def __init__(self, detector, size):
        super().__init__()
        self.detector = detector
        middles, widths = cells(size)
        self.register_buffer("middles", middles[None])
        self.register_buffer("widths", widths[None, None])
        self.register_buffer("halves", widths[None, None] / 2)

    def forward(self, images):
        distances, scores, coefficients, keypoints, prototypes = self.detector(images)
        near, far = distances.split(2, 1)
        parts = [self.middles + (far - near) * self.halves, (near + far) * self.widths, scores.sigmoid()]
        if coefficients is not None:
            parts.append(coefficients)
        if keypoints is not None:
            doubles = self.widths * 2
            for values in keypoints.split(3, 1):
                at, there = values.split([2, 1], 1)
                parts += [at * doubles + self.middles, there.sigmoid()]
        output = torch.cat(parts, 1)
        return output if prototypes is None else (output, prototypes)


class Classifier(nn.Module):
    """The detector as a classifier of one shape: of each class the highest score of any cell. Takes pictures from -1 to 1."""

    def __init__(self, classes):
        super().__init__()
        self.trunk, self.scores = Trunk(), branch(classes)

    def forward(self, x):
        grids = self.trunk(x * 0.5 + 0.5)
        return torch.cat([flattened(head(grid)) for head, grid in zip(self.scores, grids)], 2).amax(2)


def folded(module):
    """A copy with every batch normalisation folded into the convolution before it."""
    module = copy.deepcopy(module).eval()
    for part in module.modules():
        if isinstance(part, Conv):
            part[0] = nn.utils.fuse_conv_bn_eval(part[0], part[1])
            part[1] = nn.Identity()
    return module


def parameters(module):
    return sum(value.numel() for value in module.parameters())
