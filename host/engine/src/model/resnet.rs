//! CLIP's residual network: three convolutions before all else, means in place of strides, and attention at its end.
//!
//! Values lie as `[height, width, channels]`, so that a convolution of one pixel is a product of rows, and a larger one a
//! product of rows that its neighbourhoods were gathered into. Normalisations are folded into the convolutions.
//!
//! Source: arXiv 2103.00020, section 2.4; openai/CLIP, `ModifiedResNet`.

use mimus_vision::Image;

use super::affine::{Projection, add, total, vector_size};
use super::encoder::Wanted;
use super::encoder::attention::{Attention, AttentionScratch, Rows};
use super::kernel::RowTiles;
use super::kernel::activations::{Activation, activate};
use super::linear::Threads;
use crate::error::LoadError;
use crate::pictures::Normalisation;
use crate::weights::Weights;

/// Pixels whose neighbourhoods are gathered at a time.
const BAND_PIXELS: usize = 1_024;

/// What a variance is kept above.
const NORM_EPSILON: f32 = 1e-5;

/// How much wider a block's output is than its inside.
const EXPANSION: usize = 4;

/// Pixels of a side that one pixel of the last layer stands for.
const REDUCTION: usize = 32;

/// The shape of a network.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct ResNetConfig {
    /// Blocks of each of the four layers.
    pub(crate) blocks: [usize; 4],
    /// Channels inside the blocks of the first layer; each layer has twice as many as the one before.
    pub(crate) width: usize,
    /// Width and height of the last layer.
    pub(crate) grid: usize,
    /// A divisor of the last layer's channels.
    pub(crate) heads: usize,
}

/// The network with its weights.
pub(crate) struct ResNet {
    stem: [Convolution; 3],
    blocks: Vec<Block>,
    /// `[1 + grid * grid, channels]`.
    positions: Vec<f32>,
    /// Query, key and value in one.
    mix: Projection,
    attention: Attention,
    output: Projection,
}

/// A residual block.
struct Block {
    narrow: Convolution,
    middle: Convolution,
    wide: Convolution,
    /// Brings the block's input to the shape of its output; `None` where it has it.
    shortcut: Option<Convolution>,
    /// Pixels of a side that become one.
    stride: usize,
}

/// A convolution of 1 or 3 pixels a side, and the normalisation after it.
struct Convolution {
    /// `[outputs, size * size * inputs]`.
    matrix: Projection,
    size: usize,
    stride: usize,
}

/// Values of a picture, `[height, width, channels]`; as high as it is wide.
struct Maps {
    values: Vec<f32>,
    side: usize,
    channels: usize,
}

/// Memory of one pass.
#[derive(Default)]
struct Scratch {
    gathered: Vec<f32>,
    band: Vec<f32>,
    tiles: RowTiles,
}

impl ResNetConfig {
    /// Width and height of the pictures in pixels.
    pub(crate) fn side(&self) -> usize {
        self.grid * REDUCTION
    }

    /// Channels of the last layer.
    pub(crate) fn channels(&self) -> usize {
        self.width * 8 * EXPANSION
    }
}

impl ResNet {
    /// Takes the weights that `config` asks for.
    ///
    /// * `dimensions`: numbers of a vector.
    ///
    /// # Errors
    /// [`LoadError`] when a tensor is absent or has another shape.
    pub(crate) fn load(config: &ResNetConfig, dimensions: usize, weights: &mut Weights<'_>) -> Result<Self, LoadError> {
        let width = config.width;
        let stem = |index: usize, shape: [usize; 3], stride: usize, weights: &mut Weights<'_>| {
            let (kernel, norm) = (format!("visual.conv{index}"), format!("visual.bn{index}"));
            Convolution::load(&kernel, &norm, shape, stride, weights)
        };
        let stem = [
            stem(1, [width / 2, 3, 3], 2, weights)?,
            stem(2, [width / 2, width / 2, 3], 1, weights)?,
            stem(3, [width, width / 2, 3], 1, weights)?,
        ];
        let mut blocks = Vec::new();
        let mut inputs = width;
        for (layer, &count) in config.blocks.iter().enumerate() {
            let inside = width << layer;
            for index in 0..count {
                let place = format!("visual.layer{}.{index}", layer + 1);
                let stride = if index == 0 && layer > 0 { 2 } else { 1 };
                blocks.push(Block::load(&place, inputs, inside, stride, weights)?);
                inputs = inside * EXPANSION;
            }
        }
        let channels = config.channels();
        let parts = ["q_proj", "k_proj", "v_proj"];
        let named = |end: &str| parts.map(|part| format!("visual.attnpool.{part}.{end}"));
        Ok(Self {
            stem,
            blocks,
            positions: weights
                .numbers("visual.attnpool.positional_embedding", &[1 + config.grid * config.grid, channels])?,
            mix: Projection::load(&named("weight"), &named("bias"), channels, channels, weights)?,
            attention: Attention { heads: config.heads, head_dim: channels / config.heads, is_causal: false },
            output: Projection::named("visual.attnpool.c_proj", dimensions, channels, weights)?,
        })
    }

    /// Rows of a picture in the attention.
    pub(crate) fn rows(&self) -> usize {
        self.positions.len() * 3 / self.mix.columns()
    }

    /// Numbers in the weights, and bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let stem = self.stem.iter().map(|convolution| convolution.matrix.size());
        let blocks = self.blocks.iter().map(Block::size);
        let end = [vector_size(self.positions.len()), self.mix.size(), self.output.size()];
        total(stem.chain(blocks).chain(end))
    }

    /// The vector of a picture of the width and height that the network takes.
    pub(crate) fn forward(&self, image: &Image, normalisation: &Normalisation, by: Threads) -> Vec<f32> {
        let scratch = &mut Scratch::default();
        let values = image.pixels().as_chunks::<3>().0.iter();
        let values =
            values.flat_map(|pixel| [0, 1, 2].map(|channel| normalisation.0[channel][pixel[channel] as usize]));
        let mut maps = Maps { values: values.collect(), side: image.width() as usize, channels: 3 };
        for convolution in &self.stem {
            maps = convolution.forward(&maps, by, scratch);
            activate(Activation::Relu, &mut maps.values);
        }
        maps = maps.means(2);
        for block in &self.blocks {
            maps = block.forward(maps, by, scratch);
        }
        self.pool(maps, by, scratch)
    }

    /// Lets the mean of all pixels attend to every pixel.
    fn pool(&self, maps: Maps, by: Threads, scratch: &mut Scratch) -> Vec<f32> {
        let (channels, pixels) = (maps.channels, maps.side * maps.side);
        let mut rows = vec![0.0; channels];
        for pixel in maps.values.chunks_exact(channels) {
            add(&mut rows, pixel);
        }
        rows.iter_mut().for_each(|sum| *sum /= pixels as f32);
        rows.extend_from_slice(&maps.values);
        add(&mut rows, &self.positions);
        let (mut mixed, mut attended, mut vector) = (Vec::new(), Vec::new(), Vec::new());
        self.mix.forward(by, &rows, 1 + pixels, &mut scratch.tiles, &mut mixed);
        let rows = Rows { wanted: Wanted::First, lengths: &[1 + pixels], mixed: &mixed };
        self.attention.attend(&rows, None, by, &mut AttentionScratch::default(), &mut attended);
        self.output.forward(by, &attended, 1, &mut scratch.tiles, &mut vector);
        vector
    }
}

impl Block {
    fn load(
        place: &str,
        inputs: usize,
        inside: usize,
        stride: usize,
        weights: &mut Weights<'_>,
    ) -> Result<Self, LoadError> {
        let outputs = inside * EXPANSION;
        let mut load = |kernel: &str, norm: &str, shape: [usize; 3]| {
            Convolution::load(&format!("{place}.{kernel}"), &format!("{place}.{norm}"), shape, 1, weights)
        };
        let narrow = load("conv1", "bn1", [inside, inputs, 1])?;
        let middle = load("conv2", "bn2", [inside, inside, 3])?;
        let wide = load("conv3", "bn3", [outputs, inside, 1])?;
        let has_shortcut = stride > 1 || inputs != outputs;
        let shortcut = has_shortcut.then(|| load("downsample.0", "downsample.1", [outputs, inputs, 1])).transpose()?;
        Ok(Self { narrow, middle, wide, shortcut, stride })
    }

    fn size(&self) -> (u64, u64) {
        let convolutions = [&self.narrow, &self.middle, &self.wide].into_iter().chain(&self.shortcut);
        total(convolutions.map(|convolution| convolution.matrix.size()))
    }

    fn forward(&self, maps: Maps, by: Threads, scratch: &mut Scratch) -> Maps {
        let mut inside = self.narrow.forward(&maps, by, scratch);
        activate(Activation::Relu, &mut inside.values);
        inside = self.middle.forward(&inside, by, scratch);
        activate(Activation::Relu, &mut inside.values);
        let mut out = self.wide.forward(&inside.means(self.stride), by, scratch);
        let around = match &self.shortcut {
            None => maps,
            Some(shortcut) => shortcut.forward(&maps.means(self.stride), by, scratch),
        };
        add(&mut out.values, &around.values);
        activate(Activation::Relu, &mut out.values);
        out
    }
}

impl Convolution {
    /// Takes a kernel and the normalisation after it.
    ///
    /// * `shape`: outputs, inputs, and pixels of a side.
    fn load(
        kernel: &str,
        norm: &str,
        [outputs, inputs, size]: [usize; 3],
        stride: usize,
        weights: &mut Weights<'_>,
    ) -> Result<Self, LoadError> {
        let numbers = weights.numbers(&format!("{kernel}.weight"), &[outputs, inputs, size, size])?;
        let mut vector = |end: &str| weights.joined(&[format!("{norm}.{end}")], outputs);
        let (scale, shift) = (vector("weight")?, vector("bias")?);
        let (mean, variance) = (vector("running_mean")?, vector("running_var")?);
        let scale: Vec<f32> =
            scale.iter().zip(&variance).map(|(scale, variance)| scale / (variance + NORM_EPSILON).sqrt()).collect();
        let bias = shift.iter().zip(&mean).zip(&scale).map(|((shift, mean), scale)| shift - mean * scale).collect();
        let (area, depth) = (size * size, inputs * size * size);
        let matrix = weights.computed(outputs, depth, || {
            let mut rows = Vec::with_capacity(numbers.len());
            for (kernel, scale) in numbers.chunks_exact(depth).zip(&scale) {
                // From `[inputs, area]` to `[area, inputs]`.
                let row = |place: usize| kernel[place..].iter().step_by(area).map(move |weight| weight * scale);
                rows.extend((0..area).flat_map(row));
            }
            rows
        });
        Ok(Self { matrix: Projection::new(matrix, bias), size, stride })
    }

    /// Convolves; beyond the edges all is 0.
    fn forward(&self, maps: &Maps, by: Threads, scratch: &mut Scratch) -> Maps {
        let side = maps.side.div_ceil(self.stride);
        let channels = self.matrix.columns();
        let mut values = Vec::with_capacity(side * side * channels);
        let rows_together = (BAND_PIXELS / side).max(1);
        for top in (0..side).step_by(rows_together) {
            let rows = top..side.min(top + rows_together);
            let pixels = rows.len() * side;
            let inputs = if self.size == 1 {
                // Only those of 3 pixels have a stride.
                &maps.values[rows.start * side * maps.channels..rows.end * side * maps.channels]
            } else {
                scratch.gathered.clear();
                for (y, x) in rows.flat_map(|y| (0..side).map(move |x| (y, x))) {
                    maps.gather(y * self.stride, x * self.stride, &mut scratch.gathered);
                }
                &scratch.gathered
            };
            self.matrix.forward(by, inputs, pixels, &mut scratch.tiles, &mut scratch.band);
            values.extend_from_slice(&scratch.band);
        }
        Maps { values, side, channels }
    }
}

impl Maps {
    /// Appends the nine pixels around a place, row by row; those beyond the edges are 0.
    fn gather(&self, y: usize, x: usize, out: &mut Vec<f32>) {
        for (down, right) in (0..3).flat_map(|down| (0..3).map(move |right| (down, right))) {
            // One more than the place.
            let (y, x) = (y + down, x + right);
            if (1..=self.side).contains(&y) && (1..=self.side).contains(&x) {
                let begin = ((y - 1) * self.side + x - 1) * self.channels;
                out.extend_from_slice(&self.values[begin..begin + self.channels]);
            } else {
                out.resize(out.len() + self.channels, 0.0);
            }
        }
    }

    /// Makes one pixel of every `stride * stride`; those left over at the end are dropped.
    fn means(self, stride: usize) -> Maps {
        if stride == 1 {
            return self;
        }
        let (side, channels) = (self.side / stride, self.channels);
        let mut values = vec![0.0; side * side * channels];
        for (index, mean) in values.chunks_exact_mut(channels).enumerate() {
            for (down, right) in (0..stride).flat_map(|down| (0..stride).map(move |right| (down, right))) {
                let (y, x) = (index / side * stride + down, index % side * stride + right);
                add(mean, &self.values[(y * self.side + x) * channels..][..channels]);
            }
            mean.iter_mut().for_each(|sum| *sum /= (stride * stride) as f32);
        }
        Maps { values, side, channels }
    }
}
