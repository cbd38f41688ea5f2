use crate::Lmdeploy;
use mimus_sdk::backend::Backend;
use mimus_sdk::inference::{self, Prompt};
use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
use serde_json::{Value, json};

fn post(host: &ScriptedHost, body: &Value) -> Captured {
    host.call(&Lmdeploy, "POST", "/v1/chat/interactive", &[], body.to_string().as_bytes())
}

/// A turn of session 7 that keeps it.
fn turn(host: &ScriptedHost, prompt: &str) -> Value {
    let answer = post(host, &json!({"prompt": prompt, "session_id": 7, "interactive_mode": true}));
    assert_eq!(answer.status, 200, "{}", answer.text());
    answer.json()
}

/// What the model was given last, as the scripted template writes it.
fn given(host: &ScriptedHost) -> String {
    let Input::Prompt(Prompt::Tokens(ids)) = host.asked().pop().expect("the model was asked").input else {
        panic!("no tokens")
    };
    host.detokenize("scripted", &ids, false).expect("known tokens")
}

/// The conversation of these lines, ending where the answer begins.
fn conversation(lines: &[&str]) -> String {
    format!("{}\nassistant:", lines.join("\n"))
}

fn stopped() -> Value {
    json!({"text": "", "tokens": 0, "input_tokens": 0, "history_tokens": 0, "finish_reason": "stop"})
}

#[test]
fn one_turn_is_one_line() {
    let answer = post(&ScriptedHost::new(), &json!({"prompt": "Hi"}));
    assert_eq!(answer.status, 200);
    assert!(
        answer.text().starts_with(r#"{"text":"Hello there friend","tokens":3,"input_tokens":"#),
        "{}",
        answer.text()
    );
    assert!(answer.text().ends_with(r#","history_tokens":0,"finish_reason":"stop"}"#), "{}", answer.text());
}

#[test]
fn a_stream_is_bare_lines() {
    let answer = post(&ScriptedHost::new(), &json!({"prompt": "Hi", "stream": true}));
    assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
    let lines: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    assert!(answer.text().ends_with("}\n") && !answer.text().contains("\n\n"));
    let (last, pieces) = lines.split_last().expect("lines");
    let text: String = pieces.iter().map(|line| line["text"].as_str().expect("text")).collect();
    assert_eq!(text, "Hello there friend");
    assert_eq!(pieces.iter().map(|line| line["tokens"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
    assert!(pieces.iter().all(|line| line["finish_reason"].is_null()));
    assert_eq!((&last["text"], &last["finish_reason"], &last["tokens"]), (&"".into(), &"stop".into(), &3.into()));
}

#[test]
fn a_session_sees_what_was_said_before() {
    let host = ScriptedHost::new();
    let first = turn(&host, "one");
    assert_eq!(first["history_tokens"], 0);
    let second = turn(&host, "two");
    assert_eq!(given(&host), conversation(&["user: one", "assistant:Hello there friend", "user: two"]));
    assert_eq!(
        second["history_tokens"].as_u64(),
        Some(first["input_tokens"].as_u64().unwrap() + first["tokens"].as_u64().unwrap())
    );
    assert!(second["input_tokens"].as_u64() > Some(0));
}

#[test]
fn zero_is_a_session_and_minus_one_is_none() {
    for (id, turns) in [(0, 2), (-1, 1), (i64::MAX, 2), (-5, 2)] {
        let host = ScriptedHost::new();
        for _ in 0..2 {
            post(&host, &json!({"prompt": "Hi", "session_id": id, "interactive_mode": true}));
        }
        assert_eq!(given(&host).matches("user: Hi").count(), turns, "{id}");
    }
}

#[test]
fn a_last_turn_sees_the_history_and_forgets_it() {
    let host = ScriptedHost::new();
    turn(&host, "one");
    let last = post(&host, &json!({"prompt": "two", "session_id": 7})).json();
    assert!(last["history_tokens"].as_u64() > Some(0));
    assert_eq!(given(&host), conversation(&["user: one", "assistant:Hello there friend", "user: two"]));
    assert_eq!(turn(&host, "three")["history_tokens"], 0);
    assert_eq!(given(&host), conversation(&["user: three"]));
}

#[test]
fn an_end_forgets_the_session_and_is_never_an_error() {
    let host = ScriptedHost::new();
    turn(&host, "one");
    let end = json!({"prompt": "", "session_id": 7, "request_output_len": 0, "interactive_mode": false});
    for _ in 0..2 {
        let answer = post(&host, &end);
        assert_eq!((answer.status, answer.json()), (200, stopped()));
    }
    assert_eq!(turn(&host, "two")["history_tokens"], 0);
    let mut streamed = end;
    streamed["stream"] = json!(true);
    assert_eq!(
        post(&host, &streamed).text(),
        format!("{}\n", r#"{"text":"","tokens":0,"input_tokens":0,"history_tokens":0,"finish_reason":"stop"}"#)
    );
}

#[test]
fn a_cancellation_needs_a_session() {
    let host = ScriptedHost::new();
    let refused = post(&host, &json!({"cancel": true}));
    assert_eq!(
        (refused.status, &refused.json()["message"]),
        (400, &"please set a session_id to cancel a request".into())
    );
    for body in [json!({"session_id": 7, "cancel": true}), json!({"session_id": 7, "stop": true, "prompt": ""})] {
        let answer = post(&host, &body);
        assert_eq!((answer.status, answer.json()), (200, stopped()), "{body}");
    }
}

#[test]
fn a_cancelled_turn_ends_with_what_it_has() {
    let host = ScriptedHost::new().fail_after(2, inference::Error::Cancelled);
    let answer = post(&host, &json!({"prompt": "Hi", "session_id": 7, "interactive_mode": true, "stream": true}));
    let last: Value = serde_json::from_str(answer.text().lines().last().expect("lines")).expect("JSON");
    assert_eq!((&last["finish_reason"], &last["tokens"]), (&"stop".into(), &2.into()));
    let whole = post(&host, &json!({"prompt": "Hi"})).json();
    assert_eq!((&whole["text"], &whole["finish_reason"]), (&"Hello there".into(), &"stop".into()));
    turn(&host, "two");
    assert_eq!(given(&host), conversation(&["user: Hi", "assistant:Hello there", "user: two"]));
}

#[test]
fn a_history_is_loaded_without_an_answer() {
    let host = ScriptedHost::new();
    let history = json!([{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]);
    let load = json!({"prompt": history, "session_id": 7, "request_output_len": 0, "interactive_mode": true});
    let loaded = post(&host, &load).json();
    assert_eq!((&loaded["text"], &loaded["tokens"]), (&"".into(), &0.into()));
    assert!(host.asked().is_empty(), "the model was asked");
    let next = turn(&host, "three");
    assert_eq!(next["history_tokens"], loaded["input_tokens"]);
    assert_eq!(given(&host), conversation(&["user: one", "assistant: two", "user: three"]));
}

#[test]
fn a_list_is_the_whole_history_or_continues_it() {
    let host = ScriptedHost::new();
    turn(&host, "one");
    let mut list = json!([
        {"role": "user", "content": "one"}, {"role": "assistant", "content": "Hello there friend"}, {"role": "user", "content": "two"},
    ]);
    post(&host, &json!({"prompt": list, "session_id": 7, "interactive_mode": true}));
    assert_eq!(given(&host), conversation(&["user: one", "assistant:Hello there friend", "user: two"]));
    list = json!([{"role": "user", "content": "three"}]);
    post(&host, &json!({"prompt": list, "session_id": 7, "interactive_mode": true}));
    assert_eq!(given(&host).matches("user:").count(), 3);
}

#[test]
fn too_long_is_an_answer_and_no_error() {
    let host = ScriptedHost::new();
    turn(&host, "one");
    let long = "word ".repeat(5000);
    for stream in [false, true] {
        let answer = post(&host, &json!({"prompt": long, "session_id": 7, "interactive_mode": true, "stream": stream}));
        assert_eq!(answer.status, 200);
        let line = answer.json();
        assert_eq!((&line["text"], &line["tokens"], &line["finish_reason"]), (&"".into(), &0.into(), &"length".into()));
    }
    // The session is as it was.
    turn(&host, "two");
    assert_eq!(given(&host), conversation(&["user: one", "assistant:Hello there friend", "user: two"]));
}

#[test]
fn wanting_more_than_there_is_room_for_is_too_long() {
    let answer = post(&ScriptedHost::new(), &json!({"prompt": "Hi", "request_output_len": 4096})).json();
    assert_eq!((&answer["tokens"], &answer["finish_reason"]), (&0.into(), &"length".into()));
}

#[test]
fn a_client_that_leaves_ends_the_turn_and_leaves_the_session_as_it_was() {
    let host = ScriptedHost::new();
    turn(&host, "one");
    let leaving = host.clone().client_leaves_after(1);
    post(&leaving, &json!({"prompt": "two", "session_id": 7, "interactive_mode": true, "stream": true}));
    assert_eq!(host.running(), 0);
    let host = host.client_leaves_after(u32::MAX);
    turn(&host, "three");
    assert_eq!(given(&host), conversation(&["user: one", "assistant:Hello there friend", "user: three"]));
}

#[test]
fn a_failure_in_the_middle_ends_the_stream_with_its_reason() {
    let host = ScriptedHost::new().fail_after(1, inference::Error::Failed("secret".into()));
    let answer = post(&host, &json!({"prompt": "Hi", "stream": true}));
    let last: Value = serde_json::from_str(answer.text().lines().last().expect("lines")).expect("JSON");
    assert_eq!(last["finish_reason"], "error");
    assert_eq!(post(&host, &json!({"prompt": "Hi"})).status, 500);
    assert!(!answer.text().contains("secret"));
}

#[test]
fn the_defaults_are_those_of_the_original() {
    let host = ScriptedHost::new();
    post(
        &host,
        &json!({"prompt": "Hi", "kwargs": {}, "stop": null, "adapter_name": null, "image_url": null, "request_output_len": null}),
    );
    let options = &host.asked()[0].options;
    assert_eq!((options.temperature, options.top_p, options.top_k), (Some(0.8), Some(0.8), Some(40)));
    assert!(options.tokens_max > Some(4000), "what is left of the context: {:?}", options.tokens_max);
    assert_eq!((options.repetition_penalty, options.ignore_eos, options.skip_special_tokens), (Some(1.0), false, true));
}

#[test]
fn bad_fields_are_refused() {
    let cases = [
        (json!({}), "`prompt` is required"),
        (json!({"prompt": 5}), "`prompt` must be a string or an array, got integer 5"),
        (json!({"prompt": []}), "`prompt` must not be empty"),
        (json!({"prompt": "a", "session_id": "me"}), "`session_id` must be an integer, got a string"),
        (json!({"prompt": "a", "request_output_len": -1}), "The request_output_len `-1` cannot be a negative integer."),
        (json!({"prompt": "a", "image_url": "/etc/passwd"}), "`image_url` argument only works for VL model"),
        (json!({"prompt": "a", "adapter_name": "x"}), "The adapter `x` does not exist."),
        (json!({"prompt": "a", "temperature": -1}), "The temperature `-1.0` must be in [0, 2]"),
        (json!({"prompt": "a", "cancel": "please"}), "`cancel` must be a boolean, got a string"),
    ];
    for (body, message) in cases {
        let answer = post(&ScriptedHost::new(), &body);
        assert_eq!((answer.status, &answer.json()["message"]), (400, &message.into()), "{body}");
    }
}

/// The tokens of the turn before, and of the answer, come first as they were: the server has computed them.
#[test]
fn a_turn_begins_with_the_tokens_of_the_turn_before() {
    let host = ScriptedHost::new();
    let mut before: Vec<u32> = Vec::new();
    for round in 0..5 {
        turn(&host, &format!("question {round}"));
        let Input::Prompt(Prompt::Tokens(ids)) = host.asked().pop().expect("asked").input else { panic!("no tokens") };
        assert!(ids.starts_with(&before), "{round}");
        before = ids;
        before.extend(host.tokenize("scripted", "Hello there friend", false).expect("known words"));
    }
}

#[test]
fn tokens_of_another_model_are_not_used() {
    let host = ScriptedHost::new();
    turn(&host, "one");
    let other = mimus_sdk::models::Model { vocab_tokens: 999, ..mimus_sdk::scripted::model("scripted") };
    let host = host.model(other);
    turn(&host, "two");
    // Rendered anew, so with the template's space before the answer.
    assert_eq!(given(&host), conversation(&["user: one", "assistant: Hello there friend", "user: two"]));
}

/// Sessions that an older version of this plugin has kept hold no tokens.
#[test]
fn a_session_without_tokens_is_rendered_anew() {
    let host = ScriptedHost::new();
    let kept =
        json!({"turns": [{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}], "tokens": 5});
    host.state_put("session/7", kept.to_string().as_bytes(), None).expect("room");
    assert_eq!(turn(&host, "three")["history_tokens"], 5);
    assert_eq!(given(&host), conversation(&["user: one", "assistant: two", "user: three"]));
}

#[test]
fn a_history_that_ends_with_a_question_is_continued() {
    let host = ScriptedHost::new();
    let load = json!({"prompt": "one", "session_id": 7, "request_output_len": 0, "interactive_mode": true});
    post(&host, &load);
    turn(&host, "two");
    assert_eq!(given(&host), conversation(&["user: one", "user: two"]));
}

#[test]
fn a_session_has_its_length() {
    let host = ScriptedHost::new().setting("session_len", 40);
    let mut last = 0;
    let full = (0..20).find_map(|_| {
        let answer = turn(&host, "some more words");
        // The last answer that fits is cut; the one after it is empty.
        if answer["tokens"] != 0 {
            last = answer["history_tokens"].as_u64().expect("a number") + answer["tokens"].as_u64().expect("a number");
            return None;
        }
        Some(answer)
    });
    let full = full.expect("the session fills up");
    assert!(last <= 40, "{last}");
    assert_eq!((&full["text"], &full["finish_reason"]), (&"".into(), &"length".into()));
    let wanted = post(&host, &json!({"prompt": "Hi", "request_output_len": 40})).json();
    assert_eq!(wanted["finish_reason"], "length");
}

#[test]
fn parts_of_a_message_are_joined() {
    let host = ScriptedHost::new();
    let parts = json!([{"type": "text", "text": "Hi"}, {"type": "text", "text": " there"}]);
    post(&host, &json!({"prompt": [{"role": "user", "content": parts}]}));
    assert_eq!(given(&host), conversation(&["user: Hi there"]));
}

/// Fifty sessions, one turn each in turn: none sees a word of another.
#[test]
fn sessions_do_not_mix() {
    let host = ScriptedHost::new();
    for round in 0..4 {
        for id in 0..50 {
            let prompt = format!("canary{id} round{round}");
            let answer = post(&host, &json!({"prompt": prompt, "session_id": id, "interactive_mode": true}));
            assert_eq!(answer.status, 200, "{}", answer.text());
            let seen = given(&host);
            assert_eq!(seen.matches(&format!("canary{id} ")).count(), round + 1, "{seen}");
            assert_eq!(seen.matches("canary").count(), round + 1, "{seen}");
        }
    }
}

#[test]
fn the_older_names_have_aliases() {
    let host = ScriptedHost::new();
    let body = json!({"prompt": "Hi"}).to_string();
    let answer = host.call(&Lmdeploy, "POST", "/v1/chat/interactive_qos", &[], body.as_bytes());
    assert_eq!(answer.json()["text"], "Hello there friend");
}
