//! Running models: `GET /v1/models`, `GET` and `DELETE /v1/models/{uid}`.

use mimus_sdk::models::{self, Model};
use mimus_sdk::{Request, Response, launching};
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::{description, running, thinking};

/// The models that answer. One that is loading or has failed is not among them, and shows in `/v1/models/instances`.
pub(crate) fn list(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let item = |model: &Model| {
        let mut item = description::of(model, request);
        let entry =
            json!({ "id": model.name, "object": "model", "created": model.created_s, "owned_by": "xinference" });
        if let (Value::Object(item), Value::Object(entry)) = (&mut item, entry) {
            item.extend(entry);
        }
        item
    };
    let all = models::list();
    let data: Vec<Value> = all.iter().filter(|model| running::is_serving(model)).map(item).collect();
    Ok(response.json(200, &json!({ "object": "list", "data": data }))?)
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
