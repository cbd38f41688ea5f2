"""Trains mimus-embed from nothing with contrastive pairs.

Usage: python train.py --tokenizer DIR --eval FOLDER/eval --out DIR --minutes 25 [--resume]
"""

import argparse
import json
import math
import pathlib
import time

import torch
from tokenizers import Tokenizer
from transformers import BertConfig, BertModel

import meanings

HIDDEN, LAYERS, HEADS, INNER = 192, 4, 6, 576
POSITIONS = 256
BATCH = 256
# Longest text of a training pair; longer ones are cut.
TRAIN_TOKENS = 64
CHUNKS = 4
PEAK, WARMUP_STEPS = 1.5e-3, 40
# The first dimensions of a vector are trained to do alone, so that clients may cut it.
DIMENSIONS = {192: 1.0, 96: 0.5, 48: 0.25}
# Vectors are compared by cosine / TEMPERATURE.
TEMPERATURE = 0.05
AVERAGE = 0.99


def build(vocab):
    config = BertConfig(
        vocab_size=vocab, hidden_size=HIDDEN, num_hidden_layers=LAYERS, num_attention_heads=HEADS, intermediate_size=INNER, max_position_embeddings=POSITIONS,
        type_vocab_size=2, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, pad_token_id=0)
    return BertModel(config, add_pooling_layer=False)


def vectors(model, rows, rng=None):
    """Mean-pooled vectors of rows of ids. With `rng`, each chunk begins at a random position, so that all positions are learnt from short texts."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i]))
    out = [None] * len(rows)
    size = math.ceil(len(order) / CHUNKS)
    for begin in range(0, len(order), size):
        chosen = order[begin:begin + size]
        width = len(rows[chosen[-1]])
        ids = torch.zeros(len(chosen), width, dtype=torch.long)
        mask = torch.zeros(len(chosen), width)
        for place, index in enumerate(chosen):
            row = rows[index]
            ids[place, :len(row)] = torch.tensor(row)
            mask[place, :len(row)] = 1
        start = 0 if rng is None or rng.random() < 0.5 else rng.randrange(POSITIONS - width + 1)
        positions = torch.arange(start, start + width).expand(len(chosen), -1)
        hidden = model(input_ids=ids, attention_mask=mask, position_ids=positions).last_hidden_state
        pooled = (hidden * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        for place, index in enumerate(chosen):
            out[index] = pooled[place]
    return torch.stack(out)


def loss_of(left, right):
    total = 0.0
    target = torch.arange(len(left))
    for dimensions, share in DIMENSIONS.items():
        a = torch.nn.functional.normalize(left[:, :dimensions], dim=1)
        b = torch.nn.functional.normalize(right[:, :dimensions], dim=1)
        scores = a @ b.T / TEMPERATURE
        total = total + share * (torch.nn.functional.cross_entropy(scores, target) + torch.nn.functional.cross_entropy(scores.T, target)) / 2
    return total / sum(DIMENSIONS.values())


def recall(model, encode, rows):
    """Share of queries whose own candidate is the nearest of all."""
    with torch.no_grad():
        queries = torch.nn.functional.normalize(vectors(model, [encode(q) for _, q, _ in rows]), dim=1)
        candidates = torch.nn.functional.normalize(vectors(model, [encode(c) for _, _, c in rows]), dim=1)
    best = (queries @ candidates.T).argmax(1)
    return (best == torch.arange(len(rows))).float().mean().item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--eval", type=pathlib.Path, required=True, help="folder with the evaluation file; none of its texts is trained on")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--minutes", type=float, default=25)
    parser.add_argument("--peak", type=float, default=PEAK)
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(1)
    torch.manual_seed(7)
    tokenizer = Tokenizer.from_file(str(args.tokenizer / "tokenizer.json"))
    tokenizer.enable_truncation(TRAIN_TOKENS)
    encode = lambda text: tokenizer.encode(text).ids
    rows = [tuple(json.loads(line)[k] for k in ("category", "query", "candidate")) for line in (args.eval / "pairs.jsonl").read_text().splitlines()]
    banned = frozenset(meanings.normalise(t) for _, q, c in rows for t in (q,))
    model = build(tokenizer.get_vocab_size())
    average = build(tokenizer.get_vocab_size())
    average.load_state_dict(model.state_dict())
    step, seen, spent = 0, 0, 0.0
    args.out.mkdir(parents=True, exist_ok=True)
    checkpoint = args.out / "latest.pt"
    if args.resume:
        state = torch.load(checkpoint)
        model.load_state_dict(state["model"])
        average.load_state_dict(state["average"])
        step, seen, spent = state["step"], state["pairs"], state["trained_s"]
    pairs = meanings.Pairs(1000 + step, banned)
    optimizer = torch.optim.AdamW(model.parameters(), lr=args.peak, betas=(0.9, 0.98), weight_decay=0.01)
    begin, first, last_save = time.monotonic(), step, 0.0
    budget = args.minutes * 60
    while (elapsed := time.monotonic() - begin) < budget:
        # By the clock: up quickly, then down to nearly nothing.
        rate = args.peak * min(1, (step - first + 1) / WARMUP_STEPS) * (0.02 + 0.98 * (0.5 + 0.5 * math.cos(math.pi * elapsed / budget)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        batch = pairs.batch(BATCH)
        both = vectors(model, [encode(a) for a, _ in batch] + [encode(b) for _, b in batch], pairs.rng)
        loss = loss_of(both[:len(batch)], both[len(batch):])
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        with torch.no_grad():
            keep = min(AVERAGE, step / (step + 10))
            for slow, fast in zip(average.parameters(), model.parameters()):
                slow.lerp_(fast, 1 - keep)
        step += 1
        seen += len(batch)
        if step % 10 == 0:
            print(f"step {step}, {elapsed / 60:.1f} min, loss {loss.item():.3f}, rate {rate:.5f}", flush=True)
        if step % 50 == 0:
            print(f"  recall@1 {recall(model, encode, rows):.3f}, of the average {recall(average, encode, rows):.3f}", flush=True)
        if elapsed - last_save > 60:
            last_save = elapsed
            save(checkpoint, model, average, step, seen, spent + elapsed)
    save(checkpoint, model, average, step, seen, spent + time.monotonic() - begin)
    print(f"{step} steps, {seen} pairs, recall@1 {recall(average, encode, rows):.3f}")


def save(path, model, average, step, seen, spent):
    state = {"model": model.state_dict(), "average": average.state_dict(), "config": model.config.to_dict(), "step": step, "pairs": seen, "trained_s": spent}
    part = path.with_suffix(".part")
    torch.save(state, part)
    part.replace(path)


if __name__ == "__main__":
    main()
