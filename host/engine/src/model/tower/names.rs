//! What the tensors of a layer are called.

/// Whose names a file has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Naming {
    /// transformers, `CLIPEncoderLayer`.
    Clip,
    /// open_clip and OpenAI, `ResidualAttentionBlock`.
    OpenClip,
    /// transformers, `ViTLayer`.
    Vit,
}

/// Where a layer's parts are, below the layer.
pub(super) struct Parts {
    /// Query, key and value: what precedes `weight` and `bias`. One where they are one tensor.
    pub(super) mix: &'static [&'static str],
    pub(super) output: &'static str,
    pub(super) first_norm: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    pub(super) second_norm: &'static str,
}

impl Naming {
    pub(super) fn parts(self) -> Parts {
        match self {
            Self::Clip => Parts {
                mix: &["self_attn.q_proj.", "self_attn.k_proj.", "self_attn.v_proj."],
                output: "self_attn.out_proj",
                first_norm: "layer_norm1",
                up: "mlp.fc1",
                down: "mlp.fc2",
                second_norm: "layer_norm2",
            },
            Self::OpenClip => Parts {
                mix: &["attn.in_proj_"],
                output: "attn.out_proj",
                first_norm: "ln_1",
                up: "mlp.c_fc",
                down: "mlp.c_proj",
                second_norm: "ln_2",
            },
            Self::Vit => Parts {
                mix: &["attention.attention.query.", "attention.attention.key.", "attention.attention.value."],
                output: "attention.output.dense",
                first_norm: "layernorm_before",
                up: "intermediate.dense",
                down: "output.dense",
                second_norm: "layernorm_after",
            },
        }
    }
}
