"""Makes the tiny rerankers in `golden/rerank-*` and what transformers and sentence-transformers say about them.

Each has random weights and a small real tokenizer. `expect.json` beside it holds pairs, their token ids and types, the
logit of transformers and the score of sentence-transformers' CrossEncoder.

To make them again, in a virtual environment (the versions the files were made with):

    pip install torch==2.15.0 transformers==5.23.0 sentence-transformers==6.2.0
    python golden_rerank.py
"""

import json

import torch
from golden_embeddings import SHAPE, TEXTS, VOCAB, byte_level, encoder, fresh, store_as, unigram, word_piece
from sentence_transformers import CrossEncoder
from transformers import (
    AutoModelForSequenceClassification,
    AutoTokenizer,
    BertConfig,
    BertForSequenceClassification,
    CamembertConfig,
    CamembertForSequenceClassification,
    DistilBertConfig,
    DistilBertForSequenceClassification,
    ElectraConfig,
    ElectraForSequenceClassification,
    MPNetConfig,
    MPNetForSequenceClassification,
    RobertaConfig,
    RobertaForSequenceClassification,
    XLMRobertaConfig,
    XLMRobertaForSequenceClassification,
)

LONG = "Many voices, one bird, and the server answers. " * 20

# Short and long on both sides, so that each side is cut, and both.
PAIRS = [(query, document) for query in TEXTS[:5] for document in TEXTS] + [
    (LONG, "bird"), ("bird", LONG), (LONG, LONG + "tail"), (LONG + "tail", LONG), ("a" * 300, "the bird [SEP] sings </s> on"),
]


def expect(folder):
    """What the two libraries say, computed in 32 bits."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32).eval()
    scores = CrossEncoder(str(folder), device="cpu", model_kwargs={"dtype": torch.float32}).predict(PAIRS, batch_size=1, show_progress_bar=False)
    cases = []
    for (query, document), score in zip(PAIRS, scores):
        # As a batch of one: alone, an empty document would count as none.
        inputs = tokenizer([query], [document], truncation=True, return_tensors="pt")
        with torch.no_grad():
            logit = model(**inputs).logits[0, 0].item()
        types = inputs["token_type_ids"][0].tolist() if "token_type_ids" in inputs else []
        ids = inputs["input_ids"][0].tolist()
        cases.append({"query": query, "document": document, "ids": ids, "types": types, "logit": round(logit, 7), "score": round(float(score), 7)})
    with open(folder / "expect.json", "w") as file:
        json.dump(cases, file, separators=(",", ":"), ensure_ascii=False)
    logits = sorted(case["logit"] for case in cases)
    print(folder.name, len(cases), "cases, logits", logits[0], "to", logits[-1], max(len(case["ids"]) for case in cases), "tokens at most")


def change(path, **fields):
    path.write_text(json.dumps({**json.loads(path.read_text()), **fields}, indent=2) + "\n")


def make(name, model, tokenizer, seed, tokens_max, dtype=None, tokenizer_fields={}, **config):
    """One model; `tokenizer_fields` and `config` are further fields of its `tokenizer_config.json` and `config.json`."""
    folder = fresh(name)
    tokenizer.model_max_length = tokens_max
    encoder(folder, model, tokenizer, seed)
    if dtype:
        store_as(folder, dtype)
    change(folder / "tokenizer_config.json", **tokenizer_fields)
    change(folder / "config.json", **config)
    expect(folder)


def sized(config, tokenizer, **more):
    return config(**{**SHAPE, "vocab_size": len(tokenizer)}, num_labels=1, **more)


def main():
    words, bytes_, pieces = word_piece(), byte_level(), unigram()
    make("rerank-bert", BertForSequenceClassification(BertConfig(**SHAPE, num_labels=1, max_position_embeddings=64)), words, 11, 64, dtype=torch.bfloat16, tokenizer_fields={"tokenizer_class": "BertTokenizer"})
    make("rerank-electra", ElectraForSequenceClassification(sized(ElectraConfig, words, embedding_size=32, max_position_embeddings=64)), word_piece(), 12, 63,
         tokenizer_fields={"model_input_names": ["input_ids", "token_type_ids", "attention_mask"]}, sbert_ce_default_activation_function="torch.nn.modules.linear.Identity")
    make("rerank-distilbert", DistilBertForSequenceClassification(DistilBertConfig(vocab_size=VOCAB, dim=32, n_layers=2, n_heads=2, hidden_dim=48, max_position_embeddings=64, num_labels=1)),
         word_piece(lowercase=False), 13, 48)
    make("rerank-roberta", RobertaForSequenceClassification(sized(RobertaConfig, bytes_, max_position_embeddings=66, pad_token_id=1, type_vocab_size=1)), bytes_, 14, 64,
         sentence_transformers={"activation_fn": "torch.nn.modules.activation.Sigmoid", "version": "4.1.0"})
    make("rerank-xlm-roberta", XLMRobertaForSequenceClassification(sized(XLMRobertaConfig, pieces, max_position_embeddings=66, pad_token_id=1, type_vocab_size=1)), pieces, 15, 64,
         dtype=torch.float16, sentence_transformers={"activation_fn": "torch.nn.modules.linear.Identity", "version": "4.1.0"})
    make("rerank-camembert", CamembertForSequenceClassification(sized(CamembertConfig, pieces, max_position_embeddings=66, pad_token_id=1, type_vocab_size=1)), unigram(), 16, 40)
    make("rerank-mpnet", MPNetForSequenceClassification(sized(MPNetConfig, bytes_, max_position_embeddings=600)), byte_level(), 17, 200)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
