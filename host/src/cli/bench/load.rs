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
    /// Median over rounds: the files read into new memory and kept, which is what no way of loading can do without.
    keep_s: f64,
    /// Median over rounds: the model loaded until it takes requests.
    load_s: f64,
    /// Loading over reading, median over the rounds' own quotients.
    ratio: f64,
    /// Loading over keeping, the same way.
    ratio_kept: f64,
}

/// Runs the benchmark: all by turns, after a round that does not count.
///
/// * `path`: a model's folder, or a GGUF file.
pub(super) fn run(path: &Path, threads: Option<usize>, rounds: usize, json: bool) -> Result<(), String> {
    let is_folder = path.is_dir();
    let files = if is_folder { weights(path)? } else { vec![path.to_owned()] };
    let options = LoadOptions { threads, ..LoadOptions::default() };
    let mut file_bytes = 0;
    let (mut reads, mut keeps, mut loads) = (Vec::new(), Vec::new(), Vec::new());
    for round in 0..=rounds.max(1) {
        let begin = Instant::now();
        file_bytes = files.iter().map(|file| read(file)).sum::<Result<u64, String>>()?;
        let read_s = begin.elapsed().as_secs_f64();
        let begin = Instant::now();
        let kept: Vec<Vec<u8>> = files.iter().map(|file| keep(file)).collect::<Result<_, String>>()?;
        let keep_s = begin.elapsed().as_secs_f64();
        drop(kept);
        let source = if is_folder { Source::Folder(path.to_owned()) } else { Source::Gguf(path.to_owned()) };
        let begin = Instant::now();
        let model = load(source, &options, &Progress::ignore).map_err(|error| error.to_string())?;
        let load_s = begin.elapsed().as_secs_f64();
        drop(model);
        if round > 0 {
            reads.push(read_s);
            keeps.push(keep_s);
            loads.push(load_s);
        }
    }
    let ratio = |of: &[f64]| super::median(loads.iter().zip(of).map(|(load, of)| load / of).collect());
    let report = Report {
        model: path.display().to_string(),
        threads: threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from)),
        file_bytes,
        ratio: ratio(&reads),
        ratio_kept: ratio(&keeps),
        read_s: super::median(reads),
        keep_s: super::median(keeps),
        load_s: super::median(loads),
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    } else {
        println!("{}: {} MiB, {} threads", report.model, report.file_bytes >> 20, report.threads);
        println!("  read   {:>8.3} s", report.read_s);
        println!("  keep   {:>8.3} s", report.keep_s);
        println!(
            "  load   {:>8.3} s: {:.2} times reading, {:.2} keeping",
            report.load_s, report.ratio, report.ratio_kept
        );
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

/// Reads a file into new memory.
fn keep(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| cannot_read(path, &error))
}

fn cannot_read(path: &Path, error: &std::io::Error) -> String {
    format!("cannot read {}: {error}", path.display())
}

/// Reads a file to its end and returns its length.
fn read(path: &Path) -> Result<u64, String> {
    let mut file = File::open(path).map_err(|error| cannot_read(path, &error))?;
    let mut chunk = vec![0; CHUNK_BYTES];
    let mut length = 0;
    loop {
        match file.read(&mut chunk).map_err(|error| cannot_read(path, &error))? {
            0 => return Ok(length),
            count => length += count as u64,
        }
    }
}
