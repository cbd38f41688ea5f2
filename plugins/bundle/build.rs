//! Compiles the plugins beside this package and writes the list that `src/lib.rs` includes.

use std::error::Error;
use std::fmt::Write;
use std::path::{Path, PathBuf};

use mimus_sdk_build::{Options, StdSource, build, print_rerun_if_changed, target_dir_of_build_script};

fn main() {
    if let Err(error) = bundle() {
        eprintln!("error: {error}");
        std::process::exit(1);
    }
}

fn bundle() -> Result<(), Box<dyn Error>> {
    let bundle = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?);
    let plugins = bundle.parent().ok_or("the bundle lies among the plugins")?;
    let packages = packages(plugins, &bundle)?;
    let names: Vec<&str> = packages.iter().map(String::as_str).collect();
    let manifest = plugins.parent().ok_or("the plugins lie in the workspace")?.join("Cargo.toml");

    let built = build(&names, &Options::new(&manifest, target_dir_of_build_script()))?;
    if built.std != StdSource::Installed {
        println!("cargo::warning=plugins are compiled with {}", built.std);
    }

    let mut list = String::from("/// Every plugin, by name.\npub static COMPONENTS: &[Component] = &[\n");
    for component in &built.components {
        let (name, version) = (&component.name, &component.version);
        writeln!(
            list,
            "    Component {{ name: {name:?}, version: {version:?}, bytes: include_bytes!({:?}) }},",
            component.path
        )?;
    }
    list.push_str("];\n");
    std::fs::write(Path::new(&std::env::var("OUT_DIR")?).join("components.rs"), list)?;

    print_rerun_if_changed(&built);
    // A new plugin, and the versions and profile of all of them.
    for path in [plugins.to_owned(), manifest.clone(), manifest.with_file_name("Cargo.lock")] {
        println!("cargo::rerun-if-changed={}", path.display());
    }
    Ok(())
}

/// Names of the packages in the folders directly below `plugins`, but the bundle's, in order.
fn packages(plugins: &Path, bundle: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in std::fs::read_dir(plugins)? {
        let folder = entry?.path();
        let manifest = folder.join("Cargo.toml");
        if folder == bundle || !manifest.is_file() {
            continue;
        }
        let manifest: toml::Table = std::fs::read_to_string(&manifest)?.parse()?;
        let name = manifest.get("package").and_then(|package| package.get("name")).and_then(|name| name.as_str());
        names.push(name.ok_or_else(|| format!("{} names no package", folder.display()))?.to_owned());
    }
    names.sort();
    Ok(names)
}
