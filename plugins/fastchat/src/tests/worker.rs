use mimus_sdk::inference::Error;
use mimus_sdk::scripted::{Captured, ScriptedHost};
use serde_json::{Value, json};

use super::{asked, post, with};
use crate::FastChat;

fn told(captured: &Captured) -> Vec<Value> {
    let text = captured.text();
    let mut messages: Vec<&str> = text.split('\0').collect();
    assert_eq!(messages.pop(), Some(""), "{text:?} does not end with NUL");
    messages.into_iter().map(|message| serde_json::from_str(message).expect("JSON")).collect()
}

#[test]
fn a_worker_tells_the_whole_answer_again_and_again() {
    let host = ScriptedHost::new().answer("one two three four");
    let captured = post(&host, "/worker_generate_stream", &with(r#""prompt":"count""#, r#""echo":false"#));
    let texts: Vec<Value> = told(&captured).iter().map(|message| message["text"].clone()).collect();
    assert_eq!(texts, ["one", "one two three", "one two three four", "one two three four"]);
    assert!(captured.text().starts_with(r#"{"text":"one","error_code":0,"usage":{"prompt_tokens":2,"completion_tokens":1,"total_tokens":3},"finish_reason":null,"logprobs":null}"#));
    assert_eq!(told(&captured).last().expect("a message")["finish_reason"], "stop");
    // The prompt stands in front unless the client says otherwise.
    let captured = post(&host, "/worker_generate", &with(r#""prompt":"count""#, r#""max_new_tokens":2"#));
    assert_eq!(captured.json()["text"], "countone two");
    assert_eq!(captured.json()["finish_reason"], "length");
}

#[test]
fn a_worker_answers_troubles_with_200() {
    let cases = [
        (r#"{"model":"nope","prompt":"a"}"#, 50005),
        (r#"{"model":"scripted"}"#, 40001),
        (r#"{"model":"scripted","prompt":"a","temperature":9}"#, 40302),
        (r#"{"model":"scripted","prompt":"a","images":["x"]}"#, 40302),
    ];
    for (body, code) in cases {
        for path in ["/worker_generate_stream", "/worker_generate"] {
            let captured = post(&ScriptedHost::new(), path, body);
            let answer: Value = serde_json::from_str(captured.text().trim_end_matches('\0')).expect("JSON");
            assert_eq!((captured.status, answer["error_code"].clone()), (200, json!(code)), "{path} {body}");
        }
    }
    let host = ScriptedHost::new().fail_after(1, Error::Failed("disk".into()));
    let captured = post(&host, "/worker_generate_stream", &with(r#""prompt":"a""#, ""));
    assert_eq!(told(&captured).last().expect("a message")["error_code"], json!(50001));
}

/// The web pages send prompts that grow with the conversation.
#[test]
fn a_worker_forgets_the_beginning_of_a_long_prompt() {
    let host = ScriptedHost::new();
    let long = "a ".repeat(5000);
    let captured = post(&host, "/worker_generate", &with(&format!(r#""prompt":"{long}""#), r#""max_new_tokens":512"#));
    assert_eq!(captured.json()["usage"]["prompt_tokens"], json!(4096 - 512 - 1));
    assert_eq!(asked(&host).tokens_max, Some(512));
    // An answer longer than the context is cut.
    let captured = post(&host, "/worker_generate", &with(r#""prompt":"a""#, r#""max_new_tokens":9999"#));
    assert_eq!((captured.json()["error_code"].clone(), asked(&host).tokens_max), (json!(0), Some(4094)));
}

#[test]
fn stop_tokens_of_other_models_are_left_out() {
    let host = ScriptedHost::new();
    post(&host, "/worker_generate", &with(r#""prompt":"a""#, r#""stop_token_ids":[5,151643],"stop":null,"top_k":-1"#));
    assert_eq!(asked(&host).stop_tokens, [5]);
}

#[test]
fn a_worker_describes_itself() {
    let host = ScriptedHost::new();
    let cases = [
        ("/worker_get_status", "", r#"{"model_names":["scripted"],"speed":1,"queue_length":0}"#),
        ("/count_token", r#"{"prompt":"a b"}"#, r#"{"count":3,"error_code":0}"#),
        ("/model_details", r#"{"model":"scripted"}"#, r#"{"context_length":4096}"#),
        ("/model_details", "null", r#"{"context_length":4096}"#),
        ("/model_details", "", r#"{"context_length":4096}"#),
        (
            "/worker_get_conv_template",
            "",
            r####"{"conv":{"name":"zero_shot","system_template":"{system_message}","system_message":"","system_message_vision":"","roles":["Human","Assistant"],"messages":[],"offset":0,"sep_style":1,"sep":"\n### ","sep2":null,"stop_str":"###","stop_token_ids":null,"max_image_size_mb":null}}"####,
        ),
    ];
    for (path, body, expect) in cases {
        assert_eq!(post(&host, path, body).text(), expect, "{path}");
    }
}

#[test]
fn the_controller_names_this_server() {
    let host = ScriptedHost::new();
    let cases = [
        ("/list_models", "", r#"{"models":["scripted"]}"#),
        ("/list_language_models", "", r#"{"models":["scripted"]}"#),
        ("/list_multimodal_models", "", r#"{"models":[]}"#),
        ("/get_worker_address", r#"{"model":"nope"}"#, r#"{"address":""}"#),
        ("/refresh_all_workers", "", "null"),
        ("/receive_heart_beat", r#"{"worker_name":"http://10.0.0.1","queue_length":0}"#, r#"{"exist":false}"#),
    ];
    for (path, body, expect) in cases {
        let captured = post(&host, path, body);
        assert_eq!((captured.status, captured.text()), (200, expect), "{path}");
    }
    let address = post(&host, "/get_worker_address", r#"{"model":"scripted"}"#).json();
    assert!(address["address"].as_str().is_some_and(|address| address.starts_with("http://")), "{address}");
    assert_eq!(host.call(&FastChat, "GET", "/test_connection", &[], b"").text(), r#""success""#);
}

/// GHSA advisories on FastChat's controller: whoever reaches it could register a worker of his own and read what others ask.
#[test]
fn workers_cannot_register() {
    let body = r#"{"worker_name":"http://10.0.0.1","check_heart_beat":false,"worker_status":{"model_names":["scripted"],"speed":1,"queue_length":0}}"#;
    let host = ScriptedHost::new();
    let captured = post(&host, "/register_worker", body);
    assert_eq!((captured.status, captured.json()["code"].clone()), (403, json!(40103)));
    let address = post(&host, "/get_worker_address", r#"{"model":"scripted"}"#).json();
    assert!(!address["address"].as_str().unwrap_or_default().contains("10.0.0.1"));
}
