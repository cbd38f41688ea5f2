use mimus_sdk::scripted::ScriptedHost;
use mimus_sdk::vision::{TextBlock, TextLine, Word};
use serde_json::{Value, json};

use crate::tests::{FILE, host, image, message, ok, post, without_ids};

fn word(text: &str, x: f32, y: f32) -> Word {
    Word { text: text.into(), confidence: 0.9, x, y, width: 10.0, height: 4.0 }
}

fn host_with_text() -> ScriptedHost {
    let line = |words| TextLine { words };
    host().text(vec![
        TextBlock {
            lines: vec![
                line(vec![word("red", 10.0, 10.0), word("boat", 30.0, 10.0)]),
                line(vec![word("sails", 10.0, 20.0)]),
            ],
        },
        TextBlock { lines: vec![line(vec![word("home", 10.0, 60.0)])] },
    ])
}

fn read(host: &ScriptedHost, path: &str, more: &[(&str, Value)]) -> Value {
    let mut body = json!({ "image": image(FILE), "id": "my-id", "quantize": false, "language_codes": ["en"] });
    for (key, value) in more {
        body[*key] = value.clone();
    }
    ok(&post(host, path, &body))
}

#[test]
fn all_readers_answer_the_same() {
    for path in ["/doctr/ocr", "/ocr/trocr", "/easy_ocr/ocr", "/ocr/pp-ocr"] {
        let captured = post(&host_with_text(), path, &json!({ "image": image(FILE) }));
        let expect = r#"{"inference_id":"uuid","time":0.0,"result":"red boat\nsails\n\nhome","parent_id":null}"#;
        assert_eq!(without_ids(captured.text()), expect, "{path}");
    }
    let legacy = host_with_text().setting("post_processing", "legacy");
    assert_eq!(read(&legacy, "/doctr/ocr", &[])["result"], "red boat sails home");
}

#[test]
fn boxes_are_given_when_asked_for() {
    let answer = read(&host_with_text(), "/doctr/ocr", &[("generate_bounding_boxes", json!(true))]);
    assert_eq!(answer["image"], json!({ "width": 320, "height": 240 }));
    let boxes = answer["predictions"].as_array().expect("boxes");
    let classes: Vec<_> = boxes.iter().map(|one| one["class"].as_str().expect("a class")).collect();
    assert_eq!(classes, ["block", "line", "word", "word", "line", "word", "block", "line", "word"]);
    let place = |index: usize| ["x", "y", "width", "height"].map(|key| boxes[index][key].as_f64().expect("a number"));
    assert_eq!(place(0), [20.0, 15.0, 30.0, 14.0]);
    assert_eq!(place(1), [20.0, 10.0, 30.0, 4.0]);
    assert_eq!(place(3), [30.0, 10.0, 10.0, 4.0]);
    assert_eq!((&boxes[2]["class_id"], &boxes[2]["confidence"]), (&json!(2), &json!(1.0)));
}

#[test]
fn lists_and_ids_are_kept() {
    let answer = read(&host_with_text(), "/doctr/ocr", &[("image", json!([image(FILE), image(FILE)]))]);
    assert_eq!(answer.as_array().map(Vec::len), Some(2));
    assert_eq!(answer[1]["inference_id"], "my-id");
}

#[test]
fn versions_lead_to_models() {
    let usual = [
        ("/doctr/ocr", "doctr_version_id", "default"),
        ("/ocr/trocr", "trocr_version_id", "trocr-base-printed"),
        ("/easy_ocr/ocr", "easy_ocr_version_id", "english_g2"),
        ("/ocr/pp-ocr", "pp_ocr_version_id", "small-small"),
    ];
    for (path, field, version) in usual {
        read(&host(), path, &[(field, json!(version))]);
        let mut other = json!({ "image": image(FILE) });
        other[field] = json!("other");
        assert_eq!(post(&host(), path, &other).status, 404, "{path}");
    }
    let text = message(&post(&ScriptedHost::new(), "/doctr/ocr", &json!({ "image": image(FILE) })), 404);
    assert!(text.starts_with("No model that reads text is loaded."), "{text}");
}
