//! Where a model's files are, and reading them within bounds.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::LoadError;

/// Largest description that is read: class names, preprocessing, keypoints. In bytes.
pub const SMALL_FILE_BYTES_MAX: u64 = 4 << 20;

/// Largest file of weights that is read, in bytes.
pub const WEIGHTS_BYTES_MAX: u64 = 4 << 30;

/// Files of a folder that are looked at when a name is not known.
const FOLDER_FILES_MAX: usize = 1024;

/// Where a model's files are.
#[derive(Clone, Debug)]
pub enum Source {
    /// A package: a folder with weights and what is to be known about them.
    Folder(PathBuf),
    /// A network alone, an `.onnx` file.
    File(PathBuf),
    /// A package inside the program: names and contents.
    Embedded(&'static [(&'static str, &'static [u8])]),
}

impl Source {
    /// Whether there is a file of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        match self {
            Source::Folder(folder) => inside(folder, name).is_some_and(|path| path.is_file()),
            Source::File(path) => file_name(path) == name && path.is_file(),
            Source::Embedded(files) => files.iter().any(|(file, _)| *file == name),
        }
    }

    /// A small file, or none when it is not there.
    ///
    /// # Errors
    /// [`LoadError::Read`] and [`LoadError::TooLarge`].
    pub(crate) fn read_small(&self, name: &str) -> Result<Option<Vec<u8>>, LoadError> {
        if self.has(name) { self.read(name, SMALL_FILE_BYTES_MAX).map(Some) } else { Ok(None) }
    }

    /// A file of weights.
    ///
    /// # Errors
    /// [`LoadError::Read`], [`LoadError::TooLarge`], [`LoadError::Missing`].
    pub(crate) fn read_weights(&self, name: &str) -> Result<Vec<u8>, LoadError> {
        self.read(name, WEIGHTS_BYTES_MAX)
    }

    /// Names of files that end with `ending`, sorted.
    pub(crate) fn files_ending(&self, ending: &str) -> Vec<String> {
        let mut names: Vec<String> = match self {
            Source::Folder(folder) => {
                let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
                entries
                    .take(FOLDER_FILES_MAX)
                    .flatten()
                    .filter(|entry| entry.path().is_file())
                    .filter_map(|entry| entry.file_name().into_string().ok())
                    .collect()
            }
            Source::File(path) => vec![file_name(path).to_owned()],
            Source::Embedded(files) => files.iter().map(|(name, _)| (*name).to_owned()).collect(),
        };
        names.retain(|name| name.ends_with(ending));
        names.sort();
        names
    }

    /// A file of at most `bytes_max` bytes.
    fn read(&self, name: &str, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
        let missing = || LoadError::Missing { file: name.to_owned(), hint: "the package needs it".to_owned() };
        let path = match self {
            Source::Folder(folder) => inside(folder, name).ok_or_else(missing)?,
            Source::File(path) if file_name(path) == name => path.clone(),
            Source::File(_) => return Err(missing()),
            Source::Embedded(files) => {
                let (_, bytes) = files.iter().find(|(file, _)| *file == name).ok_or_else(missing)?;
                return Ok(bytes.to_vec());
            }
        };
        read_bounded(&path, name, bytes_max)
    }
}

/// The file `name` directly inside a folder; names that lead elsewhere are none.
fn inside(folder: &Path, name: &str) -> Option<PathBuf> {
    let is_plain = !name.is_empty() && name != "." && name != ".." && !name.contains(['/', '\\']);
    is_plain.then(|| folder.join(name))
}

/// The last part of a path.
fn file_name(path: &Path) -> &str {
    path.file_name().and_then(|name| name.to_str()).unwrap_or("")
}

/// All bytes of a file, which may grow while it is read.
fn read_bounded(path: &Path, name: &str, bytes_max: u64) -> Result<Vec<u8>, LoadError> {
    let failed = |source| LoadError::Read { file: name.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let bytes = file.metadata().map_err(failed)?.len();
    let too_large = |bytes| LoadError::TooLarge { file: name.to_owned(), bytes, bytes_max };
    if bytes > bytes_max {
        return Err(too_large(bytes));
    }
    let mut content = Vec::with_capacity(usize::try_from(bytes).map_err(|_| too_large(bytes))?);
    let read = file.take(bytes_max + 1).read_to_end(&mut content).map_err(failed)? as u64;
    if read > bytes_max { Err(too_large(read)) } else { Ok(content) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_leave_the_folder_are_not_there() {
        let folder = tempfile::tempdir().expect("a folder");
        let inner = folder.path().join("inner");
        std::fs::create_dir(&inner).expect("a folder");
        std::fs::write(folder.path().join("secret"), b"x").expect("a file");
        let source = Source::Folder(inner);
        for name in ["../secret", "", ".", "..", "a/b", "a\\b"] {
            assert!(!source.has(name), "{name}");
            assert!(matches!(source.read_weights(name), Err(LoadError::Missing { .. })), "{name}");
        }
    }

    #[test]
    fn small_files_are_bounded() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("class_names.txt");
        let source = Source::Folder(folder.path().to_owned());
        let check = |bytes: u64, is_read: bool| {
            File::create(&path).and_then(|file| file.set_len(bytes)).expect("a file");
            assert_eq!(source.read_small("class_names.txt").is_ok(), is_read, "{bytes} bytes");
        };
        check(SMALL_FILE_BYTES_MAX - 1, true);
        check(SMALL_FILE_BYTES_MAX, true);
        check(SMALL_FILE_BYTES_MAX + 1, false);
    }

    #[test]
    fn embedded_packages_read_like_folders() {
        let source = Source::Embedded(&[("weights.onnx", b"w"), ("class_names.txt", b"a\n")]);
        assert_eq!(source.read_weights("weights.onnx").expect("there"), b"w");
        assert_eq!(source.read_small("environment.json").expect("no error"), None);
        assert_eq!(source.files_ending(".onnx"), ["weights.onnx"]);
    }
}
