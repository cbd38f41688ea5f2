//! Attention of many sequences over the blocks of the cache, on plain slices.
//!
//! Keys lie in a block as `[2, head_dim, 16]`: two panels of sixteen positions; values as
//! `[head_dim / 16, 32, 16]`: panels of sixteen dimensions. Both products are then those of
//! [`kernel::multiply`](super::kernel::multiply), and the cache is read in place.

use rayon::prelude::*;

use super::Span;
use super::kernel::activations::softmax;
use super::kernel::{LANES, Panels, RowTiles, Sink, multiply};
use crate::kv_cache::{BLOCK_TOKENS, KvCache, KvShape};

/// Positions of a span that one task takes; bounds the scores in memory.
const TASK_POSITIONS: usize = 8;

/// Multiplications that are worth waking a thread for.
const PARALLEL_WORK: usize = 1 << 20;

/// The shape of a model's attention.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AttentionShape {
    /// Layers of the model.
    pub(crate) layers: usize,
    /// Query heads.
    pub(crate) heads: usize,
    /// Key and value heads; each serves `heads / kv_heads` query heads.
    pub(crate) kv_heads: usize,
    /// Values of a head.
    pub(crate) head_dim: usize,
}

/// One piece of work: some positions of a span, and the query heads of one key head.
#[derive(Clone, Copy)]
struct Task<'a> {
    span: &'a Span<'a>,
    /// Row of the batch where the span begins.
    span_row: usize,
    /// Rows of the span.
    first: usize,
    last: usize,
    kv_head: usize,
}

/// Memory of one thread.
#[derive(Debug, Default)]
pub(crate) struct AttentionScratch {
    queries: Vec<f32>,
    tiles: RowTiles,
    scores: Vec<f32>,
    out: Vec<f32>,
}

impl AttentionShape {
    /// What the cache stores.
    pub(crate) fn kv_shape(&self) -> KvShape {
        KvShape { block_floats: self.layers * self.kv_heads * self.head_floats() }
    }

    /// Query heads of a key head.
    fn group(&self) -> usize {
        self.heads / self.kv_heads
    }

    /// Numbers of one key head in a block: keys, then values padded to whole panels.
    fn head_floats(&self) -> usize {
        BLOCK_TOKENS * (self.head_dim + self.head_dim.div_ceil(LANES) * LANES)
    }

    /// Keys and values of one head in a block.
    fn head<'a>(&self, numbers: &'a [f32], layer: usize, kv_head: usize) -> (&'a [f32], &'a [f32]) {
        let floats = self.head_floats();
        let head = &numbers[(layer * self.kv_heads + kv_head) * floats..][..floats];
        head.split_at(BLOCK_TOKENS * self.head_dim)
    }

    /// Stores keys and values of all rows of `spans`.
    ///
    /// * `keys`, `values`: `[rows, kv_heads, head_dim]`, rows in the order of the spans.
    pub(crate) fn store(&self, spans: &[Span<'_>], layer: usize, keys: &[f32], values: &[f32], cache: &mut KvCache) {
        let width = self.kv_heads * self.head_dim;
        let mut rows = keys.chunks_exact(width).zip(values.chunks_exact(width));
        for span in spans {
            for (position, (keys, values)) in (span.start..span.tokens.len()).zip(&mut rows) {
                let numbers = cache.numbers_mut(span.blocks[position / BLOCK_TOKENS]);
                let heads = keys.chunks_exact(self.head_dim).zip(values.chunks_exact(self.head_dim));
                for (kv_head, (key, value)) in heads.enumerate() {
                    let begin = (layer * self.kv_heads + kv_head) * self.head_floats();
                    let head = &mut numbers[begin..begin + self.head_floats()];
                    self.store_position(head, position % BLOCK_TOKENS, key, value);
                }
            }
        }
    }

    /// Stores one position of one head.
    fn store_position(&self, head: &mut [f32], place: usize, key: &[f32], value: &[f32]) {
        let (keys, values) = head.split_at_mut(BLOCK_TOKENS * self.head_dim);
        let panel = &mut keys[place / LANES * LANES * self.head_dim..];
        for (stored, &number) in panel[place % LANES..].iter_mut().step_by(LANES).zip(key) {
            *stored = number;
        }
        for (panel, numbers) in values.chunks_exact_mut(BLOCK_TOKENS * LANES).zip(value.chunks(LANES)) {
            panel[place * LANES..][..numbers.len()].copy_from_slice(numbers);
        }
    }

    /// Lets every row attend to its own sequence, up to itself.
    ///
    /// * `queries`: `[rows, heads, head_dim]`.
    /// * `out`: as `queries`, resized and overwritten.
    ///
    /// Source: arXiv 1706.03762, section 3.2.1; grouped heads, arXiv 2305.13245.
    pub(crate) fn attend(
        &self,
        spans: &[Span<'_>],
        layer: usize,
        queries: &[f32],
        cache: &KvCache,
        scratch: &mut AttentionScratch,
        out: &mut Vec<f32>,
    ) {
        out.resize(queries.len(), 0.0);
        let tasks = self.tasks(spans);
        let work: usize = spans.iter().map(|span| span.rows() * span.tokens.len() * self.heads * self.head_dim).sum();
        if rayon::current_num_threads() == 1 || 2 * work < PARALLEL_WORK {
            for task in &tasks {
                self.run(task, layer, queries, cache, scratch);
                self.scatter(task, &scratch.out, out);
            }
            return;
        }
        let results: Vec<Vec<f32>> = tasks
            .par_iter()
            .map_init(AttentionScratch::default, |scratch, task| {
                self.run(task, layer, queries, cache, scratch);
                std::mem::take(&mut scratch.out)
            })
            .collect();
        for (task, result) in tasks.iter().zip(&results) {
            self.scatter(task, result, out);
        }
    }

    /// Cuts the spans into tasks.
    fn tasks<'a>(&self, spans: &'a [Span<'a>]) -> Vec<Task<'a>> {
        let mut tasks = Vec::new();
        let mut span_row = 0;
        for span in spans {
            for first in (0..span.rows()).step_by(TASK_POSITIONS) {
                let last = span.rows().min(first + TASK_POSITIONS);
                tasks.extend((0..self.kv_heads).map(|kv_head| Task { span, span_row, first, last, kv_head }));
            }
            span_row += span.rows();
        }
        tasks
    }

    /// Computes one task into `scratch.out`, `[positions, group, head_dim]`.
    fn run(&self, task: &Task<'_>, layer: usize, queries: &[f32], cache: &KvCache, scratch: &mut AttentionScratch) {
        let (group, head_dim) = (self.group(), self.head_dim);
        let rows = (task.last - task.first) * group;
        let scale = 1.0 / (head_dim as f32).sqrt();
        scratch.queries.clear();
        for row in task.first..task.last {
            let begin = ((task.span_row + row) * self.heads + task.kv_head * group) * head_dim;
            scratch.queries.extend(queries[begin..begin + group * head_dim].iter().map(|query| query * scale));
        }
        scratch.tiles.fill(&scratch.queries, rows, head_dim, head_dim);
        // What the last row sees; earlier rows see less.
        let visible = task.span.start + task.last;
        let blocks = || task.span.blocks.iter().enumerate().take(visible.div_ceil(BLOCK_TOKENS));
        scratch.scores.resize(rows * visible, 0.0);
        for (index, &id) in blocks() {
            let (keys, _) = self.head(cache.numbers(id), layer, task.kv_head);
            let columns = BLOCK_TOKENS.min(visible - index * BLOCK_TOKENS);
            let panels = Panels { weights: keys, scales: &[], panel_depth: head_dim, columns };
            let values = &mut scratch.scores[index * BLOCK_TOKENS..];
            multiply(&scratch.tiles, 0, head_dim, panels, Sink { values, stride: visible, adds: false });
        }
        for (row, scores) in scratch.scores.chunks_exact_mut(visible).take(rows).enumerate() {
            let (seen, unseen) = scores.split_at_mut(task.span.start + task.first + row / group + 1);
            softmax(seen);
            unseen.fill(0.0);
        }
        scratch.tiles.fill(&scratch.scores, rows, visible, visible);
        scratch.out.resize(rows * head_dim, 0.0);
        for (index, &id) in blocks() {
            let (_, values) = self.head(cache.numbers(id), layer, task.kv_head);
            let from = index * BLOCK_TOKENS;
            let panels = Panels { weights: values, scales: &[], panel_depth: BLOCK_TOKENS, columns: head_dim };
            let sink = Sink { values: &mut scratch.out, stride: head_dim, adds: index > 0 };
            multiply(&scratch.tiles, from, BLOCK_TOKENS.min(visible - from), panels, sink);
        }
    }

    /// Puts a task's result where its rows and heads are.
    fn scatter(&self, task: &Task<'_>, result: &[f32], out: &mut [f32]) {
        let width = self.group() * self.head_dim;
        for (row, values) in (task.first..task.last).zip(result.chunks_exact(width)) {
            let begin = (task.span_row + row) * self.heads * self.head_dim + task.kv_head * width;
            out[begin..begin + width].copy_from_slice(values);
        }
    }
}
