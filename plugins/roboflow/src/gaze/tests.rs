use mimus_sdk::media::Point;
use mimus_sdk::scripted::{self, ScriptedHost};
use mimus_sdk::vision::{Face, Task};
use serde_json::json;

use crate::tests::{FILE, SMALL, host, image, message, nothing, ok, post, without_ids};

const PATH: &str = "/gaze/gaze_detection";

fn host_with_faces() -> ScriptedHost {
    let face = Face {
        x: 50.0,
        y: 40.5,
        width: 30.0,
        height: 32.0,
        confidence: 0.9,
        landmarks: [(40.4, 30.6), (-3.0, 500.0)].map(|(x, y)| Point { x, y }).to_vec(),
        yaw: 0.12,
        pitch: -0.3,
    };
    host().sees("gaze/L2CS", scripted::description(Task::GazeDetection), nothing()).faces(vec![face])
}

#[test]
fn one_picture_is_answered_by_a_list() {
    let host = host_with_faces();
    let captured = post(&host, PATH, &json!({ "image": image(FILE), "gaze_version_id": "L2CS" }));
    assert_eq!(
        without_ids(captured.text()),
        r#"[{"predictions":[{"face":{"x":50.0,"y":40.5,"width":30.0,"height":32.0,"confidence":0.9,"class":"face","class_id":0,"detection_id":"uuid","landmarks":[{"x":40,"y":31},{"x":0,"y":239}]},"yaw":0.12,"pitch":-0.3}],"time":0.0,"time_face_det":null,"time_gaze_det":null}]"#
    );
    assert!(host.looked()[0].finds_faces);
    let two = ok(&post(&host, PATH, &json!({ "image": [image(FILE), image(SMALL)], "do_run_face_detection": false })));
    assert_eq!(two.as_array().map(Vec::len), Some(2));
    assert_eq!(two[1]["predictions"][0]["face"]["landmarks"][1], json!({ "x": 0, "y": 47 }));
    assert!(!host.looked()[1].finds_faces);
}

#[test]
fn no_face_is_no_prediction() {
    let host = host_with_faces().faces(Vec::new());
    assert_eq!(ok(&post(&host, PATH, &json!({ "image": image(FILE) })))[0]["predictions"], json!([]));
}

#[test]
fn without_a_model_there_is_advice() {
    let text = message(&post(&host(), PATH, &json!({ "image": image(FILE) })), 404);
    assert!(text.contains("`gaze/L2CS`") && text.contains("L2CSNet_gaze360_resnet50_90bins.onnx"), "{text}");
    assert_eq!(
        post(&host_with_faces(), PATH, &json!({ "image": image(FILE), "gaze_version_id": "other" })).status,
        404
    );
}
