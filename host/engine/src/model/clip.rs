//! CLIP: a tower for pictures and one for texts, whose vectors lie in one space.
//!
//! Source: arXiv 2103.00020; transformers, `CLIPModel`; open_clip, `CLIP`.

use mimus_vision::Image;

use super::affine::{Norm, add, total, vector_size};
use super::encoder::Wanted;
use super::kernel::RowTiles;
use super::linear::{Linear, Threads};
use super::resnet::{ResNet, ResNetConfig};
use super::tower::{Naming, Tower, TowerConfig, TowerScratch};
use super::vit::{Vit, VitConfig, VitNames, VitScratch};
use crate::error::LoadError;
use crate::pictures::Normalisation;
use crate::weights::{Table, Weights};

/// The shape of both towers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ClipConfig {
    pub(crate) vision: VisionConfig,
    pub(crate) text: TowerConfig,
    pub(crate) vocab: usize,
    /// Tokens of the longest text.
    pub(crate) context_tokens: usize,
    /// Numbers of a vector.
    pub(crate) dimensions: usize,
    /// Whose names the tensors have: [`Naming::Clip`] or [`Naming::OpenClip`].
    pub(crate) naming: Naming,
}

/// The shape of the tower for pictures.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum VisionConfig {
    Vit(VitConfig),
    /// [`Naming::OpenClip`] only.
    ResNet(ResNetConfig),
}

/// Both towers with their weights.
pub(crate) struct Clip {
    vision: Vision,
    words: Table,
    /// `[context, hidden]`.
    positions: Vec<f32>,
    text: Tower,
    text_norm: Norm,
    norm_epsilon: f32,
    /// `[dimensions, hidden]`.
    text_projection: Linear,
}

/// The tower for pictures.
enum Vision {
    Vit { vit: Vit, projection: Linear },
    ResNet(ResNet),
}

/// Activations of one pass; kept from one to the next.
#[derive(Default)]
pub(crate) struct ClipScratch {
    vit: VitScratch,
    text: TowerScratch,
    out: Vec<f32>,
}

impl VisionConfig {
    /// Width and height of the pictures in pixels.
    pub(crate) fn side(&self) -> usize {
        match self {
            Self::Vit(config) => config.side,
            Self::ResNet(config) => config.side(),
        }
    }
}

impl Clip {
    /// Takes the weights that `config` asks for.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(config: &ClipConfig, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let is_open = config.naming == Naming::OpenClip;
        let named = |own: &'static str, open: &'static str| if is_open { open } else { own };
        let project = |name: &str, hidden: usize, weights: &mut Weights<'_>| {
            if is_open {
                weights.transposed(name, config.dimensions, hidden)
            } else {
                weights.stacked(&[name.to_owned()], config.dimensions, hidden)
            }
        };
        let vision = match &config.vision {
            VisionConfig::ResNet(shape) => Vision::ResNet(ResNet::load(shape, config.dimensions, weights)?),
            VisionConfig::Vit(shape) => {
                let projection = named("visual_projection.weight", "visual.proj");
                let projection = project(projection, shape.tower.hidden, weights)?;
                Vision::Vit { vit: Vit::load(shape, &vision_names(config.naming), weights)?, projection }
            }
        };
        let hidden = config.text.hidden;
        let words = named("text_model.embeddings.token_embedding.weight", "token_embedding.weight");
        let positions = named("text_model.embeddings.position_embedding.weight", "positional_embedding");
        let blocks = named("text_model.encoder.layers", "transformer.resblocks");
        Ok(Self {
            vision,
            words: weights.table(words, config.vocab, hidden)?,
            positions: weights.numbers(positions, &[config.context_tokens, hidden])?,
            text: Tower::load(&config.text, config.naming, blocks, weights)?,
            text_norm: Norm::load(named("text_model.final_layer_norm", "ln_final"), hidden, weights)?,
            norm_epsilon: config.text.norm_epsilon,
            text_projection: project(named("text_projection.weight", "text_projection"), hidden, weights)?,
        })
    }

    /// Rows of a picture.
    pub(crate) fn picture_rows(&self) -> usize {
        match &self.vision {
            Vision::Vit { vit, .. } => vit.rows(),
            Vision::ResNet(net) => net.rows(),
        }
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let vision = match &self.vision {
            Vision::Vit { vit, projection } => total([vit.size(), (projection.parameters(), projection.bytes())]),
            Vision::ResNet(net) => net.size(),
        };
        let projection = (self.text_projection.parameters(), self.text_projection.bytes());
        let positions = vector_size(self.positions.len());
        total([vision, self.words.size(), positions, self.text.size(), self.text_norm.size(), projection])
    }

    /// The vectors of pictures, in their order.
    ///
    /// * `images`: of the width and height that the network takes.
    pub(crate) fn pictures(
        &self,
        images: &[&Image],
        normalisation: &Normalisation,
        by: Threads,
        scratch: &mut ClipScratch,
    ) -> Vec<Vec<f32>> {
        match &self.vision {
            Vision::ResNet(net) => images.iter().map(|image| net.forward(image, normalisation, by)).collect(),
            Vision::Vit { vit, projection } => {
                vit.forward(images, normalisation, Wanted::First, by, &mut scratch.vit);
                let TowerScratch { hidden, tiles, .. } = &mut scratch.vit.tower;
                project(projection, hidden, by, tiles, &mut scratch.out)
            }
        }
    }

    /// The vectors of texts, in their order: each is what the last of its tokens becomes.
    ///
    /// * `texts`: ids inside the vocabulary, each text's at least 1 and at most as many as there are positions.
    pub(crate) fn texts(&self, texts: &[&[u32]], by: Threads, scratch: &mut ClipScratch) -> Vec<Vec<f32>> {
        let width = self.text.hidden();
        let lengths: Vec<usize> = texts.iter().map(|ids| ids.len()).collect();
        let hidden = &mut scratch.text.hidden;
        hidden.clear();
        hidden.resize(lengths.iter().sum::<usize>() * width, 0.0);
        let mut rows = hidden.chunks_exact_mut(width);
        for ids in texts {
            for ((&id, position), row) in ids.iter().zip(self.positions.chunks_exact(width)).zip(&mut rows) {
                self.words.add_row(id as usize, row);
                add(row, position);
            }
        }
        self.text.forward(&lengths, Wanted::Last, by, &mut scratch.text);
        let TowerScratch { hidden, tiles, .. } = &mut scratch.text;
        self.text_norm.apply(hidden, self.norm_epsilon);
        project(&self.text_projection, hidden, by, tiles, &mut scratch.out)
    }
}

/// Brings rows into the common space.
fn project(matrix: &Linear, rows: &[f32], by: Threads, tiles: &mut RowTiles, out: &mut Vec<f32>) -> Vec<Vec<f32>> {
    let (columns, depth) = matrix.shape();
    matrix.forward_by(by, rows, rows.len() / depth, tiles, out);
    out.chunks_exact(columns).map(<[f32]>::to_vec).collect()
}

/// What the tensors of the tower for pictures are called.
fn vision_names(naming: Naming) -> VitNames {
    match naming {
        Naming::OpenClip => VitNames {
            patches: "visual.conv1",
            has_patch_bias: false,
            marks: &["visual.class_embedding"],
            positions: "visual.positional_embedding",
            first_norm: Some("visual.ln_pre"),
            last_norm: "visual.ln_post",
            naming,
            blocks: "visual.transformer.resblocks",
        },
        Naming::Clip | Naming::Vit => VitNames {
            patches: "vision_model.embeddings.patch_embedding",
            has_patch_bias: false,
            marks: &["vision_model.embeddings.class_embedding"],
            positions: "vision_model.embeddings.position_embedding.weight",
            first_norm: Some("vision_model.pre_layrnorm"),
            last_norm: "vision_model.post_layernorm",
            naming,
            blocks: "vision_model.encoder.layers",
        },
    }
}
