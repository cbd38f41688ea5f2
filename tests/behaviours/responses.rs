//! `/v1/responses`.

use serde_json::{Value, json};

use crate::harness::client::Answer;
use crate::harness::server::Server;
use crate::table::*;

const PATH: &str = "/openai/v1/responses";
const QUESTION: &str = "What is the capital of France?";

fn ask(fields: Value) -> Value {
    let mut body = json!({"model": MODEL, "input": QUESTION, "temperature": 0});
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    body
}

/// The text of the last message.
fn said(body: &Value) -> &str {
    let message = body["output"].as_array().into_iter().flatten().rfind(|item| item["type"] == "message");
    message.and_then(|message| message["content"][0]["text"].as_str()).unwrap_or_default()
}

fn is_response(answer: &Answer) -> Result<Value, String> {
    let body = good(answer)?;
    is(body["id"].as_str().is_some_and(|id| id.starts_with("resp_")) && body["object"] == "response", "id and object")?;
    for key in [
        "created_at",
        "status",
        "error",
        "incomplete_details",
        "instructions",
        "model",
        "output",
        "parallel_tool_calls",
        "temperature",
        "tool_choice",
        "tools",
        "top_p",
        "max_output_tokens",
        "previous_response_id",
        "truncation",
        "usage",
        "metadata",
    ] {
        is(body.get(key).is_some(), key)?;
    }
    let message = body["output"].as_array().and_then(|output| output.last()).ok_or("no output")?;
    is(
        message["id"].as_str().is_some_and(|id| id.starts_with("msg_")) && message["role"] == "assistant",
        "the message",
    )?;
    is(
        message["content"][0]["type"] == "output_text" && message["content"][0]["annotations"] == json!([]),
        "its part",
    )?;
    let usage = &body["usage"];
    is(used(&body, "input_tokens") > 0 && used(&body, "output_tokens") > 0, "tokens")?;
    is(used(&body, "total_tokens") == used(&body, "input_tokens") + used(&body, "output_tokens"), "adds up")?;
    is(
        usage["input_tokens_details"]["cached_tokens"].is_u64()
            && usage["output_tokens_details"]["reasoning_tokens"].is_u64(),
        "details",
    )?;
    Ok(body)
}

#[test]
fn responses_have_their_shape() {
    check(
        PATH,
        vec![
            row("a text", ask(json!({})), |answer| {
                let body = is_response(answer)?;
                is(body["status"] == "completed" && said(&body).contains("Paris"), "completed")
            }),
            row("messages", ask(json!({"input": [{"role": "user", "content": QUESTION}]})), |answer| {
                is_response(answer).map(drop)
            }),
            row(
                "parts of type input_text",
                ask(json!({"input": [{"role": "user", "content": [{"type": "input_text", "text": QUESTION}]}]})),
                |answer| is_response(answer).map(drop),
            ),
            row(
                "a conversation",
                ask(json!({"input": [{"role": "system", "content": "Be short."}, {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Hello!"}, {"role": "user", "content": QUESTION}]})),
                |answer| is_response(answer).map(drop),
            ),
            row("instructions", ask(json!({"instructions": "Be short."})), |answer| {
                is(is_response(answer)?["instructions"] == "Be short.", "repeated")
            }),
            row("max_output_tokens: incomplete, and why", ask(json!({"max_output_tokens": 2})), |answer| {
                let body = is_response(answer)?;
                is(
                    body["status"] == "incomplete" && body["incomplete_details"]["reason"] == "max_output_tokens",
                    "incomplete",
                )
            }),
            row(
                "logprobs where included",
                ask(json!({"include": ["message.output_text.logprobs"], "top_logprobs": 5})),
                |answer| {
                    let body = is_response(answer)?;
                    let logprobs = &body["output"].as_array().and_then(|output| output.last()).ok_or("no output")?["content"]
                        [0]["logprobs"];
                    is(logprobs[0]["top_logprobs"].as_array().is_some_and(|top| top.len() == 5), "five alternatives")
                },
            ),
            row(
                "text.format json_schema",
                ask(json!({"max_output_tokens": 60, "text": {"format": {"type": "json_schema", "name": "x",
                "schema": {"const": "foooooo"}}}})),
                |answer| is(said(&is_response(answer)?).trim() == "\"foooooo\"", "the constant"),
            ),
            row("text.format text", ask(json!({"text": {"format": {"type": "text"}}})), |answer| {
                is_response(answer).map(drop)
            }),
            row("metadata comes back", ask(json!({"metadata": {"k": "v"}})), |answer| {
                is(is_response(answer)?["metadata"]["k"] == "v", "k")
            }),
        ],
    );
}

#[test]
fn bad_requests_are_refused() {
    let fields = [
        json!({"input": null}),
        json!({"input": 7}),
        json!({"temperature": 9}),
        json!({"max_output_tokens": 0}),
        json!({"text": {"format": {"type": "json_schema", "name": "x"}}}),
        json!({"text": {"format": {"type": "sound"}}}),
        json!({"background": true, "store": false}),
    ];
    check(PATH, fields.into_iter().map(|fields| row("a bad value", ask(fields), refused)).collect());
    check(
        PATH,
        vec![
            row("an unknown model", ask(json!({"model": "nope"})), |answer| refused_with(answer, &[404]).map(drop)),
            row("an unknown response before it", ask(json!({"previous_response_id": "resp_nothing"})), |answer| {
                refused_with(answer, &[400, 404]).map(drop)
            }),
        ],
    );
}

/// Events with their types; `data.type` repeats the name, and the numbers have no gap.
fn typed(answer: &Answer) -> Vec<Value> {
    let text = answer.text();
    let mut events = Vec::new();
    for event in text.split("\n\n").filter(|event| !event.is_empty() && *event != "data: [DONE]") {
        let (name, data) = event.split_once('\n').expect("a name and data");
        let data: Value = serde_json::from_str(data.strip_prefix("data: ").expect("data")).expect("JSON");
        assert_eq!(name.strip_prefix("event: "), data["type"].as_str());
        assert_eq!(data["sequence_number"], events.len());
        events.push(data);
    }
    events
}

#[test]
fn streams_tell_their_parts_in_order() {
    let server = Server::shared();
    let mut body = ask(json!({}));
    body["stream"] = json!(true);
    let events = typed(&server.post(PATH, &body).expect(200));
    let mut types: Vec<&str> = events.iter().filter_map(|event| event["type"].as_str()).collect();
    types.dedup();
    let names = [
        "response.created",
        "response.in_progress",
        "response.output_item.added",
        "response.content_part.added",
        "response.output_text.delta",
        "response.output_text.done",
        "response.content_part.done",
        "response.output_item.done",
        "response.completed",
    ];
    assert_eq!(types, names);
    let deltas: String =
        events.iter().filter(|event| event["type"] == names[4]).filter_map(|event| event["delta"].as_str()).collect();
    let last = &events.last().expect("events")["response"];
    assert_eq!(deltas, said(last));
    assert_eq!(last["id"], events[0]["response"]["id"]);
    let item = &events[2]["item"]["id"];
    assert!(events[3..8].iter().filter_map(|event| event.get("item_id")).all(|id| id == item));
    let whole = server.post(PATH, &ask(json!({}))).expect(200).json();
    assert_eq!(said(&whole), deltas);
}

#[test]
fn responses_are_kept_and_forgotten() {
    let server = Server::shared();
    let kept = server.post(PATH, &ask(json!({}))).expect(200).json();
    let path = format!("{PATH}/{}", kept["id"].as_str().expect("an id"));
    assert_eq!(said(&server.get(&path).expect(200).json()), said(&kept));
    let items = server.get(&format!("{path}/input_items")).expect(200).json();
    assert!(items["object"] == "list" && items["data"].to_string().contains(QUESTION), "{items}");
    let next = server
        .post(PATH, &ask(json!({"input": "And of Italy?", "previous_response_id": kept["id"]})))
        .expect(200)
        .json();
    assert_eq!(next["previous_response_id"], kept["id"]);
    assert!(used(&next, "input_tokens") > used(&kept, "input_tokens"), "the turn before counts");
    let gone = server.request("DELETE", &path, &[], &[]).expect(200).json();
    assert_eq!(gone["deleted"], true);
    refused_with(&server.get(&path), &[404]).expect("gone");
    let unkept = server.post(PATH, &ask(json!({"store": false}))).expect(200).json();
    refused_with(&server.get(&format!("{PATH}/{}", unkept["id"].as_str().expect("an id"))), &[404])
        .expect("never kept");
}

#[test]
fn a_named_tool_is_called() {
    let tool = json!({"type": "function", "name": "get_weather", "parameters": {"type": "object",
        "properties": {"city": {"type": "string", "maxLength": 20}}, "required": ["city"], "additionalProperties": false}});
    let body = ask(
        json!({"tools": [tool], "tool_choice": {"type": "function", "name": "get_weather"}, "max_output_tokens": 100}),
    );
    let answer = Server::shared().post(PATH, &body).expect(200).json();
    let call = answer["output"]
        .as_array()
        .expect("output")
        .iter()
        .find(|item| item["type"] == "function_call")
        .expect("a call")
        .clone();
    assert!(call["name"] == "get_weather" && call["call_id"].is_string() && call["id"].is_string(), "{call}");
    let arguments: Value = serde_json::from_str(call["arguments"].as_str().expect("text")).expect("JSON");
    assert!(arguments["city"].is_string(), "{call}");
}
