use crate::Lmdeploy;
use mimus_sdk::answers::ToolChoice;
use mimus_sdk::inference::{self, Constraint};
use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
use serde_json::{Value, json};

fn ask(host: &ScriptedHost, fields: Value) -> Captured {
    let mut body = json!({"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]});
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
    host.call(&Lmdeploy, "POST", "/v1/chat/completions", &[], body.to_string().as_bytes())
}

#[test]
fn a_whole_answer() {
    let answer = ask(&ScriptedHost::new(), json!({}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body = answer.json();
    assert_eq!(body["object"], "chat.completion");
    assert_eq!(body["model"], "scripted");
    assert_eq!(
        body["choices"],
        json!([{"index": 0, "message": {"role": "assistant", "content": "Hello there friend"}, "logprobs": null, "finish_reason": "stop"}])
    );
    let usage = &body["usage"];
    assert_eq!(
        usage["total_tokens"].as_u64(),
        Some(usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap())
    );
    assert!(!answer.text().contains('\n'), "its clients read one line");
}

#[test]
fn a_stream_has_role_and_content_in_every_chunk() {
    let answer = ask(&ScriptedHost::new(), json!({"stream": true}));
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
    assert!(!answer.text().contains('\r'));
    let mut events = answer.events();
    assert_eq!(events.pop(), Some("[DONE]"));
    let chunks: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let mut text = String::new();
    for chunk in &chunks {
        assert_eq!(chunk["object"], "chat.completion.chunk");
        assert_eq!(chunk["choices"].as_array().map(Vec::len), Some(1));
        assert_eq!(chunk["choices"][0]["delta"]["role"], "assistant");
        text += chunk["choices"][0]["delta"]["content"].as_str().expect("content is text");
        assert!(chunk.get("usage").is_none());
    }
    assert_eq!(text, "Hello there friend");
    let last = chunks.last().expect("chunks");
    assert_eq!(
        (&last["choices"][0]["delta"]["content"], &last["choices"][0]["finish_reason"]),
        (&"".into(), &"stop".into())
    );
    assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
}

#[test]
fn usage_comes_in_a_chunk_of_its_own() {
    let answer = ask(&ScriptedHost::new(), json!({"stream": true, "stream_options": {"include_usage": true}}));
    let events = answer.events();
    let usage: Value = serde_json::from_str(events[events.len() - 2]).expect("JSON");
    assert_eq!(usage["choices"], json!([]));
    assert!(usage["usage"]["completion_tokens"].as_u64() > Some(0));
}

#[test]
fn one_raw_prompt_meets_no_template() {
    let host = ScriptedHost::new();
    assert_eq!(ask(&host, json!({"messages": "Once upon"})).status, 200);
    assert_eq!(host.asked()[0].input, Input::Prompt(inference::Prompt::Text("Once upon".into())));
}

#[test]
fn the_defaults_are_those_of_the_session_era() {
    let host = ScriptedHost::new();
    // As the clients send them: every parameter, with nulls, and a nested table for further ones.
    ask(
        &host,
        json!({"kwargs": {"seed": 1}, "user": null, "stop": false, "max_tokens": null, "session_id": -1, "logit_bias": null}),
    );
    let options = &host.asked()[0].options;
    assert_eq!(
        (options.temperature, options.top_p, options.top_k, options.tokens_max),
        (Some(0.7), Some(1.0), Some(40), None)
    );
    assert!(options.stop.is_empty() && options.seed.is_none());
}

#[test]
fn logprobs_are_reported_when_asked() {
    let answer = ask(&ScriptedHost::new(), json!({"logprobs": true, "top_logprobs": 2})).json();
    let entries = answer["choices"][0]["logprobs"]["content"].as_array().expect("entries").clone();
    assert!(!entries.is_empty());
    for entry in entries {
        assert!(entry["token"].is_string() && entry["bytes"].is_array() && entry["logprob"].is_number(), "{entry}");
        // Two were asked for, and the chosen one is among them.
        assert_eq!(entry["top_logprobs"].as_array().map(Vec::len), Some(1), "{entry}");
        assert_ne!(entry["top_logprobs"][0]["token"], entry["token"]);
    }
}

#[test]
fn several_choices_are_numbered() {
    let answer = ask(&ScriptedHost::new(), json!({"n": 2})).json();
    let indexes: Vec<_> =
        answer["choices"].as_array().expect("choices").iter().map(|choice| choice["index"].clone()).collect();
    assert_eq!(indexes, [0, 1]);
}

#[test]
fn bad_fields_are_refused() {
    let cases = [
        (json!({"model": "none"}), 404, "The model `none` does not exist."),
        (json!({"model": null}), 400, "`model` must be a string, got null"),
        (json!({"messages": []}), 400, "`messages` must not be empty"),
        (json!({"messages": 5}), 400, "`messages` must be a string or an array, got integer 5"),
        (json!({"n": 0}), 400, "The n `0` must be a positive int."),
        (json!({"temperature": 2.01}), 400, "The temperature `2.01` must be in [0, 2]"),
        (json!({"top_logprobs": 21}), 400, "The top_logprobs `21` must be in [0, 20]."),
        (json!({"logit_bias": {"x": 1}}), 400, "the logit_bias key `x` is no token id"),
        (json!({"stream": "yes"}), 400, "`stream` must be a boolean, got a string"),
        (json!({"response_format": {"type": "poem"}}), 400, "the response_format `poem` does not exist"),
    ];
    for (fields, status, message) in cases {
        let answer = ask(&ScriptedHost::new(), fields.clone());
        assert_eq!((answer.status, &answer.json()["message"]), (status, &message.into()), "{fields}");
    }
}

#[test]
fn a_prompt_past_the_context_is_refused() {
    let answer = ask(&ScriptedHost::new(), json!({"messages": [{"role": "user", "content": "w ".repeat(5000)}]}));
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &"context_length_exceeded".into()));
}

#[test]
fn a_failure_in_the_middle_ends_the_stream_with_an_error() {
    let host = ScriptedHost::new().fail_after(1, inference::Error::Failed("secret".into()));
    let answer = ask(&host, json!({"stream": true}));
    let events = answer.events();
    let last: Value = serde_json::from_str(events.last().expect("events")).expect("JSON");
    assert_eq!((&last["object"], &last["error"]["type"]), (&"error".into(), &"server_error".into()));
    assert!(!answer.text().contains("secret"));
}

#[test]
fn a_client_that_leaves_ends_the_generation() {
    let host = ScriptedHost::new().client_leaves_after(1);
    ask(&host, json!({"stream": true}));
    assert_eq!(host.running(), 0);
}

fn weather() -> Value {
    json!([{"type": "function", "function": {
        "name": "weather", "description": "of a place",
        "parameters": {"type": "object", "properties": {"place": {"type": "string"}}},
    }}])
}

fn calling() -> ScriptedHost {
    ScriptedHost::new().calls(&[("weather", r#"{"place":"Rome"}"#)])
}

#[test]
fn tools_are_called() {
    let host = calling();
    let choice = &ask(&host, json!({"tools": weather()})).json()["choices"][0];
    let message = &choice["message"];
    assert_eq!((&choice["finish_reason"], &message["content"]), (&"tool_calls".into(), &Value::Null));
    let call = &message["tool_calls"][0];
    assert_eq!(call["type"], "function");
    assert_eq!(call["function"], json!({"name": "weather", "arguments": r#"{"place":"Rome"}"#}));
    assert!(call["id"].as_str().is_some_and(|id| id.starts_with("chatcmpl-tool-")));
    let Input::Answer(_, render, tools) = &host.asked()[0].input else { panic!("no conversation") };
    assert_eq!((render.tools.len(), &tools.choice, tools.is_parallel), (1, &ToolChoice::Auto, true));
}

#[test]
fn streamed_calls_come_in_parts() {
    let answer = ask(&calling(), json!({"tools": weather(), "stream": true}));
    let mut arguments = String::new();
    let mut names = Vec::new();
    let mut reasons = Vec::new();
    for event in answer.events().iter().filter(|event| **event != "[DONE]") {
        let chunk: Value = serde_json::from_str(event).expect("JSON");
        let choice = &chunk["choices"][0];
        assert_eq!((&choice["delta"]["role"], choice["delta"]["content"].is_string()), (&"assistant".into(), true));
        reasons.extend(choice["finish_reason"].as_str().map(str::to_owned));
        for call in choice["delta"]["tool_calls"].as_array().into_iter().flatten() {
            assert_eq!(call["index"], 0);
            names.extend(call["function"]["name"].as_str().map(str::to_owned));
            arguments += call["function"]["arguments"].as_str().expect("text");
            assert_eq!(
                call["id"].is_string(),
                call["function"]["name"].is_string(),
                "the id comes once, with the name"
            );
        }
    }
    assert_eq!((names, arguments.as_str()), (vec!["weather".to_owned()], r#"{"place":"Rome"}"#));
    assert_eq!(reasons, ["tool_calls"]);
}

#[test]
fn the_choice_of_tools_is_passed_on() {
    let named = json!({"type": "function", "function": {"name": "weather"}});
    let allowed = json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [
        {"type": "function", "function": {"name": "weather"}},
    ]}});
    let cases = [
        (json!("auto"), 1, ToolChoice::Auto),
        (json!("none"), 0, ToolChoice::None),
        (json!("required"), 1, ToolChoice::Required),
        (named, 1, ToolChoice::Named("weather".into())),
        (allowed, 1, ToolChoice::Required),
    ];
    for (choice, count, expect) in cases {
        let host = calling();
        let fields = json!({"tools": weather(), "tool_choice": choice, "parallel_tool_calls": false});
        assert_eq!(ask(&host, fields).status, 200, "{choice}");
        let Input::Answer(_, render, tools) = &host.asked()[0].input else { panic!("no conversation") };
        assert_eq!((render.tools.len(), &tools.choice, tools.is_parallel), (count, &expect, false), "{choice}");
    }
    for choice in [json!("perhaps"), json!({"type": "function", "function": {"name": "other"}}), json!(5)] {
        assert_eq!(ask(&calling(), json!({"tools": weather(), "tool_choice": choice})).status, 400, "{choice}");
    }
    assert_eq!(ask(&calling(), json!({"tool_choice": "required"})).status, 400);
}

#[test]
fn results_of_tools_are_read() {
    let host = ScriptedHost::new();
    let messages = json!([
        {"role": "user", "content": "Weather?"},
        {"role": "assistant", "content": null, "reasoning_content": "hm", "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "weather", "arguments": "{}"}},
        ]},
        {"role": "tool", "tool_call_id": "a", "name": "weather", "content": "sunny"},
    ]);
    assert_eq!(ask(&host, json!({"messages": messages})).status, 200);
    let Input::Answer(messages, ..) = &host.asked()[0].input else { panic!("no conversation") };
    assert_eq!((messages[1].tool_calls[0].name.as_str(), messages[1].reasoning.as_deref()), ("weather", Some("hm")));
    assert!(messages[1].content.is_empty());
    assert_eq!(messages[2].tool_call_id.as_deref(), Some("a"));
}

#[test]
fn reasoning_has_a_field_of_its_own() {
    let host = ScriptedHost::new().reasoning("Let me think.");
    let body = ask(&host, json!({})).json();
    let message = &body["choices"][0]["message"];
    assert_eq!(
        (&message["reasoning_content"], &message["content"]),
        (&"Let me think.".into(), &"Hello there friend".into())
    );
    assert!(body["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64() > Some(0));
    let answer = ask(&host, json!({"stream": true}));
    let mut thought = String::new();
    for event in answer.events().iter().filter(|event| **event != "[DONE]") {
        let chunk: Value = serde_json::from_str(event).expect("JSON");
        let delta = &chunk["choices"][0]["delta"];
        thought += delta["reasoning_content"].as_str().unwrap_or_default();
        assert!(delta["content"].is_string(), "{delta}");
    }
    assert_eq!(thought, "Let me think.");
}

#[test]
fn the_template_gets_its_variables() {
    let host = ScriptedHost::new();
    let fields = json!({"enable_thinking": false, "reasoning_effort": "low", "chat_template_kwargs": {"enable_thinking": true, "a": [1]}});
    ask(&host, fields);
    let Input::Answer(_, render, _) = &host.asked()[0].input else { panic!("no conversation") };
    let text = |name: &str| render.variables.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    assert_eq!(
        (text("enable_thinking"), text("reasoning_effort"), text("a")),
        (Some("false"), Some("\"low\""), Some("[1]"))
    );
    assert_eq!(render.variables.len(), 3);
}

#[test]
fn token_ids_are_returned_when_asked() {
    let host = ScriptedHost::new();
    let whole = ask(&host, json!({"return_token_ids": true})).json();
    let ids = whole["choices"][0]["output_ids"].as_array().expect("ids").clone();
    assert_eq!(ids.len(), 3);
    assert!(ask(&host, json!({})).json()["choices"][0].get("output_ids").is_none());
    let streamed = ask(&host, json!({"return_token_ids": true, "stream": true}));
    let chunks = streamed.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
    let streamed: Vec<Value> =
        chunks.flat_map(|chunk| chunk["choices"][0]["output_ids"].as_array().cloned().unwrap_or_default()).collect();
    assert_eq!(streamed, ids);
}

#[test]
fn token_ids_stand_in_for_messages() {
    let host = ScriptedHost::new();
    for messages in [json!(null), json!([]), json!("")] {
        assert_eq!(ask(&host, json!({"messages": messages, "input_ids": [5, 6]})).status, 200, "{messages}");
        assert_eq!(
            host.asked().pop().map(|asked| asked.input),
            Some(Input::Prompt(inference::Prompt::Tokens(vec![5, 6])))
        );
    }
    assert_eq!(ask(&host, json!({"input_ids": [5, 6]})).status, 400);
    assert_eq!(ask(&host, json!({"messages": null})).status, 400);
}

#[test]
fn answers_have_the_shape_that_is_asked_for() {
    let cases = [
        (json!({"type": "text"}), None),
        (json!({"type": "json_object"}), Some(Constraint::JsonObject)),
        (
            json!({"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object"}}}),
            Some(Constraint::JsonSchema(r#"{"type":"object"}"#.into())),
        ),
        (
            json!({"type": "regex_schema", "regex_schema": "call me [A-Za-z]{1,10}"}),
            Some(Constraint::Regex("call me [A-Za-z]{1,10}".into())),
        ),
    ];
    for (format, expect) in cases {
        let host = ScriptedHost::new();
        assert_eq!(ask(&host, json!({"response_format": format})).status, 200, "{format}");
        assert_eq!(host.asked()[0].options.constraint, expect, "{format}");
    }
}

#[test]
fn a_session_that_is_in_use_is_occupied() {
    let host = ScriptedHost::new();
    let turn = br#"{"prompt": "Hi", "session_id": 7, "interactive_mode": true}"#;
    host.call(&Lmdeploy, "POST", "/v1/chat/interactive", &[], turn);
    let refused = ask(&host, json!({"session_id": 7}));
    assert_eq!((refused.status, &refused.json()["message"]), (400, &"The session_id `7` is occupied.".into()));
    for free in [json!(-1), json!(8), json!(null)] {
        assert_eq!(ask(&host, json!({"session_id": free})).status, 200, "{free}");
    }
}

#[test]
fn a_session_length_bounds_prompt_and_answer() {
    let host = ScriptedHost::new().setting("session_len", 12);
    assert_eq!(ask(&host, json!({"max_tokens": 2})).status, 200);
    assert_eq!(ask(&host, json!({})).status, 200);
    assert!(host.asked().pop().is_some_and(|asked| asked.options.tokens_max < Some(12)));
    for fields in [json!({"max_tokens": 12}), json!({"messages": "w ".repeat(12)})] {
        let answer = ask(&host, fields.clone());
        assert_eq!(
            (answer.status, &answer.json()["error"]["code"]),
            (400, &"context_length_exceeded".into()),
            "{fields}"
        );
    }
}
