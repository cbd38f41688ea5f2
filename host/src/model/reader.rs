//! The [`Reader`] of a server: files of this machine or of the hub, read by the engine.

use std::ops::ControlFlow;
use std::sync::Arc;

use mimus_engine::{LoadError, Model as EngineModel, Source};

use super::job::{Job, Stage};
use super::loading::{Reader, Stop};
use super::plan::{Files, Planned, source_of};
use crate::hub::Hub;

/// See the module.
pub struct EngineReader {
    /// Where files come from that are not here.
    pub hub: Arc<Hub>,
}

impl Reader for EngineReader {
    fn fetch(&self, planned: &Planned, job: &Job) -> Result<Source, Stop> {
        let wanted = match &planned.files {
            Files::Here(source) => return Ok(source.clone()),
            Files::Hub(wanted) => wanted,
        };
        let failed = |error: &dyn std::fmt::Display| Stop::Failed(error.to_string());
        // This thread belongs to the load, so the network may be driven from it.
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| failed(&error))?;
        runtime.block_on(async {
            let progress = |now: crate::hub::PullProgress| job.report(Stage::Downloading, now.bytes, now.total);
            tokio::select! {
                biased;
                () = job.cancelled() => Err(Stop::Cancelled),
                pulled = self.hub.pull(wanted, &progress) => match pulled {
                    Ok(path) => Ok(source_of(&path)),
                    Err(error) => Err(failed(&error)),
                },
            }
        })
    }

    fn measure(&self, planned: &Planned, source: &Source) -> Result<u64, LoadError> {
        let found = mimus_engine::inspect(source, &planned.options)?;
        Ok(found.weight_bytes + found.kv_bytes)
    }

    fn load(
        &self,
        planned: &Planned,
        source: Source,
        progress: &dyn Fn(u64, u64) -> ControlFlow<()>,
    ) -> Result<EngineModel, LoadError> {
        mimus_engine::load(source, &planned.options, &|now| progress(now.loaded_bytes, now.total_bytes))
    }
}
