"""Writes the evaluation files and measures an exported folder with sentence-transformers' CrossEncoder.

Usage:
    python evaluate.py --build --model FOLDER --embed FOLDER    write FOLDER/eval/{documents,queries}.jsonl (seeded; held-out wordings, scenes and subjects only)
    python evaluate.py --model FOLDER                           print the scores and write FOLDER/eval/scores.json
    python evaluate.py --model FOLDER --rank "query" "text" "text" ...

A line of `documents.jsonl` is a text. A line of `queries.jsonl` is {"category", "query", "relevant", "found", "candidates", "bm25"}; documents are numbers, from 0.
`candidates` are 20: the relevant text, up to four near misses made for the query, and the nearest others by mimus-embed, all in the order of mimus-embed; `bm25` is the
same in BM25's order. `found` says whether the relevant text is among mimus-embed's own 20 nearest of all documents. A text that might answer without being meant to is no candidate.
"""

import argparse
import json
import math
import pathlib
import random

import lists
import meanings
from baselines import Bm25, embedder
from statements import Statements, answers as says

SEED = 20260301
CANDIDATES = 20
# Queries of each kind; `request` takes all that there are.
COUNTS = {"question": 80, "paraphrase": 50, "scene": 60, "statement": 60, "passage": 100}
# Near misses among the documents, for each query.
MISSES = 4
# Lines at the beginning of the file that have scores of their own, for quicker tests.
HEAD = 100
STREAM_CHECKED = 6000  # Training lists looked at when checking that no query occurs in them.


class Builder:
    """Collects queries and documents, and what each is about."""

    def __init__(self, embed):
        self.rng = random.Random(SEED)
        self.all = meanings.fact_meanings() + meanings.request_meanings()
        self.rivals = lists.Rivals(self.all, embed)
        self.scenes = meanings.Scenes(self.rng)
        self.statements = Statements(self.rng, held=True)
        self.filler = lists.Filler(self.rng, self.rivals, self.statements)
        # Text to the number of a document; by number, what the document is about.
        self.documents, self.about = {}, []
        self.rows, self.used = [], set()

    def document(self, text, about):
        if text not in self.documents:
            self.documents[text] = len(self.documents)
            self.about.append([])
        self.about[self.documents[text]] += about
        return self.documents[text]

    def put(self, category, query, answers, relevant, misses):
        """Adds a query; `answers` tells of a thing whether it answers the query, `relevant` and `misses` are texts with what they are about."""
        self.rows.append((category, query, answers, self.document(*relevant), [self.document(*miss) for miss in misses]))
        return True

    def fact(self, category, index):
        meaning, r = self.all[index], self.rng
        asking = category == "paraphrase" or category == "request" and r.random() < 0.5
        pool = meaning.asks if asking else meaning.tells
        if not meaning.held or not pool or self.rivals.claims[index] & self.used:
            return False
        self.used |= self.rivals.claims[index]
        answers = lambda about: about[0] == "fact" and self.rivals.clash(index, about[1])
        own = (r.choice(pool), ("fact", index))
        if category == "passage":
            sentence = lambda: self.filler.beside_fact(index)
            return self.put(category, r.choice(meaning.held), answers, self.filler.passage(sentence, own), [self.filler.passage(sentence) for _ in range(MISSES)])
        misses = []
        for other in (self.rivals.draw(r, index) for _ in range(MISSES)):
            near = self.all[other]
            misses.append((r.choice(near.asks if asking and near.asks else near.tells or near.asks), [("fact", other)]))
        return self.put(category, r.choice(meaning.held), answers, (own[0], [own[1]]), misses)

    def scene(self):
        scene = self.scenes.draw(True)
        near = [self.scenes.neighbour(scene) for _ in range(MISSES)]
        answers = lambda about: about[0] == "scene" and lists.same_scene(about[1], scene)
        told = [(self.scenes.say(s), [("scene", s)]) for s in [scene] + near]
        return self.put("scene", self.scenes.say(scene, held_frame=True), answers, told[0], told[1:])

    def statement(self, category):
        asked = self.statements.draw()
        if asked.subject in self.used:
            return False
        self.used.add(asked.subject)
        query, by_subject = self.statements.ask(asked)
        # A scene tells what is at a place, too.
        answers = lambda about: about[0] == "statement" and says(about[1], asked, by_subject) or about[0] == "scene" and asked.relation.name == "place"
        sentence = lambda: self.filler.beside_statement(asked, by_subject)
        own = (self.statements.tell(asked), ("statement", asked))
        if category == "passage":
            return self.put(category, query, answers, self.filler.passage(sentence, own), [self.filler.passage(sentence) for _ in range(MISSES)])
        misses = [self.statements.near(asked, by_subject) for _ in range(MISSES)]
        return self.put(category, query, answers, (own[0], [own[1]]), [(self.statements.tell(s), [("statement", s)]) for s in misses])

    def fill(self):
        order = list(range(len(self.all)))
        self.rng.shuffle(order)
        for index in [i for i in order if self.all[i].key.startswith("request ")]:
            self.fact("request", index)
        facts = [i for i in order if not self.all[i].key.startswith("request ")]
        for category, count in (("question", COUNTS["question"]), ("paraphrase", COUNTS["paraphrase"]), ("passage", COUNTS["passage"] // 2)):
            made = 0
            while made < count:
                index = facts.pop()
                made += meanings.weight(self.all[index].key) * 0.5 > self.rng.random() and self.fact(category, index)
        for _ in range(COUNTS["scene"]):
            self.scene()
        for category, count in (("statement", COUNTS["statement"]), ("passage", COUNTS["passage"] // 2)):
            made = 0
            while made < count:
                made += self.statement(category)

    def lines(self, embed):
        """The lines of `queries.jsonl`."""
        texts = list(self.documents)
        bm25 = Bm25(texts)
        scores = embed([query for _, query, *_ in self.rows]) @ embed(texts).T
        out = []
        for (category, query, answers, relevant, misses), row in zip(self.rows, scores):
            allowed = [i for i in row.argsort(descending=True).tolist() if i == relevant or not any(about and answers(about) for about in self.about[i])]
            own = {relevant, *misses} & set(allowed)
            chosen = own | set([i for i in allowed if i not in own][:CANDIDATES - len(own)])
            candidates = [i for i in allowed if i in chosen]
            # BM25 often gives the same score; the numbers of the documents would tell which is meant.
            by_words = sorted(self.rng.sample(candidates, CANDIDATES), key=lambda i: -bm25.score(query, i))
            out.append({"category": category, "query": query, "relevant": relevant, "found": relevant in allowed[:CANDIDATES], "candidates": candidates, "bm25": by_words})
        self.rng.shuffle(out)
        return out


def build(folder, embed):
    folder.mkdir(parents=True, exist_ok=True)
    builder = Builder(embed)
    builder.fill()
    rows = builder.lines(embed)
    (folder / "documents.jsonl").write_text("".join(json.dumps(text, ensure_ascii=False) + "\n" for text in builder.documents))
    (folder / "queries.jsonl").write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    queries = {meanings.normalise(row["query"]) for row in rows}
    source = lists.Lists(5, 5, embed, frozenset(queries))
    seen = {meanings.normalise(drawn.query) for drawn in (source.draw() for _ in range(STREAM_CHECKED))}
    assert not seen & queries, seen & queries
    print(f"{len(rows)} queries, {len(builder.documents)} documents; no query is one of {STREAM_CHECKED} training queries")


def load(folder):
    """Queries and documents."""
    return [[json.loads(line) for line in (folder / name).read_text().splitlines()] for name in ("queries.jsonl", "documents.jsonl")]


def measures(rows, orders):
    """recall@1, MRR@10 and nDCG@10 of orders of the candidates; each query has one relevant document."""
    ranks = [order.index(row["relevant"]) + 1 for row, order in zip(rows, orders)]
    ten = [rank for rank in ranks if rank <= 10]
    return {
        "right": ranks.count(1), "of": len(rows), "recall_at_1_percent": round(100 * ranks.count(1) / len(rows), 1),
        "mrr_at_10": round(sum(1 / rank for rank in ten) / len(rows), 4), "ndcg_at_10": round(sum(1 / math.log2(1 + rank) for rank in ten) / len(rows), 4),
    }


def compared(rows, orders):
    """The reranker's measures beside those of the other two; and of mimus-embed's own 20 nearest: how many hold the relevant text, and how many have it first when reranked."""
    both = sum(row["found"] and order[0] == row["relevant"] for row, order in zip(rows, orders))
    return {
        "rerank": measures(rows, orders), "embed": measures(rows, [row["candidates"] for row in rows]), "bm25": measures(rows, [row["bm25"] for row in rows]),
        "found_by_embed_percent": round(100 * sum(row["found"] for row in rows) / len(rows), 1), "embed_then_rerank_recall_at_1_percent": round(100 * both / len(rows), 1),
    }


def calibration(rows, scores):
    """Shares of relevant candidates above a half and of the others below it."""
    right = [s > 0.5 for row, values in zip(rows, scores) for i, s in zip(row["candidates"], values) if i == row["relevant"]]
    wrong = [s < 0.5 for row, values in zip(rows, scores) for i, s in zip(row["candidates"], values) if i != row["relevant"]]
    share = lambda values: round(100 * sum(values) / len(values), 1)
    return {"relevant_above_half_percent": share(right), "irrelevant_below_half_percent": share(wrong), "relevant": len(right), "irrelevant": len(wrong)}


def cross_encoder(folder):
    import torch
    from sentence_transformers import CrossEncoder

    torch.set_num_threads(1)
    return CrossEncoder(str(folder), device="cpu", model_kwargs={"dtype": "float32"})


def measure(folder):
    rows, documents = load(folder / "eval")
    model = cross_encoder(folder)
    flat = model.predict([(row["query"], documents[i]) for row in rows for i in row["candidates"]], batch_size=64, show_progress_bar=False).tolist()
    scores = [flat[begin:begin + CANDIDATES] for begin in range(0, len(flat), CANDIDATES)]
    orders = [[i for _, i in sorted(zip(values, row["candidates"]), key=lambda pair: -pair[0])] for row, values in zip(rows, scores)]
    categories = sorted({row["category"] for row in rows})
    chosen = {name: [n for n, row in enumerate(rows) if row["category"] == name] for name in categories}
    pick = lambda numbers: compared([rows[n] for n in numbers], [orders[n] for n in numbers])
    result = {**pick(range(len(rows))), "calibration": calibration(rows, scores), "head": {"lines": HEAD, **pick(range(HEAD))}, "categories": {name: pick(numbers) for name, numbers in chosen.items()}}
    (folder / "eval" / "scores.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    for row, order in zip(rows, orders):
        if order[0] != row["relevant"]:
            print(f"{row['category']}, rank {order.index(row['relevant']) + 1}: {row['query']} -> {documents[order[0]]!r}, wanted {documents[row['relevant']]!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--embed", type=pathlib.Path, help="folder of mimus-embed, for --build")
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--rank", nargs="+")
    args = parser.parse_args()
    if args.build:
        build(args.model / "eval", embedder(args.embed))
    elif args.rank:
        query, *texts = args.rank
        for score, text in sorted(zip(cross_encoder(args.model).predict([(query, text) for text in texts]).tolist(), texts), reverse=True):
            print(f"{score:.3f}  {text}")
    else:
        measure(args.model)


if __name__ == "__main__":
    main()
