//! A file that grows on disk while its checksum is computed. Everything here blocks; the caller runs it off the serving threads.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use sha2::{Digest, Sha256};

use super::HubError;
use crate::limits;

/// A file under way.
pub struct Sink {
    file: File,
    partial: PathBuf,
    /// Bytes on disk, all of them in the hash.
    bytes: u64,
    /// Its size once it is whole.
    total: u64,
    hash: Option<Sha256>,
    /// Nobody else writes the file while this one is open.
    _lock: File,
}

impl Sink {
    /// Opens what an earlier download has left, or begins anew. `is_hashed`: the file has a SHA-256; one without begins anew always,
    /// because nothing else would tell that its beginning is another's.
    pub fn open(partial: PathBuf, total: u64, is_hashed: bool, lock: File) -> Result<Sink, HubError> {
        let failed = |error| HubError::disk(&partial, error, total);
        let mut file =
            File::options().create(true).truncate(false).read(true).write(true).open(&partial).map_err(failed)?;
        let mut hash = is_hashed.then(Sha256::new);
        let mut bytes = file.metadata().map_err(failed)?.len();
        if bytes > total || !is_hashed {
            file.set_len(0).map_err(failed)?;
            bytes = 0;
        }
        if let Some(hash) = &mut hash {
            let mut buffer = vec![0; limits::HUB_BUFFER_BYTES];
            let mut left = (&mut file).take(bytes);
            loop {
                let read = left.read(&mut buffer).map_err(failed)?;
                if read == 0 {
                    break;
                }
                hash.update(&buffer[..read]);
            }
        }
        Ok(Sink { file, partial, bytes, total, hash, _lock: lock })
    }

    /// Bytes that are on disk.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// Begins anew.
    pub fn restart(&mut self) -> Result<(), HubError> {
        let done = self.file.set_len(0).and_then(|()| self.file.seek(SeekFrom::Start(0)));
        done.map_err(|error| HubError::disk(&self.partial, error, self.total))?;
        self.bytes = 0;
        self.hash = self.hash.as_ref().map(|_| Sha256::new());
        Ok(())
    }

    /// Writes at the end.
    pub fn write(&mut self, chunks: &[Bytes]) -> Result<(), HubError> {
        for chunk in chunks {
            let needed = self.total.saturating_sub(self.bytes);
            // What a write that failed has left is right as far as it goes: it is hashed when the file is opened again.
            self.file.write_all(chunk).map_err(|error| HubError::disk(&self.partial, error, needed))?;
            self.bytes += chunk.len() as u64;
            if let Some(hash) = &mut self.hash {
                hash.update(chunk);
            }
        }
        Ok(())
    }

    /// The SHA-256 of the whole file, in hexadecimal digits.
    pub fn digest(&self) -> Option<String> {
        let digest = self.hash.clone()?.finalize();
        Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }

    /// Makes the file durable and gives it its name.
    pub fn finish(&mut self, blob: &Path) -> Result<(), HubError> {
        self.file
            .sync_all()
            .and_then(|()| fs::rename(&self.partial, blob))
            .map_err(|error| HubError::disk(&self.partial, error, 0))
    }

    /// Deletes the file.
    pub fn discard(&mut self) -> Result<(), HubError> {
        fs::remove_file(&self.partial).map_err(|error| HubError::Disk { path: self.partial.clone(), error })
    }
}
