"""Muon in 32 bits: moves a matrix by an orthogonal one near its momentum. PyTorch's own works in bfloat16, which a processor without such units does about ten times slower.

On few steps it gets much further than AdamW alone. Source: Keller Jordan's description of Muon; the rate is matched to AdamW's as in "Muon is scalable for LLM training".
"""

import torch
from torch import nn

MOMENTUM = 0.95


def orthogonal(matrices):
    """About the nearest matrices with singular values of one [count, rows, columns], by five steps of a polynomial (Newton-Schulz)."""
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(5):
        square = x @ x.mT
        x = 3.4445 * x + (-4.7750 * square + 2.0315 * square @ square) @ x
    return x.mT if tall else x


class Muon(torch.optim.Optimizer):
    """One rate for all; a convolution is the matrix [outputs, inputs x kernel], and matrices of one shape are turned together."""

    def __init__(self, matrices, lr, weight_decay):
        super().__init__(matrices, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for value in group["params"]:
                pace = self.state[value].setdefault("pace", torch.zeros_like(value))
                pace.lerp_(value.grad, 1 - MOMENTUM)
                ahead = value.grad.lerp(pace, MOMENTUM).flatten(1)
                shapes.setdefault(ahead.shape, []).append((value, ahead))
            for shape, pairs in shapes.items():
                changes = orthogonal(torch.stack([ahead for _, ahead in pairs])) * (0.2 * max(shape) ** 0.5)
                for (value, _), change in zip(pairs, changes):
                    value.mul_(1 - group["lr"] * group["weight_decay"]).sub_(change.view_as(value), alpha=group["lr"])


def of_convolutions(model, rate, weight_decay=0.02):
    """Two optimizers: Muon for convolutions over channels that a normalisation follows, AdamW for everything else; only matrices decay."""
    inner = {id(part.weight) for part in model.modules() if isinstance(part, nn.Conv2d) and part.groups == 1 and part.bias is None}
    others = [value for value in model.parameters() if id(value) not in inner]
    return [
        Muon([value for value in model.parameters() if id(value) in inner], lr=rate, weight_decay=weight_decay),
        torch.optim.AdamW([
            {"params": [value for value in others if value.ndim >= 2], "weight_decay": weight_decay},
            {"params": [value for value in others if value.ndim < 2], "weight_decay": 0.0},
        ], lr=rate, betas=(0.9, 0.99)),
    ]
