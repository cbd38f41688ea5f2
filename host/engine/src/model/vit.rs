//! Vision transformers: a picture is cut into patches, and every patch is a row.
//!
//! Source: arXiv 2010.11929; transformers, `CLIPVisionTransformer` and `ViTModel`.

use mimus_vision::Image;

use super::affine::{Norm, Projection, add, total, vector_size};
use super::encoder::Wanted;
use super::linear::Threads;
use super::tower::{Naming, Tower, TowerConfig, TowerScratch};
use crate::error::LoadError;
use crate::pictures::Normalisation;
use crate::weights::Weights;

/// The shape of a vision transformer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct VitConfig {
    /// Width and height of the pictures in pixels, a multiple of `patch`.
    pub(crate) side: usize,
    /// Width and height of a patch in pixels.
    pub(crate) patch: usize,
    pub(crate) tower: TowerConfig,
}

/// What the tensors outside the layers are called.
pub(crate) struct VitNames {
    pub(crate) patches: &'static str,
    pub(crate) has_patch_bias: bool,
    /// Rows before the patches, the first of which stands for the picture.
    pub(crate) marks: &'static [&'static str],
    /// Name of the whole tensor.
    pub(crate) positions: &'static str,
    pub(crate) first_norm: Option<&'static str>,
    pub(crate) last_norm: &'static str,
    pub(crate) naming: Naming,
    /// What precedes a layer's number.
    pub(crate) blocks: &'static str,
}

/// A vision transformer with its weights.
pub(crate) struct Vit {
    side: usize,
    patch: usize,
    patches: Projection,
    /// `[marks, hidden]`.
    marks: Vec<f32>,
    /// `[marks + patches, hidden]`.
    positions: Vec<f32>,
    first_norm: Option<Norm>,
    tower: Tower,
    last_norm: Norm,
    norm_epsilon: f32,
}

/// Activations of one pass; kept from one to the next.
#[derive(Default)]
pub(crate) struct VitScratch {
    /// The result is its `hidden`.
    pub(crate) tower: TowerScratch,
    pixels: Vec<f32>,
    patches: Vec<f32>,
}

impl VitConfig {
    /// Patches of a picture.
    fn patches(&self) -> usize {
        (self.side / self.patch).pow(2)
    }
}

impl Vit {
    /// Takes the weights that `config` asks for.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(config: &VitConfig, names: &VitNames, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let hidden = config.tower.hidden;
        let matrix =
            weights.flattened(&format!("{}.weight", names.patches), hidden, &[3, config.patch, config.patch])?;
        let bias = if names.has_patch_bias {
            weights.joined(&[format!("{}.bias", names.patches)], hidden)?
        } else {
            Vec::new()
        };
        let mut marks = Vec::new();
        for name in names.marks {
            marks.extend(weights.numbers(name, &[hidden])?);
        }
        let rows = names.marks.len() + config.patches();
        Ok(Self {
            side: config.side,
            patch: config.patch,
            patches: Projection::new(matrix, bias),
            marks,
            positions: weights.numbers(names.positions, &[rows, hidden])?,
            first_norm: names.first_norm.map(|name| Norm::load(name, hidden, weights)).transpose()?,
            tower: Tower::load(&config.tower, names.naming, names.blocks, weights)?,
            last_norm: Norm::load(names.last_norm, hidden, weights)?,
            norm_epsilon: config.tower.norm_epsilon,
        })
    }

    /// Rows of a picture: its marks and its patches.
    pub(crate) fn rows(&self) -> usize {
        self.positions.len() / self.tower.hidden()
    }

    /// Width of a row.
    pub(crate) fn hidden(&self) -> usize {
        self.tower.hidden()
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let vectors = vector_size(self.marks.len() + self.positions.len());
        let norms = self.first_norm.iter().chain([&self.last_norm]).map(Norm::size);
        total(norms.chain([vectors, self.patches.size(), self.tower.size()]))
    }

    /// Computes the wanted rows of pictures into `scratch.tower.hidden`, in their order.
    ///
    /// * `images`: of the width and height that the network takes.
    pub(crate) fn forward(
        &self,
        images: &[&Image],
        normalisation: &Normalisation,
        wanted: Wanted,
        by: Threads,
        scratch: &mut VitScratch,
    ) {
        let VitScratch { tower, pixels, patches } = scratch;
        pixels.clear();
        for image in images {
            self.cut(image, normalisation, pixels);
        }
        let hidden = self.hidden();
        let (marks, rows) = (self.marks.len() / hidden, self.rows());
        self.patches.forward(by, pixels, images.len() * (rows - marks), &mut tower.tiles, patches);
        tower.hidden.clear();
        for patches in patches.chunks_exact((rows - marks) * hidden) {
            let begin = tower.hidden.len();
            tower.hidden.extend_from_slice(&self.marks);
            tower.hidden.extend_from_slice(patches);
            add(&mut tower.hidden[begin..], &self.positions);
        }
        if let Some(norm) = &self.first_norm {
            norm.apply(&mut tower.hidden, self.norm_epsilon);
        }
        self.tower.forward(&vec![rows; images.len()], wanted, by, tower);
        self.last_norm.apply(&mut tower.hidden, self.norm_epsilon);
    }

    /// Appends the patches of a picture, `[patches, 3, patch, patch]`.
    fn cut(&self, image: &Image, normalisation: &Normalisation, out: &mut Vec<f32>) {
        let (side, patch) = (self.side, self.patch);
        let bytes = image.pixels();
        for (top, left) in
            (0..side).step_by(patch).flat_map(|top| (0..side).step_by(patch).map(move |left| (top, left)))
        {
            for (channel, values) in normalisation.0.iter().enumerate() {
                for y in top..top + patch {
                    let row = &bytes[(y * side + left) * 3..][..patch * 3];
                    out.extend(row[channel..].iter().step_by(3).map(|&byte| values[byte as usize]));
                }
            }
        }
    }
}
