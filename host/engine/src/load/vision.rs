//! Models of pictures that come as ONNX graphs: their files go to `mimus-vision`.

use std::path::Path;
use std::sync::Arc;

use mimus_vision::{GazeModel, TextReader, VisionModel};

use super::{Inspection, LoadOptions, Model};
use crate::architecture::Ability;
use crate::error::{EngineError, LoadError};
use crate::folder::{FolderKind, folder_kind};
use crate::source::Source;

/// Entries of a folder that are looked at; models have fewer files.
const ENTRIES_MAX: usize = 4_096;

/// What kind of ONNX model lies there; `None` for all others.
pub(super) fn kind(source: &Source) -> Option<FolderKind> {
    let kind = match source {
        Source::Onnx(_) => Some(FolderKind::Package),
        Source::Gguf(_) => None,
        Source::Folder(folder) => {
            let names = names(folder);
            folder_kind(names.iter().map(String::as_str))
        }
        Source::Embedded(files) => folder_kind(files.iter().map(|(name, _)| *name)),
    };
    kind.filter(|kind| matches!(kind, FolderKind::Package | FolderKind::TextReader | FolderKind::Gaze))
}

/// Loads it.
///
/// # Errors
/// [`LoadError`], which names the file.
pub(super) fn load(kind: FolderKind, source: &Source, options: &LoadOptions) -> Result<Model, LoadError> {
    let files = files(source);
    let options = mimus_vision::LoadOptions {
        threads: options.threads,
        queue_requests_max: options.queue_requests_max,
        queue_wait_max: options.queue_wait_max,
        gather_max: options.batch_wait_max,
    };
    Ok(match kind {
        FolderKind::TextReader => Model::TextReader(Arc::new(TextReader::load(&files, &options)?)),
        FolderKind::Gaze => Model::Gaze(Arc::new(GazeModel::load(&files, &options)?)),
        _ => Model::Vision(Arc::new(VisionModel::load(&files, &options)?)),
    })
}

/// What is known of it before its weights are read: how large its files are.
///
/// # Errors
/// [`LoadError::Read`] when a file cannot be looked at.
pub(super) fn inspect(kind: FolderKind, source: &Source) -> Result<Inspection, LoadError> {
    let is_network = |name: &str| name.ends_with(".onnx") || name == "weights.safetensors";
    let length = |path: &Path| {
        let name = path.file_name().map_or_else(String::new, |name| name.to_string_lossy().into_owned());
        std::fs::metadata(path).map(|data| data.len()).map_err(|error| LoadError::read(&name, error))
    };
    let bytes = match source {
        Source::Onnx(path) | Source::Gguf(path) => length(path)?,
        Source::Folder(folder) => {
            let networks = names(folder).into_iter().filter(|name| is_network(name));
            networks.map(|name| length(&folder.join(name))).sum::<Result<u64, LoadError>>()?
        }
        Source::Embedded(files) => {
            files.iter().filter(|(name, _)| is_network(name)).map(|(_, bytes)| bytes.len() as u64).sum()
        }
    };
    let (ability, architecture) = match kind {
        FolderKind::TextReader => (Ability::Reading, "text-reader"),
        FolderKind::Gaze => (Ability::Gaze, "gaze"),
        _ => (Ability::Vision, "onnx"),
    };
    Ok(Inspection {
        ability,
        architecture: architecture.to_owned(),
        format: "onnx".to_owned(),
        quantization: None,
        parameters: bytes / 4,
        // Kernels keep weights in a form of their own, some besides the file's.
        weight_bytes: 2 * bytes,
        kv_bytes: 0,
        context_tokens: 0,
    })
}

fn files(source: &Source) -> mimus_vision::Source {
    match source {
        Source::Folder(folder) => mimus_vision::Source::Folder(folder.clone()),
        Source::Onnx(path) | Source::Gguf(path) => mimus_vision::Source::File(path.clone()),
        Source::Embedded(files) => mimus_vision::Source::Embedded(files),
    }
}

/// Names of a folder's files; none of one that cannot be read, which is noticed when it is loaded.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten().take(ENTRIES_MAX);
    entries.filter_map(|entry| entry.file_name().into_string().ok()).collect()
}

impl From<mimus_vision::LoadError> for LoadError {
    fn from(error: mimus_vision::LoadError) -> Self {
        LoadError::Network(error.to_string())
    }
}

impl From<mimus_vision::VisionError> for EngineError {
    fn from(error: mimus_vision::VisionError) -> Self {
        use mimus_vision::VisionError;
        match error {
            VisionError::Invalid { field, reason } => EngineError::Invalid { field, reason },
            VisionError::Unsupported(what) => EngineError::Unsupported(what),
            VisionError::Overloaded { retry_after } => EngineError::Overloaded { retry_after },
            VisionError::ShuttingDown => EngineError::ShuttingDown,
            VisionError::Failed(why) => EngineError::Failed(why),
        }
    }
}
