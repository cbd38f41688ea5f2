//! Of boxes on the same thing, only the best stays.

use crate::boxes::Candidate;
use crate::prediction::PostProcessing;

/// Which boxes suppress each other.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Suppression {
    pub(crate) rules: PostProcessing,
    /// Overlap from which on the weaker box goes.
    pub(crate) iou: f32,
    pub(crate) is_class_agnostic: bool,
    /// Boxes that are kept at most.
    pub(crate) detections_max: usize,
}

/// Walks through boxes from the best on and keeps those that no kept one covers.
///
/// * `candidates`: best first.
pub(crate) fn suppress(candidates: &[Candidate], suppression: &Suppression) -> Vec<Candidate> {
    let mut kept: Vec<Candidate> = Vec::new();
    // Places in `kept`, by class.
    let mut by_class: Vec<Vec<usize>> = Vec::new();
    for candidate in candidates {
        // What comes later is weaker: it cannot change what is kept.
        if kept.len() >= suppression.detections_max {
            break;
        }
        let class = if suppression.is_class_agnostic { 0 } else { candidate.class as usize };
        if by_class.len() <= class {
            by_class.resize_with(class + 1, Vec::new);
        }
        let is_covered = by_class[class].iter().any(|&place| covers(&kept[place], candidate, suppression));
        if !is_covered {
            by_class[class].push(kept.len());
            kept.push(*candidate);
        }
    }
    kept
}

/// Whether a better box makes a weaker one go.
fn covers(better: &Candidate, weaker: &Candidate, suppression: &Suppression) -> bool {
    match suppression.rules {
        PostProcessing::Modern => {
            let common = intersection(&better.corners, &weaker.corners, 0.0);
            let union = area(&better.corners, 0.0) + area(&weaker.corners, 0.0) - common;
            common / union > suppression.iou
        }
        // Pixels are counted with both ends, and only the weaker box's own size matters.
        PostProcessing::Legacy => {
            intersection(&better.corners, &weaker.corners, 1.0) / area(&weaker.corners, 1.0) > suppression.iou
        }
    }
}

fn area(corners: &[f32; 4], pixel: f32) -> f32 {
    (corners[2] - corners[0] + pixel) * (corners[3] - corners[1] + pixel)
}

fn intersection(one: &[f32; 4], other: &[f32; 4], pixel: f32) -> f32 {
    let width = one[2].min(other[2]) - one[0].max(other[0]) + pixel;
    let height = one[3].min(other[3]) - one[1].max(other[1]) + pixel;
    width.max(0.0) * height.max(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn candidate(confidence: f32, class: u32, index: u32, corners: [f32; 4]) -> Candidate {
        Candidate { confidence, class, index, corners }
    }

    fn check(candidates: &[Candidate], suppression: Suppression, expect: &[u32]) {
        let kept: Vec<u32> = suppress(candidates, &suppression).iter().map(|kept| kept.index).collect();
        assert_eq!(kept, expect);
    }

    const MODERN: Suppression =
        Suppression { rules: PostProcessing::Modern, iou: 0.3, is_class_agnostic: false, detections_max: 300 };

    #[test]
    fn a_small_box_in_a_large_one_goes_for_legacy_only() {
        let boxes = [candidate(0.9, 0, 0, [0.0, 0.0, 100.0, 100.0]), candidate(0.8, 0, 1, [10.0, 10.0, 30.0, 30.0])];
        check(&boxes, MODERN, &[0, 1]);
        check(&boxes, Suppression { rules: PostProcessing::Legacy, ..MODERN }, &[0]);
    }

    #[test]
    fn classes_meet_only_when_asked_to() {
        let corners = [0.0, 0.0, 10.0, 10.0];
        let boxes = [candidate(0.9, 3, 0, corners), candidate(0.8, 1, 1, corners), candidate(0.7, 3, 2, corners)];
        check(&boxes, MODERN, &[0, 1]);
        check(&boxes, Suppression { is_class_agnostic: true, ..MODERN }, &[0]);
    }

    #[test]
    fn what_a_suppressed_box_covers_stays() {
        let at = |left: f32| [left, 0.0, left + 10.0, 10.0];
        let boxes = [candidate(0.9, 0, 0, at(0.0)), candidate(0.8, 0, 1, at(4.0)), candidate(0.7, 0, 2, at(8.0))];
        check(&boxes, MODERN, &[0, 2]);
    }

    #[test]
    fn detections_are_bounded() {
        let boxes: Vec<_> =
            (0..5u8).map(|index| candidate(0.9, 0, index.into(), [f32::from(index) * 20.0, 0.0, 1.0, 1.0])).collect();
        for (most, expect) in [(0, &[][..]), (2, &[0, 1]), (9, &[0, 1, 2, 3, 4])] {
            check(&boxes, Suppression { detections_max: most, ..MODERN }, expect);
        }
    }

    #[test]
    fn boxes_without_an_area_suppress_nothing() {
        let flat = [5.0, 5.0, 5.0, 5.0];
        check(&[candidate(0.9, 0, 0, flat), candidate(0.8, 0, 1, flat)], MODERN, &[0, 1]);
    }
}
