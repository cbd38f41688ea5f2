//! Quantized blocks as 8-bit weights with a scale for every 32, the one form that the kernels execute.
//!
//! Q8_0 is that form already and is taken over exactly. The other kinds are unpacked by candle and rounded to it:
//! at most half a step of 1/127 of a block's largest weight, far less than what their own quantization lost. They
//! take more memory than in the file, and are computed many times faster than candle does without compiling for
//! one machine. Activations stay f32.

use std::borrow::Cow;

use candle_core::CpuStorage;
use candle_core::quantized::GgmlDType;

use super::{RawTensor, widen_f16};
use crate::error::LoadError;
use crate::model::kernel::Scaled8;
use crate::model::linear::Packed;

/// Weights that share a scale.
const BLOCK: usize = 32;

/// Bytes of a Q8_0 block: an f16 scale and 32 integers.
const Q8_0_BYTES: usize = 34;

/// Rows unpacked at a time; bounds the memory that f32 takes on the way.
const ROWS: usize = 64;

/// Packs a quantized matrix `[columns, depth]`.
///
/// # Errors
/// [`LoadError::Tensor`] when candle cannot unpack it.
pub(super) fn pack(raw: &RawTensor, columns: usize, depth: usize) -> Result<Packed<Scaled8>, LoadError> {
    let wrong = |reason: &dyn std::fmt::Display| LoadError::tensor(&raw.name, reason);
    if !depth.is_multiple_of(BLOCK) {
        return Err(wrong(&format!("rows of {depth} weights are not whole blocks of {BLOCK}")));
    }
    let mut weights = Vec::with_capacity(columns * depth);
    let mut scales = Vec::with_capacity(columns * depth / BLOCK);
    if raw.kind == GgmlDType::Q8_0 {
        for block in raw.bytes.as_chunks::<Q8_0_BYTES>().0 {
            scales.push(widen_f16(u16::from_le_bytes([block[0], block[1]])));
            weights.extend(block[2..].iter().map(|&byte| Scaled8(byte.cast_signed())));
        }
        return Ok(Packed::new(&weights, &scales, columns, depth));
    }
    let row_bytes = depth / raw.kind.block_size() * raw.kind.type_size();
    for rows in raw.bytes.chunks(row_bytes * ROWS) {
        let count = rows.len() / row_bytes * depth;
        let unpacked = raw.kind.from_data(Cow::Borrowed(rows)).dequantize(count).map_err(|error| wrong(&error))?;
        let CpuStorage::F32(values) = unpacked else {
            return Err(wrong(&"not unpacked to f32"));
        };
        values.as_chunks::<BLOCK>().0.iter().for_each(|block| round(block, &mut weights, &mut scales));
    }
    Ok(Packed::new(&weights, &scales, columns, depth))
}

/// Rounds a block to integers of -127 to 127 and their scale.
fn round(block: &[f32; BLOCK], weights: &mut Vec<Scaled8>, scales: &mut Vec<f32>) {
    let largest = block.iter().fold(0.0f32, |largest, value| largest.max(value.abs()));
    let scale = largest / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    weights.extend(block.iter().map(|value| Scaled8((value * inverse).round() as i8)));
    // A weight that is no number stays visible as one: `max` passes over it.
    let is_finite = block.iter().all(|value| value.is_finite());
    scales.push(if is_finite { scale } else { f32::NAN });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::linear::Linear;

    /// Quantizes with candle and compares what the packed matrix gives with what candle unpacks.
    fn check(kind: GgmlDType, tolerance: f32) {
        let (columns, depth) = (3, 256);
        let values: Vec<f32> = (0..columns * depth).map(|index| ((index * 37 % 101) as f32 - 50.0) / 50.0).collect();
        let tensor = candle_core::Tensor::from_vec(values, (columns, depth), &candle_core::Device::Cpu).unwrap();
        let quantized = candle_core::quantized::QTensor::quantize(&tensor, kind).unwrap();
        let expect = quantized.dequantize(&candle_core::Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        let bytes = quantized.data().unwrap().into_owned();
        let raw = RawTensor { name: "test".to_owned(), kind, bytes };
        let matrix = Linear::Scaled8(pack(&raw, columns, depth).unwrap());
        let mut row = vec![0.0; depth];
        for (column, expect) in expect.iter().enumerate() {
            matrix.row(column, &mut row);
            for (value, expect) in row.iter().zip(expect) {
                assert!((value - expect).abs() <= tolerance, "{kind:?}: {value} {expect}");
            }
        }
    }

    #[test]
    fn all_kinds_are_unpacked() {
        check(GgmlDType::Q8_0, 0.0);
        use GgmlDType as Kind;
        for kind in
            [Kind::Q4_0, Kind::Q4_1, Kind::Q5_0, Kind::Q5_1, Kind::Q2K, Kind::Q3K, Kind::Q4K, Kind::Q5K, Kind::Q6K]
        {
            // Half a step of the largest value that comes out, which is a little above 1.
            check(kind, 1.3 / 254.0);
        }
    }
}
