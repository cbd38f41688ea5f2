//! Roboflow's routes: fields, and files that are no pictures or strange ones.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Fate::{Refused, Served};
use super::harness::server::Server;
use super::{Fate, Shape, broken_json, check_bodies, check_memory};

const MODEL: &str = "shapes/1";

/// A white pixel as a PNG file.
const PIXEL: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGP4//8/AAX+Av4N70a4AAAAAElFTkSuQmCC";

/// The head of a PNG file of 100,000 by 100,000 pixels.
const HUGE: &str = "iVBORw0KGgoAAAANSUhEUgABhqAAAYagCAIAAAAnMJyfAAAAEUlEQVR4nGNgGAWjYBQMdwAAA+gAAbOm00Y=";

/// A picture of a form.
fn image(kind: &str, value: Value) -> Value {
    json!({ "type": kind, "value": value })
}

/// Bodies with one field other than sound.
fn rows(base: &Value, rows: Vec<(&str, Value, Fate)>) -> Vec<(String, Vec<u8>, Fate)> {
    let row = |(field, value, fate): (&str, Value, Fate)| {
        let mut body = base.clone();
        let name = format!("{field}: {}", value.to_string().chars().take(60).collect::<String>());
        body[field] = value;
        (name, body.to_string().into_bytes(), fate)
    };
    rows.into_iter().map(row).collect()
}

/// What may not stand where a picture should.
fn bad_pictures(field: &'static str) -> Vec<(&'static str, Value, Fate)> {
    let (bad, unread) = (Refused(&[400]), Refused(&[422]));
    let mut long = image("base64", json!(PIXEL));
    long["value"] = json!("A".repeat(2 << 20));
    vec![
        (field, Value::Null, unread),
        (field, json!(7), unread),
        (field, json!(PIXEL), unread),
        (field, json!({}), unread),
        (field, json!({ "value": PIXEL }), unread),
        (field, image("base64", json!("")), bad),
        (field, image("base64", json!("!!!!")), bad),
        (field, image("base64", json!("AAAA")), bad),
        (field, image("base64", json!(7)), bad),
        (field, image("base64", json!([PIXEL])), bad),
        (field, image("base64", json!(&PIXEL[..40])), bad),
        (field, image("base64", json!(HUGE)), bad),
        (field, long, bad),
        (field, image("numpy", json!("gASVKAAAAAAAAACMBXBvc2l4")), bad),
        (field, image("file", json!("/etc/passwd")), bad),
        (field, image("url", json!("file:///etc/passwd")), bad),
        (field, image("url", json!("http://169.254.169.254/latest/meta-data")), bad),
        (field, image("url", json!("http://127.0.0.1:1/")), bad),
        (field, image("url", json!("not an address")), bad),
    ]
}

#[test]
fn roboflow_refuses_in_its_own_shape() {
    let server = Arc::new(Server::start());
    let sound = json!({ "model_id": MODEL, "image": image("base64", json!(PIXEL)) });
    // The model is read into memory before it is measured.
    check_bodies(
        &server,
        "roboflow",
        Shape::Message,
        "/infer/object_detection",
        rows(&sound, vec![("id", json!("x"), Served)]),
    );
    let before_kib = server.resident_kib();
    let (bad, unread, unknown) = (Refused(&[400]), Refused(&[422]), Refused(&[404]));
    let mut cases = rows(
        &sound,
        vec![
            ("model_id", json!("nobody/1"), unknown),
            ("model_id", json!("../../etc/passwd"), bad),
            ("model_id", json!("a\u{0}/b"), unknown),
            ("model_id", json!("x".repeat(100_000)), bad),
            ("model_id", json!("mimus-chat"), bad),
            ("model_id", Value::Null, bad),
            ("model_id", json!(["shapes/1"]), unread),
            ("confidence", json!("high"), unread),
            ("confidence", json!({}), unread),
            ("confidence", json!(-1e300), Served),
            ("confidence", json!(1e300), Served),
            ("iou_threshold", json!(-5), Served),
            ("max_detections", json!(1e18), unread),
            ("max_detections", json!(-1), Served),
            ("max_candidates", json!(u64::MAX), unread),
            ("class_filter", json!("red"), unread),
            ("class_filter", json!(vec!["x"; 50_000]), Served),
            ("visualization_stroke_width", json!(1_000_000), Served),
            ("visualize_predictions", json!("perhaps"), unread),
            ("id", json!("x".repeat(100_000)), Served),
            ("image", json!(vec![image("base64", json!(PIXEL)); 65]), unread),
            ("image", json!([image("base64", json!(PIXEL)), image("base64", json!("!!"))]), bad),
        ],
    );
    cases.extend(rows(&sound, bad_pictures("image")));
    cases.extend(broken_json());
    check_bodies(&server, "roboflow", Shape::Message, "/infer/object_detection", cases);

    let clip = json!({ "image": image("base64", json!(PIXEL)) });
    check_bodies(&server, "roboflow", Shape::Message, "/clip/embed_image", rows(&clip, bad_pictures("image")));
    let compare = json!({ "subject": image("base64", json!(PIXEL)), "prompt": ["a"] });
    let cases = vec![
        ("subject", json!("a text"), unread),
        ("subject_type", json!("smell"), bad),
        ("prompt", json!(7), unread),
        ("prompt", json!([7]), unread),
        ("prompt", json!({ "a": 7 }), unread),
        ("prompt", json!([image("base64", json!(PIXEL))]), unread),
        ("prompt", json!(["long ".repeat(10_000)]), bad),
    ];
    check_bodies(&server, "roboflow", Shape::Message, "/clip/compare", rows(&compare, cases));
    check_bodies(
        &server,
        "roboflow",
        Shape::Message,
        "/clip/embed_text",
        rows(&json!({}), vec![("text", json!(7), unread)]),
    );
    check_bodies(&server, "roboflow", Shape::Message, "/doctr/ocr", rows(&clip, bad_pictures("image")));
    check_bodies(
        &server,
        "roboflow",
        Shape::Message,
        "/model/add",
        rows(&json!({}), vec![("model_id", json!({}), unread)]),
    );
    check_memory(&server, before_kib);
}

/// The body of the first route is no JSON, although its clients say so.
#[test]
fn roboflows_first_route_takes_any_bytes() {
    let server = Arc::new(Server::start());
    let bad = Refused(&[400]);
    let cases: Vec<(String, Vec<u8>, Fate)> = vec![
        ("a picture".into(), PIXEL.into(), Served),
        ("nothing".into(), Vec::new(), bad),
        ("no base64".into(), b"!!!!".to_vec(), bad),
        ("no UTF-8".into(), vec![0xff, 0xfe, 0x00], bad),
        ("JSON".into(), json!({ "type": "base64", "value": PIXEL }).to_string().into(), bad),
        ("half a picture".into(), PIXEL[..40].into(), bad),
        ("a head alone".into(), HUGE.into(), bad),
        ("a megabyte of nothing".into(), vec![0; 1 << 20], bad),
    ];
    check_bodies(&server, "roboflow", Shape::Message, &format!("/{MODEL}"), cases);
    for query in ["confidence=x", "overlap=", "max_detections=1e400", "stroke=%ff", "labels=2"] {
        let cases = vec![(query.to_owned(), PIXEL.into(), Refused(&[422]))];
        check_bodies(&server, "roboflow", Shape::Message, &format!("/{MODEL}?{query}"), cases);
    }
}
