//! Launches and what became of them: `GET /v1/models/instances`, progress, cancelling, replicas, events.

use mimus_sdk::models::{self, Model, Progress, Readiness, Replica, Stage};
use mimus_sdk::{Request, Response, launching};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::description::{abilities, address};
use crate::refusal::Refusal;
use crate::status::replica_uid;
use crate::{models as running_models, running};

/// `GET /v1/models/instances`: all models, also those that load or have failed.
pub(crate) fn list(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let (name, uid) = (request.query("model_name"), request.query("model_uid"));
    let is_wanted = |model: &&Model| {
        name.as_ref().is_none_or(|name| name == running::name_of(model))
            && uid.as_ref().is_none_or(|uid| *uid == model.name)
    };
    let all = models::list();
    let instances: Vec<Value> = all.iter().filter(is_wanted).map(|model| instance(model, request)).collect();
    Ok(response.json(200, &instances)?)
}

fn instance(model: &Model, request: &Request) -> Value {
    let created_ms = model.replicas.iter().map(|replica| replica.created_ms).min();
    json!({
        "model_name": running::name_of(model),
        "model_uid": model.name,
        "model_version": null,
        "model_ability": abilities(model, running::family_of(model).as_ref()),
        "replica": model.replicas.len(),
        "status": status_name(model.readiness, model.progress.as_ref()),
        "instance_created_ts": created_ms.map_or(model.created_s, |ms| ms / 1000),
        "n_worker": 1,
        "replica_statuses": replicas(model, request),
    })
}

fn replicas(model: &Model, request: &Request) -> Vec<Value> {
    let one = |replica: &Replica| {
        let error = (replica.readiness == Readiness::Failed).then_some(&replica.detail);
        json!({
            "replica_id": replica.id,
            "replica_model_uid": replica_uid(&model.name, replica.id),
            "worker_address": address(request),
            "model_address": address(request),
            "accelerators": [],
            "status": status_name(replica.readiness, replica.progress.as_ref()),
            "model_state": stage_name(replica.readiness, replica.progress.as_ref()),
            "created_ts": replica.created_ms / 1000,
            "error_message": error,
            "replica_uid": null,
            "gpu_idx": null,
        })
    };
    model.replicas.iter().map(one).collect()
}

fn status_name(readiness: Readiness, progress: Option<&Progress>) -> &'static str {
    match (readiness, progress.map(|progress| progress.stage)) {
        (Readiness::Ready | Readiness::Idle, _) => "READY",
        (Readiness::Failed, _) => "ERROR",
        (Readiness::Loading, Some(Stage::Loading)) => "LOADING",
        (Readiness::Loading, _) => "CREATING",
    }
}

fn stage_name(readiness: Readiness, progress: Option<&Progress>) -> &'static str {
    match (readiness, progress.map(|progress| progress.stage)) {
        (Readiness::Ready | Readiness::Idle, _) => "ready",
        (Readiness::Failed, _) => "error",
        (Readiness::Loading, Some(Stage::Loading)) => "loading",
        (Readiness::Loading, Some(Stage::Downloading)) => "downloading",
        (Readiness::Loading, _) => "pending",
    }
}

fn fraction(readiness: Readiness, progress: Option<&Progress>) -> f32 {
    match readiness {
        Readiness::Ready | Readiness::Idle => 1.0,
        Readiness::Loading | Readiness::Failed => progress.map_or(0.0, |progress| progress.fraction),
    }
}

/// `GET /v1/models/{uid}/progress`. A uid that nobody launched has not come anywhere.
pub(crate) fn progress(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let uid = request.param("model_uid");
    let Some(model) = models::get(uid) else {
        let nothing = json!({ "progress": 0.0, "stage": "pending", "download_files": [], "replicas": [] });
        return Ok(response.json(200, &nothing)?);
    };
    let replica = |replica: &Replica| {
        let at = replica.progress.as_ref();
        json!({
            "replica_id": replica.id,
            "replica_model_uid": replica_uid(&model.name, replica.id),
            "progress": fraction(replica.readiness, at),
            "stage": stage_name(replica.readiness, at),
            "info": replica.detail,
            "updated_at": mimus_sdk::clock::now_ms() as f64 / 1000.0,
        })
    };
    let at = model.progress.as_ref();
    let downloads: Vec<Value> = at
        .filter(|at| at.stage == Stage::Downloading)
        .map(|at| json!({ "name": running::name_of(&model), "downloaded": at.done_bytes, "total": at.total_bytes }))
        .into_iter()
        .collect();
    let answer = json!({
        "progress": fraction(model.readiness, at),
        "stage": stage_name(model.readiness, at),
        "download_files": downloads,
        "replicas": model.replicas.iter().map(replica).collect::<Vec<_>>(),
    });
    Ok(response.json(200, &answer)?)
}

/// `POST /v1/models/{uid}/cancel`: for launches. A model that runs is terminated, not cancelled.
pub(crate) fn cancel(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let uid = request.param("model_uid");
    running::any(uid)?;
    match launching::cancel(uid)? {
        true => Ok(response.json(200, &Value::Null)?),
        false => Err(Refusal::bad(format!("Model {uid} is running: terminate it, there is no launch to cancel."))),
    }
}

/// `GET /v1/models/{uid}/replicas`.
pub(crate) fn list_replicas(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let model = running::any(request.param("model_uid"))?;
    Ok(response.json(200, &replicas(&model, request))?)
}

#[derive(Deserialize)]
struct MoreReplicas {
    replica: Option<u32>,
}

/// `POST /v1/models/{uid}/replicas`: one more, or so many. When one cannot be had, those before it go again.
pub(crate) fn add_replicas(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let uid = request.param("model_uid");
    let body = if request.body().is_empty() { MoreReplicas { replica: None } } else { request.json()? };
    let count = body.replica.unwrap_or(1);
    if count == 0 {
        return Err(Refusal::bad("Invalid replica: expected a positive integer."));
    }
    running::any(uid)?;
    let mut added = Vec::new();
    for _ in 0..count {
        match launching::add_replica(uid) {
            Ok(id) => added.push(id),
            Err(error) => {
                take_back(uid, &added);
                return Err(error.into());
            }
        }
    }
    let replica = |id: &u32| json!({ "replica_id": id, "replica_model_uid": replica_uid(uid, *id), "worker_address": address(request) });
    let answer = match added.as_slice() {
        [one] => replica(one),
        all => json!({ "replica": all.len(), "replicas": all.iter().map(replica).collect::<Vec<_>>() }),
    };
    Ok(response.json(200, &answer)?)
}

fn take_back(uid: &str, added: &[u32]) {
    for id in added {
        if let Err(error) = launching::remove_replica(uid, *id) {
            mimus_sdk::warn!("a replica could not be taken back: {error:?}");
        }
    }
}

/// `DELETE /v1/models/{uid}/replicas/{id}`. Without its last replica a model is gone.
pub(crate) fn remove_replica(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let (uid, id) = (request.param("model_uid"), request.param("replica_id"));
    let model = running::any(uid)?;
    let unknown = || Refusal::bad(format!("Replica {id} not found in the model list, uid: {uid}"));
    let id: u32 = id.parse().map_err(|_| unknown())?;
    if !model.replicas.iter().any(|replica| replica.id == id) {
        return Err(unknown());
    }
    let remaining = model.replicas.len() - 1;
    match remaining {
        0 => running_models::end(uid)?,
        _ => launching::remove_replica(uid, id)?,
    }
    Ok(response.json(200, &json!({ "remaining_replicas": remaining }))?)
}

/// `GET /v1/models/{uid}/events`.
pub(crate) fn events(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let one = |event: launching::Event| {
        json!({
            "event_type": if event.is_error { "ERROR" } else { "INFO" },
            "event_ts": event.at_ms / 1000,
            "event_content": event.text,
        })
    };
    let events: Vec<Value> = launching::events(request.param("model_uid")).into_iter().map(one).collect();
    Ok(response.json(200, &events)?)
}
