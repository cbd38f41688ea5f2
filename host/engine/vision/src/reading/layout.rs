//! Words to lines and lines to blocks, by where they are.
//!
//! Source: docTR 1.1.0, `models/builder.py`, `DocumentBuilder` with `resolve_blocks`.

use super::regions::Region;

/// Gap between two words at which a line ends at the latest, as a part of the picture's width.
const PARAGRAPH_BREAK: f64 = 0.035;

/// Distance of two lines' places at which they belong to different blocks.
const BLOCK_DISTANCE: f64 = 0.1;

/// Gaps that are needed for judging from them.
const GAPS_MIN: usize = 5;

/// Indices of words by block and line, in reading order.
///
/// `aspect` is the picture's height over its width.
pub(super) fn arrange(words: &[Region], aspect: f64) -> Vec<Vec<Vec<usize>>> {
    blocks(words, lines(words, aspect))
}

/// Indices of words, line by line.
fn lines(words: &[Region], aspect: f64) -> Vec<Vec<usize>> {
    let heights = words.iter().map(|word| word.bottom - word.top).collect();
    let height = median(heights);
    let rows = rows(words, height);
    let gap_max = gap_max(words, &rows, height * aspect);
    rows.into_iter().flat_map(|row| parts(words, row, gap_max)).collect()
}

/// Words that stand side by side, each row from left to right.
fn rows(words: &[Region], height: f64) -> Vec<Vec<usize>> {
    let unit = if height > 0.0 { height } else { 1.0 };
    let key = |index: usize| words[index].left + 2.0 * words[index].bottom / unit;
    let mut order: Vec<usize> = (0..words.len()).collect();
    order.sort_by(|&a, &b| key(a).total_cmp(&key(b)));
    let mut rows: Vec<Vec<usize>> = Vec::new();
    let mut centres = 0.0;
    for index in order {
        let centre = (words[index].top + words[index].bottom) / 2.0;
        match rows.last_mut() {
            Some(row) if (centre - centres / row.len() as f64).abs() < height / 2.0 => {
                row.push(index);
                centres += centre;
            }
            _ => {
                rows.push(vec![index]);
                centres = centre;
            }
        }
    }
    for row in &mut rows {
        row.sort_by(|&a, &b| words[a].left.total_cmp(&words[b].left));
    }
    rows
}

/// The gap at which a line ends: less than [`PARAGRAPH_BREAK`] where words stand close.
///
/// `least`: the words' height as a part of the picture's width.
fn gap_max(words: &[Region], rows: &[Vec<usize>], least: f64) -> f64 {
    let gaps: Vec<f64> =
        rows.iter().flat_map(|row| row.windows(2).map(|pair| words[pair[1]].left - words[pair[0]].right)).collect();
    let positive: Vec<f64> = gaps.iter().copied().filter(|&gap| gap > 0.0).collect();
    if positive.len() >= GAPS_MIN && 2 * positive.len() >= gaps.len() {
        PARAGRAPH_BREAK.min(least.max(3.0 * median(positive)))
    } else if gaps.len() >= GAPS_MIN {
        PARAGRAPH_BREAK.min(least)
    } else {
        PARAGRAPH_BREAK
    }
}

/// A row cut where the gap is wide.
fn parts(words: &[Region], row: Vec<usize>, gap_max: f64) -> Vec<Vec<usize>> {
    let is_close = |a: &usize, b: &usize| words[*b].left - words[*a].right < gap_max;
    row.chunk_by(is_close).map(<[usize]>::to_vec).collect()
}

/// Lines that are near each other, directly or through others, in the order of their first lines.
fn blocks(words: &[Region], lines: Vec<Vec<usize>>) -> Vec<Vec<Vec<usize>>> {
    let places: Vec<[f64; 6]> = lines.iter().map(|line| place(words, line)).collect();
    let mut is_placed = vec![false; lines.len()];
    let mut blocks = Vec::new();
    for first in 0..lines.len() {
        if is_placed[first] {
            continue;
        }
        is_placed[first] = true;
        let mut members = vec![first];
        let mut next = 0;
        while let Some(&member) = members.get(next) {
            for other in first + 1..lines.len() {
                if !is_placed[other] && distance(&places[member], &places[other]) <= BLOCK_DISTANCE {
                    is_placed[other] = true;
                    members.push(other);
                }
            }
            next += 1;
        }
        members.sort_unstable();
        blocks.push(members.into_iter().map(|line| lines[line].clone()).collect());
    }
    blocks
}

/// What lines are compared by.
fn place(words: &[Region], line: &[usize]) -> [f64; 6] {
    let edge = |of: fn(&Region) -> f64, pick: fn(f64, f64) -> f64| {
        line.iter().map(|&index| of(&words[index])).reduce(pick).unwrap_or_default()
    };
    let (left, top) = (edge(|word| word.left, f64::min), edge(|word| word.top, f64::min));
    let (right, bottom) = (edge(|word| word.right, f64::max), edge(|word| word.bottom, f64::max));
    [(left + bottom) / 2.0, (top + right) / 2.0, (left + right) / 2.0, (top + bottom) / 2.0, left, top]
}

fn distance(a: &[f64; 6], b: &[f64; 6]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
}

/// The middle value, or the mean of the two in the middle; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => 0.0,
        count if count % 2 == 1 => values[middle],
        _ => (values[middle - 1] + values[middle]) / 2.0,
    }
}
