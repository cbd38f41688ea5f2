"""Trains the detector on drawn pages: the cores of the words, by cross-entropy and overlap.

Usage: python train_detector.py --out build/detection.pt --minutes 10 [--clock] [--workers 3] [--resume] [--peak 0.002]
"""

import argparse
import pathlib
import random
import time

import cv2
import numpy as np
import torch

import boxes
import pages
import training
from networks import Detector

BATCH, FRESH = 4, 1
# Side of the window that a step sees of a page: the network is the same everywhere, and a page whole costs more than twice as much.
WINDOW = 512
# Pages drawn before the first step, and the most that are kept for another look.
FIRST, POOL = 200, 2000
WATCHED = 40


def between(rng, begin, size):
    """Where a window begins that holds as much as it can of the part of the page from `begin` on."""
    low, high = sorted((begin, begin + size - WINDOW))
    return rng.randint(max(low, 0) // 2, min(high, boxes.SIDE - WINDOW) // 2) * 2


def sample(rng):
    """A window of a page as the network sees it, uint8 [512, 512, 3], and its map."""
    picture, lines, _ = pages.page(rng)
    height, width = picture.shape[:2]
    size, offset = boxes.placement(width, height)
    corners = [c * np.float32([size[0] / width, size[1] / height]) + np.float32(offset) for line in lines for _, c in line]
    x, y = between(rng, offset[0], size[0]), between(rng, offset[1], size[1])
    part = lambda whole, scale: whole[y // scale:(y + WINDOW) // scale, x // scale:(x + WINDOW) // scale].copy()
    return part(boxes.squared(picture), 1), part(boxes.target(corners), 2)


def changed(rng, picture, marks):
    """Another look at a page: zoomed, moved, or with inverted colours."""
    if rng.random() < 0.5:
        zoom, side = rng.uniform(0.7, 1.5), picture.shape[0]
        shift = [rng.uniform(-0.5, 0.5) * abs(zoom - 1) * side + (1 - zoom) * side / 2 for _ in range(2)]
        turn = lambda scale: np.float32([[zoom, 0, shift[0] / scale], [0, zoom, shift[1] / scale]])
        picture = cv2.warpAffine(picture, turn(1), (side, side), flags=cv2.INTER_LINEAR if zoom > 0.9 else cv2.INTER_AREA)
        marks = cv2.warpAffine(marks, turn(2), (side // 2, side // 2))
    if rng.random() < 0.1:
        picture = 255 - picture
    return picture, marks


def tensor(pictures):
    x = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float() / 255
    x = (x - torch.tensor(boxes.MEAN).view(3, 1, 1)) / torch.tensor(boxes.STD).view(3, 1, 1)
    return x.contiguous(memory_format=torch.channels_last)


def loss_of(logits, marks):
    """Cross-entropy per pixel of a word, gaps between words weighing more, and one minus the overlap (dice)."""
    each = torch.nn.functional.binary_cross_entropy_with_logits(logits, marks, reduction="none")
    beside = torch.nn.functional.max_pool2d(marks, (1, 13), 1, (0, 6)) - marks
    entropy = (each * (1 + 3 * beside)).sum() / (2 * marks.sum() + 1)
    probabilities = logits.sigmoid()
    return entropy + 1 - (2 * (probabilities * marks).sum() + 1) / (probabilities.sum() + marks.sum() + 1)


def watched(model, samples):
    """Recall and precision of boxes, at an overlap of a half."""
    hits = true_count = predicted_count = 0
    for picture, lines, _ in samples:
        height, width = picture.shape[:2]
        with torch.no_grad():
            probabilities = torch.nn.functional.interpolate(model(tensor([boxes.squared(picture)])), scale_factor=2, mode="bilinear").sigmoid()[0, 0].numpy()
        predicted = boxes.onto_picture(boxes.found(probabilities), width, height)
        true = [boxes.upright(corners) for line in lines for _, corners in line]
        hits, true_count, predicted_count = hits + len(boxes.matched(predicted, true)), true_count + len(true), predicted_count + len(predicted)
    return hits / true_count, hits / max(predicted_count, 1)


def work(rank, args):
    """One worker: it draws its own pages; the first also watches and saves."""
    rng, watch = training.joined(rank, args), random.Random(20260402)
    samples = [pages.page(watch, evaluation=True, held_out_font=i % 2 == 0) for i in range(WATCHED if rank == 0 else 0)]
    model = Detector().to(memory_format=torch.channels_last)
    if args.resume:
        model.load_state_dict(torch.load(args.out, weights_only=True)["model"])
    average = training.Average(model)
    pool = [sample(rng) for _ in range(FIRST // args.workers)]
    schedule = training.Schedule(model, args)
    total, begin = 0.0, time.time()
    while schedule.step():
        fresh = [sample(rng) for _ in range(FRESH)]
        batch = fresh + [changed(rng, *pair) for pair in rng.sample(pool, BATCH - FRESH)]
        pool += fresh
        del pool[:max(len(pool) - POOL, 0)]
        marks = torch.from_numpy(np.stack([m for _, m in batch])).float()[:, None] / 255
        loss = loss_of(model(tensor([p for p, _ in batch])), marks)
        schedule.learn(model, loss)
        average.update(model)
        total += loss.item()
        if rank == 0 and schedule.step_count % 50 == 0:
            report = " recall {:.3f} precision {:.3f}".format(*watched(average.model, samples)) if schedule.step_count % 200 == 0 else ""
            print(f"step {schedule.step_count} of {100 * schedule.spent:.0f} % loss {total / 50:.3f} {time.time() - begin:.0f} s{report}", flush=True)
            total = 0.0
            training.save(args.out, model, average)
    if rank == 0:
        training.save(args.out, model, average)
        print("done: {} steps, recall {:.3f} precision {:.3f}".format(schedule.step_count, *watched(average.model, samples)))


def main():
    parser = argparse.ArgumentParser()
    training.options(parser, 10)
    training.started(work, parser.parse_args())


if __name__ == "__main__":
    main()
