//! From a map of probabilities to the boxes of words: what docTR does after DBNet for straight pages.
//!
//! Source: docTR 1.1.0, `models/detection/differentiable_binarization/base.py` and `models/detection/core.py`.

use super::settings::Thresholds;
use crate::fitting::Excess;

/// Least distance between the first and the last pixel of a mark, and least size of a box, in pixels of the map.
const SIZE_MIN: usize = 2;

/// Words of a picture that are read; the best are.
pub(crate) const WORDS_MAX: usize = 1024;

/// The words' boxes together cover the picture at most so many times.
const AREAS_MAX: f64 = 8.0;

/// How probably each pixel belongs to the core of a word: `[height, width]`, 0 to 1.
pub(super) struct Map {
    pub(super) width: usize,
    pub(super) height: usize,
    /// `width * height` of them; what is no number counts as 0.
    pub(super) values: Vec<f32>,
}

/// The box of a word, as parts of the picture: 0 to 1 from the left and from the top.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Region {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    /// The mean probability under the box before it grew.
    pub(super) score: f64,
}

impl Region {
    /// The same region as parts of the picture inside of a padded input.
    pub(super) fn inside(self, excess: Excess) -> Self {
        Self {
            left: excess.x(self.left).clamp(0.0, 1.0),
            top: excess.y(self.top).clamp(0.0, 1.0),
            right: excess.x(self.right).clamp(0.0, 1.0),
            bottom: excess.y(self.bottom).clamp(0.0, 1.0),
            score: self.score,
        }
    }
}

/// A mark: pixels that touch each other. Both ends belong to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Mark {
    left: usize,
    top: usize,
    right: usize,
    bottom: usize,
}

/// The boxes of a map, best first, at most [`WORDS_MAX`].
pub(super) fn regions(map: &Map, thresholds: &Thresholds) -> Vec<Region> {
    if map.width == 0 || map.height == 0 || map.values.len() != map.width * map.height {
        return Vec::new();
    }
    let marked: Vec<bool> = map.values.iter().map(|&value| value >= thresholds.mark).collect();
    let sums = Sums::new(map);
    let marks = marks(opened(marked, map.width, map.height), map.width, map.height);
    let mut regions: Vec<Region> = marks
        .iter()
        .filter(|mark| mark.right - mark.left >= SIZE_MIN && mark.bottom - mark.top >= SIZE_MIN)
        .filter_map(|mark| region(mark, map, &sums, thresholds))
        .collect();
    regions.sort_by(|a, b| b.score.total_cmp(&a.score));
    regions.truncate(WORDS_MAX);
    let mut area = 0.0;
    regions.retain(|region| {
        area += (region.right - region.left) * (region.bottom - region.top);
        area <= AREAS_MAX
    });
    regions
}

/// A mark's box grown to the whole word; none where its score is too small.
fn region(mark: &Mark, map: &Map, sums: &Sums, thresholds: &Thresholds) -> Option<Region> {
    let (width, height) = (mark.right - mark.left + 1, mark.bottom - mark.top + 1);
    // docTR's rectangle ends one pixel further than the mark.
    let right = (mark.left + width).min(map.width - 1);
    let bottom = (mark.top + height).min(map.height - 1);
    let score = sums.mean(&Mark { right, bottom, ..*mark });
    if score < f64::from(thresholds.region) {
        return None;
    }
    let area = (width * height) as f64;
    let distance = area * thresholds.unclip_ratio / (2 * (width + height)) as f64;
    // The corners of the grown outline are whole pixels, and a bounding rectangle ends one pixel further.
    let left = (mark.left as f64 - distance).round();
    let top = (mark.top as f64 - distance).round();
    let right = ((mark.left + width) as f64 + distance).round() + 1.0;
    let bottom = ((mark.top + height) as f64 + distance).round() + 1.0;
    let part = |value: f64, whole: usize| (value / whole as f64).clamp(0.0, 1.0);
    Some(Region {
        left: part(left, map.width),
        top: part(top, map.height),
        right: part(right, map.width),
        bottom: part(bottom, map.height),
        score,
    })
}

/// Sums of the values above and left of each corner of a pixel.
struct Sums {
    width: usize,
    /// `[height + 1, width + 1]`.
    values: Vec<f64>,
}

impl Sums {
    fn new(map: &Map) -> Self {
        let stride = map.width + 1;
        let mut values = vec![0.0; stride * (map.height + 1)];
        for y in 0..map.height {
            let mut row = 0.0;
            for x in 0..map.width {
                row += f64::from(map.values[y * map.width + x]);
                values[(y + 1) * stride + x + 1] = values[y * stride + x + 1] + row;
            }
        }
        Self { width: map.width, values }
    }

    /// The mean of the values of a rectangle inside the map.
    fn mean(&self, mark: &Mark) -> f64 {
        let at = |x: usize, y: usize| self.values[y * (self.width + 1) + x];
        let (right, bottom) = (mark.right + 1, mark.bottom + 1);
        let sum = at(right, bottom) - at(mark.left, bottom) - at(right, mark.top) + at(mark.left, mark.top);
        sum / ((right - mark.left) * (bottom - mark.top)) as f64
    }
}

/// Morphological opening by 3 x 3 pixels: what is thinner goes. Outside of the map nothing is taken away and nothing added.
fn opened(marked: Vec<bool>, width: usize, height: usize) -> Vec<bool> {
    let eroded = spread(&spread(&marked, width, height, 1, false), width, height, width, false);
    spread(&spread(&eroded, width, height, 1, true), width, height, width, true)
}

/// Gives `value` to the neighbours of pixels that have it, along rows (`step` 1) or columns (`step` the width).
fn spread(marked: &[bool], width: usize, height: usize, step: usize, value: bool) -> Vec<bool> {
    let mut out = marked.to_vec();
    for y in 0..height {
        for x in 0..width {
            let index = y * width + x;
            let (place, length) = if step == 1 { (x, width) } else { (y, height) };
            if place > 0 && marked[index - step] == value || place + 1 < length && marked[index + step] == value {
                out[index] = value;
            }
        }
    }
    out
}

/// The marks that are not inside of another one, in the order of their first pixels.
///
/// Pixels of a mark touch by sides or corners, those between marks by sides.
fn marks(marked: Vec<bool>, width: usize, height: usize) -> Vec<Mark> {
    #[derive(Clone, Copy, PartialEq, Eq)]
    enum Pixel {
        Empty,
        Outside,
        Marked,
        Seen,
    }
    let mut pixels: Vec<Pixel> =
        marked.into_iter().map(|marked| if marked { Pixel::Marked } else { Pixel::Empty }).collect();
    let is_edge = |x: usize, y: usize| x == 0 || y == 0 || x + 1 == width || y + 1 == height;
    let mut stack: Vec<(usize, usize)> = Vec::new();
    for y in 0..height {
        for x in 0..width {
            if is_edge(x, y) && pixels[y * width + x] == Pixel::Empty {
                pixels[y * width + x] = Pixel::Outside;
                stack.push((x, y));
            }
        }
    }
    while let Some((x, y)) = stack.pop() {
        for (x, y) in sides(x, y, width, height) {
            if pixels[y * width + x] == Pixel::Empty {
                pixels[y * width + x] = Pixel::Outside;
                stack.push((x, y));
            }
        }
    }
    let mut found = Vec::new();
    for first in 0..pixels.len() {
        if pixels[first] != Pixel::Marked {
            continue;
        }
        let (x, y) = (first % width, first / width);
        let mut mark = Mark { left: x, top: y, right: x, bottom: y };
        let mut is_outer = false;
        pixels[first] = Pixel::Seen;
        stack.push((x, y));
        while let Some((x, y)) = stack.pop() {
            mark.left = mark.left.min(x);
            mark.right = mark.right.max(x);
            mark.bottom = mark.bottom.max(y);
            is_outer |=
                is_edge(x, y) || sides(x, y, width, height).any(|(x, y)| pixels[y * width + x] == Pixel::Outside);
            for y in y.saturating_sub(1)..=(y + 1).min(height - 1) {
                for x in x.saturating_sub(1)..=(x + 1).min(width - 1) {
                    if pixels[y * width + x] == Pixel::Marked {
                        pixels[y * width + x] = Pixel::Seen;
                        stack.push((x, y));
                    }
                }
            }
        }
        if is_outer {
            found.push(mark);
        }
    }
    found
}

/// The pixels that share a side with one.
fn sides(x: usize, y: usize, width: usize, height: usize) -> impl Iterator<Item = (usize, usize)> {
    let left = (x > 0).then(|| (x - 1, y));
    let right = (x + 1 < width).then_some((x + 1, y));
    let above = (y > 0).then(|| (x, y - 1));
    let below = (y + 1 < height).then_some((x, y + 1));
    [left, right, above, below].into_iter().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    const THRESHOLDS: Thresholds = Thresholds { mark: 0.3, region: 0.1, unclip_ratio: 1.5 };

    /// A map of `#` (0.9) and anything else (0).
    fn map(rows: &[&str]) -> Map {
        let values = rows.iter().flat_map(|row| row.bytes().map(|byte| if byte == b'#' { 0.9 } else { 0.0 }));
        Map { width: rows[0].len(), height: rows.len(), values: values.collect() }
    }

    fn marks_of(rows: &[&str]) -> Vec<(usize, usize, usize, usize)> {
        let map = map(rows);
        let marked = map.values.iter().map(|&value| value > 0.5).collect();
        marks(marked, map.width, map.height).iter().map(|mark| (mark.left, mark.top, mark.right, mark.bottom)).collect()
    }

    #[test]
    fn marks_touch_by_corners_and_are_not_inside_others() {
        assert_eq!(marks_of(&["#...", ".#..", "...#"]), [(0, 0, 1, 1), (3, 2, 3, 2)]);
        let ring = ["........", ".#####..", ".#...#..", ".#.#.#..", ".#...#..", ".#####..", "........"];
        assert_eq!(marks_of(&ring), [(1, 1, 5, 5)]);
        let open = ["........", ".#####..", ".#...#..", ".#.#....", ".#...#..", ".#####..", "........"];
        assert_eq!(marks_of(&open), [(1, 1, 5, 5), (3, 3, 3, 3)]);
    }

    #[test]
    fn thin_marks_go() {
        assert_eq!(regions(&map(&["........"; 8]), &THRESHOLDS), []);
        assert_eq!(regions(&map(&["..##....", "..##....", "..##....", "..##....", "..##...."]), &THRESHOLDS), []);
        assert_eq!(regions(&map(&["..###...", "..###...", "..###...", "........", "........"]), &THRESHOLDS).len(), 1);
    }

    #[test]
    fn any_map_ends_well() {
        let filled =
            |width: usize, height: usize, value: f32| Map { width, height, values: vec![value; width * height] };
        for value in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0, 1.0] {
            for (width, height) in [(0, 0), (1, 1), (1, 40), (40, 1), (2, 2), (64, 64)] {
                for region in regions(&filled(width, height, value), &THRESHOLDS) {
                    assert!(region.left >= 0.0 && region.right <= 1.0 && region.top >= 0.0 && region.bottom <= 1.0);
                }
            }
        }
        let whole = regions(&filled(64, 64, 1.0), &THRESHOLDS);
        assert_eq!(whole, [Region { left: 0.0, top: 0.0, right: 1.0, bottom: 1.0, score: 1.0 }]);
    }

    #[test]
    fn words_are_bounded() {
        let side = 200;
        let values = (0..side * side).map(|index| f32::from(u8::from(index % side % 5 < 3 && index / side % 5 < 3)));
        let map = Map { width: side, height: side, values: values.collect() };
        assert_eq!(regions(&map, &THRESHOLDS).len(), WORDS_MAX);
    }
}
