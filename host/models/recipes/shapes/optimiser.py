"""Muon for convolutions over channels, which moves a weight by an orthogonal matrix near its momentum, and AdamW for everything else.

On few steps it gets much further than AdamW alone.
"""

import pathlib
import sys

import torch
from torch import nn

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from muon import orthogonal

MOMENTUM, DECAY = 0.9, 0.02
# Muon's rate as a multiple of AdamW's.
FASTER = 8.0


class Optimiser:
    def __init__(self, model, rate):
        inner = {id(part.weight) for part in model.modules() if isinstance(part, nn.Conv2d) and part.groups == 1 and part.bias is None}
        self.inner = [value for value in model.parameters() if id(value) in inner]
        others = [value for value in model.parameters() if id(value) not in inner]
        self.adam = torch.optim.AdamW([
            {"params": [value for value in others if value.ndim >= 2], "weight_decay": DECAY},
            {"params": [value for value in others if value.ndim < 2], "weight_decay": 0.0},
        ], lr=rate, betas=(0.9, 0.99), fused=True)
        self.pace = [torch.zeros_like(value) for value in self.inner]

    @torch.no_grad()
    def step(self, rate):
        for group in self.adam.param_groups:
            group["lr"] = rate
        self.adam.step()
        for value, pace in zip(self.inner, self.pace):
            pace.lerp_(value.grad, 1 - MOMENTUM)
            ahead = value.grad.lerp(pace, MOMENTUM).flatten(1)
            change = orthogonal(ahead[None])[0] * max(1.0, ahead.shape[0] / ahead.shape[1]) ** 0.5
            value.mul_(1 - FASTER * rate * DECAY).sub_(change.view_as(value), alpha=FASTER * rate)
