//! The official clients, in Python or in Node: installed once at their pinned versions, then run as child processes.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use super::{kept_folder, repository};

/// Installs the environment of that name (see `clients/environments.py`) if need be, runs a script of `clients/` in it, and fails
/// with the script's output unless it succeeds.
pub fn run(environment: &str, script: &str, arguments: &[&str]) {
    run_file(environment, &repository().join("tests/clients").join(script), arguments);
}

/// The same for a script at any place.
pub fn run_file(environment: &str, script: &Path, arguments: &[&str]) {
    let environment = prepare(&repository().join("tests/clients"), environment);
    let output = Command::new(&environment.interpreter)
        .arg(script)
        .args(arguments)
        .env("PYTHONPATH", &environment.path)
        .env("NODE_PATH", &environment.path)
        .env("PYTHONPYCACHEPREFIX", kept_folder("clients").join("compiled"))
        .env("NO_PROXY", "*")
        .output()
        .expect("the environment's interpreter starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}:\n{text}\n{}", script.display(), String::from_utf8_lossy(&output.stderr));
    // Shown by `cargo test -- --nocapture`.
    println!("{text}");
}

struct Environment {
    interpreter: String,
    path: String,
}

fn prepare(clients: &Path, name: &str) -> Environment {
    let output = Command::new("python3")
        .arg(clients.join("environments.py"))
        .arg(kept_folder("clients"))
        .arg(name)
        .output()
        .expect("python3 is installed: the tests need it to run the official clients");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout).expect("one line of JSON");
    let field = |key: &str| answer[key].as_str().expect("a string").to_owned();
    Environment { interpreter: field("interpreter"), path: field("path") }
}
