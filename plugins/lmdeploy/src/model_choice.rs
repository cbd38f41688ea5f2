//! Which model answers: the one that a client names, or the server's own choice where the API has no field for it.

use mimus_sdk::models::{Model, Readiness};
use mimus_sdk::{config, log, models};

use crate::refusal::Refusal;

/// The model of that name.
///
/// # Errors
/// 404 for an unknown one.
pub fn named(name: &str) -> Result<Model, Refusal> {
    models::get(name).ok_or_else(|| Refusal::unknown_model(name))
}

/// The model for requests that name none: the setting `model`, else the first one that chats and is ready.
///
/// # Errors
/// 503 when there is none.
pub fn usual() -> Result<Model, Refusal> {
    let setting: Option<String> = config::get("model").unwrap_or_else(|error| {
        log::write(log::Level::Warn, &error);
        None
    });
    if let Some(name) = setting {
        return models::get(&name).ok_or_else(|| Refusal::unavailable("the model of this server is not there"));
    }
    let mut chatting: Vec<Model> = models::list().into_iter().filter(|model| model.can("chat")).collect();
    let ready = chatting.iter().position(|model| matches!(model.readiness, Readiness::Ready)).unwrap_or(0);
    if chatting.is_empty() {
        return Err(Refusal::unavailable("no model is loaded"));
    }
    Ok(chatting.swap_remove(ready))
}
