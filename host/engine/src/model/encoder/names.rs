//! What the tensors of an encoder are called.
//!
//! Source: transformers, `BertModel`, `RobertaModel`, `DistilBertModel`, `MPNetModel`, `ElectraModel`.

use crate::config::encoder::Family;
use crate::weights::Weights;

/// The names of one file.
pub(super) struct Names {
    family: Family,
    /// What precedes every name where the encoder was saved as a part of something.
    prefix: &'static str,
}

/// Where a layer's parts are, below the layer.
pub(super) struct Places {
    pub(super) mix: [&'static str; 3],
    pub(super) output: &'static str,
    pub(super) attention_norm: &'static str,
    pub(super) up: &'static str,
    pub(super) down: &'static str,
    pub(super) output_norm: &'static str,
}

impl Names {
    /// The names that `weights` has.
    pub(super) fn find(family: Family, weights: &Weights<'_>) -> Self {
        let prefixes = ["", "bert.", "roberta.", "distilbert.", "mpnet.", "electra."];
        let has_words = |prefix: &&&str| weights.has(&format!("{prefix}embeddings.word_embeddings.weight"));
        Self { family, prefix: prefixes.iter().find(has_words).copied().unwrap_or("") }
    }

    pub(super) fn words(&self) -> String {
        format!("{}embeddings.word_embeddings.weight", self.prefix)
    }

    pub(super) fn positions(&self) -> String {
        format!("{}embeddings.position_embeddings.weight", self.prefix)
    }

    pub(super) fn types(&self) -> String {
        format!("{}embeddings.token_type_embeddings.weight", self.prefix)
    }

    pub(super) fn embedding_norm(&self) -> String {
        format!("{}embeddings.LayerNorm", self.prefix)
    }

    /// The bias by distance; only mpnet has one.
    pub(super) fn distance_bias(&self) -> Option<String> {
        let has_bias = self.family == Family::Mpnet;
        has_bias.then(|| format!("{}encoder.relative_attention_bias.weight", self.prefix))
    }

    /// A place of layer number `layer`.
    pub(super) fn layer(&self, layer: usize, place: &str) -> String {
        let layers = if self.family == Family::DistilBert { "transformer" } else { "encoder" };
        format!("{}{layers}.layer.{layer}.{place}", self.prefix)
    }

    pub(super) fn places(&self) -> Places {
        match self.family {
            Family::Bert | Family::Roberta | Family::Electra => Places {
                mix: ["attention.self.query", "attention.self.key", "attention.self.value"],
                output: "attention.output.dense",
                attention_norm: "attention.output.LayerNorm",
                up: "intermediate.dense",
                down: "output.dense",
                output_norm: "output.LayerNorm",
            },
            Family::DistilBert => Places {
                mix: ["attention.q_lin", "attention.k_lin", "attention.v_lin"],
                output: "attention.out_lin",
                attention_norm: "sa_layer_norm",
                up: "ffn.lin1",
                down: "ffn.lin2",
                output_norm: "output_layer_norm",
            },
            Family::Mpnet => Places {
                mix: ["attention.attn.q", "attention.attn.k", "attention.attn.v"],
                output: "attention.attn.o",
                attention_norm: "attention.LayerNorm",
                up: "intermediate.dense",
                down: "output.dense",
                output_norm: "output.LayerNorm",
            },
        }
    }
}
