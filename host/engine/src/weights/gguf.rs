//! GGUF files: metadata, and tensors by range.
//!
//! The head is parsed here rather than by candle, whose bounds allow strings of 1 GiB. What candle does is to
//! execute the quantized blocks.
//!
//! Source: ggml-org/ggml, `docs/gguf.md`.

use std::collections::HashMap;

use candle_core::quantized::GgmlDType;

use super::gguf_value::{Reader, Value};
use super::{Stored, check_shape};
use crate::error::LoadError;
use crate::limits;
use crate::source::ModelFile;

/// `GGUF`.
const MAGIC: u32 = u32::from_le_bytes(*b"GGUF");

/// Alignment of tensors unless the metadata says otherwise.
const ALIGNMENT: u64 = 32;

/// Most dimensions of a tensor.
const DIMENSIONS_MAX: u32 = 4;

/// The longest vector that [`Gguf::small_vector`] reads.
const SMALL_VECTOR_MAX: usize = 4_096;

/// An open GGUF file.
pub(crate) struct Gguf {
    file: ModelFile,
    metadata: HashMap<String, Value>,
    tensors: HashMap<String, Place>,
}

/// Where a tensor lies.
struct Place {
    kind: GgmlDType,
    /// Slowest dimension first, as everywhere else here; the file has it the other way round.
    shape: Vec<usize>,
    /// From the beginning of the file.
    offset: u64,
    bytes: u64,
}

impl Gguf {
    /// Reads the head of a file and checks that every tensor lies inside it.
    ///
    /// # Errors
    /// [`LoadError`] naming the file.
    pub(crate) fn open(file: ModelFile) -> Result<Self, LoadError> {
        let mut reader = Reader::new(&file);
        let (magic, version) = (reader.u32()?, reader.u32()?);
        if magic != MAGIC {
            return Err(reader.wrong("not a GGUF file"));
        }
        if !(2..=3).contains(&version) {
            return Err(LoadError::Unsupported(format!("GGUF version {version}")));
        }
        let (tensor_count, pair_count) = (reader.u64()?, reader.u64()?);
        if tensor_count > limits::TENSORS_MAX as u64 || pair_count > limits::GGUF_PAIRS_MAX {
            return Err(reader.wrong(format!("{tensor_count} tensors and {pair_count} pairs are too many")));
        }
        let mut metadata = HashMap::new();
        for _ in 0..pair_count {
            let key = reader.text()?;
            let value = reader.value()?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(reader.wrong(format!("{key:?} is there twice")));
            }
        }
        let alignment = match metadata.get("general.alignment") {
            None => ALIGNMENT,
            Some(&Value::Integer(value)) => match u64::try_from(value) {
                Ok(alignment) if alignment.is_power_of_two() && alignment <= 1 << 20 => alignment,
                _ => return Err(reader.wrong(format!("alignment {value} is no power of two"))),
            },
            Some(_) => return Err(reader.wrong("alignment is no number")),
        };
        let mut tensors = HashMap::new();
        for _ in 0..tensor_count {
            let (name, place) = read_place(&mut reader)?;
            if !place.offset.is_multiple_of(alignment) {
                return Err(reader.wrong(format!("{name:?} at {} is not aligned to {alignment}", place.offset)));
            }
            if tensors.insert(name.clone(), place).is_some() {
                return Err(reader.wrong(format!("{name:?} is there twice")));
            }
        }
        let data = reader.position().next_multiple_of(alignment);
        place_in_file(&file, data, &mut tensors)?;
        Ok(Self { file, metadata, tensors })
    }

    /// Name of the file.
    pub(crate) fn file_name(&self) -> &str {
        &self.file.name
    }

    /// The metadata value of `key`.
    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// A text of the metadata.
    pub(crate) fn text(&self, key: &str) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// A number of the metadata that counts something.
    pub(crate) fn count(&self, key: &str) -> Option<usize> {
        match self.value(key)? {
            Value::Integer(value) => usize::try_from(*value).ok(),
            // One number for each layer, as some files have it; only where all are the same.
            Value::Integers(values) => {
                let first = values.first()?;
                values.iter().all(|value| value == first).then(|| usize::try_from(*first).ok())?
            }
            _ => None,
        }
    }

    /// A floating point number of the metadata.
    pub(crate) fn number(&self, key: &str) -> Option<f32> {
        match self.value(key)? {
            Value::Float(value) => Some(*value as f32),
            _ => None,
        }
    }

    /// The shape of a tensor, slowest dimension first.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|place| place.shape.as_slice())
    }

    /// The kind that most quantized bytes have.
    pub(crate) fn quantization(&self) -> Option<String> {
        let mut bytes: HashMap<String, u64> = HashMap::new();
        for place in self.tensors.values().filter(|place| place.kind.block_size() > 1) {
            *bytes.entry(kind_name(place.kind)).or_default() += place.bytes;
        }
        bytes.into_iter().max_by_key(|(_, bytes)| *bytes).map(|(kind, _)| kind)
    }

    /// Bytes of all tensors.
    pub(crate) fn tensor_bytes(&self) -> u64 {
        self.tensors.values().map(|place| place.bytes).sum()
    }

    /// The tensor called `name`; `None` where there is none.
    ///
    /// # Errors
    /// [`LoadError`] when it has another shape.
    pub(crate) fn find(&self, name: &str, shape: &[usize]) -> Result<Option<Stored<'_>>, LoadError> {
        let Some(place) = self.tensors.get(name) else {
            return Ok(None);
        };
        check_shape(name, &place.shape, shape)?;
        let (kind, file, offset, bytes) = (place.kind, &self.file, place.offset, place.bytes);
        Ok(Some(Stored { name: name.to_owned(), kind, file, offset, bytes }))
    }

    /// Reads a short vector whose length is not known; `None` where there is none.
    ///
    /// # Errors
    /// [`LoadError`] when it is no short vector or cannot be read.
    pub(crate) fn small_vector(&self, name: &str) -> Result<Option<Vec<f32>>, LoadError> {
        let Some(place) = self.tensors.get(name) else {
            return Ok(None);
        };
        let shape = &place.shape;
        if shape.len() != 1 || shape[0] > SMALL_VECTOR_MAX {
            return Err(LoadError::tensor(name, format!("has shape {shape:?}")));
        }
        self.find(name, shape)?.map(|stored| stored.vector()).transpose()
    }
}

/// Reads what the head says of a tensor; its offset is still relative to the data.
fn read_place(reader: &mut Reader<'_>) -> Result<(String, Place), LoadError> {
    let name = reader.text()?;
    let dimensions = reader.u32()?;
    if dimensions > DIMENSIONS_MAX {
        return Err(reader.wrong(format!("{name:?} has {dimensions} dimensions")));
    }
    let mut shape = Vec::new();
    for _ in 0..dimensions {
        let size = reader.u64()?;
        shape.push(usize::try_from(size).map_err(|error| reader.wrong(error))?);
    }
    let kind = reader.u32()?;
    let Some(kind) = kind_of(kind) else {
        return Err(LoadError::Unsupported(format!("tensor {name} of GGUF kind {kind}")));
    };
    let offset = reader.u64()?;
    let row = shape.first().copied().unwrap_or(1);
    if !row.is_multiple_of(kind.block_size()) {
        let reason = format!("rows of {row} numbers are not whole blocks of {}", kind.block_size());
        return Err(LoadError::tensor(&name, reason));
    }
    let numbers = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let bytes = numbers.and_then(|numbers| (numbers / kind.block_size()).checked_mul(kind.type_size()));
    let Some(bytes) = bytes else {
        return Err(LoadError::tensor(&name, "its size overflows"));
    };
    shape.reverse();
    Ok((name, Place { kind, shape, offset, bytes: bytes as u64 }))
}

/// Makes offsets relative to the file, and checks that tensors lie inside it and apart from each other.
fn place_in_file(file: &ModelFile, data: u64, tensors: &mut HashMap<String, Place>) -> Result<(), LoadError> {
    let mut spans = Vec::with_capacity(tensors.len());
    for (name, place) in tensors {
        let begin = data.checked_add(place.offset);
        let end = begin.and_then(|begin| begin.checked_add(place.bytes)).filter(|&end| end <= file.bytes);
        let (Some(begin), Some(end)) = (begin, end) else {
            return Err(LoadError::tensor(name, format!("lies past the end of the file at {}", file.bytes)));
        };
        place.offset = begin;
        spans.push((begin, end));
    }
    spans.sort_unstable();
    if spans.windows(2).any(|pair| pair[0].1 > pair[1].0) {
        return Err(LoadError::malformed(&file.name, "tensors overlap"));
    }
    Ok(())
}

/// The kind with this number in ggml, of those that candle executes.
fn kind_of(number: u32) -> Option<GgmlDType> {
    Some(match number {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}

/// What ggml calls a kind.
fn kind_name(kind: GgmlDType) -> String {
    let name = format!("{kind:?}");
    // `Q4K` is `Q4_K`.
    name.strip_suffix('K').map_or_else(|| name.clone(), |begin| format!("{begin}_K"))
}
