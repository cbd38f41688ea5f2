//! Quantized blocks as 8-bit weights with a scale for every 32, the one form that the kernels execute.
//!
//! Q8_0 is that form already and Q4_0 has the same scales for fewer bits; both are taken over exactly. The other kinds
//! are unpacked by candle and rounded to it: at most half a step of 1/127 of a block's largest weight, far less than what
//! their own quantization lost. They take more memory than in the file, and are computed many times faster than candle
//! does without compiling for one machine. Activations stay f32.

use std::borrow::Cow;

use candle_core::CpuStorage;
use candle_core::quantized::GgmlDType;

use super::{Stored, widen_f16};
use crate::error::LoadError;
use crate::model::kernel::Scaled8;

/// Weights that share a scale.
const BLOCK: usize = 32;

/// Bytes of a Q8_0 block: an f16 scale and 32 integers.
const Q8_0_BYTES: usize = 34;

/// Bytes of a Q4_0 block: an f16 scale and 32 integers of 4 bits, 8 above their value; the second half lies in the upper
/// bits of the first.
const Q4_0_BYTES: usize = 18;

/// Refuses rows that are no whole blocks.
pub(super) fn check(stored: &Stored<'_>, depth: usize) -> Result<(), LoadError> {
    if depth.is_multiple_of(BLOCK) {
        return Ok(());
    }
    let reason = format!("rows of {depth} weights are not whole blocks of {BLOCK}");
    Err(LoadError::tensor(&stored.name, reason))
}

/// Appends the weights and scales that some whole rows of a tensor are.
///
/// # Errors
/// [`LoadError::Tensor`] when candle cannot unpack them.
pub(super) fn unpack(
    stored: &Stored<'_>,
    bytes: &[u8],
    weights: &mut Vec<Scaled8>,
    scales: &mut Vec<f32>,
) -> Result<(), LoadError> {
    let wrong = |reason: &dyn std::fmt::Display| LoadError::tensor(&stored.name, reason);
    if stored.kind == GgmlDType::Q8_0 {
        for block in bytes.as_chunks::<Q8_0_BYTES>().0 {
            scales.push(widen_f16(u16::from_le_bytes([block[0], block[1]])));
            weights.extend(block[2..].iter().map(|&byte| Scaled8(byte.cast_signed())));
        }
        return Ok(());
    }
    if stored.kind == GgmlDType::Q4_0 {
        for block in bytes.as_chunks::<Q4_0_BYTES>().0 {
            scales.push(widen_f16(u16::from_le_bytes([block[0], block[1]])));
            weights.extend(block[2..].iter().map(|&byte| Scaled8((byte & 0x0f).cast_signed() - 8)));
            weights.extend(block[2..].iter().map(|&byte| Scaled8((byte >> 4).cast_signed() - 8)));
        }
        return Ok(());
    }
    let count = bytes.len() / stored.kind.type_size() * stored.kind.block_size();
    let unpacked = stored.kind.from_data(Cow::Borrowed(bytes)).dequantize(count).map_err(|error| wrong(&error))?;
    let CpuStorage::F32(values) = unpacked else {
        return Err(wrong(&"not unpacked to f32"));
    };
    values.as_chunks::<BLOCK>().0.iter().for_each(|block| round(block, weights, scales));
    Ok(())
}

/// Rounds a block to integers of -127 to 127 and their scale.
fn round(block: &[f32; BLOCK], weights: &mut Vec<Scaled8>, scales: &mut Vec<f32>) {
    // Adding 1.5 * 2^23 leaves no bits for a fraction; the lowest eight are the nearest integer.
    const ROUND: f32 = 12_582_912.0;
    // Eight largest ones, and for each whether all were finite, so that the compiler can do them at once.
    let mut largest = [0.0f32; 8];
    let mut is_finite = [true; 8];
    for eight in block.as_chunks::<8>().0 {
        for ((largest, is_finite), value) in largest.iter_mut().zip(&mut is_finite).zip(eight) {
            let size = value.abs();
            *largest = if size > *largest { size } else { *largest };
            *is_finite &= size < f32::INFINITY;
        }
    }
    let scale = largest.into_iter().fold(0.0, f32::max) / 127.0;
    let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
    weights.extend(block.map(|value| Scaled8((value * inverse + ROUND).to_bits() as i8)));
    // A weight that is no number stays visible as one.
    scales.push(if is_finite == [true; 8] { scale } else { f32::NAN });
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::load::Progress;
    use crate::source::Files;
    use crate::weights::{Reading, panels};

    /// Quantizes with candle and compares what the packed matrix gives with what candle unpacks.
    fn check(kind: GgmlDType, tolerance: f32) {
        let (columns, depth) = (3, 256);
        let values: Vec<f32> = (0..columns * depth).map(|index| ((index * 37 % 101) as f32 - 50.0) / 50.0).collect();
        let tensor = candle_core::Tensor::from_vec(values, (columns, depth), &candle_core::Device::Cpu).unwrap();
        let quantized = candle_core::quantized::QTensor::quantize(&tensor, kind).unwrap();
        let expect = quantized.dequantize(&candle_core::Device::Cpu).unwrap().to_vec2::<f32>().unwrap();
        let bytes: &'static [u8] = quantized.data().unwrap().into_owned().leak();
        let files = Files::Embedded { files: vec![("test", bytes)].leak(), below: String::new() };
        let file = files.open("test").unwrap();
        let stored = Stored { name: "test".to_owned(), kind, file: &file, offset: 0, bytes: bytes.len() as u64 };
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build().unwrap();
        let reading = Reading { pool: &pool, progress: &Progress::ignore };
        let matrix = panels::matrix(&[stored], columns, depth, Some(reading)).unwrap();
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
        check(GgmlDType::Q4_0, 0.0);
        use GgmlDType as Kind;
        for kind in [Kind::Q4_1, Kind::Q5_0, Kind::Q5_1, Kind::Q2K, Kind::Q3K, Kind::Q4K, Kind::Q5K, Kind::Q6K] {
            // Half a step of the largest value that comes out, which is a little above 1.
            check(kind, 1.3 / 254.0);
        }
    }
}
