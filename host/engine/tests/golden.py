"""Makes the tiny models in `golden/` and what transformers says about them.

Each model has random weights and a small real tokenizer. `expect.json` beside it holds, for a few prompts, the
token ids, the greedy continuation of 64 tokens with log-probabilities, and the log-probabilities of the prompt.
The seeds are chosen so that no greedy step is a near tie.

To make them again, in a virtual environment (the versions the files were made with):

    pip install torch==2.15.0 transformers==5.23.0 gguf==0.19.0 sentencepiece==0.2.3
    python golden.py
"""

import json
import shutil
from pathlib import Path

import gguf
import numpy
import sentencepiece
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from tokenizers.processors import ByteLevel as ByteLevelProcessor
from transformers import (
    LlamaConfig,
    LlamaForCausalLM,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen2ForCausalLM,
    Qwen3Config,
    Qwen3ForCausalLM,
)

FOLDER = Path(__file__).parent / "golden"
VOCAB = 288
GREEDY = 64
TOP = 5
# The least distance between the best and the second best logit on a greedy path.
MARGIN = 2e-3

PROMPTS = [
    "a",
    "The mockingbird sings in every voice.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich, 1234 times. " * 2,
    "fn main() {\n    println!(\"hello\");\n}\n",
    "日本語 and 😀 in one line, then a long, long, long tail of words that goes on and on past the next block.",
]

TEXT = [
    "The mockingbird sings in every voice, and the other birds listen to the mockingbird.",
    "One server, many clients; many voices, one bird. The server answers and the clients listen.",
    "fn main() { let voice = bird.sing(); println!(\"{}\", voice); }",
    "Numbers such as 12, 345 and 6789 are there too, in the long line of words.",
]


def byte_level_tokenizer():
    """A byte-level BPE tokenizer of VOCAB tokens, two of them special."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = ByteLevelProcessor(trim_offsets=False)
    trainer = trainers.BpeTrainer(
        vocab_size=VOCAB,
        special_tokens=["<|endoftext|>", "<|im_end|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(TEXT * 4, trainer)
    assert tokenizer.get_vocab_size() == VOCAB
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<|im_end|>")


def randomise(model, seed):
    """Random weights that give lively logits, biases and norms included."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if "norm" in name:
                parameter.copy_(1 + 0.1 * noise)
            elif "embed" in name or "lm_head" in name:
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(noise / parameter.shape[-1] ** 0.5)


def round_to(model, dtype):
    """Rounds the weights as they will be stored. `model.to(dtype)` would round the rotary frequencies too."""
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(parameter.to(dtype).float())


def continuation(model, ids):
    """The greedy continuation; None where a step is a near tie or an end token comes."""
    tokens, steps = list(ids), []
    for _ in range(GREEDY):
        with torch.no_grad():
            row = model(torch.tensor([tokens])).logits[0, -1].float()
        best = torch.topk(row, TOP)
        if (best.values[0] - best.values[1]).item() < MARGIN:
            return None
        probs = torch.log_softmax(row, -1)
        top = [[int(i), round(float(probs[i]), 5)] for i in best.indices]
        steps.append({"id": top[0][0], "top": top})
        tokens.append(top[0][0])
    return steps


def expectations(model, encode, decode):
    """What the model says to every prompt; None where a greedy path is too close."""
    cases = []
    for text in PROMPTS:
        ids = encode(text)
        steps = continuation(model, ids)
        if steps is None:
            return None
        with torch.no_grad():
            probs = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)
        prompt = [round(float(probs[i, token]), 5) for i, token in enumerate(ids[1:])]
        generated = [step["id"] for step in steps]
        cases.append({"text": text, "ids": ids, "prompt": prompt, "steps": steps, "output": decode(generated)})
    return cases


def save(name, expect):
    """Writes one model's expectations."""
    with open(FOLDER / name / "expect.json", "w") as file:
        json.dump(expect, file, separators=(",", ":"), ensure_ascii=False)


def make(name, build, dtype=torch.float32, shard=None):
    """Makes one model folder with the first seed that gives clear greedy paths."""
    tokenizer = byte_level_tokenizer()
    for seed in range(1000):
        model = build().eval()
        randomise(model, seed)
        # Computed in f32, as the engine does.
        round_to(model, dtype)
        expect = expectations(model, tokenizer.encode, lambda ids: tokenizer.decode(ids, skip_special_tokens=True))
        if expect is not None:
            break
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    model.to(dtype).save_pretrained(folder, max_shard_size=shard or "1GB")
    tokenizer.save_pretrained(folder)
    save(name, expect)
    print(name, "seed", seed, sum(file.stat().st_size for file in folder.iterdir()), "bytes")


def llama():
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCAB, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=False,
            bos_token_id=None, eos_token_id=1,
        )
    )


def llama3():
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=VOCAB, hidden_size=48, intermediate_size=80, num_hidden_layers=2, num_attention_heads=2,
            num_key_value_heads=1, head_dim=24, max_position_embeddings=512, tie_word_embeddings=True,
            rope_parameters={
                "rope_type": "llama3", "rope_theta": 10000.0, "factor": 8.0, "low_freq_factor": 1.0,
                "high_freq_factor": 4.0, "original_max_position_embeddings": 64,
            },
            bos_token_id=None, eos_token_id=1,
        )
    )


def qwen2():
    return Qwen2ForCausalLM(
        Qwen2Config(
            vocab_size=VOCAB, hidden_size=64, intermediate_size=96, num_hidden_layers=2, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=512, tie_word_embeddings=True,
            rope_parameters={"rope_type": "default", "rope_theta": 1000000.0},
            bos_token_id=None, eos_token_id=1,
        )
    )


def qwen3():
    return Qwen3ForCausalLM(
        Qwen3Config(
            vocab_size=VOCAB, hidden_size=48, intermediate_size=80, num_hidden_layers=3, num_attention_heads=4,
            num_key_value_heads=2, head_dim=32, max_position_embeddings=512, tie_word_embeddings=True,
            bos_token_id=None, eos_token_id=1,
        )
    )


def sentencepiece_model():
    """A sentencepiece BPE vocabulary of VOCAB tokens with all bytes."""
    path = FOLDER / "sentencepiece"
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(TEXT * 4), model_prefix=str(path), vocab_size=VOCAB + 40, model_type="bpe",
        byte_fallback=True, character_coverage=0.98, hard_vocab_limit=False, normalization_rule_name="identity",
        remove_extra_whitespaces=False, minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_file=f"{path}.model")
    for ending in ("model", "vocab"):
        path.with_suffix(f".{ending}").unlink()
    return processor


def gguf_name(name):
    """What llama.cpp calls a tensor."""
    pairs = [
        ("model.embed_tokens", "token_embd"), ("lm_head", "output"), ("model.norm", "output_norm"),
        ("model.layers.", "blk."), ("input_layernorm", "attn_norm"), ("post_attention_layernorm", "ffn_norm"),
        ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"),
        ("self_attn.o_proj", "attn_output"), ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"),
        ("mlp.down_proj", "ffn_down"),
    ]
    for old, new in pairs:
        name = name.replace(old, new)
    return name


def permute(weights, heads):
    """Rows of queries or keys as llama.cpp's converter reorders them for interleaved pairs."""
    rows = weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
    return rows.swapaxes(1, 2).reshape(weights.shape)


def write_metadata(writer, config):
    """The shape of a model."""
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])


def write(writer):
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def make_gguf_llama():
    """A llama with f16 weights and a sentencepiece vocabulary."""
    name = "llama-gguf"
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    processor = sentencepiece_model()
    size = processor.get_piece_size()
    for seed in range(1000):
        config = llama().config
        config.vocab_size = size
        model = LlamaForCausalLM(config).eval()
        randomise(model, seed)
        round_to(model, torch.float16)
        expect = expectations(model, lambda text: [1] + processor.encode(text), processor.decode)
        if expect is not None:
            break
    writer = gguf.GGUFWriter(folder / "model.gguf", "llama")
    write_metadata(writer, config)
    writer.add_tokenizer_model("llama")
    pieces = range(size)
    kinds = {True: gguf.TokenType.NORMAL}
    writer.add_token_list([processor.id_to_piece(i) for i in pieces])
    writer.add_token_scores([processor.get_score(i) for i in pieces])
    writer.add_token_types([
        gguf.TokenType.UNKNOWN if processor.is_unknown(i)
        else gguf.TokenType.CONTROL if processor.is_control(i)
        else gguf.TokenType.BYTE if processor.is_byte(i)
        else kinds[True]
        for i in pieces
    ])
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_add_bos_token(True)
    for key, tensor in model.state_dict().items():
        values = tensor.numpy()
        if "q_proj" in key:
            values = permute(values, config.num_attention_heads)
        if "k_proj" in key:
            values = permute(values, config.num_key_value_heads)
        # The converter keeps vectors in f32.
        values = values.astype(numpy.float32 if values.ndim == 1 else numpy.float16)
        writer.add_tensor(gguf_name(key), numpy.ascontiguousarray(values))
    write(writer)
    save(name, expect)
    print(name, "seed", seed, sum(file.stat().st_size for file in folder.iterdir()), "bytes")


def make_gguf_qwen2():
    """A qwen2 with Q8_0 weights and a byte-level vocabulary."""
    name = "qwen2-gguf"
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    tokenizer = byte_level_tokenizer()
    kind = gguf.GGMLQuantizationType.Q8_0
    for seed in range(1000):
        model = qwen2().eval()
        randomise(model, seed)
        stored = {}
        with torch.no_grad():
            for key, parameter in model.named_parameters():
                values = parameter.numpy()
                if values.ndim == 2:
                    stored[key] = gguf.quantize(values, kind)
                    parameter.copy_(torch.from_numpy(gguf.dequantize(stored[key], kind)))
                else:
                    stored[key] = values.copy()
        expect = expectations(model, tokenizer.encode, lambda ids: tokenizer.decode(ids, skip_special_tokens=True))
        if expect is not None:
            break
    writer = gguf.GGUFWriter(folder / "model.gguf", "qwen2")
    write_metadata(writer, model.config)
    vocabulary = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
    by_id = {i: token for token, i in tokenizer.get_vocab().items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("default")
    writer.add_token_list([by_id[i] for i in range(VOCAB)])
    writer.add_token_types([gguf.TokenType.CONTROL if i < 2 else gguf.TokenType.NORMAL for i in range(VOCAB)])
    writer.add_token_merges([" ".join(pair) for pair in vocabulary["merges"]])
    writer.add_eos_token_id(1)
    writer.add_chat_template("{{ messages[0].content }}")
    for key, values in stored.items():
        quantized = kind if values.dtype == numpy.uint8 else None
        writer.add_tensor(gguf_name(key), values, raw_dtype=quantized)
    write(writer)
    save(name, expect)
    print(name, "seed", seed, sum(file.stat().st_size for file in folder.iterdir()), "bytes")


if __name__ == "__main__":
    torch.set_num_threads(1)
    FOLDER.mkdir(exist_ok=True)
    make("llama", llama)
    make("llama3", llama3)
    make("qwen2", qwen2, torch.bfloat16)
    make("qwen3", qwen3, torch.bfloat16, shard="100KB")
    make_gguf_llama()
    make_gguf_qwen2()
