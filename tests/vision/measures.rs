//! How good answers are: overlaps of boxes and outlines, and average precision.

use serde_json::Value;

/// Overlap from which on an object counts as found.
const OVERLAP_MIN: f64 = 0.5;

/// A box by its sides.
#[derive(Clone, Copy, Debug)]
pub struct Box2 {
    pub left: f64,
    pub top: f64,
    pub right: f64,
    pub bottom: f64,
}

impl Box2 {
    /// Intersection over union.
    pub fn overlap(&self, other: &Box2) -> f64 {
        let width = self.right.min(other.right) - self.left.max(other.left);
        let height = self.bottom.min(other.bottom) - self.top.max(other.top);
        if width <= 0.0 || height <= 0.0 {
            return 0.0;
        }
        let area = |of: &Box2| (of.right - of.left) * (of.bottom - of.top);
        let common = width * height;
        common / (area(self) + area(other) - common)
    }
}

/// Intersection over union of what two outlines enclose, counted on the pixels' centres.
pub fn outline_overlap(one: &[(f64, f64)], other: &[(f64, f64)]) -> f64 {
    let all = || one.iter().chain(other);
    let (Some(right), Some(bottom)) =
        (all().map(|point| point.0).max_by(f64::total_cmp), all().map(|point| point.1).max_by(f64::total_cmp))
    else {
        return 0.0;
    };
    let (mut common, mut either) = (0u32, 0u32);
    for row in 0..=bottom as u32 {
        let (inside, also) = (crossings(one, f64::from(row) + 0.25), crossings(other, f64::from(row) + 0.25));
        for column in 0..=right as u32 {
            let x = f64::from(column) + 0.25;
            let is_in = |crossings: &[f64]| crossings.iter().filter(|crossing| **crossing > x).count() % 2 == 1;
            let (one, other) = (is_in(&inside), is_in(&also));
            common += u32::from(one && other);
            either += u32::from(one || other);
        }
    }
    if either == 0 { 0.0 } else { f64::from(common) / f64::from(either) }
}

/// Where an outline crosses a row.
fn crossings(outline: &[(f64, f64)], y: f64) -> Vec<f64> {
    let next = outline.iter().cycle().skip(1);
    outline
        .iter()
        .zip(next)
        .filter(|(from, to)| (from.1 > y) != (to.1 > y))
        .map(|(from, to)| from.0 + (y - from.1) / (to.1 - from.1) * (to.0 - from.0))
        .collect()
}

/// Area under the curve of precision over recall, of one class.
///
/// * `pictures`: what is there and what was found, by picture.
pub fn average_precision(
    pictures: Vec<(Vec<Value>, Vec<Value>)>,
    confidence: impl Fn(&Value) -> f64,
    overlap: impl Fn(&Value, &Value) -> f64,
) -> f64 {
    let items: usize = pictures.iter().map(|(items, _)| items.len()).sum();
    let mut taken: Vec<Vec<bool>> = pictures.iter().map(|(items, _)| vec![false; items.len()]).collect();
    let mut found: Vec<(usize, &Value)> =
        pictures.iter().enumerate().flat_map(|(index, (_, found))| found.iter().map(move |one| (index, one))).collect();
    found.sort_by(|one, other| confidence(other.1).total_cmp(&confidence(one.1)));
    let (mut hits, mut curve) = (0, Vec::new());
    for (count, (picture, one)) in found.iter().enumerate() {
        let best = pictures[*picture].0.iter().enumerate().map(|(index, item)| (overlap(item, one), index));
        if let Some((share, index)) = best.max_by(|one, other| one.0.total_cmp(&other.0))
            && share >= OVERLAP_MIN
            && !taken[*picture][index]
        {
            taken[*picture][index] = true;
            hits += 1;
        }
        curve.push((hits as f64 / items as f64, f64::from(hits) / (count + 1) as f64));
    }
    // Precision at a recall is the best that is reached at it or beyond.
    let mut area = 0.0;
    let mut best = 0.0;
    for (index, (recall, precision)) in curve.iter().enumerate().rev() {
        best = f64::max(best, *precision);
        let before = if index == 0 { 0.0 } else { curve[index - 1].0 };
        area += (recall - before) * best;
    }
    area
}
