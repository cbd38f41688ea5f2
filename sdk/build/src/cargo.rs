//! The inner cargo: one run for all packages, on a clean environment.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::standard_library::{self, StandardLibrary, StdSource};
use crate::tool::{cannot_run, failed};
use crate::{BuildError, Component, Options, TARGET};

pub(crate) fn build(selection: &[&str], options: &Options) -> Result<(Vec<Component>, StdSource), BuildError> {
    let absolute =
        |path: &Path| std::path::absolute(path).map_err(|source| BuildError::File { path: path.into(), source });
    let (manifest, target_dir) = (absolute(&options.manifest)?, absolute(&options.target_dir)?);
    let library = standard_library::find(&target_dir)?;
    eprintln!("compiling components with {}", library.source());
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(["build", "--message-format", "json-render-diagnostics", "--lib", "--target", TARGET]);
    command.args(["--profile", &options.profile]).args(selection);
    command.arg("--manifest-path").arg(&manifest).arg("--target-dir").arg(&target_dir);
    if options.is_locked {
        command.arg("--locked");
    }
    // Where cargo looks for its configuration.
    command.current_dir(manifest.parent().unwrap_or(Path::new(".")));
    clean_environment(&mut command);
    apply(&library, &mut command);
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output();
    let output = output.map_err(|source| cannot_run(&command, source))?;
    if !output.status.success() {
        return Err(failed(&command, ""));
    }
    let messages = String::from_utf8_lossy(&output.stdout);
    let components = messages.lines().filter_map(|line| serde_json::from_str(line).ok());
    Ok((components.filter_map(|message: Value| component(&message)).collect(), library.source()))
}

/// Takes out what an outer cargo or clippy has set for its own build. Flags for the host, such as `-Ctarget-cpu`, would break this
/// one, and wrappers would turn it into something that is not a build.
fn clean_environment(command: &mut Command) {
    for (name, _) in std::env::vars_os() {
        if is_of_another_build(&name) {
            command.env_remove(name);
        }
    }
    // Set, even if empty, it also hides flags of cargo's configuration.
    command.env("CARGO_ENCODED_RUSTFLAGS", "");
}

fn is_of_another_build(name: &OsStr) -> bool {
    const NAMES: [&str; 12] = [
        "RUSTC",
        "RUSTC_WRAPPER",
        "RUSTC_WORKSPACE_WRAPPER",
        "RUSTC_LINKER",
        "RUSTDOC",
        "RUSTFLAGS",
        "RUSTDOCFLAGS",
        "CARGO_ENCODED_RUSTFLAGS",
        "CARGO_ENCODED_RUSTDOCFLAGS",
        "CARGO_TARGET_DIR",
        "CARGO_INCREMENTAL",
        "CLIPPY_ARGS",
    ];
    const PREFIXES: [&str; 8] = [
        "CARGO_BUILD_",
        "CARGO_CFG_",
        "CARGO_FEATURE_",
        "CARGO_MANIFEST_",
        "CARGO_PKG_",
        "CARGO_PROFILE_",
        "CARGO_TARGET_WASM32",
        "CARGO_UNSTABLE_",
    ];
    let Some(name) = name.to_str() else { return false };
    NAMES.contains(&name) || PREFIXES.iter().any(|prefix| name.starts_with(prefix))
}

fn apply(library: &StandardLibrary, command: &mut Command) {
    let StandardLibrary::FromSource(sources) = library else { return };
    // `-Zbuild-std` is not stable; Debian's compiler is, so it has to be told that we know.
    command.arg("-Zbuild-std=std,panic_abort").env("RUSTC_BOOTSTRAP", "1");
    // Points cargo at the sources without touching the toolchain's own folder, which may not be ours to write to.
    command.env("__CARGO_TESTS_ONLY_SRC_ROOT", &sources.library);
    // The compiler's own C library and start files belong to the library that is not there.
    let flags = ["-Clink-self-contained=no".to_owned(), format!("-L{}", sources.libc.display())];
    command.env("CARGO_ENCODED_RUSTFLAGS", flags.join("\x1f"));
}

/// A component out of cargo's message about it.
fn component(message: &Value) -> Option<Component> {
    if message["reason"] != "compiler-artifact" {
        return None;
    }
    let path =
        message["filenames"].as_array()?.iter().filter_map(Value::as_str).find(|path| path.ends_with(".wasm"))?;
    let (name, version) = name_and_version(message["package_id"].as_str()?)?;
    let path = PathBuf::from(path);
    let mut sources = sources(&path.with_extension("d"));
    sources.extend(message["manifest_path"].as_str().map(PathBuf::from));
    Some(Component { name, version, path, sources })
}

/// `path+file:///folder#name@version`, or `path+file:///name#version` where the folder has the package's name.
fn name_and_version(package_id: &str) -> Option<(String, String)> {
    let (url, fragment) = package_id.rsplit_once('#')?;
    let (name, version) = match fragment.split_once('@') {
        Some(pair) => pair,
        None => (url.rsplit('/').next()?, fragment),
    };
    Some((name.to_owned(), version.to_owned()))
}

/// The files of a rule in make's notation, `output: file file`, in which a space of a name is `\ `.
fn sources(dep_info: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(dep_info).unwrap_or_default();
    let Some((_, files)) = text.split_once(": ") else { return Vec::new() };
    let line = files.lines().next().unwrap_or_default().replace("\\ ", "\0");
    line.split_whitespace().map(|file| PathBuf::from(file.replace('\0', " "))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_package_ids() {
        let cases = [
            ("path+file:///w/plugins/openai#mimus-openai@0.1.0", ("mimus-openai", "0.1.0")),
            ("path+file:///w/shout#1.2.3", ("shout", "1.2.3")),
        ];
        for (id, (name, version)) in cases {
            assert_eq!(name_and_version(id), Some((name.into(), version.into())), "{id}");
        }
    }

    #[test]
    fn keeps_what_the_inner_build_needs() {
        for name in
            ["CARGO_HOME", "RUSTUP_TOOLCHAIN", "CARGO_NET_OFFLINE", "CARGO_HTTP_CAINFO", "CARGO_MAKEFLAGS", "PATH"]
        {
            assert!(!is_of_another_build(OsStr::new(name)), "{name}");
        }
        for name in
            ["RUSTFLAGS", "RUSTC_WORKSPACE_WRAPPER", "CARGO_ENCODED_RUSTFLAGS", "CARGO_PKG_NAME", "CARGO_BUILD_TARGET"]
        {
            assert!(is_of_another_build(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn reads_dep_info() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a.d");
        std::fs::write(&file, "/t/a.wasm: /w/a\\ b.rs /w/c.rs\n\n/w/c.rs:\n").expect("written");
        assert_eq!(sources(&file), [PathBuf::from("/w/a b.rs"), PathBuf::from("/w/c.rs")]);
    }
}
