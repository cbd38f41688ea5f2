use serde_json::{Value, json};

use crate::tests::{detail, host, ok, post};

const PATH: &str = "/v1/embeddings";

fn embed(input: Value) -> Value {
    json!({ "model": "embedder", "input": input })
}

#[test]
fn an_answer_has_its_shape() {
    let answer = ok(&post(&host(), PATH, &embed(json!("one two"))));
    assert_eq!(
        answer,
        json!({
            "object": "list", "model": "embedder", "model_replica": "embedder-rep0",
            "data": [{ "index": 0, "object": "embedding", "embedding": [3.0, 1.0, 1.0, 1.0] }],
            "usage": { "prompt_tokens": 3, "total_tokens": 3 },
        })
    );
}

#[test]
fn inputs_come_in_every_form() {
    let host = host();
    let cases = [
        (json!("a"), 1),
        (json!(["a", "b"]), 2),
        (json!([1, 2]), 1),
        (json!([[1], [2, 3]]), 2),
        (json!({ "text": "a" }), 1),
        (json!([{ "text": "a" }, "b"]), 2),
        (json!([]), 0),
    ];
    for (input, count) in cases {
        let answer = ok(&post(&host, PATH, &embed(input.clone())));
        assert_eq!(answer["data"].as_array().map(Vec::len), Some(count), "{input}");
    }
}

#[test]
fn vectors_come_as_text_too() {
    let mut body = embed(json!("one"));
    body["encoding_format"] = json!("base64");
    let answer = ok(&post(&host(), PATH, &body));
    assert_eq!(answer["data"][0]["embedding"], "AAAAQAAAgD8AAIA/AACAPw==");
}

#[test]
fn long_inputs_are_cut_and_vectors_shortened() {
    let host = host();
    let long = "word ".repeat(600);
    let with = |key: &str, value: Value| {
        let mut body = embed(json!(long));
        body[key] = value;
        ok(&post(&host, PATH, &body))
    };
    assert_eq!(with("user", json!("u"))["usage"]["total_tokens"], 512);
    assert_eq!(with("truncate_prompt_tokens", json!(5))["usage"]["total_tokens"], 5);
    assert_eq!(with("truncate_prompt_tokens", json!(-1))["usage"]["total_tokens"], 512);
    assert_eq!(with("dimensions", json!(2))["data"][0]["embedding"].as_array().map(Vec::len), Some(2));
}

#[test]
fn a_full_list_is_answered() {
    let texts = vec!["a"; 2048];
    let answer = post(&host(), PATH, &embed(json!(texts)));
    assert_eq!(ok(&answer)["data"].as_array().map(Vec::len), Some(2048));
}

#[test]
fn what_cannot_be_embedded_says_why() {
    let host = host();
    let mut sparse = embed(json!("a"));
    sparse["return_sparse"] = json!(true);
    let mut format = embed(json!("a"));
    format["encoding_format"] = json!("ubyte");
    let mut dimensions = embed(json!("a"));
    dimensions["dimensions"] = json!(9);
    let mut zero = embed(json!("a"));
    zero["truncate_prompt_tokens"] = json!(0);
    let cases = [
        (json!({ "input": "a" }), 400, "`model`"),
        (json!({ "model": "embedder" }), 400, "`input`"),
        (embed(json!({ "image": "x" })), 400, "text alone"),
        (embed(json!(7)), 400, "`input`"),
        (embed(json!([["a"]])), 400, "`input`"),
        (embed(json!({ "text": 7 })), 400, "`input`"),
        (embed(json!(vec!["a"; 2049])), 400, "2048"),
        (sparse, 400, "`return_sparse`"),
        (format, 400, "`encoding_format`"),
        (dimensions, 400, "`dimensions`"),
        (zero, 400, "`truncate_prompt_tokens`"),
        (json!({ "model": "nobody", "input": "a" }), 404, "uid: nobody"),
        (json!({ "model": "nobody", "input": [] }), 404, "uid: nobody"),
        (json!({ "model": "scripted", "input": "a" }), 400, "type LLM"),
    ];
    for (body, status, words) in cases {
        let text = detail(&post(&host, PATH, &body), status);
        assert!(text.contains(words), "{words}: {text}");
    }
}

#[test]
fn ids_become_texts() {
    let host = host();
    post(&host, PATH, &embed(json!("one two")));
    let convert = |input: Value| post(&host, "/v1/convert_ids_to_tokens", &embed(input));
    assert_eq!(ok(&convert(json!([2, 3]))), json!(["one", " two"]));
    assert_eq!(ok(&convert(json!([[2], [3, 2]]))), json!([["one"], [" two", "one"]]));
    assert_eq!(ok(&convert(json!([]))), json!([]));
    detail(&convert(json!("one")), 400);
    detail(&convert(json!([5000])), 400);
}
