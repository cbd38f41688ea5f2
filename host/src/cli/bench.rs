//! `mimus bench`: what this server costs on this machine, measured against the same work without it, in one run.

mod grammar;
mod plugin;

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
}

impl Bench {
    /// Runs the benchmark.
    pub fn run(self) -> Result<(), String> {
        match self {
            Bench::Plugin { making, seconds, json } => plugin::run(&making, Duration::from_secs(seconds), json),
            Bench::Grammar { making, rounds, json } => grammar::run(&making, rounds, json),
        }
    }
}
