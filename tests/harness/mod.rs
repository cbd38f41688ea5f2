//! What the end-to-end tests share: the real server as a child process, a small HTTP client that sees every byte, and the official
//! Python clients.
//!
//! Each test target includes this folder with `#[path = "harness/mod.rs"] mod harness;`. Nothing here knows a dialect.

// Each target uses its own part.
#![allow(dead_code)]

pub mod client;
pub mod component;
pub mod python;
pub mod server;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// Longest wait for anything that should happen soon. Generous, because new plugins are compiled at low priority and the machine may
/// be building at the same time.
pub const PATIENCE: Duration = Duration::from_secs(200);

/// The repository's root folder.
pub fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .ancestors()
        .find(|folder| folder.join("wit").is_dir())
        .expect("a folder above the package holds wit/")
        .to_owned()
}

/// A folder below the build folder that outlives the test run, for what is dear to make.
pub fn kept_folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::create_dir_all(&folder).expect("the build folder is writable");
    folder
}

/// Asks until the answer is there, at most [`PATIENCE`] long; `what` says in the failure what was waited for.
pub fn eventually<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(started.elapsed() < PATIENCE, "waited {PATIENCE:?} in vain: {what}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Bytes as clients put them into JSON.
pub fn base64(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let group = |group: &[u8]| {
        let bits = group.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - group.len()));
        let digit = |index: usize| char::from(DIGITS[(bits >> (18 - 6 * index)) as usize & 63]);
        (0..4).map(|index| if index <= group.len() { digit(index) } else { '=' }).collect::<String>()
    };
    bytes.chunks(3).map(group).collect()
}
