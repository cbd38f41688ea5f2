//! Tools, functions and reasoning.

use mimus_sdk::answers::{ToolChoice, ToolUse};
use mimus_sdk::scripted::{Input, ScriptedHost};
use serde_json::{Value, json};

use super::{post, request};

const TOOLS: &str = r#""tools":[
    {"type":"function","function":{"name":"f","parameters":{"type":"object"},"strict":true}},
    {"type":"function","function":{"name":"g"}}]"#;

fn host() -> ScriptedHost {
    ScriptedHost::new().calls(&[("f", r#"{"x":1}"#), ("g", "{}")])
}

/// The names of the tools that the model is told of, and how it uses them.
fn asked(more: &str) -> (Vec<String>, ToolUse) {
    let host = ScriptedHost::new();
    let captured = post(&host, &request(more));
    assert_eq!(captured.status, 200, "{more}: {}", captured.text());
    let Input::Answer(_, render, tools) = host.asked().remove(0).input else { panic!("a conversation") };
    (render.tools.into_iter().map(|tool| tool.name).collect(), tools)
}

#[test]
fn choices_among_tools() {
    let all = || vec!["f".to_owned(), "g".to_owned()];
    let named = |name: &str| ToolChoice::Named(name.into());
    let cases = [
        ("", all(), ToolChoice::Auto),
        (r#","tool_choice":null"#, all(), ToolChoice::Auto),
        (r#","tool_choice":"auto""#, all(), ToolChoice::Auto),
        (r#","tool_choice":"none""#, vec![], ToolChoice::None),
        (r#","tool_choice":"required""#, all(), ToolChoice::Required),
        (r#","tool_choice":{"type":"function","function":{"name":"g"}}"#, all(), named("g")),
        (
            r#","tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"required","tools":[{"type":"function","function":{"name":"g"}}]}}"#,
            vec!["g".to_owned()],
            ToolChoice::Required,
        ),
        (
            r#","tool_choice":{"type":"allowed_tools","allowed_tools":{"mode":"auto","tools":[]}}"#,
            vec![],
            ToolChoice::None,
        ),
    ];
    for (more, names, choice) in cases {
        assert_eq!(asked(&format!("{TOOLS}{more}")), (names, ToolUse { choice, is_parallel: true }), "{more}");
    }
    assert!(!asked(&format!(r#"{TOOLS},"parallel_tool_calls":false"#)).1.is_parallel);
    assert_eq!(asked("").1.choice, ToolChoice::None);
}

#[test]
fn a_forced_call_needs_no_other_shape() {
    let host = host();
    let more = format!(r#"{TOOLS},"tool_choice":"required","response_format":{{"type":"json_object"}}"#);
    assert_eq!(post(&host, &request(&more)).status, 200);
    assert_eq!(host.asked()[0].options.constraint, None);
}

#[test]
fn calls_in_one_piece() {
    let answer = post(&host(), &request(TOOLS)).json();
    let choice = &answer["choices"][0];
    assert_eq!((&choice["message"]["content"], &choice["finish_reason"]), (&Value::Null, &json!("tool_calls")));
    let calls = choice["message"]["tool_calls"].as_array().expect("calls");
    let id = |index: usize| calls[index]["id"].as_str().expect("an id");
    assert!(id(0).starts_with("call_") && id(0) != id(1));
    assert_eq!(
        answer["choices"][0]["message"]["tool_calls"],
        json!([
            {"id":id(0),"type":"function","function":{"name":"f","arguments":"{\"x\":1}"}},
            {"id":id(1),"type":"function","function":{"name":"g","arguments":"{}"}}
        ])
    );
    let one = post(&host(), &request(&format!(r#"{TOOLS},"parallel_tool_calls":false"#))).json();
    assert_eq!(one["choices"][0]["message"]["tool_calls"].as_array().map(Vec::len), Some(1));
}

#[test]
fn calls_as_stream() {
    let stream = post(&host(), &request(&format!(r#"{TOOLS},"stream":true"#)));
    let events: Vec<Value> = stream.events().iter().filter_map(|event| serde_json::from_str(event).ok()).collect();
    let deltas: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["delta"]).collect();
    assert_eq!(deltas[0], &json!({"role":"assistant","content":""}));
    let id = &deltas[1]["tool_calls"][0]["id"];
    let first = json!({"index":0,"id":id,"type":"function","function":{"name":"f","arguments":""}});
    assert_eq!(deltas[1], &json!({"tool_calls":[first]}));
    assert_eq!(deltas[2], &json!({"tool_calls":[{"index":0,"function":{"arguments":"{\"x"}}]}));
    assert_eq!(deltas[3], &json!({"tool_calls":[{"index":0,"function":{"arguments":"\":1}"}}]}));
    assert_eq!(deltas[4]["tool_calls"][0]["index"], 1);
    let last = events.last().expect("a chunk");
    assert_eq!(last["choices"][0]["delta"], json!({}));
    assert_eq!(last["choices"][0]["finish_reason"], "tool_calls");
}

#[test]
fn the_older_form() {
    let functions = r#""functions":[{"name":"f","description":"d"},{"name":"g"}]"#;
    let answer = post(&host(), &request(functions)).json();
    let choice = &answer["choices"][0];
    assert_eq!(choice["message"]["function_call"], json!({"name":"f","arguments":"{\"x\":1}"}));
    assert_eq!((&choice["finish_reason"], choice["message"].get("tool_calls")), (&json!("function_call"), None));
    assert_eq!(asked(&format!(r#"{functions},"function_call":"none""#)).1.choice, ToolChoice::None);
    let named = asked(&format!(r#"{functions},"function_call":{{"name":"g"}}"#)).1;
    assert_eq!(named, ToolUse { choice: ToolChoice::Named("g".into()), is_parallel: false });

    let stream = post(&host(), &request(&format!(r#"{functions},"stream":true"#)));
    let second: Value = serde_json::from_str(stream.events()[1]).expect("JSON");
    assert_eq!(second["choices"][0]["delta"], json!({"function_call":{"name":"f","arguments":""}}));

    let host = ScriptedHost::new();
    let body = r#"{"model":"scripted","messages":[{"role":"user","content":"a"},
        {"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},
        {"role":"function","name":"f","content":"7"}]}"#;
    assert_eq!(post(&host, body).status, 200);
    let Input::Answer(messages, ..) = host.asked().remove(0).input else { panic!("a conversation") };
    assert_eq!(messages[1].tool_calls[0].id, "call_1");
    assert_eq!(messages[2].tool_call_id.as_deref(), Some("call_1"));
}

#[test]
fn reasoning_stands_apart() {
    let host = ScriptedHost::new().answer("Hi").reasoning("Hmm.");
    let answer = post(&host, &request("")).json();
    let message = &answer["choices"][0]["message"];
    assert_eq!((&message["reasoning_content"], &message["content"]), (&json!("Hmm."), &json!("Hi")));
    assert_eq!(answer["usage"]["completion_tokens_details"]["reasoning_tokens"], 1);

    let stream = post(&host, &request(r#""stream":true"#));
    let delta = |index: usize| {
        let event: Value = serde_json::from_str(stream.events()[index]).expect("JSON");
        event["choices"][0]["delta"].clone()
    };
    assert_eq!((delta(1), delta(2)), (json!({"reasoning_content":"Hmm."}), json!({"content":"Hi"})));

    for more in [r#""include_reasoning":false"#, r#""include_reasoning":false,"stream":true"#] {
        assert!(!post(&host, &request(more)).text().contains("reasoning_content"), "{more}");
    }
}

#[test]
fn thoughts_of_earlier_turns_reach_the_model() {
    for name in ["reasoning", "reasoning_content"] {
        let host = ScriptedHost::new();
        let body = json!({"model":"scripted","messages":[
            {"role":"user","content":"a"}, {"role":"assistant","content":"b", name:"Hmm."}, {"role":"user","content":"c"}]});
        assert_eq!(post(&host, &body.to_string()).status, 200);
        let Input::Answer(messages, ..) = host.asked().remove(0).input else { panic!("a conversation") };
        assert_eq!(messages[1].reasoning.as_deref(), Some("Hmm."));
    }
}

#[test]
fn vllms_reports() {
    let host = ScriptedHost::new().answer("Hi");
    let more = r#""prompt_logprobs":0,"logprobs":true,"return_token_ids":true,"return_tokens_as_token_ids":true"#;
    let answer = post(&host, &request(more)).json();
    let prompt = answer["prompt_token_ids"].as_array().expect("ids");
    let scores = answer["prompt_logprobs"].as_array().expect("scores");
    assert_eq!((prompt.len(), scores.len(), &scores[0]), (2, 2, &Value::Null));
    assert_eq!(scores[1][prompt[1].to_string()]["logprob"], -0.5);
    let choice = &answer["choices"][0];
    let id = &choice["token_ids"][0];
    assert_eq!(choice["logprobs"]["content"][0]["token"], format!("token_id:{id}"));
    assert_eq!(choice["logprobs"]["content"].as_array().map(Vec::len), Some(1));

    let stream = post(&host, &request(r#""return_token_ids":true,"stream":true"#));
    let event = |index: usize| serde_json::from_str::<Value>(stream.events()[index]).expect("JSON");
    assert_eq!(event(0)["prompt_token_ids"], json!(prompt));
    assert_eq!(event(1)["choices"][0]["token_ids"], json!([id]));
}

#[test]
fn a_message_that_goes_on_is_echoed() {
    let body = |more: &str| {
        format!(
            r#"{{"model":"scripted","messages":[{{"role":"user","content":"hi"}},{{"role":"assistant","content":"Well,"}}],
                "continue_final_message":true,"echo":true{more}}}"#
        )
    };
    let host = ScriptedHost::new().answer(" yes");
    assert_eq!(post(&host, &body("")).json()["choices"][0]["message"]["content"], "Well, yes");
    let stream = post(&host, &body(r#","stream":true"#));
    let events = stream.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
    let text: String =
        events.filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned)).collect();
    assert_eq!(text, "Well, yes");
}
