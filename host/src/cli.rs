//! The command line: one file a command.

mod bench;
mod chat;
mod config;
mod model;
mod plugin;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Args, Parser, Subcommand};

use crate::config::{Config, Overrides};

/// One inference server that answers in every API's voice.
#[derive(Parser)]
#[command(name = "mimus", version, about, propagate_version = true)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Start the server
    Serve(serve::Serve),
    /// Talk to a model
    Chat(chat::Chat),
    /// Models: list, pull, rm, run
    #[command(subcommand)]
    Model(model::Model),
    /// Plugins: build, list
    #[command(subcommand)]
    Plugin(plugin::Plugin),
    /// Print a configuration file with every key, its default and what it is for
    Config(config::Example),
    /// Measure this machine
    #[command(subcommand)]
    Bench(bench::Bench),
}

/// Where a server of this machine answers unless told otherwise.
pub const DEFAULT_URL: &str = "http://127.0.0.1:8080";

/// Options that say what a server would be made of.
#[derive(Args, Clone, Default)]
pub struct Making {
    /// Configuration file [default: mimus.toml in this folder, where there is one]
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// API key for a running server that asks for one
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
    #[command(flatten)]
    overrides: Overrides,
}

impl Making {
    /// The configuration with these options on top.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn config(&self) -> Result<Config, String> {
        Config::load(self.config.as_deref(), &self.overrides).map_err(|error| error.to_string())
    }
}

/// Runs the command that the user gave.
pub fn run() -> ExitCode {
    let done = match Line::parse().command {
        Command::Serve(serve) => serve.run(),
        Command::Chat(chat) => chat.run(),
        Command::Model(model) => model.run(),
        Command::Plugin(plugin) => plugin.run(),
        Command::Config(example) => example.run(),
        Command::Bench(bench) => bench.run(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("mimus: {message}");
            ExitCode::FAILURE
        }
    }
}

/// An executor for a command.
fn runtime() -> Result<tokio::runtime::Runtime, String> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| format!("cannot start threads: {error}"))
}
