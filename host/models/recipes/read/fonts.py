"""The fonts of the pictures, by family: three are kept for the evaluation, and most are for training alone."""

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
# Families for training alone: the evaluation keeps to those above, so that figures of different trainings compare.
FURTHER = {
    "Noto Sans": ["NotoSans-", "NotoSansDisplay-"],
    "Noto Serif": ["NotoSerif-", "NotoSerifDisplay-"],
    "Noto Mono": ["NotoSansMono-", "NotoMono-"],
    "Inter": ["Inter-"],
    "Clear Sans": ["ClearSans-"],
    "Manrope": ["Manrope-"],
    "Karla": ["Karla-"],
    "Sora": ["Sora-"],
    "Dosis": ["Dosis-"],
    "Jura": ["Jura-"],
    "Play": ["Play-"],
    "Tuffy": ["Tuffy"],
    "Andika": ["Andika-"],
    "B612": ["B612-"],
    "League Spartan": ["LeagueSpartan-"],
    "Yanone Kaffeesatz": ["YanoneKaffeesatz-"],
    "Comic Neue": ["ComicNeue-"],
    "Averia Sans": ["AveriaSansGWF-"],
    "PT Sans": ["PTS", "PTC", "PTN"],
    "Gillius": ["GilliusADF-"],
    "Switzera": ["SwitzeraADF-"],
    "Universalis": ["UniversalisADFStd-"],
    "Libris": ["LibrisADFStd-"],
    "Ikarius": ["IkariusADFStd-"],
    "Verana Sans": ["VeranaSans-"],
    "Nimbus Sans": ["NimbusSans-", "NimbusSansNarrow-"],
    "URW Gothic": ["URWGothic-"],
    "M PLUS": ["Mplus1-", "Mplus2-"],
    "VL Gothic": ["VL-"],
    "IPAex Gothic": ["ipaexg"],
    "Nanum Gothic": ["NanumGothic.", "NanumGothicBold.", "NanumBarunGothic.", "NanumBarunGothicBold."],
    "Laksaman": ["Laksaman"],
    "PT Serif": ["PTF", "PTZ"],
    "Charis": ["CharisSIL-"],
    "Gentium": ["GentiumPlus-", "GentiumBookPlus-"],
    "Yrsa": ["Yrsa-", "Rasa-"],
    "Quattrocento": ["Quattrocento-Regular"],
    "Old Standard": ["OldStandard-"],
    "STIX": ["STIX-"],
    "Junicode": ["JunicodeTwoBeta-"],
    "Artemisia": ["GFSArtemisia"],
    "Didot": ["GFSDidot.", "GFSDidotBold", "GFSDidotIt"],
    "Neohellenic": ["GFSNeohellenic"],
    "Tribun": ["TribunADFStd-"],
    "Baskervald": ["BaskervaldADFStd-"],
    "Berenis": ["BerenisADFPro-"],
    "Romande": ["RomandeADFStd-"],
    "Verana": ["Verana-"],
    "Cardo": ["Cardo"],
    "Averia Serif": ["AveriaSerifGWF-"],
    "C059": ["C059-"],
    "P052": ["P052-"],
    "URW Bookman": ["URWBookman-"],
    "Nimbus Roman": ["NimbusRoman-"],
    "Norasi": ["Norasi"],
    "Kinnari": ["Kinnari"],
    "Computer Modern": ["cmunrm", "cmunti", "cmunbx", "cmunbi", "cmunss", "cmunsi", "cmunsx"],
    "Computer Modern Typewriter": ["cmuntt", "cmuntb", "cmunvt"],
    "Nimbus Mono": ["NimbusMonoPS-"],
    "Courier Prime": ["Courier Prime"],
    "JetBrains Mono": ["JetBrainsMono-"],
    "Go": ["Go-"],
    "PT Mono": ["PTM"],
    "B612 Mono": ["B612Mono-"],
    "League Mono": ["LeagueMono-"],
    "Anonymous Pro": ["Anonymous Pro "],
    "Fantasque Sans Mono": ["FantasqueSansMono-"],
    "Monoid": ["Monoid-"],
    "Hermit": ["Hermit-"],
    "mononoki": ["mononoki-"],
    "3270": ["3270-", "3270SemiCondensed-"],
    "M PLUS Code": ["Mplus1Code-", "MplusCode50-", "MplusCodeLatin50-"],
}
# How often a word for training is in one of them.
FURTHER_SHARE = 0.6
# Styles in which capitals replace small letters, strokes thinner than a pixel, and files that lack a currency sign.
UNFIT = ("Thin", "Hairline", "SC.", "SC-", "chorus", "smallcaps", "SmallCaps", "Smallcaps", "-sc", "SC1", "SC0", "Initials", "ExtraLight", "math", "Math", "EBGaramond08-Italic", "EBGaramond12-Bold")


@functools.lru_cache
def files():
    """Font files of each family that is installed."""
    found = sorted(path for root in ROOTS for kind in ("*.ttf", "*.otf") for path in root.rglob(kind))
    by_family = {"default": ["default"]}
    for family, beginnings in (FAMILIES | FURTHER).items():
        names = [str(path) for path in found if path.name.startswith(tuple(beginnings)) and not any(part in path.name for part in UNFIT)]
        if names:
            by_family[family] = names
    missing = [family for family in FAMILIES | FURTHER if family not in by_family]
    assert len(missing) < 6, f"fonts missing, install the packages that the README names: {missing}"
    return by_family


@functools.lru_cache(maxsize=900)
def font(path, size):
    return ImageFont.load_default(size) if path == "default" else ImageFont.truetype(path, size, layout_engine=ImageFont.Layout.BASIC)


def choose(rng, evaluation, held_out):
    """A font file: first the family, so that large families do not dominate; DejaVu, Liberation and PIL's own come more often."""
    if not evaluation and rng.random() < FURTHER_SHARE:
        return rng.choice(files()[rng.choice([name for name in files() if name in FURTHER])])
    families = [name for name in files() if name not in FURTHER and (name in HELD_OUT) == held_out]
    weights = [3 if name in ("DejaVu", "Liberation", "default") else 1 for name in families]
    return rng.choice(files()[rng.choices(families, weights)[0]])


def lacks(font, text):
    """Whether a font cannot draw a text: PIL's own has no signs of currencies but the dollar."""
    return not isinstance(font.path, str) and any(letter in text for letter in "£€¥")
