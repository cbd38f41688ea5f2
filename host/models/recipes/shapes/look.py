"""Draws what a model finds into pictures of the held-out world and into plain drawings made with Pillow, for looking at.

Usage: python look.py --model ../../shapes/1 --out build/look.png [--plain] [--seed 5] [--confidence 0.4]
"""

import argparse
import pathlib

import cv2
import numpy as np
from PIL import Image, ImageDraw

import world
from evaluate import KINDS
from outlines import EDGES
from serve import Model

COLOURS = [(72, 146, 234), (0, 190, 150), (254, 78, 240), (244, 0, 78), (250, 114, 0), (150, 150, 0), (80, 200, 0), (140, 41, 255)]
TILE = 256


def plain():
    """Drawings as people make them first, one shape or several, and what is in them. Written without the world's code."""
    drawings = []

    def page(width, height, colour="white"):
        image = Image.new("RGB", (width, height), colour)
        drawings.append([image, []])
        return ImageDraw.Draw(image), drawings[-1][1].append

    draw, has = page(640, 480)
    draw.ellipse((60, 60, 220, 220), fill="red"), has("circle")
    draw.rectangle((300, 80, 480, 260), fill="blue"), has("rectangle")
    draw.polygon([(120, 420), (220, 270), (320, 420)], fill="green"), has("triangle")
    draw, has = page(320, 240)
    draw.rectangle((20, 20, 120, 80), fill="red"), has("rectangle")
    draw.ellipse((180, 100, 260, 180), fill="blue"), has("circle")
    draw, has = page(400, 400, "black")
    draw.polygon([(200 + r * np.sin(a), 200 - r * np.cos(a)) for a, r in zip(np.arange(10) * np.pi / 5, [150, 60] * 5)], fill="yellow"), has("star")
    draw, has = page(500, 300)
    draw.rectangle((100, 50, 140, 250), fill="red"), draw.rectangle((20, 130, 220, 170), fill="red"), has("cross")
    draw.rectangle((260, 140, 380, 160), fill="black"), draw.polygon([(380, 110), (460, 150), (380, 190)], fill="black"), has("arrow")
    draw, has = page(640, 640)
    draw.ellipse((100, 80, 300, 280), fill="orange"), draw.ellipse((160, 60, 340, 240), fill="white"), has("crescent")
    draw.pieslice((360, 100, 460, 200), 180, 360, fill="red"), draw.pieslice((460, 100, 560, 200), 180, 360, fill="red")
    draw.polygon([(360, 149), (560, 149), (460, 280)], fill="red"), has("heart")
    draw.regular_polygon((200, 470, 110), 3, fill="purple"), has("triangle")
    draw.regular_polygon((460, 470, 100), 4, rotation=20, fill="cyan", outline="black"), has("rectangle")
    draw, has = page(256, 256, "lightblue")
    draw.ellipse((64, 64, 192, 192), fill="yellow", outline="black", width=3), has("circle")
    draw, has = page(800, 200)
    for number, colour in enumerate(("red", "green", "blue", "orange")):
        draw.ellipse((40 + number * 190, 40, 160 + number * 190, 160), fill=colour), has("circle")
    draw, has = page(300, 600, "gray")
    draw.rectangle((50, 50, 250, 150), fill="white"), has("rectangle")
    draw.polygon([(150, 250), (250, 400), (50, 400)], fill="yellow"), has("triangle")
    draw.ellipse((100, 450, 200, 550), outline="blue", width=8), has("circle")
    draw, has = page(500, 500)
    draw, has = page(400, 300)
    draw.line((200, 110, 200, 190), fill="black", width=8), draw.ellipse((175, 55, 225, 105), outline="black", width=8), draw.line((200, 105, 200, 120), fill="black", width=8)
    draw.line((200, 125, 145, 165), fill="black", width=8), draw.line((200, 125, 255, 165), fill="black", width=8)
    draw.line((200, 190, 160, 265), fill="black", width=8), draw.line((200, 190, 240, 265), fill="black", width=8), has("figure")
    draw, has = page(640, 360)
    draw.rectangle((80, 160, 300, 200), fill="green"), draw.polygon([(300, 120), (380, 180), (300, 240)], fill="green"), has("arrow")
    draw.ellipse((470, 60, 530, 120), fill="blue"), draw.line((500, 120, 500, 220), fill="blue", width=10), draw.line((430, 120, 500, 150, 570, 120), fill="blue", width=10)
    draw.line((450, 310, 500, 220, 550, 310), fill="blue", width=10), has("figure")
    draw, has = page(300, 300)
    draw.polygon([(150, 40), (180, 120), (265, 120), (195, 170), (220, 250), (150, 200), (80, 250), (105, 170), (35, 120), (120, 120)], fill="gold", outline="red"), has("star")
    return [(np.array(image), names) for image, names in drawings]


def drawn(model, picture, confidence):
    scale = TILE / max(picture.shape[:2])
    tile = np.full((TILE, TILE, 3), 40, np.uint8)
    view = cv2.resize(picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST)
    if model.task == "classification":
        share = model.classify(picture)
        found = f"{model.names[share.argmax()]} {share.max():.2f}"
        cv2.putText(view, found, (4, 14), cv2.FONT_HERSHEY_SIMPLEX, 0.45, (255, 0, 0), 1, cv2.LINE_AA)
        tile[:view.shape[0], :view.shape[1]] = view[:TILE, :TILE]
        return tile, [model.names[share.argmax()]]
    boxes, scores, classes, masks, keypoints = model.detect(picture, confidence)
    for number, (box, score, index) in enumerate(zip(boxes * scale, scores, classes)):
        colour = COLOURS[index % len(COLOURS)]
        left, top, right, bottom = map(int, box)
        if masks is not None:
            mask = cv2.resize(masks[number].astype(np.uint8), (view.shape[1], view.shape[0]), interpolation=cv2.INTER_NEAREST)
            edges, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
            cv2.drawContours(view, edges, -1, (255, 255, 255), 3), cv2.drawContours(view, edges, -1, colour, 1)
        else:
            cv2.rectangle(view, (left, top), (right, bottom), colour, 1)
        cv2.putText(view, f"{model.names[index][:5]} {score:.2f}", (left, max(10, top - 2)), cv2.FONT_HERSHEY_SIMPLEX, 0.36, (255, 0, 0), 1, cv2.LINE_AA)
        if keypoints is not None:
            points = (keypoints[number, :, :2] * scale).astype(int)
            for a, b in EDGES[model.names[index]]:
                cv2.line(view, tuple(map(int, points[a])), tuple(map(int, points[b])), (255, 0, 255), 1, cv2.LINE_AA)
    tile[:view.shape[0], :view.shape[1]] = view[:TILE, :TILE]
    return tile, [model.names[index] for index in classes]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--plain", action="store_true")
    parser.add_argument("--seed", type=int, default=5_000_005)
    parser.add_argument("--confidence", type=float, default=0.4)
    args = parser.parse_args()
    model = Model(args.model)
    if args.plain:
        pictures = [(picture, [name for name in names if name in model.names]) for picture, names in plain()]
        if model.task == "classification":
            pictures = [(picture, names) for picture, names in pictures if len(names) == 1]
    else:
        rng = np.random.default_rng(args.seed)
        scenes = [world.scene(rng, KINDS[model.task]) for _ in range(24)]
        pictures = [(scene.picture, [item.name for item in scene.items]) for scene in scenes]
    tiles, right = [], 0
    for number, (picture, names) in enumerate(pictures):
        tile, found = drawn(model, picture, args.confidence)
        tiles.append(tile)
        if sorted(found) == sorted(names):
            right += 1
        else:
            print(f"picture {number}: has {sorted(names)}, found {sorted(found)}")
    print(f"{right} of {len(pictures)} pictures with exactly the right items")
    tiles += [np.zeros_like(tiles[0])] * (-len(tiles) % 6)
    sheet = np.vstack([np.hstack(tiles[row:row + 6]) for row in range(0, len(tiles), 6)])
    cv2.imwrite(str(args.out), sheet[..., ::-1])


if __name__ == "__main__":
    main()
