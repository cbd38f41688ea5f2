//! Tensors by the very names they have in a safetensors file, for architectures with names of their own.

use candle_core::quantized::GgmlDType;

use super::{Store, Stored, Weights, bf16_from, panels};
use crate::error::LoadError;
use crate::model::kernel::{Bf16, Weight};
use crate::model::linear::{Linear, Packed};

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

    /// A matrix whose rows may have several dimensions: `columns` outputs of `depth` inputs each.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn flattened(&mut self, name: &str, columns: usize, inputs: &[usize]) -> Result<Linear, LoadError> {
        let stored = self.named(name, &[&[columns], inputs].concat())?;
        let matrix = panels::matrix(std::slice::from_ref(&stored), columns, inputs.iter().product(), self.reading)?;
        self.taken(stored.bytes)?;
        Ok(matrix)
    }

    /// A matrix of `columns` outputs and `depth` inputs that lies the other way round, `[depth, columns]`.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn transposed(&mut self, name: &str, columns: usize, depth: usize) -> Result<Linear, LoadError> {
        let numbers = self.numbers(name, &[depth, columns])?;
        Ok(self.computed(columns, depth, || {
            let row = |column: usize| numbers[column..].iter().step_by(columns).copied();
            (0..columns).flat_map(row).collect()
        }))
    }

    /// A matrix that is made of tensors taken before.
    ///
    /// * `rows`: gives `[columns, depth]`; not called where sizes alone are wanted.
    pub(crate) fn computed(&self, columns: usize, depth: usize, rows: impl FnOnce() -> Vec<f32>) -> Linear {
        match self.reading {
            None => Linear::F32(Packed::sized(columns, depth)),
            Some(_) => Linear::from_rows(&rows(), columns, depth),
        }
    }

    /// The numbers of a tensor in the order of the file. Dimensions of 1 before the first of `shape` do not matter.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn numbers(&mut self, name: &str, shape: &[usize]) -> Result<Vec<f32>, LoadError> {
        let ones = self.shape(name).map_or(0, |found| found.len().saturating_sub(shape.len()));
        let stored = self.named(name, &[&vec![1; ones], shape].concat())?;
        self.vector_of(&stored, shape.iter().product())
    }

    /// The shape of a tensor; `None` where there is none.
    pub(crate) fn shape(&self, name: &str) -> Option<&'a [usize]> {
        match self.store {
            Store::Safetensors(store) => store.shape(name),
            Store::Gguf(_) => None,
        }
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
