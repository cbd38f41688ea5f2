"""Cuts DejaVu Sans Bold down to what labels need: Latin, Greek, Cyrillic, punctuation, arrows and common signs.

pip install fonttools==4.68.0
python host/media/fonts/subset.py /usr/share/fonts/truetype/dejavu/DejaVuSans-Bold.ttf   # Debian: fonts-dejavu-core
"""

import pathlib
import sys

from fontTools import subset

RANGES = [
    (0x20, 0x7E),  # ASCII
    (0xA0, 0x17F),  # Latin of western and central Europe
    (0x192, 0x192),
    (0x1A0, 0x1B0),  # Vietnamese horns
    (0x218, 0x21B),  # Romanian
    (0x2C6, 0x2DD),
    (0x370, 0x3FF),  # Greek
    (0x400, 0x45F),  # Cyrillic
    (0x490, 0x491),
    (0x1E80, 0x1E85),
    (0x1EA0, 0x1EF9),  # Vietnamese
    (0x2010, 0x2027),  # dashes, quotation marks, dots
    (0x2030, 0x203A),
    (0x20AC, 0x20AC),  # euro
    (0x2116, 0x2122),
    (0x2190, 0x2199),  # arrows
    (0x2212, 0x2212),
    (0x2248, 0x2265),
    (0x25A0, 0x25CF),  # shapes
    (0x2713, 0x2717),
    (0xFFFD, 0xFFFD),
]

options = subset.Options()
options.hinting = False
options.layout_features = []
options.name_IDs = [0, 1, 2, 5, 13, 14]
options.notdef_outline = True
options.drop_tables += ["GSUB", "GPOS", "GDEF", "kern", "FFTM"]
font = subset.load_font(sys.argv[1], options)
subsetter = subset.Subsetter(options)
subsetter.populate(unicodes=[code for first, last in RANGES for code in range(first, last + 1)])
subsetter.subset(font)
subset.save_font(font, pathlib.Path(__file__).with_name("DejaVuSans-Bold-subset.ttf"), options)
