//! Compiles the guests beside this file to components and puts them where `src/lib.rs` includes them from.

use std::error::Error;
use std::path::{Path, PathBuf};

use mimus_sdk_build::{Options, build, print_rerun_if_changed, target_dir_of_build_script};

/// The packages to compile.
const GUESTS: &[&str] = &["mimus-guest-faults", "mimus-guest-versioned"];

fn main() {
    if let Err(error) = compile() {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn compile() -> Result<(), Box<dyn Error>> {
    let package = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let workspace = package.ancestors().nth(2).ok_or("the guests lie in the workspace")?;
    let built = build(GUESTS, &Options::new(workspace.join("Cargo.toml"), target_dir_of_build_script()))?;
    let out_dir = std::env::var("OUT_DIR")?;
    for component in &built.components {
        let file = Path::new(&out_dir).join(component.name.replace('-', "_")).with_extension("wasm");
        std::fs::copy(&component.path, file)?;
    }
    print_rerun_if_changed(&built);
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
