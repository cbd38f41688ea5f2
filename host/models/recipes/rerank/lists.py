"""Lists to rank: a query, one text that answers it or says the same, and texts that nearly do.

All queries and texts come from the embed recipe beside this one and from `statements.py`. `Lists(seed, ...)` gives training
lists; the evaluation is in `evaluate.py`, from held-out wordings, scenes and subjects.
"""

import pathlib
import random
import sys
from dataclasses import dataclass

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "embed"))

import meanings  # noqa: E402

from statements import Statements  # noqa: E402

# Shares of the training lists; the rest are facts.
SCENES, REQUESTS, STATEMENTS = 0.14, 0.16, 0.28
# Share of the facts, requests and statements whose texts are passages of several sentences.
PASSAGES = 0.18
# Nearest meanings kept as hard negatives.
NEIGHBOURS = 40


@dataclass
class RankList:
    category: str
    query: str
    relevant: str
    irrelevant: list


class Rivals:
    """Which meanings may stand against each other, and which of them are near by the vectors of mimus-embed."""

    def __init__(self, all_meanings, embed, asks=3, tells=2):
        """A meaning's vector is the mean of those of its first `asks` and `tells`."""
        self.all = all_meanings
        self.claims = [claims(meaning) for meaning in all_meanings]
        texts, owners = [], []
        for index, meaning in enumerate(all_meanings):
            for text in meaning.asks[:asks] + meaning.tells[:tells]:
                texts.append(text)
                owners.append(index)
        vectors = embed(texts)
        sums = vectors.new_zeros(len(all_meanings), vectors.shape[1]).index_add_(0, vectors.new_tensor(owners).long(), vectors)
        sums = sums / sums.norm(dim=1, keepdim=True)
        order = (sums @ sums.T).topk(min(NEIGHBOURS + 12, len(all_meanings)), dim=1).indices.tolist()
        self.near = [[o for o in row if not self.clash(index, o)][:NEIGHBOURS] for index, row in enumerate(order)]

    def clash(self, one, other):
        """Whether a text of one might answer a question of the other."""
        return one == other or not self.claims[one].isdisjoint(self.claims[other])

    def draw(self, rng, index):
        """A meaning that does not clash: mostly one of the nearest."""
        kind = rng.random()
        if kind < 0.85:
            return rng.choice(self.near[index][:10 if kind < 0.5 else NEIGHBOURS])
        while self.clash(index, other := rng.randrange(len(self.all))):
            pass
        return other


def claims(meaning):
    """What a meaning is about; meanings that share a claim are never each other's negatives."""
    out = {meaning.group} | {meanings.normalise(text) for text in meaning.asks + meaning.held + meaning.tells}
    head, _, rest = meaning.key.partition(" ")
    if head == "about" or meaning.key.startswith("continent of "):
        # Telling about a country names its continent.
        out.add("land " + rest.removeprefix("of "))
    return out


def same_scene(one, other):
    """Whether one may be the other; a scene without a place is silent about it."""
    return one[:3] == other[:3] and (one[3] == other[3] or None in (one[3], other[3]))


class Filler:
    """Sentences for passages, each with what it is about: `("fact", number)`, `("statement", Statement)` or None."""

    def __init__(self, rng, rivals, statements):
        self.rng = rng
        self.rivals = rivals
        self.statements = statements
        self.topics = [t for m in meanings.topic_meanings() for t in m.texts()]
        self.told = [i for i, m in enumerate(rivals.all) if m.tells]

    def beside_fact(self, index):
        """A sentence that does not answer questions for the meaning; often a near miss."""
        r = self.rng
        kind = r.random()
        if kind >= 0.92:
            return r.choice(self.topics), None
        if kind >= 0.8:
            return self._tell(self.statements.draw())
        near = [o for o in self.rivals.near[index] if self.rivals.all[o].tells]
        other = r.choice(near[:15] if near and kind < 0.5 else self.told)
        return self.beside_fact(index) if self.rivals.clash(index, other) else self._fact(other)

    def beside_statement(self, asked, by_subject):
        """A sentence that does not answer the question; mostly a near miss."""
        r = self.rng
        kind = r.random()
        if kind < 0.85:
            return self._tell(self.statements.near(asked, by_subject))
        return (r.choice(self.topics), None) if kind < 0.92 else self._fact(r.choice(self.told))

    def passage(self, sentence, answer=None):
        """Two to six sentences drawn by `sentence`, one of them the answer if there is one; and what they are about."""
        r = self.rng
        parts = [sentence() for _ in range(r.choice((2, 2, 3, 3, 3, 4, 4, 5, 6)) - (answer is not None))]
        if answer:
            parts.insert(r.randrange(len(parts) + 1), answer)
        return " ".join(text if text[-1] in ".?!" else text + "." for text, _ in parts), [about for _, about in parts]

    def _fact(self, index):
        return self.rng.choice(self.rivals.all[index].tells), ("fact", index)

    def _tell(self, statement):
        return self.statements.tell(statement), ("statement", statement)


class Lists:
    """A seeded source of training lists with `negatives` irrelevant texts each. Texts in `banned` are never queries."""

    def __init__(self, seed, negatives, embed, banned=frozenset()):
        self.pairs = meanings.Pairs(seed, banned)
        self.rng = self.pairs.rng
        self.negatives = negatives
        self.all = [m for m in self.pairs.facts + self.pairs.requests if m.asks]
        self.rivals = Rivals(self.all, embed, asks=1, tells=1)
        self.statements = Statements(self.rng)
        self.filler = Filler(self.rng, self.rivals, self.statements)
        self.requests = [i for i, m in enumerate(self.all) if m.key.startswith("request ")]
        self.facts = [i for i, m in enumerate(self.all) if not m.key.startswith("request ")]
        self.weights = [meanings.weight(self.all[i].key) for i in self.facts]

    def draw(self):
        r = self.rng
        kind = r.random()
        if kind < SCENES:
            drawn = self.scene()
        elif kind < SCENES + STATEMENTS:
            drawn = self.statement()
        elif kind < SCENES + STATEMENTS + REQUESTS:
            drawn = self.meaning(r.choice(self.requests))
        else:
            drawn = self.meaning(r.choices(self.facts, self.weights)[0])
        drawn.query = self.pairs.noisy(drawn.query)
        return drawn

    def scene(self):
        scenes = self.pairs.scenes
        scene = scenes.draw(False)
        wrong = []
        while len(wrong) < self.negatives:
            other = scenes.neighbour(scene) if len(wrong) < self.negatives - 1 else scenes.draw(False)
            if not same_scene(scene, other):
                wrong.append(scenes.say(other))
        return RankList("scene", scenes.say(scene), scenes.say(scene), wrong)

    def statement(self):
        r, source = self.rng, self.statements
        asked = source.draw()
        query, by_subject = source.ask(asked)
        if r.random() < PASSAGES:
            return self.passage(query, lambda: self.filler.beside_statement(asked, by_subject), source.tell(asked))
        wrong = [self.filler.beside_statement(asked, by_subject)[0] for _ in range(self.negatives)]
        return RankList("statement", query, source.tell(asked), wrong)

    def passage(self, query, sentence, answer):
        right, _ = self.filler.passage(sentence, (answer, None))
        return RankList("passage", query, right, [self.filler.passage(sentence)[0] for _ in range(self.negatives)])

    def meaning(self, index):
        r = self.rng
        meaning = self.all[index]
        query = r.choice(meaning.asks)
        if meaning.tells and r.random() < PASSAGES:
            return self.passage(query, lambda: self.filler.beside_fact(index), r.choice(meaning.tells))
        others = [ask for ask in meaning.asks if ask != query]
        telling = bool(meaning.tells) and (not others or r.random() < 0.65)
        relevant = r.choice(meaning.tells if telling else others)
        wrong = []
        while len(wrong) < self.negatives:
            other = self.all[self.rivals.draw(r, index)]
            pool = other.tells if other.tells and (telling or not other.asks) == (r.random() < 0.85) else other.asks or other.tells
            wrong.append(r.choice(pool))
        return RankList("question" if telling else "paraphrase", query, relevant, wrong)
