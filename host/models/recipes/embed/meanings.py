"""Meanings and the ways to say them: the source of all text that mimus-embed is trained and measured on.

A `Meaning` has ways to ask for it and ways to tell it. Two of its texts are a positive pair; texts of different meanings
are negatives. Facts come from the tables of the chat recipe beside this one, the rest from `tables.py`.
`Pairs(seed)` gives training batches; wordings marked `~`, and scenes whose checksum is divisible by eight, appear in the
evaluation only.
"""

import pathlib
import random
import re
import sys
import zlib
from dataclasses import dataclass, field

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "chat"))

import facts  # noqa: E402  (the chat recipe's tables)
import phrases  # noqa: E402
from conversations import article, cap, more_phrasings  # noqa: E402

import tables  # noqa: E402

# Shares of a training batch. The rest are facts.
SCENES, REQUESTS, TOPICS = 0.34, 0.14, 0.05
ADJECTIVES = facts.ADJECTIVES


@dataclass
class Meaning:
    """One thing that can be asked or told."""

    key: str
    # Meanings of one group share an answer and never meet in one batch.
    group: str
    asks: list = field(default_factory=list)
    tells: list = field(default_factory=list)
    held: list = field(default_factory=list)

    def texts(self):
        return self.asks + self.tells


def normalise(text):
    return " ".join(re.findall(r"[a-z0-9]+|[-+*/]", text.lower()))


def _meaning(key, templates, tells=(), group=None, **slots):
    def fill(template):
        for slot, value in slots.items():
            template = template.replace("{" + slot + "}", str(value))
        return cap(template)
    asks = list(dict.fromkeys(fill(t) for t in templates if not t.startswith("~")))
    held = list(dict.fromkeys(fill(t[1:]) for t in templates if t.startswith("~")))
    return Meaning(key, group or key, asks, [cap(t) for t in tells], held)


def fact_meanings():
    """Every fact of the chat recipe's tables with all its phrasings."""
    out = []
    add = lambda *a, **k: out.append(_meaning(*a, **k))
    for name, capital, continent, language, currency in facts.COUNTRIES:
        bare = name.removeprefix("the ")
        if capital:
            add(f"capital of {name}", phrases.CAPITAL, [f"The capital of {name} is {capital}.", f"{capital} is the capital of {name}.", f"{capital} is {bare}'s capital city."], c=name)
            if capital != bare:
                add(f"where is {capital}", phrases.CAPITAL_OF, [f"{capital} is a city in {name}.", f"{capital} lies in {name}."], group=f"capital of {name}", x=capital)
        if continent:
            add(f"continent of {name}", phrases.CONTINENT, [f"{name} is in {continent}.", f"{name} is a country on the continent {continent}."], c=name)
            add(f"about {name}", phrases.ABOUT_COUNTRY, [f"{name} is a country in {continent}. Its capital is {capital}."], group=f"capital of {name}", c=name)
        if language:
            add(f"language of {name}", phrases.LANGUAGE, [f"People in {name} speak {language}.", f"The language of {name} is {language}."], c=name)
        if currency:
            add(f"currency of {name}", phrases.CURRENCY, [f"The currency of {name} is the {currency}.", f"In {name} people pay with the {currency}."], c=name)
    for x, colour in facts.COLOURS_OF:
        add(f"colour of {x}", phrases.COLOUR_OF, [f"{x} is {colour}.", f"The colour of {x} is {colour}."], x=x)
    for pair, colour in facts.MIXES:
        a, b = pair.split("+")
        add(f"mix of {a} and {b}", phrases.MIX, [f"{a} and {b} make {colour}.", f"{b} mixed with {a} gives {colour}."], a=a, b=b)
    for name, legs, sound, baby, home in facts.ANIMALS:
        one = article(name)
        if legs:
            add(f"legs of {name}", phrases.LEGS, [f"{one} has {legs if legs != '0' else 'no'} legs."], x=one)
        if sound:
            add(f"sound of {name}", phrases.SOUND, [f"{one} says {sound}.", f"The sound of {one} is {sound}."], x=one)
        if baby:
            add(f"baby {name}", phrases.BABY, [f"A baby {name} is called {article(baby)}.", f"{article(baby)} is a young {name}."], x=name)
        if home:
            add(f"home of {name}", phrases.HOME, [f"{one} lives in {article(home) if home not in ('water', 'soil') else home}."], x=one)
    for a, b in facts.OPPOSITES:
        for x, y in ((a, b), (b, a)):
            add(f"opposite of {x}", phrases.OPPOSITE, [f"The opposite of {x} is {y}."], group=f"opposites {a} {b}", x=x)
    for x, words in facts.TRANSLATIONS.items():
        for language, word in words.items():
            add(f"{x} in {language}", phrases.TRANSLATE, [f"{x} in {language} is {word}.", f"The {language} word for {x} is {word}."], x=x, l=language)
    for i, day in enumerate(facts.DAYS):
        add(f"after {day}", phrases.DAY_AFTER, [f"{facts.DAYS[(i + 1) % 7]} comes after {day}."], group=f"day {day}", x=day)
        add(f"before {day}", phrases.DAY_BEFORE, [f"{facts.DAYS[i - 1]} comes before {day}."], group=f"day {facts.DAYS[i - 1]}", x=day)
    for i, month in enumerate(facts.MONTHS):
        add(f"after {month}", phrases.MONTH_AFTER, [f"{facts.MONTHS[(i + 1) % 12]} comes after {month}."], group=f"month {month}", x=month)
        add(f"before {month}", phrases.MONTH_BEFORE, [f"{facts.MONTHS[i - 1]} comes before {month}."], group=f"month {facts.MONTHS[i - 1]}", x=month)
        add(f"length of {month}", phrases.MONTH_LENGTH, [f"{month} has {facts.MONTH_DAYS[month]} days."], x=month)
        add(f"month {i}", phrases.MONTH_NTH, [f"The {facts.ORDINALS[i]} month is {month}."], n=facts.ORDINALS[i])
    for x, y, answer, _ in facts.UNITS:
        add(f"{x} in {y}", phrases.UNIT, [answer], x=x, y=y)
    for number, line in enumerate(facts.NP_FACTS):
        left, right = line.split(" => ")
        nps = left.split(" / ")
        frames = [t for t in phrases.NP if not t.startswith("~")]
        held_frames = [t[1:] for t in phrases.NP if t.startswith("~")]
        known = [n for n in nps if not n.startswith("~")]
        held = ["~" + f.replace("{x}", n.lstrip("~")) for n in nps for f in (held_frames if not n.startswith("~") else frames[:12])]
        add(f"np {number}", [f.replace("{x}", n) for n in known for f in frames] + held, [right.rsplit(" | ", 1)[0].strip()])
    for number, line in enumerate(facts.Q_FACTS):
        left, right = line.split(" => ")
        add(f"question {number}", more_phrasings(left.split(" / ")), [right.rsplit(" | ", 1)[0].strip()])
    for x, answer in facts.DEFINITIONS:
        add(f"definition of {x}", phrases.DEFINE, [answer], x=x)
    for task, steps in facts.HOWTOS.items():
        add(f"how to {task}", phrases.HOWTO_FREE, [" ".join(steps), f"Steps to {task}: {' '.join(steps)}"], x=task)
    for x, y in facts.PLURALS:
        add(f"plural of {x}", phrases.PLURAL, [f"The plural of {x} is {y}."], x=x)
    for x, y in facts.PASTS:
        add(f"past of {x}", phrases.PAST, [f"The past tense of {x} is {y}."], x=x)
    for number, (users, _, _) in enumerate(phrases.SMALL_TALK):
        add(f"talk {number}", users)
    return [m for m in out if len(m.texts()) > 1]


def request_meanings():
    out = []
    for number, line in enumerate(tables.REQUESTS):
        left, answer = line.split(" => ")
        out.append(_meaning(f"request {number}", left.split(" / "), [answer]))
    return out


def topic_meanings():
    return [Meaning(f"topic {name}", f"topic {name}", [], [s for s in sentences if s[0] != "~"], [s[1:] for s in sentences if s[0] == "~"]) for name, sentences in tables.TOPICS.items()]


def is_held_out(key):
    """One scene in eight, by checksum, is kept for evaluation."""
    return zlib.crc32(key.encode()) % 8 == 0


class Scenes:
    """Who does what where; each part is said in any of its class's wordings."""

    def __init__(self, rng):
        self.rng = rng

    def draw(self, held_out):
        """A scene as indices of its classes."""
        r = self.rng
        while True:
            if r.random() < 0.5:
                scene = ("animal", r.randrange(len(tables.ANIMALS)), r.randrange(len(tables.ANIMAL_ACTS)), r.randrange(len(tables.PLACES)))
            else:
                scene = ("person", r.randrange(len(tables.PEOPLE)), r.randrange(len(tables.HUMAN_ACTS)), r.randrange(len(tables.PLACES)) if r.random() < 0.2 else None)
            if is_held_out(str(scene)) == held_out:
                return scene

    def neighbour(self, scene):
        """A training scene that shares all parts but one: the hardest kind of negative."""
        kind, who, act, place = scene
        r = self.rng
        for _ in range(20):
            part = r.randrange(3)
            if part == 0:
                other = (kind, r.randrange(len(tables.ANIMALS if kind == "animal" else tables.PEOPLE)), act, place)
            elif part == 1:
                other = (kind, who, r.randrange(len(tables.ANIMAL_ACTS if kind == "animal" else tables.HUMAN_ACTS)), place)
            else:
                other = (kind, who, act, r.randrange(len(tables.PLACES))) if place is not None else self.draw(False)
            if other != scene and not is_held_out(str(other)):
                return other
        return self.draw(False)

    def say(self, scene, held_frame=False):
        kind, who, act, place = scene
        r = self.rng
        frames = tables.SCENES if place is None else tables.SCENES_WITH_PLACE
        frame = r.choice(phrases.phrasings(frames, held_frame))
        agent = r.choice((tables.ANIMALS if kind == "animal" else tables.PEOPLE)[who])
        # Shapes vary without meaning: an adjective that nobody asks about.
        if r.random() < 0.12:
            agent = f"{r.choice(ADJECTIVES)} {agent}"
        verb = r.choice((tables.ANIMAL_ACTS if kind == "animal" else tables.HUMAN_ACTS)[act])
        text = frame.replace("{a}", agent).replace("{v}", verb)
        if place is not None:
            text = text.replace("{p}", r.choice(tables.PLACES[place]))
        text = re.sub(r"\b(a|one) ((?:[aeiou]|hour))", lambda m: ("an " if m[1] == "a" else "one ") + m[2], text)
        return cap(text) + "."


class Pairs:
    """A seeded source of batches of pairs for training."""

    def __init__(self, seed, banned=frozenset()):
        self.rng = random.Random(seed)
        self.banned = banned
        self.facts = [self._allowed(m) for m in fact_meanings()]
        self.facts = [m for m in self.facts if len(m.texts()) > 1]
        # The tables differ in length; no table may drown the others.
        self.weights = [weight(m.key) for m in self.facts]
        self.requests = [self._allowed(m) for m in request_meanings()]
        self.topics = topic_meanings()
        self.scenes = Scenes(self.rng)

    def _allowed(self, meaning):
        keep = lambda texts: [t for t in texts if normalise(t) not in self.banned]
        return Meaning(meaning.key, meaning.group, keep(meaning.asks), keep(meaning.tells), meaning.held)

    def _two(self, meaning):
        r = self.rng
        if meaning.tells and meaning.asks and r.random() < 0.4:
            pair = [r.choice(meaning.asks), r.choice(meaning.tells)]
            r.shuffle(pair)
            return pair
        pool = meaning.asks if len(meaning.asks) > 1 and (r.random() < 0.85 or len(meaning.tells) < 2) else meaning.texts()
        return r.sample(pool, 2)

    def noisy(self, text):
        """Text as people type it: an opener, a missing mark, a slip of the finger."""
        r = self.rng
        if r.random() < 0.06:
            text = r.choice(phrases.OPENERS) + text
        if r.random() < 0.25 and text[-1] in ".?!":
            text = text[:-1]
        if r.random() < 0.06:
            words = text.split(" ")
            i = r.randrange(len(words))
            w = words[i]
            if len(w) > 4 and w.isalpha():
                j = r.randrange(1, len(w) - 2)
                words[i] = r.choice([w[:j] + w[j + 1:], w[:j] + w[j + 1] + w[j] + w[j + 2:]])
                text = " ".join(words)
        return text

    def batch(self, size):
        """`size` pairs of different meanings."""
        r = self.rng
        pairs, groups = [], set()
        scenes = int(size * SCENES)
        while len(pairs) < scenes:
            scene = self.scenes.neighbour(r.choice(recent)) if pairs and r.random() < 0.6 else self.scenes.draw(False)
            if scene in groups:
                continue
            recent = [scene] if not pairs else (recent + [scene])[-24:]
            groups.add(scene)
            pairs.append((self.scenes.say(scene), self.scenes.say(scene)))
        for meanings, weights, count in (
            (self.requests, None, int(size * REQUESTS)),
            (self.topics, None, int(size * TOPICS)),
            (self.facts, self.weights, size - scenes - int(size * REQUESTS) - int(size * TOPICS)),
        ):
            # A short table cannot fill a large batch with different meanings.
            goal = len(pairs) + min(count, len(meanings) // 2)
            while len(pairs) < goal:
                meaning = r.choices(meanings, weights)[0]
                if meaning.group in groups:
                    continue
                groups.add(meaning.group)
                pairs.append(tuple(self._two(meaning)))
        return [(self.noisy(a), self.noisy(b)) for a, b in pairs]


def weight(key):
    """How often a fact is drawn: long tables less often by fact."""
    head = key.split(" ")[0]
    return {"capital": 1.0, "where": 0.7, "continent": 0.6, "about": 0.4, "np": 3.0, "question": 3.0, "talk": 3.0, "how": 2.0, "definition": 1.5, "colour": 1.5, "after": 1.5, "before": 1.5, "mix": 1.5}.get(head, 1.0)


def evaluation(seed):
    """Held-out pairs: `(category, query, candidate)`, the candidates all different.

    The query is a wording that training never sees, or a scene that it never sees; the candidate is the statement
    that answers a question where there is one, else another wording.
    """
    r = random.Random(seed)
    rows, groups, taken = [], set(), set()

    def put(category, group, query, candidate):
        texts = {normalise(query), normalise(candidate)}
        if group in groups or texts & taken or len(texts) < 2:
            return False
        groups.add(group)
        taken.update(texts)
        rows.append((category, query, candidate))
        return True

    meanings = [m for m in fact_meanings() if m.held]
    r.shuffle(meanings)
    counts = {"question": 0, "paraphrase": 0}
    for m in meanings:
        category = "question" if m.tells and r.random() < 0.5 else "paraphrase"
        if counts[category] < 120 and weight(m.key) * 0.5 > r.random():
            counts[category] += put(category, m.group, r.choice(m.held), r.choice(m.tells if category == "question" else m.asks))
    for number, m in enumerate(request_meanings()):
        if m.held:
            put("request", m.group, r.choice(m.held), m.tells[0] if number % 2 else r.choice(m.asks))
    scenes = Scenes(r)
    made = 0
    while made < 120:
        scene = scenes.draw(True)
        made += put("scene", scene, scenes.say(scene, held_frame=True), scenes.say(scene))
    return rows
