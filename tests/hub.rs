//! Downloading models: the real command line against a hub in this process, with faults, hostile answers and other programs' caches.

#[path = "hub/command.rs"]
mod command;
#[path = "harness/mod.rs"]
mod harness;
#[path = "harness/hub.rs"]
mod hub;
#[path = "hub/model.rs"]
mod model;

use std::fs;
use std::path::Path;

use command::{User, events, holds, message_of, path_of};
use harness::server::{Server, Setup};
use harness::{eventually, python};
use hub::{Fault, Hub, sha256};
use model::{INDEX, SHARD_1, SHARD_2, sharded};
use serde_json::{Value, json};

const REPO: &str = "maker/chat-model";

/// A hub with the chat model in two shards, a user, and the hash of the second shard with its size.
fn hub_and_user() -> (Hub, User, String, usize) {
    let hub = Hub::start();
    let files = sharded();
    let second = files.iter().find(|(name, _)| *name == SHARD_2).expect("it is there").1.clone();
    hub.put(REPO, files);
    let user = User::of(&hub);
    (hub, user, sha256(&second), second.len())
}

/// The answer to a question at temperature 0.
fn answer(server: &Server, model: &str) -> Value {
    let messages = json!([{"role": "user", "content": "What is the capital of France?"}]);
    let body = json!({"model": model, "temperature": 0, "max_tokens": 40, "messages": messages});
    server.post("/openai/v1/chat/completions", &body).expect(200).json()["choices"][0]["message"]["content"].clone()
}

#[test]
fn a_transfer_that_was_cut_goes_on_and_the_model_answers() {
    let (hub, user, etag, size) = hub_and_user();
    let middle = size / 2;
    hub.fault(SHARD_2, Fault::Cut(middle));
    let message = user.pull_fails(REPO);
    assert!(message.contains(SHARD_2) && message.contains(&format!("{middle} bytes are kept")), "{message}");
    assert_eq!(user.partial_bytes(REPO, &etag), middle as u64);
    let ranges: Vec<_> = hub.gets(SHARD_2).iter().map(|seen| seen.range).collect();
    assert_eq!(ranges[0], None);
    assert!(ranges.len() > 1 && ranges[1..].iter().all(|range| *range == Some(middle)), "{ranges:?}");

    hub.heal();
    hub.take_seen();
    let snapshot = user.pull(REPO);
    let ranges: Vec<_> = hub.gets(SHARD_2).iter().map(|seen| seen.range).collect();
    assert_eq!(ranges, [Some(middle)], "it goes on where it stopped");
    assert_eq!(hub.gets(SHARD_1).len(), 0, "what is whole does not come again");
    for (name, bytes) in sharded() {
        let is_ours = !["README.md", ".gitattributes", "pytorch_model.bin", "onnx/model.onnx"].contains(&name);
        assert_eq!(holds(&snapshot, name, &bytes), is_ours, "{name}");
    }
    assert!(!fs::exists(user.repo(REPO).join("blobs").join(format!("{etag}.incomplete"))).expect("readable"));

    let server = Setup::default().argument("--models").argument(&snapshot.to_string_lossy()).start();
    let name = snapshot.file_name().expect("a commit").to_string_lossy();
    let ours = answer(&server, &name);
    assert_eq!(ours, answer(&server, "mimus-chat"), "the same weights give the same answer");
    assert!(ours.as_str().is_some_and(|text| text.contains("Paris")), "{ours}");
}

#[test]
fn a_process_that_was_killed_is_resumed() {
    let (hub, user, etag, size) = hub_and_user();
    hub.fault(SHARD_2, Fault::Hold(size / 2));
    let mut child = user.command(&["pull", REPO]).spawn().expect("the binary starts");
    eventually("half of it is on disk", || (user.partial_bytes(REPO, &etag) > 0).then_some(()));
    child.kill().expect("it is our child");
    child.wait().expect("it is our child");
    let kept = user.partial_bytes(REPO, &etag);
    assert!(kept > 0 && kept < size as u64);
    hub.heal();
    hub.take_seen();
    user.pull(REPO);
    let ranges: Vec<_> = hub.gets(SHARD_2).iter().map(|seen| seen.range).collect();
    assert_eq!(ranges, [Some(usize::try_from(kept).expect("small"))]);
}

#[test]
fn two_at_once_share_one_transfer() {
    let (hub, user, etag, size) = hub_and_user();
    hub.fault(SHARD_2, Fault::Hold(size / 2));
    // The silence is the test's own and must not be taken for a fault.
    let patient = |user: &User| {
        let mut command = user.command(&["pull", REPO, "--json", "--config", "patient.toml"]);
        fs::write(command.get_current_dir().expect("set").join("patient.toml"), "").expect("writable");
        command.spawn().expect("the binary starts")
    };
    let first = patient(&user);
    eventually("the first has begun", || (user.partial_bytes(REPO, &etag) > 0).then_some(()));
    let second = patient(&user);
    eventually("the second knows what it wants", || (hub.heads(SHARD_2) == 2).then_some(()));
    hub.heal();
    let paths = [first, second].map(|child| path_of(&child.wait_with_output().expect("it is our child")));
    assert_eq!(paths[0], paths[1]);
    assert_eq!(hub.gets(SHARD_1).len(), 1);
    assert_eq!(hub.gets(SHARD_2).len(), 1, "one of them waited for the other");
}

#[test]
fn damaged_files_are_deleted() {
    let (hub, user, etag, _) = hub_and_user();
    hub.fault(SHARD_2, Fault::Flip(1_000_000));
    let message = user.pull_fails(REPO);
    assert!(message.contains("SHA-256") && message.contains(&etag) && message.contains(SHARD_2), "{message}");
    assert!(user.blob(REPO, &format!("{etag}.incomplete")).is_none() && user.blob(REPO, &etag).is_none());
    hub.heal();
    user.pull(REPO);
}

#[test]
fn a_damaged_beginning_is_found_in_the_end() {
    let (hub, user, etag, size) = hub_and_user();
    hub.fault(SHARD_2, Fault::Cut(size / 2));
    user.pull_fails(REPO);
    let partial = user.blob(REPO, &format!("{etag}.incomplete")).expect("it is kept");
    let mut bytes = fs::read(&partial).expect("readable");
    bytes[0] ^= 1;
    fs::write(&partial, bytes).expect("writable");
    hub.heal();
    assert!(user.pull_fails(REPO).contains("SHA-256"));
    user.pull(REPO);
}

#[test]
fn a_silent_hub_is_given_up() {
    let (hub, user, etag, size) = hub_and_user();
    hub.fault(SHARD_2, Fault::Hold(size / 2));
    let message = user.pull_fails(REPO);
    assert!(message.contains("no byte for 1 s") && message.contains(SHARD_2), "{message}");
    assert_eq!(user.partial_bytes(REPO, &etag), size as u64 / 2, "what came is kept");
}

#[test]
fn a_hub_without_ranges_sends_all_of_it_again() {
    let (hub, user, _, size) = hub_and_user();
    hub.fault(SHARD_2, Fault::Cut(size / 2));
    user.pull_fails(REPO);
    hub.fault(SHARD_2, Fault::Whole);
    let snapshot = user.pull(REPO);
    let bytes = &sharded()[1].1;
    assert!(holds(&snapshot, SHARD_2, bytes));
}

#[test]
fn another_content_begins_anew() {
    let (hub, user, etag, size) = hub_and_user();
    hub.fault(SHARD_2, Fault::Cut(size / 2));
    user.pull_fails(REPO);
    hub.heal();
    hub.take_seen();
    let mut files = sharded();
    files[1].1.extend([0; 8]);
    let changed = files[1].1.clone();
    let commit = hub.put(REPO, files);
    let snapshot = user.pull(REPO);
    assert!(snapshot.ends_with(&commit) && holds(&snapshot, SHARD_2, &changed));
    assert_eq!(hub.gets(SHARD_2).iter().map(|seen| seen.range).collect::<Vec<_>>(), [None]);
    assert!(user.partial_bytes(REPO, &etag) > 0, "the old beginning is still good for the old content");
}

#[test]
fn a_disk_that_is_too_small_is_told_before() {
    let (hub, user, _, _) = hub_and_user();
    hub.claim(REPO, SHARD_2, 1 << 60);
    let message = user.pull_fails(REPO);
    let cache = user.cache();
    assert!(message.contains("no space") && message.contains(&*cache.to_string_lossy()), "{message}");
    assert!(message.contains("11529215") && message.contains("are free"), "{message}");
    assert!(hub.gets(SHARD_1).is_empty(), "nothing was fetched");
}

/// A bound on the size of files stands for a full disk: the system refuses to write in the middle of the transfer.
#[test]
fn a_disk_that_fills_up_leaves_no_broken_file() {
    let (hub, user, etag, size) = hub_and_user();
    // In blocks of 512 or of 1024 bytes, as the shell likes: less than a shard.
    let output =
        user.command_after("trap '' XFSZ; ulimit -f 2000", &["pull", REPO, "--json"]).output().expect("sh starts");
    let message = message_of(&output);
    assert!(message.contains("no space") && message.contains("bytes more are needed"), "{message}");
    assert!(user.blob(REPO, &etag).is_none(), "nothing pretends to be whole");
    let kept = user.partial_bytes(REPO, &etag);
    assert!(kept < size as u64);
    let snapshot = user.pull(REPO);
    assert!(holds(&snapshot, SHARD_2, &sharded()[1].1));
    drop(hub);
}

#[test]
fn closed_models_say_what_to_do() {
    let (hub, user, _, _) = hub_and_user();
    hub.gate(REPO, "hf_right");
    let message = user.pull_fails(REPO);
    let page = format!("{}/{REPO}", hub.url);
    assert!(message.contains("401") && message.contains("HF_TOKEN") && message.contains(&page), "{message}");
    let with = |token: &str| user.command(&["pull", REPO, "--json"]).env("HF_TOKEN", token).output().expect("starts");
    let output = with("hf_wrong");
    let message = message_of(&output);
    assert!(message.contains("403") && message.contains("licence"), "{message}");
    assert!(!String::from_utf8_lossy(&output.stderr).contains("hf_wrong"), "the token is not repeated");
    hub.take_seen();
    path_of(&with("hf_right"));
    let seen = hub.take_seen();
    for request in &seen {
        assert_eq!(request.has_token, !request.path.starts_with("/storage/"), "{request:?}");
    }
    assert!(seen.iter().any(|request| request.path.starts_with("/storage/")));
}

#[test]
fn what_is_not_there_is_named() {
    let (_hub, user, _, _) = hub_and_user();
    assert!(user.pull_fails("maker/other").contains("no maker/other"));
    assert!(user.pull_fails("private/other").contains("HF_TOKEN"));
    let output = user.command(&["pull", REPO, "--revision", "v9", "--json"]).output().expect("starts");
    let message = message_of(&output);
    assert!(message.contains("revision v9 of maker/chat-model"), "{message}");
    assert!(user.pull_fails(&format!("{REPO}:nothing.json")).contains("no file `nothing.json`"));
    for target in ["../../etc", "a/b/c", "maker/mo del", "maker\\model", ".."] {
        assert!(user.pull_fails(target).contains("no model on a hub"), "{target}");
    }
}

#[test]
fn names_that_lead_out_of_the_folder_are_refused() {
    for name in
        ["../../../evil.json", "/evil.json", "a/../../evil.json", "..\\evil.json", "a//evil.json", "evil\n.json"]
    {
        let hub = Hub::start();
        let mut files = sharded();
        files.push((name, b"{}".to_vec()));
        hub.put(REPO, files);
        let user = User::of(&hub);
        let message = user.pull_fails(REPO);
        assert!(message.contains("is refused") && message.contains("evil"), "{name:?}: {message}");
        assert!(!fs::exists(user.repo(REPO)).expect("readable"), "{name:?}: nothing was written");
    }
}

/// An index may name what it likes: only what the hub lists is fetched, and the engine opens plain names alone.
#[test]
fn an_index_that_names_more_than_there_is_is_told() {
    let hub = Hub::start();
    let mut files = sharded();
    files[2].1 = br#"{"weight_map": {"a": "../../secret.safetensors"}}"#.to_vec();
    hub.put(REPO, files);
    let message = User::of(&hub).pull_fails(REPO);
    assert!(message.contains("`../../secret.safetensors` is missing"), "{message}");
}

#[test]
fn without_a_network_the_cache_will_do() {
    let (hub, user, _, _) = hub_and_user();
    let offline =
        |target: &str| user.command(&["pull", target, "--json"]).env("HF_HUB_OFFLINE", "1").output().expect("starts");
    let message = message_of(&offline(REPO));
    assert!(message.contains("offline") && message.contains(REPO), "{message}");
    let snapshot = user.pull(REPO);
    hub.take_seen();
    assert_eq!(path_of(&offline(REPO)), snapshot);
    assert_eq!(path_of(&offline(&format!("{REPO}:config.json"))), snapshot.join("config.json"));
    assert!(hub.take_seen().is_empty(), "nobody was asked");
    drop(hub);
    assert_eq!(user.pull(REPO), snapshot, "a hub that is gone is no trouble");
    fs::remove_file(snapshot.join(SHARD_1)).expect("it is there");
    assert!(message_of(&offline(REPO)).contains("not whole"));
    assert!(user.pull_fails(REPO).contains("cannot be reached"));
}

#[test]
fn progress_grows_to_the_whole() {
    let (_hub, user, _, size) = hub_and_user();
    let output = user.command(&["pull", REPO, "--json"]).output().expect("starts");
    path_of(&output);
    let events = events(&output);
    let progress: Vec<&Value> = events.iter().filter(|event| event["event"] == "progress").collect();
    let number = |event: &Value, key: &str| event[key].as_u64().expect("a number");
    let last = progress.last().expect("at least one");
    assert_eq!(number(last, "bytes"), number(last, "total"));
    assert!(progress.iter().all(|event| number(event, "file_bytes") <= number(event, "file_total")));
    let of_shard = progress.iter().rfind(|event| event["file"] == SHARD_2).expect("it grew");
    assert_eq!(number(of_shard, "file_bytes"), size as u64);
}

#[test]
fn a_gguf_file_is_found_by_its_quantization() {
    let hub = Hub::start();
    let golden = harness::repository().join("host/engine/tests/golden/qwen2-gguf/model.gguf");
    let gguf = fs::read(golden).expect("it is in the repository");
    let part = |byte: u8| vec![byte; 250_000];
    hub.put(
        "maker/gguf",
        [
            ("tiny-Q8_0.gguf", gguf.clone()),
            ("tiny-Q4_K_M-00001-of-00002.gguf", part(1)),
            ("tiny-Q4_K_M-00002-of-00002.gguf", part(2)),
            ("README.md", b"#".to_vec()),
        ],
    );
    let user = User::of(&hub);
    let path = user.pull("maker/gguf:q8_0");
    assert!(path.ends_with("tiny-Q8_0.gguf") && fs::read(&path).expect("readable") == gguf);
    assert!(hub.gets("Q4_K_M-00001-of-00002.gguf").is_empty());
    let path = user.pull("maker/gguf:Q4_K_M");
    assert!(path.ends_with("tiny-Q4_K_M-00001-of-00002.gguf"));
    assert!(holds(path.parent().expect("a folder"), "tiny-Q4_K_M-00002-of-00002.gguf", &part(2)));
    assert!(user.pull_fails("maker/gguf:Q5_0").contains("tiny-Q8_0"));
    assert!(user.pull_fails("maker/gguf").contains("tiny-Q4_K_M"), "which one is wanted must be said");
    // The engine takes it from there.
    let output = user.command(&["run", "maker/gguf:Q8_0", "hello"]).output().expect("starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn a_model_is_run_listed_and_removed() {
    let (hub, user, _, size) = hub_and_user();
    let output = user.command(&["run", REPO, "What is the capital of France?"]).output().expect("starts");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && !text.trim().is_empty(), "{text}{}", String::from_utf8_lossy(&output.stderr));
    hub.take_seen();
    let output = user.command(&["run", REPO, "hello"]).output().expect("starts");
    assert!(output.status.success() && hub.take_seen().is_empty(), "the second time it is here already");

    let list = |arguments: &[&str]| {
        let output =
            user.command(&[&["list", "--url", "http://127.0.0.1:9"], arguments].concat()).output().expect("starts");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).expect("UTF-8")
    };
    let listed: Value = serde_json::from_str(&list(&["--json"])).expect("JSON");
    let model = &listed["downloaded"][0];
    assert_eq!((&model["repo"], &model["revision"], &model["files"]), (&json!(REPO), &json!("main"), &json!(7)));
    assert!(model["bytes"].as_u64().expect("a number") > size as u64);
    assert!(list(&[]).contains(REPO));

    let rm = |arguments: &[&str]| user.command(&[&["rm", REPO], arguments].concat()).output().expect("starts");
    assert!(!rm(&[]).status.success() && fs::exists(user.repo(REPO)).expect("readable"), "nobody agreed");
    let output = rm(&["--yes"]);
    assert!(output.status.success() && String::from_utf8_lossy(&output.stdout).contains("MB"), "{output:?}");
    assert!(!fs::exists(user.repo(REPO)).expect("readable"));
    assert!(!rm(&["--yes"]).status.success());
    assert!(!list(&[]).contains(REPO));
}

#[test]
fn what_is_being_downloaded_is_not_removed() {
    let (hub, user, etag, size) = hub_and_user();
    hub.fault(SHARD_2, Fault::Hold(size / 2));
    let child = user.start_pull(REPO);
    eventually("it has begun", || (user.partial_bytes(REPO, &etag) > 0).then_some(()));
    let output = user.command(&["rm", REPO, "--yes"]).output().expect("starts");
    let message = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && message.contains("being downloaded"), "{message}");
    hub.heal();
    path_of(&child.wait_with_output().expect("it is our child"));
}

#[test]
fn the_cache_is_shared_with_the_hubs_own_tools() {
    let (hub, user, _, _) = hub_and_user();
    let ours = user.pull(REPO);
    python::run("hub", "hub_cache.py", &["find", &text(&user.cache()), REPO, &text(&ours)]);

    let other = User::of(&hub);
    python::run("hub", "hub_cache.py", &["write", &text(&other.cache()), REPO, &hub.url]);
    let output = other.command(&["pull", REPO, "--json"]).env("HF_HUB_OFFLINE", "1").output().expect("starts");
    let theirs = path_of(&output);
    assert!(holds(&theirs, SHARD_2, &sharded()[1].1) && fs::exists(theirs.join(INDEX)).expect("readable"));
    hub.take_seen();
    other.pull(REPO);
    assert!(hub.gets(SHARD_1).is_empty() && hub.heads(SHARD_1) == 0, "what they fetched is not fetched again");
}

fn text(path: &Path) -> String {
    path.to_str().expect("UTF-8").to_owned()
}
