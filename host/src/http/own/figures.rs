//! `/_mimus/figures`: what the server does now and has done since its start, for those who draw it. All counts only grow; whoever
//! wants a rate asks twice.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::status;
use crate::server::Shared;
use crate::telemetry::SPREAD_MS;

/// All figures at this moment.
pub(super) fn of(shared: &Shared) -> Value {
    let (memory_bytes_max, memory_bytes) = shared.catalog.memory();
    let since_1970 = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let models: Vec<Value> = shared
        .catalog
        .activities()
        .into_iter()
        .map(|(name, activity)| {
            json!({
                "name": name,
                "running": activity.running_sequences,
                "waiting": activity.waiting_requests,
                "generated_tokens": activity.generated_tokens,
                "computed_prompt_tokens": activity.computed_prompt_tokens,
                "kv_blocks_used": activity.kv_blocks_used,
                "kv_blocks_max": activity.kv_blocks_max,
            })
        })
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "status": status(shared, &shared.catalog.loading()),
        "at_ms": u64::try_from(since_1970.as_millis()).unwrap_or(u64::MAX),
        "uptime_ms": u64::try_from(shared.started.elapsed().as_millis()).unwrap_or(u64::MAX),
        // Beside the one that asks.
        "requests_in_flight": (shared.metrics.in_flight() - 1).max(0),
        "connections": shared.metrics.connections(),
        "memory_bytes": memory_bytes,
        // None where nobody can tell how much there is.
        "memory_bytes_max": (memory_bytes_max != u64::MAX).then_some(memory_bytes_max),
        "spread_ms": SPREAD_MS,
        "dialects": shared.metrics.traffic(),
        "models": models,
    })
}
