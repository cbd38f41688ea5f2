//! The weights of a file by the names of the trainer's layers.

use half::{bf16, f16};
use safetensors::{Dtype, SafeTensors};

use super::HEAD;
use crate::error::LoadError;

/// What the trainer adds to a variance before it divides by its root.
const EPSILON: f32 = 1e-3;

/// Tensors of a file. The largest of the family has some 800.
const TENSORS_MAX: usize = 4_096;

/// Names of the trainer's layers in candle's files; layers without weights have none.
pub(super) const CANDLE: [(usize, &str); 17] = [
    (0, "net.b1.0"),
    (1, "net.b1.1"),
    (2, "net.b2.0"),
    (3, "net.b2.1"),
    (4, "net.b2.2"),
    (5, "net.b3.0"),
    (6, "net.b3.1"),
    (7, "net.b4.0"),
    (8, "net.b4.1"),
    (9, "net.b5.0"),
    (12, "fpn.n1"),
    (15, "fpn.n2"),
    (16, "fpn.n3"),
    (18, "fpn.n4"),
    (19, "fpn.n5"),
    (21, "fpn.n6"),
    (HEAD, "head"),
];

/// How tensors are called.
enum Naming {
    /// The number of the layer behind this.
    Trainer(&'static str),
    Candle,
}

/// One convolution.
pub(super) struct Convolution {
    /// Channels out, channels in, height, width.
    pub(super) shape: [usize; 4],
    pub(super) weight: Vec<f32>,
    /// One number a channel.
    pub(super) bias: Vec<f32>,
}

/// See the module.
pub(super) struct Weights<'a> {
    tensors: SafeTensors<'a>,
    naming: Naming,
    file: &'a str,
}

impl<'a> Weights<'a> {
    /// Reads a file and tells whether it is a network of this kind.
    pub(super) fn read(bytes: &'a [u8], file: &'a str) -> Result<Weights<'a>, LoadError> {
        let tensors = SafeTensors::deserialize(bytes).map_err(|error| LoadError::invalid(file, error.to_string()))?;
        if tensors.len() > TENSORS_MAX {
            return Err(LoadError::invalid(file, format!("{} tensors, at most {TENSORS_MAX} are read", tensors.len())));
        }
        let has = |name: String| tensors.tensor(&name).is_ok();
        let trainer = ["model.", "model.model.", ""].into_iter().find(|prefix| has(format!("{prefix}0.conv.weight")));
        let naming = match trainer {
            Some(prefix) => Naming::Trainer(prefix),
            None => Naming::Candle,
        };
        let weights = Weights { tensors, naming, file };
        let answers = weights.has_layer(HEAD, "cv2.0.0.conv.weight") || weights.has_layer(9, "linear.weight");
        // The third convolution of a stage is that of other generations.
        if !weights.has_layer(0, "conv.weight") || !answers || weights.has_layer(2, "cv3.conv.weight") {
            let what = "weights without a graph are read of YOLOv8 alone; export this network to ONNX";
            return Err(LoadError::unsupported(file, what));
        }
        Ok(weights)
    }

    /// The name of a layer.
    pub(super) fn layer(&self, number: usize) -> String {
        match self.naming {
            Naming::Trainer(prefix) => format!("{prefix}{number}"),
            Naming::Candle => {
                let known = CANDLE.iter().find(|(other, _)| *other == number);
                known.map(|(_, name)| (*name).to_owned()).unwrap_or_default()
            }
        }
    }

    /// The name of one of a stage's blocks.
    pub(super) fn block(&self, stage: &str, index: usize) -> String {
        match self.naming {
            Naming::Trainer(_) => format!("{stage}.m.{index}"),
            Naming::Candle => format!("{stage}.bottleneck.{index}"),
        }
    }

    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.tensor(name).is_ok()
    }

    pub(super) fn has_layer(&self, number: usize, rest: &str) -> bool {
        self.has(&format!("{}.{rest}", self.layer(number)))
    }

    /// The first size of a tensor: how many channels a convolution makes.
    pub(super) fn channels(&self, name: &str) -> Result<usize, LoadError> {
        let tensor = self.tensors.tensor(name).map_err(|_| self.missing(name))?;
        tensor.shape().first().copied().ok_or_else(|| self.invalid(format!("tensor {name} has no sizes")))
    }

    /// A tensor's sizes and numbers.
    pub(super) fn tensor(&self, name: &str) -> Result<(Vec<usize>, Vec<f32>), LoadError> {
        let tensor = self.tensors.tensor(name).map_err(|_| self.missing(name))?;
        let data = tensor.data();
        let values = match tensor.dtype() {
            Dtype::F32 => data.as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            Dtype::F16 => data.as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
            Dtype::BF16 => data.as_chunks().0.iter().map(|bytes| bf16::from_le_bytes(*bytes).to_f32()).collect(),
            other => {
                return Err(self.invalid(format!("tensor {name} is of {other:?}; floats of 16 or 32 bits are read")));
            }
        };
        Ok((tensor.shape().to_vec(), values))
    }

    /// A convolution's weights: channels out, channels in, height, width.
    fn tensor_4d(&self, name: &str) -> Result<([usize; 4], Vec<f32>), LoadError> {
        let (shape, values) = self.tensor(name)?;
        let sizes = shape.len();
        let shape = shape.try_into().map_err(|_| self.invalid(format!("tensor {name} has {sizes} sizes, not 4")))?;
        Ok((shape, values))
    }

    /// A convolution that stands alone.
    pub(super) fn plain(&self, name: &str) -> Result<Convolution, LoadError> {
        let (shape, weight) = self.tensor_4d(&format!("{name}.weight"))?;
        let (_, bias) = self.tensor(&format!("{name}.bias"))?;
        Ok(Convolution { shape, weight, bias })
    }

    /// A convolution with its normalisation folded in.
    pub(super) fn convolution(&self, name: &str) -> Result<Convolution, LoadError> {
        let (shape, mut weight) = self.tensor_4d(&format!("{name}.conv.weight"))?;
        let channels = shape[0];
        let row = |part: &str| {
            let (_, values) = self.tensor(&format!("{name}.{part}"))?;
            match values.len() == channels {
                true => Ok(values),
                false => Err(self.invalid(format!("{name}.{part} has {} numbers, not {channels}", values.len()))),
            }
        };
        // Some files hold networks whose normalisation is folded in already.
        if !self.has(&format!("{name}.bn.weight")) {
            return Ok(Convolution { shape, weight, bias: row("conv.bias")? });
        }
        let (scale, mut bias) = (row("bn.weight")?, row("bn.bias")?);
        let (mean, variance) = (row("bn.running_mean")?, row("bn.running_var")?);
        let each = weight.len() / channels.max(1);
        for channel in 0..channels {
            let factor = scale[channel] / (variance[channel] + EPSILON).sqrt();
            bias[channel] -= mean[channel] * factor;
            weight[channel * each..(channel + 1) * each].iter_mut().for_each(|value| *value *= factor);
        }
        Ok(Convolution { shape, weight, bias })
    }

    /// A complaint about the file.
    pub(super) fn invalid(&self, reason: String) -> LoadError {
        LoadError::invalid(self.file, reason)
    }

    fn missing(&self, name: &str) -> LoadError {
        self.invalid(format!("tensor {name} is missing"))
    }
}
