//! `mimus model`: which models answer, and why others do not.

use clap::Subcommand;
use mimus_engine::Source;
use serde::{Deserialize, Serialize};

use super::{DEFAULT_URL, Making, runtime};
use crate::http::client;
use crate::model::{ModelStatus, Planned, Readiness, plan};

/// Models.
#[derive(Subcommand)]
pub enum Model {
    /// List models: those of a running server, else those that a server here would load
    List {
        #[command(flatten)]
        making: Making,
        /// Address of a running server
        #[arg(long, default_value = DEFAULT_URL)]
        url: String,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

/// What a running server answers.
#[derive(Serialize, Deserialize)]
struct Running {
    models: Vec<ModelStatus>,
}

/// What a server here would load.
#[derive(Serialize)]
struct Loadable {
    models: Vec<LoadableModel>,
}

#[derive(Serialize)]
struct LoadableModel {
    name: String,
    aliases: Vec<String>,
    readiness: &'static str,
    source: String,
}

impl Model {
    /// Runs the command.
    pub fn run(self) -> Result<(), String> {
        let Model::List { making, url, json } = self;
        let answer = runtime()?.block_on(client::get(&url, "/_mimus/models", making.key.as_deref()))?;
        match answer {
            Some(body) => {
                let wrong = |error| format!("{url} does not answer as Mimus does: {error}");
                let running: Running = serde_json::from_slice(&body).map_err(wrong)?;
                show(&running, json, &format!("server at {url}"), || running_rows(&running.models))
            }
            None => {
                let planned = plan(&crate::contents().models, &making.config()?)?;
                let loadable = Loadable { models: planned.iter().map(loadable).collect() };
                let note = "no server is running; this is what one would load";
                show(&loadable, json, note, || loadable_rows(&loadable.models))
            }
        }
    }
}

fn show(
    listing: &impl Serialize,
    json: bool,
    note: &str,
    rows: impl FnOnce() -> Vec<Vec<String>>,
) -> Result<(), String> {
    if json {
        println!("{}", serde_json::to_string_pretty(listing).map_err(|error| error.to_string())?);
        return Ok(());
    }
    eprintln!("({note})");
    print!("{}", table(&rows()));
    Ok(())
}

fn loadable(planned: &Planned) -> LoadableModel {
    let source = match &planned.source {
        Source::Folder(path) | Source::Gguf(path) => path.display().to_string(),
        Source::Embedded(_) => "built in".to_owned(),
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
            Readiness::Loading => "loading".to_owned(),
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

/// Rows with their columns below each other.
fn table(rows: &[Vec<String>]) -> String {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let line = |row: &Vec<String>| {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        format!("{}\n", cells.collect::<Vec<_>>().join("  ").trim_end())
    };
    rows.iter().map(line).collect()
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

    #[test]
    fn columns_stand_below_each_other() {
        let rows = [["a", "bb", "c"], ["aaa", "", "ccc"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a    bb  c\naaa      ccc\n");
        assert_eq!(table(&[]), "");
    }
}
