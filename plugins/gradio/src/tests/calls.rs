//! `/call`, `/api` and `/run`.

use serde_json::{Value, json};

use super::{get, host, post};
use crate::Gradio;

fn call(host: &mimus_sdk::scripted::ScriptedHost, name: &str, body: Value) -> String {
    let answer = post(host, &format!("/gradio_api/call/{name}"), body);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let event = answer.json()["event_id"].as_str().expect("an id").to_owned();
    get(host, &format!("/gradio_api/call/{name}/{event}")).text().to_owned()
}

#[test]
fn a_call_with_curl_is_told_by_events() {
    let told = call(&host(), "chat", json!({ "data": ["hi"] }));
    let expect = "event: generating\ndata: [\"one\",null]\n\n\
                  event: generating\ndata: [\"one two\",null]\n\n\
                  event: generating\ndata: [\"one two three\",null]\n\n\
                  event: complete\ndata: [\"one two three\",null]\n\n";
    assert_eq!(told, expect);
}

#[test]
fn a_call_is_run_once() {
    let host = host();
    let event = post(&host, "/call/chat", json!({ "data": ["hi", null] })).json()["event_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let path = format!("/call/chat/{event}");
    assert!(get(&host, &path).text().contains("complete"));
    assert_eq!((get(&host, &path).status, get(&host, &path).text()), (200, ""));
    assert_eq!(get(&host, "/call/chat/nobody").text(), "event: error\ndata: \"404: Not Found\"\n\n");
    post(&host, "/cancel", json!({ "event_id": event }));
    assert_eq!(get(&host, &path).text(), "event: error\ndata: \"404: Not Found\"\n\n");
    assert_eq!(host.asked().len(), 1);
}

#[test]
fn inputs_may_have_names() {
    let host = host();
    let event = post(&host, "/call/v2/bot_response", json!({ "temperature": 0.5 })).json()["event_id"]
        .as_str()
        .expect("an id")
        .to_owned();
    assert!(get(&host, &format!("/call/v2/bot_response/{event}")).text().contains("event: complete"));
    let cases = [
        ("chat", json!({}), 422, "`message` is required"),
        ("chat", json!({ "message": "hi", "more": 1 }), 422, "has no input `more`"),
        ("nobody", json!({}), 404, "there is no function `/nobody`"),
        ("chat", json!([]), 422, "must be an object"),
    ];
    for (name, body, status, words) in cases {
        let answer = post(&host, &format!("/call/v2/{name}"), body);
        assert_eq!(answer.status, status, "{words}");
        assert!(answer.json()["detail"].as_str().expect("words").contains(words), "{}", answer.text());
    }
}

#[test]
fn a_failure_is_an_event() {
    let told = call(&host(), "chat", json!({ "data": [7] }));
    assert!(told.starts_with("event: error\ndata: {"), "{told}");
    assert!(told.contains("`message` must be text, got a number"), "{told}");
}

#[test]
fn plain_posts_get_the_last_values() {
    let host = host();
    let body = json!({ "data": ["hi"], "session_hash": "s" });
    for path in ["/api/chat", "/run/chat", "/gradio_api/run/chat", "/chat/api/chat"] {
        let answer = post(&host, path, body.clone());
        assert_eq!(answer.status, 200, "{path} {}", answer.text());
        assert_eq!(answer.json()["data"], json!(["one two three", null]), "{path}");
        assert_eq!(answer.json()["is_generating"], false);
    }
    // The index wins over the name.
    let answer = post(&host, "/api/predict", json!({ "data": ["a,b"], "fn_index": 0 }));
    let button = json!({ "mode": "static", "__type__": "update" });
    assert_eq!(answer.json()["data"], json!(["", button, button, button]));
}

#[test]
fn plain_posts_are_refused_in_words() {
    let cases: [(&str, Value, u16, &str); 7] = [
        ("/api/nobody", json!({ "data": [] }), 404, "there is no function `/nobody`; there are: /upvote_last_response"),
        ("/api/chat", json!({ "data": [] }), 422, "the function needs 1 value, got 0"),
        ("/run/chat", json!({ "data": [true] }), 422, "`message` must be text, got a boolean"),
        // What a client from 0.7 to 0.9 sends where the message is missing: the null of the state.
        ("/run/chat", json!({ "data": [null] }), 422, "`message` must be text, got null"),
        ("/run/chat", json!({}), 422, "`data` is required"),
        ("/run/bot_response", json!({ "data": [0.5, 1.0] }), 422, "the function needs 3 values, got 2"),
        (
            "/run/add_text",
            json!({ "data": ["nobody", "hi"] }),
            422,
            "the model `nobody` does not exist; there are: scripted, second",
        ),
    ];
    for (path, body, status, words) in cases {
        let answer = post(&host(), path, body);
        assert_eq!(answer.status, status, "{path} {words}");
        assert!(answer.json()["error"].as_str().expect("words").starts_with(words), "{}", answer.text());
        assert_eq!(answer.json()["error"], answer.json()["detail"]);
    }
    let answer = host().call(&Gradio, "POST", "/run/chat", &[], b"\xff");
    assert_eq!(answer.status, 422);
}

/// Clients leave states out or send null for them, and real servers pass over what is too much.
#[test]
fn states_may_be_there_or_not() {
    let host = host();
    for data in [json!(["hi"]), json!(["hi", null]), json!(["hi", null, 1, 2])] {
        assert_eq!(post(&host, "/run/chat", json!({ "data": data.clone() })).status, 200, "{data}");
    }
    for data in [json!([null, "scripted", "hi"]), json!(["scripted", "hi"])] {
        let answer = post(&host, "/run/add_text", json!({ "data": data, "session_hash": data.to_string() }));
        assert_eq!(answer.json()["data"][1], json!([["hi", null]]), "{data}");
    }
}
