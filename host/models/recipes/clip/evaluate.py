"""Measures an exported folder with transformers' CLIPModel on pictures that training never saw, or writes the small set that lies beside the model.

Usage: python evaluate.py --build --model build/model
       python evaluate.py --model build/model [--pictures 800]
"""

import argparse
import io
import json
import pathlib
import random
from collections import Counter

import torch
from PIL import Image
from transformers import CLIPModel, CLIPProcessor

import captions
import world

SEED, BUILT_SEED = 20260406, 20260407
BUILT, BUILT_BYTES_MAX = 40, 8_000
# Pictures among which a caption of two things shall find its own.
RETRIEVAL = 50
PAIRS = [(colour, shape) for colour in world.COLOURS for shape in world.SHAPES]
COUNTS = {1: "one", 2: "two", 3: "three"}


def drawn(rng, count=None):
    scene = world.scene(rng, count)
    return scene, world.draw(rng, scene, rng.choice([64, 90, 112, 150, 200]))


def build(folder):
    """Forty pictures: 24 of one thing, 10 of two, 6 of three, each at most 8 KB, with what they show and a caption."""
    folder.mkdir(parents=True, exist_ok=True)
    rng, entries = random.Random(BUILT_SEED), []
    while len(entries) < BUILT:
        count = 1 if len(entries) < 24 else 2 if len(entries) < 34 else 3
        scene, picture = drawn(rng, count)
        if len(scene.things) != count:
            continue
        for form in ("PNG", "JPEG"):
            file = io.BytesIO()
            picture.save(file, form, **({"optimize": True} if form == "PNG" else {"quality": 90}))
            if file.tell() <= BUILT_BYTES_MAX:
                name = f"{len(entries):02}.{'png' if form == 'PNG' else 'jpg'}"
                (folder / name).write_bytes(file.getvalue())
                things = [{"shape": t.shape, "colour": t.colour, "size": "large" if t.large else "small", "places": sorted(t.places())} for t in scene.things]
                claim = captions.Claim(tuple((None, t.shape, t.colour, None, None) for t in scene.things), scene.ground)
                caption = captions.caption(rng, scene, evaluation=True)[0] if count > 1 else captions.worded(rng, claim)
                entries.append({"file": name, "ground": scene.ground, "things": things, "caption": caption})
                break
    (folder / "annotations.json").write_text("[\n" + ",\n".join(json.dumps(entry) for entry in entries) + "\n]\n")


class Scorer:
    """An exported folder in 32 bits."""

    def __init__(self, folder):
        self.model, self.processor = CLIPModel.from_pretrained(folder, dtype=torch.float32).eval(), CLIPProcessor.from_pretrained(folder)

    def unit(self, states):
        states = states if torch.is_tensor(states) else states.pooler_output
        return states / states.norm(dim=-1, keepdim=True)

    def texts(self, texts):
        with torch.no_grad():
            return self.unit(self.model.get_text_features(**self.processor(text=texts, return_tensors="pt", padding=True)))

    def pictures(self, pictures):
        with torch.no_grad():
            return torch.cat([self.unit(self.model.get_image_features(**self.processor(images=pictures[i:i + 64], return_tensors="pt"))) for i in range(0, len(pictures), 64)])


def best(vectors, prompts):
    return (vectors @ prompts.T).argmax(1).tolist()


def single(scorer, vectors, things, frame):
    """Top-1 among all eighty, and of shape and colour alone."""
    rows = {}
    guess = [PAIRS[i] for i in best(vectors, scorer.texts([frame.format(captions.article(f"{c} {s}")) for c, s in PAIRS]))]
    rows["of 80"] = sum(pair == (t.colour, t.shape) for pair, t in zip(guess, things)) / len(things)
    rows["of 80, shape right"] = sum(pair[1] == t.shape for pair, t in zip(guess, things)) / len(things)
    rows["of 80, colour right"] = sum(pair[0] == t.colour for pair, t in zip(guess, things)) / len(things)
    shapes, colours = list(world.SHAPES), list(world.COLOURS)
    rows["shape alone, of 8"] = sum(shapes[i] == t.shape for i, t in zip(best(vectors, scorer.texts([frame.format(captions.article(s)) for s in shapes])), things)) / len(things)
    rows["colour alone, of 10"] = sum(colours[i] == t.colour for i, t in zip(best(vectors, scorer.texts([frame.format(captions.article(c + " shape")) for c in colours])), things)) / len(things)
    return rows


def pairs_found(scorer, rng, rounds=8):
    """Retrieval of scenes of two unlike things by "a red circle and a blue star": picture for caption and caption for picture, at 1 of 50."""
    right = Counter()
    for _ in range(rounds):
        scenes, taken = [], set()
        while len(scenes) < RETRIEVAL:
            scene, picture = drawn(rng, 2)
            key = frozenset((t.colour, t.shape) for t in scene.things)
            if len(key) == 2 and key not in taken:
                taken.add(key)
                scenes.append((scene, picture))
        texts = scorer.texts([" and ".join(captions.article(f"{t.colour} {t.shape}") for t in scene.things) for scene, _ in scenes])
        scores = scorer.pictures([picture for _, picture in scenes]) @ texts.T
        right["picture for caption"] += sum(i == j for i, j in enumerate(scores.argmax(0).tolist()))
        right["caption for picture"] += sum(i == j for i, j in enumerate(scores.argmax(1).tolist()))
    return {name: count / rounds / RETRIEVAL for name, count in right.items()}


def other(scorer, rng, count):
    """Choices of a few: how many alike, where, how large, on which ground."""
    right, tried = Counter(), Counter()

    def ask(name, picture, prompts, answer):
        tried[name] += 1
        right[name] += prompts[best(scorer.pictures([picture]), scorer.texts(prompts))[0]] == answer

    for _ in range(count):
        scene, picture = drawn(rng, 1)
        thing = scene.things[0]
        what = f"{thing.colour} {thing.shape}"
        places = sorted(thing.places())
        for pair in (("left", "right"), ("top", "bottom")):
            for place in set(pair) & set(places):
                prompts = {p: f"a {what} {captions.WHERE[p][0]}" for p in pair}
                ask("left or right" if pair[0] == "left" else "top or bottom", picture, list(prompts.values()), prompts[place])
        ask("small or large", picture, [f"a small {what}", f"a large {what}"], f"a {'large' if thing.large else 'small'} {what}")
        ask("ground, of 11", picture, [f"{captions.article(what)} on a {ground} background" for ground in world.GROUNDS], f"{captions.article(what)} on a {scene.ground} background")
        scene, picture = drawn(rng, rng.choice([2, 3]))
        first = scene.things[0]
        if len({(t.colour, t.shape) for t in scene.things}) == 1:
            prompts = {n: f"{captions.NUMBERS[n]} {first.colour} {captions.PLURALS[first.shape]}" for n in (2, 3)}
            ask("two or three", picture, list(prompts.values()), prompts.get(len(scene.things)))
    return {name: right[name] / tried[name] for name in sorted(tried)}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--pictures", type=int, default=800)
    args = parser.parse_args()
    if args.build:
        return build(args.model / "eval")
    torch.set_num_threads(1)
    scorer, rng = Scorer(args.model), random.Random(SEED)
    pairs = [drawn(rng, 1) for _ in range(args.pictures)]
    vectors, things = scorer.pictures([picture for _, picture in pairs]), [scene.things[0] for scene, _ in pairs]
    scores = {frame: single(scorer, vectors, things, frame) for frame in ("{}", "a photo of {}", "an image showing {}")}
    guess = [PAIRS[i] for i in best(vectors, scorer.texts([captions.article(f"{c} {s}") for c, s in PAIRS]))]
    missed = Counter(((t.colour, t.shape), pair, "large" if t.large else "small") for pair, t in zip(guess, things) if pair != (t.colour, t.shape))
    scores["two things, of 50"] = pairs_found(scorer, rng)
    scores["choices"] = other(scorer, rng, args.pictures // 4)
    entries = json.loads((args.model / "eval" / "annotations.json").read_text())
    alone = [(Image.open(args.model / "eval" / entry["file"]).convert("RGB"), entry["things"][0]) for entry in entries if len(entry["things"]) == 1]
    kept = [PAIRS[i] for i in best(scorer.pictures([picture for picture, _ in alone]), scorer.texts([captions.article(f"{c} {s}") for c, s in PAIRS]))]
    scores["eval folder, of 80"] = sum(pair == (thing["colour"], thing["shape"]) for pair, (_, thing) in zip(kept, alone)) / len(alone)
    scores = {name: {key: round(share, 4) for key, share in value.items()} if isinstance(value, dict) else round(value, 4) for name, value in scores.items()}
    print(json.dumps(scores, indent=1))
    for entry, count in missed.most_common(25):
        print(count, *entry)
    (args.model / "eval" / "scores.json").write_text(json.dumps(scores, indent=1) + "\n")


if __name__ == "__main__":
    main()
