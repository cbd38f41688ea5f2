//! Which models the server has: found or configured, loaded in the background, looked up by name.
//!
//! It knows nothing of how a model computes, and never makes a request wait for another's model.

mod catalog;
pub mod choice;
mod discover;
mod history;
mod job;
mod launch;
mod loaded;
mod loading;
mod memory;
mod plan;
mod reader;
mod remembered;
mod shelf;
mod wish;

pub use catalog::Catalog;
pub use job::{Progress, Stage};
pub use launch::Launcher;
pub use loaded::{Loaded, LoadedModel};
pub use plan::{Files, Planned, plan};
pub use reader::EngineReader;
pub use shelf::{Lookup, ModelStatus, Readiness, ReplicaStatus};
pub use wish::{LaunchError, Launched, Wish};

use crate::limits;

/// A model that comes with the program.
#[derive(Clone, Copy, Debug)]
pub struct Builtin {
    /// The name clients use.
    pub name: &'static str,
    /// File names and contents, as a model's folder has them.
    pub files: &'static [(&'static str, &'static [u8])],
}

/// Checks a model's name or alias: 1 to [`limits::MODEL_NAME_BYTES_MAX`] visible characters, with `/` only between parts.
///
/// # Errors
/// A sentence for the operator.
pub fn check_name(name: &str) -> Result<(), String> {
    let is_visible = |c: char| !c.is_control() && !c.is_whitespace() && c != '\\';
    let is_part = |part: &str| !part.is_empty() && part != "." && part != "..";
    let is_good =
        name.len() <= limits::MODEL_NAME_BYTES_MAX && name.chars().all(is_visible) && name.split('/').all(is_part);
    if is_good {
        Ok(())
    } else {
        Err(format!("`{}` is no model's name: visible characters, / between parts", name.escape_debug()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_relative_paths_of_visible_characters() {
        for name in ["a", "Qwen/Qwen3-0.6B", "a:latest", "modèle/q4_k_m"] {
            assert_eq!(check_name(name), Ok(()), "{name}");
        }
        for name in ["", "/a", "a/", "a//b", "../a", "a/..", "./a", "a\\b", "a b", "a\nb"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name(&"x".repeat(limits::MODEL_NAME_BYTES_MAX)).is_ok());
        assert!(check_name(&"x".repeat(limits::MODEL_NAME_BYTES_MAX + 1)).is_err());
    }
}
