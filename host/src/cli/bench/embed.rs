//! `mimus bench embed`: texts per second of an embedding model, one at a time and many at once.

use std::path::{Path, PathBuf};

use mimus_engine::bench::{EmbedWorkload, measure_embeddings};
use mimus_engine::{LoadOptions, Model, Progress, Source, load};
use serde::Serialize;

/// Texts of the larger batch.
pub(super) const BATCH: usize = 64;

/// Words of the texts that are made up here.
const WORDS: [&str; 12] =
    ["the", "server", "answers", "many", "clients", "with", "one", "voice", "and", "every", "bird", "listens"];

#[derive(Serialize)]
struct Report {
    model: String,
    threads: usize,
    texts: usize,
    /// Median over rounds, one text a request.
    single_texts_per_s: f64,
    /// Median over rounds, 64 texts a request.
    batch_texts_per_s: f64,
}

/// Runs the benchmark.
///
/// * `folder`: a model's folder; none is the built-in model.
/// * `texts`: a file with a text a line; none makes some up.
pub(super) fn run(
    folder: Option<PathBuf>,
    texts: Option<&Path>,
    threads: Option<usize>,
    rounds: usize,
    json: bool,
) -> Result<(), String> {
    let name = folder.as_ref().map_or("mimus-embed".into(), |path| path.display().to_string());
    let source = match folder {
        Some(folder) => Source::Folder(folder),
        None => crate::contents()
            .models
            .iter()
            .find(|model| model.name == name)
            .map(|model| Source::Embedded(model.files))
            .ok_or("no embedding model is built in")?,
    };
    let options = LoadOptions { threads, ..LoadOptions::default() };
    let Model::Embedding(model) = load(source, &options, &Progress::ignore).map_err(|error| error.to_string())? else {
        return Err(format!("{name} is no embedding model"));
    };
    let texts = self::texts(texts)?;
    let measure = |batch| {
        let workload = EmbedWorkload { texts: &texts, batch, rounds: rounds.max(1) };
        measure_embeddings(&model, workload).map_err(|error| error.to_string())
    };
    let report = Report {
        single_texts_per_s: measure(1)?,
        batch_texts_per_s: measure(BATCH)?,
        model: name,
        threads: threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        texts: texts.len(),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    } else {
        println!("{}: {} texts, {} threads", report.model, report.texts, report.threads);
        println!("  one at a time   {:>9.1} texts/s", report.single_texts_per_s);
        println!("  {BATCH} at a time    {:>9.1} texts/s", report.batch_texts_per_s);
    }
    Ok(())
}

/// The lines of a file, or texts that are made up.
pub(super) fn texts(path: Option<&Path>) -> Result<Vec<String>, String> {
    let Some(path) = path else { return Ok(made_up()) };
    let content = std::fs::read_to_string(path).map_err(|error| format!("cannot read the texts: {error}"))?;
    Ok(content.lines().map(str::to_owned).collect())
}

/// 128 texts of 4 to 40 words.
fn made_up() -> Vec<String> {
    let text = |index: usize| {
        let words = (0..4 + index * 7 % 37).map(|word| WORDS[(index * 5 + word * word) % WORDS.len()]);
        words.collect::<Vec<_>>().join(" ")
    };
    (0..2 * BATCH).map(text).collect()
}
