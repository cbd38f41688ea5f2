use mimus_sdk::dialect;
use mimus_sdk::models::{Model, Readiness};
use mimus_sdk::scripted::{self, ScriptedHost};
use serde_json::{Value, json};

use crate::OpenAi;

/// What `usage` holds besides the three counts, where nothing was cached or reasoned.
pub(crate) const USAGE_DETAILS: &str =
    r#""prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}"#;

fn host() -> ScriptedHost {
    let failed = Model { readiness: Readiness::Failed, detail: "no file".into(), ..scripted::model("broken") };
    ScriptedHost::new().model(scripted::model("org/m")).model(failed)
}

fn check(method: &str, path: &str, body: &str, status: u16, expect: Value) {
    let captured = host().call(&OpenAi, method, path, &[], body.as_bytes());
    assert_eq!((captured.status, captured.json()), (status, expect), "{method} {path}");
}

fn card(id: &str) -> Value {
    json!({"id":id,"object":"model","created":1_700_000_000,"owned_by":"mimus","max_model_len":4096})
}

#[test]
fn the_manifest_is_sound() {
    assert_eq!(dialect::self_test(&OpenAi), Ok(()));
    let manifest = dialect::describe(&OpenAi);
    assert_eq!((manifest.name.as_str(), manifest.conventional_port), ("openai", Some(8000)));
    let openapi: Value = serde_json::from_str(&manifest.openapi).expect("JSON");
    for path in openapi["paths"].as_object().expect("paths").keys() {
        let is_routed = manifest.routes.iter().any(|route| route.path.replace("...}", "}") == *path);
        assert!(is_routed, "{path} is described and not routed");
    }
}

#[test]
fn models() {
    check("GET", "/v1/models", "", 200, json!({"object":"list","data":[card("org/m"),card("scripted")]}));
    check("GET", "/models", "", 200, json!({"object":"list","data":[card("org/m"),card("scripted")]}));
    check("GET", "/v1/models/scripted", "", 200, card("scripted"));
    check("GET", "/v1/models/org%2Fm", "", 200, card("org/m"));
    check("GET", "/v1/models/org/m", "", 200, card("org/m"));
    let message = "The model `nope` does not exist.";
    let error = json!({"message":message,"type":"invalid_request_error","param":"model","code":"model_not_found"});
    check("GET", "/v1/models/nope", "", 404, json!({"error":error}));
}

#[test]
fn refusals_of_the_host() {
    let refusal =
        |message: &str| json!({"error":{"message":message,"type":"invalid_request_error","param":null,"code":null}});
    check("GET", "/v1/nothing", "", 404, refusal("GET /v1/nothing"));
    check("POST", "/v1/models", "", 405, refusal("POST /v1/models"));
}

#[test]
fn helpers_of_local_servers() {
    check("GET", "/health", "", 200, json!({"status":"ok"}));
    check("GET", "/version", "", 200, json!({"version":"0.0.0-scripted"}));
}

#[test]
fn tokens() {
    let tokens = |count: usize, tokens: Value| json!({"count":count,"max_model_len":4096,"tokens":tokens});
    check("POST", "/tokenize", r#"{"model":"scripted","prompt":"a b"}"#, 200, tokens(3, json!([0, 2, 3])));
    check("POST", "/tokenize", r#"{"prompt":"a b","add_special_tokens":false}"#, 200, tokens(2, json!([2, 3])));
    let conversation = r#"{"model":"scripted","messages":[{"role":"user","content":"a"}]}"#;
    check("POST", "/tokenize", conversation, 200, tokens(2, json!([2, 3])));
    check("POST", "/detokenize", r#"{"model":"scripted","tokens":[0,1]}"#, 200, json!({"prompt":"<s></s>"}));

    let wrong = |param: &str, code: &str, message: &str| json!({"error":{"message":message,"type":"invalid_request_error","param":param,"code":code}});
    let message = "`prompt` is required";
    check("POST", "/tokenize", "{}", 400, wrong("prompt", "missing_required_parameter", message));
    let message = "`tokens` must be token ids below 1000";
    check("POST", "/detokenize", r#"{"tokens":[1000]}"#, 400, wrong("tokens", "invalid_value", message));
    let message = "`tokens[1]` must be an integer of 0 or more, got integer -1";
    check("POST", "/detokenize", r#"{"tokens":[1,-1]}"#, 400, wrong("tokens[1]", "invalid_value", message));
}
