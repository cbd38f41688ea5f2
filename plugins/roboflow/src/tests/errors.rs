//! How requests are refused.

use mimus_sdk::inference::Error;
use mimus_sdk::models::{Model, Readiness};
use mimus_sdk::scripted::{self, ScriptedHost};
use serde_json::{Value, json};

use super::{FILE, detail, host, image, message, post};

const DETECT: &str = "/infer/object_detection";

fn ask(host: &ScriptedHost, body: &Value) -> scripted::Captured {
    post(host, DETECT, body)
}

#[test]
fn models_that_are_not_there_are_told_at_once() {
    let cases = [
        (json!("unknown/1"), 404, "Requested Roboflow resource not found."),
        (json!("unknown"), 400, "Invalid Model ID sent in request."),
        (json!("a/b/c"), 400, "Invalid Model ID sent in request."),
        (json!(""), 400, "Invalid Model ID sent in request."),
        (json!(null), 400, "Invalid Model ID sent in request."),
        (json!("scripted"), 400, "Model scripted does not look at pictures."),
        (json!("mimus-clip"), 400, "Model mimus-clip does not predict objects or classes."),
        (json!("yolov8n-640"), 400, "Invalid Model ID sent in request."),
        (json!("coco/3"), 404, "Requested Roboflow resource not found."),
    ];
    for (id, status, start) in cases {
        let text = message(&ask(&host(), &json!({ "model_id": id, "image": image(FILE) })), status);
        assert!(text.starts_with(start), "{id}: {text}");
    }
}

#[test]
fn models_that_do_not_answer_say_why() {
    let with =
        |readiness, detail: &str| host().model(Model { readiness, detail: detail.into(), ..scripted::model("late/1") });
    let body = json!({ "model_id": "late/1", "image": image(FILE) });
    let captured = ask(&with(Readiness::Loading, ""), &body);
    assert_eq!((captured.status, captured.header("retry-after")), (503, Some("5")));
    // Trying again would not help.
    let captured = ask(&with(Readiness::Failed, "no weights"), &body);
    assert_eq!(message(&captured, 500), "Model package is broken.");
    assert_eq!(captured.json()["inner_error_message"], "no weights");
    let captured =
        ask(&host().refuse(Error::Overloaded(2500)), &json!({ "model_id": "shapes/1", "image": image(FILE) }));
    assert_eq!((captured.status, captured.header("retry-after")), (429, Some("3")));
    let captured =
        ask(&host().refuse(Error::Failed("secret".into())), &json!({ "model_id": "shapes/1", "image": image(FILE) }));
    assert_eq!(message(&captured, 500), "Internal error.");
}

#[test]
fn what_does_not_validate_is_told_by_its_place() {
    let good = image(FILE);
    let cases = [
        (json!({ "model_id": "shapes/1" }), json!(["body", "image"]), "missing"),
        (json!({ "model_id": "shapes/1", "image": null }), json!(["body", "image"]), "type_error"),
        (json!({ "model_id": "shapes/1", "image": "aGk=" }), json!(["body", "image"]), "type_error"),
        (json!({ "model_id": "shapes/1", "image": {} }), json!(["body", "image", "type"]), "missing"),
        (json!({ "model_id": "shapes/1", "image": [good, {}] }), json!(["body", "image", 1, "type"]), "missing"),
        (json!({ "model_id": 7, "image": good }), json!(["body", "model_id"]), "type_error"),
        (json!({ "image": good, "confidence": "high" }), json!(["body", "confidence"]), "type_error"),
        (json!({ "image": good, "confidence": true }), json!(["body", "confidence"]), "type_error"),
        (json!({ "image": good, "max_detections": 1.5 }), json!(["body", "max_detections"]), "value_error"),
        (json!({ "image": good, "class_filter": "red" }), json!(["body", "class_filter"]), "type_error"),
        (
            json!({ "image": good, "visualize_predictions": "maybe" }),
            json!(["body", "visualize_predictions"]),
            "type_error",
        ),
        (
            json!({ "image": good, "response_mask_format": "png" }),
            json!(["body", "response_mask_format"]),
            "value_error",
        ),
        (json!([]), json!(["body"]), "type_error"),
    ];
    for (body, place, kind) in cases {
        let (got, got_kind, text) = detail(&ask(&host(), &body));
        assert_eq!((&got, got_kind.as_str()), (&place, kind), "{body}: {text}");
    }
    for text in ["", "{", "not json"] {
        let captured = host().call(&crate::Roboflow, "POST", DETECT, &[], text.as_bytes());
        assert_eq!(detail(&captured).0, json!(["body"]), "{text}");
    }
}

#[test]
fn pickled_pictures_are_refused() {
    let body = json!({ "model_id": "shapes/1", "image": { "type": "numpy", "value": "gASVKAAAAAAAAACMBXBvc2l4" } });
    let text = message(&ask(&host(), &body), 400);
    assert!(text.starts_with("Could not load input image. Cause: NumPy image type is not supported"), "{text}");
}

#[test]
fn one_broken_picture_of_a_list_is_named() {
    let body = json!({ "model_id": "shapes/1", "image": [image(FILE), { "type": "base64", "value": "////" }] });
    let text = message(&ask(&host(), &body), 400);
    assert_eq!(text, "Could not load input image. Cause: Malformed base64 input image. (image 1 of the list)");
}

#[test]
fn what_the_server_does_not_do_is_told_with_what_it_does() {
    let cases = [
        ("/yolo_world/infer", "/infer/object_detection"),
        ("/grounding_dino/infer", "/clip/compare"),
        ("/sam2/segment_image", "/infer/instance_segmentation"),
        ("/infer/workflows", "/infer/{task}"),
        ("/infer/workflows/space/flow", "/infer/{task}"),
        ("/space/workflows/flow", "/infer/{task}"),
        ("/inference_pipelines/initialise", "infer_on_stream"),
        ("/inference_pipelines/7/pause", "infer_on_stream"),
        ("/infer/depth-estimation", "/docs"),
        ("/infer/embeddings", "/clip/embed_image"),
    ];
    for (path, instead) in cases {
        let captured = post(&host(), path, &json!({}));
        let text = message(&captured, 501);
        assert!(text.contains(instead), "{path}: {text}");
        assert_eq!(captured.json()["error_type"], "FeatureNotAvailableError");
    }
}

#[test]
fn other_paths_and_methods_are_refused_as_objects() {
    assert!(message(&super::get(&host(), "/nowhere"), 404).contains("/nowhere"));
    assert_eq!(super::get(&host(), "/clip/embed_image/x").status, 404);
    assert_eq!(host().call(&crate::Roboflow, "PUT", DETECT, &[], b"").status, 405);
}
