//! `mimus model`: which models answer, what was downloaded, and downloading more. One file a command.

mod list;
mod progress;
mod pull;
mod rm;
mod run;
mod target;

use clap::Subcommand;

/// Models.
#[derive(Subcommand)]
pub enum Model {
    /// List models: those of a running server, else those that a server here would load; then those that were downloaded
    List(list::List),
    /// Download a model from the hub
    Pull(pull::Pull),
    /// Delete a model that was downloaded
    Rm(rm::Rm),
    /// Talk to a model, downloading it if need be
    Run(run::Run),
}

impl Model {
    /// Runs the command.
    pub fn run(self) -> Result<(), String> {
        match self {
            Model::List(list) => list.run(),
            Model::Pull(pull) => pull.run(),
            Model::Rm(rm) => rm.run(),
            Model::Run(run) => run.run(),
        }
    }
}

/// A number of bytes as people read it: `5.9 GB`.
fn bytes(number: u64) -> String {
    indicatif::DecimalBytes(number).to_string()
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
    fn columns_stand_below_each_other() {
        let rows = [["a", "bb", "c"], ["aaa", "", "ccc"]].map(|row| row.map(str::to_owned).to_vec());
        assert_eq!(table(&rows), "a    bb  c\naaa      ccc\n");
        assert_eq!(table(&[]), "");
    }
}
