//! Wide words are read in overlapping pieces.
//!
//! Source: docTR 1.1.0, `models/recognition/predictor/_utils.py` and `models/recognition/utils.py`.

use std::ops::Range;

/// Width over height from which on a word is cut.
const ASPECT_MAX: usize = 8;

/// Width over height of a piece.
const PIECE_ASPECT: usize = 6;

/// Part of a piece that the next one shows too.
const OVERLAP: f64 = 0.5;

/// Columns of a word that are read on their own, and how the last piece overlaps the one before.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pieces {
    pub(super) columns: Vec<Range<u32>>,
    last_overlap: f64,
}

impl Pieces {
    /// A word that is read as a whole.
    pub(super) fn whole(width: u32) -> Self {
        Self { columns: vec![0..width; 1], last_overlap: 0.0 }
    }

    /// The pieces of a word of `width` times `height` pixels, both at least 1; at most `pieces_max`, or it stays whole.
    pub(super) fn of(width: u32, height: u32, pieces_max: usize) -> Self {
        let (columns, rows) = (width as usize, height as usize);
        if columns <= ASPECT_MAX * rows {
            return Self::whole(width);
        }
        let piece = PIECE_ASPECT * rows;
        let step = piece - (piece as f64 * OVERLAP).floor() as usize;
        let mut starts: Vec<usize> = (0..=columns - piece).step_by(step).take(pieces_max.saturating_add(1)).collect();
        let before = starts[starts.len() - 1];
        if before + piece < columns {
            starts.push(columns - piece);
        }
        if starts.len() > pieces_max {
            return Self::whole(width);
        }
        let last_overlap = match starts[..] {
            [.., a, b] => (a + piece - b) as f64 / piece as f64,
            _ => 0.0,
        };
        let columns = starts.into_iter().map(|start| start as u32..(start + piece) as u32).collect();
        Self { columns, last_overlap }
    }

    /// The word that the texts of the pieces make, with the mean of their confidences.
    pub(super) fn merge(&self, read: &[(String, f32)]) -> (String, f32) {
        let [first, rest @ ..] = read else { return (String::new(), 0.0) };
        let mut text: Vec<char> = first.0.chars().collect();
        for (index, (next, _)) in rest.iter().enumerate() {
            let overlap = if index + 1 == rest.len() { self.last_overlap } else { OVERLAP };
            text = merge(&text, &next.chars().collect::<Vec<char>>(), overlap);
        }
        let confidence = read.iter().map(|(_, confidence)| f64::from(*confidence)).sum::<f64>() / read.len() as f64;
        (text.into_iter().collect(), confidence as f32)
    }
}

/// Two texts whose end and beginning show the same letters, of which the outermost may be cut.
fn merge(a: &[char], b: &[char], overlap: f64) -> Vec<char> {
    if a.len() <= 1 || b.len() <= 1 {
        return [a, b].concat();
    }
    let (start, end) = (&a[..a.len() - 1], &b[1..]);
    let different = |shared: usize| {
        let pairs = start[start.len() - shared..].iter().zip(&end[..shared]);
        pairs.filter(|(a, b)| a != b).count()
    };
    let expected = (b.len() as f64 * overlap).round_ties_even() as i64 - 3;
    // By index: so many letters less one are shared.
    let scores: Vec<usize> = (1..=start.len().min(end.len())).map(different).collect();
    let off = |index: usize| (index as i64 - expected).unsigned_abs() as usize;
    let equal = (0..scores.len()).filter(|&index| scores[index] == 0).min_by_key(|&index| off(index));
    let best = match equal {
        Some(index) => index,
        None if expected < -1 => return [a, b].concat(),
        None if expected < 0 => return [start, end].concat(),
        None => (0..scores.len()).min_by_key(|&index| scores[index] + off(index)).unwrap_or_default(),
    };
    [start, &end[best + 1..]].concat()
}
