//! A model that answers, by what it can do.

use std::sync::Arc;

use mimus_engine::{Activity, EmbeddingModel, RerankModel, TextModel, Tokenizer};

use super::catalog::ModelStatus;

/// A model that answers.
#[derive(Clone)]
pub enum Loaded {
    /// It continues text.
    Text(Arc<LoadedModel>),
    /// It turns texts into vectors.
    Embedding(Arc<LoadedEmbedding>),
    /// It scores documents for a query.
    Rerank(Arc<LoadedRerank>),
}

/// A model that continues text.
pub struct LoadedModel {
    /// The name clients use; not the alias by which it was found.
    pub name: String,
    /// The model.
    pub model: Arc<dyn TextModel>,
    /// The configured prompt format, which goes before the model's own template.
    pub template: Option<String>,
    /// When it was loaded, in seconds since 1970.
    pub created_s: u64,
}

/// A model that turns texts into vectors.
pub struct LoadedEmbedding {
    /// The name clients use; not the alias by which it was found.
    pub name: String,
    /// The model.
    pub model: Arc<EmbeddingModel>,
    /// When it was loaded, in seconds since 1970.
    pub created_s: u64,
}

/// A model that scores documents for a query.
pub struct LoadedRerank {
    /// The model.
    pub model: Arc<RerankModel>,
    /// When it was loaded, in seconds since 1970.
    pub created_s: u64,
}

impl Loaded {
    /// The model's own tokenizer.
    pub fn tokenizer(&self) -> &Tokenizer {
        match self {
            Loaded::Text(loaded) => loaded.model.tokenizer(),
            Loaded::Embedding(loaded) => loaded.model.tokenizer(),
            Loaded::Rerank(loaded) => loaded.model.tokenizer(),
        }
    }

    /// What it does now.
    pub(super) fn activity(&self) -> Activity {
        match self {
            Loaded::Text(loaded) => loaded.model.activity(),
            Loaded::Embedding(loaded) => loaded.model.activity(),
            Loaded::Rerank(loaded) => loaded.model.activity(),
        }
    }

    /// Fills in what is known of a model once it is loaded.
    pub(super) fn describe(&self, status: &mut ModelStatus) {
        let abilities: &[&str] = match self {
            Loaded::Text(_) => &["chat", "generate"],
            Loaded::Embedding(_) => &["embed"],
            Loaded::Rerank(_) => &["rerank"],
        };
        status.abilities = abilities.iter().map(|ability| (*ability).to_owned()).collect();
        status.bos_token = self.tokenizer().bos_id();
        match self {
            Loaded::Text(loaded) => {
                let info = loaded.model.info();
                status.architecture.clone_from(&info.architecture);
                status.format.clone_from(&info.format);
                status.quantization.clone_from(&info.quantization);
                status.parameters = info.parameters;
                status.weight_bytes = info.weight_bytes;
                status.context_tokens = info.context_tokens;
                status.vocab_tokens = info.vocab_tokens;
                status.created_s = loaded.created_s;
            }
            Loaded::Embedding(loaded) => {
                let info = loaded.model.info();
                status.architecture.clone_from(&info.architecture);
                status.format.clone_from(&info.format);
                status.parameters = info.parameters;
                status.weight_bytes = info.weight_bytes;
                status.context_tokens = info.context_tokens;
                status.vocab_tokens = info.vocab_tokens;
                status.created_s = loaded.created_s;
            }
            Loaded::Rerank(loaded) => {
                let info = loaded.model.info();
                status.architecture.clone_from(&info.architecture);
                status.format.clone_from(&info.format);
                status.parameters = info.parameters;
                status.weight_bytes = info.weight_bytes;
                status.context_tokens = info.context_tokens;
                status.vocab_tokens = info.vocab_tokens;
                status.created_s = loaded.created_s;
            }
        }
    }
}
