use mimus_sdk::scripted::{self, ScriptedHost};
use mimus_sdk::vision::Task;
use serde_json::{Value, json};

use crate::tests::{FILE, SMALL, detail, host, image, message, nothing, ok, post};

fn embed(host: &ScriptedHost, more: &[(&str, Value)]) -> scripted::Captured {
    let mut body = json!({ "text": "a red boat" });
    for (key, value) in more {
        body[*key] = value.clone();
    }
    post(host, "/clip/embed_text", &body)
}

#[test]
fn vectors_come_with_keys_that_have_no_value() {
    let host = host();
    let one = post(&host, "/clip/embed_image", &json!({ "image": image(FILE), "api_key": null }));
    assert_eq!(one.text(), r#"{"inference_id":null,"frame_id":null,"time":0.0,"embeddings":[[320.0,240.0,1.0,1.0]]}"#);
    let two = ok(&post(&host, "/clip/embed_image", &json!({ "image": [image(SMALL), image(FILE)] })));
    assert_eq!(two["embeddings"], json!([[64.0, 48.0, 1.0, 1.0], [320.0, 240.0, 1.0, 1.0]]));
    assert_eq!(ok(&embed(&host, &[]))["embeddings"], json!([[3.0, 1.0, 1.0, 1.0]]));
    let texts = ok(&embed(&host, &[("text", json!(["a", "b c"]))]));
    assert_eq!(texts["embeddings"], json!([[1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 1.0, 1.0]]));
    assert_eq!(ok(&embed(&host, &[("text", json!([]))]))["embeddings"], json!([]));
}

#[test]
fn texts_may_be_many_and_not_too_long() {
    let many = |count: usize| embed(&host(), &[("text", json!(vec!["a"; count]))]);
    assert_eq!(ok(&many(2048))["embeddings"].as_array().map(Vec::len), Some(2048));
    assert_eq!(detail(&many(2049)).0, json!(["body", "text"]));
    let text = message(&embed(&host(), &[("text", json!("a ".repeat(78)))]), 400);
    assert_eq!(text, "The text is too long: 78 tokens, at most 77.");
}

#[test]
fn versions_lead_to_models() {
    let clip = |host: ScriptedHost, name: &str| host.sees(name, scripted::description(Task::ImageText), nothing());
    let used = |host: &ScriptedHost, version: Value| {
        let status = embed(host, &[("clip_version_id", version)]).status;
        let models = ok(&crate::tests::get(host, "/model/registry"));
        (status, models["models"][0]["model_id"].as_str().map(str::to_owned))
    };
    // The version that clients send by themselves, and none, are answered by what there is.
    for version in [json!(null), json!("ViT-B-16")] {
        assert_eq!(used(&host(), version), (200, Some("mimus-clip".into())));
    }
    assert_eq!(used(&clip(host(), "clip/ViT-B-16"), json!("ViT-B-16")), (200, Some("clip/ViT-B-16".into())));
    assert_eq!(used(&clip(host(), "clip/RN50"), json!("RN50")), (200, Some("clip/RN50".into())));
    assert_eq!(used(&host(), json!("mimus-clip")), (200, Some("mimus-clip".into())));
    // One that was asked for by name is not replaced.
    assert_eq!(used(&host(), json!("RN101")), (404, None));
    let set = clip(host(), "other").setting("clip_model", "other");
    assert_eq!(used(&set, json!(null)), (200, Some("other".into())));
    let wrong = host().setting("clip_model", "gone");
    assert_eq!(used(&wrong, json!(null)), (500, None));
}

#[test]
fn without_a_model_there_is_advice() {
    let text = message(&embed(&ScriptedHost::new(), &[]), 404);
    assert!(text.contains("clip/ViT-B-16"), "{text}");
}
