//! `/{project}/{version}`: its bodies, its query, its forms of answers.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use mimus_sdk::scripted::{Captured, ScriptedHost};
use mimus_sdk::vision::{MaskForm, MaskMode, Options};
use serde_json::{Value, json};

use super::{FILE, detail, host, message, ok, without_ids};
use crate::Roboflow;

const JSON: (&str, &str) = ("content-type", "application/json");
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");

fn send(host: &ScriptedHost, query: &str) -> Captured {
    host.call(&Roboflow, "POST", &format!("/shapes/1?{query}"), &[JSON], STANDARD.encode(FILE).as_bytes())
}

#[test]
fn bodies_have_several_forms() {
    let text = STANDARD.encode(FILE);
    let url = format!("data:image/jpeg;base64,{text}");
    let part = |name: &str| {
        let head = format!("--b\r\ncontent-disposition: form-data; name=\"{name}\"; filename=\"a\"\r\n\r\n");
        [head.as_bytes(), FILE, b"\r\n--b--\r\n"].concat()
    };
    let multipart = ("content-type", "multipart/form-data; boundary=b");
    type Case = (&'static str, Option<(&'static str, &'static str)>, Vec<u8>);
    let cases: [Case; 7] = [
        ("json", Some(JSON), text.clone().into()),
        ("form", Some(FORM), text.clone().into()),
        ("a type of its own", Some(("content-type", "image/jpeg")), text.clone().into()),
        ("data URL", Some(JSON), url.into()),
        ("white space", Some(JSON), format!("{}\n{}\n", &text[..8], &text[8..]).into()),
        ("multipart", Some(multipart), part("file")),
        ("address", None, b"ignored".to_vec()),
    ];
    for (case, header, body) in cases {
        let path =
            if case == "address" { "/shapes/1?image=https%3A%2F%2Fpictures.example%2Fa.jpg" } else { "/shapes/1" };
        let headers: Vec<(&str, &str)> = header.into_iter().collect();
        let answer = ok(&host().call(&Roboflow, "POST", path, &headers, &body));
        assert_eq!(answer["predictions"][0]["class"], "red", "{case}");
    }
    let wrong = host().call(&Roboflow, "POST", "/shapes/1", &[multipart], &part("image"));
    assert!(message(&wrong, 400).contains("'file'"));
    let broken = host().call(&Roboflow, "POST", "/shapes/1", &[multipart], b"--b\r\n");
    assert!(message(&broken, 400).starts_with("Malformed form"));
    let typeless = host().call(&Roboflow, "POST", "/shapes/1", &[], text.as_bytes());
    assert_eq!(message(&typeless, 400), "Content-Type header not provided with request.");
    for body in [&b"\xff\xfe"[..], b"!!!!"] {
        let text = message(&host().call(&Roboflow, "POST", "/shapes/1", &[JSON], body), 400);
        assert_eq!(text, "Could not load input image. Cause: Malformed base64 input image.");
    }
    let empty = host().call(&Roboflow, "POST", "/shapes/1", &[JSON], b"");
    assert_eq!(message(&empty, 400), "Could not load input image. Cause: Empty image payload.");
    assert_eq!(message(&send(&host(), "image_type=numpy"), 400).find("NumPy"), Some(35));
}

#[test]
fn a_picture_by_its_address_needs_no_body() {
    let answer = ok(&super::get(&host(), "/shapes/1?image=https://pictures.example/a.jpg&confidence=0.2"));
    assert_eq!(answer["image"], json!({ "width": 320, "height": 240 }));
    assert!(message(&super::get(&host(), "/shapes/1?image=https://elsewhere/a"), 400).contains("not allowed"));
}

#[test]
fn the_query_becomes_options() {
    let usual = Options::default();
    let cases = [
        ("", usual.clone()),
        ("confidence=0.5", Options { confidence: 0.5, ..usual.clone() }),
        ("confidence=50", Options { confidence: 0.5, ..usual.clone() }),
        ("confidence=1", Options { confidence: 0.01, ..usual.clone() }),
        ("confidence=0", Options { confidence: 0.01, ..usual.clone() }),
        ("confidence=best", usual.clone()),
        ("confidence=default", usual.clone()),
        ("overlap=0.6", Options { iou: 0.6, ..usual.clone() }),
        ("overlap=60", Options { iou: 0.6, ..usual.clone() }),
        ("max_detections=3", Options { detections_max: 3, ..usual.clone() }),
        ("keypoint_confidence=0.5", Options { keypoint_confidence: 0.5, ..usual.clone() }),
        ("disable_preproc_contrast=True", Options { skip_contrast: true, ..usual.clone() }),
        ("disable_preproc_grayscale=true", Options { skip_grayscale: true, ..usual.clone() }),
        ("disable_preproc_static_crop=1", Options { skip_static_crop: true, ..usual.clone() }),
        ("response_mask_format=rle", Options { mask_form: MaskForm::Rle, ..usual.clone() }),
        // Not of this route.
        ("class_agnostic_nms=True&max_candidates=5&class_filter=red&iou_threshold=0.9", usual.clone()),
        ("api_key=x&countinference=False&service_secret=s&source=s&disable_active_learning=False", usual.clone()),
    ];
    for (query, options) in cases {
        let host = host();
        ok(&send(&host, query));
        assert_eq!(host.looked()[0].options, Some(options), "{query}");
    }
    let host = host();
    ok(&host.call(
        &Roboflow,
        "POST",
        "/shapes-seg/1?mask_decode_mode=tradeoff&tradeoff_factor=0.25&allow_reduced_mask_resolution=true",
        &[JSON],
        STANDARD.encode(FILE).as_bytes(),
    ));
    assert_eq!(host.looked()[0].options.as_ref().map(|options| options.mask_mode), Some(MaskMode::Tradeoff(0.25)));
}

#[test]
fn what_does_not_validate_is_told() {
    for (query, name, kind) in [
        ("confidence=high", "confidence", "float_parsing"),
        ("overlap=x", "overlap", "float_parsing"),
        ("max_detections=1.5", "max_detections", "int_parsing"),
        ("stroke=x", "stroke", "int_parsing"),
        ("labels=maybe", "labels", "bool_parsing"),
        ("response_mask_format=png", "response_mask_format", "literal_error"),
    ] {
        let (place, got, _) = detail(&send(&host(), query));
        assert_eq!((place, got.as_str()), (json!(["query", name]), kind), "{query}");
    }
}

#[test]
fn answers_come_as_json_or_as_a_picture() {
    let plain = send(&host(), "");
    assert_eq!(
        without_ids(plain.text()).split("\"predictions\"").next(),
        Some(r#"{"inference_id":"uuid","time":0.0,"image":{"width":320,"height":240},"#)
    );
    assert_eq!(ok(&send(&host(), "format=other"))["visualization"], Value::Null);
    let host = host();
    let picture = send(&host, "format=image&labels=True&stroke=5");
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/jpeg")));
    assert_eq!(picture.body, b"jpeg 90 of 320x240");
    assert_eq!(host.drawn()[0].len(), 4);
    let both = ok(&send(&host, "format=image_and_json"));
    assert_eq!(both["visualization"], "anBlZyA5MCBvZiAzMjB4MjQw");
    assert_eq!(both["predictions"][1]["class"], "blue");
}

#[test]
fn the_task_decides_the_shape() {
    let cases = [("shapes-cls/1", "top"), ("shapes-tags/1", "predicted_classes")];
    for (id, key) in cases {
        let body = STANDARD.encode(FILE);
        let answer = ok(&host().call(&Roboflow, "POST", &format!("/{id}"), &[FORM], body.as_bytes()));
        assert!(!answer[key].is_null(), "{id}");
    }
    let unknown = host().call(&Roboflow, "POST", "/llm/other", &[FORM], b"");
    assert!(message(&unknown, 404).starts_with("Requested Roboflow resource not found."));
}
