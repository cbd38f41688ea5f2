//! What can be launched: names, versions, engines.

use mimus_sdk::registry::{self, Family, Weights};
use mimus_sdk::{Request, Response};
use serde_json::{Map, Value, json};

use crate::refusal::Refusal;
use crate::words::{engine, format, kind, size};

/// `GET /v1/models/prompts`: the prompt format of each family whose models bring none.
pub(crate) fn prompts(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    let families = registry::families(Some("text"));
    let prompts = families.iter().filter_map(|family| {
        let style = family.format.as_ref()?;
        Some((family.name.clone(), json!({ "style_name": style })))
    });
    Ok(response.json(200, &prompts.collect::<Map<String, Value>>())?)
}

/// `GET /v1/models/families`.
pub(crate) fn names(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &by_ability(|_| true))?)
}

/// `GET /v1/models/vllm-supported`: the families that can be launched under that engine's name.
pub(crate) fn vllm_names(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    let runs = |family: &Family| family.weights.iter().any(|weights| engine::runs("vLLM", family, weights));
    Ok(response.json(200, &by_ability(runs))?)
}

fn by_ability(is_wanted: impl Fn(&Family) -> bool) -> Value {
    let families = registry::families(Some("text"));
    let can = |family: &&Family, ability: &str| family.abilities.iter().any(|known| known == ability);
    let wanted = || families.iter().filter(|family| is_wanted(family));
    let chat: Vec<&str> = wanted().filter(|family| can(family, "chat")).map(|family| family.name.as_str()).collect();
    let generate: Vec<&str> =
        wanted().filter(|family| !can(family, "chat")).map(|family| family.name.as_str()).collect();
    json!({ "chat": chat, "generate": generate })
}

/// `GET /v1/models/{type}/{name}/versions`.
pub(crate) fn versions(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let kind = kind::parse(request.param("model_type"))?;
    let versions = match registry::family(kind, request.param("model_name")) {
        Some(family) => family.weights.iter().flat_map(|weights| of_weights(&family, weights)).collect(),
        None => Vec::new(),
    };
    Ok(response.json(200, &versions)?)
}

fn of_weights(family: &Family, weights: &Weights) -> Vec<Value> {
    let one = |quantization: &String| {
        json!({
            "model_version": version(family, weights, quantization),
            "model_file_location": null,
            "cache_status": weights.cached.contains(quantization),
            "model_format": format::name(&weights.format),
            "model_size_in_billions": weights.size.as_deref().map(size::json),
            "quantization": quantization,
            "dimensions": family.dimensions,
            "max_tokens": family.context_tokens,
        })
    };
    weights.quantizations.iter().map(one).collect()
}

/// The name of one quantization of weights, by which it can be launched.
pub(crate) fn version(family: &Family, weights: &Weights, quantization: &str) -> String {
    let (name, format) = (&family.name, format::name(&weights.format));
    match (family.kind.as_str(), &weights.size, family.dimensions) {
        ("text", size, _) => {
            let size = size.as_deref().map_or_else(String::new, |size| size.replace('.', "_"));
            format!("{name}--{size}B--{format}--{quantization}")
        }
        ("embedding", _, Some(dimensions)) => {
            format!("{name}--{}--{dimensions}--{format}--{quantization}", family.context_tokens)
        }
        _ => format!("{name}--{format}--{quantization}"),
    }
}

/// `GET /v1/engines/{name}`: of a language model.
pub(crate) fn engines(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    answer_engines("text", request, response)
}

/// `GET /v1/engines/{type}/{name}`.
pub(crate) fn engines_of_type(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    answer_engines(kind::parse(request.param("model_type"))?, request, response)
}

/// Names under which a family can be launched, and what each takes; null for a family that there is not.
fn answer_engines(kind: &str, request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let Some(family) = registry::family(kind, request.param("model_name")) else {
        return Ok(response.json(200, &Value::Null)?);
    };
    let mut engines: Map<String, Value> = Map::new();
    for weights in &family.weights {
        for name in engine::names(&family, weights) {
            let entry = engines.entry(name).or_insert_with(|| json!([]));
            if let Value::Array(entries) = entry {
                entries.push(json!({
                    "model_name": family.name,
                    "model_format": format::name(&weights.format),
                    "model_size_in_billions": weights.size.as_deref().map(size::json),
                    "quantization": weights.quantizations.first(),
                    "quantizations": weights.quantizations,
                }));
            }
        }
    }
    Ok(response.json(200, &engines)?)
}
