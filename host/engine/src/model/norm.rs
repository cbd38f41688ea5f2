//! Normalisation of rows: by their root mean square, or to mean 0 and variance 1.

/// Normalises every row and scales it by `weight`.
///
/// * `inputs`: `[rows, weight.len()]`.
/// * `out`: as `inputs`, resized and overwritten.
///
/// Source: arXiv 1910.07467; transformers, `LlamaRMSNorm`.
pub(crate) fn rms_norm(inputs: &[f32], weight: &[f32], epsilon: f32, out: &mut Vec<f32>) {
    out.resize(inputs.len(), 0.0);
    for (input, out) in inputs.chunks_exact(weight.len()).zip(out.chunks_exact_mut(weight.len())) {
        let scale = inverse_norm(input, epsilon);
        for ((out, &value), &weight) in out.iter_mut().zip(input).zip(weight) {
            *out = weight * (value * scale);
        }
    }
}

/// As [`rms_norm`], in place: every head of query or key on its own.
pub(crate) fn rms_norm_in_place(rows: &mut [f32], weight: &[f32], epsilon: f32) {
    for row in rows.chunks_exact_mut(weight.len()) {
        let scale = inverse_norm(row, epsilon);
        for (value, &weight) in row.iter_mut().zip(weight) {
            *value = weight * (*value * scale);
        }
    }
}

/// One over the root of the mean square.
fn inverse_norm(row: &[f32], epsilon: f32) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (chunks, rest) = row.as_chunks::<8>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += value * value;
        }
    }
    let sum: f32 = lanes.iter().sum::<f32>() + rest.iter().map(|value| value * value).sum::<f32>();
    1.0 / (sum / row.len() as f32 + epsilon).sqrt()
}

/// Brings every row to mean 0 and variance 1, then scales it by `weight` and shifts it by `bias`.
///
/// * `rows`: `[rows, weight.len()]`.
///
/// Source: arXiv 1607.06450; torch, `LayerNorm`.
pub(crate) fn layer_norm_in_place(rows: &mut [f32], weight: &[f32], bias: &[f32], epsilon: f32) {
    for row in rows.chunks_exact_mut(weight.len()) {
        let mean = sum(row, |value| value) / row.len() as f32;
        let variance = sum(row, |value| (value - mean) * (value - mean)) / row.len() as f32;
        let scale = 1.0 / (variance + epsilon).sqrt();
        for ((value, &weight), &bias) in row.iter_mut().zip(weight).zip(bias) {
            *value = (*value - mean) * scale * weight + bias;
        }
    }
}

/// Sum of `term` over a row, in eight lanes.
#[inline(always)]
fn sum(row: &[f32], term: impl Fn(f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; 8];
    let (chunks, rest) = row.as_chunks::<8>();
    for chunk in chunks {
        for (lane, &value) in lanes.iter_mut().zip(chunk) {
            *lane += term(value);
        }
    }
    lanes.iter().sum::<f32>() + rest.iter().map(|&value| term(value)).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_get_mean_and_variance() {
        let mut rows: Vec<f32> = (0..22).map(|index| (index * 7 % 11) as f32).collect();
        layer_norm_in_place(&mut rows, &[2.0; 11], &[1.0; 11], 0.0);
        for row in rows.chunks_exact(11) {
            let mean = row.iter().sum::<f32>() / 11.0;
            let variance = row.iter().map(|value| (value - mean).powi(2)).sum::<f32>() / 11.0;
            assert!((mean - 1.0).abs() < 1e-6 && (variance - 4.0).abs() < 1e-5, "{mean} {variance}");
        }
    }
}
