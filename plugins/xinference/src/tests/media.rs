//! Calls for models of kinds that no engine here runs, and for other APIs.

use serde_json::json;

use super::{detail, host, post};
use crate::Xinference;

#[test]
fn a_model_that_cannot_be_there_is_not_found() {
    let host = host();
    for path in [
        "/v1/images/generations",
        "/v1/audio/speech",
        "/v1/video/generations",
        "/v1/worlds/generations",
        "/v1/flexible/infers",
    ] {
        let answer = post(&host, path, &json!({ "model": "sd-turbo", "prompt": "a boat" }));
        assert_eq!(detail(&answer, 404), "Model not found in the model list, uid: sd-turbo", "{path}");
        assert!(detail(&post(&host, path, &json!({ "model": "scripted" })), 400).contains("type LLM"), "{path}");
        assert!(detail(&post(&host, path, &json!({})), 400).contains("`model`"), "{path}");
    }
}

#[test]
fn forms_are_read_for_their_model() {
    let form = |model: &str, file: &str| {
        format!(
            "--b\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\n{model}\r\n--b\r\nContent-Disposition: form-data; \
             name=\"{file}\"; filename=\"x\"\r\n\r\n1234\r\n--b--\r\n"
        )
    };
    let send = |path: &str, body: &str| {
        let kind = ("content-type", "multipart/form-data; boundary=b");
        host().call(&Xinference, "POST", path, &[kind], body.as_bytes())
    };
    let cases = [
        ("/v1/images/variations", "image"),
        ("/v1/images/inpainting", "image"),
        ("/v1/images/edits", "images[]"),
        ("/v1/images/ocr", "image"),
        ("/v1/audio/transcriptions", "file"),
        ("/v1/audio/translations", "file"),
        ("/v1/audio/speech", "prompt_speech"),
        ("/v1/video/generations/image", "image"),
    ];
    for (path, file) in cases {
        assert!(detail(&send(path, &form("none", file)), 404).contains("uid: none"), "{path}");
        assert!(detail(&send(path, &form("embedder", file)), 400).contains("type embedding"), "{path}");
    }
    let without_file = send("/v1/images/variations", &form("none", "other"));
    assert_eq!((without_file.status, &without_file.json()["detail"][0]["loc"]), (422, &json!(["body", "image"])));
    let without_form = send("/v1/images/variations", "nonsense");
    assert_eq!((without_form.status, &without_form.json()["detail"][0]["loc"]), (422, &json!(["body", "model"])));
}

#[test]
fn other_apis_are_told_so() {
    for path in ["/v1/messages", "/v1/messages/count_tokens", "/v1/responses"] {
        assert!(detail(&post(&host(), path, &json!({})), 501).contains("/v1/chat/completions"), "{path}");
    }
}
