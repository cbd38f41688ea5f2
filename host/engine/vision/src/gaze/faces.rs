//! From the numbers of MediaPipe's short-range detector to faces.
//!
//! Source: MediaPipe 0.10, `modules/face_detection/face_detection_short_range_common.pbtxt` and the calculators it names:
//! `ssd_anchors_calculator.cc`, `tensors_to_detections_calculator.cc`, `non_max_suppression_calculator.cc` (weighted).

/// Side of the network's input, in pixels.
pub(super) const SIDE: usize = 128;

/// Places where a face is looked for.
pub(super) const ANCHORS: usize = 896;

/// Numbers for each place: the box's centre and size, and six points.
pub(super) const COORDINATES: usize = 16;

/// Cells along a side, and anchors in each: those of stride 8, then those of three layers of stride 16.
const GRIDS: [(usize, usize); 2] = [(16, 2), (8, 6)];

/// Raw scores are brought into this range, to both sides.
const SCORE_CLIP: f32 = 100.0;

/// Least confidence of a face.
const SCORE_MIN: f32 = 0.5;

/// Overlap above which two boxes are one face.
const OVERLAP_MAX: f64 = 0.3;

/// Faces of a picture; the best are taken.
const FACES_MAX: usize = 64;

/// A face in the network's input; places are parts of its sides.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detection {
    pub(super) score: f32,
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    /// x and y in turn.
    pub(super) points: [f64; COORDINATES - 4],
}

/// Faces, best first.
///
/// * `regressors`: `[896, 16]`.
/// * `scores`: `[896]`, before the sigmoid.
pub(super) fn faces(regressors: &[f32], scores: &[f32]) -> Vec<Detection> {
    let places = anchors().zip(regressors.chunks_exact(COORDINATES)).zip(scores);
    let mut found: Vec<Detection> =
        places.filter_map(|((anchor, numbers), score)| detection(anchor, numbers, *score)).collect();
    found.sort_by(|a, b| b.score.total_cmp(&a.score));
    merged(found)
}

/// The centre of each place, in the order of the network's numbers.
fn anchors() -> impl Iterator<Item = (f64, f64)> {
    GRIDS.into_iter().flat_map(|(cells, each)| {
        let centre = move |cell: usize| (cell as f64 + 0.5) / cells as f64;
        (0..cells * cells).flat_map(move |cell| std::iter::repeat_n((centre(cell % cells), centre(cell / cells)), each))
    })
}

/// A face, unless its score is too small or a number is none.
fn detection((x, y): (f64, f64), numbers: &[f32], score: f32) -> Option<Detection> {
    let score = 1.0 / (1.0 + (-score.clamp(-SCORE_CLIP, SCORE_CLIP)).exp());
    if score.is_nan() || score < SCORE_MIN || numbers.iter().any(|number| !number.is_finite()) {
        return None;
    }
    let part = |index: usize| f64::from(numbers[index]) / SIDE as f64;
    let (centre_x, centre_y, width, height) = (x + part(0), y + part(1), part(2), part(3));
    let point = |index: usize| part(index + 4) + if index.is_multiple_of(2) { x } else { y };
    Some(Detection {
        score,
        left: centre_x - width / 2.0,
        top: centre_y - height / 2.0,
        right: centre_x + width / 2.0,
        bottom: centre_y + height / 2.0,
        points: std::array::from_fn(point),
    })
}

/// Each of the best with what overlaps it: one face at the mean of all by their scores.
fn merged(mut left: Vec<Detection>) -> Vec<Detection> {
    let mut faces = Vec::new();
    while !left.is_empty() && faces.len() < FACES_MAX {
        let best = left.remove(0);
        let (same, others): (Vec<_>, Vec<_>) = left.into_iter().partition(|other| overlap(&best, other) > OVERLAP_MAX);
        left = others;
        faces.push(mean(best, &same));
    }
    faces
}

/// The mean of detections by their scores, with the score of the first.
fn mean(best: Detection, others: &[Detection]) -> Detection {
    let all = || std::iter::once(&best).chain(others);
    let total: f64 = all().map(|one| f64::from(one.score)).sum();
    let weighted =
        |of: &dyn Fn(&Detection) -> f64| all().map(|one| of(one) * f64::from(one.score)).sum::<f64>() / total;
    Detection {
        score: best.score,
        left: weighted(&|one| one.left),
        top: weighted(&|one| one.top),
        right: weighted(&|one| one.right),
        bottom: weighted(&|one| one.bottom),
        points: std::array::from_fn(|index| weighted(&|one| one.points[index])),
    }
}

/// Intersection over union; 0 where there is none.
fn overlap(a: &Detection, b: &Detection) -> f64 {
    let width = a.right.min(b.right) - a.left.max(b.left);
    let height = a.bottom.min(b.bottom) - a.top.max(b.top);
    if width <= 0.0 || height <= 0.0 {
        return 0.0;
    }
    let area = |one: &Detection| (one.right - one.left) * (one.bottom - one.top);
    let union = area(a) + area(b) - width * height;
    if union > 0.0 { width * height / union } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anchors_are_those_of_the_short_range() {
        let all: Vec<(f64, f64)> = anchors().collect();
        assert_eq!(all.len(), ANCHORS);
        assert_eq!(all[..3], [(0.03125, 0.03125), (0.03125, 0.03125), (0.09375, 0.03125)]);
        assert_eq!(all[32], (0.03125, 0.09375));
        assert_eq!(all[511..514], [(0.96875, 0.96875), (0.0625, 0.0625), (0.0625, 0.0625)]);
        assert_eq!(all[518], (0.1875, 0.0625));
        assert_eq!(all[895], (0.9375, 0.9375));
    }

    #[test]
    fn any_numbers_end_well() {
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, f32::MAX, -1.0, 0.0] {
            for score in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0] {
                let found = faces(&vec![value; ANCHORS * COORDINATES], &vec![score; ANCHORS]);
                assert!(found.len() <= FACES_MAX);
                assert!(found.iter().all(|face| face.score >= SCORE_MIN && face.left.is_finite()));
            }
        }
        assert_eq!(faces(&[], &[]), []);
    }
}
