"""Writes a checkpoint as a Hugging Face folder: BertForSequenceClassification in bfloat16 with one label.

Usage: python export.py --checkpoint DIR/latest.pt --embed FOLDER --out FOLDER
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file

KEPT = ("vocab_size", "hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size", "max_position_embeddings", "type_vocab_size", "layer_norm_eps", "hidden_act", "pad_token_id")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--embed", type=pathlib.Path, required=True, help="folder of mimus-embed, for the tokenizer")
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    state = torch.load(args.checkpoint)
    tensors = {name: value.to(torch.bfloat16).contiguous() for name, value in state["average"].items() if value.is_floating_point()}
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(args.out / "model.safetensors"), metadata={"format": "pt"})
    config = {
        "architectures": ["BertForSequenceClassification"], "model_type": "bert", "torch_dtype": "bfloat16", "position_embedding_type": "absolute",
        **{name: state["config"][name] for name in KEPT},
        "num_labels": 1, "id2label": {"0": "LABEL_0"}, "label2id": {"LABEL_0": 0},
        "sentence_transformers": {"activation_fn": "torch.nn.modules.activation.Sigmoid"},
    }
    (args.out / "config.json").write_text(json.dumps(config, indent=2) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copyfile(args.embed / name, args.out / name)
    print(f"{sum(t.numel() for t in tensors.values())} parameters, {state['step']} steps, {state['lists']} lists, {state['trained_s'] / 60:.0f} minutes")


if __name__ == "__main__":
    main()
