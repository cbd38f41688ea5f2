//! `mimus bench load`: what loading a model costs beside reading its files, both from the page cache.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Instant;

use mimus_engine::{LoadOptions, Progress, Source, load};
use serde::Serialize;

/// Bytes read at a time when nothing is made of them.
const CHUNK_BYTES: usize = 1 << 20;

#[derive(Serialize)]
struct Report {
    model: String,
    threads: usize,
    /// Bytes of the files with weights.
    file_bytes: u64,
    /// Median over rounds: the files read by one thread and thrown away.
    read_s: f64,
    /// Median over rounds: the model loaded until it takes requests.
    load_s: f64,
    /// The second over the first, median over the rounds' own quotients.
    ratio: f64,
}

/// Runs the benchmark: both by turns, after a round that does not count.
///
/// * `path`: a model's folder, or a GGUF file.
pub(super) fn run(path: &Path, threads: Option<usize>, rounds: usize, json: bool) -> Result<(), String> {
    let is_folder = path.is_dir();
    let files = if is_folder { weights(path)? } else { vec![path.to_owned()] };
    let options = LoadOptions { threads, ..LoadOptions::default() };
    let mut file_bytes = 0;
    let (mut reads, mut loads, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds.max(1) {
        let begin = Instant::now();
        file_bytes = files.iter().map(|file| read(file)).sum::<Result<u64, String>>()?;
        let read_s = begin.elapsed().as_secs_f64();
        let source = if is_folder { Source::Folder(path.to_owned()) } else { Source::Gguf(path.to_owned()) };
        let begin = Instant::now();
        let model = load(source, &options, &Progress::ignore).map_err(|error| error.to_string())?;
        let load_s = begin.elapsed().as_secs_f64();
        drop(model);
        if round > 0 {
            reads.push(read_s);
            loads.push(load_s);
            ratios.push(load_s / read_s);
        }
    }
    let report = Report {
        model: path.display().to_string(),
        threads: threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        file_bytes,
        read_s: super::median(reads),
        load_s: super::median(loads),
        ratio: super::median(ratios),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    } else {
        println!("{}: {} MiB, {} threads", report.model, report.file_bytes >> 20, report.threads);
        println!("  read   {:>8.3} s", report.read_s);
        println!("  load   {:>8.3} s, {:.2} times that", report.load_s, report.ratio);
    }
    Ok(())
}

/// The files with weights of a model's folder.
fn weights(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("cannot read the folder: {error}"))?;
    let is_weights = |path: &PathBuf| path.extension().is_some_and(|extension| extension == "safetensors");
    let files: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(is_weights).collect();
    if files.is_empty() { Err("no .safetensors file is in the folder".to_owned()) } else { Ok(files) }
}

/// Reads a file to its end and returns its length.
fn read(path: &Path) -> Result<u64, String> {
    let cannot = |error: std::io::Error| format!("cannot read {}: {error}", path.display());
    let mut file = File::open(path).map_err(cannot)?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut length = 0;
    loop {
        match file.read(&mut chunk).map_err(cannot)? {
            0 => return Ok(length),
            count => length += count as u64,
        }
    }
}
