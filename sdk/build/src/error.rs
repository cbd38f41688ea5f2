//! Why a component could not be made, and what to do about it.

use std::path::PathBuf;

/// Why a component could not be made.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// A program could not be started.
    #[error("cannot run {program}: {source}")]
    CannotRun {
        /// The program's name.
        program: String,
        /// Why.
        source: std::io::Error,
    },
    /// A program failed.
    #[error("{command} failed{}", if output.is_empty() { String::new() } else { format!(":\n{output}") })]
    Failed {
        /// What was run.
        command: String,
        /// What it said, as far as it is not on stderr already.
        output: String,
    },
    /// A file could not be read or written.
    #[error("{path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A package compiled without giving a component.
    #[error("{0} gave no component: does its Cargo.toml say `crate-type = [\"cdylib\", \"rlib\"]`?")]
    NotAComponent(String),
    /// `MIMUS_WASM_STD` has another value.
    #[error("MIMUS_WASM_STD is `{0}`, expected installed, rustup or debian")]
    UnknownStdSource(String),
    /// No way led to the standard library.
    #[error(
        "the Rust standard library for wasm32-wasip2 is missing, and it could not be had:\n{}\n\
         Install it once by one of\n  \
         rustup target add wasm32-wasip2\n  \
         the package libstd-rust-dev-wasm32 of a distribution whose rustc has it\n\
         and build again.",
        .0.iter().map(|(way, why)| format!("  {way}: {why}")).collect::<Vec<_>>().join("\n")
    )]
    NoStandardLibrary(
        /// Each way that was tried, and why it failed.
        Vec<(&'static str, String)>,
    ),
}
