//! `POST /tokenize`, `POST /detokenize`, models, health and version.

use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::table::*;

fn tokens(body: &Value) -> Vec<u64> {
    body["tokens"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect()
}

#[test]
fn texts_become_tokens_and_texts_again() {
    let server = Server::shared();
    for text in ["What is the capital of France?", "unicode 媽 and emoji 🤗", "", "  two  spaces ", "\n\ttabs\r\n"] {
        let body = json!({"model": MODEL, "prompt": text, "add_special_tokens": false});
        let answer = server.post("/openai/tokenize", &body).expect(200).json();
        assert_eq!(answer["count"], tokens(&answer).len(), "{text:?}");
        assert!(answer["max_model_len"].as_u64().is_some_and(|length| length > 0), "{answer}");
        let back = server.post("/openai/detokenize", &json!({"model": MODEL, "tokens": tokens(&answer)}));
        assert_eq!(back.expect(200).json(), json!({"prompt": text}));
    }
}

#[test]
fn conversations_become_tokens_as_the_model_sees_them() {
    let server = Server::shared();
    let conversation = json!([{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Sure,"}]);
    let count = |fields: Value| {
        let mut body = json!({"model": MODEL, "messages": conversation});
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        server.post("/openai/tokenize", &body).expect(200).json()["count"].as_u64().expect("a count")
    };
    let ended = count(json!({"add_generation_prompt": false}));
    let begun = count(json!({"add_generation_prompt": true}));
    let open = count(json!({"add_generation_prompt": false, "continue_final_message": true}));
    assert!(open < ended && ended < begun, "{open} {ended} {begun}");
    let answer =
        server.post("/openai/v1/chat/completions", &json!({"model": MODEL, "messages": conversation, "max_tokens": 1}));
    assert_eq!(used(&answer.expect(200).json(), "prompt_tokens"), begun);
}

#[test]
fn bad_tokens_are_refused() {
    check("/openai/tokenize", vec![row("nothing to tokenize", json!({"model": MODEL}), refused)]);
    let both = json!({"model": MODEL, "prompt": "a", "messages": []});
    check("/openai/tokenize", vec![row("two things to tokenize", both, refused)]);
    let unknown = json!({"model": "nope", "prompt": "a"});
    check("/openai/tokenize", vec![row("an unknown model", unknown, |answer| refused_with(answer, &[404]).map(drop))]);
    let bodies = [json!({}), json!({"tokens": "a"}), json!({"tokens": [-1]}), json!({"tokens": [4_000_000_000u32]})];
    check("/openai/detokenize", bodies.into_iter().map(|body| row("bad tokens", body, refused)).collect());
}

#[test]
fn models_describe_themselves() {
    let server = Server::shared();
    let list = server.get("/openai/v1/models").expect(200).json();
    assert_eq!(list["object"], "list");
    for card in list["data"].as_array().expect("cards") {
        assert!(card["id"].is_string() && card["object"] == "model" && card["owned_by"].is_string(), "{card}");
        assert!(card["created"].as_u64().is_some_and(|created| created > 0), "{card}");
        let id = card["id"].as_str().expect("an id");
        assert_eq!(&server.get(&format!("/openai/v1/models/{id}")).expect(200).json(), card);
    }
    let answer = server.get("/openai/v1/models/nope");
    assert_eq!(refused_with(&answer, &[404]).expect("a refusal")["code"], "model_not_found");
}

#[test]
fn the_server_says_that_it_is_there() {
    let server = Server::shared();
    server.get("/openai/health").expect(200);
    server.get("/lmdeploy/health").expect(200);
    let version = server.get("/openai/version").expect(200).json();
    assert!(version["version"].as_str().is_some_and(|version| version.starts_with(char::is_numeric)), "{version}");
}
