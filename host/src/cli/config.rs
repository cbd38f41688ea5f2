//! `mimus config`: a configuration file to start from.

use clap::Args;

use crate::config::Config;

/// Print a configuration file with every key, its default and what it is for
#[derive(Args)]
pub struct Example {}

impl Example {
    /// Prints it.
    pub fn run(self) -> Result<(), String> {
        print!("{}", Config::example());
        Ok(())
    }
}
