"""Texts per second of Mimus and of sentence-transformers on the same model and texts, by turns.

Usage: python compare_speed.py --mimus PATH/TO/mimus --model FOLDER [--threads 2] [--rounds 5]

The model is one that makes vectors, or a reranker: then the texts are documents, scored for one query. Prints both rates
and the median of the rounds' ratios, for one text a request and for 64.
"""

import argparse
import json
import os
import pathlib
import random
import statistics
import subprocess
import tempfile
import time

parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("--mimus", type=pathlib.Path, required=True)
parser.add_argument("--model", type=pathlib.Path, required=True)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--rounds", type=int, default=5)
args = parser.parse_args()
os.environ["OMP_NUM_THREADS"] = str(args.threads)

import torch  # noqa: E402  (reads the variable above)
from sentence_transformers import CrossEncoder, SentenceTransformer  # noqa: E402

WORDS = "the server answers many clients with one voice and every bird that listens knows which song is meant for it".split()


def texts():
    """128 texts of 4 to 60 words, most of them short."""
    rng = random.Random(1)
    return [" ".join(rng.choice(WORDS) for _ in range(min(60, 4 + int(rng.expovariate(1 / 14))))) for _ in range(128)]


QUERY = "which bird sings in every voice?"


class Embedding:
    """What makes vectors."""

    command, inputs, rate = "embed", "--texts", "texts_per_s"

    def __init__(self, folder):
        self.model = SentenceTransformer(folder, device="cpu").float().eval()

    def run(self, lines):
        self.model.encode(lines, batch_size=len(lines), show_progress_bar=False)


class Reranker:
    """What scores documents."""

    command, inputs, rate = "rerank", "--documents", "documents_per_s"

    def __init__(self, folder):
        self.model = CrossEncoder(folder, device="cpu").float().eval()

    def run(self, lines):
        self.model.predict([(QUERY, line) for line in lines], batch_size=len(lines), show_progress_bar=False)


def theirs(model, lines, batch):
    begin = time.perf_counter()
    for first in range(0, len(lines), batch):
        model.run(lines[first : first + batch])
    return len(lines) / (time.perf_counter() - begin)


def main():
    torch.set_num_threads(args.threads)
    lines = texts()
    classes = json.loads((args.model / "config.json").read_text()).get("architectures") or [""]
    model = (Reranker if classes[0].endswith("ForSequenceClassification") else Embedding)(str(args.model))
    theirs(model, lines, 64)
    rates = {"single": [], "batch": []}
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(lines))
        file.flush()
        command = [str(args.mimus), "bench", model.command, "--model", str(args.model), model.inputs, file.name, "--threads", str(args.threads), "--rounds", "1", "--json"]
        if model.command == "rerank":
            command += ["--query", QUERY]
        for _ in range(args.rounds):
            ours = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
            rates["single"].append((ours[f"single_{model.rate}"], theirs(model, lines, 1)))
            rates["batch"].append((ours[f"batch_{model.rate}"], theirs(model, lines, 64)))
    for name, pairs in rates.items():
        mimus, other = (statistics.median(values) for values in zip(*pairs))
        ratio = statistics.median(a / b for a, b in pairs)
        print(f"{name}: mimus {mimus:.1f} texts/s, sentence-transformers {other:.1f} texts/s, median ratio {ratio:.2f}")


if __name__ == "__main__":
    main()
