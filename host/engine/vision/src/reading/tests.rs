//! Against docTR: `tests/golden_reading.py` writes the expectations.

use std::sync::Arc;

use serde_json::Value;

use super::pieces::Pieces;
use super::pipeline::Pipeline;
use super::regions::{Map, Region, regions};
use super::settings::Thresholds;
use super::*;

fn golden(name: &str) -> Vec<Value> {
    let file: Value = serde_json::from_str(include_str!("../../tests/golden/reading.json")).unwrap();
    file[name].as_array().unwrap().clone()
}

fn vocab() -> Vec<char> {
    let file: Value = serde_json::from_str(include_str!("../../tests/golden/reading.json")).unwrap();
    file["vocab"].as_str().unwrap().chars().collect()
}

fn number(value: &Value) -> usize {
    value.as_u64().unwrap() as usize
}

fn real(value: &Value) -> f64 {
    value.as_f64().unwrap()
}

/// `[x, y, width, height, level]` painted in turn; calls back for each pixel.
fn paint(case: &Value, mut pixel: impl FnMut(usize, usize)) {
    let width = number(&case["width"]);
    let height = number(&case["height"]);
    for rectangle in case["rectangles"].as_array().unwrap() {
        let [x, y, w, h, level] = [0, 1, 2, 3, 4].map(|index| number(&rectangle[index]));
        for row in y..(y + h).min(height) {
            (x..(x + w).min(width)).for_each(|column| pixel(row * width + column, level));
        }
    }
}

#[test]
fn boxes_are_those_of_doctr() {
    let thresholds = Thresholds { mark: 0.3, region: 0.1, unclip_ratio: 1.5 };
    let cases = golden("maps");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let (width, height) = (number(&case["width"]), number(&case["height"]));
        let mut values = vec![0.0; width * height];
        paint(&case, |index, level| values[index] = level as f32 / 16.0);
        let mut found = regions(&Map { width, height, values }, &thresholds);
        let mut expected: Vec<[f64; 5]> = case["boxes"]
            .as_array()
            .unwrap()
            .iter()
            .map(|part| [0, 1, 2, 3, 4].map(|index| real(&part[index])))
            .collect();
        found.sort_by(|a, b| (a.top, a.left).partial_cmp(&(b.top, b.left)).unwrap());
        expected.sort_by(|a, b| (a[1], a[0]).partial_cmp(&(b[1], b[0])).unwrap());
        assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter().zip(expected) {
            let given = [found.left, found.top, found.right, found.bottom, found.score];
            assert!(given.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-6), "{given:?} {expected:?}");
        }
    }
}

#[test]
fn numbers_become_the_text_of_doctr() {
    let cases = golden("logits");
    assert_eq!(cases.len(), 4);
    for case in cases {
        let steps = case["eighths"].as_array().unwrap();
        let logits: Vec<f32> =
            steps.iter().flat_map(|step| step.as_array().unwrap()).map(|value| real(value) as f32 / 8.0).collect();
        let (text, confidence) = ctc::decode(&logits, &vocab());
        assert_eq!(text, case["text"].as_str().unwrap());
        assert!((f64::from(confidence) - real(&case["confidence"])).abs() < 1e-6, "{confidence} {case}");
    }
}

#[test]
fn wide_words_are_cut_and_joined_as_doctr_does() {
    let cases = golden("pieces");
    assert_eq!(cases.len(), 8);
    for case in cases {
        let pieces = Pieces::of(number(&case["width"]) as u32, number(&case["height"]) as u32, 100);
        let columns: Vec<[usize; 2]> =
            pieces.columns.iter().map(|columns| [columns.start as usize, columns.end as usize]).collect();
        let expected: Vec<[usize; 2]> = serde_json::from_value(case["columns"].clone()).unwrap();
        assert_eq!(columns, expected);
        let read: Vec<(String, f32)> = serde_json::from_value(case["read"].clone()).unwrap();
        let (text, confidence) = pieces.merge(&read);
        assert_eq!(text, case["text"].as_str().unwrap(), "{read:?}");
        assert!((f64::from(confidence) - real(&case["confidence"])).abs() < 1e-6);
    }
}

#[test]
fn lines_and_blocks_are_those_of_doctr() {
    let cases = golden("layouts");
    assert_eq!(cases.len(), 5);
    for case in cases {
        let boxes: Vec<[f64; 4]> = serde_json::from_value(case["boxes"].clone()).unwrap();
        let region = |[left, top, right, bottom]: [f64; 4]| Region {
            left: left / 1000.0,
            top: top / 1000.0,
            right: right / 1000.0,
            bottom: bottom / 1000.0,
            score: 1.0,
        };
        let words: Vec<Region> = boxes.into_iter().map(region).collect();
        let blocks = layout::arrange(&words, real(&case["height"]) / real(&case["width"]));
        let expected: Vec<Vec<Vec<usize>>> = serde_json::from_value(case["blocks"].clone()).unwrap();
        assert_eq!(blocks, expected);
    }
}

/// The networks of the golden files.
static NETWORKS: &[(&str, &[u8])] = &[
    ("config.json", include_bytes!("../../tests/golden/reading/config.json")),
    ("detection.onnx", include_bytes!("../../tests/golden/reading/detection.onnx")),
    ("recognition.onnx", include_bytes!("../../tests/golden/reading/recognition.onnx")),
];

fn picture(case: &Value) -> Image {
    let (width, height) = (number(&case["width"]), number(&case["height"]));
    let mut pixels = vec![0; width * height * 3];
    paint(case, |index, grey| {
        pixels[index * 3..][..3].copy_from_slice(&[grey as u8, grey as u8, grey.saturating_sub(30) as u8]);
    });
    Image::new(width as u32, height as u32, pixels).unwrap()
}

#[test]
fn pictures_are_read_as_doctr_reads_them() {
    let pipeline = Pipeline::load(&Source::Embedded(NETWORKS)).unwrap();
    let cases = golden("pictures");
    assert_eq!(cases.len(), 4);
    let pictures: Vec<Image> = cases.iter().map(picture).collect();
    let answers = pipeline.read(&pictures.iter().collect::<Vec<_>>());
    for ((case, picture), answer) in cases.iter().zip(&pictures).zip(answers) {
        let expected = case["blocks"].as_array().unwrap();
        let answer = answer.unwrap();
        let texts = |block: &Block| -> Vec<Vec<String>> {
            block.lines.iter().map(|line| line.words.iter().map(|word| word.text.clone()).collect()).collect()
        };
        let given: Vec<Vec<Vec<String>>> = answer.iter().map(texts).collect();
        let wanted: Vec<Vec<Vec<String>>> = expected
            .iter()
            .map(|block| {
                let line = |line: &Value| {
                    let word = |word: &Value| word[0].as_str().unwrap().to_owned();
                    line.as_array().unwrap().iter().map(word).collect()
                };
                block.as_array().unwrap().iter().map(line).collect()
            })
            .collect();
        assert_eq!(given, wanted);
        let words = answer.iter().flat_map(|block| &block.lines).flat_map(|line| &line.words);
        let expected =
            expected.iter().flat_map(|block| block.as_array().unwrap()).flat_map(|line| line.as_array().unwrap());
        for (word, expected) in words.zip(expected) {
            let [confidence, left, top, right, bottom] = [1, 2, 3, 4, 5].map(|index| real(&expected[index]) as f32);
            let (width, height) = (picture.width() as f32, picture.height() as f32);
            let given = [
                word.x - word.width / 2.0,
                word.y - word.height / 2.0,
                word.x + word.width / 2.0,
                word.y + word.height / 2.0,
            ];
            let wanted = [left * width, top * height, right * width, bottom * height];
            assert!(given.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 0.05), "{given:?} {wanted:?}");
            assert!((word.confidence - confidence).abs() < 5e-3, "{} {confidence}", word.confidence);
        }
    }
}

#[test]
fn any_picture_ends_well() {
    let pipeline = Pipeline::load(&Source::Embedded(NETWORKS)).unwrap();
    for (width, height) in [(1, 1), (16_384, 1), (1, 16_384), (3, 2), (7, 4_000)] {
        for level in [0, 90, 255] {
            let picture = Image::new(width, height, vec![level; (width * height * 3) as usize]).unwrap();
            let blocks = pipeline.read(&[&picture]).remove(0).unwrap();
            for word in blocks.iter().flat_map(|block| &block.lines).flat_map(|line| &line.words) {
                assert!(!word.text.is_empty() && word.x <= width as f32 && word.y <= height as f32);
            }
        }
    }
}

#[test]
fn requests_are_read_together() {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap();
    let reader = Arc::new(TextReader::load(&Source::Embedded(NETWORKS), &LoadOptions::default()).unwrap());
    assert_eq!(reader.input_size(), (256, 256));
    assert!(reader.info().parameters > 1_000);
    let cases = golden("pictures");
    let alone: Vec<_> = cases.iter().map(|case| runtime.block_on(reader.read(picture(case)))).collect();
    let ask = |case: &Value| {
        let (reader, picture) = (Arc::clone(&reader), picture(case));
        runtime.spawn(async move { reader.read(picture).await })
    };
    let tasks: Vec<_> = cases.iter().map(ask).collect();
    let together: Vec<_> = tasks.into_iter().map(|task| runtime.block_on(task).unwrap()).collect();
    assert_eq!(together, alone);
    assert!(alone.iter().all(|answer| !answer.as_ref().unwrap().is_empty()));
    reader.close();
    assert_eq!(runtime.block_on(reader.read(picture(&cases[0]))), Err(VisionError::ShuttingDown));
}

#[test]
fn packages_that_do_not_fit_are_refused() {
    let check = |config: &'static str, expect: &str| {
        let files = Box::leak(Box::new([("config.json", config.as_bytes()), NETWORKS[1], NETWORKS[2]]));
        let error = Pipeline::load(&Source::Embedded(files)).err().map(|error| error.to_string()).unwrap_or_default();
        assert!(error.contains(expect), "{config}: {error}");
    };
    let size = r#"{"detection": {"input_shape": [3, 256, 256]}"#;
    check("{", "config.json: EOF");
    check("{}", "detection.onnx: its input is f32 [batch, 3, 256, 256]; f32 [batch, 3, 1024, 1024] is expected");
    check(Box::leak(format!("{size}}}").into_boxed_str()), "recognition.onnx: an output of shape [16, 21]");
    check(
        Box::leak(format!("{size}, \"recognition\": {{\"vocab\": \"\"}}}}").into_boxed_str()),
        "config.json: vocab of 0 characters; 1 to 32768 are taken",
    );
    check(r#"{"detection": {"input_shape": [1, 256, 256]}}"#, "input_shape of [1, 256, 256]");
    check(r#"{"detection": {"input_shape": [3, 999999999999, 256]}}"#, "input_shape of [3, 999999999999, 256]");
    check(r#"{"detection": {"std": [0, 1, 1]}}"#, "each std must be above 0");
    check(r#"{"detection": {"bin_thresh": 1.5}}"#, "bin_thresh of 1.5; 0 to 1 is taken");
    check(r#"{"detection": {"unclip_ratio": -1}}"#, "unclip_ratio of -1; 0 to 10 is taken");
    check(r#"{"detection": {"file": "absent.onnx"}}"#, "absent.onnx");
    let alone: &'static [(&str, &[u8])] = &NETWORKS[..2];
    let error = Pipeline::load(&Source::Embedded(alone)).err().unwrap().to_string();
    assert!(error.starts_with("recognition.onnx is missing"), "{error}");
    assert!(!TextReader::sniff(&Source::Embedded(alone)) && TextReader::sniff(&Source::Embedded(NETWORKS)));
}
