"""What YOLOv8 is made of, without batch normalisation, for `make_golden.py` and `../benches/compare_speed.py`."""
import torch
from torch import nn


class Conv(nn.Module):
    def __init__(self, channels, to, kernel=1, stride=1, function=nn.SiLU):
        super().__init__()
        self.conv = nn.Conv2d(channels, to, kernel, stride, kernel // 2)
        self.function = function()

    def forward(self, x):
        return self.function(self.conv(x))


class Bottleneck(nn.Module):
    def __init__(self, c, adds):
        super().__init__()
        self.a, self.b, self.adds = Conv(c, c, 3), Conv(c, c, 3), adds

    def forward(self, x):
        return x + self.b(self.a(x)) if self.adds else self.b(self.a(x))


class C2f(nn.Module):
    def __init__(self, channels, to, count=1, adds=True):
        super().__init__()
        c = to // 2
        self.first, self.last = Conv(channels, to), Conv((2 + count) * c, to)
        self.blocks = nn.ModuleList(Bottleneck(c, adds) for _ in range(count))

    def forward(self, x):
        parts = list(self.first(x).chunk(2, 1))
        parts.extend(block(parts[-1]) for block in self.blocks)
        return self.last(torch.cat(parts, 1))


class Spp(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.first, self.last, self.pool = Conv(c, c // 2), Conv(c * 2, c), nn.MaxPool2d(5, 1, 2)

    def forward(self, x):
        parts = [self.first(x)]
        parts.extend(self.pool(parts[-1]) for _ in range(3))
        return self.last(torch.cat(parts, 1))
