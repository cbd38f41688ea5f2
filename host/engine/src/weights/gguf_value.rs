//! Metadata values of a GGUF file, and the reader that takes them from untrusted bytes.

use crate::error::LoadError;
use crate::limits;
use crate::source::ModelFile;

/// Bytes taken from the file at a time.
const CHUNK_BYTES: u64 = 1 << 20;

/// A metadata value. Arrays hold plain numbers, so that a hostile file cannot make a byte of disk into many of
/// memory.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// Any integer or truth value.
    Integer(i64),
    /// Any floating point number.
    Float(f64),
    /// Text; bytes that are no UTF-8 are replaced.
    Text(String),
    /// An array of integers.
    Integers(Vec<i64>),
    /// An array of floating point numbers.
    Floats(Vec<f64>),
    /// An array of texts.
    Texts(Vec<String>),
    /// An array of arrays, whose content nothing here needs.
    Nested,
}

/// Reads the head of a GGUF file from front to back.
pub(super) struct Reader<'a> {
    file: &'a ModelFile,
    /// Offset of the next byte.
    position: u64,
    chunk: Vec<u8>,
    chunk_start: u64,
    /// Elements that arrays may still have.
    elements_left: u64,
}

impl<'a> Reader<'a> {
    /// Reads from the beginning.
    pub(super) fn new(file: &'a ModelFile) -> Self {
        Self { file, position: 0, chunk: Vec::new(), chunk_start: 0, elements_left: limits::GGUF_ARRAY_MAX }
    }

    /// Offset of the next byte.
    pub(super) fn position(&self) -> u64 {
        self.position
    }

    /// An error about the file.
    pub(super) fn wrong(&self, reason: impl ToString) -> LoadError {
        LoadError::malformed(&self.file.name, reason)
    }

    /// The next `N` bytes.
    fn bytes<const N: usize>(&mut self) -> Result<[u8; N], LoadError> {
        let mut bytes = [0; N];
        bytes.copy_from_slice(self.take(N as u64)?);
        Ok(bytes)
    }

    /// The next `length` bytes, of which there must be so many before the bound on the head.
    fn take(&mut self, length: u64) -> Result<&[u8], LoadError> {
        let end = self.position.checked_add(length);
        let Some(end) = end.filter(|&end| end <= self.file.bytes) else {
            return Err(self.wrong(format!("{length} bytes at {} pass the end of the file", self.position)));
        };
        if end > limits::GGUF_HEADER_BYTES_MAX {
            return Err(self.wrong(format!("metadata passes {} bytes", limits::GGUF_HEADER_BYTES_MAX)));
        }
        if end > self.chunk_start + self.chunk.len() as u64 {
            let size = length.max(CHUNK_BYTES).min(self.file.bytes - self.position);
            self.chunk = self.file.read_at(self.position, size)?;
            self.chunk_start = self.position;
        }
        let begin = (self.position - self.chunk_start) as usize;
        self.position = end;
        Ok(&self.chunk[begin..begin + length as usize])
    }

    /// An unsigned 32-bit number.
    pub(super) fn u32(&mut self) -> Result<u32, LoadError> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    /// An unsigned 64-bit number.
    pub(super) fn u64(&mut self) -> Result<u64, LoadError> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }

    /// A text with its length before it.
    pub(super) fn text(&mut self) -> Result<String, LoadError> {
        let length = self.u64()?;
        if length > limits::GGUF_STRING_BYTES_MAX {
            return Err(self.wrong(format!("text of {length} bytes passes {}", limits::GGUF_STRING_BYTES_MAX)));
        }
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// A value with its kind before it.
    pub(super) fn value(&mut self) -> Result<Value, LoadError> {
        let kind = self.u32()?;
        match kind {
            8 => Ok(Value::Text(self.text()?)),
            9 => self.array(1),
            6 => Ok(Value::Float(f64::from(f32::from_le_bytes(self.bytes()?)))),
            12 => Ok(Value::Float(f64::from_le_bytes(self.bytes()?))),
            _ => Ok(Value::Integer(self.integer(kind)?)),
        }
    }

    /// An integer or truth value of this kind.
    fn integer(&mut self, kind: u32) -> Result<i64, LoadError> {
        match kind {
            0 => Ok(i64::from(u8::from_le_bytes(self.bytes()?))),
            1 => Ok(i64::from(i8::from_le_bytes(self.bytes()?))),
            2 => Ok(i64::from(u16::from_le_bytes(self.bytes()?))),
            3 => Ok(i64::from(i16::from_le_bytes(self.bytes()?))),
            4 => Ok(i64::from(u32::from_le_bytes(self.bytes()?))),
            5 => Ok(i64::from(i32::from_le_bytes(self.bytes()?))),
            7 => Ok(i64::from(u8::from_le_bytes(self.bytes()?) != 0)),
            // No count of this world needs the sign bit.
            10 => Ok(i64::try_from(u64::from_le_bytes(self.bytes()?)).unwrap_or(i64::MAX)),
            11 => Ok(i64::from_le_bytes(self.bytes()?)),
            _ => Err(self.wrong(format!("unknown value kind {kind}"))),
        }
    }

    /// An array with kind and length before it.
    fn array(&mut self, depth: usize) -> Result<Value, LoadError> {
        if depth > limits::GGUF_DEPTH_MAX {
            return Err(self.wrong(format!("arrays nested deeper than {}", limits::GGUF_DEPTH_MAX)));
        }
        let kind = self.u32()?;
        let length = self.u64()?;
        let Some(left) = self.elements_left.checked_sub(length) else {
            return Err(self.wrong(format!("arrays of more than {} elements", limits::GGUF_ARRAY_MAX)));
        };
        self.elements_left = left;
        // Collected one by one: the length is not believed before the elements were there.
        match kind {
            6 => {
                let float = |_| Ok(f64::from(f32::from_le_bytes(self.bytes()?)));
                (0..length).map(float).collect::<Result<_, LoadError>>().map(Value::Floats)
            }
            12 => {
                let float = |_| Ok(f64::from_le_bytes(self.bytes()?));
                (0..length).map(float).collect::<Result<_, LoadError>>().map(Value::Floats)
            }
            8 => (0..length).map(|_| self.text()).collect::<Result<_, _>>().map(Value::Texts),
            9 => {
                for _ in 0..length {
                    self.array(depth + 1)?;
                }
                Ok(Value::Nested)
            }
            _ => (0..length).map(|_| self.integer(kind)).collect::<Result<_, _>>().map(Value::Integers),
        }
    }
}
