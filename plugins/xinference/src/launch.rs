//! Launching: `POST /v1/models` and `POST /v1/models/instance`.
//!
//! What places a model on machines and devices (`n_gpu`, `gpu_idx`, `worker_ip`, `n_worker`, `replica_config`) and what prepares a
//! Python for it (`envs`, `virtual_env_…`, `trust_remote_code`) is taken and changes nothing: there is one machine, the server uses
//! it as it sees fit, and no model runs code of its own.

mod request;

use mimus_sdk::launching::{self, Error, Launched, Wish};
use mimus_sdk::models::{self, Readiness};
use mimus_sdk::{Request, Response, registry};
use serde_json::json;

use crate::refusal::Refusal;
use crate::words::{format, kind};
use crate::{status, thinking};
use request::{LaunchRequest, VersionRequest};

/// `POST /v1/models`.
pub(crate) fn launch(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    answer(request.json()?, request, response)
}

/// `POST /v1/models/instance`: by the name that `/v1/models/{type}/{name}/versions` gives to weights.
pub(crate) fn launch_version(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: VersionRequest = request.json()?;
    answer(body.into_launch()?, request, response)
}

fn answer(body: LaunchRequest, request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let waits = request.query("wait_ready").is_none_or(|value| status::is_true(&value));
    let thinks = body.enable_thinking;
    let wish = body.into_wish()?;
    let launched = start(&wish)?;
    thinking::keep(&launched.name, thinks);
    if waits {
        launching::wait(&launched.name)?;
    }
    Ok(response.json(200, &json!({ "model_uid": launched.name }))?)
}

fn start(wish: &Wish) -> Result<Launched, Refusal> {
    let uid = wish.name.as_deref().unwrap_or(&wish.family);
    let failed = models::get(uid).filter(|model| model.is_launched && model.readiness == Readiness::Failed);
    if let Some(model) = failed
        && let Err(error) = launching::terminate(&model.name)
    {
        // Somebody else was faster, and the launch below says how it is now.
        mimus_sdk::debug!("a failed launch could not be cleared: {error:?}");
    }
    launching::launch(wish).map_err(|error| explain(error, wish, uid))
}

fn explain(error: Error, wish: &Wish, uid: &str) -> Refusal {
    let name = &wish.family;
    match error {
        Error::UnknownFamily(why) if wish.kind.as_deref() == Some("text") => no_such_model(wish, &why),
        Error::UnknownFamily(_) => {
            let kind = wish.kind.as_deref().unwrap_or("text");
            let names: Vec<String> =
                registry::families(Some(kind)).iter().map(|family| format!("'{}'", family.name)).collect();
            let (title, names) = (kind::title(kind), names.join(", "));
            Refusal::bad(format!("{title} model {name} not found, available models: dict_keys([{names}])"))
        }
        Error::NoSuchWeights(why) => no_such_model(wish, &why),
        Error::Unsupported(why) => Refusal::bad(format!("Model {name} cannot be run on this server: {why}")),
        Error::Taken(_) => Refusal::bad(format!("Model is already in the model list, uid: {uid}")),
        error => error.into(),
    }
}

fn no_such_model(wish: &Wish, why: &str) -> Refusal {
    let or_none = |value: &Option<String>| value.as_deref().unwrap_or("None").to_owned();
    let (name, size, quantization) = (&wish.family, or_none(&wish.size), or_none(&wish.quantization));
    let format = wish.format.as_deref().map_or("None", format::name);
    Refusal::bad(format!(
        "Model not found, name: {name}, format: {format}, size: {size}, quantization: {quantization}. {why}"
    ))
}

#[cfg(test)]
mod tests;
