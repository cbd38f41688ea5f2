//! Named points of objects.

use crate::prediction::{Keypoint, PostProcessing};
use crate::preprocess::placement::Placement;

/// The points of a box in pixels of the picture, without those that are less sure than the bound.
///
/// * `values`: x, y and confidence of each, in pixels of the network's input.
/// * `names`: of the points that the box's class has; further points are left out.
pub(crate) fn keypoints(
    values: &[f32],
    names: &[String],
    confidence: f32,
    placement: &Placement,
    rules: PostProcessing,
) -> Vec<Keypoint> {
    let mut found = Vec::new();
    for (id, (&[x, y, sureness], name)) in values.as_chunks::<3>().0.iter().zip(names).enumerate() {
        // The modern server marks points that are none with a confidence of 0.
        let is_sure = sureness >= confidence && (rules == PostProcessing::Legacy || sureness > 0.0);
        if !is_sure || !x.is_finite() || !y.is_finite() || !sureness.is_finite() {
            continue;
        }
        let (x, y) = match rules {
            PostProcessing::Legacy if placement.is_legacy_fit() => legacy(x, y, placement),
            _ => modern(x, y, placement),
        };
        found.push(Keypoint { x, y, confidence: sureness, id: id as u32, name: name.clone() });
    }
    found
}

/// To the nearest pixel, wherever that is.
fn modern(x: f32, y: f32, placement: &Placement) -> (f32, f32) {
    let back = |place: f32, pad: i64, scale: f64, offset: usize| {
        ((place - pad as f32) / scale as f32 + offset as f32).round_ties_even()
    };
    (
        back(x, placement.pad_left, placement.scale_x, placement.crop.x),
        back(y, placement.pad_top, placement.scale_y, placement.crop.y),
    )
}

/// Into the part that was looked at, to the nearest pixel of it.
fn legacy(x: f32, y: f32, placement: &Placement) -> (f32, f32) {
    let frame = &placement.legacy;
    let way = placement.legacy_back(placement.network.width as f64, placement.network.height as f64, false);
    let back = |place: f32, pad: f64, scale: f64, side: f64, shift: f64| {
        (((f64::from(place) - pad) * scale).clamp(0.0, side).round_ties_even() + shift) as f32
    };
    (back(x, way.x, way.scale_x, frame.width, frame.shift_x), back(y, way.y, way.scale_y, frame.height, frame.shift_y))
}
