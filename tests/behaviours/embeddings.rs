//! `POST /v1/embeddings` of each dialect that has it.

use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::table::*;

/// lmdeploy has this path too, and answers always that it cannot.
const PATHS: [&str; 2] = ["/openai/v1/embeddings", "/fastchat/v1/embeddings"];

/// The first model that embeds.
fn model() -> String {
    let models = Server::shared().get("/_mimus/models").expect(200).json()["models"].clone();
    let embeds =
        |model: &&Value| model["abilities"].as_array().is_some_and(|abilities| abilities.contains(&json!("embed")));
    let model =
        models.as_array().into_iter().flatten().find(embeds).unwrap_or_else(|| panic!("no model embeds: {models}"));
    model["name"].as_str().expect("a name").to_owned()
}

fn ask(path: &str, fields: Value) -> crate::harness::client::Answer {
    let mut body = json!({"model": model()});
    body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
    Server::shared().post(path, &body)
}

fn vectors(body: &Value) -> Vec<Vec<f64>> {
    let numbers = |item: &Value| item["embedding"].as_array().into_iter().flatten().filter_map(Value::as_f64).collect();
    body["data"].as_array().into_iter().flatten().map(numbers).collect()
}

fn dot(left: &[f64], right: &[f64]) -> f64 {
    left.iter().zip(right).map(|(left, right)| left * right).sum()
}

#[test]
fn texts_become_vectors() {
    for path in PATHS {
        let texts =
            ["The chef prepared a delicious meal.", "A cook made tasty food.", "The chef prepared a delicious meal."];
        let body = ask(path, json!({"input": texts, "encoding_format": "float"})).expect(200).json();
        assert_eq!(body["object"], "list", "{path}");
        for (index, item) in body["data"].as_array().expect("vectors").iter().enumerate() {
            assert!(item["object"] == "embedding" && item["index"] == index, "{path}");
        }
        let vectors = vectors(&body);
        assert_eq!(vectors.len(), 3, "{path}");
        for vector in &vectors {
            assert!((dot(vector, vector) - 1.0).abs() < 1e-3, "{path}: the length is {}", dot(vector, vector));
        }
        assert!(dot(&vectors[0], &vectors[2]) > 0.999, "{path}: equal texts");
        assert_eq!(body["usage"]["prompt_tokens"], body["usage"]["total_tokens"], "{path}");
        assert!(body["usage"].get("completion_tokens").is_none_or(|tokens| *tokens == 0), "{path}");
        let one = ask(path, json!({"input": texts[0], "encoding_format": "float"})).expect(200).json();
        assert_eq!(one["data"].as_array().map(Vec::len), Some(1), "{path}");
        // Three texts, two of them equal: what one takes is told apart.
        assert!(used(&body, "prompt_tokens") > 2 * used(&one, "prompt_tokens"), "{path}");
    }
}

#[test]
fn tokens_become_vectors() {
    for path in PATHS {
        for (input, count) in [(json!([5, 6, 7]), 1), (json!([[5, 6, 7], [8, 9]]), 2)] {
            let body = ask(path, json!({"input": input})).expect(200).json();
            assert_eq!(body["data"].as_array().map(Vec::len), Some(count), "{path}");
        }
        assert_eq!(used(&ask(path, json!({"input": [5, 6, 7]})).expect(200).json(), "prompt_tokens"), 3, "{path}");
    }
}

/// Four bytes a number, the lowest first: what the official clients ask for unless told otherwise.
#[test]
fn base64_holds_the_same_numbers() {
    for path in PATHS {
        let float = ask(path, json!({"input": "Hello", "encoding_format": "float"})).expect(200).json();
        let base64 = ask(path, json!({"input": "Hello", "encoding_format": "base64"})).expect(200).json();
        let text = base64["data"][0]["embedding"].as_str().expect("a text").to_owned();
        let numbers = vectors(&float).remove(0);
        assert_eq!(text.trim_end_matches('=').len() * 3 / 4, numbers.len() * 4, "{path}");
        let bytes = decoded(&text);
        for (bytes, number) in bytes.chunks(4).zip(numbers) {
            let sent = f32::from_le_bytes(bytes.try_into().expect("four bytes"));
            assert!((f64::from(sent) - number).abs() < 1e-6, "{path}");
        }
    }
}

fn decoded(text: &str) -> Vec<u8> {
    let value = |byte: u8| match byte {
        b'A'..=b'Z' => byte - b'A',
        b'a'..=b'z' => byte - b'a' + 26,
        b'0'..=b'9' => byte - b'0' + 52,
        b'+' => 62,
        _ => 63,
    };
    let digits: Vec<u8> = text.bytes().filter(|byte| *byte != b'=').map(value).collect();
    let mut bytes = Vec::new();
    for group in digits.chunks(4) {
        let bits = group.iter().fold(0u32, |bits, digit| (bits << 6) | u32::from(*digit)) << (6 * (4 - group.len()));
        bytes.extend_from_slice(&bits.to_be_bytes()[1..group.len()]);
    }
    bytes
}

#[test]
fn vectors_can_be_cut() {
    let body = ask(PATHS[0], json!({"input": "Hello", "dimensions": 8, "encoding_format": "float"})).expect(200).json();
    let vector = vectors(&body).remove(0);
    assert!(vector.len() == 8 && (dot(&vector, &vector) - 1.0).abs() < 1e-3, "{vector:?}");
}

#[test]
fn bad_inputs_are_refused() {
    let fields = [
        json!({}),
        json!({"input": []}),
        json!({"input": [[]]}),
        json!({"input": {"content": "x"}}),
        json!({"input": ["a", 1]}),
        json!({"input": [-1]}),
        json!({"input": [4_000_000_000u32]}),
        json!({"input": "x", "encoding_format": "hex"}),
        json!({"input": "x", "dimensions": 0}),
        json!({"input": "x", "dimensions": 1_000_000}),
        json!({"input": vec!["x"; 2049]}),
        json!({"input": "This is a test ".repeat(20_000)}),
    ];
    for fields in fields {
        let answer = ask(PATHS[0], fields.clone());
        let shown: String = fields.to_string().chars().take(80).collect();
        refused(&answer).unwrap_or_else(|why| panic!("{why}: {} {shown} {}", answer.status, answer.text()));
    }
    let answer = Server::shared().post(PATHS[0], &json!({"model": "nope", "input": "x"}));
    refused_with(&answer, &[404]).expect("an unknown model");
}

/// OpenAI refuses an empty text; others embed it.
#[test]
fn an_empty_text_breaks_nothing() {
    for path in PATHS {
        let answer = ask(path, json!({"input": ""}));
        assert!([200, 400].contains(&answer.status), "{path}: {} {}", answer.status, answer.text());
    }
}

/// A model that only talks has no vectors.
#[test]
fn a_chat_model_does_not_embed() {
    refused(&Server::shared().post(PATHS[0], &json!({"model": MODEL, "input": "x"}))).expect("a refusal");
    let answer = Server::shared().post(PATHS[1], &json!({"model": MODEL, "input": "x"})).expect(400);
    assert_eq!(answer.json()["object"], "error");
}
