//! Files that clients send before a call: kept for a while, and given back to whoever knows their path.
//!
//! A path is `files/`, an id that nobody can guess, and a name. It is no path on any disk: the host keeps the bytes by their id.

use std::time::Duration;

use mimus_sdk::multipart;
use mimus_sdk::{Request, Response, blobs};

use crate::ids;
use crate::refusal::Refusal;

/// How long a file is kept.
const LIFE: Duration = Duration::from_secs(3600);

/// Files of one upload.
const FILES_MAX: usize = 64;

/// Letters of a file's name that are kept.
const NAME_MAX: usize = 100;

/// Bytes that are read and written at once.
const PIECE_BYTES: u32 = 256 << 10;

/// Types that a browser may show; everything else it is told to save.
const SHOWN: [(&str, &str); 13] = [
    ("png", "image/png"),
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("bmp", "image/bmp"),
    ("txt", "text/plain; charset=utf-8"),
    ("json", "application/json"),
    ("wav", "audio/wav"),
    ("mp3", "audio/mpeg"),
    ("ogg", "audio/ogg"),
    ("mp4", "video/mp4"),
    ("webm", "video/webm"),
];

const OTHER: &str = "application/octet-stream";

/// `POST /upload`: a form with one or more files in the field `files`. Answers their paths.
///
/// # Errors
/// 400 for a form that is none, or has no files, or too many.
pub(crate) fn upload(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let kind = request.header("content-type").unwrap_or_default();
    let parts = multipart::parts(&kind, request.body()).map_err(|error| Refusal::new(400, error))?;
    let files: Vec<_> = parts.iter().filter(|part| part.name == "files").collect();
    if files.is_empty() {
        return Err(Refusal::new(400, "the form has no field `files`"));
    }
    if files.len() > FILES_MAX {
        return Err(Refusal::new(400, format!("{} files at once, at most {FILES_MAX}", files.len())));
    }
    let mut paths = Vec::with_capacity(files.len());
    for file in files {
        let name = clean(file.file_name.as_deref().unwrap_or_default());
        let id = blobs::put(file.body, content_type(&name), LIFE)?;
        paths.push(format!("files/{id}/{name}"));
    }
    Ok(response.json(200, &paths)?)
}

/// `GET /file=files/{path...}`.
///
/// # Errors
/// 403 for a path that no upload answered, 404 for a file whose time is over.
pub(crate) fn download(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    send(request.param("path"), response)
}

/// `GET /file/{path...}`, as very old clients ask.
pub(crate) fn download_by_path(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    match request.param("path").strip_prefix("files/") {
        Some(path) => send(path, response),
        None => Err(forbidden(request.param("path"))),
    }
}

/// `GET /file=/{path...}`: an absolute path is nobody's.
pub(crate) fn refuse(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    Err(forbidden(request.param("path")))
}

fn send(path: &str, response: &mut Response) -> Result<(), Refusal> {
    let (id, name) = path
        .split_once('/')
        .filter(|(id, name)| ids::is_event(id) && *name == clean(name))
        .ok_or_else(|| forbidden(path))?;
    let info = blobs::stat(id)?;
    let kind = content_type(name);
    let place = if kind == OTHER { "attachment" } else { "inline" };
    response
        .header("content-disposition", &format!("{place}; filename=\"{name}\""))
        .header("x-content-type-options", "nosniff")
        .header("content-security-policy", "default-src 'none'; sandbox");
    let mut body = response.stream(200, kind)?;
    let mut offset = 0;
    while offset < info.bytes {
        let piece = blobs::read(id, offset, PIECE_BYTES)?;
        if piece.is_empty() {
            break;
        }
        body.write(&piece)?;
        offset += piece.len() as u64;
    }
    Ok(())
}

fn forbidden(path: &str) -> Refusal {
    let path: String = path.chars().take(80).filter(|letter| !letter.is_control()).collect();
    Refusal::new(403, format!("File not allowed: {path}."))
}

/// A name that is harmless in a path, a header and on a disk; the same again for one that is.
fn clean(name: &str) -> String {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_plain = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '-' | '_');
    let name: String = name.chars().map(|letter| if is_plain(letter) { letter } else { '_' }).collect();
    // The end of a long name tells what kind of file it is.
    let name = &name[name.len().saturating_sub(NAME_MAX)..];
    match name.trim_start_matches('.') {
        "" => "file".into(),
        name => name.into(),
    }
}

fn content_type(name: &str) -> &'static str {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase()).unwrap_or_default();
    SHOWN.iter().find(|(known, _)| *known == extension).map_or(OTHER, |(_, kind)| kind)
}
