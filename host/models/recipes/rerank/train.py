"""Trains mimus-rerank from mimus-embed: each query with one relevant text and several that nearly are.

Usage: python train.py --embed FOLDER --eval FOLDER/eval --out DIR --minutes 25 [--resume]
"""

import argparse
import json
import math
import pathlib
import time

import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from transformers import BertConfig, BertForSequenceClassification

import evaluate
import lists
import meanings
from baselines import embedder

# Lists of a step, and irrelevant texts of a list.
LISTS, NEGATIVES = 16, 4
# Longest pair in tokens; longer ones are cut.
TRAIN_TOKENS = 160
CHUNKS = 4
PEAK, WARMUP_STEPS = 8e-4, 30
# Share of chunks that begin at a random position, so that positions past those of short texts stay in use.
SHIFTED = 0.2
AVERAGE = 0.99
# Queries of the evaluation that are looked at on the way.
WATCHED = 40


def build(embed):
    """The network of mimus-embed with a pooler and one score. The second text's type was never used by mimus-embed and starts as the first's."""
    config = BertConfig(**{**json.loads((embed / "config.json").read_text()), "num_labels": 1, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0})
    model = BertForSequenceClassification(config).float()
    state = {name: value.float() for name, value in load_file(str(embed / "model.safetensors")).items()}
    missing, unexpected = model.bert.load_state_dict(state, strict=False)
    assert not unexpected and all(name.startswith("pooler.") for name in missing), (missing, unexpected)
    with torch.no_grad():
        types = model.bert.embeddings.token_type_embeddings.weight
        types[1] += types[0]
        torch.nn.init.normal_(model.bert.pooler.dense.weight, std=config.hidden_size ** -0.5)
        torch.nn.init.normal_(model.classifier.weight, std=config.hidden_size ** -0.5)
    return model


def logits(model, encodings, rng=None):
    """Scores of encoded pairs, before the sigmoid."""
    order = sorted(range(len(encodings)), key=lambda i: len(encodings[i].ids))
    size = math.ceil(len(order) / CHUNKS)
    parts, places = [], []
    for begin in range(0, len(order), size):
        chosen = order[begin:begin + size]
        width = len(encodings[chosen[-1]].ids)
        padded = lambda rows: torch.tensor([row + [0] * (width - len(row)) for row in rows])
        start = rng.randrange(model.config.max_position_embeddings - width + 1) if rng and rng.random() < SHIFTED else 0
        positions = torch.arange(start, start + width).expand(len(chosen), -1)
        rows = [encodings[i] for i in chosen]
        out = model(input_ids=padded([e.ids for e in rows]), attention_mask=padded([e.attention_mask for e in rows]), token_type_ids=padded([e.type_ids for e in rows]), position_ids=positions)
        parts.append(out.logits[:, 0])
        places += chosen
    return torch.cat(parts)[torch.tensor(places).argsort()]


def loss_of(scores):
    """The relevant text comes first in each list: it shall win the list, and zero shall lie between it and the others."""
    softplus = torch.nn.functional.softplus
    ranking = torch.nn.functional.cross_entropy(scores, torch.zeros(len(scores), dtype=torch.long))
    return ranking + softplus(-scores[:, 0]).mean() + softplus(scores[:, 1:]).mean()


def watched(model, encode, rows, documents):
    """Share of queries whose relevant candidate has the best score."""
    with torch.no_grad():
        scores = logits(model, [encode(row["query"], documents[i]) for row in rows for i in row["candidates"]]).view(len(rows), -1)
    return sum(row["candidates"][best] == row["relevant"] for row, best in zip(rows, scores.argmax(1).tolist())) / len(rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--embed", type=pathlib.Path, required=True, help="folder of mimus-embed")
    parser.add_argument("--eval", type=pathlib.Path, required=True, help="folder with the evaluation files; none of their queries is trained on")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=25, help="processor time")
    parser.add_argument("--peak", type=float, default=PEAK)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(11)
    tokenizer = Tokenizer.from_file(str(args.embed / "tokenizer.json"))
    tokenizer.enable_truncation(TRAIN_TOKENS, strategy="only_second")
    encode = lambda query, text: tokenizer.encode(query, text)
    rows, documents = evaluate.load(args.eval)
    model, average = build(args.embed), build(args.embed)
    average.load_state_dict(model.state_dict())
    step, spent = 0, 0.0
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / "latest.pt"
    if args.resume:
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        step, spent = state["step"], state["trained_s"]
    source = lists.Lists(2000 + step, NEGATIVES, embedder(args.embed, args.out / "vectors.pt"), frozenset(meanings.normalise(row["query"]) for row in rows))
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.peak, betas=(0.9, 0.98), weight_decay=0.01)
    begin, first, last_save, recent = time.process_time(), step, 0.0, None
    budget = args.minutes * 60
    while (elapsed := time.process_time() - begin) < budget:
        # By the processor time spent, so that a busy machine costs patience only: up quickly, then down to nearly nothing.
        rate = args.peak * min(1, (step - first + 1) / WARMUP_STEPS) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * elapsed / budget)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        drawn = [source.draw() for _ in range(LISTS)]
        encodings = [encode(d.query, text) for d in drawn for text in [d.relevant] + d.irrelevant]
        loss = loss_of(logits(model, encodings, source.rng).view(LISTS, -1))
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            keep = min(AVERAGE, step / (step + 10))
            for slow, fast in zip(average.parameters(), model.parameters()):
                slow.lerp_(fast, 1 - keep)
        step += 1
        recent = loss.item() if recent is None else 0.95 * recent + 0.05 * loss.item()
        if step % 20 == 0:
            print(f"step {step}, {elapsed / 60:.1f} min, loss {recent:.3f}, rate {rate:.5f}", flush=True)
        if step % 300 == 0:
            print(f"  recall@1 of the average {watched(average, encode, rows[:WATCHED], documents):.3f}", flush=True)
        if elapsed - last_save > 60:
            last_save = elapsed
            save(checkpoint, model, average, step, spent + elapsed)
    save(checkpoint, model, average, step, spent + time.process_time() - begin)
    print(f"{step} steps of {LISTS} lists, recall@1 {watched(average, encode, rows[:WATCHED], documents):.3f}")


def save(path, model, average, step, spent):
    state = {"model": model.state_dict(), "average": average.state_dict(), "config": model.config.to_dict(), "step": step, "lists": step * LISTS, "trained_s": spent}
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


if __name__ == "__main__":
    main()
