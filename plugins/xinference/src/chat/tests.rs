use mimus_sdk::answers::ToolChoice;
use mimus_sdk::chat::{Message, Role};
use mimus_sdk::inference::{Constraint, Error};
use mimus_sdk::models::Model;
use mimus_sdk::scripted::{self, Captured, Input, ScriptedHost};
use serde_json::{Value, json};

use crate::Xinference;
use crate::tests::{detail, host, ok, post};

const PATH: &str = "/v1/chat/completions";

fn say(mut more: Value) -> Value {
    more["model"] = json!("scripted");
    more["messages"] = json!([{ "role": "user", "content": "x" }]);
    more
}

fn said(host: &ScriptedHost) -> Vec<Message> {
    match host.asked().pop().expect("it was asked").input {
        Input::Answer(messages, ..) => messages,
        other => panic!("{other:?}"),
    }
}

fn stream(host: &ScriptedHost, agent: &str, more: Value) -> Captured {
    let mut body = say(more);
    body["stream"] = json!(true);
    host.call(&Xinference, "POST", PATH, &[("user-agent", agent)], body.to_string().as_bytes())
}

#[test]
fn a_whole_answer_has_its_shape() {
    let answer = ok(&post(&host(), PATH, &say(json!({}))));
    assert_eq!((&answer["object"], &answer["model"]), (&json!("chat.completion"), &json!("scripted")));
    assert_eq!(
        answer["choices"],
        json!([{ "index": 0, "message": { "role": "assistant", "content": "Hello there friend" }, "finish_reason": "stop" }])
    );
    let usage = &answer["usage"];
    assert_eq!(usage["total_tokens"], usage["prompt_tokens"].as_u64().expect("a number") + 3);
}

#[test]
fn thoughts_and_calls_have_their_places() {
    let tools = json!([{ "type": "function", "function": { "name": "weather", "parameters": { "type": "object" } } }]);
    let host = host().reasoning("hm").calls(&[("weather", r#"{"city":"Paris"}"#)]);
    let answer = ok(&post(&host, PATH, &say(json!({ "tools": tools }))));
    let choice = &answer["choices"][0];
    assert_eq!((&choice["finish_reason"], &choice["message"]["content"]), (&json!("tool_calls"), &Value::Null));
    assert_eq!(choice["message"]["reasoning_content"], "hm");
    assert_eq!(
        choice["message"]["tool_calls"][0]["function"],
        json!({ "name": "weather", "arguments": r#"{"city":"Paris"}"# })
    );
    // ChatGLM3's clients leave the wrapping out.
    let bare = json!([{ "name": "weather", "description": "d", "parameters": { "type": "object" } }]);
    ok(&post(
        &host,
        PATH,
        &say(json!({ "tools": bare, "tool_choice": { "type": "function", "function": { "name": "weather" } } })),
    ));
    match host.asked().pop().expect("it was asked").input {
        Input::Answer(_, render, tools) => {
            assert_eq!(render.tools[0].name, "weather");
            assert_eq!(tools.choice, ToolChoice::Named("weather".into()));
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_stream_is_framed_as_clients_know_it() {
    let answer = stream(&host(), "python-requests/2.31.0", json!({}));
    assert_eq!(answer.header("content-type"), Some("text/event-stream; charset=utf-8"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert!(answer.text().ends_with("\r\n\r\n") && !answer.text().replace("\r\n", "").contains('\n'));
    let chunks: Vec<Value> = answer.events().iter().map(|data| serde_json::from_str(data).expect("JSON")).collect();
    assert_eq!(chunks[0]["choices"][0]["delta"], json!({ "role": "assistant", "content": "" }));
    let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["delta"]["content"].as_str()).collect();
    assert_eq!(text, "Hello there friend");
    let last = chunks.last().expect("chunks");
    assert_eq!(last["choices"][0], json!({ "index": 0, "delta": { "content": "" }, "finish_reason": "stop" }));
    for chunk in &chunks {
        assert!(chunk["object"] == "chat.completion.chunk" && !chunk["choices"][0]["delta"]["content"].is_null());
    }
}

/// Clients before 0.9.2 take `[DONE]` for broken JSON; the loops of old command lines want a choice in each chunk.
#[test]
fn the_end_is_told_to_those_who_know_it() {
    for (agent, is_told) in [("python-requests/2.31.0", false), ("OpenAI/Python 1.0", true), ("curl/8", true)] {
        let answer = stream(&host(), agent, json!({}));
        assert_eq!(answer.events().last() == Some(&"[DONE]"), is_told, "{agent}");
    }
    let answer = stream(&host(), "curl/8", json!({ "stream_options": { "include_usage": true } }));
    let events = answer.events();
    let usage: Value = serde_json::from_str(events[events.len() - 2]).expect("JSON");
    assert_eq!((&usage["choices"], &usage["usage"]["completion_tokens"]), (&json!([]), &json!(3)));
}

#[test]
fn calls_are_streamed_in_parts() {
    let tools = json!([{ "type": "function", "function": { "name": "weather" } }]);
    let answer = stream(&host().calls(&[("weather", "{\"a\":1}")]), "python-requests/2", json!({ "tools": tools }));
    let mut arguments = String::new();
    let mut names = Vec::new();
    for data in answer.events() {
        let chunk: Value = serde_json::from_str(data).expect("JSON");
        for call in chunk["choices"][0]["delta"]["tool_calls"].as_array().into_iter().flatten() {
            names.extend(call["function"]["name"].as_str().map(str::to_owned));
            arguments.push_str(call["function"]["arguments"].as_str().expect("text"));
        }
    }
    assert_eq!((names, arguments.as_str()), (vec!["weather".to_owned()], "{\"a\":1}"));
    assert!(answer.text().contains("\"finish_reason\":\"tool_calls\""));
}

#[test]
fn a_failure_in_a_stream_is_a_text() {
    let answer = stream(&host().fail_after(1, Error::Failed("secret".into())), "curl/8", json!({}));
    assert_eq!(answer.status, 200);
    let last: Value = serde_json::from_str(answer.events().last().expect("events")).expect("JSON");
    assert!(last["error"].as_str().is_some_and(|error| error.contains("failed")) && !answer.text().contains("secret"));
    let early = stream(&host().refuse(Error::Overloaded(10)), "curl/8", json!({}));
    detail(&early, 429);
}

/// The example of 0.5 hands the history over in the place of the system prompt.
#[test]
fn a_misplaced_history_is_understood() {
    let host = host();
    let send = |content: Value| {
        let messages = json!([{ "role": "system", "content": content }, { "role": "user", "content": "now" }]);
        ok(&post(&host, PATH, &json!({ "model": "scripted", "messages": messages })));
        said(&host)
            .iter()
            .map(|message| (message.role, message.plain_text().unwrap_or_default().into_owned()))
            .collect::<Vec<_>>()
    };
    let now = (Role::User, "now".to_owned());
    assert_eq!(send(json!([])), std::slice::from_ref(&now));
    assert_eq!(send(Value::Null), std::slice::from_ref(&now));
    assert_eq!(send(json!("be kind")), [(Role::System, "be kind".into()), now.clone()]);
    assert_eq!(send(json!([{ "type": "text", "text": "be kind" }])), [(Role::System, "be kind".into()), now.clone()]);
    let turns = json!([{ "role": "user", "content": "then" }, { "role": "assistant", "content": "yes" }]);
    assert_eq!(send(turns), [(Role::User, "then".into()), (Role::Assistant, "yes".into()), now]);
}

#[test]
fn messages_of_tools_are_read() {
    let host = host();
    let call = json!({ "id": "c", "type": "function", "function": { "name": "f", "arguments": { "a": 1 } } });
    let messages = json!([
        { "role": "user", "content": "x" },
        { "role": "assistant", "content": null, "tool_calls": [call] },
        { "role": "tool", "tool_call_id": "c", "content": "7" },
    ]);
    ok(&post(&host, PATH, &json!({ "model": "scripted", "messages": messages })));
    let messages = said(&host);
    assert_eq!((messages[1].tool_calls[0].arguments.as_str(), messages[1].content.len()), ("{\"a\":1}", 0));
    assert_eq!((messages[2].role, messages[2].tool_call_id.as_deref()), (Role::Tool, Some("c")));
}

#[test]
fn thinking_is_said_in_every_way() {
    let host = host();
    let variables = |more: Value| {
        ok(&post(&host, PATH, &say(more)));
        match host.asked().pop().expect("it was asked").input {
            Input::Answer(_, render, _) => render.variables,
            other => panic!("{other:?}"),
        }
    };
    let both = |value: &str| vec![("enable_thinking".to_owned(), value.to_owned()), ("thinking".into(), value.into())];
    assert_eq!(variables(json!({})), []);
    assert_eq!(variables(json!({ "enable_thinking": true })), both("true"));
    assert_eq!(variables(json!({ "extra_body": { "enable_thinking": false } })), both("false"));
    let kwargs = json!({ "enable_thinking": false, "thinking": false });
    assert_eq!(variables(json!({ "chat_template_kwargs": kwargs })), both("false"));
    assert_eq!(variables(json!({ "chat_template_kwargs": kwargs.to_string() })), both("false"));
    assert_eq!(variables(json!({ "chat_template_kwargs": { "x": [1] } })), [("x".into(), "[1]".into())]);
    detail(&post(&host, PATH, &say(json!({ "chat_template_kwargs": "nonsense" }))), 400);
}

#[test]
fn shapes_are_asked_for_in_every_way() {
    let host = host();
    let constraint = |more: Value| {
        ok(&post(&host, PATH, &say(more)));
        host.asked().pop().expect("it was asked").options.constraint
    };
    let schema = json!({ "type": "integer" });
    let wanted = Some(Constraint::JsonSchema(schema.to_string()));
    assert_eq!(constraint(json!({})), None);
    assert_eq!(constraint(json!({ "guided_json": schema })), wanted);
    assert_eq!(constraint(json!({ "guided_json": schema.to_string() })), wanted);
    assert_eq!(constraint(json!({ "guided_json": {} })), None);
    assert_eq!(constraint(json!({ "extra_body": { "guided_json": schema } })), wanted);
    assert_eq!(constraint(json!({ "guided_regex": "a+" })), Some(Constraint::Regex("a+".into())));
    assert_eq!(
        constraint(json!({ "guided_choice": ["a", "b"] })),
        Some(Constraint::Choice(vec!["a".into(), "b".into()]))
    );
    assert_eq!(constraint(json!({ "guided_json_object": true })), Some(Constraint::JsonObject));
    assert_eq!(constraint(json!({ "response_format": { "type": "json_object" } })), Some(Constraint::JsonObject));
    assert_eq!(constraint(json!({ "response_format": { "type": "json_object", "schema": schema } })), wanted);
    assert_eq!(
        constraint(json!({ "response_format": { "type": "json_schema", "json_schema": { "schema": schema } } })),
        wanted
    );
    assert_eq!(constraint(json!({ "response_format": { "type": "text" } })), None);
    for bad in [
        json!({ "guided_regex": "a", "guided_choice": ["b"] }),
        json!({ "guided_choice": [] }),
        json!({ "guided_json": [1] }),
        json!({ "guided_regex": "x".repeat(70_000) }),
        json!({ "response_format": { "type": "xml" } }),
        json!({ "response_format": { "type": "json_schema" } }),
    ] {
        detail(&post(&host, PATH, &say(bad)), 400);
    }
}

#[test]
fn sampling_is_passed_on() {
    let host = host();
    ok(&post(
        &host,
        PATH,
        &say(json!({
            "max_tokens": 9, "temperature": 0.5, "top_p": 0, "top_k": -1, "repetition_penalty": 1.1, "stop": "e", "seed": 7,
            "presence_penalty": 0.5, "frequency_penalty": -0.5, "stop_token_ids": 5, "n": 3, "mirostat_mode": 0, "user": "u",
            "stream_interval": 2,
        })),
    ));
    let options = host.asked()[0].options.clone();
    assert_eq!(
        (options.tokens_max, options.temperature, options.top_k, options.choices),
        (Some(9), Some(0.5), Some(0), 1)
    );
    assert_eq!((options.stop, options.stop_tokens, options.seed), (vec!["e".to_owned()], vec![5], Some(7)));
    assert!(options.top_p.is_some_and(|top_p| top_p > 0.0) && options.repetition_penalty == Some(1.1));
    ok(&post(&host, PATH, &say(json!({ "max_tokens": 9, "max_completion_tokens": 4, "stop": ["", "a"] }))));
    assert_eq!(host.asked()[1].options.tokens_max, Some(4));
    assert_eq!(host.asked()[1].options.stop, ["a"]);
}

#[test]
fn what_cannot_be_answered_says_why() {
    let host = host();
    let user = json!([{ "role": "user", "content": "x" }]);
    let image = json!([{ "role": "user", "content": [{ "type": "image_url", "image_url": { "url": "data:," } }] }]);
    let cases = [
        (json!({ "model": "scripted" }), 400, "Invalid input. Please specify the prompt."),
        (json!({ "model": "scripted", "messages": [] }), 400, "Please specify the prompt."),
        (
            json!({ "model": "scripted", "messages": [{ "role": "system", "content": [] }] }),
            400,
            "Please specify the prompt.",
        ),
        (json!({ "messages": user }), 400, "`model`"),
        (json!({ "model": "nobody", "messages": user }), 404, "Model not found in the model list, uid: nobody"),
        (json!({ "model": "on-its-way", "messages": user }), 503, "loading"),
        (json!({ "model": "broken", "messages": user }), 404, "no such file"),
        (json!({ "model": "scripted", "messages": image }), 400, "takes text alone"),
        (json!({ "model": "scripted", "messages": [{ "role": "robot", "content": "x" }] }), 400, "robot"),
        (json!({ "model": "scripted", "messages": [{ "role": "user" }] }), 400, "`messages[0].content`"),
        (say(json!({ "logit_bias": { "5": 1 } })), 501, "Not implemented"),
        (say(json!({ "lora_name": "a" })), 400, "`lora_name`"),
        (say(json!({ "max_tokens": 0 })), 400, "`max_tokens`"),
        (say(json!({ "temperature": "hot" })), 400, "`temperature` must be a number"),
        (say(json!({ "temperature": 3 })), 400, "`temperature`"),
        (say(json!({ "tool_choice": "required" })), 400, "tool_choice"),
        (say(json!({ "tool_choice": "sometimes" })), 400, "`tool_choice`"),
        (say(json!({ "tools": [{}] })), 400, "`tools[0].function`"),
        (say(json!({ "request_id": "r".repeat(129) })), 400, "`request_id`"),
    ];
    for (body, status, words) in cases {
        let text = detail(&post(&host, PATH, &body), status);
        assert!(text.contains(words), "{body}: {text}");
    }
    detail(&host.call(&Xinference, "POST", PATH, &[], b"nonsense"), 400);
}

#[test]
fn a_full_model_says_its_limit() {
    let limited = Model { requests_max: Some(1), ..scripted::model("scripted") };
    let answer = post(&host().model(limited).refuse(Error::Overloaded(500)), PATH, &say(json!({})));
    assert_eq!(detail(&answer, 429), "Rate limit reached for the model. Request limit 1 for the model: scripted");
    assert_eq!(answer.header("retry-after"), Some("1"));
}
