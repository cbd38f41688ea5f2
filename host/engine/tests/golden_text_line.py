"""Makes the tiny models that read lines in `golden/line-*` and what transformers reads with them.

Each has random weights and a small real tokenizer. `expect.json` beside it holds pictures by the size their generator is
given, the tokens of the greedy search, the text and the geometric mean of the tokens' probabilities.

To make them again, in a virtual environment (the versions the files were made with):

    pip install torch==2.15.0 transformers==5.23.0 pillow==13.0.0
    python golden_text_line.py
"""

import json

import torch
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import (
    DeiTConfig,
    GenerationConfig,
    PreTrainedTokenizerFast,
    TrOCRConfig,
    ViTConfig,
    ViTImageProcessorPil,
    VisionEncoderDecoderConfig,
    VisionEncoderDecoderModel,
)

from golden_clip import CORPUS, fresh, picture, randomise, store_as

PICTURES = [(40, 40), (120, 17), (33, 64), (9, 120), (77, 20)]
# Two best tokens that are closer than this are a tie, which the order of sums decides; such a picture is left out.
TIE = 1e-3
SPECIAL = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def special(inner):
    inner.post_processor = processors.TemplateProcessing(single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token="<s>", eos_token="</s>", unk_token="<unk>", pad_token="<pad>", mask_token="<mask>")


def byte_level():
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    inner.decoder = decoders.ByteLevel()
    inner.train_from_iterator(CORPUS * 4, trainers.BpeTrainer(vocab_size=300, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    return special(inner)


def unigram():
    inner = Tokenizer(models.Unigram())
    inner.normalizer = normalizers.NFKC()
    inner.pre_tokenizer = pre_tokenizers.Metaspace()
    inner.decoder = decoders.Metaspace()
    inner.train_from_iterator(CORPUS * 4, trainers.UnigramTrainer(vocab_size=200, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False))
    return special(inner)


def reader(name, seed, encoder, words, decoder, dtype=None, tied=True):
    folder = fresh(name)
    side = encoder.image_size
    config = VisionEncoderDecoderConfig.from_encoder_decoder_configs(encoder, TrOCRConfig(vocab_size=len(words), max_position_embeddings=30, tie_word_embeddings=tied, **decoder))
    config.tie_word_embeddings = tied
    config.decoder_start_token_id, config.pad_token_id, config.eos_token_id = 2, 1, 2
    model = VisionEncoderDecoderModel(config)
    randomise(model, seed)
    with torch.no_grad():
        # Otherwise each token would foretell itself.
        model.decoder.model.decoder.embed_tokens.weight *= 0.1 if tied else 1
    model.generation_config = GenerationConfig(decoder_start_token_id=2, eos_token_id=2, pad_token_id=1, bos_token_id=0, max_length=24)
    model.save_pretrained(folder)
    if dtype:
        store_as(folder / "model.safetensors", dtype)
        model = VisionEncoderDecoderModel.from_pretrained(folder, dtype=torch.float32)
    model.eval()
    words.save_pretrained(folder)
    process = ViTImageProcessorPil(size={"height": side, "width": side})
    process.save_pretrained(folder)
    cases = []
    for size in PICTURES:
        pixels = process(picture(*size), return_tensors="pt")["pixel_values"]
        with torch.no_grad():
            out = model.generate(pixels, num_beams=1, do_sample=False, output_scores=True, return_dict_in_generate=True)
        tokens = out.sequences[0][1:]
        best = torch.stack([score[0].topk(2).values for score in out.scores])
        if (best[:, 0] - best[:, 1]).min() < TIE:
            continue
        logprobs = [torch.log_softmax(score[0].double(), -1)[token] for score, token in zip(out.scores, tokens)]
        text = words.decode(tokens, skip_special_tokens=True, clean_up_tokenization_spaces=False)
        cases.append({"size": size, "tokens": tokens.tolist(), "text": text.strip(), "confidence": float(torch.stack(logprobs).mean().exp())})
    (folder / "expect.json").write_text(json.dumps(cases, separators=(",", ":"), ensure_ascii=False))
    print(folder.name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()), "bytes", cases)
    return folder


if __name__ == "__main__":
    torch.set_num_threads(1)
    shape = dict(hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, patch_size=8)
    layers = dict(decoder_layers=2, decoder_attention_heads=2, decoder_ffn_dim=40)
    # As the base and large models: no biases, positions of a table, rows of another width; an old tokenizer's files.
    folder = reader("line-vit", 11, ViTConfig(**shape, image_size=32, qkv_bias=False), byte_level(), dict(**layers, d_model=24, cross_attention_hidden_size=32), dtype=torch.float16, tied=False)
    state = json.loads((folder / "tokenizer.json").read_text())
    (folder / "vocab.json").write_text(json.dumps(state["model"]["vocab"], ensure_ascii=False, separators=(",", ":")))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in state["model"]["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{pair}\n" for pair in merges))
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    # As the small models: distilled, positions of sines, scaled embeddings without a norm; the rows are brought to the width.
    reader("line-deit", 12, DeiTConfig(**shape, image_size=40), unigram(), dict(**layers, d_model=28, use_learned_position_embeddings=False, scale_embedding=True, layernorm_embedding=False, activation_function="relu"))
