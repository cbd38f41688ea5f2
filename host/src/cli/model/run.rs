//! `mimus model run`: talks to a model in the terminal, downloading it if need be.

use clap::Args;

use super::{pull, target};
use crate::cli::Making;
use crate::cli::chat::{Chat, Subject};
use crate::hub::Hub;
use crate::model::plan;

/// Talk to a model, downloading it if need be
#[derive(Args)]
pub struct Run {
    #[command(flatten)]
    making: Making,
    /// A model of this server, one on the hub (of GGUF files the one with this quantization or this file), or a family
    #[arg(value_name = "NAME|REPO[:QUANT|:FILE]|FAMILY[:SIZE][:QUANT]")]
    target: String,
    /// Branch, tag or commit [default: main]
    #[arg(long)]
    revision: Option<String>,
    /// What the model is told before the conversation
    #[arg(long, value_name = "TEXT")]
    system: Option<String>,
    /// Print the download's events and the answer's pieces as lines of JSON
    #[arg(long)]
    json: bool,
    /// Ask this and end; without it, and with a terminal, talk
    message: Option<String>,
}

impl Run {
    /// Talks until the end of the input.
    pub fn run(self) -> Result<(), String> {
        let config = self.making.config()?;
        let planned = plan(&crate::contents().models, &config)?;
        let is_here = |name: &str| {
            planned.iter().any(|model| model.name == name || model.aliases.iter().any(|alias| alias == name))
        };
        let subject = match is_here(&self.target) {
            true => Subject::Named(self.target),
            false => {
                let wanted = target::wanted(&self.target, self.revision.as_deref(), &config)?;
                let path = match Hub::new(&config.hub).cached(&wanted) {
                    Some(path) => path,
                    None => pull::download(&config.hub, &wanted, self.json)?,
                };
                Subject::At { name: self.target, path }
            }
        };
        Chat::about(subject, self.making, self.system, self.json, self.message).run()
    }
}
