//! Models in a folder: every folder whose files the engine knows for a model's, and every GGUF and ONNX file, at any bounded depth.

use std::collections::HashSet;
use std::path::{Path, PathBuf};

use mimus_engine::Source;

use super::check_name;
use crate::limits;

/// A model that lies in the folder.
pub struct Found {
    /// Its path below the folder, parts joined by `/`, a file without its ending.
    pub name: String,
    /// Where it is.
    pub source: Source,
}

/// Looks for models below a folder, in the order of their names. What cannot be read or named is logged and left out.
///
/// # Errors
/// When the folder itself cannot be read.
pub fn discover(root: &Path) -> std::io::Result<Vec<Found>> {
    std::fs::read_dir(root)?;
    let mut search = Search { found: Vec::new(), seen: HashSet::new(), entries_left: limits::MODEL_ENTRIES_MAX };
    let own_name = root.canonicalize().ok().and_then(|path| Some(path.file_name()?.to_str()?.to_owned()));
    search.folder(root, "", own_name.as_deref().unwrap_or("model"), 0);
    if search.entries_left == 0 {
        tracing::warn!(entries_max = limits::MODEL_ENTRIES_MAX, "the models folder is too large to be searched whole");
    }
    search.found.sort_by(|one, other| one.name.cmp(&other.name));
    search.found.dedup_by(|other, one| {
        let is_twin = other.name == one.name;
        if is_twin {
            tracing::warn!(model = one.name, "two models have the same name; one of them is left out");
        }
        is_twin
    });
    Ok(search.found)
}

struct Search {
    found: Vec<Found>,
    /// Folders by their real paths: a link back up leads nowhere new.
    seen: HashSet<PathBuf>,
    entries_left: usize,
}

impl Search {
    /// Searches a folder. `below`: its name as a model's first part, empty for the root; `own`: its name if it is itself a model.
    fn folder(&mut self, folder: &Path, below: &str, own: &str, depth: usize) {
        let Ok(real) = folder.canonicalize() else { return };
        if !self.seen.insert(real) {
            return;
        }
        let entries = match std::fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(folder = below, %error, "a folder of models cannot be read");
                return;
            }
        };
        let mut names: Vec<String> = Vec::new();
        for entry in entries.flatten() {
            if self.entries_left == 0 {
                return;
            }
            self.entries_left -= 1;
            // Hidden files are half-finished downloads and the like.
            if let Ok(name) = entry.file_name().into_string()
                && !name.starts_with('.')
            {
                names.push(name);
            }
        }
        names.sort();
        let is_model = mimus_engine::folder_kind(names.iter().map(String::as_str)).is_some();
        if is_model {
            self.add(own.to_owned(), Source::Folder(folder.to_owned()));
        }
        for name in names {
            let path = folder.join(&name);
            let joined = |name: &str| {
                if below.is_empty() { name.to_owned() } else { format!("{below}/{name}") }
            };
            if path.is_dir() {
                // What lies inside a model belongs to it.
                if !is_model && depth < limits::MODEL_FOLDER_DEPTH_MAX {
                    let name = joined(&name);
                    self.folder(&path, &name, &name, depth + 1);
                }
            } else if !path.is_file() {
                continue;
            } else if let Some(stem) = name.strip_suffix(".gguf")
                && !is_later_part(stem)
            {
                self.add(joined(stem), Source::Gguf(path));
            } else if let Some(stem) = name.strip_suffix(".onnx")
                && !is_model
            {
                self.add(joined(stem), Source::Onnx(path));
            }
        }
    }

    fn add(&mut self, name: String, source: Source) {
        match check_name(&name) {
            Ok(()) => self.found.push(Found { name, source }),
            Err(reason) => tracing::warn!(reason, "a model is left out"),
        }
    }
}

/// Whether a GGUF file is a part after the first of one that was split: `…-00002-of-00003`.
fn is_later_part(stem: &str) -> bool {
    let mut parts = stem.rsplit('-');
    let (count, of, number) = (parts.next(), parts.next(), parts.next());
    let is_number =
        |text: Option<&str>| text.is_some_and(|text| text.len() == 5 && text.bytes().all(|b| b.is_ascii_digit()));
    of == Some("of") && is_number(count) && is_number(number) && number != Some("00001")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn touch(root: &Path, path: &str) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().expect("below the root")).expect("writable");
        fs::write(path, "").expect("writable");
    }

    fn names(root: &Path) -> Vec<String> {
        discover(root).expect("readable").into_iter().map(|found| found.name).collect()
    }

    #[test]
    fn folders_and_files_are_named_by_their_paths() {
        let folder = tempfile::tempdir().expect("writable");
        let root = folder.path();
        touch(root, "Qwen/Qwen3-0.6B/config.json");
        touch(root, "Qwen/Qwen3-0.6B/model-00001-of-00002.safetensors");
        touch(root, "Qwen/Qwen3-0.6B/inside/config.json");
        touch(root, "Qwen/Qwen3-0.6B/inside/model.safetensors");
        touch(root, "tiny.Q8_0.gguf");
        touch(root, "deep/a/b/other.gguf");
        touch(root, "split-00001-of-00002.gguf");
        touch(root, "split-00002-of-00002.gguf");
        touch(root, "no-weights/config.json");
        touch(root, "no-config/model.safetensors");
        touch(root, ".hidden/x.gguf");
        touch(root, "README.md");
        touch(root, "project/3/weights.onnx");
        touch(root, "project/3/model_type.json");
        touch(root, "yolov8n.onnx");
        let expect = ["Qwen/Qwen3-0.6B", "deep/a/b/other", "project/3", "split-00001-of-00002", "tiny.Q8_0", "yolov8n"];
        assert_eq!(names(root), expect);
    }

    #[test]
    fn the_folder_may_be_a_model_itself() {
        let folder = tempfile::tempdir().expect("writable");
        let root = folder.path().join("my-model");
        touch(&root, "config.json");
        touch(&root, "model.safetensors");
        assert_eq!(names(&root), ["my-model"]);
    }

    #[test]
    fn links_in_circles_and_endless_depth_end() {
        let folder = tempfile::tempdir().expect("writable");
        let root = folder.path();
        touch(root, "a/model.gguf");
        std::os::unix::fs::symlink(root, root.join("a/up")).expect("writable");
        let deep = "d/".repeat(limits::MODEL_FOLDER_DEPTH_MAX);
        touch(root, &format!("{deep}at.gguf"));
        touch(root, &format!("{deep}d/past.gguf"));
        assert_eq!(names(root), ["a/model", format!("{deep}at").as_str()]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_an_error() {
        assert!(discover(Path::new("no/such/folder")).is_err());
    }
}
