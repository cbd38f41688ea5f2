//! Computes the inputs of many requests together, step by step.
//!
//! A step takes one input of each request in turn until its rows are full, so that a long request does not hold up a
//! short one. A step that fails is repeated for each request alone, and only those that fail again end.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use rayon::prelude::*;

use super::queue::{Job, Queue};
use super::{Input, Output, Text};
use crate::error::EngineError;
use crate::limits;
use crate::load::LoadOptions;
use crate::model::encoder::{Encoder, EncoderScratch, Tokens, Wanted};
use crate::model::linear::Threads;

/// Rows that one thread computes at a time: enough to use every weight often, and little enough to stay in its cache.
const GROUP_ROWS: usize = 256;

/// Fewest rows for which a thread of its own is better than all threads sharing every matrix.
const GROUP_ROWS_MIN: usize = 32;

/// Computes inputs; the real thing, or a stand-in for tests of what is around it.
pub(crate) trait Forward: Send {
    /// What it computes.
    type Input: Input;

    /// What a request asks for, the same for all its inputs.
    type Form: Copy + Send + Sync;

    /// The numbers of each input, in the order of the inputs.
    ///
    /// # Errors
    /// [`EngineError::Failed`].
    fn compute(&mut self, inputs: &[(&Self::Input, Self::Form)]) -> Result<Vec<Vec<f32>>, EngineError>;
}

/// What comes after an encoder: it turns the rows of a text into what was asked for.
pub(crate) trait Head: Send + Sync {
    /// What a request asks for.
    type Form: Copy + Send + Sync;

    /// Which rows of a text it looks at.
    fn wanted(&self) -> Wanted;

    /// The numbers of a text.
    ///
    /// * `rows`: those wanted, `[rows, hidden]`, at least one row.
    fn finish(&self, rows: &[f32], hidden: usize, text: &Text, form: Self::Form) -> Vec<f32>;

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

/// A request that is computed, and since when.
type Running<T> = (Job<<T as Forward>::Form, <T as Forward>::Input>, Instant);

/// The state of a model's thread.
pub(super) struct Scheduler<T: Forward> {
    forward: T,
    queue: Arc<Queue<T::Form, T::Input>>,
    slots: usize,
    queue_wait_max: Duration,
    /// Requests under way, and when each was admitted.
    running: Vec<Running<T>>,
}

impl<T: Forward> Scheduler<T> {
    /// A scheduler without requests.
    pub(super) fn new(forward: T, queue: Arc<Queue<T::Form, T::Input>>, options: &LoadOptions) -> Self {
        let slots = options.slots.max(1);
        Self { forward, queue, slots, queue_wait_max: options.queue_wait_max, running: Vec::new() }
    }

    /// Works until the model is dropped and every accepted request has ended.
    pub(super) fn run(mut self) {
        loop {
            self.running.retain(|(job, _)| !job.is_cancelled());
            self.admit();
            self.queue.counters.running_requests.store(self.running.len(), Ordering::Relaxed);
            if !self.running.is_empty() {
                self.step();
            } else if !self.queue.wait() {
                return;
            }
        }
    }

    /// Gives free slots to those who wait; who has waited too long is refused.
    fn admit(&mut self) {
        while self.running.len() < self.slots {
            let Some(job) = self.queue.pop() else { return };
            if job.submitted.elapsed() > self.queue_wait_max {
                let retry_after = self.queue.retry_after(self.queue.waiting());
                job.end(Err(EngineError::Overloaded { retry_after }));
            } else {
                self.running.push((job, Instant::now()));
            }
        }
    }

    /// Computes one step and ends the requests that are complete or have failed.
    fn step(&mut self) {
        let plan = self.plan();
        let mut failed: Vec<(usize, EngineError)> = Vec::new();
        match self.compute(&plan) {
            Ok(outputs) => self.distribute(&plan, outputs, &mut failed),
            Err(_) => {
                for one in plan.chunk_by(|one, other| one.0 == other.0) {
                    match self.compute(one) {
                        Ok(outputs) => self.distribute(one, outputs, &mut failed),
                        Err(error) => failed.push((one[0].0, error)),
                    }
                }
            }
        }
        for index in (0..self.running.len()).rev() {
            let error = failed.iter().find(|(job, _)| *job == index).map(|(_, error)| error.clone());
            let (job, _) = &self.running[index];
            if error.is_some() || job.done.len() == job.inputs.len() {
                let (job, admitted) = self.running.swap_remove(index);
                self.queue.note_ended(admitted.elapsed());
                job.end(error.map_or(Ok(()), Err));
            }
        }
    }

    /// The inputs of the next step, as places of request and input, those of one request together.
    fn plan(&self) -> Vec<(usize, usize)> {
        let rows_max = limits::EMBED_STEP_TOKENS * rayon::current_num_threads();
        let mut plan = Vec::new();
        let mut rows = 0;
        let mut round = 0;
        loop {
            let before = plan.len();
            for (index, (job, _)) in self.running.iter().enumerate() {
                let place = job.done.len() + round;
                let Some(input) = job.inputs.get(place) else { continue };
                if !plan.is_empty() && rows + input.rows() > rows_max {
                    plan.sort_unstable();
                    return plan;
                }
                rows += input.rows();
                plan.push((index, place));
            }
            if plan.len() == before {
                plan.sort_unstable();
                return plan;
            }
            round += 1;
        }
    }

    /// Computes the inputs of `plan`. A panic counts as a failure.
    fn compute(&mut self, plan: &[(usize, usize)]) -> Result<Vec<Vec<f32>>, EngineError> {
        let (forward, running) = (&mut self.forward, &self.running);
        let inputs: Vec<(&T::Input, T::Form)> =
            plan.iter().map(|&(job, input)| (&running[job].0.inputs[input], running[job].0.form)).collect();
        let computed = catch_unwind(AssertUnwindSafe(|| forward.compute(&inputs)));
        let outputs = computed.unwrap_or_else(|_| Err(EngineError::Failed("the model panicked".to_owned())))?;
        if outputs.len() != plan.len() {
            return Err(EngineError::Failed("the model gave a wrong number of outputs".to_owned()));
        }
        let rows: usize = inputs.iter().map(|(input, _)| input.rows()).sum();
        self.queue.counters.computed_tokens.fetch_add(rows as u64, Ordering::Relaxed);
        Ok(outputs)
    }

    /// Gives every request its outputs. One that holds no numbers fails its request.
    fn distribute(&mut self, plan: &[(usize, usize)], outputs: Vec<Vec<f32>>, failed: &mut Vec<(usize, EngineError)>) {
        for (&(index, place), numbers) in plan.iter().zip(outputs) {
            if !numbers.iter().all(|value| value.is_finite()) {
                failed.push((index, EngineError::Failed("the model gave numbers that are not finite".to_owned())));
            }
            let job = &mut self.running[index].0;
            let input = &job.inputs[place];
            let tokens = u32::try_from(input.rows()).unwrap_or(u32::MAX);
            job.done.push(Output { numbers, tokens, is_truncated: input.is_truncated() });
        }
    }
}

impl<H: Head> Forward for EncoderForward<H> {
    type Input = Text;
    type Form = H::Form;

    fn compute(&mut self, texts: &[(&Text, H::Form)]) -> Result<Vec<Vec<f32>>, EngineError> {
        let lengths: Vec<usize> = texts.iter().map(|(text, _)| text.ids.len()).collect();
        let wanted = self.head.wanted();
        let hidden = self.encoder.hidden();
        Ok(in_groups(&lengths, |scratch: &mut EncoderScratch, group, by| {
            let tokens: Vec<Tokens<'_>> =
                group.iter().map(|&index| Tokens { ids: &texts[index].0.ids, types: &texts[index].0.types }).collect();
            self.encoder.forward(&tokens, wanted, by, scratch);
            let mut rows = scratch.hidden.as_slice();
            let finish = |&index: &usize| {
                let (own, rest) = rows.split_at(wanted.rows(lengths[index]).len() * hidden);
                rows = rest;
                let (text, form) = texts[index];
                self.head.finish(own, hidden, text, form)
            };
            group.iter().map(finish).collect()
        }))
    }
}

/// Computes inputs of these lengths in groups of about equal work, and gives what came of each in their order.
///
/// * `compute`: what came of each input of a group, in the group's order, by the threads it is told.
pub(crate) fn in_groups<S: Default>(
    lengths: &[usize],
    compute: impl Fn(&mut S, &[usize], Threads) -> Vec<Vec<f32>> + Sync,
) -> Vec<Vec<f32>> {
    if lengths.is_empty() {
        return Vec::new();
    }
    let (groups, by) = groups(lengths, rayon::current_num_threads());
    let computed: Vec<Vec<Vec<f32>>> = match by {
        Threads::All => {
            let mut scratch = S::default();
            groups.iter().map(|group| compute(&mut scratch, group, by)).collect()
        }
        Threads::One => {
            let compute = |scratch: &mut S, group: &Vec<usize>| compute(scratch, group, by);
            groups.par_iter().with_max_len(1).map_init(S::default, compute).collect()
        }
    };
    let mut outputs = vec![Vec::new(); lengths.len()];
    for (index, numbers) in groups.iter().flatten().zip(computed.into_iter().flatten()) {
        outputs[*index] = numbers;
    }
    outputs
}

/// Cuts texts into groups of about equal work, and says who computes a group.
///
/// Threads that each have a group wait for nobody. Where there are too few rows for that, or one text has most of
/// them, all threads share the groups' matrices.
fn groups(lengths: &[usize], threads: usize) -> (Vec<Vec<usize>>, Threads) {
    let rows: usize = lengths.iter().sum();
    let longest = lengths.iter().copied().max().unwrap_or(0);
    let is_alone = threads == 1 || (rows >= threads * GROUP_ROWS_MIN && longest * threads <= rows + rows / 2);
    let by = if is_alone { Threads::One } else { Threads::All };
    let least = if is_alone { threads } else { 1 };
    let count = rows.div_ceil(GROUP_ROWS).next_multiple_of(least).min(lengths.len()).max(1);
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    order.sort_unstable_by_key(|&index| std::cmp::Reverse(lengths[index]));
    let mut groups = vec![(0, Vec::new()); count];
    for index in order {
        // The longest first, each to the group that has least.
        let lightest = groups.iter_mut().min_by_key(|(rows, _)| *rows).expect("there is at least one group");
        lightest.0 += lengths[index];
        lightest.1.push(index);
    }
    (groups.into_iter().map(|(_, group)| group).filter(|group| !group.is_empty()).collect(), by)
}

#[cfg(test)]
mod tests;
