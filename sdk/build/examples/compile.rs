//! Compiles packages of the workspace in the current directory: `compile TARGET_DIR PACKAGE…`; or one crate: `compile PATH`.

use std::path::Path;
use std::process::ExitCode;

use mimus_sdk_build::{Options, build, build_path};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let built = match words.as_slice() {
        [] => {
            eprintln!("usage: compile TARGET_DIR PACKAGE… or compile PATH");
            return ExitCode::FAILURE;
        }
        [path] => build_path(Path::new(path)).map(|component| vec![component]),
        [target_dir, packages @ ..] => {
            build(packages, &Options::new("Cargo.toml", *target_dir)).map(|built| built.components)
        }
    };
    match built {
        Ok(components) => {
            components.iter().for_each(|component| println!("{}", component.path.display()));
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
