"""Writes the evaluation file and measures an exported folder.

Usage:
    python evaluate.py --build --model FOLDER     write FOLDER/eval/pairs.jsonl (seeded; held-out wordings and scenes only)
    python evaluate.py --model FOLDER             print the scores and write FOLDER/eval/scores.json
    python evaluate.py --model FOLDER --compare "text" "text" ...    similarities to the first text

A line of `pairs.jsonl` is {"category", "query", "candidate"}. Every query is compared with the candidates of all lines.
recall@1 is the share whose own candidate is the nearest; MRR the mean of one over its rank.
"""

import argparse
import json
import pathlib

import meanings

SEED = 20260201
STREAM_CHECKED = 400  # Training batches looked at when checking that no query occurs in them.


def build(folder):
    folder.mkdir(parents=True, exist_ok=True)
    rows = meanings.evaluation(SEED)
    lines = [json.dumps({"category": c, "query": q, "candidate": t}, ensure_ascii=False) for c, q, t in rows]
    (folder / "pairs.jsonl").write_text("\n".join(lines) + "\n")
    queries = frozenset(meanings.normalise(q) for _, q, _ in rows)
    pairs = meanings.Pairs(5, queries)
    seen = {meanings.normalise(t) for _ in range(STREAM_CHECKED) for pair in pairs.batch(256) for t in pair}
    assert not seen & queries, seen & queries
    print(f"{len(rows)} pairs; no query occurs in {STREAM_CHECKED} training batches")


def embed(folder, texts):
    """Vectors of `texts` by sentence-transformers, in 32 bits."""
    import torch
    from sentence_transformers import SentenceTransformer

    torch.set_num_threads(1)
    model = SentenceTransformer(str(folder), device="cpu").float()
    return torch.tensor(model.encode(texts, show_progress_bar=False))


def measure(folder):
    rows = [json.loads(line) for line in (folder / "eval" / "pairs.jsonl").read_text().splitlines()]
    both = embed(folder, [r["query"] for r in rows] + [r["candidate"] for r in rows])
    scores = both[:len(rows)] @ both[len(rows):].T
    own = scores.diagonal()[:, None]
    ranks = (scores > own).sum(1) + 1
    result = {"pairs": summary(ranks)}
    for category in sorted({r["category"] for r in rows}):
        result["pairs"].setdefault("categories", {})[category] = summary(ranks[[i for i, r in enumerate(rows) if r["category"] == category]])
    (folder / "eval" / "scores.json").write_text(json.dumps(result, indent=2) + "\n")
    print(json.dumps(result, indent=2))
    for i in [i for i in range(len(rows)) if ranks[i] > 1]:
        best = rows[int(scores[i].argmax())]["candidate"]
        print(f"rank {int(ranks[i])}: {rows[i]['query']} -> {best!r}, wanted {rows[i]['candidate']!r}")


def summary(ranks):
    right = int((ranks == 1).sum())
    return {"right": right, "of": len(ranks), "recall_at_1_percent": round(100 * right / len(ranks), 1), "mrr": round(float((1 / ranks).mean()), 4)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--compare", nargs="+")
    args = parser.parse_args()
    if args.build:
        build(args.model / "eval")
    elif args.compare:
        vectors = embed(args.model, args.compare)
        for text, score in zip(args.compare[1:], vectors[1:] @ vectors[0]):
            print(f"{float(score):.3f}  {text}")
    else:
        measure(args.model)


if __name__ == "__main__":
    main()
