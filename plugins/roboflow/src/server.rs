//! The server itself: who it is, whether it lives, what it runs on.

use mimus_sdk::{Request, Response, config, machine, random, state};
use serde_json::{Value, json};

use crate::fault::Fault;
use crate::keys;

/// What clients of the original know it by.
const NAME: &str = "Roboflow Inference Server";

/// Key of the server's id.
const KEY: &str = "uuid";

/// Characters of the server's id, as many as the original's.
const ID_CHARACTERS: u32 = 6;

const PAGE: &str = include_str!("server/page.html");

/// `GET /info`.
pub(crate) fn info(_: &Request, response: &mut Response) -> Result<(), Fault> {
    let known: Option<state::Versioned<String>> = state::get(KEY)?;
    let id = match known {
        Some(id) => id.value,
        None => state::update(KEY, None, |known: Option<String>| known.unwrap_or_else(|| random::id(ID_CHARACTERS)))?,
    };
    Ok(response.json(200, &json!({ "name": NAME, "version": config::server_version(), "uuid": id }))?)
}

/// `GET /healthz`.
pub(crate) fn health(_: &Request, response: &mut Response) -> Result<(), Fault> {
    Ok(response.json(200, &json!({ "status": "healthy" }))?)
}

/// `GET /readiness`.
pub(crate) fn readiness(_: &Request, response: &mut Response) -> Result<(), Fault> {
    Ok(response.json(200, &json!({ "status": "ready" }))?)
}

/// `GET /`.
pub(crate) fn page(_: &Request, response: &mut Response) -> Result<(), Fault> {
    Ok(response.bytes(200, "text/html; charset=utf-8", PAGE.into())?)
}

/// `GET /redoc`: the server has one page for its documents.
pub(crate) fn documents(request: &Request, response: &mut Response) -> Result<(), Fault> {
    response.header("location", &format!("{}/docs", request.head().mount));
    Ok(response.empty(307)?)
}

/// `GET /device/stats`.
pub(crate) fn stats(request: &Request, response: &mut Response) -> Result<(), Fault> {
    keys::check(request, None)?;
    let info = machine::info();
    let gpu = |gpu: &machine::Gpu| {
        json!({
            "name": gpu.name,
            "memory_total_bytes": gpu.memory_bytes,
            "memory_available_bytes": gpu.memory_available_bytes,
        })
    };
    let answer = json!({
        "uptime_seconds": info.uptime_s,
        "cpu_count": info.processors,
        "cpu_load": info.processor_load,
        "memory_total_bytes": info.memory_bytes,
        "memory_available_bytes": info.memory_available_bytes,
        "model_memory_bytes": info.model_memory_bytes,
        "gpus": info.gpus.iter().map(gpu).collect::<Vec<Value>>(),
    });
    Ok(response.json(200, &answer)?)
}
