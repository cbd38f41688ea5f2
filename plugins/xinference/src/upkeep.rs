//! What operators do with a running cluster: parameters anew, models after a restart.

use mimus_sdk::models::{self, Model};
use mimus_sdk::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::running;
use crate::words::{engine, format, kind};

/// `GET /v1/models/{uid}/reload`.
pub(crate) fn reload_status(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    running::any(request.param("model_uid"))?;
    Ok(response.json(200, &json!({ "status": "idle" }))?)
}

/// `GET /v1/models/{uid}/reload/config`: there is nothing to change.
pub(crate) fn reload_config(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    running::any(request.param("model_uid"))?;
    let answer = json!({ "engine": engine::OWN, "parameters": {}, "values": {}, "can_upgrade_environment": false });
    Ok(response.json(200, &answer)?)
}

/// `POST /v1/models/{uid}/reload`.
pub(crate) fn refuse_reload(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    let uid = request.param("model_uid");
    running::any(uid)?;
    let detail = format!("Unsupported reload parameters: terminate model {uid} and launch it with the new ones.");
    Err(Refusal::bad(detail))
}

/// `GET /v1/autostart/models`: launched models come back after a restart by themselves, so these are they.
pub(crate) fn list_autostart(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &autostart())?)
}

/// `GET /v1/autostart/models/summary`.
pub(crate) fn autostart_summary(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    let one = |model: &Model| json!({ "enabled": true, "model_uid": model.name });
    let models: Vec<Value> = models::list().iter().filter(|model| model.is_launched).map(one).collect();
    Ok(response.json(200, &json!({ "models": models }))?)
}

#[derive(Deserialize)]
struct Entry {
    enabled: Option<bool>,
    launch: Option<Launch>,
    model_uid: Option<String>,
    model_name: Option<String>,
}

#[derive(Deserialize)]
struct Launch {
    model_uid: Option<String>,
    model_name: Option<String>,
}

/// `POST /v1/autostart/models`: true of a model that runs already, and of no other.
pub(crate) fn add_autostart(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let entry: Entry = request.json()?;
    let launch = entry.launch.unwrap_or(Launch { model_uid: entry.model_uid, model_name: entry.model_name });
    let uid = launch.model_uid.or(launch.model_name).ok_or_else(|| Refusal::missing("model_name"))?;
    if entry.enabled == Some(false) {
        return Err(stays(&uid));
    }
    let model = models::get(&uid).filter(|model| model.is_launched);
    if model.is_none() {
        let detail = format!("Model {uid} is not running. Launch it: launched models start again with the server.");
        return Err(Refusal::bad(detail));
    }
    Ok(response.json(200, &autostart())?)
}

/// `DELETE /v1/autostart/models/{uid}`.
pub(crate) fn remove_autostart(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let uid = request.param("model_uid");
    match models::get(uid).is_some_and(|model| model.is_launched) {
        true => Err(stays(uid)),
        // It does not start, which was wanted.
        false => Ok(response.json(200, &autostart())?),
    }
}

fn stays(uid: &str) -> Refusal {
    Refusal::bad(format!("A model that runs starts again with the server. Terminate model {uid} instead."))
}

fn autostart() -> Value {
    let one = |model: &Model| {
        json!({
            "enabled": true,
            "launch": {
                "model_uid": model.name,
                "model_name": running::name_of(model),
                "model_type": kind::type_of(kind::of_model(model)),
                "model_engine": engine::OWN,
                "model_format": format::name(&model.format),
                "quantization": model.quantization,
                "replica": model.replicas.len(),
                "request_limits": model.requests_max,
            },
            "state": { "instance_status": if running::is_serving(model) { "READY" } else { "CREATING" } },
        })
    };
    let models: Vec<Value> = models::list().iter().filter(|model| model.is_launched).map(one).collect();
    json!({ "models": models })
}
