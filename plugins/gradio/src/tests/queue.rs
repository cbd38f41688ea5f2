//! The queue: order, races, bounds, ends.

use std::rc::Rc;
use std::time::Duration;

use mimus_sdk::inference::Error;
use mimus_sdk::native::with_backend;
use mimus_sdk::state;
use serde_json::{Value, json};

use super::{generated, get, host, join, kinds, messages, post, stream};
use crate::Gradio;
use crate::line::WAITING_MAX;
use crate::session::Session;

/// Index of `/chat` in the first app.
const CHAT: usize = 12;

#[test]
fn a_call_is_told_from_its_place_to_its_end() {
    let host = host();
    let event = join(&host, "", "s", CHAT, json!(["hi", null]));
    assert_eq!(event.len(), 32);
    let told = stream(&host, "", "s");
    let generating = "process_generating";
    let expect =
        ["estimation", "process_starts", generating, generating, generating, "process_completed", "close_stream"];
    assert_eq!(kinds(&told), expect);
    assert!(told[..6].iter().all(|message| message["event_id"] == *event), "{told:?}");
    assert_eq!(generated(&told), [json!(["one", null]), json!(["one two", null]), json!(["one two three", null]),]);
    let end = &told[5];
    assert_eq!((&end["success"], &end["output"]["data"]), (&json!(true), &json!(["one two three", null])));
    assert_eq!(end["output"]["is_generating"], false);
    assert!(end["output"]["duration"].is_number());
}

/// Clients up to 1.14 lose what is told within moments of the answer to the call.
#[test]
fn nothing_is_told_at_once() {
    let host = host();
    let joined = host.call(&Gradio, "POST", "/queue/join", &[], &body(CHAT, "s"));
    assert_eq!(joined.status, 200);
    let before = with_backend(Rc::new(host.clone()), mimus_sdk::clock::now_ms);
    stream(&host, "", "s");
    let after = with_backend(Rc::new(host.clone()), mimus_sdk::clock::now_ms);
    assert_eq!(after - before, 100);
    // A call that has waited is told of without a wait.
    join(&host, "", "s", CHAT, json!(["hi"]));
    host.advance(Duration::from_secs(1));
    let before = with_backend(Rc::new(host.clone()), mimus_sdk::clock::now_ms);
    stream(&host, "", "s");
    assert_eq!(with_backend(Rc::new(host.clone()), mimus_sdk::clock::now_ms), before);
}

#[test]
fn calls_of_a_session_run_in_order_on_one_stream() {
    let host = host();
    let events: Vec<String> = (0..3).map(|_| join(&host, "", "s", 1, json!(["scripted"]))).collect();
    let told = stream(&host, "", "s");
    let ends: Vec<&str> = told
        .iter()
        .filter(|message| message["msg"] == "process_completed")
        .map(|message| message["event_id"].as_str().expect("an id"))
        .collect();
    assert_eq!(ends, events);
    assert_eq!(told.iter().filter(|message| message["msg"] == "close_stream").count(), 1);
    assert_eq!(told.last().expect("a last one")["msg"], "close_stream");
    // The next stream begins clean.
    join(&host, "", "s", 1, json!(["scripted"]));
    assert_eq!(kinds(&stream(&host, "", "s")), ["estimation", "process_starts", "process_completed", "close_stream"]);
}

/// What joins while the stream ends is run by it or by the next one.
#[test]
fn a_call_that_joins_at_the_end_is_not_lost() {
    let host = host();
    with_backend(Rc::new(host.clone()), || {
        let line = crate::line::Line::new("fastchat", &Session::parse(Some("s")).expect("a name"));
        line.join("a", 0).expect("room");
        line.start("a").expect("kept");
        line.join("b", 0).expect("room");
        assert!(!line.end().expect("kept"), "one waits, so the stream goes on");
        line.start("b").expect("kept");
        assert!(line.end().expect("kept"), "none waits, so the stream ends");
        line.join("c", 0).expect("room");
        assert_eq!(line.first().expect("kept").expect("one waits").0.event, "c");
    });
}

/// A client that left while its call ran does not want it any more; one that had not begun is run.
#[test]
fn the_next_stream_finds_what_had_not_begun() {
    let host = host().client_leaves_after(3);
    join(&host, "", "s", CHAT, json!(["first"]));
    let second = join(&host, "", "s", CHAT, json!(["second"]));
    let cut = messages(&get(&host, "/queue/data?session_hash=s"));
    assert_eq!(kinds(&cut), ["estimation", "process_starts", "process_generating", "process_generating"]);
    assert_eq!(host.running(), 0, "what was generated for the client is free");
    let host = host.client_leaves_after(100);
    let told = stream(&host, "", "s");
    assert!(told[..told.len() - 1].iter().all(|message| message["event_id"] == *second), "{told:?}");
}

#[test]
fn a_second_stream_of_a_session_is_told_in_words() {
    let host = host();
    join(&host, "", "s", CHAT, json!(["hi"]));
    let lease =
        with_backend(Rc::new(host.clone()), || state::acquire("line/fastchat/s", Duration::ZERO).expect("free"));
    let told = stream(&host, "", "s");
    assert_eq!(kinds(&told), ["unexpected_error"]);
    assert_eq!(told[0]["message"], "another stream of this session is open");
    drop(lease);
    assert_eq!(kinds(&stream(&host, "", "s")).last(), Some(&"close_stream"), "its calls are still there");
}

#[test]
fn a_session_without_calls_is_not_found() {
    let told = stream(&host(), "", "nobody");
    assert_eq!(
        told,
        [json!({
            "msg": "unexpected_error", "event_id": null, "message": "404: Not Found", "session_not_found": true,
            "success": false,
        })]
    );
}

#[test]
fn as_many_calls_wait_as_may() {
    let host = host();
    for _ in 0..WAITING_MAX {
        join(&host, "", "s", 0, json!(["scripted"]));
    }
    let refused = host.call(&Gradio, "POST", "/queue/join", &[], &body(0, "s"));
    assert_eq!((refused.status, refused.header("retry-after")), (503, Some("5")));
    assert!(refused.json()["detail"].as_str().expect("words").contains("full"));
    assert_eq!(host.call(&Gradio, "POST", "/queue/join", &[], &body(0, "other")).status, 200, "others have room");
    assert_eq!(kinds(&stream(&host, "", "s")).len(), 3 * WAITING_MAX + 1, "all of them are run");
}

#[test]
fn a_waiting_call_is_cancelled_with_values() {
    for path in ["/cancel", "/gradio_api/reset"] {
        let host = host();
        let event = join(&host, "", "s", CHAT, json!(["hi"]));
        let answer = post(&host, path, json!({ "fn_index": CHAT, "session_hash": "s", "event_id": event }));
        assert_eq!((answer.status, answer.json()), (200, json!({ "success": true })));
        let told = stream(&host, "", "s");
        assert_eq!(kinds(&told), ["estimation", "process_starts", "process_completed", "close_stream"]);
        assert_eq!((&told[2]["success"], &told[2]["output"]["data"]), (&json!(true), &json!([null, null])));
        assert!(host.asked().is_empty(), "no model was asked");
    }
}

#[test]
fn a_running_call_is_cancelled_with_its_last_values() {
    let host = host().fail_after(2, Error::Cancelled);
    join(&host, "", "s", CHAT, json!(["hi"]));
    let told = stream(&host, "", "s");
    let end = &told[told.len() - 2];
    assert_eq!((&end["success"], &end["output"]["data"]), (&json!(true), &json!(["one two", null])));
}

#[test]
fn a_generation_bears_its_event_for_a_tag() {
    let host = host();
    let event = join(&host, "", "s", CHAT, json!(["hi"]));
    stream(&host, "", "s");
    assert_eq!(host.asked()[0].options.tag, Some(event));
}

#[test]
fn ids_that_are_none_are_taken_all_the_same() {
    for body in [
        json!({ "event_id": "nobody" }),
        json!({ "event_id": "../x" }),
        json!({}),
        json!({ "fn_index": 3, "session_hash": "s" }),
    ] {
        for path in ["/cancel", "/reset", "/multi/gradio_api/cancel"] {
            assert_eq!(post(&host(), path, body.clone()).json(), json!({ "success": true }), "{path} {body}");
        }
    }
}

#[test]
fn bad_calls_are_refused_before_they_wait() {
    let cases: [(Value, u16, &str); 9] = [
        (json!({ "data": ["hi"], "fn_index": CHAT }), 400, "Session hash not found."),
        (json!({ "data": ["hi"], "fn_index": CHAT, "session_hash": "" }), 400, "Session hash not found."),
        (json!({ "data": ["hi"], "fn_index": CHAT, "session_hash": "x".repeat(129) }), 400, "at most 128"),
        (json!({ "data": ["hi"], "fn_index": CHAT, "session_hash": "a\nb" }), 400, "plain"),
        (json!({ "fn_index": CHAT, "session_hash": "s" }), 422, "`data` is required"),
        (json!({ "data": {}, "fn_index": CHAT, "session_hash": "s" }), 422, "`data` must be an array"),
        (json!({ "data": [], "fn_index": 999, "session_hash": "s" }), 422, "there is no function 999"),
        (json!({ "data": [], "fn_index": -1, "session_hash": "s" }), 422, "fn_index"),
        (json!({ "data": [], "session_hash": "s" }), 422, "`fn_index` is required"),
    ];
    for (body, status, words) in cases {
        let answer = post(&host(), "/queue/join", body);
        assert_eq!(answer.status, status, "{words}");
        assert!(answer.json()["detail"].as_str().expect("words").contains(words), "{}", answer.text());
    }
    let answer = host().call(&Gradio, "POST", "/queue/join", &[], b"{");
    assert_eq!(answer.status, 422);
    assert!(host().call(&Gradio, "POST", "/queue/join", &[], &vec![b' '; (1 << 20) + 1]).status == 413);
}

#[test]
fn a_failing_model_is_told_in_words() {
    let host = host().fail_after(1, Error::Failed("the device is gone".into()));
    join(&host, "", "s", CHAT, json!(["hi"]));
    let told = stream(&host, "", "s");
    let end = &told[told.len() - 2];
    assert_eq!(end["output"]["error"], "the model failed on this request");
    assert_eq!((&end["success"], &end["output"]["title"]), (&json!(false), &json!("Error")));
}

fn body(function: usize, session: &str) -> Vec<u8> {
    json!({ "data": ["scripted"], "fn_index": function, "session_hash": session }).to_string().into()
}
