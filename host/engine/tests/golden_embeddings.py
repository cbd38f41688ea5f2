"""Makes the tiny encoders in `golden/embed-*` and what sentence-transformers says about them, and the expectations of
a real model in `golden/minilm.json`.

Each tiny model has random weights and a small real tokenizer. `expect.json` beside it holds texts, their token ids and
their vectors.

To make them again, in a virtual environment (the versions the files were made with):

    pip install torch==2.15.0 transformers==5.23.0 sentence-transformers==6.2.0
    python golden_embeddings.py                         the tiny models
    python golden_embeddings.py --minilm FOLDER         golden/minilm.json, from the folder with all-MiniLM-L6-v2
"""

import argparse
import json
import shutil
import tempfile
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules.dense import Dense
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules import Normalize, Pooling
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertModel,
    DistilBertConfig,
    DistilBertModel,
    MPNetConfig,
    MPNetModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaModel,
    XLMRobertaConfig,
    XLMRobertaModel,
)

FOLDER = Path(__file__).parent / "golden"
VOCAB = 300

TEXTS = [
    "a",
    "",
    "The mockingbird sings in every voice.",
    "THE MOCKINGBIRD sings, in Every voice!",
    "  Zwölf   Boxkämpfer jagen Viktor quer über den großen Sylter Deich, 1234 times.  ",
    "日本語 and 😀 in one line\nthen a <mask> tail [MASK] of words.",
    "The server answers and the clients listen; many voices, one bird. " * 12,
]
LONG = "One server, many clients; many voices, one bird. " * 60

CORPUS = [
    "The mockingbird sings in every voice, and the other birds listen to the mockingbird.",
    "One server, many clients; many voices, one bird. The server answers and the clients listen.",
    "Numbers such as 12, 345 and 6789 are there too, in the long line of words.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
]


def word_piece(lowercase=True):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]", max_input_chars_per_word=100))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.train_from_iterator(CORPUS * 4, trainers.WordPieceTrainer(vocab_size=VOCAB, special_tokens=special, show_progress=False))
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="[UNK]", cls_token="[CLS]", sep_token="[SEP]", pad_token="[PAD]", mask_token="[MASK]")


def roberta_special(tokenizer):
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>", mask_token="<mask>")


SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def byte_level():
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.train_from_iterator(CORPUS * 4, trainers.BpeTrainer(vocab_size=VOCAB, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return roberta_special(tokenizer)


def unigram():
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("  ", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.train_from_iterator(CORPUS * 4, trainers.UnigramTrainer(vocab_size=VOCAB, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False))
    return roberta_special(tokenizer)


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name.lower():
                parameter.copy_((0 if name.endswith("bias") else 1) + 0.1 * noise)
            elif "embed" in name or "relative" in name:
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(noise / parameter.shape[-1] ** 0.5)


def store_as(folder, dtype):
    """Rounds the stored weights."""
    for path in [folder / "model.safetensors"]:
        tensors = {name: value.to(dtype).contiguous() if value.is_floating_point() else value for name, value in load_file(path).items()}
        save_file(tensors, path, metadata={"format": "pt"})


def case(model, text, **options):
    vector = model.encode([text], show_progress_bar=False, **options)[0]
    prompt = model.prompts.get(options.get("prompt_name") or model.default_prompt_name) or ""
    ids = model.tokenize([prompt + text])["input_ids"][0].tolist()
    return {"text": text, "prompt_name": options.get("prompt_name"), "ids": ids, "vector": [round(float(v), 7) for v in vector]}


def expect(folder, prompts=()):
    """What sentence-transformers says, computed in 32 bits."""
    model = SentenceTransformer(str(folder), device="cpu").float().eval()
    cases = [case(model, text) for text in TEXTS + [LONG]]
    cases += [case(model, text, prompt_name=name) for name in prompts for text in TEXTS[:4]]
    with open(folder / "expect.json", "w") as file:
        json.dump(cases, file, separators=(",", ":"), ensure_ascii=False)
    print(folder.name, len(cases), "cases,", sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()), "bytes")


def encoder(folder, model, tokenizer, seed):
    randomise(model, seed)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def fresh(name):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def assemble(name, model, tokenizer, seed, modules, prompts=None, default_prompt=None, tokens_max=64, lowercase=False, dtype=None):
    """An encoder and its modules as sentence-transformers writes them."""
    folder = fresh(name)
    with tempfile.TemporaryDirectory() as plain:
        encoder(plain, model, tokenizer, seed)
        transformer = Transformer(plain, max_seq_length=tokens_max, do_lower_case=lowercase)
    whole = SentenceTransformer(modules=[transformer, *modules], device="cpu", prompts=prompts or {}, default_prompt_name=default_prompt)
    whole.save(str(folder), create_model_card=False)
    if dtype:
        store_as(folder, dtype)
    return folder


SHAPE = dict(vocab_size=VOCAB, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)


def tiny_models():
    torch.manual_seed(3)
    # BERT as older versions lay it out, in bf16, with prompts.
    folder = assemble(
        "embed-bert", BertModel(BertConfig(**SHAPE, max_position_embeddings=64)), word_piece(), 1,
        [Pooling(32, "mean"), Normalize()], prompts={"query": "query: ", "empty": ""}, dtype=torch.bfloat16)
    (folder / "1_Pooling" / "config.json").write_text(json.dumps({
        "word_embedding_dimension": 32, "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True,
        "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False}))
    kinds = ["Transformer", "Pooling", "Normalize"]
    paths = ["", "1_Pooling", "2_Normalize"]
    modules = [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"} for i, (kind, path) in enumerate(zip(kinds, paths))]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": 48, "do_lower_case": False}))
    expect(folder, ["query", "empty"])
    # A folder of transformers alone, saved with a head and only a vocabulary.
    folder = fresh("embed-bert-plain")
    tokenizer = word_piece()
    encoder(folder, BertForMaskedLM(BertConfig(**SHAPE, max_position_embeddings=40, hidden_act="gelu_new")), tokenizer, 2)
    expect(folder)
    vocabulary = sorted(tokenizer.get_vocab().items(), key=lambda item: item[1])
    (folder / "vocab.txt").write_text("".join(f"{token}\n" for token, _ in vocabulary))
    (folder / "tokenizer.json").unlink()
    # Roberta: first token, a dense layer and its tangent; padding inside a text has no position.
    folder = assemble(
        "embed-roberta", RobertaModel(RobertaConfig(**{**SHAPE, "vocab_size": len(byte_level())}, max_position_embeddings=66, pad_token_id=1), add_pooling_layer=False), byte_level(), 3,
        [Pooling(32, "cls"), Dense(32, 20), Normalize()])
    TEXTS.append("a <pad> inside")
    expect(folder)
    TEXTS.pop()
    # XLM-Roberta: lower-cased, several poolings side by side, the prompt left out of them.
    tokenizer = unigram()
    folder = assemble(
        "embed-xlm-roberta", XLMRobertaModel(XLMRobertaConfig(**{**SHAPE, "vocab_size": len(tokenizer)}, max_position_embeddings=66, pad_token_id=1), add_pooling_layer=False), tokenizer, 4,
        [Pooling(32, ("weightedmean", "lasttoken", "cls", "mean"), include_prompt=False)], prompts={"passage": "passage: ", "query": "The query: "}, default_prompt="passage", lowercase=True, dtype=torch.float16)
    expect(folder, ["query", "passage"])
    folder = assemble(
        "embed-distilbert", DistilBertModel(DistilBertConfig(vocab_size=VOCAB, dim=32, n_layers=2, n_heads=2, hidden_dim=48, max_position_embeddings=64)), word_piece(lowercase=False), 5,
        [Pooling(32, ("max", "mean_sqrt_len_tokens"))], lowercase=True)
    expect(folder)
    folder = assemble(
        "embed-mpnet", MPNetModel(MPNetConfig(**{**SHAPE, "vocab_size": len(byte_level())}, max_position_embeddings=600), add_pooling_layer=False), byte_level(), 6,
        [Pooling(32, "mean"), Normalize()], tokens_max=590)
    expect(folder)


def minilm(folder):
    """Some twenty texts through the real all-MiniLM-L6-v2; vectors are kept to six digits."""
    model = SentenceTransformer(str(folder), device="cpu").float().eval()
    texts = TEXTS + [
        "A cat sits on the mat.", "A kitten rests on a rug.", "The stock market fell sharply today.",
        "What is the capital of France?", "Paris is the capital of France.", "How do I reset my password?",
        "def add(a, b):\n    return a + b", "ｆｕｌｌ ｗｉｄｔｈ, ﬁ ligature and İstanbul", "naïve café résumé", "\u200bzero\u200bwidth\u00a0space",
        "x" * 150, "数字 12345 と 漢字", "Ελληνικά και Кириллица", "!!! ??? ...", "[CLS] [SEP] [PAD]",
        "The quick brown fox jumps over the lazy dog. " * 40,
    ]
    rows = []
    for text in texts:
        row = case(model, text)
        row["vector"] = [round(value, 6) for value in row["vector"]]
        rows.append(row)
    with open(FOLDER / "minilm.json", "w") as file:
        json.dump(rows, file, separators=(",", ":"), ensure_ascii=False)
    print(len(rows), "texts")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--minilm", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(1)
    minilm(args.minilm) if args.minilm else tiny_models()
