//! Promise one: the official clients work when only their base URL changes.
//!
//! Each test starts nothing of its own but a Python process with the pinned client; the server is the real one with its bundled
//! plugins and built-in model. The clients are installed by the tests (see `clients/environments.py`).

#[path = "harness/mod.rs"]
mod harness;

use harness::server::{Server, Setup};
use harness::{kept_folder, python};

/// The built-in chat model.
const MODEL: &str = "mimus-chat";

/// The built-in embedding model.
const EMBEDDING_MODEL: &str = "mimus-embed";

fn openai(environment: &str, script: &str) {
    let server = Server::shared();
    let base = format!("{}/v1", server.base("openai"));
    python::run(environment, script, &[&base, MODEL, EMBEDDING_MODEL]);
}

fn lmdeploy(release: &str) {
    let server = Server::shared();
    python::run(&format!("lmdeploy-{release}"), "lmdeploy_chat.py", &[server.base("lmdeploy"), MODEL, release]);
}

#[test]
fn openai_3_holds_a_conversation() {
    openai("openai-3", "openai_chat.py");
}

#[test]
fn openai_1_holds_a_conversation() {
    openai("openai-1", "openai_chat.py");
}

#[test]
fn openai_3_uses_tools_and_shapes() {
    openai("openai-3", "openai_tools.py");
}

#[test]
fn openai_1_uses_tools_and_shapes() {
    openai("openai-1", "openai_tools.py");
}

#[test]
fn openai_3_keeps_responses() {
    openai("openai-3", "openai_responses.py");
}

#[test]
fn openai_1_keeps_responses() {
    openai("openai-1", "openai_responses.py");
}

#[test]
fn openai_3_embeds() {
    openai("openai-3", "openai_embeddings.py");
}

#[test]
fn openai_1_embeds() {
    openai("openai-1", "openai_embeddings.py");
}

#[test]
fn cohere_reranks() {
    let server = Server::shared();
    python::run("cohere", "cohere_rerank.py", &[server.base("openai"), "mimus-rerank"]);
}

#[test]
fn openai_for_node_does_it_all() {
    openai("node-openai", "openai_node.cjs");
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

/// The package that FastChat's manual was written for.
#[test]
fn openai_0_holds_a_conversation_with_fastchat() {
    let names = "gpt-3.5-turbo,text-davinci-003";
    let server = Setup::default().config(&format!("[plugin.fastchat.settings]\nmodel_names = \"{names}\"\n")).start();
    python::run("openai-0", "fastchat_openai.py", &[server.base("fastchat"), MODEL, names]);
}

/// FastChat's own scripts, which ask a controller for a worker.
#[test]
fn fastchats_scripts_find_the_worker() {
    let server = Server::shared();
    python::run("fastchat", "fastchat_tools.py", &[server.base("fastchat"), MODEL]);
}

/// FastChat's own server in front of the worker and the controller answers what the dialect answers by itself.
#[test]
fn fastchats_own_server_says_the_same() {
    let server = Server::shared();
    python::run("fastchat-server", "fastchat_server.py", &[server.base("fastchat"), MODEL]);
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

/// Xinference's synchronous client of one release, from an environment of that name.
fn xinference(environment: &str, release: &str) {
    let server = Server::start();
    python::run(environment, "xinference_basics.py", &[server.base("xinference"), release]);
}

/// The genuine import of late 2023.
#[test]
fn xinference_0_5_6_launches_and_answers() {
    xinference("xinference-0.5.6", "0.5.6");
}

/// The client of early 2024, whose streams know no `[DONE]`.
#[test]
fn xinference_0_8_5_launches_and_answers() {
    xinference("xinference-client-0.8.5.1", "0.8.5.1");
}

/// The last release whose `chat` takes a prompt and a history.
#[test]
fn xinference_0_14_4_launches_and_answers() {
    xinference("xinference-client-0.14.4.post1", "0.14.4.post1");
}

#[test]
fn xinference_4_1_0_launches_and_answers() {
    xinference("xinference-client-4.1.0", "4.1.0");
}

#[test]
fn xinference_4_1_0_looks_after_models() {
    let server = Server::start();
    python::run("xinference-client-4.1.0", "xinference_new.py", &[server.base("xinference")]);
}

#[test]
fn xinference_4_1_0_works_asynchronously() {
    let server = Server::start();
    python::run("xinference-client-4.1.0", "xinference_async.py", &[server.base("xinference")]);
}

#[test]
fn xinference_0_8_5_reranks() {
    let server = Server::start();
    python::run("xinference-client-0.8.5.1", "xinference_rerank.py", &[server.base("xinference"), "0.8.5.1"]);
}

#[test]
fn xinference_4_1_0_reranks() {
    let server = Server::start();
    python::run("xinference-client-4.1.0", "xinference_rerank.py", &[server.base("xinference"), "4.1.0"]);
}

/// The password and the token are the server's key.
#[test]
fn xinference_4_1_0_logs_in() {
    // The SHA-256 digest of `secret`.
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let server = Setup::default().config(&format!("[server]\napi_keys = [\"{digest}\"]\n")).start();
    python::run("xinference-client-4.1.0", "xinference_login.py", &[server.base("xinference"), "secret"]);
}

/// OpenAI's client is what most users of Xinference have.
#[test]
fn openai_3_speaks_with_xinference() {
    let server = Server::shared();
    python::run("openai-3", "xinference_openai.py", &[server.base("xinference")]);
}

/// The command line of late 2023, which reads the list of models as it was then.
#[test]
fn xinference_0_5_6_works_in_a_terminal() {
    let server = Setup::default().config("[plugin.xinference.settings]\nmodels_by_uid = true\n").start();
    python::run("xinference-0.5.6", "xinference_terminal.py", &[server.base("xinference"), "0.5.6"]);
}

#[test]
fn xinference_4_1_0_works_in_a_terminal() {
    let server = Server::start();
    python::run("xinference-4.1.0", "xinference_terminal.py", &[server.base("xinference"), "4.1.0"]);
}

/// One script of checks with Roboflow's client of one release.
fn roboflow(release: &str, script: &str) {
    let server = Server::start();
    python::run(&format!("roboflow-{release}"), script, &[server.base("roboflow"), release]);
}

/// The oldest client that can be had: detection, masks, keypoints and classes in both of its modes.
#[test]
fn roboflow_0_9_23_predicts() {
    roboflow("0.9.23", "roboflow_infer.py");
}

#[test]
fn roboflow_1_8_3_predicts() {
    roboflow("1.8.3", "roboflow_infer.py");
}

#[test]
fn roboflow_0_9_23_embeds_and_reads() {
    roboflow("0.9.23", "roboflow_core.py");
}

#[test]
fn roboflow_1_8_3_embeds_and_reads() {
    roboflow("1.8.3", "roboflow_core.py");
}

#[test]
fn roboflow_0_9_23_looks_through_folders_and_videos() {
    roboflow("0.9.23", "roboflow_streams.py");
}

#[test]
fn roboflow_1_8_3_looks_through_folders_and_videos() {
    roboflow("1.8.3", "roboflow_streams.py");
}

/// The key stands in the body, in the query or in a header, as each release and mode has it.
#[test]
fn roboflow_sends_its_key() {
    // The SHA-256 digest of `secret`.
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let server = Setup::default().config(&format!("[server]\napi_keys = [\"{digest}\"]\n")).start();
    for release in ["0.9.23", "1.8.3"] {
        let arguments = [server.base("roboflow"), release, "secret"];
        python::run(&format!("roboflow-{release}"), "roboflow_keys.py", &arguments);
    }
}

/// Gradio's Python client of one release at all apps.
fn gradio(release: &str) {
    let server = Server::start();
    python::run(&format!("gradio-{release}"), "gradio_calls.py", &[server.base("gradio"), MODEL, release]);
}

/// The last release of the time of Gradio 3: one websocket for each call.
#[test]
fn gradio_0_6_1_calls() {
    gradio("0.6.1");
}

/// The first that takes `sse_v1`.
#[test]
fn gradio_0_7_3_calls() {
    gradio("0.7.3");
}

#[test]
fn gradio_1_3_0_calls() {
    gradio("1.3.0");
}

#[test]
fn gradio_2_7_2_calls() {
    gradio("2.7.2");
}

fn gradio_for_node(release: &str) {
    let server = Server::start();
    python::run(&format!("node-gradio-{release}"), "gradio_node.cjs", &[server.base("gradio"), MODEL, release]);
}

#[test]
fn gradio_0_20_1_for_node_calls() {
    gradio_for_node("0.20.1");
}

#[test]
fn gradio_1_19_1_for_node_calls() {
    gradio_for_node("1.19.1");
}

#[test]
fn gradio_2_7_0_for_node_calls() {
    gradio_for_node("2.7.0");
}

/// `lmdeploy serve gradio URL`: lmdeploy's own page in front of its dialect.
#[test]
fn lmdeploys_page_finds_its_server() {
    let server = Server::shared();
    python::run("lmdeploy-page", "gradio_lmdeploy.py", &[server.base("lmdeploy"), MODEL]);
}

/// `gr.load_chat` in front of OpenAI's dialect.
#[test]
fn gradios_own_page_loads_a_chat() {
    let server = Server::shared();
    let base = format!("{}/v1", server.base("openai"));
    python::run("gradio-load-chat", "gradio_load_chat.py", &[&base, MODEL]);
}
