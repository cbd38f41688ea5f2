"""Trains mimus-chat on the generated stream.

The network is the Qwen2 architecture (grouped queries, biases on q/k/v, tied embeddings) written out below, because a
small model on a processor is fastest when a step mixes conversations of all lengths without padding to the longest: linear layers run on
one flat list of tokens, and only attention looks at them by conversation.

Three things make a model of this size learn to copy (names, words to repeat) in minutes instead of hours:
heads of the first layer start as previous-token heads, set through the biases of q and k; part of the stream is repeated random
tokens; matrices are trained with Muon, everything else with AdamW.

Usage: python train.py --tokenizer DIR --out DIR [--minutes 60] [--resume] [--threads 1]
"""

import argparse
import json
import math
import os
import pathlib
import signal
import time

import torch
import torch.nn.functional as F
from tokenizers import Tokenizer

import conversations

CONFIG = {"vocab": 2304, "hidden": 256, "layers": 4, "heads": 4, "kv_heads": 2, "head_dim": 64, "inner": 512, "theta": 10000.0, "eps": 1e-6}
START, END, BOS, EOS = 3, 4, 1, 2
LENGTH_MAX = 512


class Norm(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(width))

    def forward(self, x):
        return F.rms_norm(x, (x.shape[-1],), self.weight, CONFIG["eps"])


class Layer(torch.nn.Module):
    """One decoder layer; parameter names follow Qwen2 so that export is a plain copy."""

    def __init__(self):
        super().__init__()
        hidden, inner, c = CONFIG["hidden"], CONFIG["inner"], CONFIG
        self.input_layernorm = Norm(hidden)
        self.post_attention_layernorm = Norm(hidden)
        self.self_attn = torch.nn.ModuleDict({
            "q_proj": torch.nn.Linear(hidden, c["heads"] * c["head_dim"]), "k_proj": torch.nn.Linear(hidden, c["kv_heads"] * c["head_dim"]),
            "v_proj": torch.nn.Linear(hidden, c["kv_heads"] * c["head_dim"]), "o_proj": torch.nn.Linear(c["heads"] * c["head_dim"], hidden, bias=False)})
        self.mlp = torch.nn.ModuleDict({"gate_proj": torch.nn.Linear(hidden, inner, bias=False), "up_proj": torch.nn.Linear(hidden, inner, bias=False),
                                        "down_proj": torch.nn.Linear(inner, hidden, bias=False)})

    def forward(self, x, groups, cos, sin):
        """x: [tokens, hidden] flat; groups: (start, rows, length) of the conversations of equal padded length; cos, sin: [tokens, 1, head_dim]."""
        c = CONFIG
        h = self.input_layernorm(x)
        q = rotate(self.self_attn["q_proj"](h).view(-1, c["heads"], c["head_dim"]), cos, sin)
        k = rotate(self.self_attn["k_proj"](h).view(-1, c["kv_heads"], c["head_dim"]), cos, sin)
        v = self.self_attn["v_proj"](h).view(-1, c["kv_heads"], c["head_dim"])
        repeat = c["heads"] // c["kv_heads"]
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        sizes = [rows * length for _, rows, length in groups]
        parts = []
        for (_, rows, length), *qkv in zip(groups, q.split(sizes), k.split(sizes), v.split(sizes)):
            by_row = [t.view(rows, length, c["heads"], c["head_dim"]).transpose(1, 2) for t in qkv]
            mixed = F.scaled_dot_product_attention(*by_row, is_causal=True)
            parts.append(mixed.transpose(1, 2).reshape(rows * length, -1))
        x = x + self.self_attn["o_proj"](torch.cat(parts))
        h = self.post_attention_layernorm(x)
        return x + self.mlp["down_proj"](F.silu(self.mlp["gate_proj"](h)) * self.mlp["up_proj"](h))


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.embed_tokens = torch.nn.Embedding(CONFIG["vocab"], CONFIG["hidden"])
        self.layers = torch.nn.ModuleList(Layer() for _ in range(CONFIG["layers"]))
        self.norm = Norm(CONFIG["hidden"])
        half = CONFIG["head_dim"] // 2
        self.frequencies = CONFIG["theta"] ** (-torch.arange(half) / half)
        angles = torch.arange(LENGTH_MAX)[:, None] * self.frequencies
        self.cos, self.sin = torch.cat([angles.cos()] * 2, -1), torch.cat([angles.sin()] * 2, -1)

    def forward(self, tokens, positions, groups, wanted):
        """Logits [wanted, vocab] at the flat indices `wanted`."""
        x = self.embed_tokens(tokens)
        cos, sin = self.cos[positions][:, None], self.sin[positions][:, None]
        for layer in self.layers:
            x = layer(x, groups, cos, sin)
        return F.linear(self.norm(x[wanted]), self.embed_tokens.weight)


def rotate(x, cos, sin):
    """Rotary positions, half-split pairs as in Qwen2. x: [tokens, heads, head_dim]."""
    a, b = x.chunk(2, -1)
    return x * cos + torch.cat([-b, a], -1) * sin


def initialise(model):
    """Normal init, then previous-token heads in layer 0.

    A query bias rotated by `offset` positions against the key bias makes the score of key position m for query position n
    equal to the sum over pairs of a_i * cos(theta_i * (n - m - offset)), which peaks at m = n - offset.
    Both query heads of one key head share its bias, so one key head serves offsets 1 and 2, the other offset 3 and a free head.
    """
    for name, p in model.named_parameters():
        if p.dim() == 2:
            std = 0.02 if "embed" in name else (0.5 / math.sqrt(p.shape[1]) if not name.endswith(("o_proj.weight", "down_proj.weight")) else 0.25 / math.sqrt(p.shape[1]))
            torch.nn.init.normal_(p, std=std)
        elif name.endswith("bias"):
            torch.nn.init.zeros_(p)
    c, half = CONFIG, CONFIG["head_dim"] // 2
    attention = model.layers[0].self_attn
    frequencies = model.frequencies
    amplitude = torch.where(frequencies > 0.02, 1.0, 0.0)  # Fast pairs tell neighbours apart.
    strength = 14.0  # Score of the wanted position, after the division by sqrt(head_dim).
    amplitude = amplitude * math.sqrt(strength * math.sqrt(c["head_dim"]) / amplitude.sum())
    with torch.no_grad():
        for head, offset in ((0, 1), (1, 2), (2, 3)):
            rows = slice(head * c["head_dim"], (head + 1) * c["head_dim"])
            attention["q_proj"].weight[rows] *= 0.1
            angle = -frequencies * offset
            attention["q_proj"].bias[rows] = torch.cat([amplitude * angle.cos(), amplitude * angle.sin()])
        for head in range(c["kv_heads"]):
            rows = slice(head * c["head_dim"], (head + 1) * c["head_dim"])
            attention["k_proj"].weight[rows] *= 0.1
            attention["k_proj"].bias[rows] = torch.cat([amplitude, torch.zeros(half)])


class Muon(torch.optim.Optimizer):
    """Momentum, then the nearest orthogonal matrix (five Newton-Schulz steps, matrices of one shape together)."""

    def __init__(self, parameters, lr, momentum=0.95, weight_decay=0.01):
        super().__init__(parameters, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self):
        for group in self.param_groups:
            shapes = {}
            for p in group["params"]:
                if p.grad is not None:
                    buffer = self.state[p].setdefault("momentum", torch.zeros_like(p))
                    buffer.mul_(group["momentum"]).add_(p.grad)
                    shapes.setdefault(tuple(p.shape), []).append((p, p.grad.add(buffer, alpha=group["momentum"])))
            for (rows, columns), pairs in shapes.items():
                x = torch.stack([g for _, g in pairs])
                if rows > columns:
                    x = x.mT
                x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
                for _ in range(5):
                    a = x @ x.mT
                    x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
                if rows > columns:
                    x = x.mT
                for (p, _), update in zip(pairs, x):
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                    p.add_(update, alpha=-group["lr"] * max(1, rows / columns) ** 0.5)


class Stream:
    """Documents as (tokens, weights): weights[i] is the loss weight of predicting tokens[i]."""

    def __init__(self, tokenizer, seed, random_share, banned):
        self.tokenizer, self.sampler = tokenizer, conversations.Sampler(seed, banned=banned)
        self.rng, self.random_share, self.cache = self.sampler.rng, random_share, {}
        self.newline, self.head = self.ids("\n"), {role: self.ids(role + "\n") for role in ("system", "user", "assistant")}

    def ids(self, text):
        return self.tokenizer.encode(text, add_special_tokens=False).ids

    def chat(self, messages):
        tokens, weights = [], []
        if self.rng.random() < 0.05:  # Some clients put <s> in front.
            tokens, weights = [BOS], [0.0]
        for message in messages:
            head, body = self.head[message["role"]], self.ids(message["content"])
            tokens += [START, *head, *body, END, *self.newline]
            weight = 1.0 if message["role"] == "assistant" else 0.0
            weights += [0.0] * (1 + len(head)) + [weight] * (len(body) + 1) + [0.0] * len(self.newline)
        return tokens, weights

    def repeated(self):
        """Random tokens, said twice or more: the purest copying task."""
        r = self.rng
        span = [r.randrange(5, CONFIG["vocab"]) for _ in range(r.randint(4, 24))]
        tokens = [r.randrange(5, CONFIG["vocab"]) for _ in range(r.randint(0, 8))]
        weights = [0.0] * len(tokens)
        for i in range(r.randint(2, 3)):
            tokens += span
            weights += [0.0 if i == 0 or j == 0 else 0.5 for j in range(len(span))]
            gap = [r.randrange(5, CONFIG["vocab"]) for _ in range(r.randint(0, 4))]
            tokens += gap
            weights += [0.0] * len(gap)
        return tokens, weights

    def document(self):
        if self.rng.random() < self.random_share:
            return self.repeated()
        document = self.sampler.document()
        if "messages" in document:
            return self.chat(document["messages"])
        # Mostly cut into tokens where a prompt would end, as a server sees it.
        text = self.ids(document["text"]) + self.ids(document["rest"]) if self.rng.random() < 0.7 else self.ids(document["text"] + document["rest"])
        tokens = ([BOS] if self.rng.random() < 0.5 else []) + text + [EOS]
        return tokens, [0.7] * len(tokens)

    def batch(self, size):
        """About `size` tokens: flat tokens, positions, groups, indices of the predicting tokens, targets and weights."""
        documents, count = [], 0
        while count < size:
            tokens, weights = self.document()
            if 1 < len(tokens) <= LENGTH_MAX:
                documents.append((tokens, weights))
                count += len(tokens)
        documents.sort(key=lambda d: len(d[0]))
        flat, positions, groups, wanted, targets, weights_out = [], [], [], [], [], []
        i = 0
        while i < len(documents):
            j = i + 1
            while j < len(documents) and len(documents[j][0]) <= max(len(documents[i][0]) * 1.15, len(documents[i][0]) + 4):
                j += 1
            length = len(documents[j - 1][0])
            groups.append((len(flat), j - i, length))
            for tokens, weights in documents[i:j]:
                start = len(flat)
                flat += tokens + [0] * (length - len(tokens))
                positions += range(length)
                for t in range(1, len(tokens)):
                    if weights[t]:
                        wanted.append(start + t - 1)
                        targets.append(tokens[t])
                        weights_out.append(weights[t])
            i = j
        return torch.tensor(flat), torch.tensor(positions), groups, torch.tensor(wanted), torch.tensor(targets), torch.tensor(weights_out)


def gradients(model, stream, size):
    """One batch forward and back; returns its loss and its number of tokens."""
    flat, positions, groups, wanted, targets, weights = stream.batch(size)
    losses = F.cross_entropy(model(flat, positions, groups, wanted), targets, reduction="none")
    loss = (losses * weights).sum() / weights.sum()
    loss.backward()
    return loss.item(), len(flat)


class Helper:
    """A second process that computes gradients on batches of its own, for a core that is only sometimes free.

    The trainer never waits for it: at each step it takes the helper's gradient if one is ready. Such a gradient is at most a step or two old.
    """

    def __init__(self, model, args, seed, banned):
        size = sum(p.numel() for p in model.parameters())
        self.weights, self.gradient = torch.zeros(size).share_memory_(), torch.zeros(size).share_memory_()
        self.state = torch.zeros(4).share_memory_()  # ready, tokens, random share, stop
        self.publish(model)
        self.process = torch.multiprocessing.get_context("spawn").Process(target=Helper.work, args=(self.weights, self.gradient, self.state, args, seed, banned), daemon=True)
        self.process.start()

    def publish(self, model):
        with torch.no_grad():
            torch.cat([p.flatten() for p in model.parameters()], out=self.weights)

    def add_gradient(self, model):
        """Averages a ready gradient into the model's; returns the number of tokens behind it."""
        if not self.state[0]:
            return 0
        i = 0
        for p in model.parameters():
            p.grad.add_(self.gradient[i:i + p.numel()].view_as(p)).mul_(0.5)
            i += p.numel()
        tokens = int(self.state[1])
        self.state[0] = 0
        return tokens

    @staticmethod
    def work(weights, gradient, state, args, seed, banned):
        os.nice(args.helper_nice)
        torch.set_num_threads(1)
        model = Model()
        stream = Stream(Tokenizer.from_file(str(args.tokenizer / "tokenizer.json")), seed, args.random_share, banned)
        parent = os.getppid()
        while os.getppid() == parent:
            if state[0]:
                time.sleep(0.002)
                continue
            torch.nn.utils.vector_to_parameters(weights.clone(), model.parameters())
            stream.random_share = float(state[2])
            model.zero_grad(set_to_none=True)
            _, tokens = gradients(model, stream, args.tokens)
            torch.cat([p.grad.flatten() for p in model.parameters()], out=gradient)
            state[1] = tokens
            state[0] = 1


@torch.no_grad()
def generate(model, prompt, limit=40):
    """Greedy reply without a cache; only for the progress line."""
    tokens = list(prompt)
    for _ in range(limit):
        n = len(tokens)
        logits = model(torch.tensor(tokens), torch.arange(n), [(0, 1, n)], torch.tensor([n - 1]))
        token = int(logits[0].argmax())
        if token in (END, EOS):
            break
        tokens.append(token)
    return tokens[len(prompt):]


def progress(model, stream, checks):
    """Share of right answers by kind on fixed held-out checks."""
    right, total = {}, {}
    for kind, turns, accept in checks:
        tokens = []
        for turn in turns:
            tokens += [START, *stream.head["user"], *stream.ids(turn), END, *stream.newline, START, *stream.head["assistant"]]
            reply = generate(model, tokens)
            tokens += [*reply, END, *stream.newline]
        said = conversations.normalise(stream.tokenizer.decode(reply))
        total[kind] = total.get(kind, 0) + 1
        right[kind] = right.get(kind, 0) + any(f" {conversations.normalise(a)} " in f" {said} " for a in accept)
    return {kind: round(100 * right[kind] / total[kind]) for kind in total}


def held_out_checks():
    sampler = conversations.Sampler(77, held_out=True)
    checks = []
    for kind in ("capital", "sum", "np", "question", "small_talk", "echo", "invented"):
        for _ in range(8):
            question, _, accept = sampler.single(kind)
            checks.append((kind, [question], accept))
    for _ in range(16):
        item = sampler.memory_item("name")
        checks.append(("name", [sampler.tell(item, True), sampler.ask(*item, exact=True)], [item[1]["v"]]))
    for _ in range(12):
        item = sampler.memory_item()
        checks.append(("memory", [sampler.tell(item, True), sampler.ask(*item, exact=True)], [item[1]["v"]]))
    return checks


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--eval", type=pathlib.Path, help="folder with the evaluation files, whose questions are kept out of the stream")
    parser.add_argument("--minutes", type=float, default=60, help="wall-clock length of this run; the learning rate falls over its last part")
    parser.add_argument("--decay", type=float, default=0.3, help="share of the run over which the learning rate falls to a twentieth")
    parser.add_argument("--tokens", type=int, default=4096, help="tokens a step")
    parser.add_argument("--lr", type=float, default=0.02)
    parser.add_argument("--adam-lr", type=float, default=0.003)
    parser.add_argument("--average", type=float, default=0.99, help="memory of the running mean of the weights")
    parser.add_argument("--random-share", type=float, default=0.06)
    parser.add_argument("--warm-copy", type=int, default=200, help="first steps in which half of the stream is repeated random tokens")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--helper", action="store_true", help="use a second core when it is free")
    parser.add_argument("--helper-nice", type=int, default=10, help="added to the niceness of the helper")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--every", type=int, default=250, help="steps between progress checks and checkpoints")
    parser.add_argument("--resume", action="store_true")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer = Tokenizer.from_file(str(args.tokenizer / "tokenizer.json"))
    model = Model()
    initialise(model)
    matrices = [p for n, p in model.named_parameters() if p.dim() == 2 and "embed" not in n]
    others = [p for n, p in model.named_parameters() if p.dim() != 2 or "embed" in n]
    optimizers = [Muon(matrices, lr=args.lr), torch.optim.AdamW(others, lr=args.adam_lr, betas=(0.9, 0.98), weight_decay=0.0)]
    base = [args.lr, args.adam_lr]
    step = tokens_seen = 0
    trained_s = 0.0
    latest = args.out / "latest.pt"
    averaged = Model()  # Running mean of the weights: what is measured and exported.
    averaged.load_state_dict(model.state_dict())
    average = dict(averaged.named_parameters())
    if args.resume:
        state = torch.load(latest)
        averaged.load_state_dict(state["average"])
        model.load_state_dict(state["model"])
        for optimizer, saved in zip(optimizers, state["optimizers"]):
            optimizer.load_state_dict(saved)
        step, tokens_seen, trained_s = state["step"], state["tokens_seen"], state["trained_s"]
    first_step = step
    banned = frozenset()
    if args.eval:
        banned = frozenset(conversations.normalise(q) for f in args.eval.glob("*.jsonl") for line in f.read_text().splitlines()
                           for q in [m["content"] for m in json.loads(line).get("messages", [])] + json.loads(line).get("turns", []))
    stream = Stream(tokenizer, args.seed * 1_000_003 + step, args.random_share, banned)
    helper = Helper(model, args, stream.sampler.rng.randrange(1 << 30), banned) if args.helper else None
    checks = held_out_checks()
    began = time.time()
    loss_sum, seen, t0 = 0.0, 0, began

    def save():
        torch.save({"model": model.state_dict(), "optimizers": [o.state_dict() for o in optimizers], "average": averaged.state_dict(),
                    "step": step, "tokens_seen": tokens_seen, "trained_s": trained_s + time.time() - began, "config": CONFIG}, args.out / "writing.pt")
        (args.out / "writing.pt").replace(latest)

    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))  # Ends after the step, with a checkpoint.
    while True:
        done = (time.time() - began) / (args.minutes * 60)
        if done >= 1 or stopped:
            break
        stream.random_share = 0.5 if step < args.warm_copy else args.random_share
        scale = min(1.0, (step - first_step + 1) / 50, max(0.05, (1 - done) / args.decay) if args.decay else 1.0)
        for optimizer, lr in zip(optimizers, base):
            for group in optimizer.param_groups:
                group["lr"] = lr * scale
        loss, count = gradients(model, stream, args.tokens)
        if helper:
            helper.state[2] = stream.random_share
            count += helper.add_gradient(model)
        torch.nn.utils.clip_grad_norm_(others, 1.0)
        for optimizer in optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        step += 1
        with torch.no_grad():
            for name, p in model.named_parameters():
                average[name].lerp_(p, max(1 - args.average, min(1.0, 10 / step)))
        if helper:
            helper.publish(model)
        tokens_seen += count
        seen += count
        loss_sum += loss
        if step % 50 == 0:
            print(f"step {step} loss {loss_sum / 50:.4f} lr x{scale:.3f} tokens {tokens_seen} {seen / (time.time() - t0):.0f} tok/s {done * 100:.1f} %", flush=True)
            loss_sum, seen, t0 = 0.0, 0, time.time()
        if step % args.every == 0:
            print(f"step {step} held out {progress(averaged, stream, checks)}", flush=True)
            save()
            t0 = time.time()
    save()
    print(f"done: step {step} held out {progress(averaged, stream, checks)}", flush=True)


if __name__ == "__main__":
    main()
