"""Writes a checkpoint as a sentence-transformers folder: BertModel in bfloat16, mean of all tokens, length 1.

Usage: python export.py --checkpoint DIR/latest.pt --tokenizer DIR --out FOLDER
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file

MODULES = [("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    state = torch.load(args.checkpoint)
    c = state["config"]
    tensors = {name: value.to(torch.bfloat16).contiguous() for name, value in state["average"].items() if value.is_floating_point()}
    (args.out / "1_Pooling").mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(args.out / "model.safetensors"), metadata={"format": "pt"})
    kept = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_act", "pad_token_id")
    config = {"architectures": ["BertModel"], "model_type": "bert", "torch_dtype": "bfloat16", "position_embedding_type": "absolute", **{name: c[name] for name in kept}}
    files = {
        "config.json": config,
        "modules.json": [{"idx": i, "name": str(i), "path": path, "type": f"sentence_transformers.models.{kind}"} for i, (path, kind) in enumerate(MODULES)],
        "1_Pooling/config.json": {"word_embedding_dimension": c["hidden_size"], "pooling_mode_cls_token": False, "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False, "pooling_mode_mean_sqrt_len_tokens": False},
        "sentence_bert_config.json": {"max_seq_length": c["max_position_embeddings"], "do_lower_case": False},
    }
    for name, content in files.items():
        (args.out / name).write_text(json.dumps(content, indent=2) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (args.tokenizer / name).resolve() != (args.out / name).resolve():
            shutil.copyfile(args.tokenizer / name, args.out / name)
    print(f"{sum(t.numel() for t in tensors.values())} parameters, {state['step']} steps, {state['pairs']} pairs, {state['trained_s'] / 60:.0f} minutes")


if __name__ == "__main__":
    main()
