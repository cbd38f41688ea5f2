//! Which model answers.

use mimus_sdk::models::{self, Model, Readiness};
use mimus_sdk::{config, log};

use crate::failure::Failure;

/// Names of the models that chat, those that failed left out.
pub(crate) fn offered() -> Vec<String> {
    let chatting = models::list().into_iter().filter(|model| model.can("chat") && model.readiness != Readiness::Failed);
    chatting.map(|model| model.name).collect()
}

/// The model that a dropdown's value names. A list with commas is what FastChat's users paste there: the first that is known.
///
/// # Errors
/// In words, when none is known.
pub(crate) fn named(value: &str) -> Result<Model, Failure> {
    if value.trim().is_empty() {
        return usual();
    }
    if let Some(model) = models::get(value) {
        return Ok(model);
    }
    value.split(',').find_map(|name| models::get(name.trim())).ok_or_else(|| {
        let value: String = value.chars().take(128).collect();
        Failure::told(format!("the model `{value}` does not exist; there are: {}", offered().join(", ")))
    })
}

/// The model for functions that name none: the setting `model`, else the first one that chats and is ready.
///
/// # Errors
/// In words, when there is none.
pub(crate) fn usual() -> Result<Model, Failure> {
    let setting: Option<String> = config::get("model").unwrap_or_else(|error| {
        log::write(log::Level::Warn, &error);
        None
    });
    if let Some(name) = setting {
        return models::get(&name).ok_or_else(|| Failure::told("the model of this server is not there"));
    }
    let chatting: Vec<Model> = models::list().into_iter().filter(|model| model.can("chat")).collect();
    let ready = chatting.iter().position(|model| model.readiness == Readiness::Ready).unwrap_or(0);
    chatting.into_iter().nth(ready).ok_or_else(|| Failure::told("no model is loaded"))
}
