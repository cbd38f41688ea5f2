//! The server as a cluster of one: `/status`, `/v1/address`, `/v1/cluster/…`, `/v1/supervisor`, `/v1/workers`.

use mimus_sdk::{Request, Response, clock, config, machine, models};
use serde_json::{Map, Value, json};

use crate::description::{self, address};
use crate::refusal::Refusal;
use crate::running;

/// Checks that a worker may miss before it counts as lost; this one misses none.
const FAILURES_LEFT: u32 = 5;

/// `GET /status`.
pub(crate) fn status(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let info = machine::info();
    let mut parts = Map::new();
    parts.insert(
        "cpu".into(),
        json!({
            "usage": info.processor_load,
            "total": info.processors,
            "memory_used": info.memory_bytes.saturating_sub(info.memory_available_bytes),
            "memory_available": info.memory_available_bytes,
            "memory_total": info.memory_bytes,
        }),
    );
    for (index, gpu) in info.gpus.iter().enumerate() {
        let used = gpu.memory_bytes.saturating_sub(gpu.memory_available_bytes);
        let usage = used as f64 / gpu.memory_bytes.max(1) as f64;
        parts.insert(
            format!("gpu-{index}"),
            json!({
                "name": gpu.name,
                "mem_total": gpu.memory_bytes,
                "mem_free": gpu.memory_available_bytes,
                "mem_used": used,
                "mem_usage": usage,
                "gpu_util": null,
            }),
        );
    }
    let worker = json!({
        "update_time": clock::now_ms() as f64 / 1000.0,
        "failure_remaining_count": FAILURES_LEFT,
        "status": parts,
    });
    let workers = Map::from_iter([(address(request).to_owned(), worker)]);
    Ok(response.json(200, &json!({ "uptime": info.uptime_s, "workers": workers }))?)
}

/// `GET /v1/address`.
pub(crate) fn tell_address(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &address(request))?)
}

/// `GET /v1/cluster/auth`: what every client since 0.8 asks first.
pub(crate) fn auth(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &json!({ "auth": config::requires_key() }))?)
}

/// `GET /v1/cluster/info`.
pub(crate) fn info(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let is_detailed = request.query("detailed").is_some_and(|value| is_true(&value));
    let info = machine::info();
    let total: u64 = info.gpus.iter().map(|gpu| gpu.memory_bytes).sum();
    let available: u64 = info.gpus.iter().map(|gpu| gpu.memory_available_bytes).sum();
    let node = |node_type: &str| {
        let mut node = json!({
            "node_type": node_type,
            "ip_address": address(request),
            "gpu_count": info.gpus.len(),
            "gpu_vram_total": total,
        });
        if is_detailed {
            let busy = f64::from(info.processors) * f64::from(info.processor_load);
            node["cpu_count"] = json!(info.processors);
            node["cpu_available"] = json!((f64::from(info.processors) - busy).max(0.0));
            node["mem_used"] = json!(info.memory_bytes.saturating_sub(info.memory_available_bytes));
            node["mem_available"] = json!(info.memory_available_bytes);
            node["mem_total"] = json!(info.memory_bytes);
            node["gpu_utilization"] = json!(0.0);
            node["gpu_vram_available"] = json!(available);
            if node_type == "Worker" {
                node["software_version"] = json!(config::server_version());
            }
        }
        node
    };
    Ok(response.json(200, &[node("Supervisor"), node("Worker")])?)
}

/// `GET /v1/cluster/version`.
pub(crate) fn version(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    let version = config::server_version();
    let answer = json!({ "version": version, "full-revisionid": null, "dirty": false, "error": null, "date": null });
    Ok(response.json(200, &answer)?)
}

/// `GET /v1/cluster/devices`.
pub(crate) fn devices(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &machine::info().gpus.len())?)
}

/// `GET /v1/supervisor`.
pub(crate) fn supervisor(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &json!({ "supervisor_ip": address(request) }))?)
}

/// `GET /v1/workers`.
pub(crate) fn workers(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let all = models::list();
    let serving = all.iter().filter(|model| running::is_serving(model));
    let replicas = serving.flat_map(|model| model.replicas.iter().map(move |replica| (model, replica)));
    let models: Map<String, Value> = replicas
        .map(|(model, replica)| (replica_uid(&model.name, replica.id), description::of(model, request)))
        .collect();
    Ok(response.json(200, &[json!({ "work-ip": address(request), "models": models })])?)
}

/// `DELETE /v1/clusters`: one client does not stop the server for all.
pub(crate) fn refuse_to_stop(_: &Request, _: &mut Response) -> Result<(), Refusal> {
    Err(Refusal::new(403, "A client cannot stop this server. Its operator can, on the machine where it runs."))
}

/// The uid of one replica.
pub(crate) fn replica_uid(uid: &str, id: u32) -> String {
    format!("{uid}-rep{id}")
}

/// A truth value as query strings have it.
pub(crate) fn is_true(value: &str) -> bool {
    matches!(value.to_ascii_lowercase().as_str(), "1" | "true" | "yes" | "on" | "t" | "y")
}
