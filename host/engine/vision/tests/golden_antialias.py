"""Writes what Pillow makes of a few small pictures: tests/golden/antialias.json.

Run: python tests/golden_antialias.py   (pillow 13)
"""

import json
import pathlib

from PIL import Image

CASES = [
    ((37, 23), (11, 7)),
    ((7, 5), (19, 16)),
    ((40, 9), (13, 9)),
    ((6, 41), (6, 17)),
    ((33, 12), (12, 33)),
    ((1, 1), (3, 2)),
    ((50, 40), (1, 1)),
    ((9, 8), (9, 8)),
]


def picture(width, height):
    """The same bytes as the test's `picture`: a small generator with hard edges."""
    state, data = width * 1000 + height, bytearray()
    for _ in range(width * height * 3):
        state = (state * 1103515245 + 12345) % (1 << 31)
        value = state >> 16 & 255
        data.append(0 if value < 64 else 255 if value > 191 else value)
    return Image.frombytes("RGB", (width, height), bytes(data))


cases = []
for source, wanted in CASES:
    for name, kind in ("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC):
        pixels = picture(*source).resize(wanted, kind).tobytes()
        cases.append({"source": source, "wanted": wanted, "filter": name, "pixels": pixels.hex()})
path = pathlib.Path(__file__).parent / "golden" / "antialias.json"
path.write_text("[\n" + ",\n".join(json.dumps(case) for case in cases) + "\n]\n")
