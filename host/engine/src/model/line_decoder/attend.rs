//! One token's attention, on plain slices.

use crate::model::kernel::activations::softmax;

/// Lets a token attend to rows, head by head.
///
/// * `query`, `out`: `[heads, head_dim]`.
/// * `pairs`: `[rows, 2, heads, head_dim]`: keys and values, at least one row.
///
/// Source: arXiv 1706.03762, section 3.2.1.
pub(super) fn attend(query: &[f32], pairs: &[f32], heads: usize, scores: &mut Vec<f32>, out: &mut [f32]) {
    let width = query.len();
    let dim = width / heads;
    let scale = 1.0 / (dim as f32).sqrt();
    for head in 0..heads {
        let part = head * dim..(head + 1) * dim;
        let query = &query[part.clone()];
        scores.clear();
        scores.extend(pairs.chunks_exact(2 * width).map(|pair| dot(query, &pair[part.clone()]) * scale));
        softmax(scores);
        let out = &mut out[part.clone()];
        out.fill(0.0);
        for (pair, &score) in pairs.chunks_exact(2 * width).zip(scores.iter()) {
            for (sum, &value) in out.iter_mut().zip(&pair[width..][part.clone()]) {
                *sum += score * value;
            }
        }
    }
}

/// A product in eight lanes.
fn dot(left: &[f32], right: &[f32]) -> f32 {
    let (lefts, left_rest) = left.as_chunks::<8>();
    let (rights, right_rest) = right.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for (left, right) in lefts.iter().zip(rights) {
        for ((lane, &left), &right) in lanes.iter_mut().zip(left).zip(right) {
            *lane += left * right;
        }
    }
    let rest: f32 = left_rest.iter().zip(right_rest).map(|(left, right)| left * right).sum();
    lanes.iter().sum::<f32>() + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_attend_alone() {
        // Two rows of two heads of one number; the first head prefers the second row, the other none.
        let pairs = [0.0, 5.0, 1.0, 2.0, 50.0, 5.0, 3.0, 4.0];
        let mut out = [9.0; 2];
        attend(&[1.0, 1.0], &pairs, 2, &mut Vec::new(), &mut out);
        assert!((out[0] - 3.0).abs() < 1e-6 && (out[1] - 3.0).abs() < 1e-6, "{out:?}");
        let long: Vec<f32> = (0..11).map(|value| value as f32).collect();
        assert_eq!(dot(&long, &long), 385.0);
    }
}
