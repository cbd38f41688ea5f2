//! `POST /v1/chat/completions`, streamed.

use serde_json::{Value, json};

use crate::chat::ask;
use crate::harness::client::Answer;
use crate::harness::server::Server;
use crate::table::*;

const PATH: &str = "/openai/v1/chat/completions";

fn stream(fields: Value) -> Value {
    let mut body = ask(fields);
    body["stream"] = json!(true);
    body
}

/// The chunks of one choice.
fn of(events: &[Value], index: u64) -> Vec<Value> {
    events.iter().flat_map(choices).filter(|choice| choice["index"] == index).cloned().collect()
}

/// What every chunk stream keeps to, with `n` choices.
fn is_well_formed(answer: &Answer, n: u64) -> Result<Vec<Value>, String> {
    let events = events(answer)?;
    let first = events.first().ok_or("no chunks")?;
    for event in &events {
        is(event["object"] == "chat.completion.chunk", "object")?;
        for key in ["id", "created", "model"] {
            is(!event[key].is_null() && event[key] == first[key], &format!("`{key}` changes"))?;
        }
    }
    for index in 0..n {
        let chunks = of(&events, index);
        let (last, rest) = chunks.split_last().ok_or("a choice without chunks")?;
        is(chunks[0]["delta"]["role"] == "assistant", "the first chunk has no role")?;
        is(chunks[1..].iter().all(|chunk| chunk["delta"].get("role").is_none()), "a later chunk has a role")?;
        is(rest.iter().all(|chunk| chunk["finish_reason"].is_null()), "a reason before the end")?;
        is(last["finish_reason"].is_string(), "no reason at the end")?;
    }
    Ok(events)
}

#[test]
fn streams_have_their_shape() {
    check(
        PATH,
        vec![
            row("role first, text, reason last, [DONE]", stream(json!({})), |answer| {
                is_well_formed(answer, 1).map(drop)
            }),
            row(
                "every choice has its own role, text and reason",
                stream(json!({"n": 2, "temperature": 1})),
                |answer| {
                    let events = is_well_formed(answer, 2)?;
                    is(!joined(&events, 0).is_empty() && !joined(&events, 1).is_empty(), "a choice without text")
                },
            ),
            row("the last chunk of a choice has an empty delta", stream(json!({})), |answer| {
                let chunks = of(&is_well_formed(answer, 1)?, 0);
                is(chunks.last().is_some_and(|chunk| chunk["delta"] == json!({})), "delta")
            }),
            row("no usage unless asked for", stream(json!({})), |answer| {
                is(events(answer)?.iter().all(|event| event.get("usage").is_none_or(Value::is_null)), "usage")
            }),
            row("empty stream_options change nothing", stream(json!({"stream_options": {}})), |answer| {
                is(events(answer)?.iter().all(|event| event.get("usage").is_none_or(Value::is_null)), "usage")
            }),
            row("include_usage false: none", stream(json!({"stream_options": {"include_usage": false}})), |answer| {
                is(events(answer)?.iter().all(|event| event.get("usage").is_none_or(Value::is_null)), "usage")
            }),
            row(
                "continuous_usage_stats without include_usage: none",
                stream(json!({"stream_options": {"include_usage": false, "continuous_usage_stats": true}})),
                |answer| is(events(answer)?.iter().all(|event| event.get("usage").is_none_or(Value::is_null)), "usage"),
            ),
            row(
                "include_usage: null in chunks, then a chunk without choices",
                stream(json!({"stream_options": {"include_usage": true}})),
                |answer| {
                    let events = is_well_formed(answer, 1)?;
                    let (last, rest) = events.split_last().ok_or("no chunks")?;
                    is(rest.iter().all(|event| event.get("usage").is_some_and(Value::is_null)), "null in chunks")?;
                    is(last["choices"] == json!([]), "no choices")?;
                    adds_up(last)
                },
            ),
            row(
                "continuous_usage_stats: in every chunk, growing",
                stream(json!({"stream_options": {"include_usage": true, "continuous_usage_stats": true}})),
                |answer| {
                    let events = is_well_formed(answer, 1)?;
                    let mut before = 0;
                    for event in &events {
                        let completion = used(event, "completion_tokens");
                        is(used(event, "prompt_tokens") > 0 && completion >= before, "grows")?;
                        is(used(event, "total_tokens") == used(event, "prompt_tokens") + completion, "adds up")?;
                        before = completion;
                    }
                    Ok(())
                },
            ),
            row("max_tokens: the reason is length", stream(json!({"max_tokens": 2})), |answer| {
                let chunks = of(&is_well_formed(answer, 1)?, 0);
                is(chunks.last().is_some_and(|chunk| chunk["finish_reason"] == "length"), "reason")
            }),
            row("a stop string shows in no chunk", stream(json!({"stop": " is"})), |answer| {
                let events = is_well_formed(answer, 1)?;
                is(!joined(&events, 0).contains(" is"), "the stop string")?;
                is(of(&events, 0).last().is_some_and(|chunk| chunk["finish_reason"] == "stop"), "reason")
            }),
            row("logprobs come with their text", stream(json!({"logprobs": true, "top_logprobs": 3})), |answer| {
                let events = is_well_formed(answer, 1)?;
                let mut tokens = String::new();
                for chunk in of(&events, 0) {
                    for token in chunk["logprobs"]["content"].as_array().into_iter().flatten() {
                        is(token["top_logprobs"].as_array().is_some_and(|top| top.len() == 3), "three alternatives")?;
                        is(token["logprob"].as_f64().is_some_and(|logprob| logprob <= 0.0), "logprob")?;
                        tokens.push_str(token["token"].as_str().unwrap_or_default());
                    }
                }
                is(tokens.starts_with(&joined(&events, 0)), "joined tokens")
            }),
            row("a bad value is an ordinary refusal", stream(json!({"temperature": 9})), |answer| {
                names(answer, "temperature")
            }),
        ],
    );
}

/// A proxy must not hold chunks back.
#[test]
fn streams_are_not_kept() {
    let answer = Server::shared().post(PATH, &stream(json!({})));
    assert_eq!(answer.header("cache-control"), Some("no-cache"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
}

#[test]
fn a_stream_says_what_the_whole_says() {
    let server = Server::shared();
    for fields in [json!({}), json!({"max_tokens": 3}), json!({"stop": "of"}), json!({"temperature": 1, "seed": 7})] {
        let whole = server.post(PATH, &ask(fields.clone())).expect(200).json();
        let events = events(&server.post(PATH, &stream(fields.clone()))).expect("a stream");
        assert_eq!(joined(&events, 0), text(&whole), "{fields}");
        let last = of(&events, 0).last().expect("chunks")["finish_reason"].clone();
        assert_eq!(last, reason(&whole), "{fields}");
    }
}
