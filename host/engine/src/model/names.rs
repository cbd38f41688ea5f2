//! What the tensors of a decoder are called in each file format.

/// A tensor of a decoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TensorName {
    /// Token embeddings, `[vocab, hidden]`.
    Embedding,
    /// The head, `[vocab, hidden]`; absent where it is tied to the embeddings.
    Head,
    /// The norm before the head, `[hidden]`.
    FinalNorm,
    /// Divisors of the rotary frequencies, `[head_dim / 2]`; GGUF only.
    RopeDivisors,
    /// A tensor of layer number `.0`.
    Layer(usize, LayerTensor),
}

/// A tensor of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LayerTensor {
    AttentionNorm,
    Query,
    QueryBias,
    QueryNorm,
    Key,
    KeyBias,
    KeyNorm,
    Value,
    ValueBias,
    Output,
    OutputBias,
    FeedForwardNorm,
    Gate,
    GateBias,
    Up,
    UpBias,
    Down,
    DownBias,
}

impl TensorName {
    /// The name in a safetensors file.
    ///
    /// Source: transformers, `LlamaForCausalLM`, `Qwen2ForCausalLM`, `Qwen3ForCausalLM`.
    pub(crate) fn safetensors(self) -> String {
        match self {
            Self::Embedding => "model.embed_tokens.weight".to_owned(),
            Self::Head => "lm_head.weight".to_owned(),
            Self::FinalNorm => "model.norm.weight".to_owned(),
            Self::RopeDivisors => "rope_freqs.weight".to_owned(),
            Self::Layer(layer, tensor) => format!("model.layers.{layer}.{}", tensor.safetensors()),
        }
    }

    /// The name in a GGUF file.
    ///
    /// Source: llama.cpp, `src/llama-arch.cpp`.
    pub(crate) fn gguf(self) -> String {
        match self {
            Self::Embedding => "token_embd.weight".to_owned(),
            Self::Head => "output.weight".to_owned(),
            Self::FinalNorm => "output_norm.weight".to_owned(),
            Self::RopeDivisors => "rope_freqs.weight".to_owned(),
            Self::Layer(layer, tensor) => format!("blk.{layer}.{}", tensor.gguf()),
        }
    }
}

impl LayerTensor {
    fn safetensors(self) -> &'static str {
        match self {
            Self::AttentionNorm => "input_layernorm.weight",
            Self::Query => "self_attn.q_proj.weight",
            Self::QueryBias => "self_attn.q_proj.bias",
            Self::QueryNorm => "self_attn.q_norm.weight",
            Self::Key => "self_attn.k_proj.weight",
            Self::KeyBias => "self_attn.k_proj.bias",
            Self::KeyNorm => "self_attn.k_norm.weight",
            Self::Value => "self_attn.v_proj.weight",
            Self::ValueBias => "self_attn.v_proj.bias",
            Self::Output => "self_attn.o_proj.weight",
            Self::OutputBias => "self_attn.o_proj.bias",
            Self::FeedForwardNorm => "post_attention_layernorm.weight",
            Self::Gate => "mlp.gate_proj.weight",
            Self::GateBias => "mlp.gate_proj.bias",
            Self::Up => "mlp.up_proj.weight",
            Self::UpBias => "mlp.up_proj.bias",
            Self::Down => "mlp.down_proj.weight",
            Self::DownBias => "mlp.down_proj.bias",
        }
    }

    fn gguf(self) -> &'static str {
        match self {
            Self::AttentionNorm => "attn_norm.weight",
            Self::Query => "attn_q.weight",
            Self::QueryBias => "attn_q.bias",
            Self::QueryNorm => "attn_q_norm.weight",
            Self::Key => "attn_k.weight",
            Self::KeyBias => "attn_k.bias",
            Self::KeyNorm => "attn_k_norm.weight",
            Self::Value => "attn_v.weight",
            Self::ValueBias => "attn_v.bias",
            Self::Output => "attn_output.weight",
            Self::OutputBias => "attn_output.bias",
            Self::FeedForwardNorm => "ffn_norm.weight",
            Self::Gate => "ffn_gate.weight",
            Self::GateBias => "ffn_gate.bias",
            Self::Up => "ffn_up.weight",
            Self::UpBias => "ffn_up.bias",
            Self::Down => "ffn_down.weight",
            Self::DownBias => "ffn_down.bias",
        }
    }
}
