//! Which families of models could be launched: those that come with the server, those of the operator's files, and those that are
//! registered while it runs.
//!
//! It knows names, sizes and where weights come from, and chooses among them. It fetches nothing, loads nothing, and knows nothing
//! of HTTP or guests. Readers see an immutable snapshot; a change is a new one.

mod bits;
mod choose;
mod disk;
mod family;
mod file;
mod machine;
mod size;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use arc_swap::ArcSwap;

pub use choose::{ChooseError, Wish, choose};
use disk::Disk;
pub use family::{Family, Invalid, Kind, Origin, Weights};
pub use file::FileError;
pub use machine::Machine;

use crate::limits;

/// The data that comes with the server.
const BUILTIN: [(&str, &str); 5] = [
    ("text.toml", include_str!("../registry/text.toml")),
    ("embedding.toml", include_str!("../registry/embedding.toml")),
    ("rerank.toml", include_str!("../registry/rerank.toml")),
    ("image.toml", include_str!("../registry/image.toml")),
    ("audio.toml", include_str!("../registry/audio.toml")),
];

/// All families of the server.
pub struct Registry {
    shelf: ArcSwap<Shelf>,
    /// What comes from the program and the operator's files. Never changes, and cannot be registered over.
    base: Shelf,
    disk: Option<Disk>,
    /// Held by the one who changes the shelf and the disk together.
    writer: Mutex<()>,
}

/// Why a family was not registered or unregistered. A sentence each, without paths of this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// A family has that name and cannot be replaced.
    #[error("{0}")]
    Taken(String),
    /// A field of it is wrong.
    #[error("{}: {}", .0.field, .0.reason)]
    Invalid(Invalid),
    /// It may not be changed here.
    #[error("{0}")]
    Forbidden(String),
    /// There are too many, or the disk failed.
    #[error("{0}")]
    Failed(String),
}

/// Kind and lower-case name.
type Key = (Kind, String);
type Shelf = BTreeMap<Key, Entry>;

#[derive(Clone)]
struct Entry {
    family: Arc<Family>,
    place: Place,
}

/// Who brought a family.
#[derive(Clone, PartialEq)]
enum Place {
    Builtin,
    /// A file of the operator, by its name.
    File(String),
    Registered,
}

impl Registry {
    /// Reads what comes with the server, then the operator's files, then what is in `registry` of the data folder. Later families
    /// replace earlier ones of the same kind and name. Without a data folder nothing that is registered outlives the server.
    ///
    /// # Errors
    /// For a file that cannot be read or is wrong: which line, and why.
    pub fn open(data: Option<&Path>, files: &[PathBuf]) -> Result<Registry, FileError> {
        let mut base = builtin()?;
        for path in files {
            add_file(&mut base, path)?;
        }
        let disk = data.map(|data| Disk::new(data.join("registry")));
        let mut registered = Vec::new();
        for path in disk.as_ref().map_or(Ok(Vec::new()), Disk::files)? {
            let families = file::read(&path)?;
            match <[Family; 1]>::try_from(families) {
                Ok([family]) if Disk::is_own(&path, &family) => registered.push(family),
                Ok([family]) => put(&mut base, family, Place::File(file::name_of(&path))),
                Err(families) => {
                    for family in families {
                        put(&mut base, family, Place::File(file::name_of(&path)));
                    }
                }
            }
        }
        let mut shelf = base.clone();
        for family in registered {
            put(&mut shelf, family, Place::Registered);
        }
        let count = shelf.values().filter(|entry| entry.place != Place::Builtin).count();
        if count > limits::FAMILIES_ADDED_MAX {
            let reason = format!("{count} families besides the built-in ones, at most {}", limits::FAMILIES_ADDED_MAX);
            return Err(FileError { place: "registry".into(), reason });
        }
        Ok(Registry { shelf: ArcSwap::from_pointee(shelf), base, disk, writer: Mutex::new(()) })
    }

    /// Families of a kind, or all, by kind and lower-case name.
    pub fn list(&self, kind: Option<&Kind>) -> Vec<Arc<Family>> {
        let shelf = self.shelf.load();
        let wanted = shelf.iter().filter(|((other, _), _)| kind.is_none_or(|kind| kind == other));
        wanted.map(|(_, entry)| entry.family.clone()).collect()
    }

    /// The family of that kind and name; upper and lower case are the same.
    pub fn get(&self, kind: &Kind, name: &str) -> Option<Arc<Family>> {
        self.shelf.load().get(&key(kind, name)).map(|entry| entry.family.clone())
    }

    /// The family of that name, of the first kind that has one.
    pub fn find(&self, name: &str) -> Option<Arc<Family>> {
        let name = name.to_lowercase();
        let shelf = self.shelf.load();
        shelf.iter().find(|((_, other), _)| *other == name).map(|(_, entry)| entry.family.clone())
    }

    /// Up to three names of families that somebody may have meant, the nearest first: the family that a repository belongs to, names
    /// that start alike, names with few letters changed.
    pub fn suggest(&self, kind: Option<&Kind>, name: &str) -> Vec<String> {
        let name = name.to_lowercase();
        if name.is_empty() || name.len() > limits::MODEL_NAME_BYTES_MAX {
            return Vec::new();
        }
        let families = self.list(kind);
        let mut near: Vec<(usize, &str)> =
            families.iter().filter_map(|family| Some((distance(&name, family)?, family.name.as_str()))).collect();
        near.sort_unstable();
        near.dedup_by_key(|(_, name)| *name);
        near.into_iter().take(3).map(|(_, name)| name.to_owned()).collect()
    }

    /// Adds a family, or replaces one that was registered before. `is_builtin` of it is ignored. A persistent one is on disk when this
    /// returns, and there after a restart. Blocks on the disk.
    ///
    /// # Errors
    /// [`RegisterError`], but not `Forbidden`; nothing has changed then.
    pub fn register(&self, mut family: Family, is_persistent: bool) -> Result<(), RegisterError> {
        family.is_builtin = false;
        family.check().map_err(RegisterError::Invalid)?;
        if family.weights.iter().any(|weights| matches!(&weights.origin, Origin::Path(path) if !path.is_absolute())) {
            let reason = "a path must be absolute".into();
            return Err(RegisterError::Invalid(Invalid { field: "weights", reason }));
        }
        let key = key(&family.kind, &family.name);
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entry) = self.base.get(&key) {
            let place = match &entry.place {
                Place::File(name) => format!("the operator's file {name} defines it"),
                _ => "it comes with the server".to_owned(),
            };
            return Err(RegisterError::Taken(format!("`{}` is taken: {place}", entry.family.name)));
        }
        let mut shelf = Shelf::clone(&self.shelf.load());
        shelf.insert(key, Entry { family: Arc::new(family.clone()), place: Place::Registered });
        if shelf.values().filter(|entry| entry.place != Place::Builtin).count() > limits::FAMILIES_ADDED_MAX {
            let reason = format!("{} families were added already; unregister one first", limits::FAMILIES_ADDED_MAX);
            return Err(RegisterError::Failed(reason));
        }
        match &self.disk {
            Some(disk) if is_persistent => disk.write(&family),
            // The earlier one of this name would come back with the next start.
            Some(disk) => disk.remove(&family.kind, &family.name),
            None if is_persistent => Err("the server keeps its data in memory: nothing can outlive it".to_owned()),
            None => Ok(()),
        }
        .map_err(RegisterError::Failed)?;
        self.shelf.store(Arc::new(shelf));
        Ok(())
    }

    /// Removes a family that was registered; false when none has this name. Blocks on the disk.
    ///
    /// # Errors
    /// `Forbidden` for one that comes with the server or from an operator's file, `Failed` when the disk fails.
    pub fn unregister(&self, kind: &Kind, name: &str) -> Result<bool, RegisterError> {
        let key = key(kind, name);
        let _writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        let mut shelf = Shelf::clone(&self.shelf.load());
        let Some(entry) = shelf.remove(&key) else {
            return Ok(false);
        };
        match entry.place {
            Place::Registered => {}
            Place::Builtin => {
                let reason = format!("`{}` comes with the server and cannot be removed", entry.family.name);
                return Err(RegisterError::Forbidden(reason));
            }
            Place::File(file) => {
                let reason = format!("`{}` can only be removed from the operator's file {file}", entry.family.name);
                return Err(RegisterError::Forbidden(reason));
            }
        }
        if let Some(disk) = &self.disk {
            disk.remove(kind, name).map_err(RegisterError::Failed)?;
        }
        if let Some(covered) = self.base.get(&key) {
            shelf.insert(key, covered.clone());
        }
        self.shelf.store(Arc::new(shelf));
        Ok(true)
    }
}

/// Whether a word is a size: `7`, `0.5`, `0_5`, `7B`.
pub fn is_size(word: &str) -> bool {
    size::parse(word).is_some()
}

fn key(kind: &Kind, name: &str) -> Key {
    (kind.clone(), name.to_lowercase())
}

fn put(shelf: &mut Shelf, family: Family, place: Place) {
    shelf.insert(key(&family.kind, &family.name), Entry { family: Arc::new(family), place });
}

fn builtin() -> Result<Shelf, FileError> {
    let mut shelf = Shelf::new();
    for (name, text) in BUILTIN {
        for mut family in file::parse(text, name, Path::new(""))? {
            family.is_builtin = true;
            put(&mut shelf, family, Place::Builtin);
        }
    }
    Ok(shelf)
}

fn add_file(shelf: &mut Shelf, path: &Path) -> Result<(), FileError> {
    for family in file::read(path)? {
        put(shelf, family, Place::File(file::name_of(path)));
    }
    Ok(())
}

/// How far a family is from a lower-case name; none for one that nobody means by it.
fn distance(name: &str, family: &Family) -> Option<usize> {
    let is_repository =
        |weights: &Weights| matches!(&weights.origin, Origin::Hub { id, .. } if id.to_lowercase() == name);
    if family.weights.iter().any(is_repository) {
        return Some(0);
    }
    let own = family.name.to_lowercase();
    // People leave out separators, and put in others.
    let letters = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    let (name, own) = (letters(name.rsplit('/').next().unwrap_or(name)), letters(&own));
    let edits = strsim::damerau_levenshtein(&name, &own);
    let is_start = name.len() >= 3 && own.len() >= 2 && (own.starts_with(&name) || name.starts_with(&own));
    (edits <= own.len() / 4 || is_start).then_some(1 + edits)
}

#[cfg(test)]
mod tests;
