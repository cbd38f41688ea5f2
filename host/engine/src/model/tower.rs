//! A stack of transformer layers that normalise before they compute: what towers of CLIP and vision transformers share.
//!
//! Rows of many inputs lie one after the other without padding. What they mean before and after is somebody else's.
//!
//! Source: arXiv 2010.11929, section 3.1; transformers, `CLIPEncoder` and `ViTEncoder`.

mod names;

pub(crate) use names::Naming;

use super::affine::{Norm, Projection, activate_by, add, total};
use super::encoder::Wanted;
use super::encoder::attention::{Attention, AttentionScratch, Rows};
use super::kernel::RowTiles;
use super::kernel::activations::Activation;
use super::linear::Threads;
use crate::error::LoadError;
use crate::weights::Weights;

/// The shape of a tower.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct TowerConfig {
    pub(crate) hidden: usize,
    pub(crate) intermediate: usize,
    pub(crate) layers: usize,
    /// A divisor of `hidden`.
    pub(crate) heads: usize,
    pub(crate) norm_epsilon: f32,
    pub(crate) activation: Activation,
    /// Whether a row sees itself and those before it only.
    pub(crate) is_causal: bool,
    /// Whether something is added to queries, keys and values.
    pub(crate) has_mix_bias: bool,
}

/// The layers with their weights.
pub(crate) struct Tower {
    blocks: Vec<Block>,
    attention: Attention,
    hidden: usize,
    norm_epsilon: f32,
    activation: Activation,
}

/// One layer.
struct Block {
    first_norm: Norm,
    /// Query, key and value in one.
    mix: Projection,
    output: Projection,
    second_norm: Norm,
    up: Projection,
    down: Projection,
}

/// Activations of one pass; kept from one to the next.
#[derive(Default)]
pub(crate) struct TowerScratch {
    /// `[rows, hidden]`: what goes in and what comes out.
    pub(crate) hidden: Vec<f32>,
    /// Free between passes.
    pub(crate) tiles: RowTiles,
    normed: Vec<f32>,
    mixed: Vec<f32>,
    attended: Vec<f32>,
    wide: Vec<f32>,
    delta: Vec<f32>,
    attention: AttentionScratch,
}

impl Tower {
    /// Takes the weights that `config` asks for.
    ///
    /// * `place`: what precedes a layer's number in the names of its tensors.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(
        config: &TowerConfig,
        naming: Naming,
        place: &str,
        weights: &mut Weights<'_>,
    ) -> Result<Self, LoadError> {
        let blocks = (0..config.layers).map(|layer| Block::load(config, naming, &format!("{place}.{layer}"), weights));
        let head_dim = config.hidden / config.heads;
        Ok(Self {
            blocks: blocks.collect::<Result<_, _>>()?,
            attention: Attention { heads: config.heads, head_dim, is_causal: config.is_causal },
            hidden: config.hidden,
            norm_epsilon: config.norm_epsilon,
            activation: config.activation,
        })
    }

    /// Width of a row.
    pub(crate) fn hidden(&self) -> usize {
        self.hidden
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        total(self.blocks.iter().map(Block::size))
    }

    /// Puts the rows of [`TowerScratch::hidden`] through all layers; those that are not wanted do not come out.
    ///
    /// * `lengths`: rows of each input.
    pub(crate) fn forward(&self, lengths: &[usize], wanted: Wanted, by: Threads, scratch: &mut TowerScratch) {
        for (index, block) in self.blocks.iter().enumerate() {
            let wanted = if index + 1 == self.blocks.len() { wanted } else { Wanted::All };
            self.block(block, lengths, wanted, by, scratch);
        }
    }

    /// One layer.
    fn block(&self, block: &Block, lengths: &[usize], wanted: Wanted, by: Threads, scratch: &mut TowerScratch) {
        let TowerScratch { hidden, tiles, normed, mixed, attended, wide, delta, attention } = scratch;
        normed.clone_from(hidden);
        block.first_norm.apply(normed, self.norm_epsilon);
        block.mix.forward(by, normed, lengths.iter().sum(), tiles, mixed);
        self.attention.attend(&Rows { wanted, lengths, mixed }, None, by, attention, attended);
        wanted.keep(lengths, self.hidden, hidden);
        let rows = hidden.len() / self.hidden;
        block.output.forward(by, attended, rows, tiles, delta);
        add(hidden, delta);
        normed.clone_from(hidden);
        block.second_norm.apply(normed, self.norm_epsilon);
        block.up.forward(by, normed, rows, tiles, wide);
        activate_by(by, self.activation, wide);
        block.down.forward(by, wide, rows, tiles, delta);
        add(hidden, delta);
    }
}

impl Block {
    /// Takes the weights of the layer at `place`.
    fn load(config: &TowerConfig, naming: Naming, place: &str, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let (hidden, wide) = (config.hidden, config.intermediate);
        let parts = naming.parts();
        let named = |part: &str| format!("{place}.{part}");
        let matrices: Vec<String> = parts.mix.iter().map(|part| format!("{}weight", named(part))).collect();
        let biases: Vec<String> = parts.mix.iter().map(|part| format!("{}bias", named(part))).collect();
        let biases: &[String] = if config.has_mix_bias { &biases } else { &[] };
        Ok(Self {
            first_norm: Norm::load(&named(parts.first_norm), hidden, weights)?,
            mix: Projection::load(&matrices, biases, 3 * hidden / matrices.len(), hidden, weights)?,
            output: Projection::named(&named(parts.output), hidden, hidden, weights)?,
            second_norm: Norm::load(&named(parts.second_norm), hidden, weights)?,
            up: Projection::named(&named(parts.up), wide, hidden, weights)?,
            down: Projection::named(&named(parts.down), hidden, wide, weights)?,
        })
    }

    fn size(&self) -> (u64, u64) {
        let norms = [&self.first_norm, &self.second_norm].map(Norm::size);
        let projections = [&self.mix, &self.output, &self.up, &self.down].map(Projection::size);
        total(norms.into_iter().chain(projections))
    }
}
