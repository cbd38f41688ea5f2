//! The server as a cluster of one, and logging in.

use serde_json::json;

use super::{delete, detail, get, host, ok, post};
use crate::Xinference;

#[test]
fn the_server_is_a_cluster_of_one() {
    let host = host();
    let status = ok(&get(&host, "/status"));
    assert!(status["uptime"].is_u64());
    let worker = &status["workers"]["127.0.0.1:8080"];
    assert_eq!(worker["failure_remaining_count"], 5);
    assert!(worker["status"]["cpu"]["memory_total"].is_u64() && worker["update_time"].is_f64());
    assert_eq!(ok(&get(&host, "/v1/address")), "127.0.0.1:8080");
    assert_eq!(ok(&get(&host, "/v1/cluster/devices")), 0);
    assert_eq!(ok(&get(&host, "/v1/cluster/version"))["version"], "0.0.0-scripted");
    assert_eq!(ok(&get(&host, "/v1/supervisor")), json!({ "supervisor_ip": "127.0.0.1:8080" }));
    let workers = ok(&get(&host, "/v1/workers"));
    assert_eq!(workers[0]["work-ip"], "127.0.0.1:8080");
    assert_eq!(workers[0]["models"]["scripted-rep0"]["model_type"], "LLM");
    assert!(workers[0]["models"]["broken-rep0"].is_null());
}

#[test]
fn nodes_tell_more_when_asked() {
    let host = host();
    let short = ok(&get(&host, "/v1/cluster/info"));
    assert_eq!((&short[0]["node_type"], &short[1]["node_type"]), (&json!("Supervisor"), &json!("Worker")));
    assert!(short[1]["gpu_vram_total"] == 0 && short[0].get("cpu_count").is_none());
    let long = ok(&get(&host, "/v1/cluster/info?detailed=true"));
    assert!(long[0]["cpu_count"] == 1 && long[0].get("software_version").is_none());
    assert!(long[1]["mem_total"].is_u64() && long[1]["software_version"].is_string());
}

#[test]
fn no_client_stops_the_server() {
    assert!(detail(&delete(&host(), "/v1/clusters"), 403).contains("operator"));
}

#[test]
fn without_a_key_there_is_nothing_to_log_in_to() {
    let host = host();
    assert_eq!(ok(&get(&host, "/v1/cluster/auth")), json!({ "auth": false }));
    detail(&post(&host, "/token", &json!({ "username": "a", "password": "b" })), 405);
}

#[test]
fn the_key_is_the_password_and_the_token() {
    let host = host().key("secret");
    assert_eq!(ok(&get(&host, "/v1/cluster/auth")), json!({ "auth": true }));
    let answer = ok(&post(&host, "/token", &json!({ "username": "anybody", "password": "secret" })));
    assert_eq!((&answer["access_token"], &answer["token_type"]), (&json!("secret"), &json!("bearer")));
    let wrong = post(&host, "/token", &json!({ "username": "anybody", "password": "guess" }));
    assert_eq!(detail(&wrong, 401), "Incorrect username or password");
    let form = host.call(&Xinference, "POST", "/token", &[], b"username=a&password=secret");
    detail(&form, 400);
}

#[test]
fn the_server_is_set_up() {
    let host = host();
    assert_eq!(ok(&get(&host, "/v1/admin/setup/status"))["needs_setup"], false);
    detail(&post(&host, "/v1/admin/setup", &json!({})), 403);
}

#[test]
fn unknown_routes_are_told_in_json() {
    let host = host();
    detail(&get(&host, "/v1/nothing"), 404);
    detail(&get(&host, "/v1/chat/completions"), 405);
}
