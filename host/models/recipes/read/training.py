"""What both training programs share: the learning rate over time, the mean of gradients over workers, the moving average, checkpoints."""

import copy
import math
import pathlib
import random
import sys
import time

import torch

sys.path.append(str(pathlib.Path(__file__).parents[1]))
import muon


class Schedule:
    """Optimizers with a learning rate over the first worker's processor time, so that a busy machine does not shorten the training, or over the clock: warm-up, then half a cosine."""

    def __init__(self, model, args):
        self.optimizers = muon.of_convolutions(model, args.peak)
        self.seconds, self.peak, self.workers, self.step_count = args.minutes * 60, args.peak, args.workers, 0
        self.warmup = 20 if args.resume else 100
        self.now = time.time if args.clock else time.process_time
        self.begin = self.now()

    def step(self):
        """Sets the rate of the next step; false when the time is over."""
        self.step_count += 1
        spent = torch.tensor((self.now() - self.begin) / self.seconds)
        if self.workers > 1:
            torch.distributed.broadcast(spent, 0)
        self.spent = spent.item()
        rate = self.peak * min(self.step_count / self.warmup, 0.5 * (1 + math.cos(math.pi * min(self.spent, 1)))) + 1e-6
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = rate
        return self.spent < 1

    def learn(self, model, loss):
        """One step of the weights down the gradient of a loss."""
        model.zero_grad()
        loss.backward()
        averaged(model, self.workers)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        for optimizer in self.optimizers:
            optimizer.step()


def averaged(model, workers):
    """Gradients become their mean over all workers."""
    if workers == 1:
        return
    parameters = list(model.parameters())
    flat = torch.cat([p.grad.flatten() for p in parameters]) / workers
    torch.distributed.all_reduce(flat)
    begin = 0
    for p in parameters:
        p.grad.copy_(flat[begin:begin + p.numel()].view_as(p))
        begin += p.numel()


def options(parser, minutes):
    """The options of both programs."""
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--clock", action="store_true", help="minutes of the clock; else of the first worker's processor")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--peak", type=float, default=2e-3)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seed", type=int, default=1)


def started(work, args):
    """Runs the work, in several processes if so asked."""
    args.out.parent.mkdir(parents=True, exist_ok=True)
    meeting(args).unlink(missing_ok=True)
    if args.workers == 1:
        work(0, args)
    else:
        torch.multiprocessing.start_processes(work, (args,), args.workers, start_method="fork")


def meeting(args):
    return pathlib.Path(f"{args.out.resolve()}.meeting")


def joined(rank, args):
    """A worker's settings: one thread, the common seed for the weights, its own random numbers."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    if args.workers > 1:
        torch.distributed.init_process_group("gloo", init_method=f"file://{meeting(args)}", rank=rank, world_size=args.workers)
    return random.Random(args.seed + 100 * rank + (1000 if args.resume else 0))


class Average:
    """Moving average of weights and of batch statistics."""

    def __init__(self, model, keep=0.99):
        self.model, self.keep = copy.deepcopy(model).eval(), keep

    @torch.no_grad()
    def update(self, model):
        for mine, new in zip(self.model.state_dict().values(), model.state_dict().values()):
            if mine.is_floating_point():
                mine.lerp_(new, 1 - self.keep)
            else:
                mine.copy_(new)


def save(path, model, average):
    part = path.with_suffix(".part")
    torch.save({"model": model.state_dict(), "average": average.model.state_dict()}, part)
    part.replace(path)
