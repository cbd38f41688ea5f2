//! Xinference's routes: launching and registering besides the ordinary ones.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Fate::{Either, Refused, Served};
use super::harness::server::Server;
use super::{Fate, MODEL, Shape, broken_json, check_bodies, check_memory, rows};

#[test]
fn xinference_refuses_in_its_own_shape() {
    let server = Arc::new(Server::start());
    let before_kib = server.resident_kib();
    let (bad, unknown) = (Refused(&[400]), Refused(&[404]));
    let check = |path: &str, mut cases: Vec<(String, Vec<u8>, Fate)>| {
        cases.extend(broken_json());
        check_bodies(&server, "xinference", Shape::Detail, path, cases);
    };
    let chat = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2});
    check(
        "/v1/chat/completions",
        rows(
            &chat,
            vec![
                ("n", json!(5), Served),
                ("model", json!("nobody"), unknown),
                ("model", json!("../../etc/passwd"), unknown),
                ("model", json!(5), bad),
                ("model", json!("mimus-embed"), bad),
                ("messages", json!([]), bad),
                ("messages", json!("Hi"), bad),
                ("messages", json!([{"role": "system", "content": []}]), bad),
                ("messages", json!([{"role": "robot", "content": "x"}]), bad),
                ("messages", json!([{"role": "user", "content": {"a": 1}}]), bad),
                ("messages", json!(vec![json!({"role": "user", "content": "x"}); 5000]), bad),
                ("max_tokens", json!(-1), bad),
                ("temperature", json!(-1), bad),
                ("temperature", json!("hot"), bad),
                ("stop", json!(vec!["x"; 1000]), bad),
                ("tools", json!([{}]), bad),
                ("tool_choice", json!("perhaps"), bad),
                ("guided_json", json!("{"), Either),
                ("guided_regex", json!("("), bad),
                ("chat_template_kwargs", json!([1]), bad),
                ("request_id", json!("r".repeat(1000)), bad),
                ("logit_bias", json!({"a": "b"}), Refused(&[501])),
                ("lora_name", json!("x"), bad),
            ],
        ),
    );
    let completion = json!({"model": MODEL, "prompt": "Hi", "max_tokens": 2});
    check(
        "/v1/completions",
        rows(&completion, vec![("prompt", json!([]), bad), ("prompt", json!([[4_000_000_000_u32]]), bad)]),
    );
    let embedding = json!({"model": "mimus-embed", "input": "Hi"});
    check(
        "/v1/embeddings",
        rows(
            &embedding,
            vec![
                ("input", json!({"image": "x"}), bad),
                ("input", json!([["a"]]), bad),
                ("input", json!(vec!["a"; 3000]), bad),
                ("dimensions", json!(100_000), bad),
                ("model", json!(MODEL), bad),
            ],
        ),
    );
    let rerank = json!({"model": "mimus-embed", "query": "q", "documents": ["a"]});
    check(
        "/v1/rerank",
        rows(&rerank, vec![("documents", json!("a"), bad), ("kwargs", json!("{"), bad), ("top_n", json!(-5), bad)]),
    );
    check_memory(&server, before_kib);
}

#[test]
fn xinference_launches_nothing_strange() {
    let server = Server::shared();
    let bad = Refused(&[400]);
    let launch = json!({"model_name": "nobody"});
    let mut cases = rows(
        &launch,
        vec![
            ("model_name", Value::Null, bad),
            ("model_name", json!("../../etc/passwd"), bad),
            ("model_name", json!("x".repeat(100_000)), bad),
            ("model_type", json!("boat"), bad),
            ("model_uid", json!("a/../b"), bad),
            ("model_uid", json!("x".repeat(101)), bad),
            ("model_size_in_billions", json!([7]), bad),
            ("model_size_in_billions", json!(-7), bad),
            ("replica", json!(1_000_000), bad),
            ("replica", json!(0), bad),
            ("request_limits", json!(-1), bad),
            ("gpu_idx", json!([0, 1, 2]), bad),
        ],
    );
    cases.extend(broken_json());
    check_bodies(&server, "xinference", Shape::Detail, "/v1/models", cases);
    let registration = json!({"model": "{}", "persist": false});
    let definition = |uri: &str| {
        let spec = json!({"model_format": "pytorch", "model_size_in_billions": 7, "model_uri": uri});
        json!({"model_name": "a/b\u{0}c", "model_specs": [spec]}).to_string()
    };
    let mut cases = rows(
        &registration,
        vec![
            ("model", json!("{"), bad),
            ("model", json!(7), bad),
            ("model", json!("[".repeat(50_000)), bad),
            ("model", json!(definition("http://127.0.0.1/x")), bad),
            ("model", json!(definition("file:///etc/passwd")), bad),
        ],
    );
    cases.extend(broken_json());
    check_bodies(&server, "xinference", Shape::Detail, "/v1/model_registrations/LLM", cases);
}
