//! Whole packages from files to answers, against what the servers of such models answer: see `make_golden.py`.

#[path = "golden/reader.rs"]
mod reader;

use std::collections::BTreeMap;

use mimus_vision::{
    Findings, Image, LoadOptions, MaskForm, MaskMode, Object, Point, PostProcessing, PredictOptions, Prediction,
    Source, VisionModel,
};
use serde_json::Value;

/// Least share of what two masks have in common.
const MASK_IOU_MIN: f64 = 0.99;

/// Most that confidences differ by.
const CONFIDENCE_DIFFERENCE: f64 = 1e-3;

/// Most that places differ by, in pixels: numbers close to a half are rounded to either side.
const PLACE_DIFFERENCE: f64 = 1.0;

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

/// Writes each package's files into a folder and loads it.
fn load(packages: &Value) -> BTreeMap<String, VisionModel> {
    let load = |(name, package): (&String, &Value)| {
        let network = reader::path(package["network"].as_str().expect("a network"));
        let files = package["files"].as_object().expect("files");
        let folder = tempfile::tempdir().expect("a folder");
        let source = if files.is_empty() {
            Source::File(network)
        } else {
            std::fs::copy(network, folder.path().join("weights.onnx")).expect("a copy");
            for (file, text) in files {
                std::fs::write(folder.path().join(file), text.as_str().expect("text")).expect("a file");
            }
            Source::Folder(folder.path().to_owned())
        };
        let model =
            VisionModel::load(&source, &LoadOptions::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        (name.clone(), model)
    };
    packages.as_object().expect("packages").iter().map(load).collect()
}

fn images() -> BTreeMap<String, Image> {
    let picture = |(name, array): (String, reader::Array)| {
        let name = name.strip_prefix("picture/")?.to_owned();
        let image = Image::new(array.shape[1] as u32, array.shape[0] as u32, array.bytes)?;
        Some((name, image))
    };
    reader::pictures().into_iter().filter_map(picture).collect()
}

fn options(value: &Value) -> PredictOptions {
    let count = |name: &str| value[name].as_u64().expect("a number") as u32;
    let truth = |name: &str| value[name].as_bool().expect("a truth");
    PredictOptions {
        confidence: number(&value["confidence"]) as f32,
        iou: number(&value["iou"]) as f32,
        detections_max: count("detections_max"),
        candidates_max: count("candidates_max"),
        is_class_agnostic: truth("is_class_agnostic"),
        classes: serde_json::from_value(value["classes"].clone()).expect("names"),
        keypoint_confidence: number(&value["keypoint_confidence"]) as f32,
        post_processing: match value["post_processing"].as_str() {
            Some("legacy") => PostProcessing::Legacy,
            _ => PostProcessing::Modern,
        },
        mask_mode: match value["mask_mode"].as_str() {
            Some("fast") => MaskMode::Fast,
            Some("tradeoff") => MaskMode::Tradeoff(number(&value["tradeoff"]) as f32),
            _ => MaskMode::Accurate,
        },
        mask_form: if value["mask_form"] == "rle" { MaskForm::Rle } else { MaskForm::Polygon },
        is_mask_reduced: truth("is_mask_reduced"),
        ..PredictOptions::default()
    }
}

#[tokio::test]
async fn answers_are_those_of_the_servers() {
    let golden = std::fs::read(reader::path("cases.json")).expect("the cases");
    let golden: Value = serde_json::from_slice(&golden).expect("JSON");
    let (models, images) = (load(&golden["packages"]), images());
    let mut objects = 0;
    for case in golden["cases"].as_array().expect("cases") {
        let (package, picture) = (case["package"].as_str().expect("a name"), case["picture"].as_str().expect("a name"));
        let shown = format!("{package}, {picture}, {}", case["options"]);
        let predictions = models[package].predict(vec![images[picture].clone()], options(&case["options"])).await;
        let predictions = predictions.unwrap_or_else(|error| panic!("{shown}: {error}"));
        assert_eq!(predictions.len(), 1);
        objects += check(&predictions[0], &case["expect"], &shown);
    }
    assert!(objects > 500, "{objects} objects are too few to mean anything");
}

/// Compares an answer; the number of objects in it.
fn check(prediction: &Prediction, expect: &Value, shown: &str) -> usize {
    assert_eq!(expect["width"], prediction.width, "{shown}");
    assert_eq!(expect["height"], prediction.height, "{shown}");
    match &prediction.findings {
        Findings::Classes(scores) => {
            let expect = expect["classes"].as_array().expect("classes");
            assert_eq!(scores.len(), expect.len(), "{shown}");
            for (score, expect) in scores.iter().zip(expect) {
                let difference = (f64::from(score.confidence) - number(expect)).abs();
                assert!(difference < CONFIDENCE_DIFFERENCE, "{shown}: {score:?}, {expect}");
            }
            0
        }
        Findings::Objects(objects) => {
            assert!(objects.is_sorted_by(|one, other| one.confidence >= other.confidence), "{shown}");
            let mut expect: Vec<&Value> = expect["objects"].as_array().expect("objects").iter().collect();
            assert_eq!(objects.len(), expect.len(), "{shown}");
            for object in objects {
                let place = expect.iter().position(|expect| is_same(object, expect));
                let place = place.unwrap_or_else(|| panic!("{shown}: {object:?}\nis none of {expect:?}"));
                check_mask(object, expect.remove(place), prediction, shown);
            }
            objects.len()
        }
    }
}

/// Whether boxes and points agree.
fn is_same(object: &Object, expect: &Value) -> bool {
    let is_near = |one: f32, other: &Value| (f64::from(one) - number(other)).abs() <= PLACE_DIFFERENCE;
    let is_sure = |one: f32, other: &Value| (f64::from(one) - number(other)).abs() < CONFIDENCE_DIFFERENCE;
    let none = Vec::new();
    let keypoints = expect["keypoints"].as_array().unwrap_or(&none);
    expect["class_id"] == object.class_id
        && expect["class_name"] == object.class_name.as_str()
        && is_sure(object.confidence, &expect["confidence"])
        && [object.x, object.y, object.width, object.height]
            .iter()
            .zip(expect["box"].as_array().expect("a box"))
            .all(|(&one, other)| is_near(one, other))
        && object.keypoints.len() == keypoints.len()
        && object.keypoints.iter().zip(keypoints).all(|(point, expect)| {
            expect["id"] == point.id
                && expect["name"] == point.name.as_str()
                && is_near(point.x, &expect["x"])
                && is_near(point.y, &expect["y"])
                && is_sure(point.confidence, &expect["confidence"])
        })
}

/// Compares masks by what is inside.
fn check_mask(object: &Object, expect: &Value, prediction: &Prediction, shown: &str) {
    let (width, height) = (prediction.width as usize, prediction.height as usize);
    let (one, other) = if let Some(rle) = &object.rle {
        assert_eq!((rle.width as usize, rle.height as usize), (width, height), "{shown}");
        let expect = expect["rle"]["counts"].as_str().expect("run lengths");
        if rle.counts == expect {
            return;
        }
        (decode(&rle.counts, width * height), decode(expect, width * height))
    } else if let Some(expect) = expect["polygon"].as_array() {
        let point = |point: &Value| Point { x: number(&point[0]) as f32, y: number(&point[1]) as f32 };
        let expect: Vec<Point> = expect.iter().map(point).collect();
        (fill(&object.polygon, width, height), fill(&expect, width, height))
    } else {
        assert!(object.polygon.is_empty(), "{shown}");
        return;
    };
    let common = one.iter().zip(&other).filter(|(one, other)| **one && **other).count();
    let union = one.iter().zip(&other).filter(|(one, other)| **one || **other).count();
    // One place more or less is much of a mask of a few.
    let is_same = union <= common + 1 || common as f64 >= union as f64 * MASK_IOU_MIN;
    assert!(is_same, "{shown}: {common} of {union} places are common: {object:?}, {expect}");
}

/// The places inside, down the columns.
fn decode(text: &str, places: usize) -> Vec<bool> {
    let mut counts: Vec<i64> = Vec::new();
    let (mut value, mut shift) = (0i64, 0);
    for byte in text.bytes() {
        let bits = i64::from(byte - 48);
        value |= (bits & 0x1f) << shift;
        shift += 5;
        if bits & 0x20 == 0 {
            if bits & 0x10 != 0 {
                value |= -1 << shift;
            }
            if counts.len() > 2 {
                value += counts[counts.len() - 2];
            }
            counts.push(value);
            (value, shift) = (0, 0);
        }
    }
    let mut inside = Vec::with_capacity(places);
    for (index, &count) in counts.iter().enumerate() {
        inside.resize(inside.len() + count as usize, index % 2 == 1);
    }
    assert_eq!(inside.len(), places);
    inside
}

/// The places whose middles a polygon encloses; its points are middles themselves, so that it is drawn a little apart from them.
fn fill(polygon: &[Point], width: usize, height: usize) -> Vec<bool> {
    let mut inside = Vec::with_capacity(width * height);
    for y in 0..height {
        for x in 0..width {
            let (x, y) = (x as f32 + 0.31, y as f32 + 0.37);
            let mut crossings = 0;
            for (index, one) in polygon.iter().enumerate() {
                let other = &polygon[(index + 1) % polygon.len()];
                if (one.y > y) != (other.y > y) && x < (other.x - one.x) * (y - one.y) / (other.y - one.y) + one.x {
                    crossings += 1;
                }
            }
            inside.push(crossings % 2 == 1);
        }
    }
    inside
}
