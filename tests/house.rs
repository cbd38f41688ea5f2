//! The repository's own rules: who may know whom, and what no file may hold.
//!
//! Reads the sources as text; needs no server.

#[path = "harness/mod.rs"]
mod harness;

use std::fs;
use std::path::{Path, PathBuf};

use harness::repository;

/// Names of the APIs that plugins speak, and of their makers' servers.
const DIALECTS: &[&str] =
    &["openai", "lmdeploy", "fastchat", "xinference", "roboflow", "gradio", "vllm", "anthropic", "ollama"];

/// Names of crates that belong to one room of the house.
const ROOMS: &[(&str, &[&str])] = &[
    ("wasmtime", &["host/src/plugin"]),
    ("candle", &["host/engine"]),
    ("llguidance", &["host/engine/src/grammar"]),
    ("hyper", &["host/src/http"]),
    ("tokio_tungstenite", &["host/src/http"]),
    ("redb", &["host/src/state"]),
    ("hf_hub", &["host/src/hub"]),
    ("rten", &["host/engine/onnx"]),
    ("reqwest", &["host/src/hub", "host/media/src/fetch"]),
    ("zune_jpeg", &["host/media/src/decode"]),
    ("ab_glyph", &["host/media/src/draw"]),
];

#[test]
fn the_host_names_no_dialect() {
    for file in sources("host/src") {
        let text = product_code(&file).to_lowercase();
        for (number, line) in text.lines().enumerate() {
            for name in DIALECTS {
                assert!(!holds_word(line, name), "{}:{}: the host names `{name}`: {line}", file.display(), number + 1);
            }
        }
    }
}

#[test]
fn each_library_is_named_in_its_room_alone() {
    for file in sources("host") {
        let text = product_code(&file);
        for (library, rooms) in ROOMS {
            let is_inside = rooms.iter().any(|room| {
                let room = repository().join(room);
                file.starts_with(&room) || file == room.with_extension("rs")
            });
            for (number, line) in text.lines().enumerate() {
                // The name as a path: `library::…`, `library_util::…`, `use library…`.
                let is_named = line.contains(&format!("{library}::")) || line.contains(&format!("use {library}"));
                assert!(
                    is_inside || !is_named,
                    "{}:{}: `{library}` outside its room: {line}",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn the_engine_knows_no_http_and_no_plugin() {
    let manifest = dependencies("host/engine/Cargo.toml");
    for library in ["hyper", "wasmtime", "axum", "http", "wit-bindgen", "mimus-sdk", "mimus-bundle"] {
        assert!(!manifest.iter().any(|name| name == library), "the engine depends on {library}");
    }
}

#[test]
fn plugins_know_the_contract_alone() {
    for folder in fs::read_dir(repository().join("plugins")).expect("plugins/ is there").flatten() {
        let file = folder.path().join("Cargo.toml");
        if folder.file_name() == "bundle" || !file.is_file() {
            continue;
        }
        for library in ["mimus", "mimus-engine", "mimus-models", "hyper", "tokio", "wasmtime", "candle-core"] {
            assert!(
                !dependencies_of(&file).iter().any(|name| name == library),
                "{}: depends on {library}",
                file.display()
            );
        }
    }
}

#[test]
fn product_code_does_not_unwrap() {
    for room in ["host", "sdk", "plugins"] {
        for file in sources(room) {
            for (number, line) in product_code(&file).lines().enumerate() {
                let code = line.split("//").next().unwrap_or_default();
                assert!(
                    !code.contains(".unwrap()"),
                    "{}:{}: say why it cannot fail: {line}",
                    file.display(),
                    number + 1
                );
            }
        }
    }
}

#[test]
fn nothing_reads_pickles() {
    let lock = fs::read_to_string(repository().join("Cargo.lock")).expect("the lock file is there");
    for line in lock.lines().filter_map(|line| line.strip_prefix("name = ")) {
        assert!(!line.contains("pickle"), "a crate that reads pickles: {line}");
    }
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    // Split, so that this file does not hold them.
    let places = [["/ho", "me/"], ["/ro", "ot/"], ["/Us", "ers/"], ["/wo", "rk/"], ["/tmp/", "work"]]
        .map(|parts| parts.concat());
    for file in texts(&repository()) {
        let Ok(text) = fs::read_to_string(&file) else { continue };
        for (number, line) in text.lines().enumerate() {
            for place in &places {
                let is_there = line.match_indices(place.as_str()).any(|(at, _)| {
                    // Not in the middle of a longer path or URL.
                    !line[..at].ends_with(|c: char| c.is_alphanumeric() || c == '.' || c == '}' || c == ')' || c == '>')
                });
                assert!(!is_there, "{}:{}: a path of one machine: {line}", file.display(), number + 1);
            }
        }
    }
}

#[test]
fn every_interface_is_documented() {
    for file in files(&repository().join("wit"), &["wit"]) {
        let text = fs::read_to_string(&file).expect("the file can be read");
        let first = text.lines().next().unwrap_or_default();
        assert!(first.starts_with("/// "), "{}: starts without saying what it is for", file.display());
    }
}

/// Rust files below a folder that are part of a product: no tests, examples or benches.
fn sources(folder: &str) -> Vec<PathBuf> {
    let is_test = |path: &Path| {
        path.components().any(|part| {
            ["tests", "target", "benches", "examples", "build.rs"].iter().any(|name| part.as_os_str() == *name)
        })
    };
    let root = repository();
    let all = files(&root.join(folder), &["rs"]);
    all.into_iter().filter(|file| !is_test(file.strip_prefix(&root).expect("below the root"))).collect()
}

/// The file without its tests, which close it. Files named `tests.rs` are none of it.
fn product_code(file: &Path) -> String {
    if file.file_name().is_some_and(|name| name == "tests.rs") {
        return String::new();
    }
    let text = fs::read_to_string(file).expect("the file can be read");
    text.split("#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned()
}

fn holds_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        // `openapi` is a standard, not a dialect; `openai` as a part of a longer word still counts.
        !before.is_some_and(char::is_alphanumeric) && !after.is_some_and(char::is_alphanumeric)
    })
}

fn dependencies(manifest: &str) -> Vec<String> {
    dependencies_of(&repository().join(manifest))
}

/// Names under `[dependencies]` of a manifest.
fn dependencies_of(manifest: &Path) -> Vec<String> {
    let text = fs::read_to_string(manifest).expect("the manifest can be read");
    let mut names = Vec::new();
    let mut is_inside = false;
    for line in text.lines() {
        if line.starts_with('[') {
            is_inside = line.ends_with("dependencies]") && !line.contains("dev-") && !line.contains("build-");
        } else if is_inside
            && let Some(name) =
                line.split(['.', ' ', '=']).next().filter(|name| !name.is_empty() && !name.starts_with('#'))
        {
            names.push(name.to_owned());
        }
    }
    names
}

/// Text files that people wrote, below the root.
fn texts(root: &Path) -> Vec<PathBuf> {
    files(root, &["rs", "toml", "md", "wit", "py", "html", "js", "css", "json", "yml", "yaml", "sh", "run"])
}

/// Files with one of the extensions below a folder, build outputs left out.
fn files(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display())).flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() {
                if name != "target" && name != ".git" && name != "node_modules" {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|ending| extensions.iter().any(|wanted| ending == *wanted)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}
