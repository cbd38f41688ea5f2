//! Which models were launched, kept over restarts: one small file in the data folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::wish::Wish;
use crate::limits;

/// The list of launched models on disk. Without a data folder nothing is kept.
pub struct Remembered {
    path: Option<PathBuf>,
    wishes: Mutex<Vec<Wish>>,
}

const FILE_NAME: &str = "launched.json";

impl Remembered {
    /// Reads the list.
    ///
    /// # Errors
    /// When there is a file that cannot be read or understood: a sentence for the operator.
    pub fn open(data: Option<&Path>) -> Result<Remembered, String> {
        let path = data.map(|folder| folder.join(FILE_NAME));
        let wishes = match &path {
            Some(path) if path.is_file() => {
                let wrong = |error: &dyn std::fmt::Display| {
                    format!("{}: {error}; move it away to start without the models launched before", path.display())
                };
                let text = fs::read_to_string(path).map_err(|error| wrong(&error))?;
                let mut wishes: Vec<Wish> = serde_json::from_str(&text).map_err(|error| wrong(&error))?;
                wishes.truncate(limits::MODELS_MAX);
                wishes
            }
            _ => Vec::new(),
        };
        Ok(Remembered { path, wishes: Mutex::new(wishes) })
    }

    /// What was launched last.
    pub fn wishes(&self) -> Vec<Wish> {
        self.wishes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Replaces the list: a whole file or the one before, never half of one. What cannot be written is logged; models go on.
    pub fn store(&self, wishes: Vec<Wish>) {
        let mut kept = self.wishes.lock().unwrap_or_else(PoisonError::into_inner);
        if *kept == wishes {
            return;
        }
        *kept = wishes;
        let Some(path) = &self.path else { return };
        if let Err(error) = write(path, &kept) {
            tracing::error!(%error, "the list of launched models cannot be written: they will not come back after a restart");
        }
    }
}

fn write(path: &Path, wishes: &[Wish]) -> std::io::Result<()> {
    let new = path.with_extension("new");
    let mut file = fs::File::create(&new)?;
    serde_json::to_writer_pretty(&mut file, wishes)?;
    file.sync_all()?;
    fs::rename(new, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_outlives_the_server() {
        let folder = tempfile::tempdir().expect("writable");
        let wish = Wish::new("mimus-chat");
        let list = Remembered::open(Some(folder.path())).expect("none yet");
        assert!(list.wishes().is_empty());
        list.store(vec![wish.clone()]);
        let again = Remembered::open(Some(folder.path())).expect("readable");
        assert_eq!(again.wishes(), [wish]);
        fs::write(folder.path().join(FILE_NAME), "half").expect("writable");
        let error = Remembered::open(Some(folder.path())).err().expect("not understood");
        assert!(error.contains("launched.json") && error.contains("move it away"), "{error}");
    }
}
