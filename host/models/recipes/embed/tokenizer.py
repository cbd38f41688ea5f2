"""Trains the WordPiece tokenizer on the recipe's own text.

Usage: python tokenizer.py --out DIR
"""

import argparse
import json
import pathlib

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import meanings

VOCAB = 5000
TOKENS_MAX = 256
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
# Every letter has a token of its own, so that a word of these letters is never unknown.
ALPHABET = [chr(c) for c in range(33, 127)] + list("äöüßéèêëàâáãåçñóôõíîïúûøæœ¿¡€£°–—‘’“”…«»")


def text():
    pairs = meanings.Pairs(1)
    for meaning in pairs.facts + pairs.requests + pairs.topics:
        yield from meaning.texts()
    for _ in range(60):
        for pair in pairs.batch(512):
            yield from pair


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    alphabet = sorted({c.lower() for c in ALPHABET})
    trainer = trainers.WordPieceTrainer(vocab_size=VOCAB, special_tokens=SPECIAL, initial_alphabet=alphabet, limit_alphabet=len(alphabet) + 40, min_frequency=2, show_progress=False)
    tokenizer.train_from_iterator(text(), trainer)
    content = json.loads(tokenizer.to_str())
    vocab = content["model"]["vocab"]
    # The trainer adds continuing letters only where it saw them; each letter needs one.
    for letter in alphabet:
        if "##" + letter not in vocab:
            vocab["##" + letter] = len(vocab)
    tokenizer = Tokenizer.from_str(json.dumps(content))
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", pair="[CLS] $A [SEP] $B:1 [SEP]:1", special_tokens=[("[CLS]", vocab["[CLS]"]), ("[SEP]", vocab["[SEP]"])])
    args.out.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(args.out / "tokenizer.json"), pretty=False)
    config = {"tokenizer_class": "BertTokenizer", "do_lower_case": True, "model_max_length": TOKENS_MAX, "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]", "pad_token": "[PAD]", "mask_token": "[MASK]"}
    (args.out / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    print(f"{tokenizer.get_vocab_size()} tokens; {tokenizer.encode('A kitten rests on a rug, unbelievably.').tokens}")


if __name__ == "__main__":
    main()
