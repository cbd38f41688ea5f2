//! `mimus bench rerank`: documents per second of a reranker, one at a time and many at once.

use std::path::{Path, PathBuf};

use mimus_engine::bench::{RerankWorkload, measure_rerank};
use mimus_engine::{LoadOptions, Model, Progress, Source, load};
use serde::Serialize;

use super::embed::{BATCH, texts};

#[derive(Serialize)]
struct Report {
    model: String,
    threads: usize,
    documents: usize,
    /// Median over rounds, one document a request.
    single_documents_per_s: f64,
    /// Median over rounds, 64 documents a request.
    batch_documents_per_s: f64,
}

/// Runs the benchmark.
///
/// * `documents`: a file with a document a line; none makes some up.
pub(super) fn run(
    folder: PathBuf,
    query: &str,
    documents: Option<&Path>,
    threads: Option<usize>,
    rounds: usize,
    json: bool,
) -> Result<(), String> {
    let name = folder.display().to_string();
    let options = LoadOptions { threads, ..LoadOptions::default() };
    let loaded = load(Source::Folder(folder), &options, &Progress::ignore).map_err(|error| error.to_string())?;
    let Model::Rerank(model) = loaded else { return Err(format!("{name} is no reranker")) };
    let documents = texts(documents)?;
    let measure = |batch| {
        let workload = RerankWorkload { query, documents: &documents, batch, rounds: rounds.max(1) };
        measure_rerank(&model, workload).map_err(|error| error.to_string())
    };
    let report = Report {
        single_documents_per_s: measure(1)?,
        batch_documents_per_s: measure(BATCH)?,
        model: name,
        threads: threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        documents: documents.len(),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    } else {
        println!("{}: {} documents, {} threads", report.model, report.documents, report.threads);
        println!("  one at a time   {:>9.1} documents/s", report.single_documents_per_s);
        println!("  {BATCH} at a time    {:>9.1} documents/s", report.batch_documents_per_s);
    }
    Ok(())
}
