//! Promise four: people who open the server's address in a browser can use all of it.
//!
//! Each test is a script in `browser/` that drives the system's Chromium (installed by the first script that finds none) against the
//! real server. What the scripts watch in all of them, see `browser/harness.py`: nothing in the console, and no request to any other
//! place. Screenshots stay in the folder that each script prints.

#[path = "harness/mod.rs"]
mod harness;

use std::fs;

use harness::server::{Server, Setup};
use harness::{kept_folder, python, repository};
use mimus_test_guests::{Temper, versioned};

/// Runs a script against a server. Its arguments: where the server is, the folder for screenshots, then `more`.
fn browse(script: &str, server: &Server, more: &[&str]) {
    let address = format!("http://{}", server.listen);
    let shots = kept_folder("browser");
    let mut arguments = vec![address.as_str(), shots.to_str().expect("a path in UTF-8")];
    arguments.extend(more);
    python::run_file("browser", &repository().join("tests/browser").join(script), &arguments);
}

#[test]
fn people_hold_conversations() {
    browse("chat.py", &Server::shared(), &[]);
}

#[test]
fn answers_are_shown_as_they_come_and_do_no_harm() {
    browse("answers.py", &Server::shared(), &[]);
}

#[test]
fn pictures_are_dropped_and_looked_at() {
    let drawing = repository().join("host/models/shapes/1/eval/detection/00.png");
    let sign = repository().join("host/models/mimus-read/eval/00-plain.png");
    let path = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
    browse("pictures.py", &Server::shared(), &[&path(&drawing), &path(&sign)]);
}

#[test]
fn the_playground_shows_what_models_do() {
    browse("playground.py", &Server::shared(), &[]);
}

/// A dialect that the page has never heard of is shown as well.
#[test]
fn every_dialect_is_shown_with_its_address() {
    let server = Setup::default().plugin("versioned.wasm", &versioned("0001", Temper::Good)).start();
    let names: Vec<&str> = server.bases.keys().map(String::as_str).collect();
    assert!(names.contains(&"versioned"), "{names:?}");
    browse("dialects.py", &server, &[&names.join(",")]);
}

#[test]
fn operators_see_swaps_and_figures() {
    let server = Setup::default().plugin("versioned.wasm", &versioned("0001", Temper::Good)).start();
    // The script puts these into the folder while the page is open.
    let waiting = tempfile::tempdir().expect("a temporary folder can be made");
    fs::write(waiting.path().join("good"), versioned("0002", Temper::Good)).expect("it is writable");
    fs::write(waiting.path().join("bad"), b"no component").expect("it is writable");
    let path = |path: &std::path::Path| path.to_str().expect("a path in UTF-8").to_owned();
    browse("operations.py", &server, &[&path(&server.plugins), &path(waiting.path())]);
}

#[test]
fn the_key_is_asked_for() {
    // The SHA-256 digest of `secret`.
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let server = Setup::default().config(&format!("[server]\napi_keys = [\"{digest}\"]\n")).start();
    browse("key.py", &server, &["secret"]);
}

#[test]
fn the_page_is_for_everyone() {
    browse("everyone.py", &Server::shared(), &[]);
}
