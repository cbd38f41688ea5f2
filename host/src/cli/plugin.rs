//! `mimus plugin`: builds plugins, and tells which serve and why others do not.

use std::path::{Path, PathBuf};

use clap::Subcommand;
use serde::{Deserialize, Serialize};

use super::{DEFAULT_URL, Making, runtime};
use crate::http::client;
use crate::plugin::{Record, compile_as_child};
use crate::server::Core;

/// Plugins.
#[derive(Subcommand)]
pub enum Plugin {
    /// List plugins: those of a running server, else those that a server here would load
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
    /// Compile a plugin crate to a component
    Build {
        /// The crate's folder
        folder: PathBuf,
        /// Where the component goes; a server that watches the place swaps it in [default: <name>.wasm in this folder]
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Compile a component from standard input; used by the server itself
    #[command(hide = true)]
    Compile {
        /// Where the machine code goes
        output: PathBuf,
    },
}

#[derive(Serialize, Deserialize)]
struct Listing {
    plugins: Vec<Record>,
    conflicts: Vec<String>,
}

impl Plugin {
    /// Runs the command.
    pub fn run(self) -> Result<(), String> {
        match self {
            Plugin::List { making, url, json } => list(&making, &url, json),
            Plugin::Build { folder, out } => build(&folder, out),
            Plugin::Compile { output } => compile_as_child(&output).map_err(|error| error.to_string()),
        }
    }
}

/// Compiles and puts the component in place by renaming, so that nobody sees half of it.
fn build(folder: &Path, out: Option<PathBuf>) -> Result<(), String> {
    let component = mimus_sdk_build::build_path(folder).map_err(|error| error.to_string())?;
    let out = out.unwrap_or_else(|| PathBuf::from(format!("{}.wasm", component.name)));
    let beside = out.with_extension("wasm.new");
    let copied = std::fs::copy(&component.path, &beside).and_then(|_| std::fs::rename(&beside, &out));
    copied.map_err(|error| format!("{}: {error}", out.display()))?;
    println!("{}", out.display());
    Ok(())
}

fn list(making: &Making, url: &str, json: bool) -> Result<(), String> {
    let runtime = runtime()?;
    let (listing, from) = match runtime.block_on(client::get(url, "/_mimus/plugins", making.key.as_deref()))? {
        Some(body) => {
            let listing: Listing = serde_json::from_slice(&body)
                .map_err(|error| format!("{url} does not answer as Mimus does: {error}"))?;
            (listing, format!("server at {url}"))
        }
        None => {
            // State is not touched: a server that runs elsewhere may hold it.
            let mut config = making.config()?;
            config.data = None;
            let core = Core::open(&config, crate::contents(), tokio::sync::watch::channel(false).1)?;
            let plugins = core.shared.records.load().to_vec();
            (
                Listing { plugins, conflicts: core.shared.snapshot.load().conflicts.clone() },
                "no server is running; this is what one would load".into(),
            )
        }
    };
    if json {
        println!("{}", serde_json::to_string_pretty(&listing).map_err(|error| error.to_string())?);
        return Ok(());
    }
    eprintln!("({from})");
    let head = ["NAME", "KIND", "VERSION", "HASH", "SOURCE", "STATE"].map(str::to_owned);
    let rows = listing.plugins.iter().map(|record| {
        [&record.name, &record.kind, &record.version, &record.hash, &record.source, &record.state].map(Clone::clone)
    });
    let rows: Vec<[String; 6]> = std::iter::once(head).chain(rows).collect();
    let widths: Vec<usize> =
        (0..6).map(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)).collect();
    for (index, row) in rows.iter().enumerate() {
        let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        println!("{}", cells.join("  ").trim_end());
        if let Some(error) = index.checked_sub(1).and_then(|index| listing.plugins[index].last_error.as_ref()) {
            println!("    {error}");
        }
    }
    for conflict in &listing.conflicts {
        println!("note: {conflict}");
    }
    Ok(())
}
