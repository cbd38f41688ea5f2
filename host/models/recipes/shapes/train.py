"""Trains the detector with masks (--task shapes), the keypoint model from its trunk (--task poses) or the classifier (--task single).

Usage: python train.py --task shapes --data build/shapes1.npz ... --out build/shapes.pt --minutes 30 [--first build/crowd1.npz ...] [--from build/other.pt]
"""

import argparse
import copy
import math
import pathlib
import time

import numpy as np
import torch
from torch import distributed, multiprocessing
from torch.nn import functional

import data
from loss import losses
from network import Classifier, Detector, cells, parameters
from optimiser import Optimiser
from outlines import POSES, SHAPES, SLOTS

WARMUP = 50
AVERAGE = 0.99


def build(task):
    if task == "single":
        return Classifier(len(SHAPES))
    return Detector(len(SHAPES), masks=True) if task == "shapes" else Detector(len(POSES), slots=SLOTS)


def take(model, path):
    """Takes over what another checkpoint has of the same name and form."""
    state, own = torch.load(path)["average"], model.state_dict()
    same = {name: value for name, value in state.items() if name in own and own[name].shape == value.shape}
    model.load_state_dict(same, strict=False)
    print(f"took {len(same)} of {len(own)} tensors")


def inputs(pictures, task):
    x = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    x = (x - 0.5) / 0.5 if task == "single" else x
    return x.contiguous(memory_format=torch.channels_last)


def together(model, spent, workers):
    """The mean over the workers of the gradients and of the time spent."""
    values = [value.grad for value in model.parameters()]
    flat = torch.cat([*(value.flatten() for value in values), torch.tensor([spent])])
    distributed.all_reduce(flat)
    flat /= workers
    at = 0
    for value in values:
        value.copy_(flat[at:at + value.numel()].view_as(value))
        at += value.numel()
    return float(flat[-1])


def work(rank, args, held, first):
    torch.set_num_threads(1)
    torch.manual_seed(7)
    rng = np.random.default_rng(8 + rank)
    if args.workers > 1:
        distributed.init_process_group("gloo", init_method=f"file://{args.out.resolve()}.meeting", rank=rank, world_size=args.workers)
    model = build(args.task)
    if args.start:
        take(model, args.start)
    model = model.to(memory_format=torch.channels_last)
    average = copy.deepcopy(model).eval()
    print(f"{parameters(model):,} parameters, {len(held['pictures'])} drawings", flush=True)
    optimiser = Optimiser(model, args.peak)
    sizes = {used["pictures"].shape[1] for used in (held, first)}
    grids = {size: cells(size) for size in sizes} if args.task != "single" else {}
    limit, step, order, drawn, seen, shown = args.minutes * 60, 0, [], None, {}, time.perf_counter()
    kept, new = ([value for value in one.state_dict().values() if value.is_floating_point()] for one in (average, model))
    begin, spent = time.process_time(), 0.0
    while spent < limit:
        progress = spent / limit
        using = first if progress < args.share else held
        if len(order) < args.batch or using is not drawn:
            order, drawn = list(rng.permutation(len(using["pictures"]))), using
        rows, order = order[:args.batch], order[args.batch:]
        rate = args.peak * min(1.0, (step + 1) / WARMUP) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * progress)))
        want = data.batch(using, rows, rng, upright=args.task == "poses")
        x = inputs(want["pictures"], args.task)
        model.train()
        if args.task == "single":
            goal = torch.from_numpy(want["classes"][:, 0].astype(np.int64))
            loss = functional.cross_entropy(model(x), goal, label_smoothing=0.02)
            parts = {"class": float(loss.detach())}
        else:
            tensors = {name: torch.from_numpy(np.ascontiguousarray(value)) for name, value in want.items() if name != "pictures"}
            loss, parts = losses(model(x), *grids[x.shape[-1]], tensors)
        model.zero_grad(set_to_none=True)
        loss.backward()
        # Of the processor, so that a busy machine does not shorten the training.
        spent = time.process_time() - begin
        if args.workers > 1:
            spent = together(model, spent, args.workers)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 10.0)
        optimiser.step(rate)
        step += 1
        if rank:
            continue
        keep = min(AVERAGE, (1 + step) / (10 + step))
        with torch.no_grad():
            torch._foreach_lerp_(kept, new, 1 - keep)
        for name, value in parts.items():
            seen[name] = 0.98 * seen.get(name, value) + 0.02 * value
        if step % 25 == 0:
            now = time.perf_counter()
            print(f"step {step} {spent:.0f} s {(now - shown) * 40:.0f} ms/step lr {rate:.5f} " + " ".join(f"{name} {value:.3f}" for name, value in seen.items()), flush=True)
            shown = now
        if step % 50 == 0 or spent >= limit:
            torch.save({"task": args.task, "average": average.state_dict(), "step": step}, args.out)
    print(f"{step} steps of {args.workers * args.batch} pictures", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--task", choices=["shapes", "poses", "single"], required=True)
    parser.add_argument("--data", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--batch", type=int, default=8, help="pictures of a step and worker")
    parser.add_argument("--workers", type=int, default=1, help="processes with the same weights, one thread each")
    parser.add_argument("--peak", type=float, default=2e-3)
    parser.add_argument("--from", dest="start", type=pathlib.Path)
    parser.add_argument("--first", type=pathlib.Path, nargs="+", help="drawings for the first part of the time, such as small crowded ones: many more steps")
    parser.add_argument("--share", type=float, default=0.65, help="how much of the time is the first part")
    args = parser.parse_args()
    held = data.join(args.data)
    first = data.join(args.first) if args.first else held
    args.out.with_name(args.out.name + ".meeting").unlink(missing_ok=True)
    if args.workers > 1:
        # Forked, so that the drawings are held once.
        multiprocessing.start_processes(work, (args, held, first), args.workers, start_method="fork")
    else:
        work(0, args, held, first)


if __name__ == "__main__":
    main()
