//! Mimus: one inference server that answers in every API's voice.
//!
//! `ARCHITECTURE.md` beside this crate has the map. Start reading at `server.rs`.

mod answer;
mod cli;
mod config;
mod embedding;
mod http;
mod hub;
mod inference;
mod limits;
mod media;
mod model;
mod plugin;
mod registry;
mod reranking;
mod server;
mod state;
mod telemetry;
mod vision;

use std::process::ExitCode;

/// What comes with the program. The only place that joins the host with the bundle and the built-in models; both are data to it.
fn contents() -> server::Contents {
    let components = mimus_bundle::COMPONENTS.iter();
    let models = mimus_models::MODELS.iter();
    server::Contents {
        components: components
            .map(|component| plugin::Bundled { name: component.name, bytes: component.bytes })
            .collect(),
        order: mimus_bundle::ORDER,
        models: models.map(|model| model::Builtin { name: model.name, files: model.files }).collect(),
    }
}

fn main() -> ExitCode {
    cli::run()
}
