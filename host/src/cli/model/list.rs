//! `mimus model list`: which models answer, why others do not, and what was downloaded.

use std::time::UNIX_EPOCH;

use clap::Args;
use mimus_engine::Source;
use serde::{Deserialize, Serialize};

use super::{bytes, table};
use crate::cli::{DEFAULT_URL, Making, runtime};
use crate::http::client;
use crate::hub::{CachedModel, Hub};
use crate::model::{Files, ModelStatus, Planned, Readiness, plan};

/// List models: those of a running server, else those that a server here would load; then those that were downloaded
#[derive(Args)]
pub struct List {
    #[command(flatten)]
    making: Making,
    /// Address of a running server
    #[arg(long, default_value = DEFAULT_URL)]
    url: String,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// What a running server answers.
#[derive(Deserialize)]
struct Running {
    models: Vec<ModelStatus>,
}

/// What is printed as JSON.
#[derive(Serialize)]
struct Listing<T> {
    models: Vec<T>,
    downloaded: Vec<Downloaded>,
}

#[derive(Serialize)]
struct LoadableModel {
    name: String,
    aliases: Vec<String>,
    readiness: &'static str,
    source: String,
}

#[derive(Serialize)]
struct Downloaded {
    repo: String,
    revision: String,
    bytes: u64,
    files: usize,
    /// Seconds since 1970.
    last_modified_s: u64,
}

impl List {
    /// Prints them.
    pub fn run(self) -> Result<(), String> {
        let List { making, url, json } = self;
        let config = making.config()?;
        let hub = Hub::new(&config.hub);
        let downloaded: Vec<Downloaded> = hub.list_cached().into_iter().map(downloaded).collect();
        let answer = runtime()?.block_on(client::get(&url, "/_mimus/models", making.key.as_deref()))?;
        match answer {
            Some(body) => {
                let wrong = |error| format!("{url} does not answer as Mimus does: {error}");
                let running: Running = serde_json::from_slice(&body).map_err(wrong)?;
                let listing = Listing { models: running.models, downloaded };
                show(&listing, json, &format!("server at {url}"), running_rows)
            }
            None => {
                let planned = plan(&crate::contents().models, &config)?;
                let listing = Listing { models: planned.iter().map(loadable).collect(), downloaded };
                show(&listing, json, "no server is running; this is what one would load", loadable_rows)
            }
        }
    }
}

fn show<T: Serialize>(
    listing: &Listing<T>,
    json: bool,
    note: &str,
    rows: impl FnOnce(&[T]) -> Vec<Vec<String>>,
) -> Result<(), String> {
    if json {
        println!("{}", serde_json::to_string_pretty(listing).map_err(|error| error.to_string())?);
        return Ok(());
    }
    eprintln!("({note})");
    print!("{}", table(&rows(&listing.models)));
    if !listing.downloaded.is_empty() {
        println!("\nDownloaded:\n{}", table(&downloaded_rows(&listing.downloaded)).trim_end());
    }
    Ok(())
}

fn downloaded(model: CachedModel) -> Downloaded {
    let CachedModel { repo, revision, bytes, files, last_modified } = model;
    let last_modified_s = last_modified.duration_since(UNIX_EPOCH).map_or(0, |time| time.as_secs());
    Downloaded { repo, revision, bytes, files, last_modified_s }
}

fn downloaded_rows(models: &[Downloaded]) -> Vec<Vec<String>> {
    let row = |model: &Downloaded| {
        vec![model.repo.clone(), model.revision.clone(), bytes(model.bytes), model.files.to_string()]
    };
    let head = ["NAME", "REVISION", "SIZE", "FILES"].map(str::to_owned).into();
    std::iter::once(head).chain(models.iter().map(row)).collect()
}

fn loadable(planned: &Planned) -> LoadableModel {
    let source = match &planned.files {
        Files::Here(Source::Folder(path) | Source::Gguf(path) | Source::Onnx(path)) => path.display().to_string(),
        Files::Here(Source::Embedded(_)) => "built in".to_owned(),
        Files::Hub(wanted) => wanted.repo.clone(),
    };
    LoadableModel { name: planned.name.clone(), aliases: planned.aliases.clone(), readiness: "unloaded", source }
}

fn loadable_rows(models: &[LoadableModel]) -> Vec<Vec<String>> {
    let rows = models.iter().map(|model| vec![model.name.clone(), model.aliases.join(", "), model.source.clone()]);
    std::iter::once(["NAME", "ALIASES", "SOURCE"].map(str::to_owned).into()).chain(rows).collect()
}

fn running_rows(models: &[ModelStatus]) -> Vec<Vec<String>> {
    let head = ["NAME", "ALIASES", "STATE", "FAMILY", "FORMAT", "PARAMETERS", "CONTEXT", "ABILITIES"];
    let row = |model: &ModelStatus| {
        let is_ready = model.readiness == Readiness::Ready;
        let state = match model.readiness {
            Readiness::Ready => "ready".to_owned(),
            Readiness::Loading => match &model.progress {
                Some(progress) => format!("loading {:.0} %", progress.fraction * 100.0),
                None => "loading".to_owned(),
            },
            Readiness::Idle => "idle".to_owned(),
            Readiness::Failed => format!("failed: {}", model.detail),
        };
        let format = [Some(&model.format), model.quantization.as_ref()].into_iter().flatten().cloned();
        vec![
            model.name.clone(),
            model.aliases.join(", "),
            state,
            model.architecture.clone(),
            format.collect::<Vec<_>>().join(" "),
            if is_ready { short(model.parameters) } else { String::new() },
            if is_ready { model.context_tokens.to_string() } else { String::new() },
            model.abilities.join(", "),
        ]
    };
    std::iter::once(head.map(str::to_owned).into()).chain(models.iter().map(row)).collect()
}

/// A large number with three digits and a letter: `596M`.
fn short(number: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1_000_000_000, "B"), (1_000_000, "M"), (1_000, "K")];
    match STEPS.iter().find(|(step, _)| number >= *step) {
        // Precision is of no matter in three digits.
        Some((step, letter)) if number < 10 * step => format!("{:.1}{letter}", number as f64 / *step as f64),
        Some((step, letter)) => format!("{}{letter}", number / step),
        None => number.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shortened() {
        for (number, expect) in
            [(0, "0"), (999, "999"), (2_700_000, "2.7M"), (596_049_920, "596M"), (7_600_000_000, "7.6B")]
        {
            assert_eq!(short(number), expect);
        }
    }
}
