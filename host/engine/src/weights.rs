//! Weights of a model, whatever file they are in.
//!
//! Every tensor is read by range, in parts that fit a processor's cache, checked against the length of the file and
//! converted on the way, by all threads: a model takes no more memory while it loads than afterwards. For the sizes of a
//! model alone nothing is read but headers.

mod fill;
pub(crate) mod gguf;
pub(crate) mod gguf_value;
mod named;
mod panels;
mod quantized;
pub(crate) mod safetensors;

use std::ops::ControlFlow;

pub(crate) use named::Table;

use candle_core::quantized::GgmlDType;

use crate::error::LoadError;
use crate::load::Progress;
use crate::model::kernel::{Bf16, Weight};
use crate::model::linear::Linear;
use crate::model::names::TensorName;
use crate::source::ModelFile;

/// A tensor as it lies in a file.
pub(crate) struct Stored<'a> {
    /// Its name there.
    pub(crate) name: String,
    /// How its numbers are stored. GGUF's kinds include those of safetensors.
    pub(crate) kind: GgmlDType,
    pub(crate) file: &'a ModelFile,
    /// From the beginning of the file.
    pub(crate) offset: u64,
    /// Exactly as many as shape and kind need.
    pub(crate) bytes: u64,
}

/// Weights of one model.
pub(crate) struct Weights<'a> {
    store: Store<'a>,
    /// `None`: only sizes are wanted, and what is taken is empty or zero.
    reading: Option<Reading<'a>>,
    loaded_bytes: u64,
    total_bytes: u64,
}

/// How tensors are read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// Who reads and converts.
    pub(crate) pool: &'a rayon::ThreadPool,
    /// Hears of every tensor, and may end it all.
    pub(crate) progress: &'a dyn Fn(Progress) -> ControlFlow<()>,
}

/// Where weights lie.
#[derive(Clone, Copy)]
pub(crate) enum Store<'a> {
    Safetensors(&'a safetensors::Safetensors),
    Gguf(&'a gguf::Gguf),
}

impl<'a> Weights<'a> {
    /// The weights in `store`; without `reading` only their sizes.
    pub(crate) fn new(store: Store<'a>, reading: Option<Reading<'a>>) -> Self {
        let total_bytes = match store {
            Store::Safetensors(store) => store.tensor_bytes(),
            Store::Gguf(store) => store.tensor_bytes(),
        };
        Self { store, reading, loaded_bytes: 0, total_bytes }
    }

    /// A matrix of `columns` outputs and `depth` inputs.
    ///
    /// # Errors
    /// [`LoadError`] when it is absent, has another shape, or cannot be read.
    pub(crate) fn matrix(&mut self, name: TensorName, columns: usize, depth: usize) -> Result<Linear, LoadError> {
        let stored = self.find(name, &[columns, depth])?;
        let matrix = panels::matrix(std::slice::from_ref(&stored), columns, depth, self.reading)?;
        self.taken(stored.bytes)?;
        Ok(matrix)
    }

    /// A vector of `length` numbers.
    ///
    /// # Errors
    /// As [`Self::matrix`].
    pub(crate) fn vector(&mut self, name: TensorName, length: usize) -> Result<Vec<f32>, LoadError> {
        let stored = self.find(name, &[length])?;
        self.vector_of(&stored, length)
    }

    /// The numbers of a tensor.
    fn vector_of(&mut self, stored: &Stored<'_>, length: usize) -> Result<Vec<f32>, LoadError> {
        let vector = if self.reading.is_some() { stored.vector()? } else { vec![0.0; length] };
        self.taken(stored.bytes)?;
        Ok(vector)
    }

    /// Finds a tensor of a decoder and checks its shape.
    fn find(&self, name: TensorName, shape: &[usize]) -> Result<Stored<'a>, LoadError> {
        let (name, stored) = match self.store {
            Store::Safetensors(store) => {
                let name = name.safetensors();
                let stored = store.find(&name, shape)?;
                (name, stored)
            }
            Store::Gguf(store) => {
                let name = name.gguf();
                let stored = store.find(&name, shape)?;
                (name, stored)
            }
        };
        stored.ok_or_else(|| LoadError::tensor(&name, "absent"))
    }

    /// Takes note of a tensor that was taken.
    ///
    /// # Errors
    /// [`LoadError::Cancelled`] when nobody wants the rest.
    fn taken(&mut self, bytes: u64) -> Result<(), LoadError> {
        self.loaded_bytes += bytes;
        let Some(reading) = self.reading else { return Ok(()) };
        let progress = Progress { loaded_bytes: self.loaded_bytes, total_bytes: self.total_bytes };
        match (reading.progress)(progress) {
            ControlFlow::Continue(()) => Ok(()),
            ControlFlow::Break(()) => Err(LoadError::Cancelled),
        }
    }
}

impl Stored<'_> {
    /// Its numbers, all at once.
    ///
    /// # Errors
    /// [`LoadError`] when it is quantized or cannot be read.
    pub(crate) fn vector(&self) -> Result<Vec<f32>, LoadError> {
        let bytes = self.file.read_at(self.offset, self.bytes)?;
        let mut numbers = Vec::new();
        self.widen(&bytes, &mut numbers)?;
        Ok(numbers)
    }

    /// Appends the numbers that these of its bytes are.
    fn widen(&self, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), LoadError> {
        match self.kind {
            GgmlDType::F32 => out.extend(bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes))),
            GgmlDType::BF16 => out.extend(bf16_from(bytes).map(Weight::widen)),
            GgmlDType::F16 => {
                out.extend(bytes.as_chunks().0.iter().map(|&bytes| widen_f16(u16::from_le_bytes(bytes))));
            }
            kind => return Err(LoadError::tensor(&self.name, format!("a vector cannot be {kind:?}"))),
        }
        Ok(())
    }
}

/// Refuses another shape than the one wanted, before anything is read.
pub(crate) fn check_shape(name: &str, shape: &[usize], wanted: &[usize]) -> Result<(), LoadError> {
    if shape == wanted {
        return Ok(());
    }
    Err(LoadError::tensor(name, format!("has shape {shape:?} instead of {wanted:?}")))
}

/// Little-endian bf16.
fn bf16_from(bytes: &[u8]) -> impl Iterator<Item = Bf16> {
    bytes.as_chunks().0.iter().map(|&bytes| Bf16(u16::from_le_bytes(bytes)))
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
