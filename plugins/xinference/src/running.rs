//! Running models: which there are for this API, and why one does not answer.

use mimus_sdk::inference;
use mimus_sdk::models::{self, Model, Readiness};
use mimus_sdk::registry::{self, Family};

use crate::refusal::Refusal;
use crate::words::kind;

/// Whether requests get an answer: a model out of memory comes back with the next one.
pub(crate) fn is_serving(model: &Model) -> bool {
    matches!(model.readiness, Readiness::Ready | Readiness::Idle)
}

/// A model to look at: 400 when there is none, 503 while it loads.
pub(crate) fn find(uid: &str) -> Result<Model, Refusal> {
    match models::get(uid) {
        Some(model) if is_serving(&model) => Ok(model),
        found => Err(absence(found, uid, 400)),
    }
}

/// A model in whatever state.
pub(crate) fn any(uid: &str) -> Result<Model, Refusal> {
    models::get(uid).ok_or_else(|| Refusal::unknown_uid(400, uid))
}

/// A model to work with: 404 when there is none, 503 while it loads, 400 when it is of another kind.
pub(crate) fn of_kind(uid: &str, wanted: &str) -> Result<Model, Refusal> {
    match models::get(uid) {
        Some(model) if is_serving(&model) => match kind::of_model(&model) == wanted {
            true => Ok(model),
            false => Err(wrong_kind(&model, uid, wanted)),
        },
        found => Err(absence(found, uid, 404)),
    }
}

/// What a failed call says to the client, who wanted a model of a kind.
pub(crate) fn explain(error: inference::Error, uid: &str, wanted: &str) -> Refusal {
    use inference::Error;
    match (&error, models::get(uid)) {
        (Error::UnknownModel(_) | Error::ModelNotReady(_), found) if !found.as_ref().is_some_and(is_serving) => {
            absence(found, uid, 404)
        }
        (Error::Unsupported(_), Some(model)) if kind::of_model(&model) != wanted => wrong_kind(&model, uid, wanted),
        (Error::Overloaded(wait_ms), Some(Model { requests_max: Some(limit), .. })) => {
            let detail = format!("Rate limit reached for the model. Request limit {limit} for the model: {uid}");
            Refusal::new(429, detail).retry_after_ms(*wait_ms)
        }
        _ => error.into(),
    }
}

/// The family that a model was launched from.
pub(crate) fn family_of(model: &Model) -> Option<Family> {
    model.family.as_deref().and_then(|name| registry::family(kind::of_model(model), name))
}

/// The name of what was launched.
pub(crate) fn name_of(model: &Model) -> &str {
    model.family.as_deref().unwrap_or(&model.name)
}

fn absence(found: Option<Model>, uid: &str, status: u16) -> Refusal {
    match found {
        Some(model) if model.readiness == Readiness::Loading => Refusal::loading(uid),
        Some(model) => {
            let detail =
                format!("Model not found in the model list, uid: {uid}. It could not be loaded: {}", model.detail);
            Refusal::new(status, detail)
        }
        None => Refusal::unknown_uid(status, uid),
    }
}

fn wrong_kind(model: &Model, uid: &str, wanted: &str) -> Refusal {
    let is = kind::type_of(kind::of_model(model));
    let wanted = kind::type_of(wanted);
    Refusal::bad(format!("Model {uid} is of the type {is}, this call needs a model of the type {wanted}."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::native;
    use mimus_sdk::scripted::{self, ScriptedHost};
    use std::rc::Rc;

    fn host() -> ScriptedHost {
        let with = |name: &str, readiness, detail: &str| Model {
            readiness,
            detail: detail.into(),
            requests_max: Some(2),
            ..scripted::model(name)
        };
        ScriptedHost::new()
            .model(with("loading", Readiness::Loading, "reading"))
            .model(with("failed", Readiness::Failed, "no such file"))
            .model(with("idle", Readiness::Idle, ""))
    }

    #[test]
    fn absence_has_its_reasons() {
        native::with_backend(Rc::new(host()), || {
            assert!(find("scripted").is_ok() && find("idle").is_ok());
            for (uid, looked_at, worked_with) in [("none", 400, 404), ("failed", 400, 404), ("loading", 503, 503)] {
                assert_eq!(find(uid).map_err(|refusal| refusal.status).err(), Some(looked_at), "{uid}");
                assert_eq!(of_kind(uid, "text").map_err(|refusal| refusal.status).err(), Some(worked_with), "{uid}");
            }
            let refusal = of_kind("scripted", "rerank").expect_err("a language model");
            assert_eq!(
                refusal.detail,
                "Model scripted is of the type LLM, this call needs a model of the type rerank."
            );
            let refusal = find("failed").expect_err("it has failed");
            assert!(refusal.detail.as_str().is_some_and(|detail| detail.contains("no such file")));
        });
    }

    #[test]
    fn a_limit_is_told_with_its_number() {
        native::with_backend(Rc::new(host()), || {
            let refusal = explain(inference::Error::Overloaded(1000), "idle", "text");
            assert_eq!(refusal.status, 429);
            assert_eq!(refusal.detail, "Rate limit reached for the model. Request limit 2 for the model: idle");
        });
    }
}
