//! `models`: which models the server has.

use crate::model::{ModelStatus, Progress, Readiness, ReplicaStatus, Stage};
use crate::plugin::bindings::personality::mimus::plugin::models as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    fn list(&mut self) -> wasmtime::Result<Vec<wit::Model>> {
        self.count_call()?;
        Ok(self.services.catalog.list().into_iter().map(to_wit).collect())
    }

    fn get(&mut self, name: String) -> wasmtime::Result<Option<wit::Model>> {
        self.count_call()?;
        Ok(self.services.catalog.status(&name).map(to_wit))
    }
}

fn to_wit(model: ModelStatus) -> wit::Model {
    wit::Model {
        name: model.name,
        aliases: model.aliases,
        abilities: model.abilities,
        readiness: to_readiness(model.readiness),
        detail: model.detail,
        progress: model.progress.map(to_progress),
        family: model.registry_family,
        architecture: model.architecture,
        format: model.format,
        quantization: model.quantization,
        parameters: model.parameters,
        memory_bytes: model.memory_bytes,
        context_tokens: model.context_tokens,
        vocab_tokens: model.vocab_tokens,
        dimensions: model.dimensions,
        created_s: model.created_s,
        bos_token: model.bos_token,
        hub_id: model.hub_id,
        requests_max: model.requests_max,
        is_launched: model.is_launched,
        is_pinned: model.is_pinned,
        replicas: model.replicas.into_iter().map(to_replica).collect(),
    }
}

fn to_replica(replica: ReplicaStatus) -> wit::Replica {
    let narrow = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    wit::Replica {
        id: replica.id,
        readiness: to_readiness(replica.readiness),
        detail: replica.detail,
        progress: replica.progress.map(to_progress),
        running: narrow(replica.running),
        waiting: narrow(replica.waiting),
        created_ms: replica.created_ms,
    }
}

fn to_readiness(readiness: Readiness) -> wit::Readiness {
    match readiness {
        Readiness::Loading => wit::Readiness::Loading,
        Readiness::Ready => wit::Readiness::Ready,
        Readiness::Failed => wit::Readiness::Failed,
        Readiness::Idle => wit::Readiness::Idle,
    }
}

fn to_progress(progress: Progress) -> wit::Progress {
    wit::Progress {
        stage: match progress.stage {
            Stage::Waiting => wit::Stage::Waiting,
            Stage::Downloading => wit::Stage::Downloading,
            Stage::Loading => wit::Stage::Loading,
        },
        fraction: progress.fraction,
        done_bytes: progress.done_bytes,
        total_bytes: progress.total_bytes,
    }
}
