//! Attention inside each of many texts or pictures, every row to every other or to those before it, on plain slices.
//!
//! Keys are packed into panels of sixteen positions and values into panels of sixteen dimensions, so that both products
//! are those of [`kernel::multiply`](super::super::kernel::multiply).

use rayon::prelude::*;

use super::Wanted;
use crate::config::encoder::EncoderConfig;
use crate::model::kernel::activations::softmax;
use crate::model::kernel::{LANES, Panels, RowTiles, Sink, multiply};
use crate::model::linear::Threads;

/// Rows of a text that one task takes; bounds the scores in memory to this many times the text.
const TASK_ROWS: usize = 96;

/// Multiplications that are worth waking a thread for.
const PARALLEL_WORK: usize = 1 << 20;

/// Distances beyond this count as this one.
const DISTANCE_MAX: usize = 128;

/// The shape of an encoder's attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attention {
    pub(crate) heads: usize,
    pub(crate) head_dim: usize,
    /// Whether a row sees itself and those before it only.
    pub(crate) is_causal: bool,
}

/// What is added to a score for the distance of its two tokens.
pub(crate) struct DistanceBias {
    /// `[heads, 2 * DISTANCE_MAX + 1]`, from `-DISTANCE_MAX` on: position of the key less that of the query.
    values: Vec<f32>,
}

/// One piece of work: some rows of a text, and a head.
#[derive(Clone, Copy)]
struct Task {
    /// Row where the text begins, and its rows.
    begin: usize,
    length: usize,
    /// Rows of the text.
    first: usize,
    last: usize,
    head: usize,
    /// Row of the result where row `first` goes.
    place: usize,
}

/// Memory of one thread.
#[derive(Debug, Default)]
pub(crate) struct AttentionScratch {
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    tiles: RowTiles,
    scores: Vec<f32>,
    out: Vec<f32>,
}

impl DistanceBias {
    /// Spreads the biases of buckets over distances.
    ///
    /// * `buckets`: `[buckets, heads]`.
    ///
    /// Source: transformers, `MPNetEncoder.relative_position_bucket`.
    pub(super) fn new(buckets: &[f32], config: &EncoderConfig) -> Self {
        let half = config.buckets / 2;
        let exact = half / 2;
        let bucket = |distance: isize| {
            let size = distance.unsigned_abs();
            let side = if distance > 0 { half } else { 0 };
            if size < exact {
                return side + size;
            }
            let share = (size as f32 / exact as f32).ln() / (DISTANCE_MAX as f32 / exact as f32).ln();
            // Truncated, as a tensor of integers is made from one of floats.
            side + (exact + (share * (half - exact) as f32) as usize).min(half - 1)
        };
        let far = DISTANCE_MAX as isize;
        let heads = config.heads;
        let values = (0..heads).flat_map(|head| (-far..=far).map(move |distance| bucket(distance) * heads + head));
        Self { values: values.map(|index| buckets[index]).collect() }
    }

    /// Numbers in memory.
    pub(super) fn numbers(&self) -> usize {
        self.values.len()
    }

    /// Adds the biases of the row of position `query` to its scores, which are those of positions from 0 on.
    fn add(&self, head: usize, query: usize, scores: &mut [f32]) {
        let values = &self.values[head * (2 * DISTANCE_MAX + 1)..][..2 * DISTANCE_MAX + 1];
        for (key, score) in scores.iter_mut().enumerate() {
            // The distance, shifted to begin at 0.
            let place = (key + DISTANCE_MAX).saturating_sub(query).min(2 * DISTANCE_MAX);
            *score += values[place];
        }
    }
}

/// Rows of texts, one text behind the other.
pub(crate) struct Rows<'a> {
    /// Which of them attend.
    pub(crate) wanted: Wanted,
    /// Rows of each text.
    pub(crate) lengths: &'a [usize],
    /// `[rows, 3, heads, head_dim]`: queries, keys and values.
    pub(crate) mixed: &'a [f32],
}

impl Attention {
    /// Lets rows attend to all rows of their text.
    ///
    /// * `out`: `[wanted rows, heads, head_dim]`, resized and overwritten.
    ///
    /// Source: arXiv 1706.03762, section 3.2.1.
    pub(crate) fn attend(
        &self,
        rows: &Rows<'_>,
        bias: Option<&DistanceBias>,
        by: Threads,
        scratch: &mut AttentionScratch,
        out: &mut Vec<f32>,
    ) {
        let Rows { wanted, lengths, mixed } = *rows;
        let queries = |length: usize| wanted.rows(length).len();
        let width = self.heads * self.head_dim;
        out.resize(lengths.iter().map(|&length| queries(length)).sum::<usize>() * width, 0.0);
        let tasks = self.tasks(lengths, wanted);
        let work: usize = lengths.iter().map(|&length| 2 * length * queries(length) * width).sum();
        if by == Threads::One || rayon::current_num_threads() == 1 || work < PARALLEL_WORK {
            for task in &tasks {
                self.run(task, mixed, bias, scratch);
                self.scatter(task, &scratch.out, out);
            }
            return;
        }
        let results: Vec<Vec<f32>> = tasks
            .par_iter()
            .map_init(AttentionScratch::default, |scratch, task| {
                self.run(task, mixed, bias, scratch);
                std::mem::take(&mut scratch.out)
            })
            .collect();
        for (task, result) in tasks.iter().zip(&results) {
            self.scatter(task, result, out);
        }
    }

    /// Cuts the texts into tasks.
    ///
    /// * `wanted`: which rows of a text attend.
    fn tasks(&self, lengths: &[usize], wanted: Wanted) -> Vec<Task> {
        let mut tasks = Vec::new();
        let (mut begin, mut place) = (0, 0);
        for &length in lengths {
            let queries = wanted.rows(length);
            for first in queries.clone().step_by(TASK_ROWS) {
                let (last, place) = (queries.end.min(first + TASK_ROWS), place + first - queries.start);
                tasks.extend((0..self.heads).map(|head| Task { begin, length, first, last, head, place }));
            }
            begin += length;
            place += queries.len();
        }
        tasks
    }

    /// Computes one task into `scratch.out`, `[rows, head_dim]`.
    fn run(&self, task: &Task, mixed: &[f32], bias: Option<&DistanceBias>, scratch: &mut AttentionScratch) {
        let (dim, length) = (self.head_dim, task.length);
        let width = self.heads * dim;
        let scale = 1.0 / (dim as f32).sqrt();
        let part = |row: usize, kind: usize| &mixed[(row * 3 + kind) * width + task.head * dim..][..dim];
        let AttentionScratch { queries, keys, values, tiles, scores, out } = scratch;
        queries.clear();
        for row in task.begin + task.first..task.begin + task.last {
            queries.extend(part(row, 0).iter().map(|query| query * scale));
        }
        keys.clear();
        keys.resize(length.div_ceil(LANES) * LANES * dim, 0.0);
        values.clear();
        values.resize(dim.div_ceil(LANES) * LANES * length, 0.0);
        for position in 0..length {
            let panel = &mut keys[position / LANES * LANES * dim + position % LANES..];
            for (place, &key) in panel.iter_mut().step_by(LANES).zip(part(task.begin + position, 1)) {
                *place = key;
            }
            for (index, chunk) in part(task.begin + position, 2).chunks(LANES).enumerate() {
                values[(index * length + position) * LANES..][..chunk.len()].copy_from_slice(chunk);
            }
        }
        let rows = task.last - task.first;
        tiles.fill(queries, rows, dim, dim);
        scores.resize(rows * length, 0.0);
        let panels = Panels { weights: keys.as_slice(), scales: &[], panel_depth: dim, columns: length };
        multiply(tiles, 0, dim, panels, Sink { values: scores, stride: length, adds: false });
        for (row, scores) in scores.chunks_exact_mut(length).take(rows).enumerate() {
            if let Some(bias) = bias {
                bias.add(task.head, task.first + row, scores);
            }
            let seen = if self.is_causal { task.first + row + 1 } else { length };
            let (seen, unseen) = scores.split_at_mut(seen);
            softmax(seen);
            unseen.fill(0.0);
        }
        tiles.fill(scores, rows, length, length);
        out.resize(rows * dim, 0.0);
        let panels = Panels { weights: values.as_slice(), scales: &[], panel_depth: length, columns: dim };
        multiply(tiles, 0, length, panels, Sink { values: out, stride: dim, adds: false });
    }

    /// Puts a task's result where its rows and head are.
    fn scatter(&self, task: &Task, result: &[f32], out: &mut [f32]) {
        let width = self.heads * self.head_dim;
        for (row, values) in (task.place..).zip(result.chunks_exact(self.head_dim)) {
            out[row * width + task.head * self.head_dim..][..self.head_dim].copy_from_slice(values);
        }
    }
}
