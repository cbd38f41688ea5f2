"""The two networks: plain convolutions, batch normalisation and ReLU, so that the exported graphs hold few kinds of operator."""

import torch
from torch import nn

import words


class Conv(nn.Sequential):
    """Convolution, batch normalisation and, unless told otherwise, ReLU."""

    def __init__(self, inputs, outputs, kernel=3, stride=1, groups=1, padding=None, relu=True):
        kernel = (kernel, kernel) if isinstance(kernel, int) else kernel
        padding = tuple(size // 2 for size in kernel) if padding is None else padding
        parts = [nn.Conv2d(inputs, outputs, kernel, stride, padding, groups=groups, bias=False), nn.BatchNorm2d(outputs)]
        super().__init__(*parts, *([nn.ReLU(inplace=True)] if relu else []))


class Mix(nn.Module):
    """Residual block: a depthwise convolution, then a widening and a narrowing one of one pixel."""

    def __init__(self, channels, kernel, expansion=2):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, kernel, padding=tuple(size // 2 for size in kernel), groups=channels, bias=False),
            nn.BatchNorm2d(channels),
            Conv(channels, channels * expansion, 1),
            Conv(channels * expansion, channels, 1, relu=False),
        )

    def forward(self, x):
        return x + self.body(x)


class Residual(nn.Module):
    """Residual block of one full convolution."""

    def __init__(self, channels):
        super().__init__()
        self.body = Conv(channels, channels)

    def forward(self, x):
        return x + self.body(x)


class Recogniser(nn.Module):
    """A word [batch, 3, 32, 128] to logits [batch, 64, characters + 1], the blank of CTC last."""

    def __init__(self, channels=160):
        super().__init__()
        self.picture = nn.Sequential(Conv(3, 24, stride=2), Conv(24, 48, stride=(2, 1)), Residual(48), Conv(48, 96, stride=(2, 1)), Mix(96, (3, 3), expansion=1))
        self.columns = Conv(96, channels, (4, 1), padding=0)
        self.line = nn.Sequential(*[Mix(channels, (1, 9)) for _ in range(6)])
        self.head = nn.Conv2d(channels, len(words.VOCAB) + 1, 1)

    def forward(self, x):
        return self.head(self.line(self.columns(self.picture(x)))).squeeze(2).transpose(1, 2)


class Detector(nn.Module):
    """A page [batch, 3, H, W] to the logits of the shrunk words [batch, 1, H / 2, W / 2]; H and W are multiples of 32."""

    def __init__(self, channels=32):
        super().__init__()
        self.stem = Conv(3, 12, stride=2)
        self.stages = nn.ModuleList([
            nn.Sequential(Conv(12, 24, stride=2), Mix(24, (3, 3))),
            nn.Sequential(Conv(24, 40, stride=2), Mix(40, (3, 3))),
            nn.Sequential(Conv(40, 64, stride=2), Mix(64, (5, 5))),
            nn.Sequential(Conv(64, 80, stride=2), *[Mix(80, (5, 5)) for _ in range(3)]),
        ])
        self.sides = nn.ModuleList([Conv(width, channels, 1) for width in (24, 40, 64, 80)])
        self.joins = nn.ModuleList([Mix(channels, (3, 3)) for _ in range(3)])
        self.smooth = Conv(channels, 16, relu=False)
        self.head = nn.ConvTranspose2d(16, 1, 2, stride=2)
        # Words are rare: nearly no pixel is one at first.
        nn.init.constant_(self.head.bias, -3.0)

    def forward(self, x):
        x = self.stem(x)
        features = []
        for stage, side in zip(self.stages, self.sides):
            x = stage(x)
            features.append(side(x))
        x = features[3]
        for i in (2, 1, 0):
            x = self.joins[i](features[i] + nn.functional.interpolate(x, scale_factor=2, mode="nearest"))
        return self.head(self.smooth(x))
