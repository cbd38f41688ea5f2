//! A family as clients get it: one object with the keys of both generations, where they do not contradict each other.

use mimus_sdk::registry::{Family, HubFiles, Origin, Weights};
use serde_json::{Map, Value, json};

use super::definition;
use crate::words::{format, kind, size};

/// Generation of the shape.
const VERSION: u32 = 2;

/// An entry of the short list.
pub(super) fn entry(family: &Family) -> Value {
    json!({ "model_name": family.name, "is_builtin": family.is_builtin })
}

/// An entry of the long list: the family, and whether its files are here.
pub(super) fn detailed(family: &Family) -> Value {
    let mut shape = self::family(family);
    let specs = specs(family, true);
    shape["is_builtin"] = json!(family.is_builtin);
    shape["cache_status"] = json!(specs.iter().any(|spec| spec["cache_status"] == true));
    shape["model_specs"] = Value::Array(specs);
    shape["download_hubs"] = json!(["huggingface"]);
    shape["featured"] = json!(family.is_builtin);
    shape["updated_at"] = json!(0);
    shape["model_type"] = json!(kind::type_of(&family.kind));
    shape
}

/// The family itself. One that was registered here is what its client said, with the keys that it left out.
pub(super) fn family(family: &Family) -> Value {
    let mut shape = match family.kind.as_str() {
        "text" => language_model(family),
        "embedding" => flat(
            family,
            json!({
                "dimensions": family.dimensions,
                "max_tokens": family.context_tokens,
                "language": family.languages,
            }),
        ),
        "rerank" => {
            flat(family, json!({ "type": "normal", "max_tokens": family.context_tokens, "language": family.languages }))
        }
        "audio" => {
            flat(family, json!({ "model_family": family.architecture, "multilingual": family.languages.len() > 1 }))
        }
        _ => flat(family, json!({ "model_family": family.architecture, "controlnet": null })),
    };
    if let (Value::Object(shape), Some(Value::Object(registered))) = (&mut shape, definition::registered(family)) {
        shape.extend(registered);
    }
    shape
}

fn language_model(family: &Family) -> Value {
    json!({
        "version": VERSION,
        "context_length": family.context_tokens,
        "model_name": family.name,
        "model_lang": family.languages,
        "model_ability": family.abilities,
        "model_description": family.description,
        "model_family": family.name,
        "model_specs": specs(family, false),
        "prompt_style": family.format.as_ref().map(|style| json!({ "style_name": style })),
        "chat_template": null,
        "stop_token_ids": null,
        "stop": null,
        "reasoning_start_tag": null,
        "reasoning_end_tag": null,
        "tool_parser": null,
        "architectures": architectures(family),
        "virtualenv": null,
        "cache_config": null,
    })
}

/// Families of the other types: the flat keys of old speak of the first weights.
fn flat(family: &Family, own: Value) -> Value {
    let mut shape = json!({
        "version": VERSION,
        "model_name": family.name,
        "model_ability": family.abilities,
        "model_description": family.description,
        "model_specs": specs(family, false),
        "virtualenv": null,
        "cache_config": null,
    });
    if let Value::Object(shape) = &mut shape {
        if let Some(first) = family.weights.first() {
            shape.extend(origin(&first.origin));
        }
        if let Value::Object(own) = own {
            shape.extend(own);
        }
    }
    shape
}

fn architectures(family: &Family) -> Vec<&str> {
    Some(family.architecture.as_str()).filter(|name| !name.is_empty()).into_iter().collect()
}

/// One entry for each quantization, which names it alone and, for older clients, in a list.
fn specs(family: &Family, tells_cache: bool) -> Vec<Value> {
    let all = family.weights.iter().flat_map(|weights| weights.quantizations.iter().map(move |name| (weights, name)));
    all.map(|(weights, quantization)| spec(family, weights, quantization, tells_cache)).collect()
}

fn spec(family: &Family, weights: &Weights, quantization: &String, tells_cache: bool) -> Value {
    let mut spec = Map::from_iter([
        ("model_format".to_owned(), json!(format::name(&weights.format))),
        ("quantization".to_owned(), json!(quantization)),
        ("quantizations".to_owned(), json!([quantization])),
    ]);
    if family.kind == "text" {
        spec.insert("model_size_in_billions".into(), json!(weights.size.as_deref().map(size::json)));
        spec.insert("activated_size_in_billions".into(), Value::Null);
    }
    spec.extend(origin(&weights.origin));
    if tells_cache {
        spec.insert("cache_status".into(), json!(weights.cached.contains(quantization)));
    }
    Value::Object(spec)
}

fn origin(origin: &Origin) -> Map<String, Value> {
    let (hub, id, uri, revision, file) = match origin {
        Origin::Builtin => (None, None, None, None, None),
        Origin::Hub(HubFiles { id, revision, file }) => {
            (Some("huggingface"), Some(id), None, revision.as_ref(), file.as_ref())
        }
        Origin::Path(path) => (None, None, Some(format!("file://{path}")), None, None),
    };
    let mut keys = Map::from_iter([
        ("model_hub".to_owned(), json!(hub)),
        ("model_id".to_owned(), json!(id)),
        ("model_uri".to_owned(), json!(uri)),
        ("model_revision".to_owned(), json!(revision)),
    ]);
    if let Some(file) = file {
        keys.insert("model_file_name_template".into(), json!(file));
    }
    keys
}
