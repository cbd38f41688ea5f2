"""Writes a checkpoint as a Hugging Face folder: Qwen2ForCausalLM in bfloat16.

Usage: python export.py --checkpoint DIR/latest.pt --tokenizer DIR --out FOLDER
"""

import argparse
import json
import pathlib
import shutil

import torch
from safetensors.torch import save_file


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--tokenizer", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    state = torch.load(args.checkpoint)
    c = state["config"]
    tensors = {"model." + name: value.to(torch.bfloat16).contiguous() for name, value in state["average"].items()}
    args.out.mkdir(parents=True, exist_ok=True)
    save_file(tensors, str(args.out / "model.safetensors"), metadata={"format": "pt"})
    config = {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 4, "pad_token_id": 0,
        "hidden_act": "silu", "hidden_size": c["hidden"], "initializer_range": 0.02, "intermediate_size": c["inner"], "max_position_embeddings": 1024,
        "max_window_layers": c["layers"], "num_attention_heads": c["heads"], "num_hidden_layers": c["layers"], "num_key_value_heads": c["kv_heads"],
        "rms_norm_eps": c["eps"], "rope_theta": c["theta"], "rope_scaling": None, "sliding_window": None, "tie_word_embeddings": True, "torch_dtype": "bfloat16",
        "use_cache": True, "use_sliding_window": False, "vocab_size": c["vocab"]}
    generation = {"bos_token_id": 1, "eos_token_id": [4, 2], "pad_token_id": 0, "do_sample": True, "temperature": 0.7, "top_p": 0.8, "top_k": 20}
    for name, content in (("config.json", config), ("generation_config.json", generation)):
        (args.out / name).write_text(json.dumps(content, indent=2) + "\n")
    for name in ("tokenizer.json", "tokenizer_config.json"):
        if (args.tokenizer / name).resolve() != (args.out / name).resolve():
            shutil.copyfile(args.tokenizer / name, args.out / name)
    print(f"{sum(t.numel() for t in tensors.values())} parameters, step {state['step']}, {state['tokens_seen']} tokens, {state['trained_s'] / 60:.0f} minutes")


if __name__ == "__main__":
    main()
