use mimus_sdk::embeddings::INPUTS_MAX;
use mimus_sdk::inference::Error;
use mimus_sdk::scripted::{self, Captured, ScriptedHost};
use serde_json::{Value, json};

use crate::OpenAi;

fn host() -> ScriptedHost {
    ScriptedHost::new().model(scripted::embedding_model("e"))
}

fn post(body: &str) -> Captured {
    host().call(&OpenAi, "POST", "/v1/embeddings", &[], body.as_bytes())
}

#[test]
fn answers() {
    let expect = |vectors: Value, tokens: u32| {
        let data = vectors.as_array().expect("vectors").iter().enumerate();
        let data: Vec<Value> =
            data.map(|(index, vector)| json!({"object":"embedding","index":index,"embedding":vector})).collect();
        json!({"object":"list","data":data,"model":"e","usage":{"prompt_tokens":tokens,"total_tokens":tokens}})
    };
    let cases = [
        (r#""input":"a b""#, expect(json!([[3.0, 1.0, 1.0, 1.0]]), 3)),
        (r#""input":["a","b c d"]"#, expect(json!([[2.0, 1.0, 1.0, 1.0], [4.0, 1.0, 1.0, 1.0]]), 6)),
        (r#""input":[5,6,7]"#, expect(json!([[3.0, 1.0, 1.0, 1.0]]), 3)),
        (r#""input":[[5],[6,7]]"#, expect(json!([[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 1.0]]), 3)),
        (r#""input":"a","dimensions":2,"user":"u","encoding_format":"float""#, expect(json!([[2.0, 1.0]]), 2)),
        (r#""input":"a","encoding_format":null,"dimensions":null"#, expect(json!([[2.0, 1.0, 1.0, 1.0]]), 2)),
        (r#""input":"a","encoding_format":"base64","dimensions":2"#, expect(json!(["AAAAQAAAgD8="]), 2)),
        (r#""input":"a b c","truncate_prompt_tokens":2"#, expect(json!([[2.0, 1.0, 1.0, 1.0]]), 2)),
    ];
    for (fields, expect) in cases {
        let captured = post(&format!(r#"{{"model":"e",{fields}}}"#));
        assert_eq!((captured.status, captured.json()), (200, expect), "{fields}");
    }
}

#[test]
fn older_paths() {
    for (path, body) in [
        ("/v1/engines/e/embeddings", r#"{"input":"a"}"#),
        ("/v1/embeddings", r#"{"engine":"e","input":"a"}"#),
        ("/embeddings", r#"{"model":"e","input":"a"}"#),
    ] {
        let captured = host().call(&OpenAi, "POST", path, &[], body.as_bytes());
        assert_eq!(captured.json()["data"][0]["index"], 0, "{path}: {}", captured.text());
    }
}

#[test]
fn as_many_inputs_as_the_bound() {
    let inputs = vec!["a"; INPUTS_MAX];
    let captured = post(&json!({"model":"e","input":inputs,"encoding_format":"base64"}).to_string());
    assert_eq!(captured.json()["data"].as_array().map(Vec::len), Some(INPUTS_MAX));
}

#[test]
fn wrong_requests() {
    let many = json!(vec!["a"; INPUTS_MAX + 1]);
    let long = "a ".repeat(600);
    let cases = [
        (r#"{"input":"a"}"#.into(), 400, "model", "missing_required_parameter"),
        (r#"{"model":"e"}"#.into(), 400, "input", "missing_required_parameter"),
        (r#"{"model":"e","input":[]}"#.into(), 400, "input", "invalid_value"),
        (r#"{"model":"e","input":[[]]}"#.into(), 400, "input", "invalid_value"),
        (r#"{"model":"e","input":""}"#.into(), 400, "input", "invalid_value"),
        (r#"{"model":"e","input":["a",""]}"#.into(), 400, "input", "invalid_value"),
        (r#"{"model":"e","input":null}"#.into(), 400, "input", "invalid_type"),
        (r#"{"model":"e","input":{"a":1}}"#.into(), 400, "input", "invalid_type"),
        (r#"{"model":"e","input":["a",1]}"#.into(), 400, "input", "invalid_value"),
        (format!(r#"{{"model":"e","input":{many}}}"#), 400, "input", "invalid_value"),
        (format!(r#"{{"model":"e","input":"{long}"}}"#), 400, "input", "context_length_exceeded"),
        (r#"{"model":"e","input":"a","encoding_format":"hex"}"#.into(), 400, "encoding_format", "invalid_value"),
        (r#"{"model":"e","input":"a","dimensions":0}"#.into(), 400, "dimensions", "invalid_value"),
        (r#"{"model":"e","input":"a","dimensions":5}"#.into(), 400, "dimensions", "invalid_value"),
        (r#"{"model":"e","input":"a","dimensions":"2"}"#.into(), 400, "dimensions", "invalid_type"),
        (
            r#"{"model":"e","input":"a","truncate_prompt_tokens":0}"#.into(),
            400,
            "truncate_prompt_tokens",
            "invalid_value",
        ),
        (r#"{"model":"scripted","input":"a"}"#.into(), 400, "model", "unsupported_value"),
        (r#"{"model":"nope","input":"a"}"#.into(), 404, "model", "model_not_found"),
    ];
    for (body, status, param, code) in cases {
        let captured = post(&body);
        let error = &captured.json()["error"];
        let body = &body[..body.len().min(80)];
        assert_eq!((captured.status, error["param"].as_str()), (status, Some(param)), "{body}: {error}");
        assert_eq!(error["code"], code, "{body}");
    }
}

#[test]
fn a_busy_server_says_so() {
    let host = host().refuse(Error::Overloaded(10));
    let captured = host.call(&OpenAi, "POST", "/v1/embeddings", &[], br#"{"model":"e","input":"a"}"#);
    assert_eq!((captured.status, captured.header("retry-after")), (429, Some("1")));
}
