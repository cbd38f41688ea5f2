"""Writes a checkpoint as a Hugging Face folder that CLIPModel and CLIPProcessor load: 16-bit weights, the tokenizer, the preprocessing.

Usage: python export.py --checkpoint build/clip.pt --out build/model
"""

import argparse
import json
import pathlib

import torch

import tokens
import train


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--checkpoint", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    args = parser.parse_args()
    vocab, merges = tokens.learnt()
    model = train.build(vocab)
    model.load_state_dict(torch.load(args.checkpoint, weights_only=True)["average"])
    model.half().save_pretrained(args.out)
    tokens.write(args.out, vocab, merges)
    preprocessing = {
        "image_processor_type": "CLIPImageProcessor", "processor_class": "CLIPProcessor", "do_convert_rgb": True, "do_resize": True, "size": {"shortest_edge": train.SIDE}, "resample": 3,
        "do_center_crop": True, "crop_size": {"height": train.SIDE, "width": train.SIDE}, "do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True, "image_mean": train.MEAN, "image_std": train.STD,
    }
    (args.out / "preprocessor_config.json").write_text(json.dumps(preprocessing, indent=2) + "\n")
    print(sum(parameter.numel() for parameter in model.parameters()), "parameters,", sum(path.stat().st_size for path in args.out.iterdir() if path.is_file()), "bytes")


if __name__ == "__main__":
    main()
