"""How drawn text looks: colours, backgrounds, and what cameras and files do to it."""

import io

import cv2
import numpy as np
from PIL import Image


def luma(colour):
    return 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2]


def colours(rng):
    """Background and text colours (RGB) that can be told apart: mostly dark on light."""
    kind = rng.random()
    if kind < 0.35:
        paper, ink = rng.randint(238, 255), rng.randint(0, 40)
        return (paper,) * 3, (ink,) * 3
    while True:
        paper, ink = [tuple(rng.randint(0, 255) for _ in range(3)) for _ in range(2)]
        if kind < 0.75 and not (luma(paper) > 150 and luma(ink) < luma(paper) - 80):
            continue
        if kind >= 0.75 and kind < 0.9 and not (luma(paper) < 110 and luma(ink) > luma(paper) + 80):
            continue
        if abs(luma(paper) - luma(ink)) > 60:
            return paper, ink


def background(rng, width, height, paper):
    """Plain paper, a gradient, or soft stains; float32 [height, width, 3]."""
    picture = np.empty((height, width, 3), np.float32)
    picture[:] = paper
    kind = rng.random()
    if kind < 0.15:
        ramp = np.linspace(-1, 1, width, dtype=np.float32)[None, :, None] * rng.uniform(-25, 25) + np.linspace(-1, 1, height, dtype=np.float32)[:, None, None] * rng.uniform(-25, 25)
        picture += ramp
    elif kind < 0.27:
        stains = np.random.default_rng(rng.getrandbits(32)).normal(0, rng.uniform(4, 16), (rng.randint(2, 6), rng.randint(2, 6), rng.choice([1, 3]))).astype(np.float32)
        stains = cv2.resize(stains, (width, height), interpolation=cv2.INTER_CUBIC)
        picture += stains if stains.ndim == 3 else stains[..., None]
    return picture


def degrade(rng, picture):
    """Blur, noise and JPEG; takes float32, gives uint8."""
    if rng.random() < 0.2:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.9))
    if rng.random() < 0.25:
        noise = np.random.default_rng(rng.getrandbits(32))
        picture = picture + noise.standard_normal(picture.shape[:2] + (1,), dtype=np.float32) * rng.uniform(1, 10)
    picture = np.clip(picture, 0, 255).astype(np.uint8)
    if rng.random() < 0.25:
        file = io.BytesIO()
        Image.fromarray(picture).save(file, "JPEG", quality=rng.randint(45, 90))
        picture = np.asarray(Image.open(file))
    return picture
