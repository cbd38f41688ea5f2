//! What names may look like. People and hubs write them; all of them become parts of paths and addresses.

use super::{Files, HubError, Wanted};
use crate::limits;

/// Checks everything of a wish that becomes a path or an address.
pub fn check_wanted(wanted: &Wanted) -> Result<(), HubError> {
    check_repo(&wanted.repo)?;
    if let Some(revision) = &wanted.revision {
        check_revision(revision)?;
    }
    match &wanted.files {
        Files::Weights => Ok(()),
        Files::Gguf(name) => check_file(name),
        Files::Named(names) if names.is_empty() => Err(HubError::File(String::new())),
        Files::Named(names) => names.iter().try_for_each(|name| check_file(name)),
    }
}

/// `[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)?`. Without `--`, which parts the names of the cache's folders, and without parts of dots only.
pub fn check_repo(repo: &str) -> Result<(), HubError> {
    let parts: Vec<&str> = repo.split('/').collect();
    let is_good = parts.len() <= 2 && parts.iter().all(|part| is_plain(part) && !part.contains("--"));
    if is_good { Ok(()) } else { Err(HubError::Repo(repo.escape_debug().to_string())) }
}

/// Plain parts with `/` between them.
pub fn check_revision(revision: &str) -> Result<(), HubError> {
    let is_good = revision.len() <= limits::HUB_REVISION_BYTES_MAX && revision.split('/').all(is_plain);
    if is_good { Ok(()) } else { Err(HubError::Revision(revision.escape_debug().to_string())) }
}

/// A relative path of bounded length and depth that stays below its folder on every system.
pub fn check_file(name: &str) -> Result<(), HubError> {
    let is_part = |part: &str| !part.is_empty() && part != "." && part != ".." && part.len() <= 255;
    let is_good = name.len() <= limits::HUB_FILE_NAME_BYTES_MAX
        && !name.chars().any(|c| c.is_control() || c == '\\')
        && name.split('/').count() <= limits::HUB_FILE_DEPTH_MAX
        && name.split('/').all(is_part);
    if is_good { Ok(()) } else { Err(HubError::File(name.escape_debug().to_string())) }
}

/// Whether a text is a commit: 40 hexadecimal digits.
pub fn is_commit(text: &str) -> bool {
    text.len() == 40 && is_hex(text)
}

/// Whether a text has hexadecimal digits only.
pub fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// One name of `[A-Za-z0-9._-]+` that is no `.`, `..` or hidden file.
pub fn is_plain(name: &str) -> bool {
    (1..=limits::HUB_NAME_BYTES_MAX).contains(&name.len())
        && !name.starts_with('.')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repositories_are_one_or_two_plain_names() {
        for repo in ["gpt2", "Qwen/Qwen3-0.6B", "a_b/c.d"] {
            assert!(check_repo(repo).is_ok(), "{repo}");
        }
        for repo in ["", "/", "a/", "/a", "a/b/c", "..", "../a", "a/..", "a b", "a\\b", "a--b/c", "ä", "a/b?c", "a:b"]
        {
            assert!(check_repo(repo).is_err(), "{repo}");
        }
        assert!(check_repo(&"x".repeat(limits::HUB_NAME_BYTES_MAX)).is_ok());
        assert!(check_repo(&"x".repeat(limits::HUB_NAME_BYTES_MAX + 1)).is_err());
    }

    #[test]
    fn revisions_are_plain_names_with_slashes() {
        for revision in ["main", "refs/pr/1", "v1.0"] {
            assert!(check_revision(revision).is_ok(), "{revision}");
        }
        for revision in ["", "/main", "a//b", "a/../b", "..", "a b", "a%2f"] {
            assert!(check_revision(revision).is_err(), "{revision}");
        }
    }

    #[test]
    fn files_stay_below_their_folder() {
        for name in ["config.json", ".gitattributes", "1_Pooling/config.json", "a b (1).gguf", "..a/b..", "é"] {
            assert!(check_file(name).is_ok(), "{name}");
        }
        for name in ["", "/etc/passwd", "../x", "a/../../x", "a//b", "a/", "./a", "a\\..\\b", "a\0b", "a\nb"] {
            assert!(check_file(name).is_err(), "{name:?}");
        }
        assert!(check_file(&"a/".repeat(limits::HUB_FILE_DEPTH_MAX)[..limits::HUB_FILE_DEPTH_MAX * 2 - 1]).is_ok());
        assert!(check_file(&format!("{}a", "a/".repeat(limits::HUB_FILE_DEPTH_MAX))).is_err());
        assert!(check_file(&"x".repeat(256)).is_err());
    }
}
