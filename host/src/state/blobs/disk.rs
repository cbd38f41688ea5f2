//! Blobs as files: what is known of the blob first, then its bytes.
//!
//! A file is written under another name and renamed, and states its length: one that a crash left half is seen and dropped.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;

use super::{Blob, BlobInfo, Place};
use crate::limits;

const MAGIC: &[u8; 8] = b"mimusb1\n";

/// Magic, expiry, size, length of the plugin's name, length of the content type.
const HEAD_BYTES: usize = 8 + 8 + 8 + 2 + 2;

/// Ending of a file that is being written.
const UNFINISHED: &str = "part";

/// Writes a blob; returns the offset of its bytes.
pub fn write(path: &Path, blob: &Blob, bytes: &[u8]) -> io::Result<u64> {
    let too_long = |_| io::Error::other("a name of 64 KiB");
    let mut head = Vec::with_capacity(HEAD_BYTES + blob.plugin.len() + blob.info.content_type.len());
    head.extend_from_slice(MAGIC);
    head.extend_from_slice(&blob.expires_ms.to_le_bytes());
    head.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
    head.extend_from_slice(&u16::try_from(blob.plugin.len()).map_err(too_long)?.to_le_bytes());
    head.extend_from_slice(&u16::try_from(blob.info.content_type.len()).map_err(too_long)?.to_le_bytes());
    head.extend_from_slice(blob.plugin.as_bytes());
    head.extend_from_slice(blob.info.content_type.as_bytes());
    let unfinished = path.with_extension(UNFINISHED);
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&unfinished)?;
        file.write_all(&head)?;
        file.write_all(bytes)?;
        fs::rename(&unfinished, path)
    };
    write().inspect_err(|_| {
        // What is left of it is in the way of nothing; the next start removes it too.
        let _ = fs::remove_file(&unfinished);
    })?;
    Ok(head.len() as u64)
}

/// `length` bytes of a file from an offset, which lie inside it.
pub fn read(path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    File::open(path)?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// Removes files of blobs that are in no index any more.
pub fn remove_all(blobs: &[Blob]) {
    for blob in blobs {
        if let Place::File(path, _) = &blob.place
            && let Err(error) = fs::remove_file(path)
            && error.kind() != io::ErrorKind::NotFound
        {
            tracing::warn!(%error, "a blob's file cannot be removed");
        }
    }
}

/// Reads what is known of every blob in a folder. Removes files that are expired, damaged or unfinished; leaves strange ones alone.
pub fn scan(folder: &Path, now_ms: u64) -> io::Result<Vec<(String, Blob)>> {
    let mut blobs = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(id) = path.file_stem().and_then(|name| name.to_str()).filter(|name| is_id(name)) else {
            continue;
        };
        let id = id.to_owned();
        let blob = match path.extension() {
            None => read_head(&path).ok().filter(|blob| blob.expires_ms > now_ms),
            Some(extension) if extension == UNFINISHED => None,
            Some(_) => continue,
        };
        match blob {
            Some(blob) => blobs.push((id, blob)),
            // One that cannot be removed is tried again at the next start.
            None => drop(fs::remove_file(&path)),
        }
    }
    Ok(blobs)
}

fn read_head(path: &Path) -> io::Result<Blob> {
    let wrong = || io::Error::other("no blob");
    let mut file = File::open(path)?;
    let mut head = [0; HEAD_BYTES];
    file.read_exact(&mut head)?;
    let number = |at: usize| head[at..at + 8].try_into().map(u64::from_le_bytes).map_err(|_| wrong());
    let length = |at: usize| usize::from(u16::from_le_bytes([head[at], head[at + 1]]));
    let (expires_ms, bytes) = (number(8)?, number(16)?);
    let (plugin_bytes, type_bytes) = (length(24), length(26));
    let offset = (HEAD_BYTES + plugin_bytes + type_bytes) as u64;
    let is_whole = bytes <= limits::BLOB_BYTES_MAX && file.metadata()?.len() == offset + bytes;
    if head[..8] != MAGIC[..] || !is_whole || type_bytes > limits::BLOB_CONTENT_TYPE_BYTES_MAX {
        return Err(wrong());
    }
    let mut text = |length: usize| {
        let mut bytes = vec![0; length];
        file.read_exact(&mut bytes)?;
        String::from_utf8(bytes).map_err(|_| wrong())
    };
    let (plugin, content_type) = (text(plugin_bytes)?, text(type_bytes)?);
    let place = Place::File(path.to_owned(), offset);
    Ok(Blob { plugin, info: BlobInfo { bytes, content_type }, expires_ms, place })
}

fn is_id(name: &str) -> bool {
    name.len() == 32 && name.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
