//! Constants: what the file stores, and what follows from the shapes of the inputs.

use std::sync::Arc;

use crate::error::Error;
use crate::file;
use crate::proto::{self, element};

/// Numbers in row-major order that are known before a run.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Array {
    pub(crate) shape: Vec<usize>,
    pub(crate) values: Values,
}

/// The numbers of an [`Array`]. Truth values are integers.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Values {
    Floats(Arc<[f32]>),
    Integers(Arc<[i64]>),
}

impl Array {
    pub(crate) fn floats(shape: Vec<usize>, values: Vec<f32>) -> Self {
        Self { shape, values: Values::Floats(values.into()) }
    }

    pub(crate) fn integers(shape: Vec<usize>, values: Vec<i64>) -> Self {
        Self { shape, values: Values::Integers(values.into()) }
    }

    /// Reads a stored tensor, which has passed [`file::read`].
    pub(crate) fn read(tensor: &proto::TensorProto) -> Result<Self, Error> {
        let shape = tensor.dims.iter().map(|&size| size as usize).collect();
        let raw = &tensor.raw_data;
        let is_raw = !raw.is_empty();
        let integers = |stored: &[i32]| stored.iter().map(|&value| i64::from(value)).collect();
        Ok(match tensor.data_type {
            element::FLOAT if is_raw => Self::floats(shape, words(raw, f32::from_le_bytes)),
            element::FLOAT => Self::floats(shape, tensor.float_data.clone()),
            element::DOUBLE if is_raw => Self::floats(shape, words(raw, |bytes| f64::from_le_bytes(bytes) as f32)),
            element::DOUBLE => Self::floats(shape, tensor.double_data.iter().map(|&value| value as f32).collect()),
            element::FLOAT16 | element::BFLOAT16 => {
                let halves: Vec<u16> = match is_raw {
                    true => words(raw, u16::from_le_bytes),
                    false => tensor.int32_data.iter().map(|&value| value as u16).collect(),
                };
                let widen = if tensor.data_type == element::FLOAT16 { widen_half } else { widen_brain };
                Self::floats(shape, halves.into_iter().map(widen).collect())
            }
            element::INT64 if is_raw => Self::integers(shape, words(raw, i64::from_le_bytes)),
            element::INT64 => Self::integers(shape, tensor.int64_data.clone()),
            element::INT32 if is_raw => Self::integers(shape, words(raw, |bytes| i64::from(i32::from_le_bytes(bytes)))),
            element::BOOL | element::UINT8 if is_raw => {
                Self::integers(shape, words(raw, |[byte]: [u8; 1]| i64::from(byte)))
            }
            element::INT32 | element::BOOL | element::UINT8 => Self::integers(shape, integers(&tensor.int32_data)),
            other => {
                return Err(Error::Unsupported {
                    operator: "Constant".to_owned(),
                    reason: format!("element type {other}"),
                });
            }
        })
    }

    /// The floats, if it holds such.
    pub(crate) fn as_floats(&self) -> Option<&[f32]> {
        match &self.values {
            Values::Floats(values) => Some(values),
            Values::Integers(_) => None,
        }
    }

    /// The integers, if it holds such.
    pub(crate) fn as_integers(&self) -> Option<&[i64]> {
        match &self.values {
            Values::Integers(values) => Some(values),
            Values::Floats(_) => None,
        }
    }

    /// The only float, if it holds one.
    pub(crate) fn as_float(&self) -> Option<f32> {
        match self.as_floats()? {
            &[value] => Some(value),
            _ => None,
        }
    }

    /// Number of elements that a shape asks for, if that is within bounds.
    pub(crate) fn elements(shape: &[usize]) -> Option<usize> {
        let dims: Vec<i64> = shape.iter().map(|&size| i64::try_from(size)).collect::<Result<_, _>>().ok()?;
        file::elements(&dims)
    }
}

/// Little-endian words.
fn words<T, const N: usize>(raw: &[u8], read: impl Fn([u8; N]) -> T) -> Vec<T> {
    raw.chunks_exact(N).filter_map(|bytes| bytes.try_into().ok()).map(read).collect()
}

/// A bf16.
fn widen_brain(half: u16) -> f32 {
    f32::from_bits(u32::from(half) << 16)
}

/// An IEEE half.
fn widen_half(half: u16) -> f32 {
    let sign = u32::from(half >> 15) << 31;
    let exponent = u32::from(half >> 10) & 0x1f;
    let fraction = u32::from(half) & 0x3ff;
    match exponent {
        // Subnormal: a fraction of 2^-24.
        0 => f32::from_bits(sign | (fraction as f32 * 2f32.powi(-24)).to_bits()),
        0x1f => f32::from_bits(sign | 0x7f80_0000 | fraction << 13),
        _ => f32::from_bits(sign | (exponent + 112) << 23 | fraction << 13),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_keep_their_value() {
        for (half, value) in
            [(0x3c00, 1.0), (0xc000, -2.0), (0x0001, 5.960_464_5e-8), (0x7bff, 65504.0), (0x8000, -0.0)]
        {
            assert_eq!(widen_half(half), value);
        }
        assert!(widen_half(0x7c01).is_nan());
        assert_eq!(widen_half(0xfc00), f32::NEG_INFINITY);
        assert_eq!(widen_brain(0x3f80), 1.0);
    }
}
