use mimus_sdk::answers::ToolChoice;
use mimus_sdk::chat::{Message, Role};
use mimus_sdk::inference::{Constraint, Error};
use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
use serde_json::{Value, json};

use crate::OpenAi;

fn post(host: &ScriptedHost, body: &Value) -> Captured {
    host.call(&OpenAi, "POST", "/v1/responses", &[], body.to_string().as_bytes())
}

fn get(host: &ScriptedHost, path: &str) -> Captured {
    host.call(&OpenAi, "GET", &format!("/v1/responses/{path}"), &[], b"")
}

/// A question with further fields.
fn request(more: Value) -> Value {
    let mut body = json!({"model":"scripted","input":"hi"});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

fn ask(host: &ScriptedHost, more: Value) -> Value {
    let captured = post(host, &request(more));
    assert_eq!(captured.status, 200, "{}", captured.text());
    captured.json()
}

fn conversation(host: &ScriptedHost) -> Vec<Message> {
    let Input::Answer(messages, ..) = host.asked().pop().expect("a question").input else { panic!("a conversation") };
    messages
}

fn function(name: &str) -> Value {
    json!({"type":"function","name":name,"parameters":{"type":"object"}})
}

#[test]
fn answers_whole() {
    let response = ask(&ScriptedHost::new(), json!({"metadata":{"a":"b"},"instructions":"be brief"}));
    let (id, message) = (&response["id"], &response["output"][0]["id"]);
    assert!(id.as_str().is_some_and(|id| id.starts_with("resp_")));
    assert_eq!(
        response,
        json!({
            "id":id,"object":"response","created_at":1_700_000_000,"completed_at":1_700_000_000,"status":"completed",
            "background":false,"error":null,"incomplete_details":null,"instructions":"be brief","max_output_tokens":null,
            "model":"scripted","service_tier":"default","store":true,"user":null,"top_logprobs":0,
            "output":[{"id":message,"type":"message","role":"assistant","status":"completed",
                "content":[{"type":"output_text","text":"Hello there friend","annotations":[],"logprobs":[]}]}],
            "parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},
            "temperature":1.0,"top_p":1.0,"text":{"format":{"type":"text"}},"tool_choice":"auto","tools":[],
            "truncation":"disabled","metadata":{"a":"b"},
            "usage":{"input_tokens":4,"input_tokens_details":{"cached_tokens":0,"cache_write_tokens":0},
                "output_tokens":3,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":7}})
    );
}

/// Types of all events, which must be numbered and named alike; and the last one's response.
fn events(captured: &Captured) -> (Vec<String>, Vec<Value>) {
    assert_eq!(captured.status, 200, "{}", captured.text());
    let events: Vec<Value> = captured.events().iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let names = captured.text().split('\n').filter_map(|line| line.strip_prefix("event: "));
    let names: Vec<String> = names.map(str::to_owned).collect();
    let types: Vec<&str> = events.iter().map(|event| event["type"].as_str().expect("a type")).collect();
    assert_eq!(names, types);
    for (number, event) in events.iter().enumerate() {
        assert_eq!(event["sequence_number"], number, "{event}");
    }
    let names = names.into_iter().map(|name| name.trim_start_matches("response.").to_owned()).collect();
    (names, events)
}

#[test]
fn answers_as_stream() {
    let host = ScriptedHost::new().answer("Hi you").reasoning("Hmm.");
    let (names, events) = events(&post(&host, &request(json!({"stream":true}))));
    let expect = [
        "created",
        "in_progress",
        "output_item.added",
        "content_part.added",
        "reasoning_text.delta",
        "reasoning_text.done",
        "content_part.done",
        "output_item.done",
        "output_item.added",
        "content_part.added",
        "output_text.delta",
        "output_text.delta",
        "output_text.done",
        "content_part.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(names, expect);
    assert_eq!(
        (&events[0]["response"]["status"], &events[0]["response"]["usage"]),
        (&json!("in_progress"), &Value::Null)
    );
    let item = &events[8]["item"]["id"];
    assert_eq!(events[9]["part"], json!({"type":"output_text","text":"","annotations":[],"logprobs":[]}));
    assert_eq!(
        events[11],
        json!({"type":"response.output_text.delta","sequence_number":11,"item_id":item,"output_index":1,
            "content_index":0,"delta":" you","logprobs":[]})
    );
    assert_eq!(events[12]["text"], "Hi you");
    let response = &events[15]["response"];
    assert_eq!((&response["output"][0], &response["output"][1]), (&events[7]["item"], &events[14]["item"]));
    assert_eq!(response["output"][0]["content"], json!([{"type":"reasoning_text","text":"Hmm."}]));
    assert_eq!(response["usage"]["output_tokens_details"]["reasoning_tokens"], 1);
    let kept = get(&host, response["id"].as_str().expect("an id")).json();
    assert_eq!(&kept, response);
}

#[test]
fn calls_as_stream() {
    let host = ScriptedHost::new().calls(&[("f", r#"{"x":1}"#)]);
    let body = request(json!({"stream":true,"tools":[function("f")]}));
    // A schema over several lines must not break the lines of the events.
    let captured = host.call(&OpenAi, "POST", "/v1/responses", &[], format!("{body:#}").as_bytes());
    let (names, events) = events(&captured);
    let delta = "function_call_arguments.delta";
    let expect = [
        "created",
        "in_progress",
        "output_item.added",
        delta,
        delta,
        "function_call_arguments.done",
        "output_item.done",
        "completed",
    ];
    assert_eq!(names, expect);
    assert_eq!(events[2]["item"]["arguments"], "");
    assert_eq!((&events[5]["arguments"], &events[5]["name"]), (&json!(r#"{"x":1}"#), &json!("f")));
    let item = &events[6]["item"];
    assert!(item["call_id"].as_str().is_some_and(|id| id.starts_with("call_")));
    assert_eq!((&item["status"], &events[7]["response"]["output"][0]), (&json!("completed"), item));
    assert_eq!(events[7]["response"]["tools"][0]["strict"], true);
}

#[test]
fn endings() {
    let host = ScriptedHost::new();
    let cut = ask(&host, json!({"max_output_tokens":2}));
    assert_eq!((&cut["status"], &cut["output"][0]["status"]), (&json!("incomplete"), &json!("incomplete")));
    assert_eq!(cut["incomplete_details"], json!({"reason":"max_output_tokens"}));
    let (names, _) = events(&post(&host, &request(json!({"max_output_tokens":2,"stream":true}))));
    assert_eq!(names.last().map(String::as_str), Some("incomplete"));

    let broken = ScriptedHost::new().fail_after(1, Error::Failed("disk".into()));
    let (names, events) = events(&post(&broken, &request(json!({"stream":true}))));
    assert_eq!(names[names.len() - 2..], ["error", "failed"]);
    let (error, failed) = (&events[names.len() - 2], &events[names.len() - 1]["response"]);
    assert_eq!((&error["code"], &error["param"]), (&json!("server_error"), &Value::Null));
    assert_eq!((&failed["status"], &failed["error"]["code"]), (&json!("failed"), &json!("server_error")));
    assert!(!failed.to_string().contains("disk"));

    let refused = ScriptedHost::new().fail_after(0, Error::Failed("disk".into()));
    assert_eq!(post(&refused, &request(json!({"stream":true}))).status, 500);
}

#[test]
fn items_reach_the_model() {
    let host = ScriptedHost::new();
    let input = json!([
        {"role":"developer","content":"be brief"},
        {"type":"message","role":"user","content":[{"type":"input_text","text":"a"},{"type":"input_text","text":"b"}]},
        {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"Hmm."}]},
        {"type":"message","id":"msg_1","role":"assistant","status":"completed",
            "content":[{"type":"output_text","text":"one","annotations":[],"logprobs":[]}]},
        {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
        {"type":"function_call","call_id":"c2","name":"g","arguments":"{}"},
        {"type":"function_call_output","call_id":"c1","output":"7"},
        {"type":"function_call_output","call_id":"c2","output":[{"type":"input_text","text":"8"}]}]);
    ask(&host, json!({"input":input,"instructions":"first"}));
    let messages = conversation(&host);
    let roles: Vec<Role> = messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::System, Role::System, Role::User, Role::Assistant, Role::Tool, Role::Tool]);
    assert_eq!(messages[2].plain_text().as_deref(), Some("ab"));
    assert_eq!((messages[3].reasoning.as_deref(), messages[3].tool_calls.len()), (Some("Hmm."), 2));
    assert_eq!((messages[5].tool_call_id.as_deref(), messages[5].plain_text().as_deref()), (Some("c2"), Some("8")));
}

#[test]
fn options_reach_the_model() {
    let host = ScriptedHost::new();
    let schema = json!({"type":"json_schema","name":"n","schema":{"type":"object"},"strict":true});
    let response = ask(
        &host,
        json!({"temperature":0.5,"top_p":0.25,"max_output_tokens":5,"top_logprobs":2,"text":{"format":schema},"seed":3,
            "tools":[function("f"),function("g")],"tool_choice":{"type":"function","name":"g"},"parallel_tool_calls":false}),
    );
    let asked = host.asked().remove(0);
    let Input::Answer(_, render, tools) = asked.input else { panic!("a conversation") };
    assert_eq!((render.tools.len(), tools.choice, tools.is_parallel), (2, ToolChoice::Named("g".into()), false));
    let options = asked.options;
    assert_eq!((options.temperature, options.top_p, options.tokens_max), (Some(0.5), Some(0.25), Some(5)));
    // A forced call leaves nothing for the format to shape.
    assert_eq!((options.logprobs, options.seed, options.constraint), (Some(2), Some(3), None));
    assert_eq!(response["text"]["format"], schema);
    assert_eq!(response["tool_choice"], json!({"type":"function","name":"g"}));
    let logprobs = response["output"][0]["content"][0]["logprobs"].as_array().expect("logprobs");
    assert_eq!((logprobs.len(), &logprobs[0]["token"]), (3, &json!("Hello")));

    ask(&host, json!({"text":{"format":schema}}));
    let constraint = host.asked().remove(1).options.constraint;
    assert_eq!(constraint, Some(Constraint::JsonSchema(r#"{"type":"object"}"#.into())));
}

#[test]
fn conversations_go_on() {
    let host = ScriptedHost::new();
    let first = ask(&host, json!({"instructions":"not kept"}));
    let second = ask(&host, json!({"input":"more","previous_response_id":first["id"]}));
    assert_eq!(second["previous_response_id"], first["id"]);
    ask(&host, json!({"input":"last","previous_response_id":second["id"]}));
    let messages = conversation(&host);
    let texts: Vec<String> = messages.iter().filter_map(|message| Some(message.plain_text()?.into_owned())).collect();
    assert_eq!(texts, ["hi", "Hello there friend", "more", "Hello there friend", "last"]);

    let forgotten = ask(&host, json!({"store":false}));
    for id in [&forgotten["id"], &json!("resp_none"), &json!("../x")] {
        let captured = post(&host, &request(json!({"previous_response_id":id})));
        assert_eq!((captured.status, &captured.json()["error"]["code"]), (400, &json!("previous_response_not_found")));
    }
}

#[test]
fn kept_responses() {
    let host = ScriptedHost::new();
    let response = ask(&host, json!({}));
    let id = response["id"].as_str().expect("an id");
    assert_eq!(get(&host, id).json(), response);
    let cancel = host.call(&OpenAi, "POST", &format!("/v1/responses/{id}/cancel"), &[], b"");
    assert_eq!(cancel.status, 400);
    let delete = || host.call(&OpenAi, "DELETE", &format!("/v1/responses/{id}"), &[], b"");
    assert_eq!(delete().json(), json!({"id":id,"object":"response","deleted":true}));
    for gone in [delete(), get(&host, id), get(&host, &format!("{id}/input_items"))] {
        assert_eq!((gone.status, &gone.json()["error"]["type"]), (404, &json!("invalid_request_error")));
    }
    let response = ask(&host, json!({}));
    host.advance(super::stored::KEPT);
    assert_eq!(get(&host, response["id"].as_str().expect("an id")).status, 404);
}

#[test]
fn input_items_in_pages() {
    let host = ScriptedHost::new();
    let input: Vec<Value> = (0..25).map(|index| json!({"role":"user","content":format!("m{index}")})).collect();
    let response = ask(&host, json!({"input":input}));
    let path = format!("{}/input_items", response["id"].as_str().expect("an id"));
    let texts = |page: &Value| -> Vec<String> {
        let data = page["data"].as_array().expect("data");
        data.iter().map(|item| item["content"][0]["text"].as_str().expect("a text").to_owned()).collect()
    };
    let first = get(&host, &path).json();
    assert_eq!((texts(&first)[0].as_str(), texts(&first).len(), &first["has_more"]), ("m24", 20, &json!(true)));
    assert_eq!(first["data"][0]["content"][0]["type"], "input_text");
    let last = first["last_id"].as_str().expect("an id");
    let second = get(&host, &format!("{path}?after={last}")).json();
    assert_eq!(
        (texts(&second), &second["has_more"]),
        (["m4", "m3", "m2", "m1", "m0"].map(String::from).to_vec(), &json!(false))
    );
    assert_eq!(texts(&get(&host, &format!("{path}?order=asc&limit=2")).json()), ["m0", "m1"]);
    for query in ["limit=0", "limit=101", "limit=x", "order=up", "after=nothing"] {
        assert_eq!(get(&host, &format!("{path}?{query}")).status, 400, "{query}");
    }
}

#[test]
fn a_long_conversation_is_cut_when_that_is_allowed() {
    let input: Vec<Value> = (0..40).map(|_| json!({"role":"user","content":"w ".repeat(200)})).collect();
    let host = ScriptedHost::new();
    let refused = post(&host, &request(json!({"input":input})));
    assert_eq!((refused.status, &refused.json()["error"]["code"]), (400, &json!("context_length_exceeded")));
    assert_eq!(refused.json()["error"]["param"], "input");
    ask(&host, json!({"input":input,"instructions":"stay","truncation":"auto"}));
    let messages = conversation(&host);
    assert!(messages.len() > 5 && messages.len() < 40, "{}", messages.len());
    assert_eq!(messages[0].plain_text().as_deref(), Some("stay"));
    let one = json!([{"role":"user","content":"w ".repeat(5000)}]);
    assert_eq!(post(&host, &request(json!({"input":one,"truncation":"auto"}))).status, 400);
}

#[test]
fn wrong_requests() {
    let user = |content: Value| json!({"input":[{"role":"user","content":content}]});
    let cases = [
        (json!({"input":[]}), "input", "invalid_value"),
        (json!({"input":null}), "input", "missing_required_parameter"),
        (json!({"input":7}), "input", "invalid_type"),
        (json!({"input":[{"role":"king","content":"x"}]}), "input[0].role", "invalid_value"),
        (json!({"input":[{"content":"x"}]}), "input[0].role", "missing_required_parameter"),
        (json!({"input":[{"role":"user"}]}), "input[0].content", "missing_required_parameter"),
        (json!({"input":[{"type":"item_reference","id":"x"}]}), "input[0].type", "unsupported_value"),
        (
            json!({"input":[{"type":"function_call","call_id":"c","name":"f"}]}),
            "input[0].arguments",
            "missing_required_parameter",
        ),
        (user(json!([{"type":"input_image","image_url":"data:,"}])), "input[0].content[0]", "unsupported_value"),
        (user(json!([{"type":"odd"}])), "input[0].content[0].type", "invalid_value"),
        (json!({"max_output_tokens":0}), "max_output_tokens", "invalid_value"),
        (json!({"temperature":3}), "temperature", "invalid_value"),
        (json!({"top_logprobs":21}), "top_logprobs", "invalid_value"),
        (json!({"truncation":"some"}), "truncation", "invalid_value"),
        (json!({"background":true}), "background", "unsupported_value"),
        (json!({"conversation":"conv_1"}), "conversation", "unsupported_value"),
        (json!({"tools":[{"type":"web_search"}]}), "tools[0].type", "unsupported_value"),
        (json!({"tools":[{"type":"function"}]}), "tools[0].name", "missing_required_parameter"),
        (json!({"tool_choice":"required"}), "tool_choice", "invalid_value"),
        (json!({"tool_choice":{"type":"function","name":"f"}}), "tool_choice", "invalid_value"),
        (json!({"text":{"format":{"type":"yaml"}}}), "text.format.type", "invalid_value"),
        (
            json!({"text":{"format":{"type":"json_schema","name":"n"}}}),
            "text.format.schema",
            "missing_required_parameter",
        ),
        (json!({"metadata":{"a":"x".repeat(600)}}), "metadata", "invalid_value"),
        (json!({"metadata":{"a":1}}), "metadata.a", "invalid_type"),
        (json!({"model":"nope"}), "model", "model_not_found"),
    ];
    for (more, param, code) in cases {
        let captured = post(&ScriptedHost::new(), &request(more.clone()));
        let error = &captured.json()["error"];
        let status = if code == "model_not_found" { 404 } else { 400 };
        assert_eq!((captured.status, error["param"].as_str()), (status, Some(param)), "{more}: {error}");
        assert_eq!(error["code"], code, "{more}: {error}");
    }
}
