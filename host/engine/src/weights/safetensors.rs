//! Safetensors files, one or in shards.
//!
//! The header is parsed here rather than by the safetensors crate, which wants the whole file in memory, accepts
//! duplicate names and headers of 100 MB.
//!
//! Source: the format description of huggingface/safetensors, `README.md`.

use std::collections::HashMap;
use std::fmt;

use candle_core::quantized::GgmlDType;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};

use super::{Stored, check_shape};
use crate::error::LoadError;
use crate::limits;
use crate::source::{Files, ModelFile};

const SINGLE: &str = "model.safetensors";
/// As open_clip calls it.
const OPEN_CLIP: &str = "open_clip_model.safetensors";
const INDEX: &str = "model.safetensors.index.json";

/// Weights that would have to be executed to be read.
const PICKLES: [&str; 4] = ["pytorch_model.bin", "pytorch_model.bin.index.json", "model.pt", "consolidated.00.pth"];

/// The tensors of one or more files.
pub(crate) struct Safetensors {
    files: Vec<ModelFile>,
    tensors: HashMap<String, Place>,
}

/// Where a tensor lies.
struct Place {
    file: usize,
    dtype: String,
    shape: Vec<usize>,
    /// From the beginning of the file.
    offset: u64,
    bytes: u64,
}

/// The header: tensors by name, in the order of the file.
struct Header(Vec<(String, Entry)>);

/// What the header says of a tensor.
#[derive(Deserialize)]
struct Entry {
    dtype: String,
    shape: Vec<usize>,
    data_offsets: (u64, u64),
}

/// The list of shards.
#[derive(Deserialize)]
struct Index {
    weight_map: HashMap<String, String>,
}

impl Safetensors {
    /// Opens the weights of a model folder and checks their headers.
    ///
    /// # Errors
    /// [`LoadError`] naming the file.
    pub(crate) fn open(files: &Files) -> Result<Self, LoadError> {
        let mut store = Self { files: Vec::new(), tensors: HashMap::new() };
        if let Some(name) = [SINGLE, OPEN_CLIP].into_iter().find(|name| files.has(name)) {
            store.add(files.open(name)?)?;
            return Ok(store);
        }
        if !files.has(INDEX) {
            if let Some(name) = PICKLES.iter().find(|name| files.has(name)) {
                return Err(LoadError::Unsupported(format!("{name} is a pickle; convert it to safetensors")));
            }
            return Err(LoadError::read(SINGLE, "no such file"));
        }
        let json = files.read_text(INDEX)?;
        let index: Index = serde_json::from_slice(&json).map_err(|error| LoadError::malformed(INDEX, error))?;
        let mut shards: Vec<&String> = index.weight_map.values().collect();
        shards.sort_unstable();
        shards.dedup();
        if shards.len() > limits::SHARDS_MAX {
            let reason = format!("{} shards pass {}", shards.len(), limits::SHARDS_MAX);
            return Err(LoadError::malformed(INDEX, reason));
        }
        for shard in shards {
            store.add(files.open(shard)?)?;
        }
        Ok(store)
    }

    /// Bytes of all tensors.
    pub(crate) fn tensor_bytes(&self) -> u64 {
        self.tensors.values().map(|place| place.bytes).sum()
    }

    /// Whether there is a tensor called `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The shape of the tensor called `name`; `None` where there is none.
    pub(crate) fn shape(&self, name: &str) -> Option<&[usize]> {
        self.tensors.get(name).map(|place| place.shape.as_slice())
    }

    /// The tensor called `name`; `None` where there is none.
    ///
    /// # Errors
    /// [`LoadError`] when it has another shape or cannot be executed.
    pub(crate) fn find(&self, name: &str, shape: &[usize]) -> Result<Option<Stored<'_>>, LoadError> {
        let Some(place) = self.tensors.get(name) else {
            return Ok(None);
        };
        check_shape(name, &place.shape, shape)?;
        let kind = match place.dtype.as_str() {
            "F32" => GgmlDType::F32,
            "F16" => GgmlDType::F16,
            "BF16" => GgmlDType::BF16,
            other => return Err(LoadError::Unsupported(format!("tensor {name} of kind {other}"))),
        };
        let file = &self.files[place.file];
        Ok(Some(Stored { name: name.to_owned(), kind, file, offset: place.offset, bytes: place.bytes }))
    }

    /// Reads the header of a file and checks that its tensors fill the file without gap or overlap.
    fn add(&mut self, file: ModelFile) -> Result<(), LoadError> {
        let name = file.name.clone();
        let wrong = |reason: String| Err(LoadError::malformed(&name, reason));
        let length = file.read_at(0, 8)?;
        let length = length.as_chunks::<8>().0.first().map_or(0, |&bytes| u64::from_le_bytes(bytes));
        if length > limits::SAFETENSORS_HEADER_BYTES_MAX {
            return wrong(format!("header of {length} bytes passes {}", limits::SAFETENSORS_HEADER_BYTES_MAX));
        }
        let json = file.read_at(8, length)?;
        let header: Header = serde_json::from_slice(&json).map_err(|error| LoadError::malformed(&name, error))?;
        if header.0.len() + self.tensors.len() > limits::TENSORS_MAX {
            return wrong(format!("more than {} tensors", limits::TENSORS_MAX));
        }
        let data = 8 + length;
        let mut spans = Vec::with_capacity(header.0.len());
        for (tensor, entry) in header.0 {
            let (begin, end) = entry.data_offsets;
            let Some(bytes) = entry.bytes() else {
                return wrong(format!("the size of {tensor:?} overflows or its kind {:?} is unknown", entry.dtype));
            };
            if end.checked_sub(begin) != Some(bytes) {
                return wrong(format!("{tensor:?} takes {bytes} bytes, not {begin} to {end}"));
            }
            spans.push((begin, end));
            let place = Place {
                file: self.files.len(),
                dtype: entry.dtype,
                shape: entry.shape,
                offset: data.saturating_add(begin),
                bytes,
            };
            if self.tensors.insert(tensor.clone(), place).is_some() {
                return wrong(format!("{tensor:?} is there twice"));
            }
        }
        spans.sort_unstable();
        let mut end = 0;
        for span in spans {
            if span.0 != end {
                return wrong(format!("data has a gap or an overlap at {}", span.0.min(end)));
            }
            end = span.1;
        }
        if data.checked_add(end) != Some(file.bytes) {
            return wrong(format!("tensors end at {end}, the data at {}", file.bytes.saturating_sub(data)));
        }
        self.files.push(file);
        Ok(())
    }
}

impl Entry {
    /// Bytes that shape and kind need; `None` on overflow.
    fn bytes(&self) -> Option<u64> {
        let width: u64 = match self.dtype.as_str() {
            "BOOL" | "U8" | "I8" | "F8_E4M3" | "F8_E5M2" | "F8_E8M0" => 1,
            "U16" | "I16" | "F16" | "BF16" => 2,
            "U32" | "I32" | "F32" => 4,
            "U64" | "I64" | "F64" => 8,
            _ => return None,
        };
        let numbers = self.shape.iter().try_fold(1u64, |product, &size| product.checked_mul(size as u64))?;
        numbers.checked_mul(width)
    }
}

impl<'de> Deserialize<'de> for Header {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HeaderVisitor)
    }
}

/// Reads the header as a list: a map would silently keep one of two tensors of the same name.
struct HeaderVisitor;

impl<'de> Visitor<'de> for HeaderVisitor {
    type Value = Header;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a safetensors header")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Header, A::Error> {
        let mut tensors = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            if name == "__metadata__" {
                map.next_value::<serde::de::IgnoredAny>()?;
                continue;
            }
            if tensors.len() == limits::TENSORS_MAX {
                return Err(serde::de::Error::custom(format!("more than {} tensors", limits::TENSORS_MAX)));
            }
            tensors.push((name, map.next_value()?));
        }
        Ok(Header(tensors))
    }
}
