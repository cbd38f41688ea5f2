//! From the rows of a text to its vector: pooling, then what the model's files put after it.

use super::Embedding;
use crate::config::sentence::{Module, Pooling, SentenceConfig};
use crate::encoding::dense::Dense;
use crate::encoding::{Head, Text, check_finite};
use crate::error::{EngineError, LoadError};
use crate::load::Progress;
use crate::model::encoder::Wanted;
use crate::source::Files;
use crate::weights::safetensors::Safetensors;
use crate::weights::{Reading, Store, Weights};

/// The steps after the encoder.
pub(crate) struct VectorHead {
    kinds: Vec<Pooling>,
    includes_prompt: bool,
    steps: Vec<Step>,
    dimensions: usize,
}

/// What happens to a pooled vector.
enum Step {
    Dense(Dense),
    Normalize,
}

/// What the vectors of one request look like.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct VectorForm {
    /// Numbers of a vector, at most those of the model.
    pub(crate) dimensions: usize,
    /// Whether it has length 1; `None`: as the model's steps end.
    pub(crate) normalize: Option<bool>,
}

impl VectorHead {
    /// Reads the steps that `config` names.
    ///
    /// * `hidden`: width of the encoder's rows.
    /// * `reading`: `None` for their sizes alone.
    ///
    /// # Errors
    /// [`LoadError`] when widths do not fit or weights are missing.
    pub(crate) fn load(
        files: &Files,
        config: &SentenceConfig,
        hidden: usize,
        reading: Option<Reading<'_>>,
    ) -> Result<Self, LoadError> {
        // Their few bytes are not part of the progress.
        let reading = reading.map(|reading| Reading { progress: &Progress::ignore, ..reading });
        let mut head = Self { kinds: Vec::new(), includes_prompt: true, steps: Vec::new(), dimensions: hidden };
        for module in &config.modules {
            match module {
                Module::Pooling { kinds, includes_prompt } => {
                    head.kinds.clone_from(kinds);
                    head.includes_prompt = *includes_prompt;
                    head.dimensions = hidden * kinds.len();
                }
                Module::Normalize => head.steps.push(Step::Normalize),
                Module::Dense { folder, shape } => {
                    if shape.inputs != head.dimensions {
                        let reason = format!("takes {} numbers of {}", shape.inputs, head.dimensions);
                        return Err(LoadError::tensor(&format!("{folder}/linear.weight"), reason));
                    }
                    let store = Safetensors::open(&files.folder(folder)?)?;
                    let mut weights = Weights::new(Store::Safetensors(&store), reading);
                    head.steps.push(Step::Dense(Dense::load("linear", *shape, &mut weights)?));
                    head.dimensions = shape.outputs;
                }
            }
        }
        Ok(head)
    }

    /// Numbers of a vector.
    pub(crate) fn dimensions(&self) -> usize {
        self.dimensions
    }

    /// Whether vectors have length 1 when nothing else is asked.
    pub(crate) fn normalizes(&self) -> bool {
        matches!(self.steps.last(), Some(Step::Normalize))
    }

    /// The vector of a text.
    ///
    /// * `rows`: `[tokens, hidden]`, at least one row.
    /// * `prompt_tokens`: rows at the beginning that are the prompt.
    fn vector(&self, rows: &[f32], hidden: usize, prompt_tokens: usize, form: VectorForm) -> Vec<f32> {
        let skipped = if self.includes_prompt { 0 } else { prompt_tokens };
        let mut vector = Vec::with_capacity(self.dimensions);
        for kind in &self.kinds {
            kind.append(rows, hidden, skipped, &mut vector);
        }
        let last = self.steps.len().saturating_sub(1);
        for (index, step) in self.steps.iter().enumerate() {
            match step {
                // A normalisation at the end is the request's to decide.
                Step::Normalize if index == last && form.normalize == Some(false) => {}
                Step::Normalize => normalize(&mut vector),
                Step::Dense(dense) => vector = dense.apply(&vector),
            }
        }
        vector.truncate(form.dimensions);
        if form.normalize.unwrap_or(self.normalizes()) {
            normalize(&mut vector);
        }
        vector
    }
}

impl Head for VectorHead {
    type Form = VectorForm;
    type Answer = Embedding;

    fn wanted(&self) -> Wanted {
        // Where the prompt is left out, the first row that counts may be any.
        if self.kinds == [Pooling::Cls] && self.includes_prompt { Wanted::First } else { Wanted::All }
    }

    fn finish(&self, rows: &[f32], hidden: usize, text: &Text, form: VectorForm) -> Result<Embedding, EngineError> {
        let vector = self.vector(rows, hidden, text.prompt_tokens, form);
        check_finite(&vector)?;
        Ok(Embedding { vector, tokens: text.tokens(), is_truncated: text.is_truncated })
    }

    fn size(&self) -> (u64, u64) {
        let sizes = self.steps.iter().map(|step| if let Step::Dense(dense) = step { dense.size() } else { (0, 0) });
        sizes.fold((0, 0), |sum, size| (sum.0 + size.0, sum.1 + size.1))
    }
}

impl Pooling {
    /// Appends the pooled vector of all rows but the first `skipped`.
    fn append(self, rows: &[f32], hidden: usize, skipped: usize, out: &mut Vec<f32>) {
        let count = rows.len() / hidden;
        // A prompt that fills the input leaves nothing to skip it for.
        let first = if skipped < count { skipped } else { 0 };
        let row = |index: usize| &rows[index * hidden..][..hidden];
        let begin = out.len();
        match self {
            Self::Cls => out.extend_from_slice(row(first)),
            Self::LastToken => out.extend_from_slice(row(count - 1)),
            Self::Max => {
                out.extend_from_slice(row(first));
                for index in first + 1..count {
                    for (most, &value) in out[begin..].iter_mut().zip(row(index)) {
                        // A number that is none wins, so that it is noticed.
                        *most = if value > *most || value.is_nan() { value } else { *most };
                    }
                }
            }
            Self::Mean | Self::MeanSqrt | Self::WeightedMean => {
                out.resize(begin + hidden, 0.0);
                let mut total = 0.0;
                for index in first..count {
                    // Weights go by the place in the whole input.
                    let weight = if self == Self::WeightedMean { (index + 1) as f32 } else { 1.0 };
                    total += weight;
                    for (sum, &value) in out[begin..].iter_mut().zip(row(index)) {
                        *sum += value * weight;
                    }
                }
                let divisor = if self == Self::MeanSqrt { f32::sqrt(total) } else { total };
                out[begin..].iter_mut().for_each(|sum| *sum /= divisor);
            }
        }
    }
}

/// Gives a vector length 1; one of length 0 stays.
///
/// Source: torch, `functional.normalize`.
fn normalize(vector: &mut [f32]) {
    let length = vector.iter().map(|value| f64::from(*value).powi(2)).sum::<f64>().sqrt().max(1e-12);
    vector.iter_mut().for_each(|value| *value = (f64::from(*value) / length) as f32);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_pooled() {
        let rows = [1.0, 2.0, 3.0, -4.0, 5.0, 0.0, 7.0, 10.0];
        let check = |kind: Pooling, skipped: usize, expect: [f32; 2]| {
            let mut out = Vec::new();
            kind.append(&rows, 2, skipped, &mut out);
            let is_close = out.iter().zip(expect).all(|(value, expect)| (value - expect).abs() < 1e-6);
            assert!(is_close, "{kind:?}: {out:?} {expect:?}");
        };
        check(Pooling::Cls, 0, [1.0, 2.0]);
        check(Pooling::Cls, 1, [3.0, -4.0]);
        check(Pooling::Cls, 4, [1.0, 2.0]);
        check(Pooling::LastToken, 1, [7.0, 10.0]);
        check(Pooling::Max, 0, [7.0, 10.0]);
        check(Pooling::Max, 3, [7.0, 10.0]);
        check(Pooling::Mean, 0, [4.0, 2.0]);
        check(Pooling::Mean, 2, [6.0, 5.0]);
        check(Pooling::MeanSqrt, 0, [8.0, 4.0]);
        check(Pooling::WeightedMean, 0, [5.0, 3.4]);
        check(Pooling::WeightedMean, 2, [43.0 / 7.0, 40.0 / 7.0]);
    }

    #[test]
    fn forms() {
        let head = |steps| VectorHead { kinds: vec![Pooling::Mean], includes_prompt: true, steps, dimensions: 2 };
        let check = |steps: Vec<Step>, dimensions: usize, normalize: Option<bool>, expect: &[f32]| {
            let form = VectorForm { dimensions, normalize };
            assert_eq!(head(steps).vector(&[3.0, 4.0], 2, 0, form), expect);
        };
        check(vec![], 2, None, &[3.0, 4.0]);
        check(vec![], 2, Some(true), &[0.6, 0.8]);
        check(vec![], 1, Some(true), &[1.0]);
        check(vec![], 1, None, &[3.0]);
        check(vec![Step::Normalize], 2, None, &[0.6, 0.8]);
        check(vec![Step::Normalize], 1, None, &[1.0]);
        check(vec![Step::Normalize], 2, Some(false), &[3.0, 4.0]);
        let mut nothing = [0.0, 0.0];
        normalize(&mut nothing);
        assert_eq!(nothing, [0.0, 0.0]);
    }
}
