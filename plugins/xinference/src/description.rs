//! A running model as clients see it.

use mimus_sdk::Request;
use mimus_sdk::models::Model;
use mimus_sdk::registry::Family;
use serde_json::{Value, json};

use crate::running;
use crate::words::{engine, format, kind, size};

/// The description, all keys of the model's type present: old clients read some of them without looking.
pub(crate) fn of(model: &Model, request: &Request) -> Value {
    let family = running::family_of(model);
    let kind = kind::of_model(model);
    let mut description = match kind {
        "text" => language_model(model, family.as_ref()),
        "embedding" => json!({
            "dimensions": model.dimensions,
            "max_tokens": model.context_tokens,
            "model_hub": hub(model),
        }),
        "rerank" => json!({ "type": "normal", "max_tokens": model.context_tokens }),
        _ => {
            json!({ "model_family": model.architecture, "controlnet": null, "model_base": null, "model_hub": hub(model) })
        }
    };
    let shared = json!({
        "model_type": kind::type_of(kind),
        "address": address(request),
        "accelerators": [],
        "model_name": running::name_of(model),
        "model_engine": engine::OWN,
        "model_format": format::name(&model.format),
        "quantization": quantization(model),
        "model_revision": null,
        "language": languages(family.as_ref()),
        "model_ability": abilities(model, family.as_ref()),
        "replica": model.replicas.len(),
        "n_worker": 1,
    });
    if let (Value::Object(description), Value::Object(shared)) = (&mut description, shared) {
        description.extend(shared);
    }
    description
}

/// Host and port by which the client reached the server, which stand for the address of every part of it.
pub(crate) fn address(request: &Request) -> &str {
    let origin = &request.head().origin;
    origin.split_once("://").map_or(origin.as_str(), |(_, authority)| authority)
}

/// What the model can do: what it shows when it runs, and what its family says besides.
pub(crate) fn abilities(model: &Model, family: Option<&Family>) -> Vec<String> {
    let mut abilities = model.abilities.clone();
    let others = family.iter().flat_map(|family| &family.abilities);
    abilities.extend(others.filter(|ability| !model.abilities.contains(ability)).cloned());
    abilities
}

/// `none` stands for weights as they were made.
pub(crate) fn quantization(model: &Model) -> &str {
    model.quantization.as_deref().unwrap_or("none")
}

fn language_model(model: &Model, family: Option<&Family>) -> Value {
    json!({
        "model_lang": languages(family),
        "model_description": family.map_or("", |family| family.description.as_str()),
        "model_size_in_billions": size::of_model(model, family),
        "model_family": running::name_of(model),
        "multimodal_projector": null,
        "model_hub": hub(model),
        "revision": null,
        "context_length": model.context_tokens,
        "strict_system_first": false,
    })
}

fn languages(family: Option<&Family>) -> Vec<String> {
    family.map_or_else(|| vec!["en".into()], |family| family.languages.clone())
}

fn hub(model: &Model) -> Option<&'static str> {
    model.hub_id.as_ref().map(|_| "huggingface")
}
