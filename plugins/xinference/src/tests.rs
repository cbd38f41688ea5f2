//! The dialect against a scripted host: the help that all tests share, and the tests of what has no room of its own.

mod cluster;
mod document;
mod media;
mod running;

use mimus_sdk::models::{Model, Progress, Readiness, Stage};
use mimus_sdk::registry::{Family, HubFiles, Origin, Weights};
use mimus_sdk::scripted::{self, Captured, ScriptedHost};
use serde_json::Value;

use crate::Xinference;

/// A registry with a family of each kind, a model of each kind, and two that do not answer.
pub(crate) fn host() -> ScriptedHost {
    let progress = Progress { stage: Stage::Downloading, fraction: 0.25, done_bytes: 5, total_bytes: 20 };
    let loading = Model {
        readiness: Readiness::Loading,
        progress: Some(progress),
        is_launched: true,
        abilities: Vec::new(),
        ..scripted::model("on-its-way")
    };
    let failed = Model {
        readiness: Readiness::Failed,
        detail: "no such file".into(),
        is_launched: true,
        ..scripted::model("broken")
    };
    ScriptedHost::new()
        .model(scripted::embedding_model("embedder"))
        .model(scripted::rerank_model("reranker"))
        .model(loading)
        .model(failed)
        .family(chat_family())
        .family(scripted::family("embedding", "small-embed", &["embed"]))
        .family(scripted::family("rerank", "Small-rerank", &["rerank"]))
        .family(scripted::family("text", "Base", &["generate"]))
}

/// A family of two sizes and two formats, from the hub.
pub(crate) fn chat_family() -> Family {
    let weights = |size: &str, format: &str, quantizations: &[&str], cached: &[&str]| Weights {
        size: Some(size.into()),
        format: format.into(),
        quantizations: quantizations.iter().map(|name| (*name).into()).collect(),
        origin: Origin::Hub(HubFiles {
            id: format!("people/chatty-{size}-{format}"),
            revision: Some("abc".into()),
            file: (format == "gguf").then(|| "chatty-{quantization}.gguf".into()),
        }),
        cached: cached.iter().map(|name| (*name).into()).collect(),
        refusal: None,
    };
    Family {
        format: Some("chatml".into()),
        weights: vec![
            weights("0.5", "safetensors", &["none"], &["none"]),
            weights("7", "safetensors", &["none"], &[]),
            weights("7", "gguf", &["q4_k_m", "q8_0"], &["q8_0"]),
        ],
        ..scripted::family("text", "chatty", &["chat", "generate", "tools"])
    }
}

/// GET.
pub(crate) fn get(host: &ScriptedHost, path: &str) -> Captured {
    host.call(&Xinference, "GET", path, &[], b"")
}

/// POST of JSON.
pub(crate) fn post(host: &ScriptedHost, path: &str, body: &Value) -> Captured {
    host.call(&Xinference, "POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
}

/// DELETE.
pub(crate) fn delete(host: &ScriptedHost, path: &str) -> Captured {
    host.call(&Xinference, "DELETE", path, &[], b"")
}

/// The text of a refusal with that status.
#[track_caller]
pub(crate) fn detail(captured: &Captured, status: u16) -> String {
    assert_eq!(captured.status, status, "{}", captured.text());
    captured.json()["detail"].as_str().expect("a string").to_owned()
}

/// The JSON of an answer with status 200.
#[track_caller]
pub(crate) fn ok(captured: &Captured) -> Value {
    assert_eq!(captured.status, 200, "{}", captured.text());
    captured.json()
}
