"""Trains the recogniser on drawn words with CTC.

Usage: python train_recogniser.py --out build/recognition.pt --minutes 20 [--clock] [--workers 3] [--resume] [--peak 0.002] [--detection build/detection.pt]
"""

import argparse
import pathlib
import random
import time

import numpy as np
import torch

import crops
import found
import training
import words
from networks import Recogniser

MEAN, STD = (0.694, 0.695, 0.693), (0.299, 0.296, 0.301)
BATCH, FRESH = 64, 16
# Words drawn before the first step, and the most that are kept for another look.
FIRST, POOL = 3000, 24000
WATCHED = 800
BLANK = len(words.VOCAB)


def tensor(pictures):
    """uint8 pictures to normalised float [batch, 3, 32, 128]."""
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    x = (x - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
    return x.contiguous(memory_format=torch.channels_last)


def decode(logits):
    """Greedy CTC: the best class of each column, repetitions and blanks dropped."""
    texts = []
    for row in logits.argmax(-1).tolist():
        texts.append("".join(words.VOCAB[now] for before, now in zip([BLANK] + row, row) if now != before and now != BLANK))
    return texts


def watched(model, samples):
    """Share of words read exactly; samples are pictures and texts."""
    with torch.no_grad():
        read = [text for i in range(0, len(samples), 100) for text in decode(model(tensor([picture for picture, _ in samples[i:i + 100]])))]
    return sum(a == b for a, (_, b) in zip(read, samples)) / len(samples)


def drawn(rng, detector, count, evaluation=False):
    """New words; half of them from pages if there is a detector. Every second of the evaluation is in a font that training never sees."""
    samples = []
    while detector and len(samples) < count // 2:
        samples += found.words(rng, detector, evaluation=evaluation, held_out_font=evaluation and rng.random() < 0.5)
    samples = samples[:count // 2]
    return samples + [crops.drawn(rng, evaluation, held_out_font=evaluation and i % 2 == 0) for i in range(count - len(samples))]


def work(rank, args):
    """One worker: it draws its own words; the first also watches and saves."""
    rng, watch = training.joined(rank, args), random.Random(20260401)
    detector = found.detector(args.detection) if args.detection else None
    samples = [(crops.look(watch, word), word.text) for word in drawn(watch, detector, WATCHED if rank == 0 else 0, evaluation=True)]
    model = Recogniser().to(memory_format=torch.channels_last)
    if args.resume:
        model.load_state_dict(torch.load(args.out, weights_only=True)["model"])
    average, faster = training.Average(model), torch.compile(model)
    pool = drawn(rng, detector, FIRST // args.workers)
    schedule = training.Schedule(model, args)
    total, begin = 0.0, time.time()
    while schedule.step():
        fresh = drawn(rng, detector, FRESH)
        batch = fresh + rng.sample(pool, BATCH - FRESH)
        pool += fresh
        del pool[:max(len(pool) - POOL, 0)]
        targets = [[words.VOCAB.index(letter) for letter in word.text] for word in batch]
        x = tensor([crops.look(rng, word) for word in batch])
        x = x * torch.empty(BATCH, 1, 1, 1).uniform_(0.85, 1.15) + torch.empty(BATCH, 3, 1, 1).uniform_(-0.15, 0.15)
        logits = faster(x).log_softmax(-1).transpose(0, 1)
        loss = torch.nn.functional.ctc_loss(
            logits, torch.tensor(sum(targets, [])), torch.full((BATCH,), logits.shape[0]), torch.tensor([len(t) for t in targets]), blank=BLANK, zero_infinity=True,
        )
        schedule.learn(model, loss)
        average.update(model)
        total += loss.item()
        if rank == 0 and schedule.step_count % 50 == 0:
            report = f" exact {watched(average.model, samples):.3f}" if schedule.step_count % 200 == 0 else ""
            print(f"step {schedule.step_count} of {100 * schedule.spent:.0f} % loss {total / 50:.3f} {time.time() - begin:.0f} s{report}", flush=True)
            total = 0.0
            training.save(args.out, model, average)
    if rank == 0:
        training.save(args.out, model, average)
        print(f"done: {schedule.step_count} steps, exact {watched(average.model, samples):.3f}")


def main():
    parser = argparse.ArgumentParser()
    training.options(parser, 20)
    parser.add_argument("--detection", type=pathlib.Path, help="half of the words are then cut out of pages by this detector")
    training.started(work, parser.parse_args())


if __name__ == "__main__":
    main()
