//! Matrices, read panel by panel straight into the layout in which they are multiplied.

use candle_core::quantized::GgmlDType;
use rayon::ThreadPool;

use super::fill::{Extent, Part, fill, fill_two};
use super::{Reading, Stored, bf16_from, quantized};
use crate::error::LoadError;
use crate::model::kernel::{Bf16, LANES, Scaled8, Weight};
use crate::model::linear::{Linear, Packed};

/// Values that a thread reads at a time where they need no other layout; little enough to stay in its cache.
const PART_VALUES: usize = 16 << 10;

/// Several matrices of `columns / parts` outputs and `depth` inputs as one, in their order.
///
/// Kinds that are the same stay as they are, f16 and mixtures become f32, quantized ones 8 bits.
///
/// * `reading`: `None` for a matrix that has only its size.
///
/// # Errors
/// [`LoadError`] when one cannot be read or unpacked.
pub(super) fn matrix(
    parts: &[Stored<'_>],
    columns: usize,
    depth: usize,
    reading: Option<Reading<'_>>,
) -> Result<Linear, LoadError> {
    let Some(first) = parts.first() else {
        return Err(LoadError::malformed("weights", "a matrix of no tensor"));
    };
    let rows = Rows { parts, rows_of_part: columns / parts.len(), columns, depth };
    let all = |kind: GgmlDType| parts.iter().all(|part| part.kind == kind);
    let is_plain = |part: &Stored<'_>| matches!(part.kind, GgmlDType::F32 | GgmlDType::F16 | GgmlDType::BF16);
    if all(GgmlDType::BF16) {
        return Ok(Linear::Bf16(match reading {
            None => Packed::sized(columns, depth),
            Some(reading) => rows.packed(reading.pool, |_, bytes, rows: &mut PanelRows<Bf16>| {
                rows.weights.extend(bf16_from(bytes));
                Ok(())
            })?,
        }));
    }
    if parts.iter().all(is_plain) {
        return Ok(Linear::F32(match reading {
            None => Packed::sized(columns, depth),
            Some(reading) => rows
                .packed(reading.pool, |part, bytes, rows: &mut PanelRows<f32>| part.widen(bytes, &mut rows.weights))?,
        }));
    }
    if parts.iter().any(is_plain) {
        return Err(LoadError::Unsupported(format!("tensor {} beside others of another kind", first.name)));
    }
    quantized::check(first, depth)?;
    Ok(Linear::Scaled8(match reading {
        None => Packed::sized(columns, depth),
        Some(reading) => rows.packed(reading.pool, |part, bytes, rows: &mut PanelRows<Scaled8>| {
            quantized::unpack(part, bytes, &mut rows.weights, &mut rows.scales)
        })?,
    }))
}

/// Rows of tensors of one shape, one tensor after the other.
struct Rows<'a> {
    parts: &'a [Stored<'a>],
    rows_of_part: usize,
    columns: usize,
    depth: usize,
}

/// What a thread works in: the rows of one panel, one after the other.
pub(super) struct PanelRows<W> {
    bytes: Vec<u8>,
    /// `[rows, depth]`.
    pub(super) weights: Vec<W>,
    /// `[rows, depth / block]`, where weights have scales.
    pub(super) scales: Vec<f32>,
}

impl Rows<'_> {
    /// Reads and unpacks the rows, and lays them out in panels.
    ///
    /// * `unpack`: appends what some rows of a tensor are.
    fn packed<W: Weight>(
        &self,
        pool: &ThreadPool,
        unpack: impl Fn(&Stored<'_>, &[u8], &mut PanelRows<W>) -> Result<(), LoadError> + Sync,
    ) -> Result<Packed<W>, LoadError> {
        let panels = self.columns.div_ceil(LANES);
        let blocks = W::BLOCK.map_or(0, |block| self.depth / block);
        let extent = |depth: usize| Extent { values: panels * LANES * depth, part_values: LANES * depth };
        let scratch = || PanelRows { bytes: Vec::new(), weights: Vec::new(), scales: Vec::new() };
        let write = |rows: &mut PanelRows<W>, panel: usize, weights: &mut Part<'_, W>, scales: &mut Part<'_, f32>| {
            rows.weights.clear();
            rows.scales.clear();
            self.read(panel * LANES, self.columns.min((panel + 1) * LANES), rows, &unpack)?;
            // Columns that are missing in the last panel are zero.
            rows.weights.resize(LANES * self.depth, W::default());
            rows.scales.resize(LANES * blocks, 0.0);
            weights.interleave(&rows.weights, self.depth);
            scales.interleave(&rows.scales, blocks);
            Ok(())
        };
        let (weights, scales) = fill_two(pool, extent(self.depth), extent(blocks), scratch, write)?;
        Ok(Packed::from_panels(weights, scales, self.columns, self.depth))
    }

    /// Reads and unpacks rows `first..last`.
    fn read<W>(
        &self,
        mut first: usize,
        last: usize,
        rows: &mut PanelRows<W>,
        unpack: impl Fn(&Stored<'_>, &[u8], &mut PanelRows<W>) -> Result<(), LoadError>,
    ) -> Result<(), LoadError> {
        while first < last {
            let (part, inside) = (&self.parts[first / self.rows_of_part], first % self.rows_of_part);
            let count = (last - first).min(self.rows_of_part - inside);
            let row_bytes = part.bytes as usize / self.rows_of_part;
            let mut bytes = std::mem::take(&mut rows.bytes);
            bytes.resize(count * row_bytes, 0);
            part.file.read_into(part.offset + (inside * row_bytes) as u64, &mut bytes)?;
            unpack(part, &bytes, rows)?;
            rows.bytes = bytes;
            first += count;
        }
        Ok(())
    }
}

/// The numbers of a matrix as they lie in the file, in order.
///
/// * `unpack`: appends what some bytes of it are.
///
/// # Errors
/// [`LoadError`] when it cannot be read or unpacked.
pub(super) fn in_order<T: Copy + Send>(
    stored: &Stored<'_>,
    values: usize,
    pool: &ThreadPool,
    unpack: impl Fn(&[u8], &mut Vec<T>) -> Result<(), LoadError> + Sync + Send,
) -> Result<Vec<T>, LoadError> {
    let width = stored.bytes as usize / values.max(1);
    let extent = Extent { values, part_values: PART_VALUES };
    fill(
        pool,
        extent,
        || (Vec::new(), Vec::new()),
        |(bytes, numbers), index, out| {
            let begin = index * PART_VALUES;
            bytes.resize(PART_VALUES.min(values - begin) * width, 0);
            stored.file.read_into(stored.offset + (begin * width) as u64, bytes)?;
            numbers.clear();
            unpack(bytes, numbers)?;
            out.extend(numbers);
            Ok(())
        },
    )
}
