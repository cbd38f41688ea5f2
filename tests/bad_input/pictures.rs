//! Pictures that are none, that are bombs, that are elsewhere; and the rest of what a picture route can be sent.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Fate::{Either, Refused, Served};
use super::harness::base64;
use super::harness::server::{Server, Setup};
use super::{Fate, Shape, broken_json, check_bodies, check_memory};

const MODEL: &str = "shapes/1";

/// A PNG file of one grey level.
fn png(width: u32, height: u32) -> Vec<u8> {
    let pixels = vec![200; width as usize * height as usize * 3];
    let image = mimus_engine::vision::Image::new(width, height, pixels).expect("as many bytes as pixels");
    mimus_media::encode(&image, mimus_media::Format::Png).expect("it can be written")
}

/// A PNG whose header promises a size, with next to nothing behind it.
fn promised(width: u32, height: u32) -> Vec<u8> {
    let mut file = png(1, 1);
    file[16..20].copy_from_slice(&width.to_be_bytes());
    file[20..24].copy_from_slice(&height.to_be_bytes());
    let crc = crc32(&file[12..29]);
    file[29..33].copy_from_slice(&crc.to_be_bytes());
    file
}

/// The checksum of PNG's chunks.
fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, byte: &u8| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
    };
    !bytes.iter().fold(!0, step)
}

fn picture(value: Value) -> Vec<u8> {
    json!({"model_id": MODEL, "image": value}).to_string().into_bytes()
}

fn of_base64(text: &str) -> Vec<u8> {
    picture(json!({"type": "base64", "value": text}))
}

fn of_file(bytes: &[u8]) -> Vec<u8> {
    of_base64(&base64(bytes))
}

fn of_url(url: &str) -> Vec<u8> {
    picture(json!({"type": "url", "value": url}))
}

fn named(cases: Vec<(&str, Vec<u8>, Fate)>) -> Vec<(String, Vec<u8>, Fate)> {
    cases.into_iter().map(|(name, body, fate)| (name.to_owned(), body, fate)).collect()
}

fn check(server: &Arc<Server>, path: &str, cases: Vec<(String, Vec<u8>, Fate)>) {
    check_bodies(server, "roboflow", Shape::Message, path, cases);
}

#[test]
fn what_is_no_picture_is_refused_by_its_name() {
    let server = Arc::new(Server::start());
    let before_kib = server.resident_kib();
    let bad = Refused(&[400, 422]);
    let good = png(64, 48);
    let gif = |frames: usize| {
        let mut file = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff".to_vec();
        file.extend(b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0".repeat(frames));
        file.push(b';');
        file
    };
    let mut cases = named(vec![
        ("a picture", of_file(&good), Served),
        ("1x1", of_file(&png(1, 1)), Served),
        ("a data URL", of_base64(&format!("data:image/png;base64,{}", base64(&good))), Served),
        ("white space in base64", of_base64(&base64(&good).replace('A', "A\n")), Served),
        ("50,000 frames", of_file(&gif(50_000)), Served),
        ("nothing", of_base64(""), bad),
        ("no base64", of_base64("!!!!"), bad),
        ("half of base64", of_base64(&base64(&good)[..33]), bad),
        ("a data URL with bad base64", of_base64("data:image/png;base64,%%%"), bad),
        ("frames after commas", of_base64(&"data:image/png;base64,".repeat(5_000)), bad),
        ("text", of_file(b"not a picture"), bad),
        ("SVG", of_file(b"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"9\" height=\"9\"/>"), bad),
        ("half of a picture", of_file(&good[..good.len() / 2]), bad),
        ("wrong magic", of_file(&[b"\xff\xd8\xff\xe0".as_slice(), &good[4..]].concat()), bad),
        ("0x0", of_file(&promised(0, 0)), bad),
        ("65,535 x 65,535", of_file(&promised(65_535, 65_535)), bad),
        ("a side of 2^31", of_file(&promised(1 << 31, 1)), bad),
        ("a pickle", of_file(b"\x80\x04\x95\x1a\0\0\0\0\0\0\0\x8c\x05posix\x8c\x06system\x93\x94"), bad),
        (
            "an array file",
            of_file(b"\x93NUMPY\x01\0v\0{'descr': '|u1', 'fortran_order': False, 'shape': (2, 2, 3), }"),
            bad,
        ),
        ("type numpy", picture(json!({"type": "numpy", "value": base64(b"\x80\x04N.")})), bad),
        ("an unknown type", picture(json!({"type": "film", "value": "x"})), bad),
        ("no type", picture(json!({"value": base64(&good)})), bad),
        ("a number for a picture", picture(json!(5)), bad),
        ("a number for its value", picture(json!({"type": "base64", "value": 5})), bad),
        ("no pictures", picture(json!([])), Either),
        ("null", picture(Value::Null), bad),
        ("no picture at all", json!({"model_id": MODEL}).to_string().into_bytes(), bad),
        ("65 pictures", picture(json!(vec![json!({"type": "base64", "value": base64(&png(1, 1))}); 65])), bad),
    ]);
    cases.extend(broken_json());
    check(&server, "/infer/object_detection", cases);
    check_memory(&server, before_kib);
}

#[test]
fn addresses_inside_are_never_asked() {
    let server = Arc::new(Setup::default().config("[media]\nallow = [\"*\"]\n").start());
    let bad = Refused(&[400]);
    let addresses = [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "https://localhost/x.png",
        "http://[::1]/",
        "https://[::ffff:127.0.0.1]/",
        "https://[64:ff9b::7f00:1]/",
        "https://2130706433/",
        "https://0x7f.1/",
        "https://0177.0.0.1/",
        "https://ok.example@127.0.0.1/",
        "https://ok.example\\@127.0.0.1/",
        "https://10.0.0.1/",
        "https://100.64.0.1/",
        "https://0.0.0.0/",
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/",
        "ftp://127.0.0.1/",
        "//127.0.0.1/",
        "127.0.0.1",
        "https://",
        "",
        "data:text/plain,hello",
    ];
    let cases = addresses.iter().map(|url| ((*url).to_owned(), of_url(url), bad));
    check(&server, "/infer/object_detection", cases.collect());
    let own = Arc::new(Server::start());
    let cases = named(vec![("nothing is allowed", of_url("https://images.example/x.jpg"), bad)]);
    check(&own, "/infer/object_detection", cases);
}

#[test]
fn every_field_has_bounds() {
    let server = Server::shared();
    let (bad, unknown) = (Refused(&[400, 422]), Refused(&[404]));
    let good = base64(&png(64, 48));
    let rows = [
        ("model_id", json!("nobody/1"), unknown),
        ("model_id", json!("nobody"), Refused(&[400, 404])),
        ("model_id", json!("../../etc/passwd"), Refused(&[400, 404])),
        ("model_id", json!("x/".repeat(1000)), Refused(&[400, 404])),
        ("model_id", json!(5), bad),
        ("model_id", json!("mimus-chat"), Refused(&[400, 404])),
        ("confidence", json!("high"), bad),
        ("confidence", json!(-1), Either),
        ("confidence", json!(1e300), Either),
        ("iou_threshold", json!([0.5]), bad),
        ("iou_threshold", json!(-5), Either),
        ("max_detections", json!(-1), Either),
        ("max_detections", json!(0), Served),
        ("max_detections", json!(1_u64 << 40), Either),
        ("max_candidates", json!(0), Either),
        ("class_filter", json!("circle"), Either),
        ("class_filter", json!(["no such class"]), Served),
        ("class_filter", json!(vec!["x"; 100_000]), Either),
        ("visualization_stroke_width", json!(-3), Either),
        ("visualization_stroke_width", json!(1_000_000), Either),
        ("visualize_predictions", json!("perhaps"), bad),
        ("id", json!("i".repeat(100_000)), Either),
    ];
    let with = |field: &str, value: Value| {
        let mut body = json!({"model_id": MODEL, "image": {"type": "base64", "value": good}});
        body[field] = value;
        body.to_string().into_bytes()
    };
    let case = |(field, value, fate): (&str, Value, Fate)| {
        (format!("{field}: {}", value.to_string().chars().take(60).collect::<String>()), with(field, value), fate)
    };
    check(&server, "/infer/object_detection", rows.into_iter().map(case).collect());
    let mask = |field: &str, value: Value, fate: Fate| {
        let mut body = json!({"model_id": "shapes-seg/1", "image": {"type": "base64", "value": good}});
        body[field] = value;
        (field.to_owned(), body.to_string().into_bytes(), fate)
    };
    let cases = vec![
        mask("mask_decode_mode", json!("perhaps"), Refused(&[400])),
        mask("tradeoff_factor", json!(2), Either),
        mask("response_mask_format", json!("png"), bad),
    ];
    check(&server, "/infer/instance_segmentation", cases);
}

#[test]
fn vectors_texts_and_gazes_too() {
    let server = Server::shared();
    let bad = Refused(&[400, 422]);
    let broken = json!({"type": "base64", "value": base64(b"not a picture")});
    let good = json!({"type": "base64", "value": base64(&png(64, 48))});
    let bodies = |rows: Vec<(&str, Value, Fate)>| {
        rows.into_iter().map(|(name, body, fate)| (name.to_owned(), body.to_string().into_bytes(), fate)).collect()
    };
    let cases: Vec<_> = bodies(vec![
        ("a broken picture", json!({"image": broken}), bad),
        ("one of two is broken", json!({"image": [good, broken]}), bad),
        ("no picture", json!({}), bad),
        ("an unknown version", json!({"image": good, "clip_version_id": "RN9000"}), Refused(&[404])),
        ("a version that leads out", json!({"image": good, "clip_version_id": "../.."}), Refused(&[400, 404])),
    ]);
    check(&server, "/clip/embed_image", cases);
    let cases: Vec<_> = bodies(vec![
        ("no text", json!({}), bad),
        ("a number", json!({"text": 5}), bad),
        ("texts that are none", json!({"text": [1, 2]}), bad),
        ("a long text", json!({"text": "circle ".repeat(20_000)}), bad),
        ("many texts", json!({"text": vec!["a"; 3_000]}), Either),
    ]);
    check(&server, "/clip/embed_text", cases);
    let cases: Vec<_> = bodies(vec![
        ("no subject", json!({"prompt": "x"}), bad),
        ("a strange type", json!({"subject": "x", "subject_type": "sound", "prompt": "y"}), bad),
        ("a text as a picture", json!({"subject": "x", "subject_type": "image", "prompt": "y"}), bad),
    ]);
    check(&server, "/clip/compare", cases);
    let cases: Vec<_> = bodies(vec![("a broken picture", json!({"image": broken}), bad), ("nothing", json!({}), bad)]);
    check(&server, "/doctr/ocr", cases.clone());
    check(&server, "/gaze/gaze_detection", bodies(vec![("no model for it", json!({"image": good}), Refused(&[404]))]));
}
