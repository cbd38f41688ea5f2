//! `/infer/…`: shapes of answers, and what each field of a request does.

use mimus_sdk::media::{Color, Mark};
use mimus_sdk::scripted::ScriptedHost;
use mimus_sdk::vision::{Findings, MaskForm, MaskMode, Options, PostProcessing};
use serde_json::{Value, json};

use super::{FILE, SMALL, detail, host, image, message, objects, ok, post, without_ids};

/// A request for a model with the first picture.
fn body(model: &str, mut more: Value) -> Value {
    let shared = json!({ "model_id": model, "image": image(FILE), "api_key": "any", "source": "x", "unknown": {} });
    for (key, value) in shared.as_object().expect("an object") {
        more.as_object_mut().expect("an object").entry(key).or_insert_with(|| value.clone());
    }
    more
}

const DETECT: &str = "/infer/object_detection";

/// What the model was asked with these fields.
fn asked(host: &ScriptedHost, model: &str, more: Value) -> Options {
    ok(&post(host, DETECT, &body(model, more)));
    host.looked().pop().and_then(|looked| looked.options).expect("the model was asked")
}

/// Source: answers recorded from 0.9.23 and 1.8.3.
#[test]
fn answers_have_the_shapes_of_the_original() {
    let cases = [
        (
            "shapes/1",
            r#""predictions":[{"x":60.5,"y":45.0,"width":100.0,"height":60.5,"confidence":0.941,"class":"red","class_id":0,"detection_id":"uuid"},{"x":200.0,"y":45.0,"width":100.0,"height":60.5,"confidence":0.5,"class":"blue","class_id":1,"detection_id":"uuid"}]}"#,
        ),
        (
            "shapes-seg/1",
            r#""predictions":[{"x":60.0,"y":45.0,"width":100.0,"height":60.5,"confidence":0.9,"class":"red","class_id":0,"detection_id":"uuid","points":[{"x":10.0,"y":20.0},{"x":30.5,"y":20.0},{"x":30.0,"y":40.0}],"mask_format":"polygon"},{"x":60.0,"y":45.0,"width":100.0,"height":60.5,"confidence":0.8,"class":"blue","class_id":1,"detection_id":"uuid","rle":{"size":[240,320],"counts":"abc"},"mask_format":"rle"}]}"#,
        ),
        (
            "shapes-kpt/1",
            r#""predictions":[{"x":60.0,"y":45.0,"width":100.0,"height":60.5,"confidence":0.9,"class":"red","class_id":0,"detection_id":"uuid","keypoints":[{"x":12.0,"y":34.5,"confidence":0.75,"class_id":0,"class":"nose","class_name":"nose"},{"x":12.0,"y":34.5,"confidence":0.75,"class_id":1,"class":"tail","class_name":"tail"}]}]}"#,
        ),
        (
            "shapes-cls/1",
            r#""predictions":[{"class":"blue","class_id":1,"confidence":0.8},{"class":"red","class_id":0,"confidence":0.1235}],"top":"blue","confidence":0.8}"#,
        ),
        (
            "shapes-tags/1",
            r#""predictions":{"red":{"confidence":0.07,"class_id":0},"round":{"confidence":0.93,"class_id":1}},"predicted_classes":["round"]}"#,
        ),
    ];
    for (model, end) in cases {
        let host = host();
        // The route does not matter: the model's task decides.
        let captured = post(&host, DETECT, &body(model, json!({ "confidence": 0.1, "id": "my-id" })));
        let begin = r#"{"inference_id":"my-id","time":0.0,"image":{"width":320,"height":240},"#;
        assert_eq!(without_ids(captured.text()), format!("{begin}{end}"), "{model}");
    }
}

#[test]
fn every_route_answers_for_every_task() {
    for path in [DETECT, "/infer/instance_segmentation", "/infer/classification", "/infer/keypoints_detection"] {
        let answer = ok(&post(&host(), path, &body("shapes-cls/1", json!({}))));
        assert_eq!(answer["top"], "blue", "{path}");
    }
}

#[test]
fn fields_become_options() {
    let usual = Options::default();
    let cases = [
        (json!({}), usual.clone()),
        (json!({ "confidence": 0.7 }), Options { confidence: 0.7, ..usual.clone() }),
        (json!({ "confidence": "0.7" }), Options { confidence: 0.7, ..usual.clone() }),
        (json!({ "confidence": "best" }), usual.clone()),
        (json!({ "confidence": "default" }), usual.clone()),
        (json!({ "confidence": null }), usual.clone()),
        (json!({ "confidence": 0.0 }), Options { confidence: 0.01, ..usual.clone() }),
        (json!({ "confidence": 60 }), Options { confidence: 1.0, ..usual.clone() }),
        (json!({ "iou_threshold": 0.9 }), Options { iou: 0.9, ..usual.clone() }),
        (json!({ "iou_threshold": 7 }), Options { iou: 1.0, ..usual.clone() }),
        (json!({ "max_detections": 5 }), Options { detections_max: 5, ..usual.clone() }),
        (json!({ "max_detections": 0 }), Options { detections_max: 0, ..usual.clone() }),
        (json!({ "max_detections": -1 }), Options { detections_max: 0, ..usual.clone() }),
        (json!({ "max_candidates": 10 }), Options { candidates_max: 10, ..usual.clone() }),
        (json!({ "class_agnostic_nms": true }), Options { is_class_agnostic: true, ..usual.clone() }),
        (json!({ "class_filter": ["red"] }), Options { classes: vec!["red".into()], ..usual.clone() }),
        (json!({ "class_filter": [] }), usual.clone()),
        (json!({ "keypoint_confidence": 0.5 }), Options { keypoint_confidence: 0.5, ..usual.clone() }),
        (json!({ "disable_preproc_contrast": true }), Options { skip_contrast: true, ..usual.clone() }),
        (json!({ "disable_preproc_grayscale": 1 }), Options { skip_grayscale: true, ..usual.clone() }),
        (json!({ "disable_preproc_static_crop": "True" }), Options { skip_static_crop: true, ..usual.clone() }),
        (json!({ "response_mask_format": "rle" }), Options { mask_form: MaskForm::Rle, ..usual.clone() }),
        (json!({ "fix_batch_size": true, "tradeoff_factor": null, "include_anomaly_map": true }), usual.clone()),
    ];
    for (fields, options) in cases {
        assert_eq!(asked(&host(), "shapes/1", fields.clone()), options, "{fields}");
    }
}

#[test]
fn masks_are_coarse_where_that_is_allowed() {
    let cases = [
        ("modern", json!({ "mask_decode_mode": "fast" }), MaskMode::Accurate, false),
        ("modern", json!({ "mask_decode_mode": "fast", "allow_reduced_mask_resolution": true }), MaskMode::Fast, true),
        ("modern", json!({ "allow_reduced_mask_resolution": true }), MaskMode::Accurate, true),
        (
            "modern",
            json!({ "mask_decode_mode": "tradeoff", "tradeoff_factor": 0.5, "allow_reduced_mask_resolution": true }),
            MaskMode::Tradeoff(0.5),
            true,
        ),
        ("legacy", json!({ "mask_decode_mode": "fast" }), MaskMode::Fast, false),
        ("legacy", json!({ "mask_decode_mode": "tradeoff", "tradeoff_factor": 1 }), MaskMode::Tradeoff(1.0), false),
        ("legacy", json!({ "response_mask_format": "rle" }), MaskMode::Accurate, false),
    ];
    for (setting, fields, mode, is_reduced) in cases {
        let options = asked(&host().setting("post_processing", setting), "shapes-seg/1", fields.clone());
        assert_eq!((options.mask_mode, options.is_mask_reduced), (mode, is_reduced), "{setting} {fields}");
        assert_eq!(options.mask_form, MaskForm::Polygon, "{setting} {fields}");
    }
    for fields in [
        json!({ "mask_decode_mode": "exact" }),
        json!({ "mask_decode_mode": "tradeoff", "tradeoff_factor": 1.5 }),
        json!({ "mask_decode_mode": "tradeoff", "tradeoff_factor": -0.1 }),
    ] {
        let text = message(&post(&host(), DETECT, &body("shapes-seg/1", fields.clone())), 400);
        assert!(text.starts_with("Invalid mask decode argument sent."), "{fields}: {text}");
        // Other tasks have no masks.
        ok(&post(&host(), DETECT, &body("shapes/1", fields)));
    }
}

#[test]
fn a_grid_of_masks_is_told() {
    let host = host().grid(80, 60);
    let answer = ok(&post(&host, DETECT, &body("shapes-seg/1", json!({ "allow_reduced_mask_resolution": true }))));
    assert_eq!(answer["image"], json!({ "width": 80, "height": 60 }));
    assert_eq!(answer["original_image"], json!({ "width": 320, "height": 240 }));
    let metadata =
        json!({ "coordinate_system": "mask_grid", "width": 80, "height": 60, "scale_x": 4.0, "scale_y": 4.0 });
    assert_eq!(answer["mask_metadata"], metadata);
}

#[test]
fn legacy_takes_confidence_literally() {
    let options = asked(&host().setting("post_processing", "legacy"), "shapes/1", json!({ "confidence": 0 }));
    assert_eq!((options.confidence, options.post_processing), (0.0, PostProcessing::Legacy));
    let wrong = host().setting("post_processing", "fast");
    assert_eq!(message(&post(&wrong, DETECT, &body("shapes/1", json!({}))), 500), "Internal error.");
    assert!(wrong.logged().iter().any(|(_, line)| line.contains("post_processing")), "{:?}", wrong.logged());
}

/// 60 is not 60 percent.
#[test]
fn nothing_is_surer_than_sure() {
    let answer = ok(&post(&host(), DETECT, &body("shapes/1", json!({ "confidence": 60 }))));
    assert_eq!(answer["predictions"], json!([]));
    let answer = ok(&post(&host(), DETECT, &body("shapes-cls/1", json!({ "confidence": 60 }))));
    assert_eq!((&answer["predictions"], &answer["top"], &answer["confidence"]), (&json!([]), &json!(""), &json!(0.0)));
    let answer = ok(&post(&host(), DETECT, &body("shapes-tags/1", json!({ "confidence": 0.95 }))));
    assert_eq!(answer["predicted_classes"], json!([]));
}

#[test]
fn keypoints_take_no_best_confidence() {
    let path = "/infer/keypoints_detection";
    let (place, ..) = detail(&post(&host(), path, &body("shapes-kpt/1", json!({ "confidence": "best" }))));
    assert_eq!(place, json!(["body", "confidence"]));
    ok(&post(&host(), path, &body("shapes-kpt/1", json!({ "confidence": "default" }))));
}

#[test]
fn pictures_are_turned_unless_told_otherwise() {
    for (fields, is_oriented) in [(json!({}), true), (json!({ "disable_preproc_auto_orient": true }), false)] {
        let host = host();
        asked(&host, "shapes/1", fields);
        assert_eq!(host.looked()[0].pictures[0].is_oriented, is_oriented);
    }
}

#[test]
fn a_list_is_answered_by_a_list_in_one_look() {
    let host = host();
    let list = json!([image(FILE), image(SMALL), { "type": "url", "value": super::ADDRESS }]);
    let answer = ok(&post(&host, DETECT, &body("shapes/1", json!({ "image": list, "visualize_predictions": true }))));
    let widths: Vec<_> = answer.as_array().expect("a list").iter().map(|one| one["image"]["width"].clone()).collect();
    assert_eq!(widths, [320, 64, 320]);
    assert!(answer[1]["visualization"].is_string());
    assert_eq!(host.looked().len(), 1);
    let one = ok(&post(&host, DETECT, &body("shapes/1", json!({ "image": [image(FILE)] }))));
    assert_eq!(one.as_array().map(Vec::len), Some(1));
    let none = ok(&post(&host, DETECT, &body("shapes/1", json!({ "image": [] }))));
    assert_eq!(none, json!([]));
}

#[test]
fn predictions_are_drawn() {
    let drawn = |model: &str, more: Value| {
        let host = host();
        let mut fields = json!({ "visualize_predictions": true, "confidence": 0.1 });
        fields.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        let answer = ok(&post(&host, DETECT, &body(model, fields)));
        // `jpeg 90 of 320x240`.
        assert_eq!(answer["visualization"], "anBlZyA5MCBvZiAzMjB4MjQw", "{model}");
        host.drawn().remove(0)
    };
    let red = Color { r: 255, g: 0, b: 0 };
    let marks = drawn("shapes/1", json!({}));
    let Mark::Line(line) = &marks[0] else { panic!("{marks:?}") };
    let corners: Vec<(f32, f32)> = line.points.iter().map(|point| (point.x, point.y)).collect();
    assert_eq!(corners, [(10.0, 14.0), (110.0, 14.0), (110.0, 75.0), (10.0, 75.0)]);
    assert_eq!((line.is_closed, line.color, line.stroke), (true, red, 1.0));
    let Mark::Line(line) = &marks[1] else { panic!("{marks:?}") };
    // The second class has no colour of its own: the palette's.
    assert_eq!((marks.len(), line.color), (2, Color { r: 0, g: 0xee, b: 0xc3 }));

    let marks = drawn("shapes/1", json!({ "visualization_labels": true, "visualization_stroke_width": 4 }));
    let Mark::Label(label) = &marks[1] else { panic!("{marks:?}") };
    assert_eq!((label.text.as_str(), label.color, label.anchor.x), ("red 0.94", red, 10.0));
    assert!(matches!(&marks[0], Mark::Line(line) if line.stroke == 4.0));

    let marks = drawn("shapes-seg/1", json!({}));
    assert!(matches!(&marks[0], Mark::Line(line) if line.points.len() == 3 && line.points[1].x == 30.0), "{marks:?}");
    let marks = drawn("shapes-kpt/1", json!({ "visualization_stroke_width": 3 }));
    assert!(matches!(&marks[1], Mark::Dot(dot) if dot.radius == 3.0 && dot.center.x == 12.0), "{marks:?}");
    let marks = drawn("shapes-cls/1", json!({}));
    assert!(matches!(&marks[1], Mark::Label(label) if label.text == "1 - blue 0.80"), "{marks:?}");
    assert_eq!(marks.len(), 2);
    let marks = drawn("shapes-tags/1", json!({ "confidence": 0.05 }));
    assert!(matches!(&marks[2], Mark::Label(label) if label.text == "0 - red 0.07"), "{marks:?}");
}

#[test]
fn aliases_are_resolved() {
    let sees = |host: ScriptedHost, name: &str| {
        host.sees(name, super::classes(mimus_sdk::vision::Task::ObjectDetection), Findings::Objects(objects()))
    };
    for name in ["coco/3", "yolov8n-640"] {
        let host = sees(host(), name);
        for id in ["coco/3", "yolov8n-640"] {
            ok(&post(&host, DETECT, &body(id, json!({}))));
        }
        assert!(host.looked().iter().all(|looked| looked.model == name), "{name}");
        let models = ok(&super::get(&host, "/model/registry"));
        assert_eq!(models["models"][0]["model_id"], "coco/3", "{name}");
    }
}
