//! `/_mimus/dialects`: which dialects serve, where, and by which routes.

use serde_json::{Value, json};

use crate::plugin::{Dialect, Snapshot};
use crate::server::Shared;

/// All dialects, in the order in which they win paths at the root.
pub(super) fn of(shared: &Shared, snapshot: &Snapshot) -> Value {
    let dialects: Vec<Value> = snapshot.dialects.iter().map(|dialect| describe(shared, dialect)).collect();
    json!({"dialects": dialects, "conflicts": snapshot.conflicts})
}

/// One dialect. `port` is that of its own listener, where it has one; the mount point is on the main listener.
fn describe(shared: &Shared, dialect: &Dialect) -> Value {
    let manifest = &dialect.personality.manifest;
    let routes: Vec<Value> = manifest
        .routes
        .iter()
        .map(|route| {
            json!({
                "method": route.method.as_str(),
                "path": route.pattern.to_string(),
                "is_public": route.is_public,
            })
        })
        .collect();
    json!({
        "name": manifest.name,
        "version": manifest.version,
        "description": manifest.description,
        "mount": format!("/{}", manifest.name),
        "client_path": manifest.client_base_path,
        "port": shared.ports.get().and_then(|ports| ports.get(&manifest.name)),
        "routes": routes,
    })
}
