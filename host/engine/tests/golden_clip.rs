//! Tiny models of pictures and texts, compared number by number with transformers and OpenAI's code.
//!
//! `golden_clip.py` makes the files and says how.
#![allow(missing_docs)]

mod support;

use std::sync::Arc;

use mimus_engine::{Ability, EngineError, ImageTextModel, LoadOptions, Model, Progress, Source, inspect, limits, load};
use serde::Deserialize;
use support::pictures::picture;
use support::{golden, options};

/// Largest difference of two numbers; the vectors have lengths of about 5.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Cases {
    texts: Vec<TextCase>,
    pictures: Vec<PictureCase>,
}

#[derive(Deserialize)]
struct TextCase {
    text: String,
    ids: Vec<u32>,
    vector: Vec<f32>,
}

#[derive(Deserialize)]
struct PictureCase {
    size: (u32, u32),
    vector: Vec<f32>,
}

fn model(name: &str, options: &LoadOptions) -> Arc<ImageTextModel> {
    match load(Source::Folder(golden(name)), options, &Progress::ignore) {
        Ok(Model::ImageText(model)) => model,
        Ok(_) => panic!("{name} is of pictures and texts"),
        Err(error) => panic!("{name}: {error}"),
    }
}

fn compare(name: &str, what: &str, vector: &[f32], expect: &[f32]) {
    assert_eq!(vector.len(), expect.len(), "{name}");
    let worst = vector.iter().zip(expect).map(|(value, expect)| (value - expect).abs()).fold(0.0, f32::max);
    assert!(worst < TOLERANCE, "{name}: {worst} away for {what}");
}

/// Every input alone, then all of them together, by one thread and by several.
fn check(name: &str) -> Arc<ImageTextModel> {
    let cases: Cases = serde_json::from_slice(&std::fs::read(golden(name).join("expect.json")).unwrap()).unwrap();
    for threads in [1, 3] {
        let model = model(name, &LoadOptions { threads: Some(threads), ..options() });
        for case in &cases.texts {
            assert_eq!(model.tokenizer().encode(&case.text, true).unwrap(), case.ids, "{name}: {:?}", case.text);
            let vectors = model.embed_texts(vec![case.text.clone()]).unwrap().wait_blocking().unwrap();
            compare(name, &case.text, &vectors[0], &case.vector);
        }
        for case in &cases.pictures {
            let vectors = model.embed_images(vec![picture(case.size)]).unwrap().wait_blocking().unwrap();
            compare(name, &format!("{:?}", case.size), &vectors[0], &case.vector);
        }
        let texts = model.embed_texts(cases.texts.iter().map(|case| case.text.clone()).collect()).unwrap();
        let images = model.embed_images(cases.pictures.iter().map(|case| picture(case.size)).collect()).unwrap();
        for (case, vector) in cases.texts.iter().zip(texts.wait_blocking().unwrap()) {
            compare(name, &case.text, &vector, &case.vector);
        }
        for (case, vector) in cases.pictures.iter().zip(images.wait_blocking().unwrap()) {
            compare(name, &format!("{:?}", case.size), &vector, &case.vector);
        }
    }
    model(name, &options())
}

#[test]
fn the_highest_id_ends_a_text() {
    let model = check("clip-quick");
    let info = model.info();
    assert_eq!((info.architecture.as_str(), info.format.as_str()), ("clip", "safetensors"));
    assert_eq!((info.dimensions, info.image_size, info.context_tokens), (24, 32, 77));
    let inspection = inspect(&Source::Folder(golden("clip-quick")), &options()).unwrap();
    assert_eq!(inspection.ability, Ability::ImageText);
    assert_eq!((inspection.parameters, inspection.weight_bytes), (info.parameters, info.weight_bytes));
}

#[test]
fn another_token_ends_a_text_and_pictures_are_cut() {
    check("clip-gelu");
}

#[test]
fn resnet_without_a_configuration() {
    let model = check("clip-resnet");
    assert_eq!((model.info().dimensions, model.info().image_size), (24, 64));
    let inspection = inspect(&Source::Folder(golden("clip-resnet")), &options()).unwrap();
    assert_eq!((inspection.parameters, inspection.weight_bytes), (model.info().parameters, model.info().weight_bytes));
}

#[test]
fn open_clip_with_its_configuration() {
    check("clip-open");
}

#[test]
fn a_pair_of_graphs() {
    let model = check("clip-onnx");
    let info = model.info();
    assert_eq!((info.format.as_str(), info.dimensions, info.image_size, info.context_tokens), ("onnx", 20, 32, 77));
    let inspection = inspect(&Source::Folder(golden("clip-onnx")), &options()).unwrap();
    assert_eq!((inspection.format.as_str(), inspection.parameters), ("onnx", info.parameters));
}

#[test]
fn requests_within_bounds_only() {
    let model = model("clip-quick", &options());
    let words = |count: usize| vec!["a ".repeat(count)];
    assert!(model.embed_texts(words(75)).unwrap().wait_blocking().is_ok());
    let error = model.embed_texts(words(76)).unwrap_err();
    assert_eq!(error, EngineError::PromptTooLong { limit: 77, prompt: 78, wanted: 0 });
    let check = |result: Result<_, EngineError>, field: &str| match result {
        Err(EngineError::Invalid { field: found, .. }) => assert_eq!(found, field),
        _ => panic!("{field} is refused"),
    };
    check(model.embed_texts(Vec::new()), "texts");
    check(model.embed_texts(vec![String::new(); limits::EMBED_INPUTS_MAX + 1]), "texts");
    check(model.embed_images(Vec::new()), "images");
    check(model.embed_images(vec![picture((3, 3)); limits::IMAGES_MAX + 1]), "images");
    let most = model.embed_images(vec![picture((3, 3)); limits::IMAGES_MAX]).unwrap();
    assert_eq!(most.wait_blocking().unwrap().len(), limits::IMAGES_MAX);
    model.close();
    assert_eq!(model.embed_images(vec![picture((3, 3))]).unwrap_err(), EngineError::ShuttingDown);
}
