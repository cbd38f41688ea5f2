"""Words to be drawn: English ones, numbers, prices, dates, codes. A tenth, by checksum, is kept for the evaluation."""

import functools
import pathlib
import string
import zlib

# Debian's package wamerican.
DICTIONARY = pathlib.Path("/usr/share/dict/american-english")
VOCAB = string.digits + string.ascii_letters + string.punctuation + "°£€¥"
COMMON = ("the of and to in is it you that he was for on are as with his they at be this from have or by one had not but what all were when we there can an your which their said if do will "
          "each about how up out them then she many some so these would other into has more her two like him see time could no make than first been its who now people my made over did down only "
          "way find use may long little very after words called just where most know hello world total open sale exit invoice date price name page order tax sum").split()
UNITS = "kg g mg km cm mm m ml l % °C h min s GB MB kB Hz W V".split()
DOMAINS = "com org net io de eu".split()


@functools.lru_cache
def dictionary():
    words = DICTIONARY.read_text(encoding="utf-8").split()
    return [word for word in words if word.isascii() and word.isalpha() and len(word) <= 16]


def held_out(word):
    """Whether a word belongs to the evaluation: case and outer punctuation do not count."""
    core = word.lower().strip(string.punctuation) or word
    return zlib.crc32(core.encode()) % 10 == 0


def cased(rng, word):
    kind = rng.random()
    return word.lower() if kind < 0.55 else word.capitalize() if kind < 0.8 else word.upper()


def digits(rng, low, high):
    return "".join(rng.choice(string.digits) for _ in range(rng.randint(low, high)))


def number(rng):
    kind = rng.randrange(9)
    if kind == 0:
        return rng.choice("$€£¥") + digits(rng, 1, 4) + "." + digits(rng, 2, 2)
    if kind == 1:
        return digits(rng, 1, 3) + rng.choice(".,") + digits(rng, 2, 2)
    if kind == 2:
        separator = rng.choice("-/.")
        parts = [f"{rng.randint(1, 28):02}", f"{rng.randint(1, 12):02}", str(rng.randint(1950, 2035))]
        return separator.join(parts if rng.random() < 0.5 else parts[::-1])
    if kind == 3:
        return f"{rng.randint(0, 23):02}:{rng.randint(0, 59):02}"
    if kind == 4:
        return digits(rng, 1, 3) + rng.choice(UNITS)
    if kind == 5:
        return rng.choice(["+", "", ""]) + digits(rng, 2, 4) + "-" + digits(rng, 3, 6)
    if kind == 6:
        return rng.choice(["#", "(", "-", "~", "x"]) + digits(rng, 1, 4) + rng.choice(["", ")"])
    if kind == 7:
        return f"{rng.randint(1, 999)},{rng.randint(0, 999):03}"
    return digits(rng, 1, 7)


def code(rng):
    kind = rng.randrange(6)
    letters = lambda n, table=string.ascii_uppercase: "".join(rng.choice(table) for _ in range(n))
    if kind == 0:
        return letters(rng.randint(1, 3)) + rng.choice(["-", "", ""]) + digits(rng, 1, 5)
    if kind == 1:
        return letters(rng.randint(4, 8), string.ascii_uppercase + string.digits)
    if kind == 2:
        return letters(rng.randint(4, 8), "0123456789abcdef")
    if kind == 3:
        return "v" + ".".join(digits(rng, 1, 2) for _ in range(rng.randint(2, 3)))
    if kind == 4:
        short = [word for word in (rng.choice(dictionary()) for _ in range(8)) if len(word) < 8] or ["box"]
        return f"{short[0].lower()}@{short[-1].lower()}.{rng.choice(DOMAINS)}" if rng.random() < 0.4 else f"www.{short[0].lower()}.{rng.choice(DOMAINS)}"
    return letters(rng.randint(2, 3)) + "_" + letters(rng.randint(2, 5), string.ascii_lowercase)


def punctuated(rng, word):
    kind = rng.random()
    if kind < 0.12:
        return word + rng.choice(".,,.:;!?")
    if kind < 0.16:
        left, right = rng.choice(["()", '""', "''", "[]", "<>", "**", "{}"])
        return left + word + right
    if kind < 0.19:
        return word + rng.choice(["'s", "...", "/", "&", "-", "%"])
    return word


def any_word(rng):
    kind = rng.random()
    if kind < 0.46:
        return punctuated(rng, cased(rng, rng.choice(dictionary())))
    if kind < 0.56:
        return punctuated(rng, cased(rng, rng.choice(COMMON)))
    if kind < 0.62:
        return cased(rng, "".join(rng.choice("bcdfghjklmnpqrstvwxyz") + rng.choice("aeiouy") + rng.choice(["", "", "n", "r", "st"]) for _ in range(rng.randint(1, 4))))
    if kind < 0.66:
        return cased(rng, rng.choice(dictionary())[:8] + rng.choice("-/_&+") + rng.choice(dictionary())[:8])
    if kind < 0.84:
        return number(rng)
    if kind < 0.93:
        return code(rng)
    if kind < 0.95:
        return rng.choice(VOCAB)
    return "".join(rng.choice(VOCAB) for _ in range(rng.randint(2, 9)))


def word(rng, evaluation=False, longest=24):
    """A word of the training side or of the evaluation's."""
    while True:
        text = any_word(rng)
        if len(text) <= longest and held_out(text) == evaluation:
            return text
