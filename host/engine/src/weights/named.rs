//! Tensors by the very names they have in a safetensors file, for architectures with names of their own.

use candle_core::quantized::GgmlDType;

use super::{Store, Stored, Weights, bf16_from, panels};
use crate::error::LoadError;
use crate::model::kernel::{Bf16, Weight};
use crate::model::linear::Linear;

/// Rows to look up: embeddings of tokens or positions. Kept as they were stored, for a row is read as a whole.
pub(crate) struct Table {
    numbers: Numbers,
    rows: usize,
    width: usize,
}

/// The numbers of a table, `[rows, width]`.
enum Numbers {
    F32(Vec<f32>),
    Bf16(Vec<Bf16>),
}

impl Table {
    /// Adds row `index` to `out`, `[width]`.
    pub(crate) fn add_row(&self, index: usize, out: &mut [f32]) {
        let range = index * self.width..(index + 1) * self.width;
        match &self.numbers {
            Numbers::F32(rows) => add(&rows[range], out, |value| value),
            Numbers::Bf16(rows) => add(&rows[range], out, Weight::widen),
        }
    }

    /// Numbers, and the bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        let numbers = self.rows as u64 * self.width as u64;
        match &self.numbers {
            Numbers::F32(_) => (numbers, numbers * size_of::<f32>() as u64),
            Numbers::Bf16(_) => (numbers, numbers * size_of::<Bf16>() as u64),
        }
    }
}

/// `out += row`.
fn add<T: Copy>(row: &[T], out: &mut [f32], widen: impl Fn(T) -> f32) {
    for (out, &value) in out.iter_mut().zip(row) {
        *out += widen(value);
    }
}

impl<'a> Weights<'a> {
    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self.store {
            Store::Safetensors(store) => store.has(name),
            Store::Gguf(_) => false,
        }
    }

    /// Rows to look up, `[rows, width]`.
    ///
    /// # Errors
    /// [`LoadError`] when it is absent, has another shape, or cannot be read.
    pub(crate) fn table(&mut self, name: &str, rows: usize, width: usize) -> Result<Table, LoadError> {
        let stored = self.named(name, &[rows, width])?;
        let values = rows * width;
        let numbers = match (stored.kind, self.reading) {
            (GgmlDType::BF16, None) => Numbers::Bf16(Vec::new()),
            (_, None) => Numbers::F32(Vec::new()),
            (GgmlDType::BF16, Some(reading)) => {
                Numbers::Bf16(panels::in_order(&stored, values, reading.pool, |bytes, out| {
                    out.extend(bf16_from(bytes));
                    Ok(())
                })?)
            }
            (_, Some(reading)) => {
                Numbers::F32(panels::in_order(&stored, values, reading.pool, |bytes, out| stored.widen(bytes, out))?)
            }
        };
        self.taken(stored.bytes)?;
        Ok(Table { numbers, rows, width })
    }

    /// Several matrices of `columns` outputs and `depth` inputs as one, in their order. Nothing is rounded.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn stacked(&mut self, names: &[String], columns: usize, depth: usize) -> Result<Linear, LoadError> {
        let parts =
            names.iter().map(|name| self.named(name, &[columns, depth])).collect::<Result<Vec<Stored<'_>>, _>>()?;
        let matrix = panels::matrix(&parts, columns * parts.len(), depth, self.reading)?;
        self.taken(parts.iter().map(|part| part.bytes).sum())?;
        Ok(matrix)
    }

    /// Several vectors of `length` numbers as one, in their order.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn joined(&mut self, names: &[String], length: usize) -> Result<Vec<f32>, LoadError> {
        let mut numbers = Vec::new();
        for name in names {
            let stored = self.named(name, &[length])?;
            numbers.extend(self.vector_of(&stored, length)?);
        }
        Ok(numbers)
    }

    /// The numbers of a small matrix as they lie in the file, `[rows, width]`.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn joined_rows(&mut self, name: &str, rows: usize, width: usize) -> Result<Vec<f32>, LoadError> {
        let stored = self.named(name, &[rows, width])?;
        self.vector_of(&stored, rows * width)
    }

    /// Finds a tensor and checks its shape.
    fn named(&self, name: &str, shape: &[usize]) -> Result<Stored<'a>, LoadError> {
        let stored = match self.store {
            Store::Safetensors(store) => store.find(name, shape)?,
            Store::Gguf(_) => None,
        };
        stored.ok_or_else(|| LoadError::tensor(name, "absent"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_added() {
        let numbers = Numbers::Bf16([0x3f80, 0x4000, 0x4040, 0x4080].map(Bf16).to_vec());
        let table = Table { numbers, rows: 2, width: 2 };
        let mut out = [10.0, 20.0];
        table.add_row(1, &mut out);
        assert_eq!(out, [13.0, 24.0]);
        assert_eq!(table.size(), (4, 8));
    }
}
