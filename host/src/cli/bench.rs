//! `mimus bench`: what this server costs on this machine, measured against the same work without it, in one run.

mod embed;
mod grammar;
mod load;
mod plugin;
mod rerank;

use std::path::PathBuf;
use std::time::Duration;

use clap::Subcommand;

use super::Making;

/// Benchmarks.
#[derive(Subcommand)]
pub enum Bench {
    /// The cost of a plugin: requests/s on a trivial route, a whole chat, the first and a further streamed token
    Plugin {
        #[command(flatten)]
        making: Making,
        /// Seconds for each measurement
        #[arg(long, default_value_t = 3)]
        seconds: u64,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// The cost of a constraint: tokens/s with and without a JSON Schema, by turns
    Grammar {
        #[command(flatten)]
        making: Making,
        /// Rounds of each measurement
        #[arg(long, default_value_t = 7)]
        rounds: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Texts/s of an embedding model, one at a time and 64 at a time
    Embed {
        /// Folder of a model; the built-in one unless given
        #[arg(long)]
        model: Option<PathBuf>,
        /// File with a text a line; made up unless given
        #[arg(long)]
        texts: Option<PathBuf>,
        /// Threads that compute; all unless given
        #[arg(long)]
        threads: Option<usize>,
        /// Rounds of each measurement
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Documents/s of a reranker, one at a time and 64 at a time
    Rerank {
        /// Folder of a model
        #[arg(long)]
        model: PathBuf,
        /// What the documents are scored for
        #[arg(long, default_value = "which bird sings in every voice?")]
        query: String,
        /// File with a document a line; made up unless given
        #[arg(long)]
        documents: Option<PathBuf>,
        /// Threads that compute; all unless given
        #[arg(long)]
        threads: Option<usize>,
        /// Rounds of each measurement
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Loading a model beside reading its files, by turns
    Load {
        /// Folder of a model, or a GGUF file
        path: PathBuf,
        /// Threads that read and convert; all unless given
        #[arg(long)]
        threads: Option<usize>,
        /// Rounds of each measurement
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

impl Bench {
    /// Runs the benchmark.
    pub fn run(self) -> Result<(), String> {
        match self {
            Bench::Plugin { making, seconds, json } => plugin::run(&making, Duration::from_secs(seconds), json),
            Bench::Grammar { making, rounds, json } => grammar::run(&making, rounds, json),
            Bench::Embed { model, texts, threads, rounds, json } => {
                embed::run(model, texts.as_deref(), threads, rounds, json)
            }
            Bench::Rerank { model, query, documents, threads, rounds, json } => {
                rerank::run(model, &query, documents.as_deref(), threads, rounds, json)
            }
            Bench::Load { path, threads, rounds, json } => load::run(&path, threads, rounds, json),
        }
    }
}

/// The value in the middle; 0 of none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or_default()
}
