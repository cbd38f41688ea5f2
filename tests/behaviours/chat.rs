//! `POST /v1/chat/completions`, answered whole.

use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::table::*;

const PATH: &str = "/openai/v1/chat/completions";
const QUESTION: &str = "What is the capital of France?";

/// A conversation of one question, with the fields given.
pub fn ask(fields: Value) -> Value {
    let mut body = json!({"model": MODEL, "temperature": 0, "messages": [{"role": "user", "content": QUESTION}]});
    for (key, value) in fields.as_object().expect("fields") {
        body[key] = value.clone();
    }
    body
}

fn with_messages(messages: Value) -> Value {
    ask(json!({ "messages": messages }))
}

#[test]
fn answers_have_their_shape() {
    check(
        PATH,
        vec![
            row("every key of a completion is there, with its type", ask(json!({})), |answer| {
                let body = good(answer)?;
                is(body["id"].as_str().is_some_and(|id| id.starts_with("chatcmpl-")), "id")?;
                is(body["object"] == "chat.completion", "object")?;
                is(body["created"].as_u64().is_some_and(|created| created > 1_700_000_000), "created")?;
                is(body["model"] == MODEL, "model")?;
                let choice = &body["choices"][0];
                is(choices(&body).len() == 1 && choice["index"] == 0, "one choice")?;
                is(choice["message"]["role"] == "assistant", "role")?;
                is(choice["message"]["content"].as_str().is_some_and(|text| !text.is_empty()), "content")?;
                is(choice["finish_reason"] == "stop", "finish_reason")?;
                is(body["system_fingerprint"].is_string(), "system_fingerprint")?;
                adds_up(&body)
            }),
            row("no logprobs unless asked for: null", ask(json!({"logprobs": false})), |answer| {
                is(good(answer)?["choices"][0]["logprobs"].is_null(), "logprobs")
            }),
            row("no tool calls where none were made", ask(json!({})), |answer| {
                let message = &good(answer)?["choices"][0]["message"];
                is(message.get("tool_calls").is_none_or(|calls| calls.is_null()), "tool_calls")
            }),
            row(
                "text parts are one message",
                with_messages(json!([{"role": "user", "content": [
                {"type": "text", "text": QUESTION}]}])),
                |answer| is(text(&good(answer)?).contains("Paris"), "text"),
            ),
            row(
                "a system message is taken",
                with_messages(json!([
                {"role": "system", "content": "You are a helpful assistant."},
                {"role": "user", "content": QUESTION}])),
                |answer| good(answer).map(drop),
            ),
            row(
                "a developer message is taken",
                with_messages(json!([
                {"role": "developer", "content": "Be short."}, {"role": "user", "content": QUESTION}])),
                |answer| good(answer).map(drop),
            ),
            row(
                "a turn of the assistant is taken",
                with_messages(json!([
                {"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hello!"},
                {"role": "user", "content": QUESTION}])),
                |answer| good(answer).map(drop),
            ),
            row(
                "the name of a speaker is taken",
                with_messages(json!([
                {"role": "user", "content": QUESTION, "name": "ann"}])),
                |answer| good(answer).map(drop),
            ),
            row(
                "an unknown field of a message is ignored",
                with_messages(json!([
                {"role": "user", "content": QUESTION, "extra_field": "0"}])),
                |answer| good(answer).map(drop),
            ),
            row("an unknown field of the request is ignored", ask(json!({"extra_field": {"a": [1]}})), |answer| {
                good(answer).map(drop)
            }),
            row(
                "fields that only store or bill are taken",
                ask(json!({"user": "u", "store": true, "metadata": {"k": "v"},
                "service_tier": "auto", "safety_identifier": "s", "prompt_cache_key": "p", "verbosity": "low"})),
                |answer| good(answer).map(drop),
            ),
            row(
                "null means the default",
                ask(json!({"temperature": null, "top_p": null, "n": null, "stop": null,
                "max_tokens": null, "max_completion_tokens": null, "seed": null, "stream": null, "logit_bias": null,
                "logprobs": null, "top_logprobs": null, "tools": null, "response_format": null, "user": null,
                "frequency_penalty": null, "presence_penalty": null, "stream_options": null})),
                |answer| good(answer).map(drop),
            ),
            row("response_format text changes nothing", ask(json!({"response_format": {"type": "text"}})), |answer| {
                is(text(&good(answer)?).contains("Paris"), "text")
            }),
        ],
    );
}

#[test]
fn lengths_are_kept() {
    check(
        PATH,
        vec![
            row("max_tokens cuts", ask(json!({"max_tokens": 2})), |answer| {
                let body = good(answer)?;
                is(reason(&body) == "length" && used(&body, "completion_tokens") == 2, "two tokens")
            }),
            row("max_completion_tokens cuts", ask(json!({"max_completion_tokens": 2})), |answer| {
                let body = good(answer)?;
                is(reason(&body) == "length" && used(&body, "completion_tokens") == 2, "two tokens")
            }),
            row(
                "max_completion_tokens goes before max_tokens",
                ask(json!({"max_completion_tokens": 2, "max_tokens": 5})),
                |answer| is(used(&good(answer)?, "completion_tokens") == 2, "two tokens"),
            ),
            row("ignore_eos goes on to the limit", ask(json!({"ignore_eos": true, "max_tokens": 40})), |answer| {
                let body = good(answer)?;
                is(reason(&body) == "length" && used(&body, "completion_tokens") == 40, "40 tokens")
            }),
            row("min_tokens keeps the end back", ask(json!({"min_tokens": 30, "max_tokens": 40})), |answer| {
                is((30..=40).contains(&used(&good(answer)?, "completion_tokens")), "30 to 40 tokens")
            }),
            row("a stop string ends the answer and is not in it", ask(json!({"stop": "capital"})), |answer| {
                let body = good(answer)?;
                is(reason(&body) == "stop" && !text(&body).contains("capital"), "stopped")
            }),
            row("any of several stop strings ends it", ask(json!({"stop": ["nowhere", " is", "!"]})), |answer| {
                let body = good(answer)?;
                is(reason(&body) == "stop" && !text(&body).contains(" is"), "stopped")
            }),
            row(
                "include_stop_str_in_output leaves it in",
                ask(json!({"stop": " is", "include_stop_str_in_output": true})),
                |answer| is(text(&good(answer)?).ends_with(" is"), "ends with it"),
            ),
        ],
    );
}

#[test]
fn several_choices_are_numbered() {
    check(
        PATH,
        vec![
            row("n answers, by index", ask(json!({"n": 3, "temperature": 1, "seed": 1})), |answer| {
                let body = good(answer)?;
                let numbered = choices(&body).iter().zip(0u64..).all(|(choice, index)| choice["index"] == index);
                is(choices(&body).len() == 3 && numbered, "indices")?;
                is(choices(&body).iter().all(|choice| choice["message"]["content"].is_string()), "contents")?;
                is(choices(&body).iter().all(|choice| choice["finish_reason"].is_string()), "reasons")?;
                adds_up(&body)
            }),
            row("n = 1 is one answer", ask(json!({"n": 1})), |answer| is(choices(&good(answer)?).len() == 1, "one")),
            row("the prompt is counted once", ask(json!({"n": 2, "max_tokens": 3, "ignore_eos": true})), |answer| {
                is(used(&good(answer)?, "completion_tokens") == 6, "six tokens")
            }),
            row("n = 0 is refused", ask(json!({"n": 0})), |answer| names(answer, "n")),
            row("n below 0 is refused", ask(json!({"n": -1})), |answer| names(answer, "n")),
            row("n without bound is refused", ask(json!({"n": 100_000})), |answer| names(answer, "n")),
        ],
    );
}

#[test]
fn chance_can_be_taken_out() {
    check_repeats(
        PATH,
        vec![
            ask(json!({"temperature": 0})),
            ask(json!({"temperature": 1, "seed": 42})),
            ask(json!({"temperature": 1, "seed": -42})),
            ask(json!({"temperature": 1, "top_p": 1e-10})),
            ask(json!({"temperature": 1, "top_k": 1})),
            ask(json!({"temperature": 1, "top_p": 0})),
        ],
    );
}

#[test]
fn logprobs_tell_the_tokens() {
    check(
        PATH,
        vec![
            row(
                "top_logprobs 0: none besides the token",
                ask(json!({"logprobs": true, "top_logprobs": 0})),
                |answer| {
                    let content = &good(answer)?["choices"][0]["logprobs"]["content"];
                    is(content[0]["top_logprobs"] == json!([]), "no alternatives")
                },
            ),
            row(
                "top_logprobs 5: five each, none above 0, with bytes",
                ask(json!({"logprobs": true, "top_logprobs": 5})),
                |answer| {
                    let body = good(answer)?;
                    let content = body["choices"][0]["logprobs"]["content"].as_array().ok_or("no content")?;
                    for token in content {
                        let top = token["top_logprobs"].as_array().ok_or("no alternatives")?;
                        is(top.len() == 5, "five alternatives")?;
                        for entry in top.iter().chain([token]) {
                            let logprob = entry["logprob"].as_f64().ok_or("no logprob")?;
                            is((-9999.0..=0.0).contains(&logprob), "logprob out of bounds")?;
                            is(entry["token"].is_string() && entry["bytes"].is_array(), "token and bytes")?;
                        }
                    }
                    Ok(())
                },
            ),
            row("the tokens make up the text", ask(json!({"logprobs": true})), |answer| {
                let body = good(answer)?;
                let content = body["choices"][0]["logprobs"]["content"].as_array().ok_or("no content")?;
                let whole: String = content.iter().filter_map(|token| token["token"].as_str()).collect();
                is(whole.starts_with(text(&body)), "joined tokens")
            }),
            row("top_logprobs 21 is refused", ask(json!({"logprobs": true, "top_logprobs": 21})), |answer| {
                names(answer, "top_logprobs")
            }),
            row(
                "top_logprobs 30 with stream is refused before the stream",
                ask(json!({"logprobs": true, "top_logprobs": 30, "stream": true})),
                |answer| names(answer, "top_logprobs"),
            ),
            row("top_logprobs below 0 is refused", ask(json!({"logprobs": true, "top_logprobs": -1})), |answer| {
                names(answer, "top_logprobs")
            }),
            row("top_logprobs needs logprobs", ask(json!({"top_logprobs": 2})), |answer| names(answer, "top_logprobs")),
        ],
    );
}

/// A bias of 100 leaves the model no choice but that token; one of -100 takes it away.
#[test]
fn biases_choose_tokens() {
    let server = Server::shared();
    let tokens = server.post("/openai/tokenize", &json!({"model": MODEL, "prompt": "7", "add_special_tokens": false}));
    let token = tokens.expect(200).json()["tokens"][0].to_string();
    let answer = server.post(PATH, &ask(json!({"logit_bias": {token.clone(): 100}, "max_tokens": 4})));
    let body = answer.expect(200).json();
    assert_eq!(text(&body).replace('7', ""), "", "{body}");
    let without = json!({"logit_bias": {token: -100}, "logprobs": true, "messages": [{"role": "user", "content": "Count to 9."}]});
    let body = server.post(PATH, &ask(without)).expect(200).json();
    let content = body["choices"][0]["logprobs"]["content"].as_array().expect("tokens").clone();
    assert!(content.iter().all(|token| token["token"] != "7"), "{body}");
}

#[test]
fn bad_requests_are_refused() {
    let messages = [
        json!(null),
        json!("text"),
        json!([]),
        json!([123]),
        json!([{}]),
        json!([{"role": 123, "content": "x"}]),
        json!([{"role": "user", "content": 123}]),
        json!([{"role": "system", "content": "x"}, {}]),
        json!([{"role": "user"}]),
        json!([{"content": "x"}]),
        json!([{"role": "user", "content": [{"type": "text"}]}]),
        json!([{"role": "user", "content": [{"type": "nothing", "text": "x"}]}]),
        json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]),
    ];
    let rows = messages
        .into_iter()
        .map(|messages| row("bad messages", with_messages(messages), |answer| names(answer, "messages")));
    check(PATH, rows.collect());
    let fields = [
        json!({"temperature": -0.1}),
        json!({"temperature": 2.1}),
        json!({"temperature": "hot"}),
        json!({"top_p": 1.1}),
        json!({"top_p": -0.1}),
        json!({"top_k": -2}),
        json!({"min_p": 1.5}),
        json!({"presence_penalty": 2.1}),
        json!({"frequency_penalty": -2.1}),
        json!({"repetition_penalty": 0}),
        json!({"max_tokens": 0}),
        json!({"max_tokens": -1}),
        json!({"max_completion_tokens": 0}),
        json!({"seed": 9_223_372_036_854_775_808u64}),
        json!({"seed": -9_223_372_036_854_775_809i128 as f64}),
        json!({"logit_bias": {"1": 101}}),
        json!({"logit_bias": {"x": 1}}),
        json!({"logit_bias": {"99999999": 1}}),
        json!({"logit_bias": {"-1": 1}}),
        json!({"stop": 7}),
        json!({"stop": [7]}),
        json!({"stream": "yes"}),
        json!({"stream_options": {"include_usage": true}}),
        json!({"stream_options": {"include_usage": null}}),
        json!({"response_format": {"type": "sound"}}),
        json!({"response_format": {"type": "json_schema"}}),
        json!({"response_format": "json"}),
        json!({"structured_outputs": 3}),
        json!({"structured_outputs": {"regex": {"1": "a"}}}),
        json!({"tools": "none"}),
        json!({"tools": [{"type": "function"}]}),
    ];
    check(PATH, fields.into_iter().map(|fields| row("a bad value", ask(fields), refused)).collect());
    let bodies =
        [json!([]), json!("x"), json!(1), json!(null), json!({}), json!({"model": MODEL}), json!({"messages": []})];
    check(PATH, bodies.into_iter().map(|body| row("a bad body", body, refused)).collect());
}

#[test]
fn what_is_not_there_is_told() {
    let long = "word ".repeat(60_000);
    check(
        PATH,
        vec![
            row("an unknown model is 404, with its code", ask(json!({"model": "nope"})), |answer| {
                let error = refused_with(answer, &[404])?;
                is(error["code"] == "model_not_found" && error["param"] == "model", "code and param")
            }),
            row("an unknown model is 404 before a stream", ask(json!({"model": "nope", "stream": true})), |answer| {
                refused_with(answer, &[404]).map(drop)
            }),
            row("an empty model is refused", ask(json!({"model": ""})), |answer| {
                refused_with(answer, &[400, 404]).map(drop)
            }),
            row(
                "a prompt past the context is refused in the words that clients look for",
                ask(json!({"messages": [{"role": "user", "content": long}]})),
                |answer| {
                    let error = refused_with(answer, &[400])?;
                    let message = error["message"].as_str().unwrap_or_default();
                    is(
                        message.contains("maximum context length") && error["code"] == "context_length_exceeded",
                        "words",
                    )
                },
            ),
            row("the server goes on", ask(json!({})), |answer| good(answer).map(drop)),
        ],
    );
}
