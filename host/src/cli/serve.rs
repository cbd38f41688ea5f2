//! `mimus serve`: the main job.

use clap::Args;
use serde_json::json;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::{Making, runtime};
use crate::server::Server;
use crate::telemetry;

/// Start the server.
#[derive(Args)]
pub struct Serve {
    #[command(flatten)]
    making: Making,
    /// Tell of the start in JSON lines
    #[arg(long)]
    json: bool,
}

impl Serve {
    /// Serves until a signal, then drains.
    pub fn run(self) -> Result<(), String> {
        let config = self.making.config()?;
        telemetry::start_log(config.log, &config.log_level)?;
        for line in config.describe().lines() {
            tracing::info!("{line}");
        }
        let runtime = runtime()?;
        runtime.block_on(async {
            let mut signals = Signals::new()?;
            let server = tokio::select! {
                server = Server::start(config, crate::contents()) => server?,
                () = signals.next() => return Ok(()),
            };
            // The server answers already; to the people who wait for it, it is ready when its models are.
            tokio::select! {
                () = server.shared().catalog.wait_loaded() => {
                    self.announce(&server);
                    signals.next().await;
                }
                () = signals.next() => {}
            }
            tracing::info!("draining: requests under way finish; a second signal ends them");
            let is_clean = tokio::select! {
                is_clean = server.drain() => is_clean,
                () = signals.next() => {
                    tracing::warn!("stopped at once; requests under way are cut off");
                    std::process::exit(1)
                }
            };
            tracing::info!(is_clean, "stopped");
            Ok::<(), String>(())
        })?;
        // Whatever a task still holds must not delay the end.
        runtime.shutdown_background();
        Ok(())
    }

    /// Tells where everything is, once it answers.
    fn announce(&self, server: &Server) {
        let main = format!("http://{}", server.main_address());
        let addresses = server.addresses();
        if self.json {
            println!("{}", json!({"event": "ready", "listen": main, "dialects": addresses}));
            return;
        }
        println!("Mimus {} is ready at {main}  (API documents: {main}/docs)\n", env!("CARGO_PKG_VERSION"));
        let width = addresses.iter().map(|address| address.name.len()).max().unwrap_or(0);
        for address in addresses {
            println!("  {:width$}  {}{}", address.name, address.base_url, address.client_path);
        }
        for conflict in &server.shared().snapshot.load().conflicts {
            println!("  note: {conflict}");
        }
        println!();
    }
}

/// SIGTERM and SIGINT.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Signals, String> {
        let on = |kind| signal(kind).map_err(|error| format!("cannot watch for signals: {error}"));
        Ok(Signals { terminate: on(SignalKind::terminate())?, interrupt: on(SignalKind::interrupt())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}
