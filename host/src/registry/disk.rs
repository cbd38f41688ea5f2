//! Registered families on disk: a file each, below the data folder.
//!
//! Messages for clients name no paths; the log does.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::family::{Family, Kind};
use super::file::{self, FileError};
use crate::limits;

/// Bytes of a family's name that its file's name shows.
const NAME_BYTES_SHOWN: usize = 64;

/// The folder with the files.
pub struct Disk {
    folder: PathBuf,
}

impl Disk {
    /// The folder need not be there.
    pub fn new(folder: PathBuf) -> Disk {
        Disk { folder }
    }

    /// All files of families, in the order of their names.
    pub fn files(&self) -> Result<Vec<PathBuf>, FileError> {
        let wrong = |error: io::Error| FileError {
            place: self.folder.display().to_string(),
            reason: format!("cannot be read: {error}"),
        };
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(wrong(error)),
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(wrong)?.path();
            let is_hidden = file::name_of(&path).starts_with('.');
            if !is_hidden && path.extension().is_some_and(|extension| extension == "toml") {
                files.push(path);
            }
        }
        files.sort();
        Ok(files)
    }

    /// Whether a file is the one that [`Disk::write`] makes for a family, and not one that an operator put there.
    pub fn is_own(path: &Path, family: &Family) -> bool {
        path.file_name().is_some_and(|name| name == file_name(&family.kind, &family.name).as_str())
    }

    /// Writes a family's file beside and renames it, so that a crash leaves the old one or the new one.
    pub fn write(&self, family: &Family) -> Result<(), String> {
        let text = file::write(family)?;
        if text.len() as u64 > limits::REGISTRY_FILE_BYTES_MAX {
            return Err(format!("{} bytes when written down, at most {}", text.len(), limits::REGISTRY_FILE_BYTES_MAX));
        }
        let name = file_name(&family.kind, &family.name);
        self.replace(&name, &text).map_err(|error| {
            tracing::error!(folder = %self.folder.display(), %error, "a family cannot be kept");
            format!("the family cannot be kept: {}", error.kind())
        })
    }

    /// Deletes a family's file, if there is one.
    pub fn remove(&self, kind: &Kind, name: &str) -> Result<(), String> {
        match fs::remove_file(self.folder.join(file_name(kind, name))) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::error!(folder = %self.folder.display(), %error, "a family cannot be removed");
                Err(format!("the family's file cannot be removed: {}", error.kind()))
            }
            _ => Ok(()),
        }
    }

    fn replace(&self, name: &str, text: &str) -> io::Result<()> {
        use std::io::Write;
        use std::os::unix::fs::DirBuilderExt;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let beside = self.folder.join(format!(".{name}.new"));
        let mut file = fs::File::create(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&beside, self.folder.join(name))?;
        fs::File::open(&self.folder)?.sync_all()
    }
}

/// A name that is safe as a file's, tells people which family it is, and differs for different families.
fn file_name(kind: &Kind, name: &str) -> String {
    let name = name.to_lowercase();
    let digest = Sha256::digest(format!("{kind}/{name}"));
    let digest: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    let shown: String = name.chars().take(NAME_BYTES_SHOWN).map(|c| if is_plain(c) { c } else { '_' }).collect();
    format!("{kind}-{shown}-{digest}.toml")
}
