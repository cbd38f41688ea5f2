//! Writes the text of a line, token by token: each sees those before it and the rows of the picture.
//!
//! Source: arXiv 2109.10282; transformers, `TrOCRDecoder`.

mod attend;

use attend::attend;

use super::affine::{Norm, Projection, activate_by, add, total, vector_size};
use super::kernel::RowTiles;
use super::kernel::activations::Activation;
use super::linear::{Linear, Threads};
use crate::error::LoadError;
use crate::limits;
use crate::weights::{Table, Weights};

/// Where the decoder's tensors are.
const PLACE: &str = "decoder.model.decoder";
/// The last matrix; absent where it is the embedding.
const HEAD: &str = "decoder.output_projection.weight";
/// What brings the picture's rows to the decoder's width.
const BRIDGE: &str = "enc_to_dec_proj";

/// Rows of the table of positions before the first.
const POSITION_OFFSET: usize = 2;

const NORM_EPSILON: f32 = 1e-5;

/// The shape of a decoder.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct LineDecoderConfig {
    pub(crate) vocab: usize,
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    /// A divisor of `hidden`.
    pub(crate) heads: usize,
    pub(crate) activation: Activation,
    /// Tokens of the longest line.
    pub(crate) positions: usize,
    /// Whether positions are a table of the file; else they are sines.
    pub(crate) is_learned: bool,
    /// Factor of embeddings.
    pub(crate) scale: f32,
    pub(crate) has_embedding_norm: bool,
    /// Width of the picture's rows.
    pub(crate) source: usize,
    /// Whether the picture's rows are brought to `hidden` first.
    pub(crate) has_bridge: bool,
    /// The token without a position, where positions are sines.
    pub(crate) padding: u32,
}

/// A decoder with its weights.
pub(crate) struct LineDecoder {
    /// `None`: embeddings are the rows of the head.
    words: Option<Table>,
    head: Linear,
    /// `[positions, hidden]`.
    positions: Vec<f32>,
    embedding_norm: Option<Norm>,
    bridge: Option<Projection>,
    layers: Vec<Layer>,
    hidden: usize,
    heads: usize,
    scale: f32,
    activation: Activation,
    /// The token without a position.
    unplaced: Option<u32>,
}

/// One layer.
struct Layer {
    /// Query, key and value in one.
    mix: Projection,
    output: Projection,
    first_norm: Norm,
    query: Projection,
    /// Key and value in one, of the picture's rows.
    picture: Projection,
    picture_output: Projection,
    second_norm: Norm,
    up: Projection,
    down: Projection,
    last_norm: Norm,
}

/// A line that is being written.
pub(crate) struct Line {
    /// Of each layer, `[tokens, 2, hidden]`: keys and values.
    tokens: Vec<Vec<f32>>,
    /// Of each layer, `[picture rows, 2, hidden]`.
    picture: Vec<Vec<f32>>,
    /// Tokens seen.
    length: usize,
}

/// Memory of one step.
#[derive(Default)]
pub(crate) struct LineScratch {
    /// `[lines, vocab]`: the result.
    pub(crate) logits: Vec<f32>,
    hidden: Vec<f32>,
    mixed: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    delta: Vec<f32>,
    tiles: RowTiles,
    scores: Vec<f32>,
}

impl LineDecoder {
    /// Takes the weights that `config` asks for.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(config: &LineDecoderConfig, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let (hidden, vocab) = (config.hidden, config.vocab);
        let embedding = format!("{PLACE}.embed_tokens.weight");
        let (words, head) = if weights.has(HEAD) && weights.has(&embedding) {
            (Some(weights.table(&embedding, vocab, hidden)?), weights.stacked(&[HEAD.to_owned()], vocab, hidden)?)
        } else {
            let name = if weights.has(HEAD) { HEAD.to_owned() } else { embedding };
            (None, weights.stacked(&[name], vocab, hidden)?)
        };
        let positions = if config.is_learned {
            let rows = config.positions + POSITION_OFFSET;
            let table = weights.numbers(&format!("{PLACE}.embed_positions.weight"), &[rows, hidden])?;
            table[POSITION_OFFSET * hidden..].to_vec()
        } else {
            sines(config)
        };
        let norm = format!("{PLACE}.layernorm_embedding");
        let embedding_norm = config.has_embedding_norm.then(|| Norm::load(&norm, hidden, weights)).transpose()?;
        let bridge =
            config.has_bridge.then(|| Projection::named(BRIDGE, hidden, config.source, weights)).transpose()?;
        let layers = (0..config.layers).map(|layer| Layer::load(config, layer, weights));
        Ok(Self {
            words,
            head,
            positions,
            embedding_norm,
            bridge,
            layers: layers.collect::<Result<_, _>>()?,
            hidden,
            heads: config.heads,
            scale: config.scale,
            activation: config.activation,
            unplaced: (!config.is_learned).then_some(config.padding),
        })
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let head = (self.head.parameters(), self.head.bytes());
        let norm = self.embedding_norm.iter().map(Norm::size);
        let rest = self.words.iter().map(Table::size).chain(self.bridge.iter().map(Projection::size));
        let layers = self.layers.iter().map(Layer::size);
        total(norm.chain(rest).chain(layers).chain([head, vector_size(self.positions.len())]))
    }

    /// Tokens of the vocabulary.
    pub(crate) fn vocab(&self) -> usize {
        self.head.shape().0
    }

    /// A line without tokens.
    ///
    /// * `rows`: the picture's, `[rows, source]`.
    pub(crate) fn begin(&self, rows: &[f32], count: usize, scratch: &mut LineScratch) -> Line {
        let rows = match &self.bridge {
            None => rows,
            Some(bridge) => {
                bridge.forward(Threads::All, rows, count, &mut scratch.tiles, &mut scratch.hidden);
                &scratch.hidden
            }
        };
        let picture = self.layers.iter().map(|layer| {
            let mut mixed = Vec::new();
            layer.picture.forward(Threads::All, rows, count, &mut scratch.tiles, &mut mixed);
            mixed
        });
        Line { picture: picture.collect(), tokens: vec![Vec::new(); self.layers.len()], length: 0 }
    }

    /// Takes the next token of each line and computes the logits of the one after it into [`LineScratch::logits`].
    ///
    /// * `tokens`: inside the vocabulary, one a line.
    /// * `lines`: each with fewer tokens than there are positions.
    pub(crate) fn step(&self, tokens: &[u32], lines: &mut [&mut Line], scratch: &mut LineScratch) {
        self.embed(tokens, lines, &mut scratch.hidden);
        for (index, layer) in self.layers.iter().enumerate() {
            self.layer(layer, index, lines, scratch);
        }
        let LineScratch { hidden, logits, tiles, .. } = scratch;
        self.head.forward(hidden, tokens.len(), tiles, logits);
        lines.iter_mut().for_each(|line| line.length += 1);
    }

    fn embed(&self, tokens: &[u32], lines: &[&mut Line], hidden: &mut Vec<f32>) {
        hidden.clear();
        hidden.resize(tokens.len() * self.hidden, 0.0);
        for ((&token, line), row) in tokens.iter().zip(lines).zip(hidden.chunks_exact_mut(self.hidden)) {
            match &self.words {
                None => self.head.row(token as usize, row),
                Some(words) => words.add_row(token as usize, row),
            }
            row.iter_mut().for_each(|value| *value *= self.scale);
            if self.unplaced != Some(token) {
                add(row, &self.positions[line.length * self.hidden..][..self.hidden]);
            }
        }
        if let Some(norm) = &self.embedding_norm {
            norm.apply(hidden, NORM_EPSILON);
        }
    }

    fn layer(&self, layer: &Layer, index: usize, lines: &mut [&mut Line], scratch: &mut LineScratch) {
        let LineScratch { hidden, mixed, attended, wide, delta, tiles, scores, .. } = scratch;
        let (width, rows, by) = (self.hidden, lines.len(), Threads::All);
        attended.resize(rows * width, 0.0);
        layer.mix.forward(by, hidden, rows, tiles, mixed);
        for ((mixed, line), out) in
            mixed.chunks_exact(3 * width).zip(lines.iter_mut()).zip(attended.chunks_exact_mut(width))
        {
            let (query, pair) = mixed.split_at(width);
            line.tokens[index].extend_from_slice(pair);
            attend(query, &line.tokens[index], self.heads, scores, out);
        }
        layer.output.forward(by, attended, rows, tiles, delta);
        add(hidden, delta);
        layer.first_norm.apply(hidden, NORM_EPSILON);
        layer.query.forward(by, hidden, rows, tiles, mixed);
        for ((query, line), out) in mixed.chunks_exact(width).zip(lines.iter()).zip(attended.chunks_exact_mut(width)) {
            attend(query, &line.picture[index], self.heads, scores, out);
        }
        layer.picture_output.forward(by, attended, rows, tiles, delta);
        add(hidden, delta);
        layer.second_norm.apply(hidden, NORM_EPSILON);
        layer.up.forward(by, hidden, rows, tiles, wide);
        activate_by(by, self.activation, wide);
        layer.down.forward(by, wide, rows, tiles, delta);
        add(hidden, delta);
        layer.last_norm.apply(hidden, NORM_EPSILON);
    }
}

impl Layer {
    fn load(config: &LineDecoderConfig, layer: usize, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let (hidden, wide) = (config.hidden, config.intermediate);
        let source = if config.has_bridge { hidden } else { config.source };
        let named = |part: &str| format!("{PLACE}.layers.{layer}.{part}");
        let several = |parts: &[&str], end: &str| -> Vec<String> {
            parts.iter().map(|part| format!("{}.{end}", named(part))).collect()
        };
        let mix = ["self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"];
        let picture = ["encoder_attn.k_proj", "encoder_attn.v_proj"];
        let mut project = |parts: &[&str], columns: usize, depth: usize| {
            Projection::load(&several(parts, "weight"), &several(parts, "bias"), columns, depth, weights)
        };
        Ok(Self {
            mix: project(&mix, hidden, hidden)?,
            output: project(&["self_attn.out_proj"], hidden, hidden)?,
            query: project(&["encoder_attn.q_proj"], hidden, hidden)?,
            picture: project(&picture, hidden, source)?,
            picture_output: project(&["encoder_attn.out_proj"], hidden, hidden)?,
            up: project(&["fc1"], wide, hidden)?,
            down: project(&["fc2"], hidden, wide)?,
            first_norm: Norm::load(&named("self_attn_layer_norm"), hidden, weights)?,
            second_norm: Norm::load(&named("encoder_attn_layer_norm"), hidden, weights)?,
            last_norm: Norm::load(&named("final_layer_norm"), hidden, weights)?,
        })
    }

    fn size(&self) -> (u64, u64) {
        let norms = [&self.first_norm, &self.second_norm, &self.last_norm].map(Norm::size);
        let projections =
            [&self.mix, &self.output, &self.query, &self.picture, &self.picture_output, &self.up, &self.down];
        total(norms.into_iter().chain(projections.map(Projection::size)))
    }
}

/// Positions as sines and cosines of falling frequency, `[positions, hidden]`; the first has the number after padding's.
///
/// Source: transformers, `TrOCRSinusoidalPositionalEmbedding`.
fn sines(config: &LineDecoderConfig) -> Vec<f32> {
    let half = config.hidden / 2;
    let step = -(10_000f32.ln()) / (half - 1) as f32;
    let positions = config.positions.min(limits::LINE_TOKENS_MAX);
    let mut table = Vec::with_capacity(positions * config.hidden);
    for index in 0..positions {
        let position = (config.padding as usize + 1 + index) as f32;
        let angle = |place: usize| position * (place as f32 * step).exp();
        table.extend((0..half).map(|place| angle(place).sin()));
        table.extend((0..half).map(|place| angle(place).cos()));
        // An odd width has a number more.
        table.resize((index + 1) * config.hidden, 0.0);
    }
    table
}
