"""The fonts of the training pictures, by family; three families are kept for the evaluation."""

import functools
import pathlib

from PIL import ImageFont

ROOTS = [pathlib.Path("/usr/share/fonts"), pathlib.Path("/usr/share/texmf/fonts")]
# Files whose name begins so, family by family. PIL brings the font named "default" itself.
FAMILIES = {
    "DejaVu": ["DejaVuSans", "DejaVuSerif"],
    "Liberation": ["LiberationSans", "LiberationSerif", "LiberationMono"],
    "FreeFont": ["FreeSans", "FreeSerif", "FreeMono"],
    "Roboto": ["Roboto-", "RobotoCondensed-"],
    "Open Sans": ["OpenSans-"],
    "Lato": ["Lato-"],
    "Carlito": ["Carlito-"],
    "Cantarell": ["Cantarell-"],
    "Comfortaa": ["Comfortaa-"],
    "Quicksand": ["Quicksand-"],
    "Hack": ["Hack-"],
    "Fira Code": ["FiraCode-"],
    "Libertine": ["LinLibertine_R", "LinBiolinum_R"],
    "EB Garamond": ["EBGaramond"],
    "TeX Gyre": ["texgyre"],
    "Roboto Slab": ["RobotoSlab-"],
    "Oxygen": ["Oxygen"],
    "Cabin": ["Cabin-"],
    "Caladea": ["Caladea-"],
    "Inconsolata": ["Inconsolata"],
}
HELD_OUT = ("Cabin", "Caladea", "Inconsolata")
# Styles in which capitals replace small letters, strokes thinner than a pixel, and files that lack a currency sign.
UNFIT = ("Thin", "Hairline", "SC.", "SC-", "chorus", "smallcaps", "SmallCaps", "-sc", "SC1", "SC0", "Initials", "ExtraLight", "math", "Math", "EBGaramond08-Italic", "EBGaramond12-Bold")


@functools.lru_cache
def files():
    """Font files of each family that is installed."""
    found = sorted(path for root in ROOTS for kind in ("*.ttf", "*.otf") for path in root.rglob(kind))
    by_family = {"default": ["default"]}
    for family, beginnings in FAMILIES.items():
        names = [str(path) for path in found if path.name.startswith(tuple(beginnings)) and not any(part in path.name for part in UNFIT)]
        if names:
            by_family[family] = names
    missing = [family for family in FAMILIES if family not in by_family]
    assert len(missing) < 6, f"fonts missing, install the packages that the README names: {missing}"
    return by_family


@functools.lru_cache(maxsize=900)
def font(path, size):
    return ImageFont.load_default(size) if path == "default" else ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def choose(rng, held_out):
    """A font file: first the family, so that large families do not dominate; DejaVu, Liberation and PIL's own come more often."""
    families = [name for name in files() if (name in HELD_OUT) == held_out]
    weights = [3 if name in ("DejaVu", "Liberation", "default") else 1 for name in families]
    return rng.choice(files()[rng.choices(families, weights)[0]])


def lacks(font, text):
    """Whether a font cannot draw a text: PIL's own has no signs of currencies but the dollar."""
    return not isinstance(font.path, str) and any(letter in text for letter in "£€¥")
