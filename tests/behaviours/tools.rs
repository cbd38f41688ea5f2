//! Tools. What the model says is held to their schemas, so that no row depends on its words.

use serde_json::{Value, json};

use crate::chat::ask;
use crate::harness::client::Answer;
use crate::harness::server::Server;
use crate::table::*;

const PATH: &str = "/openai/v1/chat/completions";

fn weather() -> Value {
    json!({"type": "function", "function": {"name": "get_weather", "description": "The weather of a city", "parameters": {
        "type": "object", "properties": {"city": {"type": "string", "maxLength": 20}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city", "unit"], "additionalProperties": false}}})
}

fn search() -> Value {
    json!({"type": "function", "function": {"name": "search", "parameters": {
        "type": "object", "properties": {"query": {"type": "string", "maxLength": 20}}, "required": ["query"], "additionalProperties": false}}})
}

fn with(choice: Value, fields: Value) -> Value {
    let mut body = ask(json!({"tools": [weather(), search()], "tool_choice": choice, "max_tokens": 150}));
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    body
}

fn named() -> Value {
    json!({"type": "function", "function": {"name": "get_weather"}})
}

fn calls(body: &Value) -> Vec<Value> {
    body["choices"][0]["message"]["tool_calls"].as_array().cloned().unwrap_or_default()
}

/// A call in its form, with arguments that fit its tool.
fn is_call(call: &Value) -> Verdict {
    is(call["id"].as_str().is_some_and(|id| id.len() >= 9) && call["type"] == "function", "id and type")?;
    let arguments = call["function"]["arguments"].as_str().ok_or("arguments are no string")?;
    let arguments: Value =
        serde_json::from_str(arguments).map_err(|error| format!("arguments are no JSON: {error}"))?;
    match call["function"]["name"].as_str() {
        Some("get_weather") => {
            is(arguments["city"].is_string(), "city")?;
            is(["celsius", "fahrenheit"].contains(&arguments["unit"].as_str().unwrap_or_default()), "unit")
        }
        Some("search") => is(arguments["query"].is_string(), "query"),
        other => Err(format!("a tool that nobody offered: {other:?}")),
    }
}

fn is_one_call(answer: &Answer) -> Verdict {
    let body = good(answer)?;
    let calls = calls(&body);
    is(calls.len() == 1 && calls[0]["function"]["name"] == "get_weather", "one call of it")?;
    is(["tool_calls", "stop"].contains(&reason(&body)), "reason")?;
    is(body["choices"][0]["message"]["content"].as_str().unwrap_or_default().is_empty(), "no text besides")?;
    adds_up(&body)?;
    is_call(&calls[0])
}

#[test]
fn tools_are_called_as_asked() {
    check(
        PATH,
        vec![
            row("a named tool is called, once", with(named(), json!({})), is_one_call),
            row("required: some tool is called", with(json!("required"), json!({})), |answer| {
                let body = good(answer)?;
                // A model may call again and again, until its answer is cut.
                is(["tool_calls", "length"].contains(&reason(&body)), "reason")?;
                is_call(calls(&body).first().ok_or("no call")?)
            }),
            row("required, one at a time", with(json!("required"), json!({"parallel_tool_calls": false})), |answer| {
                is(calls(&good(answer)?).len() == 1, "one call")
            }),
            row("none: no tool is called", with(json!("none"), json!({})), |answer| {
                let body = good(answer)?;
                is(calls(&body).is_empty() && !text(&body).is_empty() && reason(&body) != "tool_calls", "text")
            }),
            row("auto: text, or calls that fit", with(json!("auto"), json!({})), |answer| {
                let body = good(answer)?;
                is(calls(&body).is_empty() == (reason(&body) != "tool_calls"), "the reason tells")?;
                calls(&body).iter().try_for_each(is_call)
            }),
            row("each call has an id of its own", with(named(), json!({"n": 3, "temperature": 1})), |answer| {
                let body = good(answer)?;
                let mut ids: Vec<&str> = choices(&body)
                    .iter()
                    .filter_map(|choice| choice["message"]["tool_calls"][0]["id"].as_str())
                    .collect();
                ids.sort_unstable();
                ids.dedup();
                is(ids.len() == 3, "three ids")
            }),
        ],
    );
}

#[test]
fn calls_stream() {
    let server = Server::shared();
    for choice in [named(), json!("required")] {
        let events =
            events(&server.post(PATH, &with(choice.clone(), json!({"stream": true, "parallel_tool_calls": false}))))
                .expect("a stream");
        let deltas: Vec<Value> = events.iter().flat_map(choices).map(|choice| choice["delta"].clone()).collect();
        let parts: Vec<&Value> = deltas.iter().filter_map(|delta| delta["tool_calls"].as_array()).flatten().collect();
        let (first, rest) = parts.split_first().expect("a call");
        assert!(first["index"] == 0 && first["type"] == "function", "{first}");
        assert!(parts.iter().all(|part| part["index"] == 0), "one call");
        // Clients put the pieces together: id and name come once, and whole.
        assert!(rest.iter().all(|part| part["id"].is_null() && part["function"]["name"].is_null()), "{rest:?}");
        let arguments: String = parts.iter().filter_map(|part| part["function"]["arguments"].as_str()).collect();
        let call = json!({"id": first["id"], "type": "function", "function": {"name": first["function"]["name"], "arguments": arguments}});
        is_call(&call).expect("a call");
        let reasons: Vec<&Value> = events
            .iter()
            .flat_map(choices)
            .map(|choice| &choice["finish_reason"])
            .filter(|reason| !reason.is_null())
            .collect();
        assert!(
            reasons.len() == 1 && ["tool_calls", "stop"].contains(&reasons[0].as_str().expect("a reason")),
            "{reasons:?}"
        );
    }
}

#[test]
fn results_of_tools_are_taken() {
    let messages = json!([
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": null, "tool_calls": [{"id": "call_1", "type": "function",
            "function": {"name": "get_weather", "arguments": "{\"city\":\"Paris\",\"unit\":\"celsius\"}"}}]},
        {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"}]);
    check(
        PATH,
        vec![
            row("a result is answered", with(json!("none"), json!({"messages": messages})), |answer| {
                good(answer).map(drop)
            }),
            row(
                "a result without its call's id is refused",
                ask(json!({"messages": [{"role": "tool", "content": "x"}]})),
                refused,
            ),
        ],
    );
}

#[test]
fn bad_tools_are_refused() {
    let broken = |parameters: Value| json!([{"type": "function", "function": {"name": "x", "parameters": parameters}}]);
    let fields = [
        json!({"tool_choice": "required"}),
        json!({"tool_choice": named()}),
        json!({"tools": [weather()], "tool_choice": "sometimes"}),
        json!({"tools": [weather()], "tool_choice": {"type": "function", "function": {"name": "other"}}}),
        json!({"tools": [weather()], "tool_choice": {"type": "function"}}),
        json!({"tools": [{"type": "function", "function": {"parameters": {}}}]}),
        json!({"tools": [{"type": "nothing"}]}),
        json!({"tools": broken(json!({"type": 123})), "tool_choice": "required"}),
    ];
    check(PATH, fields.into_iter().map(|fields| row("bad tools", ask(fields), refused)).collect());
}
