//! Compiles plugin crates to WebAssembly components, from a build script or a command line.
//!
//! The standard library of `wasm32-wasip2` is found in three ways, in this order: it is installed; `rustup` installs it; on Debian it is
//! built from the packages `rust-src` and `wasi-libc`. Set `MIMUS_WASM_STD` to `installed`, `rustup` or `debian` to allow one way only.
//!
//! ```no_run
//! use mimus_sdk_build::{Options, build};
//!
//! let built = build(&["mimus-openai"], &Options::new("Cargo.toml", "target/components"))?;
//! println!("{} with {}", built.components[0].path.display(), built.std);
//! # Ok::<(), mimus_sdk_build::BuildError>(())
//! ```

mod cargo;
mod debian;
mod error;
mod standard_library;
mod tool;

use std::path::{Path, PathBuf};

pub use error::BuildError;
pub use standard_library::StdSource;

/// The target that components are compiled for.
pub const TARGET: &str = "wasm32-wasip2";

/// Names the one way to get the standard library that is allowed: `installed`, `rustup` or `debian`.
pub const STD_VARIABLE: &str = "MIMUS_WASM_STD";

/// Where to build and how.
#[derive(Debug, Clone)]
pub struct Options {
    /// The `Cargo.toml` of the workspace or the package.
    pub manifest: PathBuf,
    /// Where cargo puts its output; not the directory of a cargo that is waiting for this build.
    pub target_dir: PathBuf,
    /// The cargo profile.
    pub profile: String,
    /// Whether the lock file must fit as it is. On in a workspace: the outer cargo has brought it up to date.
    pub is_locked: bool,
}

impl Options {
    /// The profile `component`, with the lock file as it is.
    pub fn new(manifest: impl Into<PathBuf>, target_dir: impl Into<PathBuf>) -> Self {
        Options {
            manifest: manifest.into(),
            target_dir: target_dir.into(),
            profile: "component".into(),
            is_locked: true,
        }
    }
}

/// What a build gave.
#[derive(Debug, Clone)]
pub struct Built {
    /// The components, in the order of the packages asked for.
    pub components: Vec<Component>,
    /// Where the standard library came from.
    pub std: StdSource,
}

/// One plugin, compiled.
#[derive(Debug, Clone)]
pub struct Component {
    /// The package's name.
    pub name: String,
    /// The package's version.
    pub version: String,
    /// The component's file.
    pub path: PathBuf,
    /// The files it was made from, of the workspace and of other path dependencies.
    pub sources: Vec<PathBuf>,
}

/// Compiles packages of a workspace in one run of cargo.
///
/// # Errors
/// When no standard library can be had, or cargo fails; its messages are on stderr already.
pub fn build(packages: &[&str], options: &Options) -> Result<Built, BuildError> {
    let selection = packages.iter().flat_map(|package| ["--package", package]).collect::<Vec<_>>();
    let (mut components, std) = cargo::build(&selection, options)?;
    let mut wanted = |name: &str| {
        let index = components.iter().position(|component| component.name == name);
        index.map(|index| components.swap_remove(index)).ok_or_else(|| BuildError::NotAComponent(name.to_owned()))
    };
    let components = packages.iter().map(|name| wanted(name)).collect::<Result<_, _>>()?;
    Ok(Built { components, std })
}

/// Compiles one crate that stands alone, with its own profile `release`. Its output goes to `target/components` below it.
///
/// # Errors
/// As [`build`].
pub fn build_path(crate_dir: &Path) -> Result<Component, BuildError> {
    let manifest = crate_dir.join("Cargo.toml");
    let options = Options {
        profile: "release".into(),
        is_locked: false,
        ..Options::new(manifest, crate_dir.join("target/components"))
    };
    let (mut components, _) = cargo::build(&[], &options)?;
    components.pop().ok_or_else(|| BuildError::NotAComponent(crate_dir.display().to_string()))
}

/// For build scripts: a directory for components below the target directory of the cargo that runs the script.
///
/// # Panics
/// Outside of a build script.
pub fn target_dir_of_build_script() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).unwrap_or_else(|| panic!("{name} is set for build scripts"));
    // <target>[/<triple>]/<profile>/build/<package>/out
    let out_dir = PathBuf::from(variable("OUT_DIR"));
    let mut target_dir = out_dir.ancestors().nth(4).expect("OUT_DIR is four folders deep");
    if target_dir.file_name() == Some(&variable("TARGET")) {
        target_dir = target_dir.parent().expect("the folder of a target is in the target directory");
    }
    target_dir.join("components")
}

/// For build scripts: tells cargo to run the script again when a source of these components changes.
pub fn print_rerun_if_changed(built: &Built) {
    println!("cargo::rerun-if-env-changed={STD_VARIABLE}");
    let mut sources: Vec<&PathBuf> = built.components.iter().flat_map(|component| &component.sources).collect();
    sources.sort();
    sources.dedup();
    for source in sources {
        println!("cargo::rerun-if-changed={}", source.display());
    }
}
