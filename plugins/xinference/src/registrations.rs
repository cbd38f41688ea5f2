//! The registry: `/v1/model_registrations/…`.

mod definition;
mod shape;

use mimus_sdk::registry;
use mimus_sdk::{Request, Response};
use serde::Deserialize;
use serde_json::Value;

use crate::refusal::Refusal;
use crate::status::is_true;
use crate::words::kind;

/// Largest definition of a model: its template may be long.
pub(crate) const BODY_BYTES_MAX: u64 = 256 << 10;

/// `GET /v1/model_registrations/{type}`, by name whatever the capitals.
pub(crate) fn list(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let kind = kind::parse(request.param("model_type"))?;
    let is_detailed = request.query("detailed").is_some_and(|value| is_true(&value));
    let mut families = registry::families(Some(kind));
    families.sort_by_key(|family| family.name.to_lowercase());
    let entries: Vec<Value> = match is_detailed {
        true => families.iter().map(shape::detailed).collect(),
        false => families.iter().map(shape::entry).collect(),
    };
    Ok(response.json(200, &entries)?)
}

/// `GET /v1/model_registrations/{type}/{name}`.
pub(crate) fn get(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let name = request.param("model_name");
    let kind = kind::parse(request.param("model_type")).ok();
    let family = kind.and_then(|kind| registry::family(kind, name));
    let family = family.ok_or_else(|| Refusal::bad(format!("Model {name} not found")))?;
    Ok(response.json(200, &shape::family(&family))?)
}

#[derive(Deserialize)]
struct Registration {
    /// The definition as JSON text; scripts that post by hand send the object itself.
    model: Value,
    persist: bool,
}

/// `POST /v1/model_registrations/{type}`.
pub(crate) fn register(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let kind = kind::parse(request.param("model_type"))?;
    let body: Registration = request.json()?;
    let definition = match body.model {
        Value::String(text) => serde_json::from_str(&text)
            .map_err(|error| Refusal::bad(format!("Invalid model definition: it is not JSON: {error}")))?,
        object => object,
    };
    let family = definition::parse(kind, definition)?;
    match registry::register(&family, body.persist) {
        Ok(()) => Ok(response.json(200, &Value::Null)?),
        Err(registry::Error::Taken(_)) => {
            Err(Refusal::bad(format!("Model name conflicts with existing model {}", family.name)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `DELETE /v1/model_registrations/{type}/{name}`. What was not there, or came with the server, is left as it is.
pub(crate) fn unregister(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let (kind, name) = (kind::parse(request.param("model_type"))?, request.param("model_name"));
    let is_added = registry::family(kind, name).is_some_and(|family| !family.is_builtin);
    if is_added {
        registry::unregister(kind, name)?;
    }
    Ok(response.json(200, &Value::Null)?)
}

#[cfg(test)]
mod tests;
