//! Running models, instances, replicas, requests, upkeep.

use std::time::Duration;

use mimus_sdk::models::{Model, Readiness};
use mimus_sdk::scripted;
use serde_json::{Value, json};

use super::{delete, detail, get, host, ok, post};

#[track_caller]
fn has_keys(value: &Value, keys: &str) {
    for key in keys.split_whitespace() {
        assert!(value.get(key).is_some(), "`{key}` is missing in {value}");
    }
}

#[test]
fn the_list_has_what_answers() {
    let list = ok(&get(&host(), "/v1/models"));
    assert_eq!(list["object"], "list");
    let ids: Vec<&str> =
        list["data"].as_array().expect("a list").iter().filter_map(|item| item["id"].as_str()).collect();
    assert_eq!(ids, ["embedder", "reranker", "scripted"]);
    for item in list["data"].as_array().expect("a list") {
        assert_eq!(
            (&item["object"], &item["owned_by"], &item["replica"]),
            (&json!("model"), &json!("xinference"), &json!(1))
        );
    }
}

#[test]
fn the_list_of_old_is_by_uid() {
    let list = ok(&get(&host().setting("models_by_uid", true), "/v1/models"));
    let uids: Vec<&String> = list.as_object().expect("an object").keys().collect();
    assert_eq!(uids, ["embedder", "reranker", "scripted"]);
    assert_eq!(list["scripted"]["model_type"], "LLM");
    assert_eq!(get(&host().setting("models_by_uid", "yes"), "/v1/models").status, 500);
}

#[test]
fn descriptions_have_every_key_of_their_type() {
    let host = host();
    let llm = ok(&get(&host, "/v1/models/scripted"));
    has_keys(
        &llm,
        "model_type address accelerators model_name model_lang model_ability model_description model_format \
         model_size_in_billions model_family quantization multimodal_projector model_hub revision context_length \
         strict_system_first model_engine replica n_worker",
    );
    assert_eq!((&llm["model_type"], &llm["quantization"]), (&json!("LLM"), &json!("none")));
    assert_eq!(llm["model_ability"], json!(["chat", "generate"]));
    let embedding = ok(&get(&host, "/v1/models/embedder"));
    has_keys(
        &embedding,
        "model_type address accelerators model_name model_engine model_format dimensions max_tokens language \
         model_ability model_hub model_revision quantization",
    );
    assert_eq!((&embedding["model_type"], &embedding["dimensions"]), (&json!("embedding"), &json!(4)));
    let rerank = ok(&get(&host, "/v1/models/reranker"));
    has_keys(&rerank, "model_type address accelerators model_name language model_revision type quantization");
    assert_eq!(rerank["model_type"], "rerank");
}

#[test]
fn a_model_out_of_memory_still_counts() {
    let idle = Model { readiness: Readiness::Idle, ..scripted::model("idle") };
    let host = host().model(idle);
    assert_eq!(ok(&get(&host, "/v1/models/idle"))["model_name"], "idle");
    assert_eq!(ok(&get(&host, "/v1/models/instances?model_uid=idle"))[0]["status"], "READY");
}

#[test]
fn what_does_not_answer_says_why() {
    let host = host();
    assert!(detail(&get(&host, "/v1/models/nobody"), 400).contains("uid: nobody"));
    assert!(detail(&get(&host, "/v1/models/broken"), 400).contains("no such file"));
    let loading = get(&host, "/v1/models/on-its-way");
    detail(&loading, 503);
    assert_eq!(loading.header("retry-after"), Some("30"));
}

#[test]
fn instances_tell_of_all_launches() {
    let host = host();
    let all = ok(&get(&host, "/v1/models/instances"));
    assert_eq!(all.as_array().map(Vec::len), Some(5));
    let of = |uid: &str| ok(&get(&host, &format!("/v1/models/instances?model_name={uid}&model_uid={uid}")))[0].clone();
    has_keys(
        &of("scripted"),
        "model_name model_uid model_version model_ability replica status instance_created_ts n_worker replica_statuses",
    );
    assert_eq!(of("scripted")["status"], "READY");
    assert_eq!(of("on-its-way")["status"], "CREATING");
    assert_eq!(of("broken")["status"], "ERROR");
    assert_eq!(of("scripted")["replica_statuses"][0]["replica_model_uid"], "scripted-rep0");
    assert_eq!(ok(&get(&host, "/v1/models/instances?model_uid=nobody")), json!([]));
}

#[test]
fn a_failed_replica_tells_its_error() {
    let mut failed = Model { readiness: Readiness::Failed, ..scripted::model("torn") };
    failed.replicas[0].readiness = Readiness::Failed;
    failed.replicas[0].detail = "it tore".into();
    let instance = ok(&get(&host().model(failed), "/v1/models/instances?model_uid=torn"))[0].clone();
    assert_eq!(instance["replica_statuses"][0]["error_message"], "it tore");
}

#[test]
fn progress_is_told_in_numbers() {
    let host = host();
    let of = |uid: &str| ok(&get(&host, &format!("/v1/models/{uid}/progress")));
    assert_eq!((&of("on-its-way")["progress"], &of("on-its-way")["stage"]), (&json!(0.25), &json!("downloading")));
    assert_eq!(of("on-its-way")["download_files"][0]["total"], 20);
    assert_eq!((&of("scripted")["progress"], &of("scripted")["stage"]), (&json!(1.0), &json!("ready")));
    assert_eq!(of("nobody")["progress"], 0.0);
}

#[test]
fn cancelling_is_for_launches() {
    let host = host();
    post(&host, "/v1/models", &json!({ "model_name": "chatty", "model_engine": "vLLM" }));
    assert!(detail(&post(&host, "/v1/models/chatty/cancel", &json!({})), 400).contains("running"));
    detail(&post(&host, "/v1/models/nobody/cancel", &json!({})), 400);
}

#[test]
fn terminating_frees_the_name_once() {
    let host = host();
    post(&host, "/v1/models", &json!({ "model_name": "chatty" }));
    assert_eq!(ok(&delete(&host, "/v1/models/chatty")), Value::Null);
    assert!(detail(&delete(&host, "/v1/models/chatty"), 400).contains("uid: chatty"));
    assert_eq!(ok(&get(&host, "/v1/models/instances?model_uid=chatty")), json!([]));
    assert!(detail(&delete(&host, "/v1/models/scripted"), 403).contains("scripted"));
}

#[test]
fn replicas_come_and_go() {
    let host = host();
    post(&host, "/v1/models", &json!({ "model_name": "chatty", "replica": 2 }));
    assert_eq!(ok(&get(&host, "/v1/models/chatty"))["replica"], 2);
    let one = ok(&post(&host, "/v1/models/chatty/replicas", &json!({})));
    assert_eq!((&one["replica_id"], &one["replica_model_uid"]), (&json!(2), &json!("chatty-rep2")));
    let two = ok(&post(&host, "/v1/models/chatty/replicas", &json!({ "replica": 2 })));
    assert_eq!((&two["replica"], two["replicas"].as_array().map(Vec::len)), (&json!(2), Some(2)));
    assert_eq!(ok(&get(&host, "/v1/models/chatty/replicas")).as_array().map(Vec::len), Some(5));
    for remaining in (0..5).rev() {
        let answer = ok(&delete(&host, &format!("/v1/models/chatty/replicas/{}", 4 - remaining)));
        assert_eq!(answer, json!({ "remaining_replicas": remaining }));
    }
    detail(&get(&host, "/v1/models/chatty"), 400);
    detail(&delete(&host, "/v1/models/scripted/replicas/x"), 400);
    detail(&post(&host, "/v1/models/nobody/replicas", &json!({})), 400);
    detail(&post(&host, "/v1/models/scripted/replicas", &json!({ "replica": 0 })), 400);
}

#[test]
fn events_are_told_in_order() {
    let host = host();
    post(&host, "/v1/models", &json!({ "model_name": "chatty" }));
    let events = ok(&get(&host, "/v1/models/chatty/events"));
    assert_eq!((&events[0]["event_type"], &events[0]["event_content"]), (&json!("INFO"), &json!("it is ready")));
    assert_eq!(ok(&get(&host, "/v1/models/nobody/events")), json!([]));
}

#[test]
fn an_abortion_can_overtake_its_request() {
    let host = host();
    let chat = json!({ "model": "scripted", "messages": [{ "role": "user", "content": "x" }], "request_id": "r1" });
    let abort = || ok(&post(&host, "/v1/models/scripted/requests/r1/abort", &json!({ "block_duration": 5 })));
    assert_eq!(abort(), json!({ "msg": "NOT_FOUND" }));
    assert!(detail(&post(&host, "/v1/chat/completions", &chat), 409).contains("r1"));
    host.advance(Duration::from_secs(6));
    assert_eq!(ok(&post(&host, "/v1/chat/completions", &chat))["model"], "scripted");
    assert_eq!(host.asked()[0].options.tag.as_deref(), Some("r1"));
    detail(&post(&host, "/v1/models/nobody/requests/r1/abort", &json!({})), 400);
    detail(&get(&host, "/v1/requests/r1/progress"), 400);
}

#[test]
fn upkeep_answers_what_is_true() {
    let host = host();
    assert_eq!(ok(&get(&host, "/v1/models/scripted/reload")), json!({ "status": "idle" }));
    assert_eq!(ok(&get(&host, "/v1/models/scripted/reload/config"))["parameters"], json!({}));
    detail(&post(&host, "/v1/models/scripted/reload", &json!({ "model_config": { "a": 1 } })), 400);
    post(&host, "/v1/models", &json!({ "model_name": "chatty", "model_uid": "mine" }));
    let entries = ok(&get(&host, "/v1/autostart/models"));
    let mine =
        entries["models"].as_array().expect("a list").iter().find(|entry| entry["launch"]["model_uid"] == "mine");
    assert_eq!(mine.expect("it runs")["launch"]["model_name"], "chatty");
    assert!(ok(&get(&host, "/v1/autostart/models/summary"))["models"].to_string().contains("mine"));
    ok(&post(&host, "/v1/autostart/models", &json!({ "launch": { "model_name": "chatty", "model_uid": "mine" } })));
    detail(&post(&host, "/v1/autostart/models", &json!({ "launch": { "model_name": "other" } })), 400);
    detail(&delete(&host, "/v1/autostart/models/mine"), 400);
    ok(&delete(&host, "/v1/autostart/models/other"));
}
