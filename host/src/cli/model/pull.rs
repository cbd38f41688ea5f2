//! `mimus model pull`: downloads a model.

use std::path::PathBuf;

use clap::Args;

use super::progress::Shown;
use super::target;
use crate::cli::{Making, runtime};
use crate::config::HubConfig;
use crate::hub::{Hub, Wanted};

/// Download a model from the hub
#[derive(Args)]
pub struct Pull {
    #[command(flatten)]
    making: Making,
    /// Model on the hub, of GGUF files the one with this quantization or this file; or a family such as qwen2.5-instruct
    #[arg(value_name = "REPO[:QUANT|:FILE]|FAMILY[:SIZE][:QUANT]")]
    target: String,
    /// Branch, tag or commit [default: main]
    #[arg(long)]
    revision: Option<String>,
    /// Print one line of JSON an event
    #[arg(long)]
    json: bool,
}

impl Pull {
    /// Downloads it and prints where it is.
    pub fn run(self) -> Result<(), String> {
        let config = self.making.config()?;
        let wanted = target::wanted(&self.target, self.revision.as_deref(), &config).inspect_err(|message| {
            if self.json {
                Shown::new(true).failed(message);
            }
        })?;
        let path = download(&config.hub, &wanted, self.json)?;
        if !self.json {
            println!("{}", path.display());
        }
        Ok(())
    }
}

/// Downloads a model and shows how far it is. Ctrl-C stops it; what has come is kept.
pub fn download(config: &HubConfig, wanted: &Wanted, is_json: bool) -> Result<PathBuf, String> {
    let shown = Shown::new(is_json);
    let hub = Hub::new(config);
    let runtime = runtime()?;
    let progress = |progress| shown.progress(progress);
    let result = runtime.block_on(async {
        tokio::select! {
            biased;
            Ok(()) = tokio::signal::ctrl_c() => Err("stopped; what has come is kept, pull again to go on".to_owned()),
            result = hub.pull(wanted, &progress) => result.map_err(|error| error.to_string()),
        }
    });
    match &result {
        Ok(path) => shown.done(path),
        Err(message) => shown.failed(message),
    }
    result
}
