//! Running models: `GET /v1/models`, `GET` and `DELETE /v1/models/{uid}`.

use mimus_sdk::models::{self, Model};
use mimus_sdk::{Request, Response, config, launching};
use serde_json::{Map, Value, json};

use crate::refusal::Refusal;
use crate::{description, running, thinking};

/// Setting for servers whose clients are from before release 0.9.3: the list is an object by uid. Those clients' command lines walk
/// over every key of it, and the clients since then look for one key alone, so that no answer suits both.
const BY_UID: &str = "models_by_uid";

/// The models that answer. One that is loading or has failed is not among them, and shows in `/v1/models/instances`.
pub(crate) fn list(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let mut serving = models::list();
    serving.retain(running::is_serving);
    let is_by_uid = config::get::<bool>(BY_UID).map_err(|error| Refusal::new(500, error))?.unwrap_or(false);
    if is_by_uid {
        let describe = |model: &Model| (model.name.clone(), description::of(model, request));
        let models: Map<String, Value> = serving.iter().map(describe).collect();
        return Ok(response.json(200, &models)?);
    }
    let data: Vec<Value> = serving.iter().map(|model| item(model, request)).collect();
    Ok(response.json(200, &json!({ "object": "list", "data": data }))?)
}

/// A description as an entry of OpenAI's list.
fn item(model: &Model, request: &Request) -> Value {
    let mut item = description::of(model, request);
    let entry = json!({ "id": model.name, "object": "model", "created": model.created_s, "owned_by": "xinference" });
    if let (Value::Object(item), Value::Object(entry)) = (&mut item, entry) {
        item.extend(entry);
    }
    item
}

/// One model's description.
pub(crate) fn describe(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let model = running::find(request.param("model_uid"))?;
    Ok(response.json(200, &description::of(&model, request))?)
}

/// Ends a model in whatever state.
pub(crate) fn terminate(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let uid = request.param("model_uid");
    end(uid)?;
    Ok(response.json(200, &Value::Null)?)
}

/// Ends a model; a refusal that names it where that cannot be.
pub(crate) fn end(uid: &str) -> Result<(), Refusal> {
    let model = running::any(uid)?;
    if !model.is_launched {
        let detail = format!("Model {uid} belongs to the server's configuration: only its operator can take it out.");
        return Err(Refusal::new(403, detail));
    }
    match launching::terminate(&model.name) {
        Ok(()) => {}
        // Another client was faster.
        Err(launching::Error::UnknownModel(_)) => return Err(Refusal::unknown_uid(400, uid)),
        Err(error) => return Err(error.into()),
    }
    thinking::forget(&model.name);
    Ok(())
}
