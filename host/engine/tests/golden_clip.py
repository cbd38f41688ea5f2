"""Makes the tiny models of pictures and texts in `golden/clip-*` and what transformers and OpenAI's code say about them.

Each has random weights and a small real tokenizer. `expect.json` beside it holds texts, their token ids and vectors, and
pictures by their generator's seed with theirs.

To make them again, in a virtual environment (the versions the files were made with):

    pip install torch==2.15.0 transformers==5.23.0 pillow==13.0.0 onnx==1.23.2
    python golden_clip.py
"""

import json
import shutil
from pathlib import Path

import torch
from PIL import Image
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from tokenizers import Regex
from torch import nn
from transformers import CLIPConfig, CLIPImageProcessorPil, CLIPModel, CLIPTextConfig, CLIPVisionConfig, PreTrainedTokenizerFast

FOLDER = Path(__file__).parent / "golden"
VOCAB = 300
BEGIN, END = "<|startoftext|>", "<|endoftext|>"

TEXTS = [
    "a",
    "",
    "A mockingbird, singing.",
    "THE   mockingbird\n sings, in Every voice!",
    "Zwölf Boxkämpfer: 1234",
    "日本 and 😀's <|endoftext|> tail",
]
PICTURES = [(40, 40), (64, 41), (23, 57), (9, 120), (200, 150)]
CORPUS = [
    "The mockingbird sings in every voice, and the other birds listen to the mockingbird.",
    "One server, many clients; many voices, one bird. The server answers and the clients listen.",
    "Zwölf Boxkämpfer jagen Viktor quer über den großen Sylter Deich.",
]


def picture(width, height):
    """The same bytes as the test's `picture`: coarse squares with some noise on them."""
    state, data = width * 1000 + height, bytearray()
    for y in range(height):
        for x in range(width):
            for channel in range(3):
                state = (state * 1103515245 + 12345) % (1 << 31)
                data.append(((x // 7 * 61 + y // 5 * 37 + channel * 80) % 224) + (state >> 16) % 32)
    return Image.frombytes("RGB", (width, height), bytes(data))


def tokenizer(first):
    """A small tokenizer of CLIP's kind; `first` says whether the special tokens have the lowest ids or the highest."""
    inner = Tokenizer(models.BPE(unk_token=END, continuing_subword_prefix="", end_of_word_suffix="</w>"))
    inner.normalizer = normalizers.Sequence([normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()])
    word = r"<\|startoftext\|>|<\|endoftext\|>|'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    inner.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(word), "removed", invert=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    inner.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    ends = [letter + "</w>" for letter in sorted(alphabet)]
    trainer = trainers.BpeTrainer(vocab_size=600, special_tokens=([BEGIN, END] if first else []) + ends, initial_alphabet=alphabet, end_of_word_suffix="</w>", show_progress=False)
    inner.train_from_iterator(CORPUS * 4, trainer)
    state = json.loads(inner.to_str())
    # The letters that end words were special only while the vocabulary was made.
    state["added_tokens"] = [token for token in state["added_tokens"] if token["content"] in (BEGIN, END)]
    inner = Tokenizer.from_str(json.dumps(state))
    if not first:
        inner.add_special_tokens([BEGIN, END])
    inner.post_processor = processors.RobertaProcessing((END, inner.token_to_id(END)), (BEGIN, inner.token_to_id(BEGIN)), trim_offsets=False, add_prefix_space=False)
    return PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=BEGIN, eos_token=END, pad_token=END, unk_token=END)


def randomise(model, seed):
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in [*model.named_parameters(), *model.named_buffers()]:
            if not parameter.is_floating_point():
                continue
            noise = torch.randn(parameter.shape, generator=generator)
            if name.endswith("running_var"):
                parameter.copy_(0.5 + noise.abs())
            elif parameter.dim() <= 1:
                is_scale = name.endswith("weight")
                parameter.copy_((1 if is_scale else 0) + 0.1 * noise)
            elif "embed" in name and parameter.dim() == 2:
                parameter.copy_(0.5 * noise)
            else:
                parameter.copy_(noise / parameter[0].numel() ** 0.5)


def fresh(name):
    folder = FOLDER / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def store_as(path, dtype):
    tensors = {name: value.to(dtype).contiguous() if value.is_floating_point() else value for name, value in load_file(path).items()}
    save_file(tensors, path, metadata={"format": "pt"})


def rounded(vector):
    return [round(float(value), 7) for value in vector]


def expect(folder, words, embed_text, embed_image, process):
    cases = {"texts": [], "pictures": []}
    with torch.no_grad():
        for text in TEXTS:
            ids = words(text)["input_ids"]
            cases["texts"].append({"text": text, "ids": ids, "vector": rounded(embed_text(torch.tensor([ids]))[0])})
        for size in PICTURES:
            pixels = process(picture(*size))
            cases["pictures"].append({"size": size, "vector": rounded(embed_image(pixels)[0])})
    (folder / "expect.json").write_text(json.dumps(cases, separators=(",", ":"), ensure_ascii=False))
    print(folder.name, sum(f.stat().st_size for f in folder.rglob("*") if f.is_file()), "bytes")


def pooled(output):
    return output if isinstance(output, torch.Tensor) else output.pooler_output


def transformers_model(name, seed, text, vision, first, side, dtype=None, size=None):
    folder = fresh(name)
    words = tokenizer(first)
    end = text.pop("eos_token_id", None) or words.eos_token_id
    shape = dict(hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4)
    config = CLIPConfig(
        text_config=CLIPTextConfig(**{**shape, **text}, vocab_size=len(words), max_position_embeddings=77, eos_token_id=end, bos_token_id=words.bos_token_id, pad_token_id=words.pad_token_id).to_dict(),
        vision_config=CLIPVisionConfig(**{**shape, **vision}, image_size=side).to_dict(),
        projection_dim=24)
    model = CLIPModel(config)
    randomise(model, seed)
    model.save_pretrained(folder)
    if dtype:
        store_as(folder / "model.safetensors", dtype)
        model = CLIPModel.from_pretrained(folder, dtype=torch.float32)
    model.eval()
    words.save_pretrained(folder)
    process = CLIPImageProcessorPil(size=size or {"shortest_edge": side}, crop_size={"height": side, "width": side})
    process.save_pretrained(folder)
    expect(
        folder, words,
        lambda ids: pooled(model.get_text_features(input_ids=ids)),
        lambda pixels: pooled(model.get_image_features(pixel_values=pixels)),
        lambda image: process(image, return_tensors="pt")["pixel_values"])
    return folder, words


class Bottleneck(nn.Module):
    """As in openai/CLIP."""

    def __init__(self, inputs, inside, stride):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(inputs, inside, 1, bias=False), nn.BatchNorm2d(inside)
        self.conv2, self.bn2 = nn.Conv2d(inside, inside, 3, padding=1, bias=False), nn.BatchNorm2d(inside)
        self.conv3, self.bn3 = nn.Conv2d(inside, inside * 4, 1, bias=False), nn.BatchNorm2d(inside * 4)
        self.avgpool = nn.AvgPool2d(stride) if stride > 1 else nn.Identity()
        self.downsample = None
        if stride > 1 or inputs != inside * 4:
            self.downsample = nn.ModuleDict({"-1": nn.AvgPool2d(stride), "0": nn.Conv2d(inputs, inside * 4, 1, bias=False), "1": nn.BatchNorm2d(inside * 4)})

    def forward(self, x):
        out = torch.relu(self.bn1(self.conv1(x)))
        out = torch.relu(self.bn2(self.conv2(out)))
        out = self.bn3(self.conv3(self.avgpool(out)))
        if self.downsample is not None:
            for part in ["-1", "0", "1"]:
                x = self.downsample[part](x)
        return torch.relu(out + x)


class AttentionPool(nn.Module):
    def __init__(self, grid, channels, heads, outputs):
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.zeros(grid * grid + 1, channels))
        self.q_proj, self.k_proj, self.v_proj = (nn.Linear(channels, channels) for _ in range(3))
        self.c_proj = nn.Linear(channels, outputs)
        self.heads = heads

    def forward(self, x):
        x = x.flatten(2).permute(2, 0, 1)
        x = torch.cat([x.mean(0, keepdim=True), x]) + self.positional_embedding[:, None]
        x, _ = nn.functional.multi_head_attention_forward(
            x[:1], x, x, x.shape[-1], self.heads, None, torch.cat([self.q_proj.bias, self.k_proj.bias, self.v_proj.bias]), None, None, False, 0.0,
            self.c_proj.weight, self.c_proj.bias, q_proj_weight=self.q_proj.weight, k_proj_weight=self.k_proj.weight, v_proj_weight=self.v_proj.weight,
            use_separate_proj_weight=True, training=False, need_weights=False)
        return x[0]


class ModifiedResNet(nn.Module):
    def __init__(self, blocks, width, heads, side, outputs):
        super().__init__()
        half = width // 2
        self.conv1, self.bn1 = nn.Conv2d(3, half, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv2, self.bn2 = nn.Conv2d(half, half, 3, padding=1, bias=False), nn.BatchNorm2d(half)
        self.conv3, self.bn3 = nn.Conv2d(half, width, 3, padding=1, bias=False), nn.BatchNorm2d(width)
        inputs = width
        for layer, count in enumerate(blocks):
            parts = []
            for index in range(count):
                parts.append(Bottleneck(inputs, width << layer, 2 if index == 0 and layer > 0 else 1))
                inputs = (width << layer) * 4
            setattr(self, f"layer{layer + 1}", nn.Sequential(*parts))
        self.attnpool = AttentionPool(side // 32, inputs, heads, outputs)

    def forward(self, x):
        for conv, norm in (self.conv1, self.bn1), (self.conv2, self.bn2), (self.conv3, self.bn3):
            x = torch.relu(norm(conv(x)))
        x = nn.functional.avg_pool2d(x, 2)
        for layer in (self.layer1, self.layer2, self.layer3, self.layer4):
            x = layer(x)
        return self.attnpool(x)


class Residual(nn.Module):
    def __init__(self, width, heads, quick):
        super().__init__()
        self.attn = nn.MultiheadAttention(width, heads)
        self.ln_1, self.ln_2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.mlp = nn.ModuleDict({"c_fc": nn.Linear(width, width * 4), "c_proj": nn.Linear(width * 4, width)})
        self.quick = quick

    def forward(self, x, mask=None):
        normed = self.ln_1(x)
        x = x + self.attn(normed, normed, normed, need_weights=False, attn_mask=mask)[0]
        wide = self.mlp["c_fc"](self.ln_2(x))
        wide = wide * torch.sigmoid(1.702 * wide) if self.quick else nn.functional.gelu(wide)
        return x + self.mlp["c_proj"](wide)


class Transformer(nn.Module):
    def __init__(self, width, heads, layers, quick):
        super().__init__()
        self.resblocks = nn.ModuleList(Residual(width, heads, quick) for _ in range(layers))

    def forward(self, x, mask=None):
        for block in self.resblocks:
            x = block(x, mask)
        return x


class VisionTransformer(nn.Module):
    def __init__(self, side, patch, width, layers, heads, outputs, quick):
        super().__init__()
        self.conv1 = nn.Conv2d(3, width, patch, stride=patch, bias=False)
        self.class_embedding = nn.Parameter(torch.zeros(width))
        self.positional_embedding = nn.Parameter(torch.zeros((side // patch) ** 2 + 1, width))
        self.ln_pre, self.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.transformer = Transformer(width, heads, layers, quick)
        self.proj = nn.Parameter(torch.zeros(width, outputs))

    def forward(self, x):
        x = self.conv1(x).flatten(2).permute(0, 2, 1)
        x = torch.cat([self.class_embedding.expand(len(x), 1, -1), x], 1) + self.positional_embedding
        x = self.transformer(self.ln_pre(x).permute(1, 0, 2)).permute(1, 0, 2)
        return self.ln_post(x[:, 0]) @ self.proj


class Clip(nn.Module):
    """As in openai/CLIP."""

    def __init__(self, visual, outputs, vocab, width=64, heads=1, layers=2, quick=True):
        super().__init__()
        self.visual = visual
        self.transformer = Transformer(width, heads, layers, quick)
        self.token_embedding = nn.Embedding(vocab, width)
        self.positional_embedding = nn.Parameter(torch.zeros(77, width))
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.zeros(width, outputs))
        self.logit_scale = nn.Parameter(torch.ones([]))

    def embed_text(self, ids):
        x = self.token_embedding(ids) + self.positional_embedding[: ids.shape[1]]
        mask = torch.full((ids.shape[1], ids.shape[1]), float("-inf")).triu_(1)
        x = self.ln_final(self.transformer(x.permute(1, 0, 2), mask).permute(1, 0, 2))
        return x[torch.arange(len(x)), ids.argmax(-1)] @ self.text_projection


def openai_model(name, seed, visual, outputs, side, dtype=torch.float32, weights="model.safetensors", **options):
    folder = fresh(name)
    words = tokenizer(first=False)
    model = Clip(visual, outputs, len(words), **options)
    randomise(model, seed)
    save_file({key: value.to(dtype).contiguous() if value.is_floating_point() else value for key, value in model.state_dict().items()}, folder / weights)
    model.load_state_dict({key: value.float() if value.is_floating_point() else value for key, value in load_file(folder / weights).items()})
    model.eval()
    process = CLIPImageProcessorPil(size={"shortest_edge": side}, crop_size={"height": side, "width": side})
    words.save_pretrained(folder)
    state = json.loads((folder / "tokenizer.json").read_text())
    for path in folder.glob("*.json"):
        path.unlink()
    # As in folders from before tokenizer.json.
    vocabulary = {**state["model"]["vocab"], **{token["content"]: token["id"] for token in state["added_tokens"]}}
    (folder / "vocab.json").write_text(json.dumps(vocabulary, ensure_ascii=False, separators=(",", ":")))
    merges = [pair if isinstance(pair, str) else " ".join(pair) for pair in state["model"]["merges"]]
    (folder / "merges.txt").write_text("#version: 0.2\n" + "".join(f"{pair}\n" for pair in merges))
    expect(folder, words, model.embed_text, model.visual, lambda image: process(image, return_tensors="pt")["pixel_values"])
    return folder


def onnx_model(name, seed):
    """Two graphs as Roboflow's packages have them: the batch of pictures is free, texts go in one by one."""
    side = 32
    visual = VisionTransformer(side, 16, 32, 1, 2, 20, quick=True)
    folder = openai_model(name, seed, visual, 20, side=side, layers=1)
    model = Clip(visual, 20, len(json.loads((folder / "vocab.json").read_text())), layers=1)
    model.load_state_dict(load_file(folder / "model.safetensors"))
    (folder / "model.safetensors").unlink()
    model.eval()
    torch.onnx.export(visual, (torch.zeros(1, 3, side, side),), folder / "visual.onnx", input_names=["input"], output_names=["output"], dynamic_axes={"input": {0: "batch"}, "output": {0: "batch"}}, dynamo=False)

    del model.visual
    model.forward = model.embed_text
    torch.onnx.export(model, (torch.ones(1, 77, dtype=torch.int32),), folder / "textual.onnx", input_names=["input"], output_names=["output"], dynamo=False)


if __name__ == "__main__":
    torch.manual_seed(3)
    torch.set_num_threads(1)
    # As OpenAI's own files: the highest id ends a text.
    transformers_model("clip-quick", 1, dict(eos_token_id=2), dict(patch_size=8, num_attention_heads=2), first=False, side=32)
    # Another end token, other activations, half precision, cut from a larger picture.
    transformers_model("clip-gelu", 2, dict(hidden_act="gelu", hidden_size=40), dict(patch_size=6, hidden_act="gelu"), first=True, side=30, dtype=torch.float16, size={"shortest_edge": 36})
    openai_model("clip-resnet", 3, ModifiedResNet([2, 1, 1, 1], 2, 1, 64, 24), 24, side=64, dtype=torch.float16)
    folder = openai_model("clip-open", 4, VisionTransformer(32, 16, 64, 2, 4, 20, quick=False), 20, side=32, dtype=torch.bfloat16, weights="open_clip_model.safetensors", quick=False, heads=4)
    onnx_model("clip-onnx", 5)
    (folder / "open_clip_config.json").write_text(json.dumps({
        "model_cfg": {"embed_dim": 20, "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "patch_size": 16, "head_width": 16}, "text_cfg": {"context_length": 77, "width": 64, "heads": 4, "layers": 2}},
        "preprocess_cfg": {"mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711]}}))
