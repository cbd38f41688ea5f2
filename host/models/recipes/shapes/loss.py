"""Which cells answer for which item (task-aligned assignment), and the loss of boxes, classes, masks and keypoints."""

import math

import torch
from torch.nn import functional

from network import corners, placed

# Cells that answer for an item; powers of score and overlap in their choice.
CHOSEN, SCORE_POWER, OVERLAP_POWER = 10, 0.5, 6.0
# Items narrower than this count as so wide when cells inside are looked for.
NARROW = 14.0
BOX, CLASS, MASK, POINT, THERE = 7.5, 1.0, 4.0, 6.0, 1.0
# Share of an item's size that a keypoint may be off, in the loss.
TOLERANCE = 0.06
# Weight of what pulls keypoints from far away.
FAR = 0.4


def overlap(a, b, complete=False):
    """Intersection over union of boxes [..., 4]; `complete` subtracts the distance of the middles and the difference of the shapes (CIoU)."""
    w = (torch.minimum(a[..., 2], b[..., 2]) - torch.maximum(a[..., 0], b[..., 0])).clamp(min=0)
    h = (torch.minimum(a[..., 3], b[..., 3]) - torch.maximum(a[..., 1], b[..., 1])).clamp(min=0)
    wa, ha = (a[..., 2] - a[..., 0]).clamp(min=1e-3), (a[..., 3] - a[..., 1]).clamp(min=1e-3)
    wb, hb = (b[..., 2] - b[..., 0]).clamp(min=1e-3), (b[..., 3] - b[..., 1]).clamp(min=1e-3)
    iou = w * h / (wa * ha + wb * hb - w * h)
    if not complete:
        return iou
    wide = torch.maximum(a[..., 2], b[..., 2]) - torch.minimum(a[..., 0], b[..., 0])
    high = torch.maximum(a[..., 3], b[..., 3]) - torch.minimum(a[..., 1], b[..., 1])
    apart = ((a[..., 0] + a[..., 2] - b[..., 0] - b[..., 2]) ** 2 + (a[..., 1] + a[..., 3] - b[..., 1] - b[..., 3]) ** 2) / 4
    shape = (4 / math.pi**2) * (torch.atan(wb / hb) - torch.atan(wa / ha)) ** 2
    with torch.no_grad():
        weight = shape / (1 - iou + shape + 1e-7)
    return iou - apart / (wide**2 + high**2 + 1e-6) - weight * shape


@torch.no_grad()
def assign(scores, boxes, middles, classes, truth):
    """For each cell the item it answers for (-1 for none) and the score it should give.

    scores [batch, classes, cells] after the sigmoid, boxes [batch, 4, cells], classes [batch, items] with -1 for no item, truth [batch, items, 4].
    """
    there = classes >= 0
    middle, half = (truth[..., :2] + truth[..., 2:]) / 2, ((truth[..., 2:] - truth[..., :2]) / 2).clamp(min=NARROW / 2)
    inside = ((middles.T[None, None] - middle[:, :, None]).abs() < half[:, :, None]).all(-1) & there[..., None]
    wanted = scores.gather(1, classes.clamp(min=0).long()[..., None].expand(-1, -1, scores.shape[2]))
    iou = overlap(truth[:, :, None], boxes.transpose(1, 2)[:, None])
    fitness = wanted**SCORE_POWER * iou**OVERLAP_POWER * inside
    best = fitness.topk(CHOSEN, -1)
    positive = torch.zeros_like(inside).scatter_(-1, best.indices, True) & inside & (fitness > 1e-9)
    # A cell that several items want goes to the one it overlaps most.
    rival = torch.where(positive, iou, -1.0)
    owner = rival.argmax(1)
    positive &= torch.zeros_like(positive).scatter_(1, owner[:, None], True)
    fitness = fitness * positive
    # The best cell of an item should score its overlap, the others in proportion.
    target = (fitness / (fitness.amax(-1, keepdim=True) + 1e-9) * (iou * positive).amax(-1, keepdim=True)).amax(1)
    return torch.where(positive.any(1), owner, -1), target


def losses(output, middles, widths, want):
    """Sum of the losses and its parts. `want` holds classes, marks, boxes and points as tensors, and labels [batch, H, W]."""
    distances, logits, coefficients, keypoints, prototypes = output
    boxes = corners(distances, middles, widths)
    owner, target = assign(logits.detach().sigmoid(), boxes.detach(), middles, want["classes"], want["boxes"])
    row, cell = (owner >= 0).nonzero(as_tuple=True)
    item = owner[row, cell]
    weight = target[row, cell]
    total = target.sum().clamp(min=1.0)
    goal = torch.zeros_like(logits)
    goal[row, want["classes"][row, item].long(), cell] = weight
    parts = {"class": CLASS * functional.binary_cross_entropy_with_logits(logits, goal, reduction="sum") / total}
    truth = want["boxes"][row, item]
    parts["box"] = BOX * ((1 - overlap(boxes[row, :, cell], truth, True)) * weight).sum() / total
    if prototypes is not None:
        parts["mask"] = MASK * mask_loss(coefficients[row, :, cell], prototypes, row, truth, want["labels"], want["marks"][row, item], weight) / total
    if keypoints is not None:
        at = placed(keypoints, middles, widths)[row, :, :, cell]
        points = want["points"][row, item]
        area = ((truth[:, 2] - truth[:, 0]) * (truth[:, 3] - truth[:, 1])).clamp(min=64.0)
        # Long thin items have little area; their length counts too.
        area = torch.maximum(area, 0.25 * (truth[:, 2:] - truth[:, :2]).amax(1) ** 2)
        off = ((at[..., :2] - points[..., :2]) ** 2).sum(-1) / (2 * area[:, None] * TOLERANCE**2)
        seen = points[..., 2]
        # The first part is the likeness that is measured, the second pulls points from far away.
        wrong = ((1 - torch.exp(-off)) + FAR * torch.sqrt(off + 1e-4)) * seen
        parts["point"] = POINT * (wrong.sum(1) / seen.sum(1).clamp(min=1) * weight).sum() / total
        exists = functional.binary_cross_entropy_with_logits(at[..., 2], seen, reduction="none").mean(1)
        parts["there"] = THERE * (exists * weight).sum() / total
    return sum(parts.values()), {name: float(value.detach()) for name, value in parts.items()}


# Cells of a step whose masks are compared; more cost time and teach little.
COMPARED = 64


def mask_loss(coefficients, prototypes, row, truth, labels, marks, weight):
    """Cross-entropy of the mask inside the box, as a mean over the box, and one minus its overlap with the true mask (dice), in which thin shapes count as much as others."""
    if len(row) > COMPARED:
        chosen = torch.randperm(len(row))[:COMPARED]
        share = len(row) / COMPARED
        coefficients, row, truth, marks, weight = coefficients[chosen], row[chosen], truth[chosen], marks[chosen], weight[chosen]
    else:
        share = 1.0
    size = prototypes.shape[-1]
    step = labels.shape[-1] / size
    flat = prototypes.flatten(2)
    logits = torch.empty(len(row), size * size)
    pieces = []
    order = torch.argsort(row)
    for number in range(prototypes.shape[0]):
        mine = order[row[order] == number]
        if len(mine):
            pieces.append((mine, coefficients[mine] @ flat[number]))
    if not pieces:
        return prototypes.sum() * 0
    index = torch.cat([mine for mine, _ in pieces])
    logits = torch.cat([piece for _, piece in pieces]).view(-1, size, size)
    row, truth, marks, weight = row[index], truth[index], marks[index], weight[index]
    goal = functional.avg_pool2d((labels[row] == marks[:, None, None]).float()[:, None], int(step))[:, 0]
    wrong = functional.binary_cross_entropy_with_logits(logits, goal, reduction="none")
    at = (torch.arange(size) + 0.5) * step
    pad = step / 2
    across = (at >= truth[:, :1] - pad) & (at <= truth[:, 2:3] + pad)
    down = (at >= truth[:, 1:2] - pad) & (at <= truth[:, 3:] + pad)
    inside = (down[:, :, None] & across[:, None]).float()
    entropy = (wrong * inside).sum((1, 2)) / inside.sum((1, 2)).clamp(min=1)
    found = logits.sigmoid() * inside
    dice = 1 - (2 * (found * goal).sum((1, 2)) + 1) / (found.sum((1, 2)) + (goal * inside).sum((1, 2)) + 1)
    return ((entropy + dice) * weight).sum() * share
