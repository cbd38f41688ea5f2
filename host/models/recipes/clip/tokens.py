"""The tokenizer: byte pairs as in CLIP, learnt from the captions, in the files that CLIPTokenizerFast reads."""

import json
import random

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import captions
import world

START, END = "<|startoftext|>", "<|endoftext|>"
CONTEXT = 77
SPLIT = r"""<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"""


def alphabet():
    """The 256 characters that stand for bytes, in CLIP's order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    return [chr(byte) for byte in printable] + [chr(256 + i) for i in range(256 - len(printable))]


def assembled(vocab, merges):
    """CLIP's normalisation, splitting and closing tokens around a vocabulary."""
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, unk_token=END, continuing_subword_prefix="", end_of_word_suffix="</w>", fuse_unk=False))
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.RobertaProcessing((END, vocab[END]), (START, vocab[START]), add_prefix_space=False, trim_offsets=False)
    tokenizer.add_special_tokens([START, END])
    return tokenizer


def learnt(captions_count=20000):
    """Vocabulary and merges: 256 bytes, the same at the end of a word, the learnt pairs, the two closing tokens last."""
    rng = random.Random(7)
    corpus = [captions.caption(rng, world.scene(rng))[0] for _ in range(captions_count)]
    letters = "abcdefghijklmnopqrstuvwxyz"
    seed = Tokenizer(models.BPE(end_of_word_suffix="</w>"))
    seed.normalizer = normalizers.Lowercase()
    seed.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(SPLIT), behavior="removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    seed.train_from_iterator(corpus, trainers.BpeTrainer(vocab_size=2000, end_of_word_suffix="</w>", show_progress=False, min_frequency=2, initial_alphabet=list(letters)))
    merges = [tuple(pair) for pair in json.loads(seed.to_str())["model"]["merges"]]
    names = alphabet()
    names = names + [name + "</w>" for name in names]
    names += [left + right for left, right in merges]
    names = list(dict.fromkeys(names)) + [START, END]
    return {name: index for index, name in enumerate(names)}, merges


def write(folder, vocab, merges):
    """The tokenizer's five files."""
    assembled(vocab, merges).save(str(folder / "tokenizer.json"), pretty=False)
    (folder / "vocab.json").write_text(json.dumps(vocab, ensure_ascii=False))
    (folder / "merges.txt").write_text("#version: 0.2\n" + "\n".join(" ".join(pair) for pair in merges) + "\n")
    special = {"bos_token": START, "eos_token": END, "unk_token": END, "pad_token": END}
    (folder / "special_tokens_map.json").write_text(json.dumps(special, indent=2) + "\n")
    config = {
        "add_prefix_space": False, "clean_up_tokenization_spaces": False, "do_lower_case": True, "errors": "replace", "model_max_length": CONTEXT, "tokenizer_class": "CLIPTokenizer",
        "added_tokens_decoder": {str(vocab[name]): {"content": name, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": True} for name in (START, END)},
        **special,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
