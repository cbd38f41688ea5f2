//! The forward pass of the BERT family: whole texts at once, every token sees every other of its text.
//!
//! Rows of many texts lie one after the other without padding. What comes out is one row a token; pooling them to a
//! vector, or scoring them, is somebody else's.

pub(crate) mod attention;
mod names;

use std::ops::Range;

use attention::{Attention, AttentionScratch, DistanceBias, Rows};
use names::Names;

use super::affine::{Norm, Projection, activate_by, total};
use super::kernel::RowTiles;
use super::kernel::activations::Activation;
use super::linear::Threads;
use crate::config::encoder::EncoderConfig;
use crate::error::LoadError;
use crate::weights::{Table, Weights};

/// The tokens of one text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tokens<'a> {
    /// Ids inside the vocabulary, each text's at most as many as there are positions.
    pub(crate) ids: &'a [u32],
    /// The type of each token, inside the table of types; empty where all are 0.
    pub(crate) types: &'a [u32],
}

/// Which rows of a text are computed to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of them.
    All,
    /// That of the first token: the last layer is little work then.
    First,
    /// That of the last token, as little work.
    Last,
}

impl Wanted {
    /// The wanted rows of a text of `length` rows, at least 1.
    pub(crate) fn rows(self, length: usize) -> Range<usize> {
        match self {
            Self::All => 0..length,
            Self::First => 0..1,
            Self::Last => length - 1..length,
        }
    }

    /// Drops rows that are not wanted.
    ///
    /// * `lengths`: rows of each text.
    /// * `rows`: `[rows, width]`.
    pub(crate) fn keep(self, lengths: &[usize], width: usize, rows: &mut Vec<f32>) {
        if self == Self::All {
            return;
        }
        let (mut begin, mut kept) = (0, 0);
        for &length in lengths {
            let wanted = self.rows(length);
            rows.copy_within((begin + wanted.start) * width..(begin + wanted.end) * width, kept * width);
            kept += wanted.len();
            begin += length;
        }
        rows.truncate(kept * width);
    }
}

/// An encoder with its weights.
pub(crate) struct Encoder {
    words: Table,
    positions: Table,
    /// `None`: the architecture has no token types.
    types: Option<Table>,
    embedding_norm: Norm,
    layers: Vec<Layer>,
    attention: Attention,
    bias: Option<DistanceBias>,
    hidden: usize,
    activation: Activation,
    norm_epsilon: f32,
    first_position: usize,
    padding: u32,
}

/// One layer.
struct Layer {
    /// Query, key and value in one.
    mix: Projection,
    output: Projection,
    attention_norm: Norm,
    up: Projection,
    down: Projection,
    output_norm: Norm,
}

/// Activations of one pass; kept from one to the next.
#[derive(Default)]
pub(crate) struct EncoderScratch {
    /// `[wanted rows, hidden]`: the result.
    pub(crate) hidden: Vec<f32>,
    mixed: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    delta: Vec<f32>,
    tiles: RowTiles,
    attention: AttentionScratch,
}

impl Encoder {
    /// Takes the weights that `config` asks for.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(config: &EncoderConfig, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let names = Names::find(config.family, weights);
        let hidden = config.hidden;
        let words = weights.table(&names.words(), config.vocab, hidden)?;
        let positions = weights.table(&names.positions(), config.positions, hidden)?;
        let types = match config.types {
            0 => None,
            types => Some(weights.table(&names.types(), types, hidden)?),
        };
        let embedding_norm = Norm::load(&names.embedding_norm(), hidden, weights)?;
        let layers = (0..config.layers).map(|layer| Layer::load(config, &names, layer, weights));
        let layers = layers.collect::<Result<_, _>>()?;
        let bias = match names.distance_bias() {
            None => None,
            Some(name) => Some(DistanceBias::new(&weights.joined_rows(&name, config.buckets, config.heads)?, config)),
        };
        Ok(Self {
            words,
            positions,
            types,
            embedding_norm,
            layers,
            attention: Attention { heads: config.heads, head_dim: hidden / config.heads, is_causal: false },
            bias,
            hidden,
            activation: config.activation,
            norm_epsilon: config.norm_epsilon,
            first_position: config.first_position(),
            padding: config.padding,
        })
    }

    /// Width of a row.
    pub(crate) fn hidden(&self) -> usize {
        self.hidden
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let tables = [&self.words, &self.positions].into_iter().chain(&self.types).map(Table::size);
        let projections = self.layers.iter().flat_map(|layer| [&layer.mix, &layer.output, &layer.up, &layer.down]);
        let projections = projections.map(Projection::size);
        let norms = self.layers.iter().flat_map(|layer| [&layer.attention_norm, &layer.output_norm]);
        let norms = norms.chain([&self.embedding_norm]).map(Norm::size);
        let biases = self.bias.iter().map(|bias| (bias.numbers() as u64, bias.numbers() as u64 * 4));
        total(tables.chain(projections).chain(norms).chain(biases))
    }

    /// Computes the wanted rows of `texts` into [`EncoderScratch::hidden`], in their order. A text's rows do not depend on
    /// the other texts, nor on who computes.
    pub(crate) fn forward(&self, texts: &[Tokens<'_>], wanted: Wanted, by: Threads, scratch: &mut EncoderScratch) {
        self.embed(texts, &mut scratch.hidden);
        let lengths: Vec<usize> = texts.iter().map(|text| text.ids.len()).collect();
        for (index, layer) in self.layers.iter().enumerate() {
            let wanted = if index + 1 == self.layers.len() { wanted } else { Wanted::All };
            self.layer(layer, &lengths, wanted, by, scratch);
        }
    }

    /// Puts all rows through one layer; those that are not wanted do not come out.
    fn layer(&self, layer: &Layer, lengths: &[usize], wanted: Wanted, by: Threads, scratch: &mut EncoderScratch) {
        let EncoderScratch { hidden, mixed, attended, wide, delta, tiles, attention } = scratch;
        layer.mix.forward(by, hidden, lengths.iter().sum(), tiles, mixed);
        self.attention.attend(&Rows { wanted, lengths, mixed }, self.bias.as_ref(), by, attention, attended);
        wanted.keep(lengths, self.hidden, hidden);
        let rows = hidden.len() / self.hidden;
        layer.output.forward(by, attended, rows, tiles, delta);
        self.add_norm(hidden, delta, &layer.attention_norm);
        layer.up.forward(by, hidden, rows, tiles, wide);
        activate_by(by, self.activation, wide);
        layer.down.forward(by, wide, rows, tiles, delta);
        self.add_norm(hidden, delta, &layer.output_norm);
    }

    /// Embeds the tokens of all texts.
    fn embed(&self, texts: &[Tokens<'_>], hidden: &mut Vec<f32>) {
        hidden.clear();
        hidden.resize(texts.iter().map(|text| text.ids.len()).sum::<usize>() * self.hidden, 0.0);
        let mut rows = hidden.chunks_exact_mut(self.hidden);
        for text in texts {
            let mut next = self.first_position;
            let kinds = text.types.iter().copied().chain(std::iter::repeat(0));
            for ((&id, kind), row) in text.ids.iter().zip(kinds).zip(&mut rows) {
                let position = if self.first_position > 0 && id == self.padding {
                    self.padding as usize
                } else {
                    next += 1;
                    next - 1
                };
                self.words.add_row(id as usize, row);
                self.positions.add_row(position, row);
                if let Some(types) = &self.types {
                    types.add_row(kind as usize, row);
                }
            }
        }
        self.embedding_norm.apply(hidden, self.norm_epsilon);
    }

    /// `hidden = norm(hidden + delta)`.
    fn add_norm(&self, hidden: &mut [f32], delta: &[f32], norm: &Norm) {
        for (value, delta) in hidden.iter_mut().zip(delta) {
            *value += delta;
        }
        norm.apply(hidden, self.norm_epsilon);
    }
}

impl Layer {
    /// Takes the weights of layer number `layer`.
    fn load(config: &EncoderConfig, names: &Names, layer: usize, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let (hidden, wide) = (config.hidden, config.intermediate);
        let mut project = |places: &[&str], columns, depth| -> Result<Projection, LoadError> {
            let named = |end: &str| -> Vec<String> {
                places.iter().map(|place| format!("{}.{end}", names.layer(layer, place))).collect()
            };
            Projection::load(&named("weight"), &named("bias"), columns, depth, weights)
        };
        let places = names.places();
        let mix = project(&places.mix, hidden, hidden)?;
        let output = project(&[places.output], hidden, hidden)?;
        let up = project(&[places.up], wide, hidden)?;
        let down = project(&[places.down], hidden, wide)?;
        Ok(Self {
            mix,
            output,
            attention_norm: Norm::load(&names.layer(layer, places.attention_norm), hidden, weights)?,
            up,
            down,
            output_norm: Norm::load(&names.layer(layer, places.output_norm), hidden, weights)?,
        })
    }
}
