"""Makes the golden files of a model that continues text and judges documents: `judge/`, beside this script.

    pip install torch transformers tokenizers
    python judge.py

The model is the engine's small random Qwen3 (`host/engine/tests/golden/qwen3`) with the tokens that a Qwen3 reranker needs. What is
expected comes from transformers: the prompt as the model card of Qwen3-Reranker writes it, and the share of `yes` among the
probabilities of `yes` and `no` behind it.
"""

import json
import pathlib

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

HERE = pathlib.Path(__file__).parent
SOURCE = HERE.parent.parent / "host/engine/tests/golden/qwen3"
BEGIN = ('<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. '
         'Note that the answer can only be "yes" or "no".<|im_end|>\n<|im_start|>user\n')
END = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
INSTRUCTION = "Given a web search query, retrieve relevant passages that answer the query"
QUERY = "What is the largest animal?"
DOCUMENTS = ["The largest animal is the blue whale.", "Paris is the capital of France.", "", "yes no yes", "zwölf Boxkämpfer"]


def main():
    torch.manual_seed(7)
    tokenizer = AutoTokenizer.from_pretrained(SOURCE)
    model = AutoModelForCausalLM.from_pretrained(SOURCE, dtype=torch.float32)
    tokenizer.add_tokens(["yes", "no"])
    tokenizer.add_special_tokens({"additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    model.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    with torch.no_grad():
        model.get_output_embeddings().weight[-4:] = torch.randn(4, model.config.hidden_size) * 0.5
        model.get_input_embeddings().weight[-4:] = torch.randn(4, model.config.hidden_size) * 0.5
    folder = HERE / "judge"
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    yes, no = (tokenizer.convert_tokens_to_ids(word) for word in ("yes", "no"))
    scores, tokens = [], []
    for document in DOCUMENTS:
        text = f"{BEGIN}<Instruct>: {INSTRUCTION}\n<Query>: {QUERY}\n<Document>: {document}{END}"
        ids = tokenizer(text, return_tensors="pt", add_special_tokens=False).input_ids
        with torch.no_grad():
            logits = model(ids).logits[0, -1]
        scores.append(torch.softmax(logits[[no, yes]], dim=0)[1].item())
        tokens.append(ids.shape[1])
    expect = {"query": QUERY, "documents": DOCUMENTS, "scores": scores, "tokens": tokens}
    (folder / "expect.json").write_text(json.dumps(expect, indent=1, ensure_ascii=False) + "\n")
    print(expect)


main()
