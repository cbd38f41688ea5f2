//! Weights of a model, whatever file they are in.
//!
//! Every tensor is read by range, checked against the length of the file, converted and dropped again, so that a
//! model takes little more memory while it loads than afterwards.

pub(crate) mod gguf;
pub(crate) mod gguf_value;
mod named;
mod quantized;
pub(crate) mod safetensors;

pub(crate) use named::Table;

use candle_core::quantized::GgmlDType;

use crate::error::LoadError;
use crate::load::Progress;
use crate::model::kernel::Bf16;
use crate::model::linear::{Linear, Packed};
use crate::model::names::TensorName;

/// A tensor as it lies in a file.
pub(crate) struct RawTensor {
    /// Its name there.
    pub(crate) name: String,
    /// How its numbers are stored. GGUF's kinds include those of safetensors.
    pub(crate) kind: GgmlDType,
    /// Exactly as many bytes as shape and kind need.
    pub(crate) bytes: Vec<u8>,
}

/// Weights of one model.
pub(crate) struct Weights<'a> {
    store: Store,
    progress: &'a dyn Fn(Progress),
    loaded_bytes: u64,
}

/// Where weights lie.
pub(crate) enum Store {
    Safetensors(safetensors::Safetensors),
    Gguf(gguf::Gguf),
}

impl Store {
    /// Bytes of all tensors.
    fn bytes(&self) -> u64 {
        match self {
            Self::Safetensors(store) => store.tensor_bytes(),
            Self::Gguf(store) => store.tensor_bytes(),
        }
    }
}

impl<'a> Weights<'a> {
    /// The weights in `store`; `progress` hears of every tensor.
    pub(crate) fn new(store: Store, progress: &'a dyn Fn(Progress)) -> Self {
        Self { store, progress, loaded_bytes: 0 }
    }

    /// A matrix of `columns` outputs and `depth` inputs.
    ///
    /// # Errors
    /// [`LoadError`] when it is absent, has another shape, or cannot be read.
    pub(crate) fn matrix(&mut self, name: TensorName, columns: usize, depth: usize) -> Result<Linear, LoadError> {
        let raw = self.read(name, &[columns, depth])?;
        let matrix = match raw.kind {
            GgmlDType::F32 => Linear::F32(Packed::new(&f32_from(&raw.bytes), &[], columns, depth)),
            GgmlDType::BF16 => Linear::Bf16(Packed::new(&bf16_from(&raw.bytes), &[], columns, depth)),
            GgmlDType::F16 => Linear::F32(Packed::new(&f16_from(&raw.bytes), &[], columns, depth)),
            _ => Linear::Scaled8(quantized::pack(&raw, columns, depth)?),
        };
        Ok(matrix)
    }

    /// A vector of `length` numbers.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub(crate) fn vector(&mut self, name: TensorName, length: usize) -> Result<Vec<f32>, LoadError> {
        let raw = self.read(name, &[length])?;
        raw.into_vector()
    }

    /// Reads a tensor and checks its shape.
    fn read(&mut self, name: TensorName, shape: &[usize]) -> Result<RawTensor, LoadError> {
        let (name, raw) = match &mut self.store {
            Store::Safetensors(store) => {
                let name = name.safetensors();
                let raw = store.read(&name, shape)?;
                (name, raw)
            }
            Store::Gguf(store) => {
                let name = name.gguf();
                let raw = store.read(&name, shape)?;
                (name, raw)
            }
        };
        self.taken(&name, raw)
    }

    /// Takes note of a tensor that was read; one that is not there is an error.
    fn taken(&mut self, name: &str, raw: Option<RawTensor>) -> Result<RawTensor, LoadError> {
        let raw = raw.ok_or_else(|| LoadError::tensor(name, "absent"))?;
        self.loaded_bytes += raw.bytes.len() as u64;
        (self.progress)(Progress { loaded_bytes: self.loaded_bytes, total_bytes: self.store.bytes() });
        Ok(raw)
    }
}

impl RawTensor {
    /// Its numbers.
    pub(crate) fn into_vector(self) -> Result<Vec<f32>, LoadError> {
        match self.kind {
            GgmlDType::F32 => Ok(f32_from(&self.bytes)),
            GgmlDType::BF16 => {
                Ok(bf16_from(&self.bytes).into_iter().map(crate::model::kernel::Weight::widen).collect())
            }
            GgmlDType::F16 => Ok(f16_from(&self.bytes)),
            kind => Err(LoadError::tensor(&self.name, format!("a vector cannot be {kind:?}"))),
        }
    }
}

/// Refuses another shape than the one wanted, before anything is read.
pub(crate) fn check_shape(name: &str, shape: &[usize], wanted: &[usize]) -> Result<(), LoadError> {
    if shape == wanted {
        return Ok(());
    }
    Err(LoadError::tensor(name, format!("has shape {shape:?} instead of {wanted:?}")))
}

/// Little-endian f32.
fn f32_from(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect()
}

/// Little-endian bf16.
fn bf16_from(bytes: &[u8]) -> Vec<Bf16> {
    bytes.as_chunks().0.iter().map(|&bytes| Bf16(u16::from_le_bytes(bytes))).collect()
}

/// Little-endian f16, widened.
fn f16_from(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&bytes| widen_f16(u16::from_le_bytes(bytes))).collect()
}

/// The value of an IEEE 754 half.
fn widen_f16(bits: u16) -> f32 {
    let sign = u32::from(bits & 0x8000) << 16;
    let (exponent, fraction) = (u32::from(bits >> 10) & 0x1f, u32::from(bits) & 0x3ff);
    let magnitude = match exponent {
        // Subnormal: a multiple of 2^-24.
        0 => (fraction as f32 / (1u32 << 24) as f32).to_bits(),
        0x1f => 0x7f80_0000 | fraction << 13,
        _ => (exponent + 112) << 23 | fraction << 13,
    };
    f32::from_bits(sign | magnitude)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_widened() {
        let check = |bits: u16, expect: f32| assert_eq!(widen_f16(bits).to_bits(), expect.to_bits(), "{bits:x}");
        check(0x0000, 0.0);
        check(0x8000, -0.0);
        check(0x3c00, 1.0);
        check(0xc500, -5.0);
        check(0x7bff, 65_504.0);
        check(0x0001, 5.960_464_5e-8);
        check(0x7c00, f32::INFINITY);
        assert!(widen_f16(0x7e00).is_nan());
    }
}
