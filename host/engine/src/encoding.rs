//! Models that read whole texts or pictures: one thread a model computes the inputs of all callers together.
//!
//! What a text's rows become is a [`Head`]'s: a vector or a score. Nothing here knows which.

pub(crate) mod dense;
mod groups;

pub(crate) use groups::in_groups;
use mimus_batching::{Answer, Batcher, Batching, Compute, Refusal};
use rayon::ThreadPool;

use crate::error::{EngineError, LoadError};
use crate::limits;
use crate::load::LoadOptions;
use crate::model::encoder::{Encoder, EncoderScratch, Tokens, Wanted};
use crate::text_model::Activity;

/// Answers on their way, one an input, in the order of the inputs. Dropping it cancels the request before the next step.
pub type Pending<T> = Answer<T, EngineError>;

/// The handle of a model's thread. Dropping it lets accepted requests finish, then ends the thread and frees the memory.
pub(crate) type Service<C> = Batcher<<C as Compute>::Input, <C as Compute>::Output, EngineError>;

/// Starts the thread of a model.
///
/// * `pool`: who computes.
///
/// # Errors
/// [`LoadError::Resource`] when the system gives no thread.
pub(crate) fn start<C: Compute<Error = EngineError>>(
    forward: C,
    options: &LoadOptions,
    pool: ThreadPool,
) -> Result<Service<C>, LoadError> {
    let batching = Batching {
        step_cost_max: limits::EMBED_STEP_TOKENS * pool.current_num_threads(),
        running_max: options.slots,
        gather: std::time::Duration::ZERO,
        requests_max: options.queue_requests_max,
        weight_max: limits::EMBED_QUEUE_TOKENS_MAX,
        wait_max: options.queue_wait_max,
    };
    Batcher::start("encoder", batching, pool, forward).map_err(|error| LoadError::Resource(error.to_string()))
}

/// What a model does now, for metrics.
pub(crate) fn activity<I, O>(service: &Batcher<I, O, EngineError>) -> Activity {
    let mimus_batching::Activity { running, waiting, computed } = service.activity();
    Activity {
        waiting_requests: waiting,
        running_sequences: running,
        computed_prompt_tokens: computed,
        ..Activity::default()
    }
}

/// Refuses numbers that are none: they come of broken weights, or of values too large for them.
///
/// # Errors
/// [`EngineError::Failed`].
pub(crate) fn check_finite(numbers: &[f32]) -> Result<(), EngineError> {
    if numbers.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    Err(EngineError::Failed("the model gave numbers that are not finite".to_owned()))
}

impl From<Refusal> for EngineError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Overloaded { retry_after } => Self::Overloaded { retry_after },
            Refusal::Closed => Self::ShuttingDown,
            Refusal::Failed(reason) => Self::Failed(reason.to_owned()),
        }
    }
}

/// An input as the encoder takes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Text {
    /// Token ids, at least one.
    pub(crate) ids: Vec<u32>,
    /// The token type of each id; empty where all are 0.
    pub(crate) types: Vec<u32>,
    /// How many of the ids are the prompt, a special token before it included.
    pub(crate) prompt_tokens: usize,
    /// Whether there were more.
    pub(crate) is_truncated: bool,
}

impl Text {
    /// Tokens that are computed.
    pub(crate) fn tokens(&self) -> u32 {
        u32::try_from(self.ids.len()).unwrap_or(u32::MAX)
    }
}

/// A text and what is asked of the head.
pub(crate) struct Asked<F> {
    pub(crate) text: Text,
    pub(crate) form: F,
}

/// Every text of a request, and what is asked of the head.
pub(crate) fn asked<F: Copy>(texts: Vec<Text>, form: F) -> Vec<Asked<F>> {
    texts.into_iter().map(|text| Asked { text, form }).collect()
}

/// What comes after an encoder: it turns the rows of a text into what was asked for.
pub(crate) trait Head: Send + Sync + 'static {
    /// What a request asks for.
    type Form: Copy + Send + Sync + 'static;

    /// What it gets.
    type Answer: Send + 'static;

    /// Which rows of a text it looks at.
    fn wanted(&self) -> Wanted;

    /// The answer for a text.
    ///
    /// * `rows`: those wanted, `[rows, hidden]`, at least one row.
    ///
    /// # Errors
    /// [`EngineError::Failed`] for numbers that are not finite.
    fn finish(&self, rows: &[f32], hidden: usize, text: &Text, form: Self::Form) -> Result<Self::Answer, EngineError>;

    /// Numbers in its weights, and bytes they take in memory.
    fn size(&self) -> (u64, u64);
}

/// An encoder and what comes after it.
pub(crate) struct EncoderForward<H> {
    pub(crate) encoder: Encoder,
    pub(crate) head: H,
}

impl<H: Head> EncoderForward<H> {
    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let (encoder, head) = (self.encoder.size(), self.head.size());
        (encoder.0 + head.0, encoder.1 + head.1)
    }
}

impl<H: Head> Compute for EncoderForward<H> {
    type Input = Asked<H::Form>;
    type Output = H::Answer;
    type Error = EngineError;

    fn compute(&mut self, inputs: &[&Asked<H::Form>]) -> Result<Vec<H::Answer>, EngineError> {
        let lengths: Vec<usize> = inputs.iter().map(|input| input.text.ids.len()).collect();
        let wanted = self.head.wanted();
        let hidden = self.encoder.hidden();
        let answers = in_groups(&lengths, |scratch: &mut EncoderScratch, group, by| {
            let texts = group.iter().map(|&index| &inputs[index].text);
            let tokens: Vec<Tokens<'_>> = texts.map(|text| Tokens { ids: &text.ids, types: &text.types }).collect();
            self.encoder.forward(&tokens, wanted, by, scratch);
            let mut rows = scratch.hidden.as_slice();
            let finish = |&index: &usize| {
                let (own, rest) = rows.split_at(wanted.rows(lengths[index]).len() * hidden);
                rows = rest;
                self.head.finish(own, hidden, &inputs[index].text, inputs[index].form)
            };
            group.iter().map(finish).collect()
        });
        answers.into_iter().collect()
    }

    fn cost(input: &Asked<H::Form>) -> usize {
        input.text.ids.len()
    }

    fn weight(input: &Asked<H::Form>) -> usize {
        input.text.ids.len()
    }
}
