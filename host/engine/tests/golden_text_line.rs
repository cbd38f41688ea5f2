//! Tiny models that read lines, compared token by token with the greedy search of transformers.
//!
//! `golden_text_line.py` makes the files and says how.
#![allow(missing_docs)]

mod support;

use std::sync::Arc;

use mimus_engine::{Ability, LoadOptions, Model, OcrModel, Progress, ReadLine, Source, inspect, load};
use serde::Deserialize;
use support::pictures::picture;
use support::{golden, options};

/// Largest difference of two confidences.
const TOLERANCE: f32 = 1e-4;

#[derive(Deserialize)]
struct Case {
    size: (u32, u32),
    tokens: Vec<u32>,
    text: String,
    confidence: f32,
}

fn model(name: &str, options: &LoadOptions) -> Arc<OcrModel> {
    match load(Source::Folder(golden(name)), options, &Progress::ignore) {
        Ok(Model::TextLine(model)) => model,
        Ok(_) => panic!("{name} reads lines"),
        Err(error) => panic!("{name}: {error}"),
    }
}

fn compare(name: &str, case: &Case, line: &ReadLine) {
    assert_eq!(line.tokens, case.tokens, "{name}: {:?}", case.size);
    assert_eq!(line.text, case.text, "{name}: {:?}", case.size);
    let difference = (line.confidence - case.confidence).abs();
    assert!(difference < TOLERANCE, "{name}: {difference} away for {:?}", case.size);
}

/// Every picture alone, then all at once, by one thread and by several.
fn check(name: &str) -> Arc<OcrModel> {
    let cases: Vec<Case> = serde_json::from_slice(&std::fs::read(golden(name).join("expect.json")).unwrap()).unwrap();
    for threads in [1, 3] {
        let model = model(name, &LoadOptions { threads: Some(threads), ..options() });
        for case in &cases {
            compare(name, case, &model.read(&[picture(case.size)]).unwrap().wait_blocking().unwrap()[0]);
        }
        let pending: Vec<_> = cases.iter().map(|case| model.read(&[picture(case.size)]).unwrap()).collect();
        for (case, pending) in cases.iter().zip(pending) {
            compare(name, case, &pending.wait_blocking().unwrap()[0]);
        }
    }
    let model = model(name, &options());
    let (info, inspection) = (model.info(), inspect(&Source::Folder(golden(name)), &options()).unwrap());
    assert_eq!(inspection.ability, Ability::ReadLine);
    assert_eq!((inspection.parameters, inspection.weight_bytes), (info.parameters, info.weight_bytes));
    assert_eq!(info.context_tokens, 23);
    model
}

#[test]
fn vit_and_a_table_of_positions() {
    assert_eq!(check("line-vit").info().image_size, 32);
}

#[test]
fn deit_and_sines() {
    assert_eq!(check("line-deit").info().image_size, 40);
}
