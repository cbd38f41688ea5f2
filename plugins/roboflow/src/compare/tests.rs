use mimus_sdk::scripted::ScriptedHost;
use serde_json::{Value, json};

use crate::tests::{FILE, SMALL, detail, host, image, message, ok, post};

fn compare(host: &ScriptedHost, body: &Value) -> Value {
    ok(&post(host, "/clip/compare", body))["similarity"].clone()
}

/// The cosine of the scripted vectors of a text of so many words and another.
fn texts(one: f64, other: f64) -> f64 {
    (one * other + 3.0) / ((one * one + 3.0) * (other * other + 3.0)).sqrt()
}

#[track_caller]
fn near(got: &Value, expect: f64) {
    let got = got.as_f64().unwrap_or_else(|| panic!("{got} is no number"));
    assert!((got - expect).abs() < 1e-6, "{got}, expected {expect}");
}

#[test]
fn prompts_have_many_forms() {
    let host = host();
    let text = |prompt: Value| json!({ "subject": "a b", "subject_type": "text", "prompt": prompt });
    let one = compare(&host, &text(json!("a")));
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    near(&one[0], texts(2.0, 1.0));
    let two = compare(&host, &text(json!(["a", "c d"])));
    near(&two[0], texts(2.0, 1.0));
    near(&two[1], 1.0);
    let named = compare(&host, &text(json!({ "first": "a", "type": "c d e" })));
    near(&named["first"], texts(2.0, 1.0));
    near(&named["type"], texts(2.0, 3.0));
}

#[test]
fn subject_and_prompts_may_be_pictures() {
    let host = host();
    let same = json!({ "subject": image(FILE), "prompt": [image(SMALL), image(FILE)], "prompt_type": "image" });
    let scores = compare(&host, &same);
    near(&scores[1], 1.0);
    assert!(scores[0].as_f64() < scores[1].as_f64());
    let one = json!({ "subject": image(FILE), "subject_type": "image", "prompt": image(FILE), "prompt_type": "image" });
    assert_eq!(compare(&host, &one).as_array().map(Vec::len), Some(1));
    let named =
        json!({ "subject": "a", "subject_type": "text", "prompt": { "x": image(FILE) }, "prompt_type": "image" });
    assert!(compare(&host, &named)["x"].is_number());
    let usual = json!({ "subject": image(FILE), "prompt": ["a", "b"] });
    assert_eq!(compare(&host, &usual).as_array().map(Vec::len), Some(2));
    // Each picture is looked at once.
    assert_eq!(host.looked().iter().map(|looked| looked.pictures.len()).collect::<Vec<_>>(), [3, 2, 1, 1]);
}

#[test]
fn the_answer_has_its_keys() {
    let answer = post(&host(), "/clip/compare", &json!({ "subject": "a", "subject_type": "text", "prompt": "a" }));
    let begin = r#"{"inference_id":null,"frame_id":null,"time":0.0,"similarity":["#;
    assert!(answer.text().starts_with(begin), "{}", answer.text());
}

#[test]
fn what_does_not_fit_is_told() {
    let host = host();
    let wrong = |body: Value| post(&host, "/clip/compare", &body);
    let text = message(&wrong(json!({ "subject": "a", "subject_type": "sound", "prompt": "a" })), 400);
    assert_eq!(text, "subject_type must be either 'image' or 'text', but got \"sound\" instead.");
    assert_eq!(
        message(&wrong(json!({ "subject": "a", "subject_type": "text", "prompt": "a", "prompt_type": "x" })), 400)
            .find("prompt_type"),
        Some(0)
    );
    assert_eq!(detail(&wrong(json!({ "subject": "a", "prompt": "a" }))).0, json!(["body", "subject"]));
    let picture = json!({ "subject": "a", "subject_type": "text", "prompt": [image(FILE)] });
    assert_eq!(detail(&wrong(picture)).0, json!(["body", "prompt"]));
    assert_eq!(detail(&wrong(json!({ "subject": "a" }))).0, json!(["body", "prompt"]));
    let broken = json!({ "subject": { "type": "base64", "value": "!!" }, "prompt": "a" });
    assert!(message(&wrong(broken), 400).contains("Malformed base64"));
}
