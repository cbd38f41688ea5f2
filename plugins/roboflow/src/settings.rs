//! What the operator may set: the table `[plugin.roboflow.settings]`.

use mimus_sdk::config;
use mimus_sdk::vision::PostProcessing;
use serde::de::DeserializeOwned;

use crate::fault::{Fault, internal};

/// Models in the list of clients, unless told otherwise.
const ACTIVE_MODELS_MAX: usize = 8;

/// `max_active_models`: models in the list of clients; the one that was used longest ago leaves it first.
pub(crate) fn active_models_max() -> Result<usize, Fault> {
    Ok(get("max_active_models")?.unwrap_or(ACTIVE_MODELS_MAX).max(1))
}

/// `post_processing`: `modern` (1.8's own) or `legacy` (all of 0.9).
pub(crate) fn post_processing() -> Result<PostProcessing, Fault> {
    match get::<String>("post_processing")?.as_deref() {
        None | Some("modern") => Ok(PostProcessing::Modern),
        Some("legacy") => Ok(PostProcessing::Legacy),
        Some(other) => Err(internal(&format!("setting `post_processing`: `{other}` is neither `modern` nor `legacy`"))),
    }
}

/// `clip_model`, `ocr_model`, `gaze_model`, `lmm_model`: the model that answers where clients name none.
pub(crate) fn model(key: &str) -> Result<Option<String>, Fault> {
    get(key)
}

fn get<T: DeserializeOwned>(key: &str) -> Result<Option<T>, Fault> {
    config::get(key).map_err(|error| internal(&error))
}
