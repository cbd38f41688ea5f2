//! `mimus model rm`: deletes a model that was downloaded.

use std::io::{BufRead, IsTerminal};

use clap::Args;

use super::bytes;
use crate::cli::Making;
use crate::hub::Hub;

/// Delete a model that was downloaded
#[derive(Args)]
pub struct Rm {
    #[command(flatten)]
    making: Making,
    /// Model on the hub
    repo: String,
    /// Do not ask
    #[arg(long)]
    yes: bool,
}

impl Rm {
    /// Deletes it once the person agrees.
    pub fn run(self) -> Result<(), String> {
        let hub = Hub::new(&self.making.config()?.hub);
        if !self.yes {
            let revisions = hub.list_cached().into_iter().filter(|model| model.repo == self.repo).count();
            self.ask(revisions)?;
        }
        let freed = hub.remove(&self.repo).map_err(|error| error.to_string())?;
        println!("{} is deleted; {} are free again", self.repo, bytes(freed));
        Ok(())
    }

    fn ask(&self, revisions: usize) -> Result<(), String> {
        let Rm { repo, .. } = self;
        if !std::io::stdin().is_terminal() {
            return Err(format!("say --yes to delete {repo}: there is no terminal to ask at"));
        }
        eprint!("Delete {repo} ({revisions} revisions), for all programs that use this cache? [y/N] ");
        let mut answer = String::new();
        std::io::stdin().lock().read_line(&mut answer).map_err(|error| format!("cannot read: {error}"))?;
        match answer.trim().to_lowercase().as_str() {
            "y" | "yes" => Ok(()),
            _ => Err(format!("{repo} is kept")),
        }
    }
}
