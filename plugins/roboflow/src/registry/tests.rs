use std::time::Duration;

use mimus_sdk::models::Model;
use mimus_sdk::scripted::{self, ScriptedHost};
use mimus_sdk::vision::Task;
use serde_json::{Value, json};

use crate::tests::{FILE, detail, get, host, image, message, nothing, ok, post};

fn ids(models: &Value) -> Vec<String> {
    let list = models["models"].as_array().expect("a list");
    list.iter().map(|model| model["model_id"].as_str().expect("an id").to_owned()).collect()
}

fn add(host: &ScriptedHost, id: &str) -> Value {
    ok(&post(host, "/model/add", &json!({ "model_id": id, "model_type": null, "api_key": "any" })))
}

fn with_models(count: usize) -> ScriptedHost {
    (0..count).fold(host(), |host, index| {
        host.sees(&format!("more/{index}"), scripted::description(Task::ObjectDetection), nothing())
    })
}

#[test]
fn models_come_and_go() {
    let host = host();
    assert_eq!(ok(&get(&host, "/model/registry")), json!({ "models": [] }));
    let line = |id: &str, task: &str| json!({ "model_id": id, "task_type": task, "batch_size": null, "input_height": 640, "input_width": 640 });
    assert_eq!(add(&host, "shapes/1"), json!({ "models": [line("shapes/1", "object-detection")] }));
    // Adding twice changes nothing.
    add(&host, "shapes/1");
    add(&host, "shapes-kpt/1");
    let both = json!({ "models": [line("shapes/1", "object-detection"), line("shapes-kpt/1", "keypoint-detection")] });
    assert_eq!(ok(&get(&host, "/model/registry?api_key=None")), both);
    let removed = ok(&post(&host, "/model/remove", &json!({ "model_id": "shapes/1" })));
    assert_eq!(ids(&removed), ["shapes-kpt/1"]);
    // One that is not there is not missed.
    assert_eq!(ids(&ok(&post(&host, "/model/remove", &json!({ "model_id": "shapes/1" })))), ["shapes-kpt/1"]);
    assert_eq!(ok(&host.call(&crate::Roboflow, "POST", "/model/clear", &[], b"")), json!({ "models": [] }));
    // The model itself stays.
    ok(&post(&host, "/infer/object_detection", &json!({ "model_id": "shapes/1", "image": image(FILE) })));
}

#[test]
fn each_task_has_its_name() {
    let host = host().model(Model { abilities: vec!["chat".into(), "vision".into()], ..scripted::model("seeing") });
    for (id, task) in [
        ("shapes-seg/1", "instance-segmentation"),
        ("shapes-cls/1", "classification"),
        ("shapes-tags/1", "classification"),
        ("mimus-clip", "embedding"),
        ("mimus-read", "ocr"),
        ("seeing", "lmm"),
    ] {
        let models = add(&host, id);
        let last = models["models"].as_array().and_then(|list| list.last()).cloned().expect("a model");
        assert_eq!((&last["model_id"], &last["task_type"]), (&json!(id), &json!(task)));
    }
}

#[test]
fn what_cannot_be_added_is_told() {
    let host = host();
    assert!(message(&post(&host, "/model/add", &json!({ "model_id": "unknown/1" })), 404).contains("not found"));
    assert_eq!(detail(&post(&host, "/model/add", &json!({}))).0, json!(["body", "model_id"]));
    assert_eq!(message(&get(&host, "/start/unknown/1"), 404).find("Requested"), Some(0));
    assert_eq!(ids(&ok(&get(&host, "/model/registry"))), [] as [&str; 0]);
}

#[test]
fn what_is_used_is_listed() {
    let host = host();
    ok(&post(&host, "/infer/object_detection", &json!({ "model_id": "shapes/1", "image": image(FILE) })));
    ok(&post(&host, "/clip/embed_text", &json!({ "text": "a" })));
    assert_eq!(ids(&ok(&get(&host, "/model/registry"))), ["shapes/1", "mimus-clip"]);
}

#[test]
fn the_one_used_longest_ago_makes_room() {
    let host = with_models(9);
    for index in 0..8 {
        add(&host, &format!("more/{index}"));
        host.advance(Duration::from_secs(1));
    }
    host.advance(Duration::from_secs(120));
    ok(&post(&host, "/infer/object_detection", &json!({ "model_id": "more/0", "image": image(FILE) })));
    let models = add(&host, "more/8");
    assert_eq!(models["models"].as_array().map(Vec::len), Some(8));
    assert!(ids(&models).contains(&"more/0".to_owned()) && !ids(&models).contains(&"more/1".to_owned()));
    let few = with_models(3).setting("max_active_models", 2);
    for index in 0..3 {
        add(&few, &format!("more/{index}"));
    }
    assert_eq!(ids(&ok(&get(&few, "/model/registry"))), ["more/1", "more/2"]);
}

#[test]
fn the_first_routes_for_it_still_work() {
    let host = host();
    let started = ok(&get(&host, "/start/shapes/1?api_key=x"));
    assert_eq!(started, json!({ "status": 200, "message": "inference session started from local memory." }));
    assert_eq!(ids(&ok(&get(&host, "/model/registry"))), ["shapes/1"]);
    assert_eq!(ok(&get(&host, "/clear_cache")), json!("Cache Cleared"));
    assert_eq!(ids(&ok(&get(&host, "/model/registry"))), [] as [&str; 0]);
}
