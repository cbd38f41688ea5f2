//! From a network's output to boxes that are sure enough.
//!
//! Nothing of a box is copied before its confidence is known to suffice.

use crate::error::VisionError;
use crate::prediction::PostProcessing;

/// Boxes that are looked at together, so that their best classes stay in the cache.
const BLOCK_BOXES: usize = 512;

/// How boxes lie in a network's output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HeadLayout {
    /// `[batch, 4 + classes + extra, boxes]`: centre and size, a confidence for each class.
    Columns,
    /// `[batch, boxes, 5 + classes + extra]`: centre and size, whether anything is there, a share for each class.
    Rows,
    /// `[batch, boxes, 6 + extra]`: corners, confidence, class; overlapping boxes are gone already.
    Suppressed,
}

/// What a network's first output holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) layout: HeadLayout,
    pub(crate) classes: usize,
    /// Numbers after the classes: coefficients of a mask, or three for each keypoint.
    pub(crate) extra: usize,
}

/// A box in pixels of the network's input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Candidate {
    pub(crate) confidence: f32,
    pub(crate) class: u32,
    /// Its place in the output.
    pub(crate) index: u32,
    /// Left, top, right, bottom.
    pub(crate) corners: [f32; 4],
}

/// The output for one picture.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Boxes<'a> {
    head: Head,
    /// Boxes in it.
    count: usize,
    values: &'a [f32],
}

impl Head {
    /// Numbers of one box.
    pub(crate) fn rows(&self) -> usize {
        let first = match self.layout {
            HeadLayout::Columns => 4 + self.classes,
            HeadLayout::Rows => 5 + self.classes,
            HeadLayout::Suppressed => 6,
        };
        first + self.extra
    }

    /// The output for one picture.
    ///
    /// * `shape`: of the whole output, with the batch.
    /// * `values`: of the one picture.
    ///
    /// # Errors
    /// [`VisionError::Failed`] when the network gave something else than its file says.
    pub(crate) fn boxes<'a>(&self, shape: &[usize], values: &'a [f32]) -> Result<Boxes<'a>, VisionError> {
        let (rows, count) = match (self.layout, shape) {
            (HeadLayout::Columns, &[_, rows, count]) => (rows, count),
            (_, &[_, count, rows]) => (rows, count),
            _ => (0, 0),
        };
        if rows != self.rows() || rows.checked_mul(count) != Some(values.len()) || u32::try_from(count).is_err() {
            let expected = self.rows();
            return Err(VisionError::Failed(format!(
                "the network's output of shape {shape:?} does not hold boxes of {expected} numbers"
            )));
        }
        Ok(Boxes { head: *self, count, values })
    }
}

impl Boxes<'_> {
    /// The boxes that are sure enough, best first and of equals the first, at most `candidates_max`.
    ///
    /// Boxes with numbers that are not finite are left out.
    pub(crate) fn candidates(&self, confidence: f32, rules: PostProcessing, candidates_max: usize) -> Vec<Candidate> {
        let is_sure = |score: f32| match (self.head.layout, rules) {
            (HeadLayout::Suppressed, _) | (_, PostProcessing::Legacy) => score >= confidence,
            (_, PostProcessing::Modern) => score > confidence,
        };
        let mut found = Vec::new();
        let mut take = |confidence: f32, class: usize, index: usize| {
            let corners = self.corners(index);
            if confidence.is_finite() && corners.iter().all(|corner| corner.is_finite()) {
                found.push(Candidate { confidence, class: class as u32, index: index as u32, corners });
            }
        };
        match self.head.layout {
            HeadLayout::Columns => self.scan_columns(is_sure, &mut take),
            HeadLayout::Rows => self.scan_rows(is_sure, &mut take),
            HeadLayout::Suppressed => self.scan_suppressed(is_sure, &mut take),
        }
        let order = |one: &Candidate, other: &Candidate| {
            other.confidence.total_cmp(&one.confidence).then(one.index.cmp(&other.index))
        };
        if found.len() > candidates_max {
            if candidates_max > 0 {
                found.select_nth_unstable_by(candidates_max - 1, order);
            }
            found.truncate(candidates_max);
        }
        found.sort_unstable_by(order);
        found
    }

    /// The numbers after a box's classes.
    pub(crate) fn extra(&self, index: u32) -> Vec<f32> {
        let first = self.head.rows() - self.head.extra;
        (first..self.head.rows()).map(|row| self.value(row, index as usize)).collect()
    }

    fn value(&self, row: usize, index: usize) -> f32 {
        match self.head.layout {
            HeadLayout::Columns => self.values[row * self.count + index],
            HeadLayout::Rows | HeadLayout::Suppressed => self.values[index * self.head.rows() + row],
        }
    }

    fn corners(&self, index: usize) -> [f32; 4] {
        let [x, y, width, height] = [0, 1, 2, 3].map(|row| self.value(row, index));
        match self.head.layout {
            HeadLayout::Suppressed => [x, y, width, height],
            _ => [x - width / 2.0, y - height / 2.0, x + width / 2.0, y + height / 2.0],
        }
    }

    /// Classes lie apart and boxes together: the best class of many boxes is kept while classes go by.
    fn scan_columns(&self, is_sure: impl Fn(f32) -> bool, take: &mut impl FnMut(f32, usize, usize)) {
        let mut best = [(0.0f32, 0u32); BLOCK_BOXES];
        for first in (0..self.count).step_by(BLOCK_BOXES) {
            let block = &mut best[..BLOCK_BOXES.min(self.count - first)];
            block.fill((f32::NEG_INFINITY, 0));
            for class in 0..self.head.classes {
                let scores = &self.values[(4 + class) * self.count + first..];
                for ((best, best_class), &score) in block.iter_mut().map(|(one, two)| (one, two)).zip(scores) {
                    let is_better = score > *best;
                    *best = if is_better { score } else { *best };
                    *best_class = if is_better { class as u32 } else { *best_class };
                }
            }
            for (offset, &(score, class)) in block.iter().enumerate() {
                if is_sure(score) {
                    take(score, class as usize, first + offset);
                }
            }
        }
    }

    /// Every box has its numbers together: most are left by the first look at whether anything is there.
    fn scan_rows(&self, is_sure: impl Fn(f32) -> bool, take: &mut impl FnMut(f32, usize, usize)) {
        for (index, row) in self.values.chunks_exact(self.head.rows()).enumerate() {
            let presence = row[4];
            if !is_sure(presence) {
                continue;
            }
            let (class, share) = best_of(&row[5..5 + self.head.classes]);
            if is_sure(presence * share) {
                take(presence * share, class, index);
            }
        }
    }

    fn scan_suppressed(&self, is_sure: impl Fn(f32) -> bool, take: &mut impl FnMut(f32, usize, usize)) {
        for (index, row) in self.values.chunks_exact(self.head.rows()).enumerate() {
            let (score, class) = (row[4], row[5]);
            if is_sure(score) && class >= 0.0 && (class as usize) < self.head.classes {
                take(score, class as usize, index);
            }
        }
    }
}

/// The first of the greatest values; values that are no numbers count as none.
fn best_of(values: &[f32]) -> (usize, f32) {
    let mut best = (0, f32::NEG_INFINITY);
    for (index, &value) in values.iter().enumerate() {
        if value > best.1 {
            best = (index, value);
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: Head = Head { layout: HeadLayout::Columns, classes: 2, extra: 1 };

    /// Confidence, class and place of what is found, in single numbers.
    fn check(head: Head, shape: &[usize], values: &[f32], rules: PostProcessing, expect: &[(f32, u32, u32)]) {
        let boxes = head.boxes(shape, values).expect("a good shape");
        let found: Vec<_> = boxes
            .candidates(0.5, rules, 100)
            .iter()
            .map(|candidate| (candidate.confidence, candidate.class, candidate.index))
            .collect();
        assert_eq!(found, expect);
    }

    #[test]
    fn equals_keep_their_order_and_the_first_class_wins() {
        let nothing = [10.0; 3];
        let values = [nothing, nothing, nothing, nothing, [0.6, 0.9, 0.6], [0.6, 0.2, 0.1], nothing].concat();
        let expect = [(0.9, 0, 1), (0.6, 0, 0), (0.6, 0, 2)];
        check(COLUMNS, &[1, 7, 3], &values, PostProcessing::Modern, &expect);
    }

    #[test]
    fn the_bound_itself_is_enough_for_legacy_only() {
        let values = [1.0, 1.0, 1.0, 1.0, 0.5, 0.0, 0.0];
        check(COLUMNS, &[1, 7, 1], &values, PostProcessing::Legacy, &[(0.5, 0, 0)]);
        check(COLUMNS, &[1, 7, 1], &values, PostProcessing::Modern, &[]);
    }

    #[test]
    fn what_is_no_number_is_left_out() {
        let nan = f32::NAN;
        let good = [1.0; 4];
        let values =
            [good, [1.0, nan, f32::INFINITY, 1.0], good, good, [nan, 0.9, 0.9, 0.7], [nan, 0.1, 0.1, nan], good];
        check(COLUMNS, &[1, 7, 4], &values.concat(), PostProcessing::Modern, &[(0.7, 0, 3)]);
        let rows = Head { layout: HeadLayout::Rows, classes: 2, extra: 0 };
        let values = [1.0, 1.0, 1.0, 1.0, nan, 0.9, 0.9, 1.0, 1.0, 1.0, 1.0, 0.9, nan, 0.9];
        check(rows, &[1, 2, 7], &values, PostProcessing::Modern, &[(0.9 * 0.9, 1, 1)]);
        let suppressed = Head { layout: HeadLayout::Suppressed, classes: 2, extra: 0 };
        let values = [0.0, 0.0, 1.0, 1.0, 0.9, nan, 0.0, 0.0, 1.0, 1.0, 0.9, 2.0, 0.0, 0.0, 1.0, 1.0, 0.5, 1.0];
        check(suppressed, &[1, 3, 6], &values, PostProcessing::Modern, &[(0.5, 1, 2)]);
    }

    #[test]
    fn the_best_candidates_stay() {
        let count = 1300;
        let mut values = vec![0.0; 7 * count];
        for (index, score) in values[4 * count..5 * count].iter_mut().enumerate() {
            *score = 0.6 + index as f32 * 1e-4;
        }
        values[5 * count + 7] = 0.99;
        let boxes = COLUMNS.boxes(&[1, 7, count], &values).expect("a good shape");
        for (most, expect) in [(0, &[][..]), (1, &[7]), (3, &[7, 1299, 1298])] {
            let found = boxes.candidates(0.5, PostProcessing::Modern, most);
            assert_eq!(found.iter().map(|one| one.index).collect::<Vec<_>>(), expect);
        }
        for most in [count - 1, count, count + 1] {
            assert_eq!(boxes.candidates(0.5, PostProcessing::Modern, most).len(), most.min(count));
        }
    }

    #[test]
    fn another_shape_than_promised_is_an_error() {
        for (shape, count) in [(vec![1, 7], 7), (vec![1, 6, 3], 18), (vec![1, 7, 3], 20), (vec![1, 3, 7, 1], 21)] {
            let values = vec![0.0; count];
            assert!(matches!(COLUMNS.boxes(&shape, &values), Err(VisionError::Failed(_))), "{shape:?}");
        }
    }
}
