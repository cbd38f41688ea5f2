//! A model's definition as clients write it, in the shapes of both generations.

use std::collections::BTreeMap;

use mimus_sdk::BodyError;
use mimus_sdk::registry::{Family, HubFiles, Origin, Weights};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::words::format;
use crate::words::size::Size;

/// Key of the definition in a family's notes.
const NOTES_KEY: &str = "xinference";

/// Tokens of context where a definition does not say.
const CONTEXT_TOKENS: u32 = 2048;

/// What of a definition means something here; the rest is kept as it came.
#[derive(Deserialize)]
struct Definition {
    model_name: String,
    model_description: Option<String>,
    context_length: Option<u32>,
    max_tokens: Option<u32>,
    model_lang: Option<Vec<String>>,
    language: Option<Vec<String>>,
    model_ability: Option<Vec<String>>,
    dimensions: Option<u32>,
    model_specs: Option<Vec<Spec>>,
    prompt_style: Option<Value>,
    /// The flat shape, which has one model alone.
    #[serde(flatten)]
    only: Place,
}

#[derive(Deserialize)]
struct Spec {
    model_format: Option<String>,
    model_size_in_billions: Option<Size>,
    quantization: Option<String>,
    quantizations: Option<Vec<String>>,
    /// The shape of published files: places by their hub.
    model_src: Option<BTreeMap<String, Source>>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Deserialize)]
struct Source {
    quantizations: Option<Vec<String>>,
    #[serde(flatten)]
    place: Place,
}

#[derive(Deserialize)]
struct Place {
    model_id: Option<String>,
    model_uri: Option<String>,
    model_revision: Option<String>,
    model_file_name_template: Option<String>,
}

/// A family from its definition.
pub(super) fn parse(kind: &str, definition: Value) -> Result<Family, Refusal> {
    let notes = json!({ NOTES_KEY: definition }).to_string();
    let invalid = |error: serde_json::Error| Refusal::bad(format!("Invalid model definition: {error}"));
    let given: Definition = serde_json::from_value(definition).map_err(invalid)?;
    let weights = match given.model_specs.filter(|specs| !specs.is_empty()) {
        Some(specs) => {
            let each = specs.into_iter().enumerate().map(|(index, spec)| of_spec(kind, spec, index));
            merge(each.collect::<Result<Vec<_>, _>>()?)
        }
        None if kind == "text" => return Err(missing("model_specs")),
        None => vec![of_place(given.only, "model_id")?],
    };
    if kind == "embedding" && given.dimensions.is_none() {
        return Err(missing("dimensions"));
    }
    let abilities = given.model_ability.unwrap_or_else(|| match kind {
        "text" => vec!["generate".into()],
        "embedding" => vec!["embed".into()],
        "rerank" => vec!["rerank".into()],
        _ => Vec::new(),
    });
    Ok(Family {
        name: given.model_name,
        kind: kind.into(),
        description: given.model_description.unwrap_or_default(),
        languages: given.model_lang.or(given.language).unwrap_or_default(),
        abilities,
        context_tokens: given.context_length.or(given.max_tokens).unwrap_or(CONTEXT_TOKENS),
        dimensions: given.dimensions,
        architecture: String::new(),
        format: given.prompt_style.as_ref().and_then(prompt_format).map(str::to_owned),
        is_builtin: false,
        weights,
        notes,
    })
}

/// The definition that a family was registered with; none for others.
pub(super) fn registered(family: &Family) -> Option<Value> {
    let mut notes: Value = serde_json::from_str(&family.notes).ok()?;
    notes.get_mut(NOTES_KEY).map(Value::take)
}

fn missing(field: &str) -> Refusal {
    Refusal::bad(format!("Invalid model definition: {}", BodyError::missing(field)))
}

fn of_spec(kind: &str, spec: Spec, index: usize) -> Result<Weights, Refusal> {
    let at = |field: &str| format!("model_specs[{index}].{field}");
    if kind == "text" && spec.model_size_in_billions.is_none() {
        return Err(missing(&at("model_size_in_billions")));
    }
    let (place, of_source) = match spec.model_src {
        Some(mut sources) => {
            let source = sources.remove("huggingface").or_else(|| sources.pop_first().map(|(_, source)| source));
            let source = source.ok_or_else(|| missing(&at("model_src")))?;
            (source.place, source.quantizations)
        }
        None => (spec.place, None),
    };
    let quantizations = match spec.quantization {
        Some(quantization) => vec![quantization],
        None => {
            spec.quantizations.or(of_source).filter(|names| !names.is_empty()).unwrap_or_else(|| vec!["none".into()])
        }
    };
    let weights = of_place(place, &at("model_id"))?;
    let model_format = spec.model_format.as_deref().unwrap_or("pytorch");
    Ok(Weights {
        size: spec.model_size_in_billions.map(|size| size.0),
        format: format::parse(model_format),
        quantizations,
        ..weights
    })
}

/// Weights of tensors from a place. `field` is the one to name when nothing says where they are.
fn of_place(place: Place, field: &str) -> Result<Weights, Refusal> {
    let uri = place.model_uri.filter(|uri| !uri.is_empty());
    let origin = match (uri, place.model_id.filter(|id| !id.is_empty())) {
        (Some(uri), _) => Origin::Path(parse_uri(&uri)?),
        (None, Some(id)) => {
            Origin::Hub(HubFiles { id, revision: place.model_revision, file: place.model_file_name_template })
        }
        (None, None) => return Err(missing(field)),
    };
    Ok(Weights {
        size: None,
        format: "safetensors".into(),
        quantizations: vec!["none".into()],
        origin,
        cached: Vec::new(),
        refusal: None,
    })
}

/// A path on the server's machine: `file:///models/x` or the path itself.
fn parse_uri(uri: &str) -> Result<String, Refusal> {
    match uri.split_once("://") {
        None => Ok(uri.into()),
        Some(("file", path)) => Ok(path.into()),
        Some((scheme, _)) => {
            Err(Refusal::bad(format!("Invalid model definition: `model_uri` must be a file, got a {scheme} address")))
        }
    }
}

/// Brings quantizations of the same files together, as they were in the first generation.
fn merge(all: Vec<Weights>) -> Vec<Weights> {
    let mut merged: Vec<Weights> = Vec::new();
    for weights in all {
        let same = merged.iter_mut().find(|known| {
            known.size == weights.size && known.format == weights.format && known.origin == weights.origin
        });
        match same {
            Some(known) => known.quantizations.extend(weights.quantizations),
            None => merged.push(weights),
        }
    }
    merged
}

/// The prompt format for a style of the first generation; none where the model's own is to be used.
fn prompt_format(style: &Value) -> Option<&'static str> {
    match style["style_name"].as_str()? {
        "QWEN" | "CHATML" => Some("chatml"),
        "LLAMA2" => Some("llama2"),
        "LLAMA3" => Some("llama3"),
        "CHATGLM" | "CHATGLM3" => Some("chatglm"),
        "INTERNLM" | "INTERNLM2" => Some("internlm"),
        "FALCON" => Some("falcon"),
        "DEEPSEEK_CHAT" | "DEEPSEEK_CODER" => Some("deepseek"),
        "MIXTRAL_V01" | "MISTRAL" => Some("mistral"),
        "gemma" => Some("gemma"),
        "PHI3" => Some("phi"),
        "ADD_COLON_TWO" => Some("vicuna"),
        "INSTRUCTION" => Some("alpaca"),
        _ => None,
    }
}
