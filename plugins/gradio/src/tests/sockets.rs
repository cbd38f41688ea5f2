//! One websocket for each call, as Gradio 3 had it.

use mimus_sdk::scripted::{Captured, ScriptedHost};
use mimus_sdk::websocket::Message;
use serde_json::{Value, json};

use super::{host, kinds};
use crate::Gradio;

/// Kinds of message that clients up to 0.6.1 know.
const KNOWN: [&str; 8] = [
    "send_hash",
    "queue_full",
    "estimation",
    "send_data",
    "process_starts",
    "process_generating",
    "process_completed",
    "progress",
];

const HASH: &str = r#"{"fn_index":12,"session_hash":"s"}"#;

fn talk(host: &ScriptedHost, path: &str, says: &[&str]) -> (Vec<Value>, Captured) {
    let host = host.clone().says(says);
    let answer = host.call(&Gradio, "GET", path, &[("upgrade", "websocket")], b"");
    let read = |message: &Message| match message {
        Message::Text(text) => serde_json::from_str(text).expect("JSON"),
        Message::Binary(_) => panic!("clients want text"),
    };
    let messages: Vec<Value> = answer.messages.iter().map(read).collect();
    assert!(kinds(&messages).iter().all(|kind| KNOWN.contains(kind)), "{messages:?}");
    (messages, answer)
}

#[test]
fn a_call_takes_one_socket() {
    let data = r#"{"data":["hi",null],"fn_index":12,"session_hash":"s"}"#;
    let (told, answer) = talk(&host(), "/queue/join", &[HASH, data]);
    let generating = "process_generating";
    let expect = [
        "send_hash",
        "estimation",
        "send_data",
        "process_starts",
        generating,
        generating,
        generating,
        "process_completed",
    ];
    assert_eq!(kinds(&told), expect);
    let end = told.last().expect("an end");
    assert_eq!((&end["output"]["data"], &end["success"]), (&json!(["one two three", null]), &json!(true)));
    assert_eq!(answer.closed, Some(1000));
}

#[test]
fn the_session_is_the_same_as_by_other_ways() {
    let host = host();
    super::predict(&host, "", "s", 12, json!(["first"]));
    talk(&host, "/queue/join", &[HASH, r#"{"data":["second",null]}"#]);
    let mimus_sdk::scripted::Input::Answer(messages, ..) = &host.asked()[1].input else { panic!("a conversation") };
    assert_eq!(messages.len(), 3);
}

#[test]
fn faults_are_told_in_words() {
    let cases: [(&[&str], &str); 7] = [
        (&[r#"{"fn_index":999,"session_hash":"s"}"#], "there is no function 999"),
        (&[r#"{"fn_index":0}"#], "Session hash not found."),
        (&["hello"], "not valid JSON"),
        (&[], "no answer within 30 seconds"),
        (&[HASH], "no answer within 30 seconds"),
        (&[HASH, r#"{"data":7}"#], "`data` must be an array"),
        (&[HASH, r#"{"data":[7]}"#], "`message` must be text, got a number"),
    ];
    for (says, words) in cases {
        let (told, answer) = talk(&host(), "/queue/join", says);
        let end = told.last().expect("an end");
        assert_eq!((&end["msg"], &end["success"]), (&json!("process_completed"), &json!(false)), "{words}");
        assert!(end["output"]["error"].as_str().expect("words").contains(words), "{end}");
        assert_eq!(answer.closed, Some(1000), "{words}");
    }
    let long = format!(r#"{{"fn_index":0,"x":"{}"}}"#, "x".repeat(1 << 20));
    let (told, _) = talk(&host(), "/queue/join", &[&long]);
    assert_eq!(told.last().expect("an end")["output"]["error"], "a message may have at most 524288 bytes");
}

#[test]
fn a_client_that_leaves_ends_its_generation() {
    let host = host().client_leaves_after(6);
    let (told, answer) = talk(&host, "/queue/join", &[HASH, r#"{"data":["hi"]}"#]);
    assert_eq!((told.len(), answer.closed, host.running()), (6, None, 0));
}

#[test]
fn each_app_has_its_socket() {
    let says = [r#"{"fn_index":0,"session_hash":"s"}"#, r#"{"data":["hi"]}"#];
    let (told, _) = talk(&host(), "/chat/queue/join", &says);
    assert_eq!(told.last().expect("an end")["output"]["data"], json!(["one two three", null]));
}

#[test]
fn what_is_no_websocket_is_refused() {
    let answer = host().call(&Gradio, "GET", "/queue/join?fn_index=0&session_hash=s", &[], b"");
    assert_eq!(answer.status, 400);
    assert!(answer.json()["detail"].as_str().expect("words").contains("websocket"));
}
