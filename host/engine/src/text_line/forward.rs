//! What the thread of a model that reads lines computes: some pictures at once, the most likely token each time.

use std::sync::Arc;

use mimus_batching::Compute;
use mimus_vision::Image;

use super::ReadLine;
use crate::encoding::check_finite;
use crate::error::EngineError;
use crate::model::encoder::Wanted;
use crate::model::line_decoder::{Line, LineDecoder, LineScratch};
use crate::model::linear::Threads;
use crate::model::vit::{Vit, VitScratch};
use crate::pictures::Normalisation;
use crate::tokenizer::Tokenizer;

/// Pictures that are read together. Each takes some 57 MB in a large model.
const BATCH: usize = 4;

/// A picture of the network's width and height.
pub(crate) struct LinePicture {
    pub(super) image: Image,
    pub(super) rows: usize,
}

/// The network and how it is used.
pub(crate) struct TextLineForward {
    pub(crate) encoder: Vit,
    pub(crate) decoder: LineDecoder,
    pub(crate) normalisation: Normalisation,
    pub(crate) tokenizer: Arc<Tokenizer>,
    /// The token before the first, inside the vocabulary.
    pub(crate) start: u32,
    /// Tokens that end a line.
    pub(crate) ends: Vec<u32>,
    /// Tokens of the longest line, at most as many as there are positions.
    pub(crate) tokens_max: usize,
}

/// A line and what is known of it.
struct Reading {
    line: Line,
    tokens: Vec<u32>,
    /// Logarithm of the probability of all tokens.
    logprob: f64,
    is_done: bool,
}

impl TextLineForward {
    /// Rows of a picture.
    pub(super) fn picture_rows(&self) -> usize {
        self.encoder.rows()
    }

    /// Reads some pictures to their ends.
    fn read(&self, images: &[&Image]) -> Vec<Reading> {
        let (mut pictures, mut scratch) = (VitScratch::default(), LineScratch::default());
        self.encoder.forward(images, &self.normalisation, Wanted::All, Threads::All, &mut pictures);
        let count = self.encoder.rows();
        let rows = pictures.tower.hidden.chunks_exact(count * self.encoder.hidden());
        let mut readings: Vec<Reading> = rows
            .map(|rows| {
                let line = self.decoder.begin(rows, count, &mut scratch);
                Reading { line, tokens: Vec::new(), logprob: 0.0, is_done: false }
            })
            .collect();
        for _ in 0..self.tokens_max {
            let mut active: Vec<&mut Reading> = readings.iter_mut().filter(|reading| !reading.is_done).collect();
            if active.is_empty() {
                break;
            }
            let last: Vec<u32> =
                active.iter().map(|reading| reading.tokens.last().copied().unwrap_or(self.start)).collect();
            let mut lines: Vec<&mut Line> = active.iter_mut().map(|reading| &mut reading.line).collect();
            self.decoder.step(&last, &mut lines, &mut scratch);
            for (reading, logits) in active.iter_mut().zip(scratch.logits.chunks_exact(self.decoder.vocab())) {
                let (token, logprob) = most_likely(logits);
                reading.tokens.push(token);
                reading.logprob += logprob;
                reading.is_done = self.ends.contains(&token);
            }
        }
        readings
    }

    /// A line as it is told.
    fn line(&self, reading: Reading) -> Result<ReadLine, EngineError> {
        let confidence = (reading.logprob / reading.tokens.len().max(1) as f64).exp() as f32;
        check_finite(&[confidence])?;
        let text = self.tokenizer.decode(&reading.tokens, true)?.trim().to_owned();
        Ok(ReadLine { text, confidence, tokens: reading.tokens })
    }
}

impl Compute for TextLineForward {
    type Input = LinePicture;
    type Output = ReadLine;
    type Error = EngineError;

    fn compute(&mut self, inputs: &[&LinePicture]) -> Result<Vec<ReadLine>, EngineError> {
        let images: Vec<&Image> = inputs.iter().map(|input| &input.image).collect();
        let readings = images.chunks(BATCH).flat_map(|images| self.read(images));
        readings.map(|reading| self.line(reading)).collect()
    }

    fn cost(input: &LinePicture) -> usize {
        input.rows
    }

    fn weight(input: &LinePicture) -> usize {
        input.image.pixels().len().div_ceil(4)
    }
}

/// The token of the highest logit, the first of several, and the logarithm of its probability.
fn most_likely(logits: &[f32]) -> (u32, f64) {
    let mut best = 0;
    for (index, &logit) in logits.iter().enumerate() {
        // A number that is none wins, so that it is noticed.
        if logit > logits[best] || logit.is_nan() {
            best = index;
        }
    }
    let sum: f64 = logits.iter().map(|&logit| f64::from(logit - logits[best]).exp()).sum();
    (best as u32, -sum.ln())
}
