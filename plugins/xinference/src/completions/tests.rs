use mimus_sdk::inference::Prompt;
use mimus_sdk::scripted::Input;
use serde_json::{Value, json};

use crate::tests::{detail, host, ok, post};

const PATH: &str = "/v1/completions";

fn complete(mut more: Value) -> Value {
    more["model"] = json!("scripted");
    more["prompt"] = json!("Once upon");
    more
}

#[test]
fn a_whole_answer_has_its_shape() {
    let host = host();
    let answer = ok(&post(&host, PATH, &complete(json!({}))));
    assert_eq!(answer["object"], "text_completion");
    assert_eq!(
        answer["choices"],
        json!([{ "text": "Hello there friend", "index": 0, "logprobs": null, "finish_reason": "stop" }])
    );
    assert_eq!(host.asked()[0].options.tokens_max, Some(1024));
    let answer = ok(&post(&host, PATH, &complete(json!({ "echo": true, "max_tokens": 1 }))));
    assert_eq!(
        (&answer["choices"][0]["text"], &answer["choices"][0]["finish_reason"]),
        (&json!("Once uponHello"), &json!("length"))
    );
}

#[test]
fn a_stream_just_ends() {
    let body = complete(json!({ "stream": true, "echo": true, "stream_options": { "include_usage": true } }));
    let answer = post(&host(), PATH, &body);
    assert!(answer.text().contains("\r\n\r\n") && !answer.text().contains("[DONE]"));
    let chunks: Vec<Value> = answer.events().iter().map(|data| serde_json::from_str(data).expect("JSON")).collect();
    let text: String = chunks.iter().filter_map(|chunk| chunk["choices"][0]["text"].as_str()).collect();
    assert_eq!(text, "Once uponHello there friend");
    let last = chunks.last().expect("chunks");
    assert_eq!((&last["choices"], &last["usage"]["completion_tokens"]), (&json!([]), &json!(3)));
    assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
}

#[test]
fn prompts_come_as_texts_or_tokens() {
    let host = host();
    for (given, expect) in [
        (json!(["a"]), Prompt::Text("a".into())),
        (json!([1, 0]), Prompt::Tokens(vec![1, 0])),
        (json!([[1, 0]]), Prompt::Tokens(vec![1, 0])),
    ] {
        ok(&post(&host, PATH, &json!({ "model": "scripted", "prompt": given })));
        assert_eq!(host.asked().pop().expect("it was asked").input, Input::Prompt(expect), "{given}");
    }
}

#[test]
fn what_cannot_be_answered_says_why() {
    let host = host();
    let cases = [
        (json!({ "model": "scripted" }), 400, "`prompt`"),
        (json!({ "model": "scripted", "prompt": [] }), 400, "`prompt`"),
        (json!({ "model": "scripted", "prompt": ["a", "b"] }), 400, "one prompt"),
        (json!({ "model": "nobody", "prompt": "a" }), 404, "uid: nobody"),
        (json!({ "model": "embedder", "prompt": "a" }), 400, "type embedding"),
        (json!({ "model": "on-its-way", "prompt": "a", "max_tokens": 5 }), 503, "loading"),
    ];
    for (body, status, words) in cases {
        let text = detail(&post(&host, PATH, &body), status);
        assert!(text.contains(words), "{body}: {text}");
    }
}
