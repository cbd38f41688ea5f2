//! Root mean square normalisation.

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
