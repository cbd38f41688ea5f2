//! lmdeploy's dialect, as its own interface tests (`autotest/interface/restful`) look at it.

use serde_json::{Value, json};

use crate::harness::client::Answer;
use crate::harness::server::Server;
use crate::table::*;

const CHAT: &str = "/lmdeploy/v1/chat/completions";
const COMPLETIONS: &str = "/lmdeploy/v1/completions";

fn ask(fields: Value) -> Value {
    let question = json!([{"role": "user", "content": "What is the capital of France?"}]);
    extended(json!({"model": MODEL, "messages": question, "temperature": 0.01}), fields)
}

fn complete(fields: Value) -> Value {
    extended(json!({"model": MODEL, "prompt": "Shanghai is", "temperature": 0.01}), fields)
}

fn extended(mut body: Value, fields: Value) -> Value {
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    body
}

/// The refusal that lmdeploy's client finds: flat, on one line.
fn is_flat(answer: &Answer, status: u16) -> Result<Value, String> {
    is(answer.status == status, "another status")?;
    is(!answer.body.contains(&b'\n'), "more than one line")?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
    is(body["object"] == "error" && body["code"] == status && body["message"].is_string(), "object, code, message")?;
    Ok(body)
}

fn is_refused(answer: &Answer) -> Verdict {
    is_flat(answer, 400).map(drop)
}

fn is_chat(answer: &Answer) -> Result<Value, String> {
    let body = good(answer)?;
    is(body["id"].is_string() && body["object"] == "chat.completion" && body["model"] == MODEL, "id, object, model")?;
    let choice = &body["choices"][0];
    is(choices(&body).len() == 1 && choice["index"] == 0 && choice["message"]["role"] == "assistant", "one choice")?;
    is(["stop", "length"].contains(&reason(&body)), "reason")?;
    is(choice["message"]["content"].as_str().is_some_and(|text| !text.is_empty()), "content")?;
    adds_up(&body)?;
    Ok(body)
}

/// Every chunk has a role and a text; the last has no text and the reason.
fn is_chat_stream(answer: &Answer) -> Result<Vec<Value>, String> {
    let events = events(answer)?;
    let (last, rest) = events.split_last().ok_or("no chunks")?;
    for event in &events {
        is(
            event["id"].is_string() && event["object"] == "chat.completion.chunk" && event["model"] == MODEL,
            "id, object, model",
        )?;
        let choice = &event["choices"][0];
        is(choices(event).len() == 1 && choice["index"] == 0 && choice["delta"]["role"] == "assistant", "role")?;
        is(choice["delta"]["content"].is_string(), "content")?;
    }
    is(rest.iter().all(|event| event["choices"][0]["finish_reason"].is_null()), "a reason before the end")?;
    is(last["choices"][0]["delta"]["content"] == "", "text at the end")?;
    is(["stop", "length"].contains(&reason(last)), "reason")?;
    Ok(events)
}

#[test]
fn chats_have_their_shape() {
    let long = "Hi, pls intro yourself".repeat(6_000);
    check(
        CHAT,
        vec![
            row("messages as a list", ask(json!({})), |answer| is_chat(answer).map(drop)),
            // A raw prompt, which the model may answer with nothing.
            row("messages as a string", ask(json!({"messages": "Hello, how are you?"})), |answer| {
                adds_up(&good(answer)?)
            }),
            row("messages as a list, streamed", ask(json!({"stream": true})), |answer| {
                is_chat_stream(answer).map(drop)
            }),
            row(
                "messages as a string, streamed",
                ask(json!({"messages": "Hello, how are you?", "stream": true})),
                |answer| is_chat_stream(answer).map(drop),
            ),
            row("one stop string", ask(json!({"stop": " is"})), |answer| {
                let body = is_chat(answer)?;
                is(!text(&body).contains(" is") && reason(&body) == "stop", "stopped")
            }),
            row("one stop string, streamed", ask(json!({"stop": " is", "stream": true})), |answer| {
                is(!joined(&is_chat_stream(answer)?, 0).contains(" is"), "stopped")
            }),
            row("several stop strings", ask(json!({"stop": [" is", "上海", " to"]})), |answer| {
                is(!text(&is_chat(answer)?).contains(" is"), "stopped")
            }),
            row(
                "a repetition penalty near 0",
                ask(json!({"repetition_penalty": 0.000_000_1, "max_tokens": 20})),
                |answer| good(answer).map(drop),
            ),
            row("a repetition penalty above 1", ask(json!({"repetition_penalty": 1.2, "max_tokens": 20})), |answer| {
                is_chat(answer).map(drop)
            }),
            row("ignore_eos", ask(json!({"ignore_eos": true, "max_tokens": 100})), |answer| {
                let body = is_chat(answer)?;
                is((100..=101).contains(&used(&body, "completion_tokens")) && reason(&body) == "length", "100 tokens")
            }),
            row("max_tokens", ask(json!({"max_tokens": 5})), |answer| {
                let body = is_chat(answer)?;
                is((5..=6).contains(&used(&body, "completion_tokens")) && reason(&body) == "length", "5 tokens")
            }),
            row("max_completion_tokens", ask(json!({"max_completion_tokens": 5})), |answer| {
                is((5..=6).contains(&used(&is_chat(answer)?, "completion_tokens")), "5 tokens")
            }),
            row("logprobs", ask(json!({"logprobs": true, "top_logprobs": 10, "max_tokens": 5})), |answer| {
                let body = is_chat(answer)?;
                let content = body["choices"][0]["logprobs"]["content"].as_array().ok_or("no content")?;
                is(content.len() == 5, "five tokens")?;
                for token in
                    content.iter().chain(content.iter().flat_map(|token| token["top_logprobs"].as_array()).flatten())
                {
                    is(token["token"].as_str().is_some_and(|text| !text.is_empty()), "token")?;
                    is(
                        token["bytes"].as_array().is_some_and(|bytes| !bytes.is_empty()) && token["logprob"].is_f64(),
                        "bytes",
                    )?;
                }
                Ok(())
            }),
            row("a wrong model, in its words", ask(json!({"model": "error"})), |answer| {
                // Its releases quote the name in two ways.
                let message = is_flat(answer, 404)?["message"].as_str().unwrap_or_default().replace('`', "'");
                is(message == "The model 'error' does not exist.", "words")
            }),
            row(
                "a wrong model before a stream is one line",
                ask(json!({"model": "error", "stream": true})),
                |answer| is_flat(answer, 404).map(drop),
            ),
            row("a prompt that is too long", ask(json!({"messages": [{"role": "user", "content": long}]})), |answer| {
                let body = is_flat(answer, 400)?;
                let message = body["message"].as_str().unwrap_or_default().to_lowercase();
                is(body["type"] == "invalid_request_error" && message.contains("context length"), "words")
            }),
            row(
                "a prompt that is too long, streamed",
                ask(json!({"stream": true, "messages": "Hi, pls intro yourself".repeat(6_000)})),
                is_refused,
            ),
            row("the server goes on", ask(json!({"max_tokens": 8})), |answer| is_chat(answer).map(drop)),
        ],
    );
    check_repeats(CHAT, vec![ask(json!({"temperature": 1, "top_p": 1e-10, "max_tokens": 10}))]);
}

#[test]
fn completions_have_their_shape() {
    check(
        COMPLETIONS,
        vec![
            row("16 tokens where nothing is said", complete(json!({"ignore_eos": true})), |answer| {
                let body = good(answer)?;
                is((16..=17).contains(&used(&body, "completion_tokens")) && reason(&body) == "length", "16 tokens")?;
                is(body["object"] == "text_completion" && body["model"] == MODEL && !text(&body).is_empty(), "shape")?;
                adds_up(&body)
            }),
            row("a stop string", complete(json!({"stop": "a", "max_tokens": 40})), |answer| {
                is(!text(&good(answer)?).contains('a'), "stopped")
            }),
            row(
                "prompts in their order",
                complete(json!({"prompt": ["Shanghai is", "two steps to build a house:", "Hello"]})),
                |answer| {
                    let body = good(answer)?;
                    let numbered = choices(&body).iter().zip(0u64..).all(|(choice, index)| choice["index"] == index);
                    is(choices(&body).len() == 3 && numbered, "indices")
                },
            ),
            row(
                "streamed: text, then an empty chunk with the reason",
                complete(json!({"stream": true, "max_tokens": 10})),
                |answer| {
                    let events = events(answer)?;
                    let (last, rest) = events.split_last().ok_or("no chunks")?;
                    is(
                        rest.iter()
                            .all(|event| event["choices"][0]["text"].as_str().is_some_and(|text| !text.is_empty())),
                        "text",
                    )?;
                    is(text(last).is_empty() && ["stop", "length"].contains(&reason(last)), "reason")
                },
            ),
            row("a wrong model", complete(json!({"model": "error"})), |answer| is_flat(answer, 404).map(drop)),
        ],
    );
}

#[test]
fn bad_values_are_refused() {
    let fields = [
        json!({"temperature": -0.5}),
        json!({"temperature": 2.5}),
        json!({"top_p": 1.5}),
        json!({"top_k": -5}),
        json!({"max_tokens": -2}),
        json!({"max_tokens": 0}),
        json!({"n": 0}),
    ];
    check(CHAT, fields.iter().map(|fields| row("a bad value", ask(fields.clone()), is_refused)).collect());
    check(COMPLETIONS, fields.iter().map(|fields| row("a bad value", complete(fields.clone()), is_refused)).collect());
}

/// As lmdeploy's tests measure an answer: by encoding it again.
#[test]
fn an_answer_is_as_long_as_its_tokens() {
    let server = Server::shared();
    let body = ask(json!({"stream": true, "ignore_eos": true, "max_tokens": 50}));
    let events = is_chat_stream(&server.post(CHAT, &body)).expect("a stream");
    let encoded =
        server.post("/lmdeploy/v1/encode", &json!({"input": joined(&events, 0), "add_bos": false})).expect(200).json();
    // Tokens that were generated in another division than the encoder's count differently, and special ones are left out.
    let length = encoded["length"].as_u64().expect("a length");
    assert!((1..=51).contains(&length), "{encoded}");
    assert_eq!(encoded["input_ids"].as_array().map(Vec::len), Some(length as usize));
}
