//! Finding the standard library of the target.

use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::debian::{self, Sources};
use crate::tool::{output_of, run_within};
use crate::{BuildError, STD_VARIABLE, TARGET};

/// Longest wait for rustup, which tries an unreachable server for minutes.
const RUSTUP_TIME_MAX: Duration = Duration::from_secs(120);

/// Where the standard library came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StdSource {
    /// It was there.
    Installed,
    /// `rustup target add` has just put it there.
    Rustup,
    /// It is compiled along with the plugins, from Debian's packages.
    Debian,
}

impl fmt::Display for StdSource {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            StdSource::Installed => "the installed standard library",
            StdSource::Rustup => "the standard library that rustup has just installed",
            StdSource::Debian => "a standard library compiled from Debian's rust-src and wasi-libc",
        })
    }
}

/// What cargo needs to compile for the target.
pub(crate) enum StandardLibrary {
    InSysroot(StdSource),
    FromSource(Sources),
}

impl StandardLibrary {
    pub(crate) fn source(&self) -> StdSource {
        match self {
            StandardLibrary::InSysroot(source) => *source,
            StandardLibrary::FromSource(_) => StdSource::Debian,
        }
    }
}

/// Looks for the standard library in each way that is allowed. Builds that run at the same time wait for each other, so that one
/// fetches it and the others find it.
pub(crate) fn find(target_dir: &Path) -> Result<StandardLibrary, BuildError> {
    let allowed = allowed_ways()?;
    let mut failures: Vec<(&'static str, String)> = Vec::new();
    if allowed.contains(&StdSource::Installed) {
        if is_installed()? {
            return Ok(StandardLibrary::InSysroot(StdSource::Installed));
        }
        failures.push(("installed", format!("rustc has no library for {TARGET}")));
    }
    let lock = lock(target_dir)?;
    for way in allowed {
        let (name, found) = match way {
            StdSource::Installed => continue,
            StdSource::Rustup => ("rustup", add_by_rustup()),
            StdSource::Debian => {
                ("debian", debian::fetch(&target_dir.join("debian-std")).map(StandardLibrary::FromSource))
            }
        };
        match found {
            Ok(library) => {
                drop(lock);
                return Ok(library);
            }
            Err(error) => failures.push((name, error.to_string().replace('\n', "\n    "))),
        }
    }
    Err(BuildError::NoStandardLibrary(failures))
}

fn allowed_ways() -> Result<Vec<StdSource>, BuildError> {
    match std::env::var(STD_VARIABLE).unwrap_or_default().as_str() {
        "" => Ok(vec![StdSource::Installed, StdSource::Rustup, StdSource::Debian]),
        "installed" => Ok(vec![StdSource::Installed]),
        "rustup" => Ok(vec![StdSource::Rustup]),
        "debian" => Ok(vec![StdSource::Debian]),
        other => Err(BuildError::UnknownStdSource(other.into())),
    }
}

/// The compiler that cargo uses: the one it names for build scripts, else the one in the path.
pub(crate) fn rustc() -> OsString {
    std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into())
}

fn is_installed() -> Result<bool, BuildError> {
    let mut command = Command::new(rustc());
    let libdir = output_of(command.args(["--print", "target-libdir", "--target", TARGET]))?;
    let Ok(entries) = std::fs::read_dir(libdir.trim()) else { return Ok(false) };
    let is_std = |name: OsString| {
        let name = name.to_string_lossy();
        name.starts_with("libstd-") && name.ends_with(".rlib")
    };
    Ok(entries.flatten().any(|entry| is_std(entry.file_name())))
}

fn add_by_rustup() -> Result<StandardLibrary, BuildError> {
    // The toolchain in use is the one of RUSTUP_TOOLCHAIN, which rustup's proxies have set for us.
    let mut command = Command::new("rustup");
    run_within(command.args(["target", "add", TARGET]).env("RUSTUP_MAX_RETRIES", "1"), RUSTUP_TIME_MAX)?;
    if is_installed()? {
        Ok(StandardLibrary::InSysroot(StdSource::Rustup))
    } else {
        let output = "rustup added the target to another toolchain than the one that compiles".into();
        Err(BuildError::Failed { command: format!("rustup target add {TARGET}"), output })
    }
}

fn lock(target_dir: &Path) -> Result<File, BuildError> {
    let path = target_dir.join("std.lock");
    let at = |source| BuildError::File { path: path.clone(), source };
    std::fs::create_dir_all(target_dir).map_err(at)?;
    let file = File::create(&path).map_err(at)?;
    file.lock().map_err(at)?;
    Ok(file)
}
