//! The scores that the built-in embedding model's card states hold when this engine computes the vectors.
//!
//! The pairs are those of `host/models/mimus-embed/eval/`, none of whose queries is in the training data; `scores.json`
//! beside them has what the recipe's `evaluate.py` measured with sentence-transformers.
#![allow(missing_docs)]

mod support;

use std::path::PathBuf;

use mimus_engine::{EmbedInput, EmbedOptions, EmbedRequest, EmbeddingModel, Model, Progress, Source, load};
use serde_json::Value;
use support::options;

/// How far scores may lie from the card's, in percentage points: sums in another order can tip a near tie.
const SLACK: f64 = 2.0;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/mimus-embed")
}

/// Vectors of texts.
fn vectors(model: &EmbeddingModel, texts: Vec<&str>) -> Vec<Vec<f32>> {
    let inputs = texts.into_iter().map(|text| EmbedInput::Text(text.to_owned())).collect();
    let embeddings = model.embed(EmbedRequest { inputs, options: EmbedOptions::default() }).unwrap().wait_blocking();
    embeddings.unwrap().into_iter().map(|embedding| embedding.vector).collect()
}

fn similarity(one: &[f32], other: &[f32]) -> f32 {
    one.iter().zip(other).map(|(one, other)| one * other).sum()
}

fn model() -> std::sync::Arc<EmbeddingModel> {
    match load(Source::Folder(folder()), &options(), &Progress::ignore).unwrap() {
        Model::Embedding(model) => model,
        _ => panic!("an embedding model"),
    }
}

#[test]
fn held_out_pairs_find_each_other() {
    let read = |file: &str| std::fs::read_to_string(folder().join("eval").join(file)).unwrap();
    let rows: Vec<Value> = read("pairs.jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let card: Value = serde_json::from_str(&read("scores.json")).unwrap();
    assert!(rows.len() >= 400, "{} rows", rows.len());
    assert_eq!(card["pairs"]["of"], rows.len(), "the card is about other pairs");
    let model = model();
    let column = |key: &str| vectors(&model, rows.iter().map(|row| row[key].as_str().unwrap()).collect());
    let (queries, candidates) = (column("query"), column("candidate"));
    let ranks: Vec<usize> = queries
        .iter()
        .enumerate()
        .map(|(index, query)| {
            let own = similarity(query, &candidates[index]);
            1 + candidates.iter().filter(|candidate| similarity(query, candidate) > own).count()
        })
        .collect();
    let count = rows.len() as f64;
    let recall = 100.0 * ranks.iter().filter(|rank| **rank == 1).count() as f64 / count;
    let mrr = ranks.iter().map(|rank| 1.0 / *rank as f64).sum::<f64>() / count;
    println!("recall@1 {recall:.1} %, MRR {mrr:.4}, the card says {}", card["pairs"]);
    assert!((recall - card["pairs"]["recall_at_1_percent"].as_f64().unwrap()).abs() <= SLACK, "{recall}");
    assert!((100.0 * mrr - 100.0 * card["pairs"]["mrr"].as_f64().unwrap()).abs() <= SLACK, "{mrr}");
    assert!(recall >= 90.0, "{recall}");
}

#[test]
fn alike_is_near() {
    let model = model();
    let check = |text: &str, near: &str, far: &[&str]| {
        let all = vectors(&model, [text, near].into_iter().chain(far.iter().copied()).collect());
        let score = similarity(&all[0], &all[1]);
        for (far, vector) in far.iter().zip(&all[2..]) {
            assert!(score > similarity(&all[0], vector) + 0.2, "{text:?}: {near:?} is not nearer than {far:?}");
        }
    };
    check(
        "a cat sits on the mat",
        "a kitten rests on a rug",
        &["a dog sits on the mat", "the stock market fell sharply", "a man plays the guitar"],
    );
    check("my package has not arrived", "where is my order?", &["how do I bake a cake?", "the largest animal"]);
}
