//! Where a model's files come from, and reading them without trusting them.

use std::fs::File;
use std::path::{Path, PathBuf};

use crate::error::LoadError;
use crate::limits;

/// Where a model's files are.
#[derive(Clone, Debug)]
pub enum Source {
    /// A folder as the Hugging Face hub lays it out: `config.json`, `tokenizer.json`, and
    /// `model.safetensors` or its shards with `model.safetensors.index.json`. Used when there:
    /// `tokenizer_config.json`, `generation_config.json`, `chat_template.jinja`. An embedding model may have what
    /// sentence-transformers writes: `modules.json`, `1_Pooling/config.json` and so on.
    Folder(PathBuf),
    /// One GGUF file, which brings tokenizer and template along.
    Gguf(PathBuf),
    /// One ONNX file of a picture model, which says what it is by its metadata and the shapes of its outputs.
    Onnx(PathBuf),
    /// The files of such a folder as bytes in the binary: name and content.
    Embedded(&'static [(&'static str, &'static [u8])]),
}

/// The files of a model by name.
pub(crate) enum Files {
    /// In a folder.
    Folder(PathBuf),
    /// In the binary; names begin with `below`, which is empty or ends in `/`.
    Embedded { files: &'static [(&'static str, &'static [u8])], below: String },
}

impl Files {
    /// The files in the folder called `name` inside this one, which must be a plain name.
    pub(crate) fn folder(&self, name: &str) -> Result<Self, LoadError> {
        check_plain(name)?;
        Ok(match self {
            Self::Folder(folder) => Self::Folder(folder.join(name)),
            Self::Embedded { files, below } => Self::Embedded { files, below: format!("{below}{name}/") },
        })
    }

    /// Whether there is a file called `name`.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Self::Folder(folder) => folder.join(name).is_file(),
            Self::Embedded { files, below } => files.iter().any(|(file, _)| file.strip_prefix(&**below) == Some(name)),
        }
    }

    /// Opens the file called `name`, which must be a plain name.
    pub(crate) fn open(&self, name: &str) -> Result<ModelFile, LoadError> {
        check_plain(name)?;
        match self {
            Self::Folder(folder) => ModelFile::open(&folder.join(name)),
            Self::Embedded { files, below } => {
                match files.iter().find(|(file, _)| file.strip_prefix(&**below) == Some(name)) {
                    Some((_, bytes)) => Ok(ModelFile {
                        name: name.to_owned(),
                        bytes: bytes.len() as u64,
                        content: Content::Memory(bytes),
                    }),
                    None => Err(LoadError::read(name, "no such file")),
                }
            }
        }
    }

    /// The whole of a JSON or text file of at most [`limits::JSON_BYTES_MAX`].
    pub(crate) fn read_text(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        let file = self.open(name)?;
        if file.bytes > limits::JSON_BYTES_MAX {
            let reason = format!("{} bytes pass {}", file.bytes, limits::JSON_BYTES_MAX);
            return Err(LoadError::malformed(name, reason));
        }
        file.read_at(0, file.bytes)
    }

    /// As [`Self::read_text`], `None` where there is no such file.
    pub(crate) fn read_optional(&self, name: &str) -> Result<Option<Vec<u8>>, LoadError> {
        if self.has(name) { self.read_text(name).map(Some) } else { Ok(None) }
    }
}

/// Refuses names that could lead out of the folder.
fn check_plain(name: &str) -> Result<(), LoadError> {
    let is_plain =
        !name.is_empty() && name.len() <= 255 && !name.starts_with('.') && !name.contains(['/', '\\', ':', '\0']);
    if is_plain { Ok(()) } else { Err(LoadError::malformed("model folder", format!("bad file name {name:?}"))) }
}

/// An open file whose length was taken when it was opened.
pub(crate) struct ModelFile {
    /// Its name inside the model, for messages.
    pub(crate) name: String,
    /// Its length in bytes.
    pub(crate) bytes: u64,
    content: Content,
}

/// Where the bytes are.
enum Content {
    Disk(File),
    Memory(&'static [u8]),
}

impl ModelFile {
    /// Opens a regular file; a pipe or a device could block for ever or never end.
    pub(crate) fn open(path: &Path) -> Result<Self, LoadError> {
        let name = path.file_name().map_or_else(|| "file".to_owned(), |name| name.to_string_lossy().into_owned());
        let metadata = std::fs::metadata(path).map_err(|error| LoadError::read(&name, error))?;
        if !metadata.is_file() {
            return Err(LoadError::read(&name, "not a regular file"));
        }
        let file = File::open(path).map_err(|error| LoadError::read(&name, error))?;
        Ok(Self { name, bytes: metadata.len(), content: Content::Disk(file) })
    }

    /// `length` bytes from `offset`. Nothing is allocated before the range is known to lie inside the file.
    pub(crate) fn read_at(&self, offset: u64, length: u64) -> Result<Vec<u8>, LoadError> {
        let Some(size) = self.contains(offset, length) else {
            let reason = format!("{length} bytes at {offset} pass the end of the file at {}", self.bytes);
            return Err(LoadError::malformed(&self.name, reason));
        };
        let mut buffer = vec![0; size];
        self.read_into(offset, &mut buffer)?;
        Ok(buffer)
    }

    /// Fills `buffer` with the bytes from `offset` on. Several threads may read at once.
    ///
    /// The bytes are copied, never mapped: a file that is truncated later cannot take the process down.
    pub(crate) fn read_into(&self, offset: u64, buffer: &mut [u8]) -> Result<(), LoadError> {
        let result = match &self.content {
            Content::Disk(file) => read_exact_at(file, offset, buffer),
            Content::Memory(bytes) => {
                let begin = usize::try_from(offset).ok();
                let range = begin.and_then(|begin| Some(begin..begin.checked_add(buffer.len())?));
                match range.and_then(|range| bytes.get(range)) {
                    Some(bytes) => {
                        buffer.copy_from_slice(bytes);
                        Ok(())
                    }
                    None => Err(std::io::ErrorKind::UnexpectedEof.into()),
                }
            }
        };
        result.map_err(|error| LoadError::read(&self.name, error))
    }

    /// `length` as a size in memory, if so many bytes from `offset` on lie inside the file.
    fn contains(&self, offset: u64, length: u64) -> Option<usize> {
        offset.checked_add(length).filter(|&end| end <= self.bytes)?;
        usize::try_from(length).ok()
    }
}

/// Reads at a place of its own, whatever others read.
#[cfg(unix)]
fn read_exact_at(file: &File, offset: u64, buffer: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, buffer, offset)
}

/// Reads at a place of its own, whatever others read.
#[cfg(windows)]
fn read_exact_at(file: &File, mut offset: u64, mut buffer: &mut [u8]) -> std::io::Result<()> {
    while !buffer.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, buffer, offset)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => {
                offset += count as u64;
                buffer = &mut buffer[count..];
            }
        }
    }
    Ok(())
}
