//! What executes tokens: decoders of the Llama family and of scripts, and encoders of texts and pictures.

pub(crate) mod affine;
pub(crate) mod attention;
pub(crate) mod clip;
pub(crate) mod decoder;
pub(crate) mod encoder;
pub(crate) mod kernel;
pub(crate) mod line_decoder;
pub(crate) mod linear;
pub(crate) mod names;
pub(crate) mod norm;
pub(crate) mod resnet;
pub(crate) mod rope;
pub(crate) mod tower;
pub(crate) mod vit;

use crate::error::EngineError;
use crate::kv_cache::{BlockId, KvCache, KvShape};

/// Computes the next token's logits for rows of many sequences at once.
pub(crate) trait Decoder: Send {
    /// What a cache for this model stores.
    fn kv_shape(&self) -> KvShape;

    /// Tokens of the vocabulary: the width of a row of logits.
    fn vocab(&self) -> usize;

    /// Computes the rows of all `spans`, stores their keys and values, and appends to `logits` the rows that
    /// each span asks for, `[rows, vocab]` in the order of the spans.
    ///
    /// A row's numbers do not depend on the other rows of the batch. Computing a span again gives the same.
    ///
    /// # Errors
    /// [`EngineError::Failed`]; nothing is known about `logits` then.
    fn forward(&mut self, spans: &[Span<'_>], cache: &mut KvCache, logits: &mut Vec<f32>) -> Result<(), EngineError>;
}

/// Consecutive tokens of one sequence that go through the model in one step.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Span<'a> {
    /// The sequence up to the span's end; its last part is the span.
    pub(crate) tokens: &'a [u32],
    /// Position of the span's first token; what is before it is in the cache.
    pub(crate) start: usize,
    /// How many of the sequence's tokens are the prompt.
    pub(crate) prompt_tokens: usize,
    /// The sequence's blocks, enough for `tokens`.
    pub(crate) blocks: &'a [BlockId],
    /// Which rows give logits.
    pub(crate) logits: LogitRows,
}

/// Which rows of a span give logits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum LogitRows {
    /// No row: the prompt goes on.
    None,
    /// The last row.
    Last,
    /// Every row, to score the prompt.
    All,
}

impl Span<'_> {
    /// Rows of the span.
    pub(crate) fn rows(&self) -> usize {
        self.tokens.len() - self.start
    }

    /// Rows of logits that it gives.
    pub(crate) fn logit_rows(&self) -> usize {
        match self.logits {
            LogitRows::None => 0,
            LogitRows::Last => 1,
            LogitRows::All => self.rows(),
        }
    }
}
