//! The forward pass of the Llama family: llama, mistral, qwen2 and qwen3 differ in configuration only.

use super::attention::{AttentionScratch, AttentionShape};
use super::kernel::RowTiles;
use super::kernel::activations::silu_times;
use super::linear::Linear;
use super::names::{LayerTensor, TensorName};
use super::norm::{rms_norm, rms_norm_in_place};
use super::rope::Rope;
use super::{Decoder, LogitRows, Span};
use crate::config::DecoderConfig;
use crate::error::{EngineError, LoadError};
use crate::kv_cache::{KvCache, KvShape};
use crate::weights::Weights;

/// A decoder of the Llama family with its weights.
pub(crate) struct LlamaDecoder {
    embedding: Linear,
    layers: Vec<Layer>,
    final_norm: Vec<f32>,
    /// `None`: tied to the embedding.
    head: Option<Linear>,
    hidden: usize,
    vocab: usize,
    norm_epsilon: f32,
    shape: AttentionShape,
    rope: Rope,
    scratch: Scratch,
}

/// A matrix and what is added to its outputs.
struct Projection {
    matrix: Linear,
    bias: Option<Vec<f32>>,
}

/// One layer.
struct Layer {
    attention_norm: Vec<f32>,
    query: Projection,
    key: Projection,
    value: Projection,
    query_norm: Option<Vec<f32>>,
    key_norm: Option<Vec<f32>>,
    output: Projection,
    feed_forward_norm: Vec<f32>,
    gate: Projection,
    up: Projection,
    down: Projection,
}

/// Activations of a step, kept from one step to the next.
#[derive(Default)]
struct Scratch {
    /// The residual stream, `[rows, hidden]`.
    hidden: Vec<f32>,
    /// What a projection reads.
    normed: Vec<f32>,
    query: Vec<f32>,
    key: Vec<f32>,
    value: Vec<f32>,
    attended: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    /// What is added to the residual stream.
    delta: Vec<f32>,
    tiles: RowTiles,
    attention: AttentionScratch,
}

impl LlamaDecoder {
    /// Takes the weights that `config` asks for.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(config: &DecoderConfig, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let embedding = weights.matrix(TensorName::Embedding, config.vocab, config.hidden)?;
        let head =
            if config.is_tied { None } else { Some(weights.matrix(TensorName::Head, config.vocab, config.hidden)?) };
        let layers = (0..config.layers).map(|layer| Layer::load(config, layer, weights));
        Ok(Self {
            embedding,
            layers: layers.collect::<Result<_, _>>()?,
            final_norm: weights.vector(TensorName::FinalNorm, config.hidden)?,
            head,
            hidden: config.hidden,
            vocab: config.vocab,
            norm_epsilon: config.norm_epsilon,
            shape: AttentionShape {
                layers: config.layers,
                heads: config.heads,
                kv_heads: config.kv_heads,
                head_dim: config.head_dim,
            },
            rope: Rope::new(&config.rope, config.head_dim),
            scratch: Scratch::default(),
        })
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let projections = self.layers.iter().flat_map(Layer::projections);
        let matrices = projections.clone().map(|projection| &projection.matrix);
        let matrices: Vec<&Linear> = matrices.chain([&self.embedding]).chain(&self.head).collect();
        let biases = projections.filter_map(|projection| projection.bias.as_ref());
        let norms = self.layers.iter().flat_map(Layer::norms).chain([&self.final_norm]);
        let in_vectors: u64 = biases.chain(norms).map(|vector| vector.len() as u64).sum();
        let parameters = matrices.iter().map(|matrix| matrix.parameters()).sum::<u64>() + in_vectors;
        let bytes = matrices.iter().map(|matrix| matrix.bytes()).sum::<u64>() + in_vectors * 4;
        (parameters, bytes)
    }

    /// Embeds the rows of all spans.
    fn embed(&mut self, spans: &[Span<'_>]) {
        let ids = || spans.iter().flat_map(|span| &span.tokens[span.start..]);
        let hidden = &mut self.scratch.hidden;
        hidden.resize(ids().count() * self.hidden, 0.0);
        for (&id, row) in ids().zip(hidden.chunks_exact_mut(self.hidden)) {
            self.embedding.row(id as usize, row);
        }
        let positions = spans.iter().flat_map(|span| span.start..span.tokens.len());
        self.rope.set_positions(positions);
    }

    /// Puts the residual stream through one layer.
    fn layer(&mut self, index: usize, spans: &[Span<'_>], cache: &mut KvCache) {
        let layer = &self.layers[index];
        let shape = &self.shape;
        let Scratch { hidden, normed, query, key, value, attended, gate, up, delta, tiles, attention } =
            &mut self.scratch;
        rms_norm(hidden, &layer.attention_norm, self.norm_epsilon, normed);
        let rows = hidden.len() / self.hidden;
        layer.query.forward(normed, rows, tiles, query);
        layer.key.forward(normed, rows, tiles, key);
        layer.value.forward(normed, rows, tiles, value);
        if let Some(weight) = &layer.query_norm {
            rms_norm_in_place(query, weight, self.norm_epsilon);
        }
        if let Some(weight) = &layer.key_norm {
            rms_norm_in_place(key, weight, self.norm_epsilon);
        }
        self.rope.rotate(query, shape.heads);
        self.rope.rotate(key, shape.kv_heads);
        shape.store(spans, index, key, value, cache);
        shape.attend(spans, index, query, cache, attention, attended);
        layer.output.forward(attended, rows, tiles, delta);
        add(hidden, delta);
        rms_norm(hidden, &layer.feed_forward_norm, self.norm_epsilon, normed);
        layer.gate.forward(normed, rows, tiles, gate);
        layer.up.forward(normed, rows, tiles, up);
        silu_times(gate, up);
        layer.down.forward(gate, rows, tiles, delta);
        add(hidden, delta);
    }

    /// Appends the logits that the spans ask for.
    fn head(&mut self, spans: &[Span<'_>], logits: &mut Vec<f32>) {
        let Scratch { hidden, normed, delta, gate, tiles, .. } = &mut self.scratch;
        let wanted = gate;
        wanted.clear();
        let mut rows = hidden.chunks_exact(self.hidden);
        for span in spans {
            let all = rows.by_ref().take(span.rows());
            let skipped = if span.logits == LogitRows::None { span.rows() } else { span.rows() - span.logit_rows() };
            all.skip(skipped).for_each(|row| wanted.extend_from_slice(row));
        }
        let count = wanted.len() / self.hidden;
        rms_norm(wanted, &self.final_norm, self.norm_epsilon, normed);
        let head = self.head.as_ref().unwrap_or(&self.embedding);
        head.forward(normed, count, tiles, delta);
        logits.extend_from_slice(delta);
    }
}

impl Decoder for LlamaDecoder {
    fn kv_shape(&self) -> KvShape {
        self.shape.kv_shape()
    }

    fn vocab(&self) -> usize {
        self.vocab
    }

    fn forward(&mut self, spans: &[Span<'_>], cache: &mut KvCache, logits: &mut Vec<f32>) -> Result<(), EngineError> {
        self.embed(spans);
        for index in 0..self.layers.len() {
            self.layer(index, spans, cache);
        }
        self.head(spans, logits);
        Ok(())
    }
}

impl Layer {
    /// Takes the weights of layer number `layer`.
    fn load(config: &DecoderConfig, layer: usize, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        use LayerTensor as T;
        let name = |tensor| TensorName::Layer(layer, tensor);
        let (hidden, wide) = (config.hidden, config.intermediate);
        let (queries, keys) = (config.heads * config.head_dim, config.kv_heads * config.head_dim);
        let mut project = |matrix, bias, has_bias, columns, depth| -> Result<Projection, LoadError> {
            let matrix = weights.matrix(name(matrix), columns, depth)?;
            let bias = if has_bias { Some(weights.vector(name(bias), columns)?) } else { None };
            Ok(Projection { matrix, bias })
        };
        let query = project(T::Query, T::QueryBias, config.has_attention_bias, queries, hidden)?;
        let key = project(T::Key, T::KeyBias, config.has_attention_bias, keys, hidden)?;
        let value = project(T::Value, T::ValueBias, config.has_attention_bias, keys, hidden)?;
        let output = project(T::Output, T::OutputBias, config.has_output_bias, hidden, queries)?;
        let gate = project(T::Gate, T::GateBias, config.has_feed_forward_bias, wide, hidden)?;
        let up = project(T::Up, T::UpBias, config.has_feed_forward_bias, wide, hidden)?;
        let down = project(T::Down, T::DownBias, config.has_feed_forward_bias, hidden, wide)?;
        let mut head_norm = |tensor| -> Result<Option<Vec<f32>>, LoadError> {
            config.has_head_norms.then(|| weights.vector(name(tensor), config.head_dim)).transpose()
        };
        let (query_norm, key_norm) = (head_norm(T::QueryNorm)?, head_norm(T::KeyNorm)?);
        Ok(Self {
            attention_norm: weights.vector(name(T::AttentionNorm), hidden)?,
            query,
            key,
            value,
            query_norm,
            key_norm,
            output,
            feed_forward_norm: weights.vector(name(T::FeedForwardNorm), hidden)?,
            gate,
            up,
            down,
        })
    }

    /// Its matrices.
    fn projections(&self) -> [&Projection; 7] {
        [&self.query, &self.key, &self.value, &self.output, &self.gate, &self.up, &self.down]
    }

    /// Its norms.
    fn norms(&self) -> impl Iterator<Item = &Vec<f32>> {
        [&self.attention_norm, &self.feed_forward_norm].into_iter().chain(&self.query_norm).chain(&self.key_norm)
    }
}

impl Projection {
    /// See [`Linear::forward`].
    fn forward(&self, inputs: &[f32], rows: usize, tiles: &mut RowTiles, out: &mut Vec<f32>) {
        self.matrix.forward(inputs, rows, tiles, out);
        if let Some(bias) = &self.bias {
            out.chunks_exact_mut(bias.len()).for_each(|row| add(row, bias));
        }
    }
}

/// `values += others`.
fn add(values: &mut [f32], others: &[f32]) {
    for (value, other) in values.iter_mut().zip(others) {
        *value += other;
    }
}
