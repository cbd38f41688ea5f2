//! The built-in models of pictures through the server: what their cards promise holds for the held-out pictures that lie beside them,
//! and requests that are computed together answer as each alone.
//!
//! With `MIMUS_TEST_PICTURES=FOLDER` the detections are also drawn into `FOLDER`, with a page that shows all of them.

#[path = "harness/mod.rs"]
mod harness;
#[path = "vision/measures.rs"]
mod measures;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use harness::repository;
use harness::server::Server;
use measures::{Box2, average_precision, outline_overlap};
use serde_json::{Value, json};

/// What the pictures in the repository must give at least, each a little below what was measured: the cards have the figures of more
/// pictures, and say what is unfinished.
const BOXES_MIN: f64 = 0.94;
const MASKS_MIN: f64 = 0.94;
const POINTS_MIN: f64 = 0.9;
const CLASSES_MIN: f64 = 0.93;
const WORDS_MIN: f64 = 0.9;
const CAPTIONS_MIN: f64 = 0.95;

fn models() -> PathBuf {
    repository().join("host/models")
}

fn annotations(folder: &str) -> Value {
    let file = models().join(folder).join("annotations.json");
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_str(&text).expect("JSON")
}

fn rows(value: &Value) -> &Vec<Value> {
    value.as_array().expect("a list")
}

fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("no number: {value}"))
}

/// A picture as clients send it.
fn picture(folder: &str, file: &Value) -> Value {
    let path = models().join(folder).join(file.as_str().expect("a file's name"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    json!({"type": "base64", "value": harness::base64(&bytes)})
}

fn ask(server: &Server, path: &str, body: Value) -> Value {
    server.post(&format!("/roboflow{path}"), &body).expect(200).json()
}

/// Asks about every picture of a held-out set; gives what is right, what was answered, and draws where that is wanted.
fn look(set: &str, route: &str, model: &str, options: Value) -> Vec<(Value, Value)> {
    let server = Server::shared();
    let folder = format!("shapes/1/eval/{set}");
    let drawn = std::env::var_os("MIMUS_TEST_PICTURES").map(PathBuf::from);
    let one = |entry: &Value| {
        let mut body = json!({"model_id": model, "image": picture(&folder, &entry["file"])});
        let wanted = options.as_object().expect("an object").clone();
        body.as_object_mut().expect("an object").extend(wanted);
        if let Some(folder) = &drawn {
            let mut shown = body.clone();
            shown["confidence"] = 0.4.into();
            shown["visualize_predictions"] = true.into();
            shown["visualization_labels"] = true.into();
            shown["visualization_stroke_width"] = 2.into();
            let answer = ask(&server, route, shown);
            let bytes = mimus_media::base64::decode(answer["visualization"].as_str().expect("a picture"));
            let stem = entry["file"].as_str().and_then(|file| file.split('.').next()).expect("a name");
            std::fs::create_dir_all(folder).expect("the folder is writable");
            std::fs::write(folder.join(format!("{set}-{stem}.jpg")), bytes.expect("base64")).expect("it is writable");
        }
        (entry.clone(), ask(&server, route, body))
    };
    let looks = rows(&annotations(&folder)["pictures"]).iter().map(one).collect();
    if let Some(folder) = &drawn {
        write_page(folder);
    }
    looks
}

/// One page of all the pictures that have been drawn so far.
fn write_page(folder: &Path) {
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _turn = ONE_AT_A_TIME.lock();
    let files = std::fs::read_dir(folder).expect("the folder is there").map(|file| file.expect("a file").file_name());
    let names: BTreeSet<String> = files.map(|name| name.to_string_lossy().into_owned()).collect();
    let mut page = "<!doctype html><meta charset=\"utf-8\"><title>What the built-in models find</title>\n\
        <style>body{font:14px sans-serif;display:flex;flex-wrap:wrap;gap:12px}figure{margin:0}img{max-width:300px}</style>\n"
        .to_owned();
    for name in names.iter().filter(|name| name.ends_with(".jpg")) {
        page += &format!("<figure><img src=\"{name}\" alt=\"{name}\"><figcaption>{name}</figcaption></figure>\n");
    }
    std::fs::write(folder.join("index.html"), page).expect("the folder is writable");
}

/// A box of an answer: centre and size.
fn found_box(prediction: &Value) -> Box2 {
    let value = |key: &str| number(&prediction[key]);
    let (x, y, width, height) = (value("x"), value("y"), value("width"), value("height"));
    Box2 { left: x - width / 2.0, top: y - height / 2.0, right: x + width / 2.0, bottom: y + height / 2.0 }
}

/// A box of an annotation: its sides.
fn true_box(item: &Value) -> Box2 {
    let side = |index: usize| number(&item["box"][index]);
    Box2 { left: side(0), top: side(1), right: side(2), bottom: side(3) }
}

/// Mean over the classes of the average precision, of objects that match by `overlap`.
fn precision(looks: &[(Value, Value)], overlap: impl Fn(&Value, &Value) -> f64) -> f64 {
    let mut classes: Vec<&str> = looks.iter().flat_map(|(entry, _)| rows(&entry["items"])).map(class).collect();
    classes.sort_unstable();
    classes.dedup();
    let of_class = |name: &str| {
        let pictures = looks.iter().map(|(entry, answer)| {
            let of = |list: &Value| rows(list).iter().filter(|item| class(item) == name).cloned().collect::<Vec<_>>();
            (of(&entry["items"]), of(&answer["predictions"]))
        });
        average_precision(pictures.collect(), |found| number(&found["confidence"]), &overlap)
    };
    classes.iter().map(|name| of_class(name)).sum::<f64>() / classes.len() as f64
}

fn class(item: &Value) -> &str {
    item["class"].as_str().expect("a class")
}

/// Low enough for the whole curve of precision and recall.
fn everything() -> Value {
    json!({"confidence": 0.05, "iou_threshold": 0.6})
}

#[track_caller]
fn at_least(what: &str, share: f64, least: f64) {
    println!("{what}: {share:.3}");
    assert!(share >= least, "{what}: {share:.3}, at least {least} is promised");
}

#[test]
fn drawn_shapes_are_detected() {
    let looks = look("detection", "/infer/object_detection", "shapes/1", everything());
    let precision = precision(&looks, |item, found| true_box(item).overlap(&found_box(found)));
    at_least("mAP50 of boxes", precision, BOXES_MIN);
}

#[test]
fn drawn_shapes_are_segmented() {
    let looks = look("segmentation", "/infer/instance_segmentation", "shapes-seg/1", everything());
    let precision = precision(&looks, |item, found| {
        let point = |point: &Value| (number(&point[0]), number(&point[1]));
        let outline: Vec<_> = rows(&item["polygon"]).iter().map(point).collect();
        let point = |point: &Value| (number(&point["x"]), number(&point["y"]));
        let found: Vec<_> = rows(&found["points"]).iter().map(point).collect();
        outline_overlap(&outline, &found)
    });
    at_least("mAP50 of masks", precision, MASKS_MIN);
}

#[test]
fn keypoints_are_at_their_places() {
    let looks = look("keypoints", "/infer/keypoints_detection", "shapes-kpt/1", json!({"confidence": 0.3}));
    let (mut right, mut all) = (0, 0);
    for (entry, answer) in &looks {
        for item in rows(&entry["items"]) {
            let truth = true_box(item);
            let best = rows(&answer["predictions"])
                .iter()
                .filter(|found| class(found) == class(item))
                .max_by(|one, other| truth.overlap(&found_box(one)).total_cmp(&truth.overlap(&found_box(other))));
            let reach = 0.12 * f64::max(truth.right - truth.left, truth.bottom - truth.top);
            for point in rows(&item["keypoints"]) {
                let name = &point["name"];
                let is_near = |found: &Value| {
                    let away = |key: &str| number(&found[key]) - number(&point[key]);
                    found["class"] == *name && found["class_name"] == *name && away("x").hypot(away("y")) <= reach
                };
                all += 1;
                right += usize::from(best.is_some_and(|best| rows(&best["keypoints"]).iter().any(is_near)));
            }
        }
    }
    at_least("keypoints at their places", right as f64 / f64::from(all), POINTS_MIN);
}

#[test]
fn single_shapes_are_classified() {
    let looks = look("classification", "/infer/classification", "shapes-cls/1", json!({}));
    let right = looks.iter().filter(|(entry, answer)| answer["top"] == entry["items"][0]["class"]).count();
    at_least("right classes", right as f64 / looks.len() as f64, CLASSES_MIN);
}

#[test]
fn printed_words_are_read() {
    let server = Server::shared();
    let (mut right, mut all) = (0, 0);
    for entry in rows(&annotations("mimus-read/eval")) {
        let image = picture("mimus-read/eval", &entry["file"]);
        let answer = ask(&server, "/doctr/ocr", json!({"image": image}));
        let text = answer["result"].as_str().expect("text").to_owned();
        let mut read: Vec<&str> = text.split_whitespace().collect();
        for word in rows(&entry["lines"]).iter().flat_map(rows) {
            all += 1;
            if let Some(place) = read.iter().position(|read| word["text"] == *read) {
                read.swap_remove(place);
                right += 1;
            }
        }
    }
    at_least("words read", f64::from(right) / f64::from(all), WORDS_MIN);
}

#[test]
fn pictures_find_their_captions() {
    let server = Server::shared();
    let entries = annotations("mimus-clip/eval");
    let single: Vec<&Value> = rows(&entries).iter().filter(|entry| rows(&entry["things"]).len() == 1).collect();
    let things = rows(&entries).iter().flat_map(|entry| rows(&entry["things"]));
    let named = |key: &str| things.clone().filter_map(|thing| thing[key].as_str()).collect::<BTreeSet<_>>();
    let (colours, shapes) = (named("colour"), named("shape"));
    let pairs: Vec<(&str, &str)> =
        colours.iter().flat_map(|colour| shapes.iter().map(|shape| (*colour, *shape))).collect();
    assert!(pairs.len() >= 50, "{} captions are few to choose from", pairs.len());
    let prompts: Vec<String> = pairs.iter().map(|(colour, shape)| format!("a {colour} {shape}")).collect();
    let is_found = |entry: &&&Value| {
        let image = picture("mimus-clip/eval", &entry["file"]);
        let body = json!({"subject": image, "subject_type": "image", "prompt": prompts, "prompt_type": "text"});
        let similarity = ask(&server, "/clip/compare", body)["similarity"].clone();
        let best = rows(&similarity).iter().enumerate().max_by(|one, other| number(one.1).total_cmp(&number(other.1)));
        let thing = &entry["things"][0];
        let (colour, shape) = pairs[best.expect("some").0];
        thing["colour"] == colour && thing["shape"] == shape
    };
    let right = single.iter().filter(is_found).count();
    at_least("captions found", right as f64 / single.len() as f64, CAPTIONS_MIN);
}

#[test]
fn requests_computed_together_answer_as_each_alone() {
    let server = Server::shared();
    let folder = "shapes/1/eval/detection";
    let entries = annotations(folder);
    let bodies: Vec<Value> = rows(&entries["pictures"])
        .iter()
        .take(16)
        .map(|entry| json!({"model_id": "shapes/1", "image": picture(folder, &entry["file"])}))
        .collect();
    let core = |mut answer: Value| {
        for prediction in answer["predictions"].as_array_mut().expect("a list") {
            prediction.as_object_mut().expect("an object").remove("detection_id");
        }
        json!([answer["predictions"], answer["image"]])
    };
    let route = "/infer/object_detection";
    let alone: Vec<Value> = bodies.iter().map(|body| core(ask(&server, route, body.clone()))).collect();
    let together = |server: &Arc<Server>| {
        std::thread::scope(|scope| {
            let asked: Vec<_> =
                bodies.iter().map(|body| scope.spawn(|| core(ask(server, route, body.clone())))).collect();
            asked.into_iter().map(|answer| answer.join().expect("it answers")).collect::<Vec<_>>()
        })
    };
    for _ in 0..3 {
        for (one, other) in alone.iter().zip(together(&server)) {
            assert!(is_near(one, &other), "alone {one}\ntogether {other}");
        }
    }
    let images: Vec<&Value> = bodies.iter().map(|body| &body["image"]).collect();
    let listed = ask(&server, route, json!({"model_id": "shapes/1", "image": images}));
    for (one, other) in alone.iter().zip(rows(&listed)) {
        assert!(is_near(one, &core(other.clone())), "alone {one}\nin a list {other}");
    }
}

/// Equal up to what the order of sums makes of numbers.
fn is_near(one: &Value, other: &Value) -> bool {
    match (one, other) {
        // Places are rounded to whole pixels.
        (Value::Number(_), Value::Number(_)) => {
            let slack = if number(one).abs() > 1.0 { 1.0 } else { 1e-3 };
            (number(one) - number(other)).abs() <= slack
        }
        (Value::Array(one), Value::Array(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| is_near(one, other))
        }
        (Value::Object(one), Value::Object(other)) => {
            one.len() == other.len()
                && one.iter().all(|(key, value)| other.get(key).is_some_and(|other| is_near(value, other)))
        }
        _ => one == other,
    }
}
