//! The dialect against a scripted host: the help that all tests share, and the tests of what has no room of its own.

mod document;
mod errors;
mod infer;
mod keys;
mod legacy;
mod server;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mimus_sdk::media::Point;
use mimus_sdk::scripted::{self, Captured, ScriptedHost};
use mimus_sdk::vision::{ClassScore, Description, Findings, Keypoint, Object, RleMask, Task};
use serde_json::{Value, json};

use crate::Roboflow;

/// The file of a picture of 320 by 240 pixels.
pub(crate) const FILE: &[u8] = b"the file of a picture";
/// The file of a picture of 64 by 48 pixels.
pub(crate) const SMALL: &[u8] = b"the file of a small picture";
/// An address of the first picture.
pub(crate) const ADDRESS: &str = "https://pictures.example/a.jpg";

/// A server with a model of each task; all see the same in every picture.
pub(crate) fn host() -> ScriptedHost {
    let multi = vec![score(0, "red", 0.07), score(1, "round", 0.93)];
    let single = vec![score(0, "red", 0.123_456), score(1, "blue", 0.8), score(2, "green", 0.076_544)];
    ScriptedHost::new()
        .picture(FILE, 320, 240)
        .picture(SMALL, 64, 48)
        .address(ADDRESS, FILE)
        .sees("shapes/1", classes(Task::ObjectDetection), Findings::Objects(objects()))
        .sees("shapes-seg/1", classes(Task::InstanceSegmentation), Findings::Objects(vec![outlined(), masked()]))
        .sees("shapes-kpt/1", classes(Task::KeypointDetection), Findings::Objects(vec![pointed()]))
        .sees("shapes-cls/1", classes(Task::Classification), Findings::Classes(single))
        .sees("shapes-tags/1", classes(Task::MultiLabelClassification), Findings::Classes(multi))
        .sees("mimus-clip", scripted::description(Task::ImageText), nothing())
        .sees("mimus-read", scripted::description(Task::TextReading), nothing())
}

pub(crate) fn nothing() -> Findings {
    Findings::Objects(Vec::new())
}

fn classes(task: Task) -> Description {
    Description {
        input_width: Some(640),
        input_height: Some(640),
        classes: vec!["red".into(), "blue".into()],
        colors: vec!["#FF0000".into()],
        ..scripted::description(task)
    }
}

fn score(id: u32, name: &str, confidence: f32) -> ClassScore {
    ClassScore { id, name: name.into(), confidence }
}

fn object(x: f32, class_id: u32, class_name: &str, confidence: f32) -> Object {
    Object {
        x,
        y: 45.0,
        width: 100.0,
        height: 60.5,
        confidence,
        class_id,
        class_name: class_name.into(),
        polygon: Vec::new(),
        rle: None,
        keypoints: Vec::new(),
    }
}

fn objects() -> Vec<Object> {
    vec![object(60.5, 0, "red", 0.941), object(200.0, 1, "blue", 0.5)]
}

fn outlined() -> Object {
    let points = [(10.0, 20.0), (30.5, 20.0), (30.0, 40.0)];
    Object { polygon: points.map(|(x, y)| Point { x, y }).to_vec(), ..object(60.0, 0, "red", 0.9) }
}

fn masked() -> Object {
    let rle = RleMask { height: 240, width: 320, counts: "abc".into() };
    Object { rle: Some(rle), ..object(60.0, 1, "blue", 0.8) }
}

fn pointed() -> Object {
    let point = |id, name: &str| Keypoint { x: 12.0, y: 34.5, confidence: 0.75, id, name: name.into() };
    Object { keypoints: vec![point(0, "nose"), point(1, "tail")], ..object(60.0, 0, "red", 0.9) }
}

/// A picture as requests declare it.
pub(crate) fn image(file: &[u8]) -> Value {
    json!({ "type": "base64", "value": STANDARD.encode(file) })
}

/// GET.
pub(crate) fn get(host: &ScriptedHost, path: &str) -> Captured {
    host.call(&Roboflow, "GET", path, &[], b"")
}

/// POST of JSON.
pub(crate) fn post(host: &ScriptedHost, path: &str, body: &Value) -> Captured {
    host.call(&Roboflow, "POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
}

/// The JSON of an answer with status 200.
#[track_caller]
pub(crate) fn ok(captured: &Captured) -> Value {
    assert_eq!(captured.status, 200, "{}", captured.text());
    captured.json()
}

/// The message of a refusal with that status.
#[track_caller]
pub(crate) fn message(captured: &Captured, status: u16) -> String {
    assert_eq!(captured.status, status, "{}", captured.text());
    captured.json()["message"].as_str().expect("a message").to_owned()
}

/// The place, the kind and the message of a validation error.
#[track_caller]
pub(crate) fn detail(captured: &Captured) -> (Value, String, String) {
    assert_eq!(captured.status, 422, "{}", captured.text());
    let detail = captured.json()["detail"][0].clone();
    let text = |key: &str| detail[key].as_str().expect("a string").to_owned();
    (detail["loc"].clone(), text("type"), text("msg"))
}

/// An answer's text with ids in place of random ones, for comparing it whole.
pub(crate) fn without_ids(text: &str) -> String {
    let is_id = |word: &str| word.len() == 36 && word.bytes().filter(|byte| *byte == b'-').count() == 4;
    text.split('"').map(|word| if is_id(word) { "uuid" } else { word }).collect::<Vec<_>>().join("\"")
}
