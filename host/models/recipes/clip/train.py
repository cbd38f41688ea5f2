"""Trains mimus-clip: pictures and captions drawn from one world, each caption against all that are not true of the picture.

Usage: python train.py --out build/clip.pt --minutes 20 [--clock] [--workers 3] [--resume] [--peak 0.002]
"""

import argparse
import copy
import math
import pathlib
import random
import sys
import time

import numpy as np
import torch
from PIL import Image
from transformers import CLIPConfig, CLIPModel

import captions
import tokens
import world

sys.path.append(str(pathlib.Path(__file__).parents[1]))
from muon import Muon

# Pictures of a step, for each worker; those that are drawn anew.
SIDE, BATCH, FRESH = 48, 64, 12
# Scenes drawn before the first step, and the most that are kept for another look.
FIRST, POOL = 600, 12000
WARMUP_STEPS, AVERAGE = 40, 0.99
WATCHED = 200
MEAN, STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
PAIRS = [(colour, shape) for colour in world.COLOURS for shape in world.SHAPES]


def build(vocab):
    """The network: a vision transformer of 36 patches and a text transformer."""
    text = {
        "vocab_size": len(vocab), "hidden_size": 96, "intermediate_size": 192, "num_hidden_layers": 2, "num_attention_heads": 3, "max_position_embeddings": tokens.CONTEXT, "projection_dim": 128,
        "bos_token_id": vocab[tokens.START], "eos_token_id": vocab[tokens.END], "pad_token_id": vocab[tokens.END],
    }
    vision = {"hidden_size": 96, "intermediate_size": 288, "num_hidden_layers": 3, "num_attention_heads": 3, "image_size": SIDE, "patch_size": 8, "projection_dim": 128}
    return CLIPModel(CLIPConfig(text_config=text, vision_config=vision, projection_dim=128))


def prepared(picture):
    """CLIP's preprocessing of a square picture, but for the normalisation: uint8 [48, 48, 3]."""
    return np.asarray(picture.convert("RGB").resize((SIDE, SIDE), Image.BICUBIC))


def sample(rng, count=None):
    scene = world.scene(rng, count)
    return scene, prepared(world.draw(rng, scene, rng.choice([48, 64, 80, 96])))


def pixels(pictures):
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    return (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)


def encoded(tokenizer, texts):
    """Token ids padded with the end token, and their mask."""
    rows = [tokenizer.encode(text).ids for text in texts]
    width = max(map(len, rows))
    ids = torch.tensor([row + [row[-1]] * (width - len(row)) for row in rows])
    return ids, torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in rows])


def facts(scene):
    """What the helper head shall name, as zeros and ones: pairs of colour and shape, colours, shapes, the ground, how many things."""
    pairs = {(thing.colour, thing.shape) for thing in scene.things}
    row = [pair in pairs for pair in PAIRS] + [any(c == colour for c, _ in pairs) for colour in world.COLOURS] + [any(s == shape for _, s in pairs) for shape in world.SHAPES]
    return row + [scene.ground == ground for ground in world.GROUNDS] + [len(scene.things) == count for count in (1, 2, 3)]


def vectors(model, ids, mask, x):
    """Unit vectors of texts and pictures, and the picture's pooled state."""
    seen = model.vision_model(pixel_values=x).pooler_output
    read = model.text_model(input_ids=ids, attention_mask=mask).pooler_output
    unit = lambda v: v / v.norm(dim=-1, keepdim=True)
    return unit(model.text_projection(read)), unit(model.visual_projection(seen)), seen


def watched(model, tokenizer, samples):
    """Share of pictures of one thing whose colour and shape win among all eighty."""
    ids, mask = encoded(tokenizer, [captions.article(f"{colour} {shape}") for colour, shape in PAIRS])
    with torch.no_grad():
        text, picture, _ = vectors(model, ids, mask, pixels([p for _, p in samples]))
    best = (picture @ text.T).argmax(1).tolist()
    return sum(PAIRS[i] == (scene.things[0].colour, scene.things[0].shape) for i, (scene, _) in zip(best, samples)) / len(samples)


def optimizers(model, helper, peak):
    """Muon for the matrices of the transformers, AdamW for all else."""
    matrices = [p for name, p in model.named_parameters() if p.ndim == 2 and ".layers." in name]
    chosen = set(map(id, matrices))
    others = [p for p in [*model.parameters(), *helper.parameters()] if id(p) not in chosen]
    return [Muon(matrices, lr=peak, weight_decay=0.02), torch.optim.AdamW(others, lr=peak, weight_decay=0.02, betas=(0.9, 0.98))]


def averaged(parameters, workers):
    """Gradients become their mean over all workers."""
    if workers == 1:
        return
    flat = torch.cat([p.grad.flatten() for p in parameters])
    torch.distributed.all_reduce(flat)
    begin = 0
    for p in parameters:
        p.grad.copy_(flat[begin:begin + p.numel()].view_as(p) / workers)
        begin += p.numel()


def losses(model, helper, tokenizer, rng, batch):
    """The contrastive loss, in which a caption that is true of another picture of the batch is no counterexample, and the helper's."""
    said = [captions.caption(rng, scene) for scene, _ in batch]
    true = torch.tensor([[captions.fits(claim, scene) for _, claim in said] for scene, _ in batch]) & ~torch.eye(len(batch), dtype=torch.bool)
    text, picture, seen = vectors(model, *encoded(tokenizer, [words for words, _ in said]), pixels([p for _, p in batch]))
    logits = (model.logit_scale.exp() * picture @ text.T).masked_fill(true, -1e4)
    own = torch.arange(len(batch))
    contrast = (torch.nn.functional.cross_entropy(logits, own) + torch.nn.functional.cross_entropy(logits.T, own)) / 2
    named = torch.nn.functional.binary_cross_entropy_with_logits(helper(seen), torch.tensor([facts(scene) for scene, _ in batch]).float())
    return contrast, named


def work(rank, args):
    """One worker: it draws its own batches; the first also watches and saves."""
    torch.set_num_threads(1)
    torch.manual_seed(args.seed)
    if args.workers > 1:
        torch.distributed.init_process_group("gloo", init_method=f"file://{args.out.resolve()}.meeting", rank=rank, world_size=args.workers)
    rng, watch = random.Random(args.seed + 100 * rank), random.Random(20260403)
    samples = [sample(watch, count=1) for _ in range(WATCHED if rank == 0 else 1)]
    vocab, merges = tokens.learnt()
    tokenizer = tokens.assembled(vocab, merges)
    model = build(vocab)
    helper = torch.nn.Linear(96, len(facts(samples[0][0])))
    # Most facts are not so.
    torch.nn.init.constant_(helper.bias, -2.5)
    if args.resume:
        state = torch.load(args.out, weights_only=True)
        model.load_state_dict(state["model"])
        helper.load_state_dict(state["helper"])
    average = copy.deepcopy(model).eval()
    parameters = [*model.parameters(), *helper.parameters()]
    steppers = optimizers(model, helper, args.peak)
    pool = [sample(rng) for _ in range(FIRST)]
    step, total, clock = 0, [0.0, 0.0], time.time()
    now = time.time if args.clock else time.process_time
    begin = now()
    while True:
        # All workers go by the first one's time.
        spent = torch.tensor((now() - begin) / args.minutes / 60)
        if args.workers > 1:
            torch.distributed.broadcast(spent, 0)
        if spent >= 1:
            break
        step += 1
        for group in [group for stepper in steppers for group in stepper.param_groups]:
            group["lr"] = args.peak * min(step / WARMUP_STEPS, 0.5 * (1 + math.cos(math.pi * spent.item()))) + 1e-6
        fresh = [sample(rng) for _ in range(FRESH)]
        batch = fresh + rng.sample(pool, BATCH - FRESH)
        pool += fresh
        del pool[:max(len(pool) - POOL, 0)]
        contrast, named = losses(model, helper, tokenizer, rng, batch)
        model.zero_grad()
        helper.zero_grad()
        (contrast + 20 * named).backward()
        averaged(parameters, args.workers)
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        for stepper in steppers:
            stepper.step()
        with torch.no_grad():
            model.logit_scale.clamp_(max=math.log(100))
            for mine, new in zip(average.parameters(), model.parameters()):
                mine.lerp_(new, 1 - AVERAGE)
        total = [total[0] + contrast.item(), total[1] + named.item()]
        if rank == 0 and step % 25 == 0:
            report = f" top-1 {watched(average, tokenizer, samples):.3f}" if step % 100 == 0 else ""
            print(f"step {step} of {100 * spent:.0f} % contrast {total[0] / 25:.3f} named {total[1] / 25:.4f} scale {model.logit_scale.exp().item():.1f} {time.time() - clock:.0f} s{report}", flush=True)
            total = [0.0, 0.0]
            save(args.out, model, average, helper)
    if rank == 0:
        save(args.out, model, average, helper)
        print(f"done: {step} steps, top-1 {watched(average, tokenizer, samples):.3f}")


def save(path, model, average, helper):
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part")
    torch.save({"model": model.state_dict(), "average": average.state_dict(), "helper": helper.state_dict()}, part)
    part.replace(path)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--clock", action="store_true", help="minutes of the clock; else of the first worker's processor")
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--peak", type=float, default=2e-3)
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--seed", type=int, default=3)
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(f"{args.out.resolve()}.meeting").unlink(missing_ok=True)
    if args.workers == 1:
        work(0, args)
    else:
        torch.multiprocessing.start_processes(work, (args,), args.workers, start_method="fork")


if __name__ == "__main__":
    main()
