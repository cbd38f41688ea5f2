use mimus_sdk::chat::{Message, Role};
use mimus_sdk::inference::{Constraint, ContextExcess, Error, InvalidValue, Options};
use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
use serde_json::{Value, json};

use crate::OpenAi;
use crate::tests::USAGE_DETAILS;

fn post(host: &ScriptedHost, body: &str) -> Captured {
    host.call(&OpenAi, "POST", "/v1/chat/completions", &[], body.as_bytes())
}

/// A request with the fields of `more` besides the needed ones.
fn request(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"model":"scripted","messages":[{{"role":"user","content":"hi"}}]{comma}{more}}}"#)
}

/// What the model was asked, given the fields of `more`.
fn options(more: &str) -> Options {
    let host = ScriptedHost::new();
    let captured = post(&host, &request(more));
    assert_eq!(captured.status, 200, "{more}: {}", captured.text());
    host.asked().remove(0).options
}

#[test]
fn answers_whole() {
    let captured = post(&ScriptedHost::new(), &request(""));
    assert_eq!(captured.status, 200);
    assert_eq!(captured.header("content-type"), Some("application/json"));
    assert_eq!(
        captured.text(),
        concat!(
            r#"{"id":"chatcmpl-000000000000000000000001","object":"chat.completion","created":1700000000,"model":"scripted","#,
            r#""system_fingerprint":"fp_mimus_0.1.0","choices":[{"index":0,"message":{"role":"assistant","#,
            r#""content":"Hello there friend","refusal":null},"logprobs":null,"finish_reason":"stop"}],"#,
            r#""usage":{"prompt_tokens":2,"completion_tokens":3,"total_tokens":5,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#
        )
    );
}

#[test]
fn answers_as_stream() {
    let host = ScriptedHost::new().answer("Hi you");
    let captured = post(&host, &request(r#""stream":true,"stream_options":{"include_usage":true}"#));
    assert_eq!(captured.status, 200);
    assert_eq!(captured.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(captured.header("cache-control"), Some("no-cache"));
    let head = concat!(
        r#"data: {"id":"chatcmpl-000000000000000000000001","object":"chat.completion.chunk","created":1700000000,"#,
        r#""model":"scripted","system_fingerprint":"fp_mimus_0.1.0","choices":"#
    );
    let chunk = |delta: &str, reason: &str| {
        format!(
            "{head}[{{\"index\":0,\"delta\":{delta},\"logprobs\":null,\"finish_reason\":{reason}}}],\"usage\":null}}\n\n"
        )
    };
    let expect = [
        chunk(r#"{"role":"assistant","content":""}"#, "null") + &chunk(r#"{"content":"Hi"}"#, "null"),
        chunk(r#"{"content":" you"}"#, "null"),
        chunk("{}", r#""stop""#),
        format!(
            "{head}[],\"usage\":{{\"prompt_tokens\":2,\"completion_tokens\":2,\"total_tokens\":4,{USAGE_DETAILS}}}}}\n\ndata: [DONE]\n\n"
        ),
    ];
    let chunks: Vec<&str> = captured.chunks.iter().map(|chunk| std::str::from_utf8(chunk).expect("text")).collect();
    assert_eq!(chunks, expect);
}

#[test]
fn a_stream_without_usage_has_no_such_key() {
    let captured = post(&ScriptedHost::new(), &request(r#""stream":true"#));
    assert!(!captured.text().contains("usage"));
    assert_eq!(captured.events().last(), Some(&"[DONE]"));
}

#[test]
fn waiting_pieces_go_out_in_one_write() {
    let host = ScriptedHost::new().pieces_at_once(64);
    let captured = post(&host, &request(r#""stream":true"#));
    assert_eq!(captured.chunks.len(), 2);
    assert_eq!(captured.events().len(), 6);
}

#[test]
fn usage_in_every_chunk() {
    let host = ScriptedHost::new().answer("Hi");
    let more = r#""stream":true,"stream_options":{"include_usage":true,"continuous_usage_stats":true}"#;
    let captured = post(&host, &request(more));
    let events = captured.events();
    for event in &events[..events.len() - 1] {
        let event: Value = serde_json::from_str(event).expect("JSON");
        assert_eq!(event["usage"]["prompt_tokens"], 2, "{event}");
    }
}

#[test]
fn several_choices() {
    let whole = post(&ScriptedHost::new(), &request(r#""n":2"#)).json();
    assert_eq!(whole["choices"][1]["index"], 1);
    assert_eq!(
        whole["usage"],
        json!({"prompt_tokens":2,"completion_tokens":6,"total_tokens":8,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}})
    );

    let stream = post(&ScriptedHost::new(), &request(r#""n":2,"stream":true"#));
    let events: Vec<Value> = stream.events().iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
    for index in 0..2 {
        let own = || events.iter().map(|event| &event["choices"][0]).filter(|choice| choice["index"] == index);
        let text: String = own().filter_map(|choice| choice["delta"]["content"].as_str()).collect();
        assert_eq!(text, "Hello there friend");
        assert_eq!(own().filter(|choice| choice["delta"]["role"] == "assistant").count(), 1);
        assert_eq!(own().filter(|choice| choice["finish_reason"] == "stop").count(), 1);
    }
}

#[test]
fn finish_reasons() {
    let cases = [
        (r#""max_tokens":2"#, "Hello there", "length"),
        (r#""max_completion_tokens":1,"max_tokens":2"#, "Hello", "length"),
        (r#""stop":" friend""#, "Hello there", "stop"),
        (r#""stop":["zzz","there"]"#, "Hello ", "stop"),
        (r#""stop":"there","include_stop_str_in_output":true"#, "Hello there", "stop"),
        (r#""stop":"""#, "Hello there friend", "stop"),
        (r#""stop":[]"#, "Hello there friend", "stop"),
    ];
    for (more, text, reason) in cases {
        let answer = post(&ScriptedHost::new(), &request(more)).json();
        let choice = &answer["choices"][0];
        assert_eq!(
            (choice["message"]["content"].as_str(), choice["finish_reason"].as_str()),
            (Some(text), Some(reason)),
            "{more}"
        );
        let stream = post(&ScriptedHost::new(), &request(&format!("{more},\"stream\":true")));
        let events = stream.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
        let streamed: String =
            events.filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect();
        assert_eq!(streamed, text, "{more}");
    }
}

#[test]
fn logprobs() {
    let host = ScriptedHost::new().answer("Hi");
    let answer = post(&host, &request(r#""logprobs":true,"top_logprobs":2"#)).json();
    let expect = json!({"content":[{
        "token":"Hi","logprob":-0.5,"bytes":[72,105],
        "top_logprobs":[
            {"token":"Hi","logprob":-0.5,"bytes":[72,105]},
            {"token":"alt1","logprob":-1.5,"bytes":[97,108,116,49]}
        ]}],"refusal":null});
    assert_eq!(answer["choices"][0]["logprobs"], expect);

    let stream = post(&host, &request(r#""logprobs":true,"top_logprobs":2,"stream":true"#));
    let second: Value = serde_json::from_str(stream.events()[1]).expect("JSON");
    assert_eq!(second["choices"][0]["logprobs"], expect);

    let answer = post(&host, &request(r#""logprobs":true"#)).json();
    assert_eq!(answer["choices"][0]["logprobs"]["content"][0]["top_logprobs"], json!([]));
}

#[test]
fn fields_reach_the_model() {
    let plain = Options::default;
    let cases = [
        ("", plain()),
        (r#""temperature":null,"stop":null,"n":null,"stream":null,"tools":null,"logit_bias":null"#, plain()),
        (r#""unknown":{"a":[1]},"user":7,"metadata":{}"#, plain()),
        (r#""temperature":0,"top_p":0.5"#, Options { temperature: Some(0.0), top_p: Some(0.5), ..plain() }),
        (r#""top_p":0"#, Options { top_p: Some(1e-6), ..plain() }),
        (r#""n":3,"seed":-1"#, Options { choices: 3, seed: Some(u64::MAX), ..plain() }),
        (
            r#""presence_penalty":-2,"frequency_penalty":2"#,
            Options { presence_penalty: -2.0, frequency_penalty: 2.0, ..plain() },
        ),
        (r#""logit_bias":{"5":-100,"7":1.5}"#, Options { logit_bias: vec![(5, -100.0), (7, 1.5)], ..plain() }),
        (r#""top_k":-1"#, Options { top_k: Some(0), ..plain() }),
        (r#""top_k":40,"min_p":0.1"#, Options { top_k: Some(40), min_p: Some(0.1), ..plain() }),
        (r#""repetition_penalty":1.1"#, Options { repetition_penalty: Some(1.1), ..plain() }),
        (
            r#""ignore_eos":true,"stop_token_ids":[9],"min_tokens":2"#,
            Options { ignore_eos: true, stop_tokens: vec![9], tokens_min: 2, ..plain() },
        ),
        (r#""skip_special_tokens":false"#, Options { skip_special_tokens: false, ..plain() }),
        (r#""response_format":{"type":"text"}"#, plain()),
        (
            r#""response_format":{"type":"json_object"}"#,
            Options { constraint: Some(Constraint::JsonObject), ..plain() },
        ),
        (
            r#""response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"type": "object"}}}"#,
            Options { constraint: Some(Constraint::JsonSchema(r#"{"type": "object"}"#.into())), ..plain() },
        ),
        (r#""use_beam_search":true,"length_penalty":0.5,"priority":1"#, Options { temperature: Some(0.0), ..plain() }),
        (
            r#""response_format":{"type":"regex_schema","regex_schema":"a+"}"#,
            Options { constraint: Some(Constraint::Regex("a+".into())), ..plain() },
        ),
        (
            r#""guided_json":"{\"type\":\"object\"}""#,
            Options { constraint: Some(Constraint::JsonSchema(r#"{"type":"object"}"#.into())), ..plain() },
        ),
        (
            r#""guided_grammar":"start: \"a\"""#,
            Options { constraint: Some(Constraint::Grammar("start: \"a\"".into())), ..plain() },
        ),
        (
            r#""structured_outputs":{"json_object":true}"#,
            Options { constraint: Some(Constraint::JsonObject), ..plain() },
        ),
        (
            r#""structured_outputs":{"choice":["a","b"]}"#,
            Options { constraint: Some(Constraint::Choice(vec!["a".into(), "b".into()])), ..plain() },
        ),
    ];
    for (more, expect) in cases {
        assert_eq!(options(more), expect, "{more}");
    }
}

#[test]
fn the_conversation_reaches_the_model() {
    let host = ScriptedHost::new();
    let body = r#"{"model":"scripted","messages":[
        {"role":"developer","content":"be brief"},
        {"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}],"name":"Ann"},
        {"role":"assistant","content":null,"tool_calls":[{"id":"c1","type":"function","function":{"name":"f","arguments":"{\"x\":1}"}}]},
        {"role":"tool","tool_call_id":"c1","content":"7"}],
        "tools":[{"type":"function","function":{"name":"f","description":"d","parameters":{"type": "object"}}}],
        "chat_template_kwargs":{"enable_thinking":false}}"#;
    let captured = post(&host, body);
    assert_eq!(captured.status, 200, "{}", captured.text());
    let Input::Answer(messages, render, _) = host.asked().remove(0).input else { panic!("a conversation") };
    assert_eq!(messages[0], Message::text(Role::System, "be brief"));
    assert_eq!((messages[1].plain_text().as_deref(), messages[1].name.as_deref()), (Some("ab"), Some("Ann")));
    assert_eq!((messages[2].content.len(), messages[2].tool_calls[0].arguments.as_str()), (0, r#"{"x":1}"#));
    assert_eq!((messages[3].role, messages[3].tool_call_id.as_deref()), (Role::Tool, Some("c1")));
    assert_eq!((render.tools[0].name.as_str(), render.tools[0].parameters.as_str()), ("f", r#"{"type": "object"}"#));
    assert_eq!(render.variables, [("enable_thinking".to_owned(), "false".to_owned())]);
    assert!(render.add_generation_prompt);
}

#[test]
fn fields_of_other_servers_reach_the_model() {
    let asked = |more: &str| {
        let host = ScriptedHost::new();
        let captured = post(&host, &request(more));
        assert_eq!(captured.status, 200, "{more}: {}", captured.text());
        let Input::Answer(_, render, _) = host.asked().remove(0).input else { panic!("a conversation") };
        render
    };
    assert_eq!(asked(r#""chat_template":"{{ x }}""#).source.as_deref(), Some("{{ x }}"));
    let variables = |more: &str| asked(more).variables;
    let variable = |name: &str, json: &str| vec![(name.to_owned(), json.to_owned())];
    assert_eq!(variables(r#""documents":[{"title": "t"}]"#), variable("documents", r#"[{"title": "t"}]"#));
    assert_eq!(variables(r#""reasoning_effort":"none""#), variable("enable_thinking", "false"));
    assert_eq!(variables(r#""reasoning_effort":"low""#), variable("reasoning_effort", r#""low""#));
    assert_eq!(
        variables(r#""reasoning_effort":"none","chat_template_kwargs":{"enable_thinking":true}"#),
        variable("enable_thinking", "true")
    );
    let continued = asked(r#""continue_final_message":true"#);
    assert!(continued.continue_final_message && !continued.add_generation_prompt);
}

#[test]
fn wrong_requests() {
    let messages = |messages: &str| format!(r#"{{"model":"scripted","messages":{messages}}}"#);
    let user = |content: &str| messages(&format!(r#"[{{"role":"user","content":{content}}}]"#));
    let cases: Vec<(String, Value, Value)> = vec![
        ("".into(), Value::Null, Value::Null),
        ("{".into(), Value::Null, Value::Null),
        ("[]".into(), Value::Null, json!("invalid_type")),
        ("{}".into(), json!("model"), json!("missing_required_parameter")),
        (
            r#"{"messages":[{"role":"user","content":"hi"}]}"#.into(),
            json!("model"),
            json!("missing_required_parameter"),
        ),
        (r#"{"model":"scripted"}"#.into(), json!("messages"), json!("missing_required_parameter")),
        (r#"{"model":7,"messages":[]}"#.into(), json!("model"), json!("invalid_type")),
        (messages("[]"), json!("messages"), json!("invalid_value")),
        (messages("\"hi\""), json!("messages"), json!("invalid_type")),
        (messages(r#"[{"content":"hi"}]"#), json!("messages[0].role"), json!("missing_required_parameter")),
        (messages(r#"[{"role":"king","content":"hi"}]"#), json!("messages[0].role"), json!("invalid_value")),
        (messages(r#"[{"role":"user"}]"#), json!("messages[0].content"), json!("missing_required_parameter")),
        (user("null"), json!("messages[0].content"), json!("missing_required_parameter")),
        (user("7"), json!("messages[0].content"), json!("invalid_type")),
        (user(r#"[{"type":"text"}]"#), json!("messages[0].content[0].text"), json!("missing_required_parameter")),
        (user(r#"[{"text":"a"}]"#), json!("messages[0].content[0].type"), json!("missing_required_parameter")),
        (user(r#"[{"type":"odd"}]"#), json!("messages[0].content[0].type"), json!("invalid_value")),
        (
            user(r#"[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:,"}}]"#),
            json!("messages[0].content[1]"),
            json!("unsupported_value"),
        ),
        (
            messages(r#"[{"role":"tool","content":"7"}]"#),
            json!("messages[0].tool_call_id"),
            json!("missing_required_parameter"),
        ),
        (
            messages(r#"[{"role":"assistant","tool_calls":[{"id":"a"}]}]"#),
            json!("messages[0].tool_calls[0].function"),
            json!("missing_required_parameter"),
        ),
        (request(r#""temperature":2.1"#), json!("temperature"), json!("invalid_value")),
        (request(r#""temperature":-0.1"#), json!("temperature"), json!("invalid_value")),
        (request(r#""temperature":"hot""#), json!("temperature"), json!("invalid_type")),
        (request(r#""top_p":1.01"#), json!("top_p"), json!("invalid_value")),
        (request(r#""n":0"#), json!("n"), json!("invalid_value")),
        (request(r#""n":17"#), json!("n"), json!("invalid_value")),
        (request(r#""n":1.5"#), json!("n"), json!("invalid_type")),
        (request(r#""max_tokens":0"#), json!("max_tokens"), json!("invalid_value")),
        (request(r#""max_completion_tokens":-1"#), json!("max_completion_tokens"), json!("invalid_value")),
        (request(r#""stream":"yes""#), json!("stream"), json!("invalid_type")),
        (request(r#""stream_options":{"include_usage":true}"#), json!("stream_options"), json!("invalid_value")),
        (request(r#""top_logprobs":2"#), json!("top_logprobs"), json!("invalid_value")),
        (request(r#""logprobs":true,"top_logprobs":21"#), json!("top_logprobs"), json!("invalid_value")),
        (request(r#""logit_bias":{"x":1}"#), json!("logit_bias"), json!("invalid_value")),
        (request(r#""logit_bias":{"1":101}"#), json!("logit_bias"), json!("invalid_value")),
        (request(r#""logit_bias":{"5000":1}"#), json!("logit_bias"), json!("invalid_value")),
        (request(r#""stop":7"#), json!("stop"), json!("invalid_type")),
        (request(r#""stop":["a",7]"#), json!("stop[1]"), json!("invalid_type")),
        (request(r#""presence_penalty":2.5"#), json!("presence_penalty"), json!("invalid_value")),
        (request(r#""frequency_penalty":-2.5"#), json!("frequency_penalty"), json!("invalid_value")),
        (request(r#""repetition_penalty":0"#), json!("repetition_penalty"), json!("invalid_value")),
        (request(r#""response_format":{"type":"yaml"}"#), json!("response_format.type"), json!("invalid_value")),
        (
            request(r#""response_format":{"type":"json_schema"}"#),
            json!("response_format.json_schema"),
            json!("missing_required_parameter"),
        ),
        (request(r#""tool_choice":"required""#), json!("tool_choice"), json!("invalid_value")),
        (
            request(r#""tool_choice":{"type":"function","function":{"name":"g"}}"#),
            json!("tool_choice"),
            json!("invalid_value"),
        ),
        (
            request(r#""tools":[{"type":"function","function":{"name":"a b"}}]"#),
            json!("tools[0].function.name"),
            json!("invalid_value"),
        ),
        (request(r#""tools":[{"type":"function"}]"#), json!("tools[0].function"), json!("missing_required_parameter")),
        (request(r#""n":17"#), json!("n"), json!("invalid_value")),
        (request(r#""tool_choice":"sometimes""#), json!("tool_choice"), json!("invalid_value")),
        (request(r#""tool_choice":{"type":"magic"}"#), json!("tool_choice.type"), json!("invalid_value")),
        (
            request(r#""tools":[{"type":"custom","custom":{"name":"f"}}]"#),
            json!("tools[0].type"),
            json!("unsupported_value"),
        ),
        (
            request(r#""tools":[{"type":"function","function":{"name":"f","parameters":7}}]"#),
            json!("tools[0].function.parameters"),
            json!("invalid_value"),
        ),
        (
            request(
                r#""tools":[{"type":"function","function":{"name":"f"}},{"type":"function","function":{"name":"f"}}]"#,
            ),
            json!("tools"),
            json!("invalid_value"),
        ),
        (
            request(r#""functions":[{"name":"f"}],"function_call":{"name":"g"}"#),
            json!("function_call"),
            json!("invalid_value"),
        ),
        (request(r#""use_beam_search":true,"n":2"#), json!("use_beam_search"), json!("unsupported_value")),
        (request(r#""truncate_prompt_tokens":1"#), json!("truncate_prompt_tokens"), json!("unsupported_value")),
        (request(r#""prompt_logprobs":1,"stream":true"#), json!("prompt_logprobs"), json!("unsupported_value")),
        (request(r#""allowed_token_ids":[]"#), json!("allowed_token_ids"), json!("invalid_value")),
        (
            request(&format!(r#""chat_template":"{}""#, "x".repeat(65 << 10))),
            json!("chat_template"),
            json!("invalid_value"),
        ),
        (
            request(&format!(r#""guided_regex":"{}""#, "x".repeat(65 << 10))),
            json!("guided_regex"),
            json!("invalid_value"),
        ),
        (request(r#""temperature":1e999"#), Value::Null, Value::Null),
        (request(r#""temperature":NaN"#), Value::Null, Value::Null),
        (request(r#""temperature":1e30"#), json!("temperature"), json!("invalid_value")),
        (request(r#""top_p":0,"top_k":-2"#), json!("top_k"), json!("invalid_value")),
        (request(&format!(r#""stop":{}"#, json!(vec!["x"; 10_000]))), json!("stop"), json!("invalid_value")),
        (request(r#""seed":18446744073709551616"#), json!("seed"), json!("invalid_type")),
        (
            messages(&format!("[{}]", vec![r#"{"role":"user","content":"x"}"#; 5000].join(","))),
            json!("messages"),
            json!("invalid_value"),
        ),
        (format!("{}{}", "[".repeat(10_000), "]".repeat(10_000)), json!("[0]"), json!("invalid_type")),
    ];
    for (body, param, code) in cases {
        let captured = post(&ScriptedHost::new(), &body);
        let error = &captured.json()["error"];
        assert_eq!(captured.status, 400, "{body}");
        assert_eq!(
            (&error["type"], &error["param"], &error["code"]),
            (&json!("invalid_request_error"), &param, &code),
            "{body}"
        );
        assert_eq!(error.as_object().map(|error| error.len()), Some(4), "{body}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{body}");
    }
}

#[test]
fn errors_of_the_model() {
    let excess = ContextExcess { limit: 10, prompt: 8, wanted: 4 };
    let invalid = InvalidValue { field: "tokens-max".into(), reason: "is odd".into() };
    let text = String::from;
    let cases = [
        (Error::UnknownModel(text("m")), 404, "invalid_request_error", json!("model"), json!("model_not_found"), None),
        (Error::ModelNotReady(text("loading")), 503, "server_error", Value::Null, Value::Null, Some("5")),
        (
            Error::ContextExceeded(excess),
            400,
            "invalid_request_error",
            json!("messages"),
            json!("context_length_exceeded"),
            None,
        ),
        (Error::Invalid(invalid), 400, "invalid_request_error", json!("max_tokens"), json!("invalid_value"), None),
        (Error::Template(text("roles")), 400, "invalid_request_error", json!("messages"), json!("invalid_value"), None),
        (
            Error::Unsupported(text("grammar")),
            400,
            "invalid_request_error",
            Value::Null,
            json!("unsupported_value"),
            None,
        ),
        (Error::Overloaded(1500), 429, "requests", Value::Null, json!("rate_limit_exceeded"), Some("2")),
        (Error::Cancelled, 503, "server_error", Value::Null, Value::Null, None),
        (Error::Failed(text("/secret/path")), 500, "server_error", Value::Null, Value::Null, None),
    ];
    for (error, status, type_name, param, code, retry_after) in cases {
        for more in ["", r#""stream":true"#] {
            let host = ScriptedHost::new().refuse(error.clone());
            let captured = post(&host, &request(more));
            let body = captured.json();
            assert_eq!(captured.status, status, "{error:?}");
            assert_eq!(body["error"]["type"], type_name, "{error:?}");
            assert_eq!((&body["error"]["param"], &body["error"]["code"]), (&param, &code), "{error:?}");
            assert_eq!(captured.header("retry-after"), retry_after, "{error:?}");
            assert!(!captured.text().contains("secret"));
        }
    }
}

#[test]
fn a_failure_before_the_first_piece_is_a_plain_error() {
    let host = ScriptedHost::new().fail_after(0, Error::Failed("disk".into()));
    let captured = post(&host, &request(r#""stream":true"#));
    assert_eq!((captured.status, captured.header("content-type")), (500, Some("application/json")));
    assert_eq!(host.logged().len(), 1);
}

#[test]
fn a_failure_in_the_stream_is_its_last_event() {
    let host = ScriptedHost::new().fail_after(1, Error::Failed("disk".into()));
    let captured = post(&host, &request(r#""stream":true"#));
    assert_eq!(captured.status, 200);
    assert_eq!(
        captured.events().last(),
        Some(
            &r#"{"error":{"message":"the model failed on this request","type":"server_error","param":null,"code":null}}"#
        )
    );
    assert!(captured.text().ends_with("}\n\n"));
}

#[test]
fn a_client_that_leaves_ends_the_generation() {
    let host = ScriptedHost::new().client_leaves_after(1);
    let captured = post(&host, &request(r#""stream":true"#));
    assert_eq!((captured.chunks.len(), host.running()), (1, 0));
    assert!(host.logged().is_empty());
}

#[test]
fn an_unknown_model_is_404() {
    let captured = post(&ScriptedHost::new(), r#"{"model":"nope","messages":[{"role":"user","content":"hi"}]}"#);
    assert_eq!(captured.status, 404);
    assert_eq!(
        captured.text(),
        r#"{"error":{"message":"The model `nope` does not exist.","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#
    );
}

#[test]
fn the_context_names_limit_and_count() {
    let captured = post(&ScriptedHost::new(), &request(r#""max_tokens":4095"#));
    assert_eq!(captured.status, 400);
    let message = captured.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
    assert!(message.contains("4096") && message.contains("4097"), "{message}");
}

#[test]
fn deep_values_cost_nothing() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (field, status) in [("metadata", 200), ("documents", 200), ("guided_json", 400), ("stop", 400), ("tools", 400)]
    {
        let captured = post(&ScriptedHost::new(), &request(&format!("\"{field}\":{deep}")));
        assert_eq!(captured.status, status, "{field}");
    }
}

mod calls;
