//! From the first row of a pair to its score.

use super::{Relevance, ScoreForm};
use crate::config::encoder::{EncoderConfig, Family};
use crate::config::scorer::ScoreFunction;
use crate::encoding::dense::{Dense, DenseShape};
use crate::encoding::{Head, Text, check_finite};
use crate::error::{EngineError, LoadError};
use crate::model::encoder::Wanted;
use crate::model::kernel::activations::Activation;
use crate::weights::Weights;

/// The classifier of one label.
pub(crate) struct ScoreHead {
    /// What the first row goes through before the classifier.
    inner: Dense,
    /// The classifier.
    outer: Dense,
    function: ScoreFunction,
}

impl ScoreHead {
    /// Takes the weights of the classifier that a class of transformers has.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    ///
    /// Source: transformers, `BertForSequenceClassification`, `RobertaClassificationHead`,
    /// `DistilBertForSequenceClassification`, `ElectraClassificationHead`, `MPNetClassificationHead`.
    pub(crate) fn load(
        config: &EncoderConfig,
        function: ScoreFunction,
        weights: &mut Weights<'_>,
    ) -> Result<Self, LoadError> {
        let (inner, activation, outer) = match config.family {
            Family::Bert => ("bert.pooler.dense", Activation::Tanh, "classifier"),
            Family::Roberta | Family::Mpnet => ("classifier.dense", Activation::Tanh, "classifier.out_proj"),
            Family::DistilBert => ("pre_classifier", Activation::Relu, "classifier"),
            Family::Electra => ("classifier.dense", Activation::Gelu, "classifier.out_proj"),
        };
        let shape = DenseShape { inputs: config.hidden, outputs: config.hidden, has_bias: true, activation };
        let last = DenseShape { outputs: 1, activation: Activation::Identity, ..shape };
        Ok(Self { inner: Dense::load(inner, shape, weights)?, outer: Dense::load(outer, last, weights)?, function })
    }
}

impl Head for ScoreHead {
    type Form = ScoreForm;
    type Answer = Relevance;

    fn wanted(&self) -> Wanted {
        Wanted::First
    }

    fn finish(&self, rows: &[f32], hidden: usize, text: &Text, form: ScoreForm) -> Result<Relevance, EngineError> {
        let logits = self.outer.apply(&self.inner.apply(&rows[..hidden]));
        check_finite(&logits)?;
        let score = if form == ScoreForm::Score { self.function.apply(logits[0]) } else { logits[0] };
        Ok(Relevance { score, tokens: text.tokens(), is_truncated: text.is_truncated })
    }

    fn size(&self) -> (u64, u64) {
        let (inner, outer) = (self.inner.size(), self.outer.size());
        (inner.0 + outer.0, inner.1 + outer.1)
    }
}
