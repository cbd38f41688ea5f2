//! The standard library's sources and a C library for the target, from Debian's archive.
//!
//! For machines that reach a Debian mirror and no rustup server. The system stays as it is: apt works on lists and a cache of its own
//! below the target directory, and nothing is installed.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::standard_library::rustc;
use crate::tool::{cannot_run, failed, output_of, run_within};
use crate::{BuildError, TARGET};

/// Suites in which a current `rust-src` and a `wasi-libc` for the target are found.
const SUITES: [&str; 2] = ["trixie-backports", "sid"];
const MIRROR_DEFAULT: &str = "http://deb.debian.org/debian";
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const APT_TIME_MAX: Duration = Duration::from_secs(300);

/// Folders that `-Zbuild-std` needs.
pub(crate) struct Sources {
    /// The folder `library` of the compiler's sources.
    pub(crate) library: PathBuf,
    /// The folder with the target's `libc.a`.
    pub(crate) libc: PathBuf,
}

/// Fetches both packages into `folder`, unless they are there.
pub(crate) fn fetch(folder: &Path) -> Result<Sources, BuildError> {
    let release = rustc_release()?;
    let sources = Sources {
        library: folder.join(format!("usr/src/rustc-{release}/library")),
        libc: folder.join("usr/lib").join(TARGET),
    };
    if !sources.library.join("Cargo.lock").is_file() {
        let apt = Apt::prepare(folder)?;
        let version = apt.version_of("rust-src", &release)?;
        let package = apt.download("rust-src", &version)?;
        let library = format!("./usr/src/rustc-{release}/library");
        unpack(&package, folder, &[&library])?;
    }
    if !sources.libc.join("libc.a").is_file() {
        let apt = Apt::prepare(folder)?;
        let version = apt.version_of("wasi-libc", "")?;
        let package = apt.download("wasi-libc", &version)?;
        unpack(&package, folder, &[])?;
    }
    for file in [sources.library.join("Cargo.lock"), sources.libc.join("libc.a")] {
        std::fs::metadata(&file).map_err(|source| BuildError::File { path: file, source })?;
    }
    Ok(sources)
}

/// `1.95.0`.
fn rustc_release() -> Result<String, BuildError> {
    let mut command = Command::new(rustc());
    let version = output_of(command.arg("--version"))?;
    version.split_whitespace().nth(1).map(str::to_owned).ok_or_else(|| failed(&command, &version))
}

/// apt with its lists and cache in a folder of ours.
struct Apt {
    folder: PathBuf,
}

impl Apt {
    fn prepare(folder: &Path) -> Result<Apt, BuildError> {
        let apt = Apt { folder: std::path::absolute(folder).map_err(|source| at(folder, source))? };
        let sources: String = match mirrors().as_slice() {
            [] => source_lines(MIRROR_DEFAULT),
            mirrors => mirrors.iter().map(|mirror| source_lines(mirror)).collect(),
        };
        for part in ["lists/partial", "cache/archives/partial"] {
            let part = apt.folder.join(part);
            std::fs::create_dir_all(&part).map_err(|source| at(&part, source))?;
        }
        let file = apt.folder.join("sources.list");
        std::fs::write(&file, sources).map_err(|source| at(&file, source))?;
        run_within(apt.command("apt-get").arg("update"), APT_TIME_MAX)?;
        Ok(apt)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let setting = |name: &str, path: &str| format!("{name}={}", self.folder.join(path).display());
        for setting in [
            setting("Dir::Etc::sourcelist", "sources.list"),
            "Dir::Etc::sourceparts=/dev/null".into(),
            "Dir::Etc::preferences=/dev/null".into(),
            "Dir::Etc::preferencesparts=/dev/null".into(),
            setting("Dir::State::Lists", "lists"),
            setting("Dir::Cache", "cache"),
            "Acquire::Languages=none".into(),
            "Acquire::Retries=1".into(),
            // The folder belongs to whoever builds, so apt's own user could not write to it.
            "APT::Sandbox::User=".into(),
        ] {
            command.arg("-o").arg(setting);
        }
        command.current_dir(&self.folder);
        command
    }

    /// The newest version of a package that belongs to `release` (`1.95.0+dfsg1-2` to `1.95.0`); any for an empty `release`.
    fn version_of(&self, package: &str, release: &str) -> Result<String, BuildError> {
        let mut command = self.command("apt-cache");
        let table = output_of(command.args(["madison", package]))?;
        pick_version(&table, release).map(str::to_owned).ok_or_else(|| {
            let missing = if release.is_empty() { "no version".into() } else { format!("no version {release}") };
            failed(&command, &format!("{missing} of {package} in {}:\n{table}", SUITES.join(" or ")))
        })
    }

    fn download(&self, package: &str, version: &str) -> Result<PathBuf, BuildError> {
        let mut command = self.command("apt-get");
        run_within(command.arg("download").arg(format!("{package}={version}")), APT_TIME_MAX)?;
        let prefix = format!("{package}_");
        let entries = std::fs::read_dir(&self.folder).map_err(|source| at(&self.folder, source))?;
        let is_it = |path: &PathBuf| {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            name.starts_with(&prefix) && name.ends_with(".deb")
        };
        let found = entries.flatten().map(|entry| entry.path()).find(is_it);
        found.ok_or_else(|| failed(&command, "it left no file"))
    }
}

/// `package | version | source` lines, newest first.
fn pick_version<'a>(table: &'a str, release: &str) -> Option<&'a str> {
    let versions = table.lines().filter_map(|line| line.split('|').nth(1)).map(str::trim);
    // After the release comes a sign, so that 1.95.0 does not take 1.95.01.
    let belongs = |version: &&str| match version.strip_prefix(release) {
        Some(rest) => release.is_empty() || !rest.starts_with(|next: char| next.is_ascii_digit() || next == '.'),
        None => false,
    };
    versions.into_iter().find(belongs)
}

/// The Debian archives that this machine's apt uses already: they are reachable and trusted.
fn mirrors() -> Vec<String> {
    let mut command = Command::new("apt-get");
    let targets = output_of(command.args(["indextargets", "--format", "$(REPO_URI)"])).unwrap_or_default();
    let mut mirrors: Vec<String> = Vec::new();
    for mirror in targets.lines().map(|line| line.trim_end_matches('/').to_owned()) {
        if mirror.ends_with("/debian") && !mirrors.contains(&mirror) {
            mirrors.push(mirror);
        }
    }
    mirrors
}

fn source_lines(mirror: &str) -> String {
    let signed = if Path::new(KEYRING).exists() { format!("[signed-by={KEYRING}] ") } else { String::new() };
    SUITES.iter().map(|suite| format!("deb {signed}{mirror} {suite} main\n")).collect()
}

/// Unpacks a package, or some of its folders.
fn unpack(package: &Path, folder: &Path, members: &[&str]) -> Result<(), BuildError> {
    let mut reader = Command::new("dpkg-deb");
    let child = reader.arg("--fsys-tarfile").arg(package).stdout(Stdio::piped()).spawn();
    let mut child = child.map_err(|source| cannot_run(&reader, source))?;
    let archive = child.stdout.take().expect("stdout is piped");
    let mut writer = Command::new("tar");
    writer.arg("-x").arg("--no-same-owner").arg("-C").arg(folder).args(members).stdin(archive);
    let output = writer.output().map_err(|source| cannot_run(&writer, source))?;
    let read = child.wait().map_err(|source| cannot_run(&reader, source))?;
    if !output.status.success() {
        return Err(failed(&writer, &String::from_utf8_lossy(&output.stderr)));
    }
    if !read.success() {
        return Err(failed(&reader, ""));
    }
    std::fs::remove_file(package).map_err(|source| at(package, source))
}

fn at(path: &Path, source: std::io::Error) -> BuildError {
    BuildError::File { path: path.into(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn picks_the_version_of_the_compiler() {
        let table = "\
  rust-src | 1.96.0+dfsg1-1 | mirror sid/main amd64 Packages
  rust-src | 1.95.01-1 | mirror sid/main amd64 Packages
  rust-src | 1.95.0+dfsg1-2~bpo13+1 | mirror trixie-backports/main amd64 Packages
";
        let cases = [
            ("1.95.0", Some("1.95.0+dfsg1-2~bpo13+1")),
            ("1.96.0", Some("1.96.0+dfsg1-1")),
            ("1.94.0", None),
            ("", Some("1.96.0+dfsg1-1")),
        ];
        for (release, expect) in cases {
            assert_eq!(pick_version(table, release), expect, "{release}");
        }
    }
}
