//! Answers that must have a shape: `response_format`, and vLLM's `structured_outputs`.

use serde_json::{Value, json};

use crate::chat::ask;
use crate::harness::client::Answer;
use crate::harness::server::Server;
use crate::table::*;

const CHAT: &str = "/openai/v1/chat/completions";
const COMPLETIONS: &str = "/openai/v1/completions";

/// The text of an answer as JSON.
fn said(answer: &Answer) -> Result<Value, String> {
    let body = good(answer)?;
    serde_json::from_str(text(&body)).map_err(|error| format!("the text is no JSON: {error}"))
}

fn person() -> Value {
    json!({"type": "object", "properties": {"name": {"type": "string", "maxLength": 12}, "age": {"type": "integer", "minimum": 0, "maximum": 150},
        "kind": {"enum": ["cat", "dog"]}}, "required": ["name", "age", "kind"], "additionalProperties": false})
}

fn is_person(person: &Value) -> Verdict {
    is(person["name"].is_string() && person["age"].as_u64().is_some_and(|age| age <= 150), "name and age")?;
    is(["cat", "dog"].contains(&person["kind"].as_str().unwrap_or_default()), "kind")?;
    is(person.as_object().is_some_and(|person| person.len() == 3), "no more keys")
}

fn schema(schema: Value) -> Value {
    ask(
        json!({"max_tokens": 400, "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}),
    )
}

fn shaped(fields: Value) -> Value {
    ask(json!({"max_tokens": 400, "structured_outputs": fields}))
}

#[test]
fn answers_have_the_shape_that_was_asked_for() {
    check(
        CHAT,
        vec![
            row(
                "json_object: an object",
                ask(json!({"max_tokens": 200, "response_format": {"type": "json_object"}})),
                |answer| {
                    // Cut short it is the beginning of one.
                    let body = good(answer)?;
                    if reason(&body) == "length" {
                        is(text(&body).trim_start().starts_with('{'), "an object")
                    } else {
                        is(said(answer)?.is_object(), "an object")
                    }
                },
            ),
            row("json_schema: fits the schema", schema(person()), |answer| is_person(&said(answer)?)),
            row("json_schema: a constant", schema(json!({"const": "foooooo"})), |answer| {
                is(said(answer)? == "foooooo", "the constant")
            }),
            row(
                "json_schema: nested references",
                schema(json!({"$defs": {"p": person()}, "type": "array", "items": {"$ref": "#/$defs/p"},
                "minItems": 1, "maxItems": 1})),
                |answer| is_person(&said(answer)?[0]),
            ),
            row("structured_outputs json", shaped(json!({"json": person()})), |answer| is_person(&said(answer)?)),
            row("structured_outputs regex", shaped(json!({"regex": "[0-9]{3}-[0-9]{2}"})), |answer| {
                let body = good(answer)?;
                let text = text(&body);
                let digits = text
                    .bytes()
                    .enumerate()
                    .all(|(at, byte)| if at == 3 { byte == b'-' } else { byte.is_ascii_digit() });
                is(text.len() == 6 && digits, "the pattern")
            }),
            row("structured_outputs choice", shaped(json!({"choice": ["Python", "Rust", "C++"]})), |answer| {
                is(["Python", "Rust", "C++"].contains(&text(&good(answer)?)), "one of them")
            }),
            row("structured_outputs grammar", shaped(json!({"grammar": "start: \"yes\" | \"no\""})), |answer| {
                is(["yes", "no"].contains(&text(&good(answer)?)), "one of them")
            }),
            row(
                "with logprobs: none below -9999",
                ask(json!({"structured_outputs": {"choice": ["Python", "Rust"]}, "logprobs": true,
                "top_logprobs": 5})),
                |answer| {
                    let body = good(answer)?;
                    let content = body["choices"][0]["logprobs"]["content"].as_array().cloned().unwrap_or_default();
                    let all =
                        content.iter().flat_map(|token| token["top_logprobs"].as_array()).flatten().chain(&content);
                    is(
                        !content.is_empty() && all.clone().all(|token| token["logprob"].as_f64() >= Some(-9999.0)),
                        "logprobs",
                    )
                },
            ),
        ],
    );
    let body = json!({"model": MODEL, "prompt": "The best language is ", "max_tokens": 20, "structured_outputs": {"choice": ["Python", "Rust"]}});
    check(
        COMPLETIONS,
        vec![row("a completion too", body, |answer| {
            is(["Python", "Rust"].contains(&text(&good(answer)?)), "one of them")
        })],
    );
}

#[test]
fn streams_have_the_shape_too() {
    let server = Server::shared();
    let mut body = schema(person());
    body["stream"] = json!(true);
    let events = events(&server.post(CHAT, &body)).expect("a stream");
    let person = serde_json::from_str(&joined(&events, 0)).expect("JSON");
    is_person(&person).expect("a person");
}

#[test]
fn shapes_that_cannot_be_are_refused() {
    let shapes = [
        json!({"json": {"type": "object", "properties": {"foo": "bar"}}}),
        json!({"json": 123}),
        json!({"json": {"type": 123}}),
        json!({"json": {"type": "hiccup"}}),
        json!({"regex": "[.*"}),
        json!({"grammar": "start: nothing"}),
        json!({"choice": []}),
        json!({"json": {"type": "object"}, "regex": ".*"}),
    ];
    check(CHAT, shapes.iter().map(|shape| row("a shape that cannot be", shaped(shape.clone()), refused)).collect());
    let body = |shape: &Value| json!({"model": MODEL, "prompt": "x", "max_tokens": 5, "structured_outputs": shape});
    check(COMPLETIONS, shapes.iter().map(|shape| row("a shape that cannot be", body(shape), refused)).collect());
    let formats = [
        json!({"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": 123}}}),
        json!({"type": "json_schema", "json_schema": {"name": "x", "schema": 123}}),
    ];
    check(
        CHAT,
        formats
            .into_iter()
            .map(|format| row("a format that cannot be", ask(json!({"response_format": format})), refused))
            .collect(),
    );
}
