//! Promise one: the official clients work when only their base URL changes.
//!
//! Each test starts nothing of its own but a Python process with the pinned client; the server is the real one with its bundled
//! plugins and built-in model. The clients are installed by the tests (see `clients/environments.py`).

#[path = "harness/mod.rs"]
mod harness;

use harness::server::Server;
use harness::{kept_folder, python};

/// The built-in chat model.
const MODEL: &str = "mimus-chat";

fn openai(environment: &str) {
    let server = Server::shared();
    python::run(environment, "openai_chat.py", &[&format!("{}/v1", server.base("openai")), MODEL]);
}

fn lmdeploy(release: &str) {
    let server = Server::shared();
    python::run(&format!("lmdeploy-{release}"), "lmdeploy_chat.py", &[server.base("lmdeploy"), MODEL, release]);
}

#[test]
fn openai_3_holds_a_conversation() {
    openai("openai-3");
}

#[test]
fn openai_1_holds_a_conversation() {
    openai("openai-1");
}

/// The first release with `encode`; streams lines without looking at errors.
#[test]
fn lmdeploy_0_1_0_holds_a_conversation() {
    lmdeploy("0.1.0");
}

#[test]
fn lmdeploy_0_2_6_holds_a_conversation() {
    lmdeploy("0.2.6");
}

#[test]
fn lmdeploy_0_4_2_holds_a_conversation() {
    lmdeploy("0.4.2");
}

/// The last release with sessions.
#[test]
fn lmdeploy_0_9_2_holds_a_conversation() {
    lmdeploy("0.9.2.post1");
}

/// The last release with a client.
#[test]
fn lmdeploy_0_17_0_holds_a_conversation() {
    lmdeploy("0.17.0");
}

fn lmdeploy_terminal(release: &str) {
    let server = Server::shared();
    python::run(&format!("lmdeploy-{release}"), "lmdeploy_terminal.py", &[server.base("lmdeploy"), MODEL, release]);
}

/// `lmdeploy serve api_client` of the first manual: a conversation in a terminal.
#[test]
fn lmdeploy_0_1_0_chats_in_a_terminal() {
    lmdeploy_terminal("0.1.0");
}

/// The last release that had it.
#[test]
fn lmdeploy_0_9_2_chats_in_a_terminal() {
    lmdeploy_terminal("0.9.2.post1");
}

/// Clients that OpenAPI Generator makes of the dialect's document: the Python one is used, the Rust one is compiled.
#[test]
fn lmdeploy_clients_are_generated() {
    let server = Server::shared();
    let folder = kept_folder("generated-clients");
    let folder = folder.to_str().expect("the build folder's name is text");
    python::run("openapi-generator", "generated_clients.py", &[server.base("lmdeploy"), MODEL, folder]);
}
