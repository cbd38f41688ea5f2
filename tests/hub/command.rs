//! The real command line with a cache of its own, against the test's hub.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use serde_json::Value;
use tempfile::TempDir;

use crate::hub::Hub;

/// A user's folders.
pub struct User {
    folder: TempDir,
    url: String,
}

impl User {
    /// A user of this hub who has downloaded nothing.
    pub fn of(hub: &Hub) -> User {
        User::at(&hub.url)
    }

    /// A user whose hub should be there.
    pub fn at(url: &str) -> User {
        let folder = tempfile::Builder::new().prefix("mimus-hub-").tempdir().expect("a temporary folder can be made");
        fs::write(folder.path().join("mimus.toml"), "[hub]\nstall_s = 1\n").expect("writable");
        User { folder, url: url.to_owned() }
    }

    /// The cache that the user shares with other programs.
    pub fn cache(&self) -> PathBuf {
        self.folder.path().join("cache")
    }

    /// The folder of a repository in it.
    pub fn repo(&self, repo: &str) -> PathBuf {
        self.cache().join(format!("models--{}", repo.replace('/', "--")))
    }

    /// A file of `blobs/` that ends like this.
    pub fn blob(&self, repo: &str, ending: &str) -> Option<PathBuf> {
        let entries = fs::read_dir(self.repo(repo).join("blobs")).ok()?;
        entries.flatten().map(|entry| entry.path()).find(|path| path.to_string_lossy().ends_with(ending))
    }

    /// Bytes of a blob under way.
    pub fn partial_bytes(&self, repo: &str, etag: &str) -> u64 {
        let path = self.repo(repo).join("blobs").join(format!("{etag}.incomplete"));
        fs::metadata(path).map_or(0, |meta| meta.len())
    }

    /// `mimus model …`, ready to start.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mimus"));
        command.arg("model").args(arguments);
        self.prepare(&mut command);
        command
    }

    /// The same by way of a shell, which says something before.
    pub fn command_after(&self, shell: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new("sh");
        command.arg("-c").arg(format!("{shell}; exec \"$0\" model \"$@\"")).arg(env!("CARGO_BIN_EXE_mimus"));
        command.args(arguments);
        self.prepare(&mut command);
        command
    }

    fn prepare(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            let name = name.to_string_lossy().into_owned();
            if ["HF_", "HUGGINGFACE_", "XDG_"].iter().any(|prefix| name.starts_with(prefix)) {
                command.env_remove(name);
            }
        }
        command.env("HOME", self.folder.path()).env("HF_HUB_CACHE", self.cache()).env("HF_ENDPOINT", &self.url);
        command.current_dir(self.folder.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    }

    /// Starts a download and does not wait for it.
    pub fn start_pull(&self, target: &str) -> Child {
        self.command(&["pull", target, "--json"]).spawn().expect("the binary starts")
    }

    /// Downloads; the path it printed.
    #[track_caller]
    pub fn pull(&self, target: &str) -> PathBuf {
        path_of(&self.command(&["pull", target, "--json"]).output().expect("the binary starts"))
    }

    /// A download that must fail; its message.
    #[track_caller]
    pub fn pull_fails(&self, target: &str) -> String {
        message_of(&self.command(&["pull", target, "--json"]).output().expect("the binary starts"))
    }
}

/// The path of a download that must have gone well.
#[track_caller]
pub fn path_of(output: &Output) -> PathBuf {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let last = events(output).pop().expect("at least one event");
    assert_eq!(last["event"], "done", "{last}");
    PathBuf::from(last["path"].as_str().expect("a path"))
}

/// The message of a download that must have failed.
#[track_caller]
pub fn message_of(output: &Output) -> String {
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let last = events(output).pop().expect("at least one event");
    assert_eq!(last["event"], "error", "{last}");
    let message = last["message"].as_str().expect("a text").to_owned();
    assert!(String::from_utf8_lossy(&output.stderr).contains(&message), "people are told as well");
    message
}

/// The events of a download.
pub fn events(output: &Output) -> Vec<Value> {
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect()
}

/// Whether a file is below a folder and is what it should be.
pub fn holds(folder: &Path, name: &str, bytes: &[u8]) -> bool {
    fs::read(folder.join(name)).is_ok_and(|there| there == bytes)
}
