//! The routes that lmdeploy got after its session era, and tools.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Fate::{Either, Refused, Served};
use super::harness::server::Server;
use super::{Fate, MODEL, Shape, broken_json, check_bodies, check_memory};

#[test]
fn lmdeploy_later_routes_refuse_in_its_own_shape() {
    let server = Arc::new(Server::start());
    let before_kib = server.resident_kib();
    let bad = Refused(&[400, 422]);
    let rows = |base: Value, rows: Vec<(&str, &str, Value, Fate)>| {
        let row = |(name, field, value, fate): (&str, &str, Value, Fate)| {
            let mut body = base.clone();
            body[field] = value;
            (name.to_owned(), body.to_string().into_bytes(), fate)
        };
        rows.into_iter().map(row).collect::<Vec<_>>()
    };
    let function =
        |parameters: Value| json!([{"type": "function", "function": {"name": "f", "parameters": parameters}}]);
    let calls = |arguments: Value| {
        json!([
            {"role": "user", "content": "Hi"},
            {"role": "assistant", "content": null, "tool_calls": [{"id": "a", "function": {"name": "f", "arguments": arguments}}]},
            {"role": "tool", "tool_call_id": "a", "content": "import os; os.system('rm -rf /')"},
        ])
    };
    let mut chats = rows(
        json!({"model": MODEL, "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2}),
        vec![
            ("tools: a word", "tools", json!("f"), bad),
            ("tools: without a function", "tools", json!([{}]), bad),
            ("tools: 10,000", "tools", json!(vec![json!({"function": {"name": "f"}}); 10_000]), bad),
            ("tools: a schema that is no object", "tools", function(json!(5)), Either),
            ("tools: a reference to itself", "tools", function(json!({"$ref": "#"})), Either),
            ("tool_choice: a word without meaning", "tool_choice", json!("perhaps"), bad),
            ("tool_choice: a tool that is not there", "tool_choice", json!({"function": {"name": "g"}}), bad),
            ("tool_choice: needs tools", "tool_choice", json!("required"), bad),
            ("tool_choice: a number", "tool_choice", json!(5), bad),
            (
                "messages: a call with code in its result",
                "messages",
                calls(json!("{\"a\": \"__import__('os')\"}")),
                Either,
            ),
            ("messages: a call with a number for arguments", "messages", calls(json!(5)), bad),
            ("session_id: a word", "session_id", json!("me"), bad),
            ("input_ids besides messages", "input_ids", json!([1]), bad),
            ("chat_template_kwargs: a list", "chat_template_kwargs", json!([1]), bad),
            (
                "chat_template_kwargs: names of its own",
                "chat_template_kwargs",
                json!({"messages": [], "bos_token": "x"}),
                Either,
            ),
            (
                "response_format: an evil pattern",
                "response_format",
                json!({"type": "regex_schema", "regex_schema": "(a+)+b"}),
                Either,
            ),
            ("stop_token_ids: below zero", "stop_token_ids", json!([-1]), bad),
        ],
    );
    chats.push(("neither messages nor ids".into(), json!({"model": MODEL}).to_string().into_bytes(), bad));
    check_bodies(&server, "lmdeploy", Shape::FlatAndNested, "/v1/chat/completions", chats);
    let mut generations = broken_json();
    generations.extend(rows(
        json!({"prompt": "Hi", "max_tokens": 2}),
        vec![
            ("both inputs", "input_ids", json!([1]), bad),
            ("no input", "prompt", Value::Null, bad),
            ("prompt: empty", "prompt", json!(""), bad),
            ("prompt: a number", "prompt", json!(5), bad),
            ("prompt: past the context", "prompt", json!("word ".repeat(50_000)), bad),
            ("max_tokens: 0", "max_tokens", json!(0), bad),
            ("max_tokens: 2^63", "max_tokens", json!(1_u64 << 63), bad),
            ("model: traversal", "model", json!("../../etc/passwd"), Refused(&[404])),
            ("image_data: the cloud's metadata", "image_data", json!("http://169.254.169.254/latest"), bad),
            ("top_p: 0", "top_p", json!(0), bad),
            ("stop_token_ids: past the vocabulary", "stop_token_ids", json!([4_000_000_000_u32]), Either),
            ("an older field of another type", "request_output_len", json!("many"), bad),
            ("an unknown field", "frobnicate", json!([null]), Served),
        ],
    ));
    check_bodies(&server, "lmdeploy", Shape::FlatAndNested, "/generate", generations);
    for path in ["/pooling", "/get_ppl"] {
        let mut cases = broken_json();
        cases.extend(rows(
            json!({}),
            vec![
                ("input: none", "other", Value::Null, bad),
                ("input: empty", "input", json!([]), bad),
                ("input: a number", "input", json!(5), bad),
                ("input: mixed", "input", json!(["a", 5]), bad),
                ("input: a token past the vocabulary", "input", json!([4_000_000_000_u32, 1]), bad),
                ("input: past the context", "input", json!("word ".repeat(50_000)), bad),
            ],
        ));
        check_bodies(&server, "lmdeploy", Shape::FlatAndNested, path, cases);
    }
    check_memory(&server, before_kib);
}
