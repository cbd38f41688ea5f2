//! Models launched and ended while others answer: nobody is disturbed, names are unique, what was launched comes back.

#[path = "harness/mod.rs"]
mod harness;
#[path = "harness/hub.rs"]
#[allow(dead_code)]
mod hub;
#[path = "hub/model.rs"]
#[allow(dead_code)]
mod shards;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use harness::client::Answer;
use harness::eventually;
use harness::server::{Server, Setup};
use hub::{Fault, Hub};
use serde_json::{Value, json};
use shards::{SHARD_2, sharded};

const MODELS: &str = "/xinference/v1/models";
const CHAT: &str = "/openai/v1/chat/completions";

fn launch(server: &Server, body: &Value) -> Answer {
    server.post(MODELS, body)
}

/// Launches a model and returns its name.
fn launched(server: &Server, body: &Value) -> String {
    let answer = launch(server, body).expect(200).json();
    answer["model_uid"].as_str().unwrap_or_else(|| panic!("no model_uid in {answer}")).to_owned()
}

fn terminate(server: &Server, name: &str) -> Answer {
    server.request("DELETE", &format!("{MODELS}/{name}"), &[], b"")
}

fn chat(model: &str) -> Value {
    json!({
        "model": model, "max_tokens": 24, "temperature": 0,
        "messages": [{"role": "user", "content": "What is the largest animal?"}],
    })
}

fn text(answer: &Value) -> &str {
    answer["choices"][0]["message"]["content"].as_str().unwrap_or_else(|| panic!("no text in {answer}"))
}

/// What the server says of a model.
fn model(server: &Server, name: &str) -> Option<Value> {
    let all = server.get("/_mimus/models").expect(200).json();
    all["models"].as_array()?.iter().find(|model| model["name"] == name).cloned()
}

#[test]
fn launches_and_terminations_disturb_no_request() {
    const LAUNCHES: usize = 20;
    let server = Arc::new(Server::start());
    let expected = server.post(CHAT, &chat("mimus-chat")).expect(200).json();
    let expected = text(&expected).to_owned();
    let is_over = Arc::new(AtomicBool::new(false));
    let answered = Arc::new(AtomicUsize::new(0));
    let clients: Vec<_> = (0..3)
        .map(|_| {
            let (server, expected) = (server.clone(), expected.clone());
            let (is_over, answered) = (is_over.clone(), answered.clone());
            thread::spawn(move || {
                while !is_over.load(Ordering::Acquire) {
                    let answer = server.post(CHAT, &chat("mimus-chat")).expect(200).json();
                    assert_eq!(text(&answer), expected);
                    answered.fetch_add(1, Ordering::AcqRel);
                }
            })
        })
        .collect();
    let memory = || server.resident_kib();
    let mut after_first = 0;
    for round in 0..LAUNCHES {
        let before = answered.load(Ordering::Acquire);
        let (family, kind) = [("mimus-chat", "LLM"), ("mimus-embed", "embedding")][round % 2];
        let name =
            launched(&server, &json!({"model_name": family, "model_type": kind, "model_uid": format!("m-{round}")}));
        assert_eq!(name, format!("m-{round}"));
        if kind == "LLM" {
            let answer = server.post(CHAT, &chat(&name)).expect(200).json();
            assert_eq!(text(&answer), expected, "the launched model answers as the same model does");
            // A request that runs when the model is ended gets its whole answer.
            let mut body = chat(&name);
            body["stream"] = json!(true);
            let mut stream = server.open_stream(CHAT, &body);
            let first = stream.piece().expect("the stream flows").expect("it has begun");
            terminate(&server, &name).expect(200);
            let rest = stream.rest().expect("the stream goes on");
            let whole = String::from_utf8([first, rest].concat()).expect("text");
            assert!(whole.trim_end().ends_with("data: [DONE]"), "{whole}");
        } else {
            let body = json!({"model": name, "input": "a text"});
            server.post("/openai/v1/embeddings", &body).expect(200);
            terminate(&server, &name).expect(200);
        }
        server.post(CHAT, &chat(&name)).expect(404);
        terminate(&server, &name).expect(400);
        eventually("the clients go on", || (answered.load(Ordering::Acquire) > before).then_some(()));
        if round == 1 {
            after_first = memory();
        }
    }
    is_over.store(true, Ordering::Release);
    for client in clients {
        client.join().expect("no request failed");
    }
    // Nine more pairs of models have come and gone. Each would be some 20 MiB if its memory were not given back.
    let grown = memory().saturating_sub(after_first);
    assert!(grown < 60 << 10, "{grown} KiB more than after the first two");
    println!("{LAUNCHES} launches, {} chats beside them, {grown} KiB grown", answered.load(Ordering::Acquire));
}

#[test]
fn one_of_many_launches_of_a_name_wins() {
    let server = Arc::new(Server::start());
    let body = json!({"model_name": "mimus-chat", "model_uid": "one"});
    let launches: Vec<_> = (0..8)
        .map(|_| {
            let (server, body) = (server.clone(), body.clone());
            thread::spawn(move || launch(&server, &body).status)
        })
        .collect();
    let mut statuses: Vec<u16> = launches.into_iter().map(|launch| launch.join().expect("no panic")).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 400, 400, 400, 400, 400, 400, 400]);
    // Without a name, each launch gets one of its own.
    let first = launched(&server, &json!({"model_name": "mimus-embed", "model_type": "embedding"}));
    let second = launched(&server, &json!({"model_name": "mimus-embed", "model_type": "embedding"}));
    assert!(first != second && second.starts_with("mimus-embed-") && second.len() == "mimus-embed-".len() + 8);
}

#[test]
fn launched_models_come_back_after_a_restart() {
    let mut server = Server::start();
    launched(&server, &json!({"model_name": "mimus-chat", "model_uid": "kept"}));
    launched(&server, &json!({"model_name": "mimus-chat", "model_uid": "ended"}));
    terminate(&server, "ended").expect(200);
    server.kill();
    server.start_again();
    let status =
        eventually("the model is back", || model(&server, "kept").filter(|model| model["readiness"] == "ready"));
    assert_eq!(status["registry_family"], "mimus-chat");
    assert!(model(&server, "ended").is_none());
    server.post(CHAT, &chat("kept")).expect(200);
}

#[test]
fn a_server_that_lets_clients_launch_nothing_says_so() {
    let server = Setup::default().config("[launch]\nallow = false\n").start();
    let answer = launch(&server, &json!({"model_name": "mimus-chat"}));
    assert!((400..500).contains(&answer.status), "{}", answer.text());
    assert!(answer.text().contains("operator"), "{}", answer.text());
    // What the configuration has, no client ends.
    let server = Server::start();
    let answer = terminate(&server, "mimus-chat");
    assert!((400..500).contains(&answer.status) && answer.text().contains("configuration"), "{}", answer.text());
    server.post(CHAT, &chat("mimus-chat")).expect(200);
}

#[test]
fn a_path_outside_the_operators_folders_is_nobodys_business() {
    let server = Server::start();
    for path in ["/etc", "/etc/passwd", "/no/such/folder", "../..", "/proc/self"] {
        let body = json!({"model_name": "mimus-chat", "model_uid": "p", "model_path": path});
        let answer = launch(&server, &body);
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.text());
        assert!(answer.text().contains("only from the models folder"), "{path}: {}", answer.text());
    }
    assert!(model(&server, "p").is_none());
}

#[test]
fn aliases_lead_to_models_of_this_machine() {
    let server = Setup::default().config("[model.mimus-chat]\naliases = [\"gpt-4o-mini\"]\n").start();
    let answer = server.post(CHAT, &chat("gpt-4o-mini")).expect(200).json();
    assert!(!text(&answer).is_empty());
    let answer = launch(&server, &json!({"model_name": "mimus-chat", "model_uid": "gpt-4o-mini"}));
    assert_eq!(answer.status, 400, "an alias is a name that is taken: {}", answer.text());
}

#[test]
fn replicas_answer_together_and_come_and_go() {
    let server = Arc::new(Server::start());
    let name = launched(&server, &json!({"model_name": "mimus-chat", "model_uid": "r", "replica": 2}));
    let replicas = |server: &Server| model(server, "r").expect("there")["replicas"].as_array().expect("a list").len();
    assert_eq!(replicas(&server), 2);
    let chats: Vec<_> = (0..8)
        .map(|_| {
            let server = server.clone();
            thread::spawn(move || server.post(CHAT, &chat("r")).expect(200).json())
        })
        .collect();
    let texts: Vec<String> = chats.into_iter().map(|chat| text(&chat.join().expect("no panic")).to_owned()).collect();
    assert!(texts.windows(2).all(|pair| pair[0] == pair[1]));
    server.post(&format!("{MODELS}/{name}/replicas"), &json!({})).expect(200);
    eventually("a third replica", || (replicas(&server) == 3).then_some(()));
    terminate(&server, &name).expect(200);
}

#[test]
fn models_share_the_memory_that_there_is() {
    // Room for two models at a time, one of them with its keys and values cut short.
    let config = "[engine]\nmemory_mib = 40\nkv_mib = 8\n";
    let server = Setup::default().config(config).start();
    for name in ["one", "two", "three"] {
        launched(&server, &json!({"model_name": "mimus-chat", "model_uid": name}));
    }
    let all = server.get("/_mimus/models").expect(200).json();
    let states: Vec<(&str, &str)> = all["models"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|model| (model["name"].as_str().unwrap_or(""), model["readiness"].as_str().unwrap_or("")))
        .collect();
    assert!(states.iter().any(|(_, readiness)| *readiness == "idle"), "{states:?}");
    // Each answers when it is asked, whoever has to leave for it.
    for _ in 0..2 {
        for name in ["one", "two", "three", "mimus-chat"] {
            server.post(CHAT, &chat(name)).expect(200);
        }
    }
}

/// A hub with the chat model in two shards, and a server that knows it as the family `far`. `stall_s`: its patience with the hub.
fn hub_and_server(stall_s: u32) -> (Hub, Server, tempfile::TempDir) {
    let hub = Hub::start();
    hub.put("maker/far", sharded());
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let families = folder.path().join("families.toml");
    let family = r#"
        kind = "text"
        [[family]]
        name = "far"
        description = "A model on the hub."
        languages = ["en"]
        abilities = ["chat", "generate"]
        context_tokens = 1024
        architecture = "qwen2"
        [[family.weights]]
        size = "0.003"
        format = "safetensors"
        quantizations = ["none"]
        hub_id = "maker/far"
    "#;
    std::fs::write(&families, family).expect("writable");
    let config = format!(
        "[registry]\nfiles = [{:?}]\n[hub]\nendpoint = {:?}\ncache = {:?}\nstall_s = {stall_s}\n",
        families.display().to_string(),
        hub.url,
        folder.path().join("cache").display().to_string()
    );
    (hub, Setup::default().config(&config).start(), folder)
}

fn progress(server: &Server, name: &str) -> f64 {
    let answer = server.get(&format!("{MODELS}/{name}/progress")).expect(200).json();
    answer["progress"].as_f64().unwrap_or_else(|| panic!("no progress in {answer}"))
}

#[test]
fn a_model_of_the_hub_is_fetched_and_shows_how_far_it_is() {
    let (hub, server, _folder) = hub_and_server(30);
    let size = sharded().iter().find(|(name, _)| *name == SHARD_2).expect("it is there").1.len();
    hub.fault(SHARD_2, Fault::Hold(size / 2));
    let body = json!({"model_name": "far", "model_uid": "f"});
    server.post(&format!("{MODELS}?wait_ready=False"), &body).expect(200);
    let half = eventually("half of it is here", || Some(progress(&server, "f")).filter(|share| *share > 0.3));
    assert!(half < 0.95, "{half}");
    // Every dialect sees it coming, and the others serve.
    let loading = model(&server, "f").expect("it is listed");
    assert_eq!(
        (loading["readiness"].as_str(), loading["progress"]["stage"].as_str()),
        (Some("loading"), Some("downloading"))
    );
    let refused = server.post(CHAT, &chat("f"));
    assert!(refused.status == 503 && refused.text().contains('%'), "{}", refused.text());
    server.post(CHAT, &chat("mimus-chat")).expect(200);
    hub.heal();
    eventually("it is ready", || model(&server, "f").filter(|model| model["readiness"] == "ready"));
    assert!((progress(&server, "f") - 1.0).abs() < 1e-6);
    let answer = server.post(CHAT, &chat("f")).expect(200).json();
    let own = server.post(CHAT, &chat("mimus-chat")).expect(200).json();
    assert_eq!(text(&answer), text(&own), "the same weights, cut into two files");
}

#[test]
fn a_download_is_cancelled_and_goes_on_with_the_next_launch() {
    let (hub, server, _folder) = hub_and_server(30);
    let size = sharded().iter().find(|(name, _)| *name == SHARD_2).expect("it is there").1.len();
    hub.fault(SHARD_2, Fault::Hold(size / 2));
    let body = json!({"model_name": "far", "model_uid": "f"});
    server.post(&format!("{MODELS}?wait_ready=False"), &body).expect(200);
    eventually("it has begun", || (progress(&server, "f") > 0.3).then_some(()));
    server.post(&format!("{MODELS}/f/cancel"), &json!({})).expect(200);
    assert!(model(&server, "f").is_none(), "the name is free again");
    hub.heal();
    hub.take_seen();
    assert_eq!(launched(&server, &body), "f");
    let ranges: Vec<_> = hub.gets(SHARD_2).iter().map(|seen| seen.range).collect();
    assert!(ranges.len() == 1 && ranges[0].is_some_and(|start| start > 0), "it goes on where it stopped: {ranges:?}");
    server.post(CHAT, &chat("f")).expect(200);
}

#[test]
fn a_hub_that_stalls_or_lies_fails_that_launch_alone() {
    let (hub, server, _folder) = hub_and_server(1);
    let body = json!({"model_name": "far", "model_uid": "f"});
    for fault in [Fault::Hold(1000), Fault::Flip(1000)] {
        hub.fault(SHARD_2, fault);
        let answer = launch(&server, &body);
        assert!(answer.status >= 400 && answer.json()["detail"].is_string(), "{}", answer.text());
        let failed = model(&server, "f").expect("a failed launch is shown");
        assert_eq!(failed["readiness"], "failed");
        assert!(!failed["detail"].as_str().unwrap_or_default().contains("/tmp"), "{failed}");
        server.post(CHAT, &chat("mimus-chat")).expect(200);
        server.get("/openai/v1/models").expect(200);
    }
    hub.heal();
    assert_eq!(launched(&server, &body), "f", "the name of a failed launch can be used again");
}
