//! lmdeploy's `POST /generate`, as its own tests (`test_restful_generate.py`) look at it.

use serde_json::{Value, json};

use crate::harness::client::Answer;
use crate::harness::server::Server;
use crate::table::*;

const PATH: &str = "/lmdeploy/generate";

fn ask(fields: Value) -> Value {
    let mut body = json!({"prompt": "two steps to build a house:", "max_tokens": 10, "temperature": 0.01});
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    body
}

fn with_tokens(fields: Value) -> Value {
    let mut body = ask(fields);
    body.as_object_mut().expect("an object").remove("prompt");
    body
}

fn is_generated(answer: &Answer) -> Result<Value, String> {
    let body = good(answer)?;
    is(body["text"].is_string(), "text")?;
    let tokens = body["output_ids"].as_array().ok_or("no output_ids")?;
    is(tokens.iter().all(Value::is_u64), "token ids")?;
    is(body["meta_info"]["completion_tokens"] == tokens.len(), "completion_tokens")?;
    is(body["meta_info"]["finish_reason"]["type"].is_string(), "finish_reason")?;
    Ok(body)
}

fn is_refused(answer: &Answer) -> Verdict {
    is([400, 422].contains(&answer.status), "another status")?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
    is(body.get("error").is_some() || body.get("message").is_some() || body.get("detail").is_some(), "a message")?;
    is(body.get("text").is_none() && body.get("output_ids").is_none(), "nothing generated")
}

#[test]
fn prompts_are_continued() {
    check(
        PATH,
        vec![
            row("a text", ask(json!({})), |answer| is_generated(answer).map(drop)),
            row("tokens", with_tokens(json!({"input_ids": [5, 6, 7]})), |answer| is_generated(answer).map(drop)),
            row("logprobs: one of each token, with its id", ask(json!({"return_logprob": true})), |answer| {
                let body = is_generated(answer)?;
                let logprobs = body["meta_info"]["output_token_logprobs"].as_array().ok_or("no logprobs")?;
                let tokens = body["output_ids"].as_array().ok_or("no output_ids")?;
                is(logprobs.len() == tokens.len(), "as many")?;
                is(
                    logprobs.iter().zip(tokens).all(|(pair, token)| pair[0].as_f64() <= Some(0.0) && pair[1] == *token),
                    "pairs",
                )
            }),
            row("a stop string is left out", ask(json!({"stop": ["a"], "max_tokens": 40})), |answer| {
                is(!is_generated(answer)?["text"].as_str().unwrap_or_default().contains('a'), "left out")
            }),
            row(
                "a stop string is left in where asked",
                ask(json!({"stop": ["a"], "include_stop_str_in_output": true, "max_tokens": 40})),
                |answer| is(is_generated(answer)?["text"].as_str().unwrap_or_default().ends_with('a'), "left in"),
            ),
            row("ignore_eos goes on to the limit", ask(json!({"ignore_eos": true, "max_tokens": 30})), |answer| {
                is(is_generated(answer)?["meta_info"]["finish_reason"]["type"] == "length", "length")
            }),
            row("one token", ask(json!({"max_tokens": 1})), |answer| {
                is(is_generated(answer)?["meta_info"]["completion_tokens"] == 1, "one")
            }),
            row("a session id is taken", ask(json!({"session_id": 7})), |answer| is_generated(answer).map(drop)),
        ],
    );
}

#[test]
fn streams_add_up() {
    let answer = Server::shared().post(PATH, &ask(json!({"stream": true, "max_tokens": 20, "ignore_eos": true})));
    let events = events(&answer).expect("a stream");
    assert!(events.len() >= 2, "{events:?}");
    assert!(events.iter().all(|event| event["text"].is_string() && event["meta_info"].is_object()), "{events:?}");
    let last = events.last().expect("events");
    assert_eq!(last["meta_info"]["finish_reason"]["type"], "length");
}

#[test]
fn bad_requests_are_refused() {
    let bodies = [
        ask(json!({"input_ids": [1, 2]})),
        with_tokens(json!({})),
        ask(json!({"prompt": ""})),
        with_tokens(json!({"input_ids": []})),
        with_tokens(json!({"input_ids": "1 2"})),
        with_tokens(json!({"input_ids": [1.5]})),
        with_tokens(json!({"input_ids": [-1]})),
        ask(json!({"temperature": -0.5})),
        ask(json!({"top_p": 1.5})),
        ask(json!({"top_k": -5})),
        ask(json!({"max_tokens": -2})),
        ask(json!({"max_tokens": 0})),
    ];
    check(PATH, bodies.into_iter().map(|body| row("a bad value", body, is_refused)).collect());
}
