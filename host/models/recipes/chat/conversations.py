"""Conversation generator: turns the tables into an endless, seeded stream of documents.

A document is either a chat (`{"messages": [...]}`) or raw text (`{"text": prompt, "rest": continuation}`).
`Sampler(seed)` gives training documents; `Sampler(seed, held_out=True)` uses only phrasings, names and invented words
that the training side never sees, and is the source of the evaluation files. `MIX` is the one place for the weights.
"""

import random
import re
import zlib

import facts
import phrases
from phrases import choose

# Share of each kind of document in the training stream.
MIX = {"memory": 32, "facts": 55, "dialogue": 8, "recall": 3, "last": 1.5, "story": 3, "raw_story": 2.5, "raw_howto": 3, "raw_fact": 5, "raw_sums": 5, "raw_sentences": 1}

# Share of each category among single questions: (weight in training, count in eval/paraphrases.jsonl).
SINGLES = {
    "capital": (11, 26), "capital_of": (4, 4), "continent": (2, 4), "language": (1.5, 4), "currency": (1.2, 4),
    "colour_of": (4, 14), "mix": (2.5, 6), "animal": (5, 12), "opposite": (4, 10), "translate": (4, 8), "calendar": (4, 10),
    "unit": (3, 10), "np": (8, 32), "question": (16, 34), "define": (6, 12), "sum": (18, 26), "difference": (8, 10), "product": (3, 5), 
    "number": (2.5, 4), "big_number": (0.7, 0), "count": (1.5, 4), "list": (4, 10), "spell": (3, 4), "word_form": (1.5, 3), "echo": (9, 12),
    "howto": (4, 8), "story_short": (0, 4), "poem": (1, 2), "small_talk": (24, 50), "unknown": (3, 5), "invented": (6, 11), "off": (5, 8), "too_hard": (1.5, 3), "remark": (2, 4), "gibberish": (0.7, 1),
    "about_country": (2, 4), "yes_no": (5, 8),
}

ONSETS = "b c d f g h j k l m n p r s t v w z br ch cr dr fl gr kr pl pr sh sk st th tr".split()
VOWELS = "a e i o u a e i o ai ea ie oo y".split()
CODAS = ["", "", "", "n", "r", "l", "s", "m", "x", "k", "d", "rn", "nd", "th"]
WORDS = sorted({w for table in (facts.FOODS, facts.HOBBIES, facts.JOBS, facts.SPELL, *facts.LISTS.values()) for w in table if " " not in w})
SMALL_WORDS = "this is a the my your we you it was not very good test and I like big little one two here there now please some time day see want go to in on for all".split()

STOP_WORDS = frozenset("that this which with such from very what them they some made make makes large small when have many other where about like without first".split())  # Too common to accept a definition by.
CAPITALISED = frozenset("this it we you my the hello good yes no here there one not".split())  # Openings of a phrase that a reply starts with a capital letter.


def is_held_out(value):
    """One value in eight (by checksum) of every open class is kept for evaluation."""
    return zlib.crc32(value.lower().encode()) % 8 == 0


def normalise(text):
    """Lower case letters and digits only: the form in which training and evaluation questions are compared."""
    return " ".join(re.findall(r"[a-z0-9]+|[-+*/]", text.lower()))


class Sampler:
    """A seeded source of questions and conversations."""

    def __init__(self, seed, held_out=False, banned=frozenset()):
        self.rng = random.Random(seed)
        self.held_out = held_out
        self.banned = banned  # Normalised evaluation questions; a training conversation that contains one is dropped.
        self.single_names = [name for name in SINGLES if SINGLES[name][0]]
        self.single_weights = [SINGLES[name][0] for name in self.single_names]
        self.np = [self._parse(line) for line in facts.NP_FACTS]
        self.questions = [self._parse(line) for line in facts.Q_FACTS]
        self.np_mine = [f for f in self.np if self._mine(f[0])]
        self.questions_mine = [f for f in self.questions if self._mine(f[0])]
        self.animals = [list(a) for a in facts.ANIMALS]

    @staticmethod
    def _parse(line):
        left, right = line.split(" => ")
        answer, accept = right.rsplit(" | ", 1)
        return more_phrasings(left.split(" / ")), answer.strip(), accept.strip().split(";")

    def _mine(self, templates):
        return not self.held_out or any(t.startswith("~") for t in templates)

    def pick(self, templates, **slots):
        text = choose(self.rng, templates, self.held_out)
        for slot, value in slots.items():
            text = text.replace("{" + slot + "}", str(value))
        return text[0].upper() + text[1:] if self.rng.random() < 0.9 else text

    def chance(self, p):
        return self.rng.random() < p

    # Open classes.

    def _open(self, make):
        while True:
            value = make()
            if is_held_out(value) == self.held_out:
                return value

    def _syllables(self, low, high):
        r = self.rng
        return "".join(r.choice(ONSETS) + r.choice(VOWELS) + (r.choice(CODAS) if r.random() < 0.5 else "") for _ in range(r.randint(low, high)))

    def made_up(self, low=2, high=3):
        return self._open(lambda: self._syllables(low, high))

    def name(self):
        def make():
            roll = self.rng.random()
            if roll < 0.5:
                return self.rng.choice(facts.FIRST_NAMES)
            if roll < 0.93:
                return self._syllables(1, 3).capitalize() + self.rng.choice(["", "", "a", "o", "i"])
            return self.rng.choice(facts.FIRST_NAMES) + " " + self._syllables(2, 3).capitalize()
        return self._open(make)

    def number_text(self):
        return str(self.rng.choice([self.rng.randint(0, 99), self.rng.randint(0, 9), self.rng.randint(100, 9999)]))

    def phrase(self):
        """A short phrase to echo."""
        r = self.rng
        roll = r.random()
        if roll < 0.25:
            return self.name() if r.random() < 0.4 else self.made_up()
        words = [r.choice(WORDS if r.random() < 0.6 else SMALL_WORDS) for _ in range(r.randint(1, 6))]
        if roll < 0.35:
            words.append(self.number_text())
        if roll > 0.93:
            words.insert(r.randrange(len(words) + 1), self.made_up())
        if roll > 0.8:
            words[0] = words[0].capitalize()
        return " ".join(words)

    # Single questions: each returns (question, answer, accepted strings).

    def _country(self, index):
        while True:
            country = self.rng.choice(facts.COUNTRIES)
            if country[index]:
                return country

    def _spoken(self, country):
        aliases = facts.COUNTRY_ALIASES.get(country, [])
        if aliases and self.chance(0.5):
            return self.rng.choice(aliases)
        return country

    def capital(self):
        c = self._country(1)
        return self.pick(phrases.CAPITAL, c=self._spoken(c[0])), f"The capital of {c[0]} is {c[1]}.", [c[1]]

    def capital_of(self):
        c = self._country(1)
        return self.pick(phrases.CAPITAL_OF, x=c[1]), f"{c[1]} is the capital of {c[0]}.", [c[0].removeprefix("the ")]

    def continent(self):
        c = self._country(2)
        return self.pick(phrases.CONTINENT, c=self._spoken(c[0])), f"{cap(c[0])} is in {c[2]}.", [c[2]]

    def language(self):
        c = self._country(3)
        return self.pick(phrases.LANGUAGE, c=self._spoken(c[0])), f"People in {c[0]} speak {c[3]}.", [c[3]]

    def currency(self):
        c = self._country(4)
        return self.pick(phrases.CURRENCY, c=self._spoken(c[0])), f"The currency of {c[0]} is the {c[4]}.", [c[4]]

    def colour_of(self):
        x, colour = self.rng.choice(facts.COLOURS_OF)
        return self.pick(phrases.COLOUR_OF, x=x), f"{cap(x)} is {colour}.", [colour]

    def mix(self):
        pair, colour = self.rng.choice(facts.MIXES)
        a, b = pair.split("+")
        if self.chance(0.5):
            a, b = b, a
        return self.pick(phrases.MIX, a=a, b=b), f"{cap(a)} and {b} make {colour}.", [colour]

    def animal(self):
        r = self.rng
        name, legs, sound, baby, home = r.choice(self.animals)
        kind = r.choice([k for k, v in (("legs", legs), ("sound", sound), ("baby", baby), ("home", home)) if v])
        one = article(name)
        if kind == "legs":
            return self.pick(phrases.LEGS, x=one), f"{cap(one)} has {legs if legs != '0' else 'no'} legs.", [legs] if legs != "0" else ["no"]
        if kind == "sound":
            return self.pick(phrases.SOUND, x=one), f"{cap(one)} says {sound}.", [sound]
        if kind == "baby":
            return self.pick(phrases.BABY, x=name), f"A baby {name} is called {article(baby)}.", [baby]
        return self.pick(phrases.HOME, x=one), f"{cap(one)} lives in {article(home) if home not in ('water', 'soil') else home}.", [home]

    def opposite(self):
        # A word may stand in several pairs; the first pair of the table that holds it decides.
        pairs = dict((b, a) for a, b in reversed(facts.OPPOSITES)) | dict(reversed(facts.OPPOSITES))
        x = self.rng.choice(list(pairs))
        return self.pick(phrases.OPPOSITE, x=x), f"The opposite of {x} is {pairs[x]}.", [pairs[x]]

    def translate(self):
        x = self.rng.choice(list(facts.TRANSLATIONS))
        language, word = self.rng.choice(list(facts.TRANSLATIONS[x].items()))
        return self.pick(phrases.TRANSLATE, x=x, l=language), f"{cap(x)} in {language} is {word}.", [word]

    def calendar(self):
        r = self.rng
        kind = r.choice(["day_after", "day_before", "month_after", "month_before", "length", "nth"])
        if kind.startswith("day"):
            step = 1 if kind == "day_after" else -1
            i = r.randrange(7)
            x, y = facts.DAYS[i], facts.DAYS[(i + step) % 7]
            templates = phrases.DAY_AFTER if step == 1 else phrases.DAY_BEFORE
            return self.pick(templates, x=x), f"{y} comes {'after' if step == 1 else 'before'} {x}.", [y]
        i = r.randrange(12)
        x = facts.MONTHS[i]
        if kind == "length":
            return self.pick(phrases.MONTH_LENGTH, x=x), f"{x} has {facts.MONTH_DAYS[x]} days.", [str(facts.MONTH_DAYS[x])]
        if kind == "nth":
            return self.pick(phrases.MONTH_NTH, n=facts.ORDINALS[i]), f"The {facts.ORDINALS[i]} month is {x}.", [x]
        step = 1 if kind == "month_after" else -1
        y = facts.MONTHS[(i + step) % 12]
        templates = phrases.MONTH_AFTER if step == 1 else phrases.MONTH_BEFORE
        return self.pick(templates, x=x), f"{y} comes {'after' if step == 1 else 'before'} {x}.", [y]

    def unit(self):
        x, y, answer, accept = self.rng.choice(facts.UNITS)
        return self.pick(phrases.UNIT, x=x, y=y), answer, [accept]

    def np_fact(self):
        """A noun phrase inside a question frame. Held out: the frame, or the phrase, or both."""
        nps, answer, accept = self.rng.choice(self.np)
        if self.held_out and any(n.startswith("~") for n in nps) and self.chance(0.4):
            frame = choose(self.rng, phrases.NP)
            np = choose(self.rng, nps, True)
        else:
            frame = choose(self.rng, phrases.NP, self.held_out)
            np = choose(self.rng, nps)
        return cap(frame.replace("{x}", np)), answer, accept

    def question(self):
        questions, answer, accept = self.rng.choice(self.questions_mine)
        return choose(self.rng, questions, self.held_out), answer, accept

    def define(self):
        x, answer = self.rng.choice(facts.DEFINITIONS)
        key = [k for k in re.findall(r"[A-Za-z]{4,}", answer) if k.lower() not in x.lower() and k.lower() not in STOP_WORDS]
        if x[0].islower() and x.split()[0] in ("a", "an") and self.chance(0.15):
            x = x.split(" ", 1)[1]
        return self.pick(phrases.DEFINE, x=x), answer, key[:3] or [answer.rstrip(".")]

    def _in_words(self, template, *numbers):
        if all(n <= 20 for n in numbers) and self.chance(0.2):
            return [facts.NUMBER_WORDS[n] for n in numbers]
        return [str(n) for n in numbers]

    def _number_accept(self, n):
        return [str(n)] + ([facts.NUMBER_WORDS[n]] if 0 <= n <= 20 else [])

    def sum(self):
        r = self.rng
        a, b = r.randint(0, 20), r.randint(0, 20)
        if r.random() < 0.25:
            a, b = r.randint(0, 10), r.randint(0, 10)
        x, y = self._in_words(None, a, b)
        return self.pick(phrases.SUM, a=x, b=y), f"{a} + {b} = {a + b}.", self._number_accept(a + b)

    def difference(self):
        a = self.rng.randint(0, 20)
        b = self.rng.randint(0, a)
        x, y = self._in_words(None, a, b)
        return self.pick(phrases.DIFFERENCE, a=x, b=y), f"{a} - {b} = {a - b}.", self._number_accept(a - b)

    def product(self):
        a, b = self.rng.randint(0, 10), self.rng.randint(0, 10)
        x, y = self._in_words(None, a, b)
        return self.pick(phrases.PRODUCT, a=x, b=y), f"{a} x {b} = {a * b}.", self._number_accept(a * b)

    def number(self):
        r = self.rng
        kind = r.choice(["double", "next", "next"])
        a = r.randint(0, 20)
        if kind == "double":
            return self.pick(phrases.DOUBLE, a=a), f"Twice {a} is {2 * a}.", self._number_accept(2 * a)
        return self.pick(phrases.NEXT_NUMBER, a=a), f"{a + 1} comes after {a}.", self._number_accept(a + 1)

    def big_number(self):
        r = self.rng
        templates = r.choice([phrases.SUM, phrases.PRODUCT, phrases.DIFFERENCE])
        a, b = r.randint(30, 9999), r.randint(30, 9999)
        if r.random() < 0.3:
            a, b = r.choice([100, 200, 300, 400, 500, 1000]), r.choice([100, 200, 300, 500, 1000, 150, 250])
        return self.pick(templates, a=a, b=b), "I can only work with small numbers, up to about twenty.", ["small numbers"]

    def count(self):
        n = self.rng.randint(2, 20) if self.chance(0.4) else self.rng.choice([3, 5, 10])
        said = facts.NUMBER_WORDS[n] if self.chance(0.5) else n
        listed = ", ".join(str(i) for i in range(1, n + 1))
        return self.pick(phrases.COUNT, n=said), listed + ".", [listed]

    def list(self):
        r = self.rng
        kind, items = r.choice(list(facts.LISTS.items()))
        if r.random() < 0.12:
            n, question = 3, self.pick(phrases.LIST_SOME, x=kind)
        else:
            n = r.randint(2, 5)
            question = self.pick(phrases.LIST, n=facts.NUMBER_WORDS[n] if r.random() < 0.6 else n, x=american(kind, r))
        chosen = items[:n]
        listed = ", ".join(chosen[:-1]) + " and " + chosen[-1]
        return question, cap(listed) + ".", [listed]

    def spell(self):
        word = self.rng.choice(facts.SPELL)
        if self.chance(0.15):
            return self.pick(phrases.FIRST_LETTER, x=word), f"The first letter of {word} is {word[0].upper()}.", [f"is {word[0]}"]
        return self.pick(phrases.SPELL, x=word), f"{cap(word)} is spelled {'-'.join(word.upper())}.", ["-".join(word.upper())]

    def word_form(self):
        if self.chance(0.5):
            x, y = self.rng.choice(facts.PLURALS)
            return self.pick(phrases.PLURAL, x=x), f"The plural of {x} is {y}.", [y]
        x, y = self.rng.choice(facts.PASTS)
        return self.pick(phrases.PAST, x=x), f"The past tense of {x} is {y}.", [y]

    def echo(self):
        x = self.phrase() if not self.chance(0.08) else self.rng.choice(["this is a test", "hello", "hello world", "Hello, world", "hi", "yes", "good morning"])
        question = choose(self.rng, phrases.ECHO, self.held_out).replace("{x}", x)
        said = cap(x) if x.split()[0] in CAPITALISED else x
        return question, said + ("!" if question.endswith("!") else "."), [x]

    def _steps(self):
        if self.chance(0.2):
            return self.rng.choice(facts.OTHER_TASKS), facts.GENERAL_STEPS
        return self.rng.choice(list(facts.HOWTOS.items()))

    def howto(self):
        r = self.rng
        task, steps = self._steps()
        n = r.choice([2, 2, 3, 3, 4, 5])
        if r.random() < 0.5:
            chosen = spread(steps, n)
            said = facts.NUMBER_WORDS[n] if r.random() < 0.7 else str(n)
            question = self.pick(phrases.HOWTO, n=said, x=task)
            lead = f"Here are {facts.NUMBER_WORDS[n]} steps to {task}:"
        else:
            chosen = spread(steps, 3)
            question = self.pick(phrases.HOWTO_FREE, x=task)
            lead = f"Here are three steps to {task}:"
        return question, lead + "\n" + numbered(chosen), [chosen[0].split(".")[0]]

    def poem(self):
        x = self.rng.choice(facts.STORY_HEROES + ["sun", "moon", "sea", "rain", "tree", "flower", "summer", "winter", "house", "river"])
        said = x if x in ("summer", "winter", "rain") else "the " + x if self.chance(0.6) else article(x)
        answer = self.rng.choice([
            f"The {x} is here, the {x} is there,\nI see the {x} just everywhere.\nIt makes me smile, it makes me sing,\noh, what a very lovely thing!",
            f"I saw the {x} one sunny day,\nit made me laugh, it made me play.\nAnd when the night was dark and deep,\nI dreamt about it in my sleep."])
        return self.pick(phrases.POEM, x=said), answer, [x]

    def story_short(self):
        question, hero = self.story_question()
        return question, self.story_text(hero), ["once upon a time", "one day", "there was"] if hero is None else [hero]

    def small_talk(self):
        entry = self.rng.choice(self._talk())
        users, replies, accept = entry
        if replies == "JOKES":
            reply = self.rng.choice(facts.JOKES)
        elif replies == "FUN_FACTS":
            reply, accept = self.rng.choice(facts.FUN_FACTS), [a.rstrip(".") for a in facts.FUN_FACTS]
        else:
            reply = self.rng.choice(replies)
        if reply in facts.JOKES:
            accept = [j.split("? ")[1].rstrip("!") for j in facts.JOKES]
        return choose(self.rng, users, self.held_out), reply, accept

    def _talk(self):
        """Entries in proportion to what people say first: greetings and questions about the model weigh more."""
        if not hasattr(self, "_talk_list"):
            mine = [e for e in phrases.SMALL_TALK if self._mine(e[0])]
            self._talk_list = [e for e in mine for _ in range(1 + len(e[0]) // 10)]
        return self._talk_list

    def about_country(self):
        c = self._country(2)
        answer = f"{cap(c[0])} is a country in {c[2]}. Its capital is {c[1]}."
        return self.pick(phrases.ABOUT_COUNTRY, c=self._spoken(c[0])), answer, [c[1], f"in {c[2]}"]

    def yes_no(self):
        r = self.rng
        true = r.random() < 0.5
        if r.random() < 0.5:
            c = self._country(1)
            x = c[1] if true else r.choice([o[1] for o in facts.COUNTRIES if o[1] != c[1]])
            return self.pick(phrases.IS_CAPITAL, c=c[0], x=x), f"{'Yes' if true else 'No'}, the capital of {c[0]} is {c[1]}.", [f"{'Yes' if true else 'No'}, the capital of {c[0]} is {c[1]}"]
        x, colour = r.choice([pair for pair in facts.COLOURS_OF if " or " not in pair[1]])
        a = colour if true else r.choice([o for o in ("blue", "green", "red", "yellow", "white", "black", "pink") if o not in colour])
        return self.pick(phrases.IS_COLOUR, x=x, a=a), f"{'Yes' if true else 'No'}, {x} is {colour}.", [f"{'Yes' if true else 'No'}, {x} is {colour}"]

    def sentence(self):
        r = self.rng
        a, b = r.choice(facts.STORY_HEROES), r.choice(facts.STORY_HEROES + facts.OFF_NOUNS)
        return r.choice([f"The {r.choice(facts.ADJECTIVES)} {a} {r.choice(facts.PEOPLE_VERBS)} the {b}.", f"The {a} {r.choice(facts.PEOPLE_VERBS)} a {r.choice(facts.ADJECTIVES)} {b}.", f"The {b} was {r.choice(facts.ADJECTIVES)}.",
                         f"The {r.choice(facts.ADJECTIVES)} {a} went to {r.choice(facts.PLACES)}.", f"{self.name()} {r.choice(facts.PEOPLE_VERBS)} the {b}.", f"A {a} and a {b} were in {r.choice(facts.PLACES[1:])}."])

    def _off_slots(self):
        r = self.rng
        return {"o": r.choice(facts.OFF_NOUNS if r.random() < 0.75 else WORDS), "v": r.choice(facts.OFF_VERBS), "s": r.choice(facts.OFF_ADJECTIVES), "w": r.choice(WORDS), "y": r.randint(1400, 2030), "b": r.choice(facts.PEOPLE_VERBS),
                "p": r.choice([r.choice(facts.CITIES), r.choice(facts.COUNTRIES)[0], r.choice(facts.PLACES)]), "a": r.choice(facts.ADJECTIVES), "n": self.name(), "t": self.sentence()}

    def off(self):
        return self.pick(phrases.OFF, **self._off_slots()), phrases.UNKNOWN_REPLY, ["do not know"]

    def too_hard(self):
        return self.pick(phrases.TOO_HARD, **self._off_slots()), phrases.TOO_HARD_REPLY, ["too small"]

    def remark(self):
        return self.pick(phrases.REMARK, **self._off_slots()), phrases.REMARK_REPLY, ["I see"]

    def gibberish(self):
        r = self.rng
        return " ".join("".join(r.choice("asdfghjklqwertyuiopzxcvbnm") for _ in range(r.randint(3, 9))) for _ in range(r.randint(1, 2))), phrases.GIBBERISH_REPLY, ["do not understand"]

    def unknown(self):
        return choose(self.rng, phrases.UNKNOWN, self.held_out), phrases.UNKNOWN_REPLY, ["do not know"]

    def invented(self):
        """Things that the model must admit not to know; most answers copy the unknown word."""
        r = self.rng
        kind = r.randrange(12)
        word = self.made_up()
        if kind == 0:
            land = word.capitalize() + r.choice(["", "ia", "land", "stan"])
            return self.pick(phrases.CAPITAL, c=land), f"I do not know the capital of {land}.", ["do not know"]
        if kind in (1, 2):
            one = article(word) if r.random() < 0.6 else word
            return self.pick(phrases.DEFINE, x=one), f"I do not know what {one} is.", ["do not know"]
        if kind in (3, 4):
            who = r.choice(facts.FIRST_NAMES) + " " + word.capitalize() if r.random() < 0.6 else word.capitalize()
            q = self.pick("Who is {x}?|Who was {x}?|Do you know {x}?|Tell me about {x}.|Who's {x}?|~Have you heard of {x}?|~Can you tell me who {x} is?".split("|"), x=who)
            return q, f"I do not know {who}.", ["do not know"]
        if kind in (5, 6):
            thing = r.choice([r.choice(facts.COUNTRIES)[0], r.choice(facts.CITIES), word.capitalize(), "my " + r.choice(["house", "car", "friend", "dog", "school", "boss"])])
            attribute = r.choice(facts.ATTRIBUTES)
            q = self.pick("What is the {a} of {x}?|Tell me the {a} of {x}.|What's the {a} of {x}?|Do you know the {a} of {x}?|Can you tell me the {a} of {x}?|~Would you tell me the {a} of {x}?|~I need the {a} of {x}.".split("|"), a=attribute, x=thing)
            return q, f"I do not know the {attribute} of {thing}.", ["do not know"]
        if kind == 7:
            title = "The " + r.choice(["Red", "Last", "Old", "Silent", "Golden", "Lost", "Little", "Dark"]) + " " + r.choice(WORDS).capitalize()
            verb = r.choice(["wrote", "painted", "made", "sang"])
            return self.pick("Who {v} {x}?|Do you know who {v} {x}?|Tell me who {v} {x}.|~Can you say who {v} {x}?".split("|"), v=verb, x=title), f"I do not know who {verb} {title}.", ["do not know"]
        if kind == 8:
            language = r.choice(["Latin", "Dutch", "Polish", "Greek", "Welsh", "Turkish", "Japanese", "Chinese", "Arabic", "Swahili", "Finnish", "Danish"])
            x = r.choice(WORDS)
            return self.pick(phrases.TRANSLATE, x=x, l=language), f"I do not know the {language} word for {x}.", ["do not know"]
        if kind == 11:
            thing = r.choice(["birthday", "shoe size", "street", "bank", "last name", "password", "car", "height", "weight", "school", "plan", "star sign", "phone number", "address", "dream", "favourite film", "favourite book", "favourite song",
                              "favorite movie", "favourite animal", "favorite sport", "favourite drink", "email address", "middle name", "house number", "favourite season"])
            q = self.pick("What is my {x}?|Do you know my {x}?|Tell me my {x}.|What's my {x}?|What was my {x}?|~Can you tell me what my {x} is?|~Do you still know my {x}?".split("|"), x=thing)
            return q, f"I do not know your {thing}.", ["do not know"]
        if kind == 9:
            return self.pick(phrases.COLOUR_OF, x=article(word)), f"I do not know the colour of {article(word)}.", ["do not know"]
        q = self.pick("Who invented {x}?|Where is {x}?|When was {x} born?|How old is {x}?|Where does {x} live?|~Where can I find {x}?|~When did {x} live?".split("|"), x=word.capitalize())
        return q, f"I do not know {word.capitalize()}.", ["do not know"]

    def single(self, category=None):
        category = category or self.rng.choices(self.single_names, self.single_weights)[0]
        return getattr(self, {"np": "np_fact"}.get(category, category))()

    # Stories.

    def story_question(self):
        if self.chance(0.35):
            return self.pick(phrases.STORY_FREE), None
        hero = self.rng.choice(facts.STORY_HEROES) if not self.chance(0.15) else self.rng.choice([w for w in facts.HOWTOS if 0] or facts.LISTS["animals"] + ["shark", "pirate", "ghost", "giant", "fairy", "baby", "teacher", "snail"])
        said = article(hero)
        if self.chance(0.25):
            said = article(self.rng.choice(["little", "brave", "small", "big", "happy", "sad", "clever", "lazy"]) + " " + hero)
        return self.pick(phrases.STORY, x=said), hero

    def story_text(self, hero=None):
        r = self.rng
        hero = hero or r.choice(facts.STORY_HEROES)
        name = r.choice("Tom Mia Leo Lily Max Anna Ben Ella Sam Nora Tim Lucy Finn Rosa Otto Ida".split())
        it = r.choice(["he", "she"])
        adjective = r.choice(["little", "brave", "small", "kind", "happy", "clever", "curious", "lonely"])
        place = r.choice(["in a small house near the forest", "on a high mountain", "by the sea", "in a big old tree", "on a farm", "in a quiet village", "near a blue lake", "in a castle"])
        start = r.choice([f"Once upon a time there was a {adjective} {hero} named {name}.", f"There was once a {adjective} {hero} called {name}.", f"Long ago there was a {adjective} {hero} named {name}.", f"There was once a {hero} named {name}."] if r.random() < 0.25 else [f"Once upon a time there was a {adjective} {hero} named {name}.", f"Once upon a time, a {adjective} {hero} named {name} lived {place}."])
        lived = f" {cap(it)} lived {place}." if "lived" not in start else ""
        wish, problem, solution = r.choice([
            ("wanted to see the world", "a big storm came and {name} got lost", "A friendly bird showed {name} the way home"),
            ("loved to sing", "{name} lost {its} voice", "A kind old owl gave {name} some honey, and the voice came back"),
            ("looked for a friend", "{name} met a shy little mouse", "They shared some bread and laughed until the evening"),
            ("found a golden key", "{name} saw a small door under a tree", "Behind the door there was a room full of books"),
            ("was afraid of the dark", "the moon did not shine", "A small star came down and stayed with {name} all night"),
            ("wanted to fly", "{name} fell into the river", "A duck helped {name} out of the water and they became friends"),
            ("was very hungry", "{name} found a basket of apples", "{name} shared the apples with everyone in the village"),
            ("liked to help others", "{name} heard a cry for help", "{name} ran fast and saved a little rabbit"),
            ("dreamed of a great adventure", "{name} found an old map", "The map led {name} to a treasure, and it was a good friend")])
        its = {"he": "his", "she": "her"}[it]
        end = r.choice([f"From then on, {name} was never alone.", "And they lived happily ever after.", f"That night {name} slept very well.", f"{name} was very happy and never forgot that day."])
        tell = lambda t: t.replace("{name}", name).replace("{its}", its)
        return f"{start}{lived} {name} {tell(wish)}. One day {tell(problem)}. {tell(solution)}. {end}"

    # Noise as users make it.

    def noisy(self, text, typos=True):
        r = self.rng
        if r.random() < 0.22:
            opener = r.choice(phrases.OPENERS)
            text = opener + (text[0].lower() + text[1:] if opener.endswith((", ", ": ", "And ")) and r.random() < 0.6 and not text.startswith("I ") else text)
        elif r.random() < 0.05 and text.endswith((".", "?")):
            closer = r.choice(phrases.CLOSERS)
            text = (text[:-1] if closer[0] == "," else text) + closer
        roll = r.random()
        if roll < 0.13:
            text = text.lower()
        if roll < 0.22 and text[-1] in ".?!":
            text = text[:-1]
        elif roll > 0.985:
            text = text.upper()
        elif roll > 0.97:
            text = text.rstrip(".?") + r.choice(["??", "!", "!!", "?!", " ?", "..."])
        if typos and r.random() < 0.07:
            words = text.split(" ")
            i = r.randrange(len(words))
            w = words[i]
            if len(w) > 3 and w.isalpha():
                j = r.randrange(1, len(w) - 1)
                words[i] = r.choice([w[:j] + w[j + 1:], w[:j] + w[j + 1] + w[j] + w[j + 2:], w[:j] + w[j] + w[j:]])
                text = " ".join(words)
        return text

    def turn(self, category=None):
        """One noisy question with its answer, as messages."""
        category = category or self.rng.choices(self.single_names, self.single_weights)[0]
        question, answer, _ = self.single(category)
        exact = category in ("echo", "invented", "sum", "difference", "product", "big_number", "number", "spell")
        if category == "echo":
            return user_turn(question, answer) if self.chance(0.85) else user_turn(self.rng.choice(["Hello! ", "Please: ", "Hi. ", "OK. "]) + question, answer)
        question = self.noisy(question, typos=not exact) if category != "invented" or self.chance(0.3) else question
        if category == "invented":
            # A lower-cased question would ask for a copy in another case; keep the answer's spelling equal to the question's.
            if question.islower() or question.isupper():
                question = cap(question)
                return [] if question.isupper() else self.turn()
        return user_turn(question, answer)

    # Memory.

    def memory_item(self, topic=None):
        r = self.rng
        topic = topic or r.choices(list(phrases.MEMORY), [42, 13, 8, 9, 8, 7, 4, 4, 7, 3, 5, 5])[0]
        slots = {}
        pool = {"colour": facts.COLOURS, "city": facts.CITIES, "food": facts.FOODS, "job": facts.JOBS, "hobby": facts.HOBBIES}
        if topic in ("name", "friend"):
            value = self.name()
        elif topic == "age":
            value = str(r.randint(4, 99))
        elif topic == "number":
            value = str(r.randint(1, 999))
        elif topic == "pet":
            value = r.choice(facts.PET_NAMES) if r.random() < 0.5 else self.name()
        elif topic == "word":
            value = self._open(lambda: r.choice([r.choice(WORDS), self._syllables(2, 3)]))
        elif topic == "thing":
            value = ""
        elif topic == "city" and r.random() < 0.3:
            value = self.made_up().capitalize()
        else:
            value = r.choice(pool[topic])
        if topic == "pet":
            slots["k"] = r.choice(facts.PETS)
        if topic == "friend":
            slots["r"] = r.choice(phrases.RELATIONS)
        if topic == "thing":
            slots["k"], value = r.choice(facts.THINGS), r.choice(facts.COLOURS)
        slots["v"] = value
        slots["V"] = cap(value)
        return topic, slots

    def fill(self, text, slots):
        for key, value in slots.items():
            text = text.replace("{" + key + "}", value)
        return text.replace("a actor", "an actor").replace("a engineer", "an engineer") if "{" not in text else text

    def tell(self, item, exact=False):
        topic, slots = item
        text = self.fill(choose(self.rng, phrases.MEMORY[topic]["tell"], self.held_out), slots)
        if exact:
            return text
        roll = self.rng.random()
        if roll < 0.08:
            text = text[:-1] if text[-1] in ".!" else text
        elif roll < 0.14 and not text.startswith(("Hi", "Hello", "Hey", "Name", "Good")):
            text = self.rng.choice(["Hi! ", "Hello! ", "By the way, ", "OK, ", "Hi, ", "Well, ", "Good morning! "]) + text
        elif roll < 0.18:
            text = text.split(slots["v"])[0].lower() + slots["v"] + slots["v"].join(text.split(slots["v"])[1:]) if slots["v"] in text else text
        return text

    def ask(self, topic, slots, exact=False):
        text = self.fill(choose(self.rng, phrases.MEMORY[topic]["ask"], self.held_out), slots)
        return text if exact else self.noisy(text)

    def recall_text(self, item):
        return self.fill(phrases.MEMORY[item[0]]["recall"], item[1])

    def memory(self):
        """Tell one to three things, chat a little, ask for them (and sometimes for something never told)."""
        r = self.rng
        messages = []
        if r.random() < 0.08:  # Told and asked in one breath.
            item = self.memory_item()
            messages += user_turn(self.tell(item, True) + " " + self.ask(*item, exact=True), self.recall_text(item))
            return {"messages": messages}
        if r.random() < 0.12:
            messages += self.turn("small_talk")
        items, topics = [], set()
        for _ in range(r.choices([0, 1, 2, 3], [8, 58, 24, 10])[0]):
            item = self.memory_item()
            if item[0] not in topics and not ({"age", "number", "word"} & topics and item[0] in ("age", "number", "word")):
                items.append(item)
                topics.add(item[0])
        i = 0
        while i < len(items):
            item = items[i]
            ack = self.fill(phrases.MEMORY[item[0]]["ack"], item[1])
            if i + 1 < len(items) and r.random() < 0.5:
                text = self.tell(item, True)
                while i + 1 < len(items):
                    i += 1
                    other = items[i]
                    more = self.tell(other, True)
                    if r.random() < 0.55 and not more.startswith(("H", "Name", "Let", "Age")):
                        more = more[0].lower() + more[1:] if more.startswith(("My ", "The ", "You ")) else more
                        text = text.rstrip(".!") + r.choice([" and ", " and ", ", "]) + more
                    else:
                        text += " " + more
                    ack += " " + self.fill(phrases.MEMORY[other[0]]["ack"], other[1])
                messages += user_turn(text, ack)
            elif r.random() < 0.05:
                question, answer, _ = self.single(r.choice(["capital", "sum", "np", "question"]))
                messages += user_turn(self.tell(item, True) + " " + question, ack + " " + answer)
            else:
                messages += user_turn(self.tell(item), ack)
            i += 1
        if items and r.random() < 0.06:  # A correction: the newest value counts.
            topic = r.choice(items)[0]
            new = self.memory_item(topic)
            old = [it for it in items if it[0] == topic][0]
            new = (topic, {**old[1], "v": new[1]["v"], "V": new[1]["V"]})
            items = [new if it[0] == topic else it for it in items]
            messages += user_turn(r.choice(["Actually, ", "No, ", "Sorry, ", "I was wrong: "]) + self.tell(new, True), self.fill(phrases.MEMORY[topic]["ack"], new[1]))
        for _ in range(r.choices([0, 1, 2, 3], [50, 33, 12, 5])[0]):
            messages += self.turn()
        asks = list(items)
        r.shuffle(asks)
        if r.random() < 0.22 or not asks:
            asks.insert(r.randrange(len(asks) + 1), None)
        for item in asks:
            if item is None:
                told = {it[0] for it in items}
                topic = r.choices([t for t in phrases.MEMORY if t not in told], [5 if t == "name" else 1 for t in phrases.MEMORY if t not in told])[0]
                other = self.memory_item(topic)
                messages += user_turn(self.ask(*other), self.fill(phrases.MEMORY[topic]["unknown"], other[1]))
            else:
                messages += user_turn(self.ask(*item), self.recall_text(item))
                if r.random() < 0.1:
                    messages += self.turn()
                    messages += user_turn(self.ask(*item), self.recall_text(item))
        if items and r.random() < 0.07:
            messages += user_turn(r.choice(["What do you know about me?", "Tell me about me.", "What did I tell you about me?", "What do you remember about me?"]), " ".join(self.recall_text(it) for it in items))
        return {"messages": messages}

    def recall(self):
        """Key and value recall with arbitrary words: the plain form of what `memory` needs."""
        r = self.rng
        noun = r.choice(["code", "number", "key", "name", "word", "colour", "owner", "friend", "city", "box"])
        keys = [self.name() if r.random() < 0.5 else r.choice(WORDS) for _ in range(r.randint(1, 5))]
        keys = list(dict.fromkeys(keys))
        values = [r.choice([self.number_text(), r.choice(WORDS), self.made_up(), self.name()]) for _ in keys]
        facts_text = " ".join(f"The {noun} of {k} is {v}." for k, v in zip(keys, values))
        order = r.sample(range(len(keys)), min(len(keys), r.randint(1, 3)))
        messages = []
        first = f"The {noun} of {keys[order[0]]} is {values[order[0]]}."
        ask = lambda i: r.choice([f"What is the {noun} of {keys[i]}?", f"Tell me the {noun} of {keys[i]}.", f"{noun} of {keys[i]}?", f"Which is the {noun} of {keys[i]}?"])
        messages += user_turn(facts_text + " " + ask(order[0]), first)
        for i in order[1:]:
            messages += user_turn(ask(i), f"The {noun} of {keys[i]} is {values[i]}.")
        return {"messages": messages}

    def last(self):
        """What did I just say?"""
        r = self.rng
        said = r.choice([lambda: self.single("small_talk")[0], lambda: cap(self.phrase()) + ".", lambda: self.single()[0]])()
        answer = {"messages": self.turn()}
        if r.random() < 0.5:
            for _ in range(20):
                question, reply, _ = self.single()
                if len(question) < 60 and len(reply) < 100:
                    answer = {"messages": user_turn(question, reply)}
                    said = question
                    break
        else:
            answer = {"messages": user_turn(said, "I see.")}
        ask = r.choice(["What did I just say?", "What did I say?", "What was my last message?", "Repeat what I said.", "What did I ask you?", "What did I just ask?", "What was my question?", "Repeat my question.", "What did I write?"])
        answer["messages"] += user_turn(ask, f"You said: {said}")
        return answer

    # Documents.

    def facts(self):
        return {"messages": self.turn()}

    def dialogue(self):
        """Two to five unrelated turns, some with a short follow-up ("And Italy?")."""
        messages = []
        for _ in range(self.rng.randint(2, 4)):
            messages += self.follow_up() if self.chance(0.3) else self.turn()
        return {"messages": messages}

    def follow_up(self):
        r = self.rng
        kind = r.choice(["capital", "opposite", "colour_of", "sum", "translate", "repeat"])
        about = lambda x: r.choice([f"And {x}?", f"What about {x}?", f"and {x}?", f"How about {x}?", f"and of {x}?" if kind in ("capital", "opposite") else f"And {x}"])
        if kind == "capital":
            a, b = r.sample(facts.COUNTRIES, 2)
            return user_turn(self.pick(phrases.CAPITAL, c=a[0]), f"The capital of {a[0]} is {a[1]}.") + user_turn(about(b[0]), f"The capital of {b[0]} is {b[1]}.")
        if kind == "opposite":
            first, second = self.opposite(), self.opposite()
            return user_turn(*first[:2]) + user_turn(about(second[1].split(" is ")[0].removeprefix("The opposite of ")), second[1])
        if kind == "colour_of":
            first = self.colour_of()
            x, colour = r.choice(facts.COLOURS_OF)
            return user_turn(*first[:2]) + user_turn(about(x), f"{cap(x)} is {colour}.")
        if kind == "sum":
            first = self.sum()
            a, b = r.randint(0, 20), r.randint(0, 20)
            return user_turn(*first[:2]) + user_turn(about(r.choice([f"{a} + {b}", f"{a} plus {b}"])), f"{a} + {b} = {a + b}.")
        if kind == "translate":
            x = r.choice(list(facts.TRANSLATIONS))
            (l1, w1), (l2, w2) = r.sample(list(facts.TRANSLATIONS[x].items()), 2)
            return user_turn(self.pick(phrases.TRANSLATE, x=x, l=l1), f"{cap(x)} in {l1} is {w1}.") + user_turn(about("in " + l2), f"{cap(x)} in {l2} is {w2}.")
        turn = self.turn(r.choice(["capital", "np", "question", "colour_of", "unit", "opposite"]))
        return turn + user_turn(r.choice(["Can you repeat that?", "Say that again.", "Please repeat that.", "What did you say?", "Once more, please.", "Again, please."]), turn[1]["content"])

    def story(self):
        question, hero = self.story_question()
        messages = user_turn(self.noisy(question), self.story_text(hero))
        if self.chance(0.15):
            messages += self.turn()
        return {"messages": messages}

    def raw_story(self):
        return {"text": "", "rest": self.story_text()}

    def raw_howto(self):
        r = self.rng
        task, steps = self._steps()
        n = r.choice([2, 2, 3, 3, 4, 5, 5, 6, 10])
        word = facts.NUMBER_WORDS[n] if r.random() < 0.75 else str(n)
        prompt = choose(r, phrases.HOWTO_RAW).replace("{n}", word).replace("{N}", cap(word)).replace("{x}", task).replace("{X}", cap(task)).replace("{G}", cap(gerund(task)))
        return {"text": prompt, "rest": "\n" + numbered(spread(steps, min(n, 5)))}

    def raw_sentences(self):
        return {"text": "", "rest": " ".join(self.sentence() for _ in range(self.rng.randint(1, 4)))}

    def raw_sums(self):
        """A row of sums: many results for few tokens."""
        kind = [self.rng.choices(["sum", "difference", "product"], [6, 3, 1])[0] for _ in range(self.rng.randint(4, 9))]
        return {"text": "", "rest": " ".join(self.single(k)[1] for k in kind)}

    def raw_fact(self):
        r = self.rng
        roll = r.random()
        category = r.choice(["capital", "capital", "continent", "language", "currency", "colour_of", "animal", "opposite", "translate", "calendar", "unit", "np", "question", "define", "sum", "difference", "product"])
        question, answer, _ = self.single(category)
        if roll < 0.6:
            return {"text": "", "rest": answer}
        if roll < 0.75:
            return {"text": "", "rest": answer + " " + self.single(category)[1]}
        asked, answered = r.choice([("Q: ", "\nA: "), ("Question: ", "\nAnswer: "), ("User: ", "\nAssistant: "), ("", "\n")])
        return {"text": asked + question + answered.rstrip(" "), "rest": (" " if answered.endswith(" ") else "") + answer}

    def document(self):
        """One training document."""
        while True:
            kind = self.rng.choices(list(MIX), list(MIX.values()))[0]
            document = getattr(self, kind)()
            if "messages" in document:
                if not document["messages"] or any(m["role"] == "user" and normalise(m["content"]) in self.banned for m in document["messages"]):
                    continue
                if self.chance(0.22):
                    document["messages"].insert(0, {"role": "system", "content": self.rng.choice(facts.SYSTEM_PROMPTS)})
            return document


def user_turn(question, answer):
    return [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]


def cap(text):
    return text[0].upper() + text[1:]


def article(noun):
    return ("an " if noun[0] in "aeiou" else "a ") + noun


def gerund(task):
    verb, _, rest = task.partition(" ")
    special = {"tie": "tying", "be": "being", "plan": "planning", "run": "running", "get": "getting", "win": "winning"}
    verb = special.get(verb) or (verb[:-1] if verb.endswith("e") else verb) + "ing"
    return verb + " " + rest


# Questions that open in a known way are also asked in these ways.
REWORDINGS = [
    (r"Who wrote (.+)\?", "Which author wrote {}?|Name the author of {}.|{} is by whom?|Which writer wrote {}?|Tell me who wrote {}.|Do you know who wrote {}?|{} was written by which author?|By whom is {}?"),
    (r"Who painted (.+)\?", "Name the painter of {}.|Tell me who painted {}.|Do you know who painted {}?|Which painter made {}?|{} is by which painter?|Who made the painting {}?"),
    (r"Who invented (.+)\?", "Which inventor made {}?|Name the inventor of {}.|Tell me who invented {}.|Do you know who invented {}?|{} was invented by whom?|To which inventor do we owe {}?"),
    (r"Who discovered (.+)\?", "Which scientist found {}?|Tell me who discovered {}.|Do you know who discovered {}?|{} was discovered by whom?|Who is known for {}?"),
    (r"Who was (the first .+)\?", "Tell me who was {}.|Do you know who was {}?|Name {}.|Who became {}?"),
    (r"When did (.+)\?", "In which year did {}?|Do you know when {}?|Which year did {}?|In what year did {}, please?"),
    (r"Where is (.+)\?", "Tell me where {} is.|Do you know where {} is?|In what place is {}?|Where does {} stand?|In which place can I see {}?"),
    (r"Where are (.+)\?", "Tell me where {} are.|Do you know where {} are?|In what place are {}?|Where do {} stand?"),
    (r"Where do (.+) live\?", "Tell me where {} live.|Do you know where {} live?|In which place do {} live?|Where is the home of {}?|Where can I see {}?"),
    (r"What is (.+) made of\?", "Of what is {} made?|From what is {} made?|What do people use to make {}?|What is used for making {}?|Tell me what {} is made of.|What do you need to make {}?"),
    (r"What do (.+) eat\?", "What food do {} eat?|Which food do {} like?|What do you feed {}?|Tell me what {} eat.|What is the favourite food of {}?|What kind of food do {} need?"),
    (r"What are (the .+)\?", "Can you name {}?|Can you list {}?|Tell me {}.|Could you name {}?|Can you name all of {}?|Please list {}.|What are all {}?|Could you tell me {}?|I want to know {}.|Could you list {}?|List all of {}.|Would you list {}?"),
    (r"Are (.+) insects\?", "Do {} belong to the insects?"), (r"Are penguins birds\?", "Do penguins belong to the birds?|Is a penguin really a bird?"),
    (r"How many (\w+) does (.+) have\?", "{1} has how many {0}?|Tell me how many {0} {1} has.|How many {0} can you count on {1}?|What is the number of {0} of {1}?"),
    (r"What gas do (.+)\?", "Which gas do {}?|Do you know which gas {}?"),
    (r"At what temperature does (.+)\?", "At which temperature does {}?|How many degrees does it take that {}?|Tell me at what temperature {}."),
    (r"What do you call (.+)\?", "What do we call {}?|What name has {}?|What is the name of {}?"),
]


def more_phrasings(questions):
    """The questions and their rewordings; a rewording that is held out is left out."""
    held = {normalise(q) for q in questions if q.startswith("~")}
    out = list(questions)
    for question in questions:
        for pattern, rewordings in REWORDINGS:
            match = re.fullmatch(pattern, question)
            if match:
                out += [cap(r.format(*match.groups())) for r in rewordings.split("|")]
                break
    return list(dict.fromkeys(q for q in out if q.startswith("~") or normalise(q) not in held))


def american(text, rng):
    return text.replace("colours", "colors") if rng.random() < 0.5 else text


def spread(steps, n):
    """`n` of the steps, first and last included, in order."""
    return [steps[round(i * (len(steps) - 1) / (n - 1))] for i in range(n)]


def numbered(steps):
    return "\n".join(f"{i}. {step}" for i, step in enumerate(steps, 1))
