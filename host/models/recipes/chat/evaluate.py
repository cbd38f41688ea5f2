"""Writes the evaluation files and measures an exported folder with transformers.

Usage:
    python evaluate.py --build --model FOLDER      write FOLDER/eval/*.jsonl (seeded; held-out phrasings, names and words only)
    python evaluate.py --model FOLDER              print the scores and write FOLDER/eval/scores.json
    python evaluate.py --model FOLDER --chat       talk to the model

A line of `paraphrases.jsonl` is {"category", "messages": [one user message], "accept", "reject"}; of `memory.jsonl`
{"turns": [user texts; the model's own replies stand between them], "accept", "reject"}; of `completions.jsonl`
{"prompt": raw text without the chat template, "accept", "reject"}. A reply is right when any `accept` string occurs in it as whole words,
without regard to case, and no `reject` string does.
"""

import argparse
import json
import pathlib
import re

import conversations

STREAM_CHECKED = 100_000  # Training documents looked at when checking that no evaluation question occurs in them.


def is_right(reply, accept, reject=()):
    found = lambda s: re.search(r"(?<!\w)" + re.escape(s.lower()) + r"(?!\w)", reply.lower())
    return any(found(s) for s in accept) and not any(found(s) for s in reject)


def read(path):
    return [json.loads(line) for line in path.read_text().splitlines()]


def build(folder):
    folder.mkdir(parents=True, exist_ok=True)
    sampler = conversations.Sampler(20260101, held_out=True)
    seen, paraphrases = set(), []
    for category, (_, count) in conversations.SINGLES.items():
        made = tries = 0
        while made < count and tries < 1000:
            tries += 1
            question, answer, accept = sampler.single(category)
            if conversations.normalise(question) in seen:
                continue
            reject = [] if is_right(answer, ["not know"]) else ["do not know"]
            assert is_right(answer, accept, reject), (question, answer, accept)
            seen.add(conversations.normalise(question))
            paraphrases.append({"category": category, "messages": [{"role": "user", "content": question}], "accept": accept, "reject": reject})
            made += 1
    memory, told = [], set()
    for i in range(80):
        topic = "name" if i % 2 == 0 else None
        while True:
            item = sampler.memory_item(topic)
            tell = sampler.tell(item, True)
            if conversations.normalise(tell) not in told:
                break
        told.add(conversations.normalise(tell))
        memory.append({"turns": [tell, sampler.ask(*item, exact=True)], "accept": [item[1]["v"]], "reject": ["do not know"]})
    completions = [{"prompt": "Once upon a time", "accept": ["was", "lived"], "reject": []}, {"prompt": "two steps to build a house:", "accept": ["plan", "land"], "reject": []}]
    for _ in range(18):
        country = sampler._country(1)
        completions.append({"prompt": f"The capital of {country[0]} is", "accept": [country[1]], "reject": []})
    for _ in range(6):
        x, colour = sampler.rng.choice(conversations.facts.COLOURS_OF)
        completions.append({"prompt": f"{conversations.cap(x)} is", "accept": [colour], "reject": []})
    for task in sampler.rng.sample(list(conversations.facts.HOWTOS), 6):
        completions.append({"prompt": f"three steps to {task}:", "accept": [conversations.facts.HOWTOS[task][0].rstrip(".")], "reject": []})
    for name, lines in (("paraphrases", paraphrases), ("memory", memory), ("completions", completions)):
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
        print(f"{name}: {len(lines)}")
    check_split(folder)


def questions(folder):
    """Normalised user texts of the evaluation files."""
    out = set()
    for line in read(folder / "paraphrases.jsonl") + read(folder / "memory.jsonl"):
        out.update(conversations.normalise(t) for t in [m["content"] for m in line.get("messages", [])] + line.get("turns", []))
    return out


def check_split(folder):
    """No evaluation question occurs in the stream that training sees; says how many documents the trainer's filter has to drop for that."""
    held = questions(folder)
    asked = lambda document: {conversations.normalise(m["content"]) for m in document.get("messages", []) if m["role"] == "user"}
    plain, filtered = conversations.Sampler(5), conversations.Sampler(5, banned=frozenset(held))
    dropped = sum(bool(asked(plain.document()) & held) for _ in range(STREAM_CHECKED))
    assert not any(asked(filtered.document()) & held for _ in range(STREAM_CHECKED))
    print(f"no evaluation question occurs in {STREAM_CHECKED} training documents ({dropped} dropped by the filter)")


class Chat:
    """The exported folder behind transformers."""

    def __init__(self, folder):
        import torch
        from transformers import AutoModelForCausalLM, AutoTokenizer
        torch.set_num_threads(1)
        self.torch = torch
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.model = AutoModelForCausalLM.from_pretrained(folder).float().eval()  # The shipped 16-bit values, computed in 32 bits.

    def complete(self, prompt, limit=160, **sampling):
        ids = self.tokenizer(prompt, add_special_tokens=False, return_tensors="pt").input_ids
        sampling = sampling or {"do_sample": False, "temperature": None, "top_p": None, "top_k": None}
        with self.torch.no_grad():
            out = self.model.generate(ids, attention_mask=self.torch.ones_like(ids), max_new_tokens=limit, **sampling)
        return self.tokenizer.decode(out[0, ids.shape[1]:], skip_special_tokens=True).strip()

    def reply(self, messages, **options):
        return self.complete(self.tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True), **options)


def measure(folder, verbose):
    chat, scores = Chat(folder), {}
    wrong = []
    for name in ("paraphrases", "memory", "completions"):
        right, by_category = 0, {}
        lines = read(folder / "eval" / f"{name}.jsonl")
        for line in lines:
            if "prompt" in line:
                asked = line["prompt"]
                reply = chat.complete(asked, limit=60)
            else:
                messages = []
                for turn in line.get("turns") or [m["content"] for m in line["messages"]]:
                    messages.append({"role": "user", "content": turn})
                    reply = chat.reply(messages)
                    messages.append({"role": "assistant", "content": reply})
                asked = " / ".join(m["content"] for m in messages[:-1])
            good = is_right(reply, line["accept"], line["reject"])
            right += good
            counts = by_category.setdefault(line.get("category", name), [0, 0])
            counts[0] += good
            counts[1] += 1
            if not good:
                wrong.append(f"{line.get('category', name)}: {asked} -> {reply!r}, wanted {line['accept']}")
        scores[name] = {"right": right, "of": len(lines), "percent": round(100 * right / len(lines), 1)}
        if len(by_category) > 1:
            scores[name]["categories"] = {k: f"{a}/{b}" for k, (a, b) in by_category.items()}
    (folder / "eval" / "scores.json").write_text(json.dumps(scores, indent=2) + "\n")
    print(json.dumps(scores, indent=2))
    if verbose:
        print("\n".join(wrong))


def talk(folder):
    chat, messages = Chat(folder), []
    while True:
        try:
            text = input("> ").strip()
        except EOFError:
            return
        if not text:
            messages = []  # An empty line starts a new conversation.
            continue
        messages.append({"role": "user", "content": text})
        messages.append({"role": "assistant", "content": chat.reply(messages)})
        print(messages[-1]["content"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--model", type=pathlib.Path, required=True)
    parser.add_argument("--build", action="store_true")
    parser.add_argument("--chat", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="also print what was answered wrongly")
    args = parser.parse_args()
    if args.build:
        build(args.model / "eval")
    elif args.chat:
        talk(args.model)
    else:
        measure(args.model, args.verbose)


if __name__ == "__main__":
    main()
