//! Tensors by the very names they have in a safetensors file, for architectures with names of their own.

use candle_core::quantized::GgmlDType;

use super::{RawTensor, Store, Weights, bf16_from};
use crate::error::LoadError;
use crate::model::kernel::{Bf16, Weight};
use crate::model::linear::{Linear, Packed};

/// Rows to look up: embeddings of tokens or positions. Kept as they were stored, for a row is read as a whole.
pub(crate) enum Table {
    F32 { rows: Vec<f32>, width: usize },
    Bf16 { rows: Vec<Bf16>, width: usize },
}

impl Table {
    /// Adds row `index` to `out`, `[width]`.
    pub(crate) fn add_row(&self, index: usize, out: &mut [f32]) {
        match self {
            Self::F32 { rows, width } => add(&rows[index * width..][..*width], out, |value| value),
            Self::Bf16 { rows, width } => add(&rows[index * width..][..*width], out, Weight::widen),
        }
    }

    /// Numbers, and the bytes they take in memory.
    pub(crate) fn size(&self) -> (u64, u64) {
        match self {
            Self::F32 { rows, .. } => (rows.len() as u64, size_of_val(rows.as_slice()) as u64),
            Self::Bf16 { rows, .. } => (rows.len() as u64, size_of_val(rows.as_slice()) as u64),
        }
    }
}

/// `out += row`.
fn add<T: Copy>(row: &[T], out: &mut [f32], widen: impl Fn(T) -> f32) {
    for (out, &value) in out.iter_mut().zip(row) {
        *out += widen(value);
    }
}

impl Weights<'_> {
    /// Whether there is a tensor of this name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match &self.store {
            Store::Safetensors(store) => store.has(name),
            Store::Gguf(_) => false,
        }
    }

    /// Rows to look up, `[rows, width]`.
    ///
    /// # Errors
    /// [`LoadError`] when it is absent, has another shape, or cannot be read.
    pub(crate) fn table(&mut self, name: &str, rows: usize, width: usize) -> Result<Table, LoadError> {
        let raw = self.named(name, &[rows, width])?;
        match raw.kind {
            GgmlDType::BF16 => Ok(Table::Bf16 { rows: bf16_from(&raw.bytes), width }),
            _ => Ok(Table::F32 { rows: raw.into_vector()?, width }),
        }
    }

    /// Several matrices of `columns` outputs and `depth` inputs as one, in their order. Nothing is rounded.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn stacked(&mut self, names: &[String], columns: usize, depth: usize) -> Result<Linear, LoadError> {
        let raws =
            names.iter().map(|name| self.named(name, &[columns, depth])).collect::<Result<Vec<RawTensor>, _>>()?;
        let all = columns * raws.len();
        if raws.iter().all(|raw| raw.kind == GgmlDType::BF16) {
            let rows: Vec<Bf16> = raws.iter().flat_map(|raw| bf16_from(&raw.bytes)).collect();
            return Ok(Linear::Bf16(Packed::new(&rows, &[], all, depth)));
        }
        let mut rows = Vec::with_capacity(all * depth);
        for raw in raws {
            rows.extend(raw.into_vector()?);
        }
        Ok(Linear::F32(Packed::new(&rows, &[], all, depth)))
    }

    /// Several vectors of `length` numbers as one, in their order.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn joined(&mut self, names: &[String], length: usize) -> Result<Vec<f32>, LoadError> {
        let mut numbers = Vec::new();
        for name in names {
            numbers.extend(self.named(name, &[length])?.into_vector()?);
        }
        Ok(numbers)
    }

    /// The numbers of a matrix as they lie in the file, `[rows, width]`.
    ///
    /// # Errors
    /// As [`Self::table`].
    pub(crate) fn joined_rows(&mut self, name: &str, rows: usize, width: usize) -> Result<Vec<f32>, LoadError> {
        self.named(name, &[rows, width])?.into_vector()
    }

    /// Reads a tensor and checks its shape.
    fn named(&mut self, name: &str, shape: &[usize]) -> Result<RawTensor, LoadError> {
        let raw = match &mut self.store {
            Store::Safetensors(store) => store.read(name, shape)?,
            Store::Gguf(_) => None,
        };
        self.taken(name, raw)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_added() {
        let table = Table::Bf16 { rows: vec![Bf16(0x3f80), Bf16(0x4000), Bf16(0x4040), Bf16(0x4080)], width: 2 };
        let mut out = [10.0, 20.0];
        table.add_row(1, &mut out);
        assert_eq!(out, [13.0, 24.0]);
        assert_eq!(table.size(), (4, 8));
    }
}
