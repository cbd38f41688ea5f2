//! `mimus bench`: what this server costs on this machine, measured against the same work without it, in one run.

mod embed;
mod grammar;
mod plugin;

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
        }
    }
}
