//! What a client says to launch a model, and what that means to the host.

use std::fmt;

use mimus_sdk::launching::Wish;
use mimus_sdk::registry::{self, Family, Weights};
use serde::Deserialize;
use serde::de::{self, Deserializer, IgnoredAny, Visitor};
use serde_json::Value;

use crate::refusal::Refusal;
use crate::words::size::Size;
use crate::words::{engine, format, kind};

/// Characters of a uid.
const UID_CHARACTERS_MAX: usize = 100;

/// The body of `POST /v1/models`.
#[derive(Deserialize, Default)]
pub(super) struct LaunchRequest {
    model_name: Option<String>,
    model_type: Option<String>,
    model_uid: Option<String>,
    model_engine: Option<String>,
    model_size_in_billions: Option<Size>,
    model_format: Option<String>,
    quantization: Option<String>,
    replica: Option<i64>,
    replica_config: Option<Vec<IgnoredAny>>,
    gpu_idx: Option<Value>,
    request_limits: Option<i64>,
    peft_model_config: Option<Value>,
    model_path: Option<String>,
    pub(super) enable_thinking: Option<bool>,
    /// Each engine has its own word for the context.
    context_length: Option<Tokens>,
    n_ctx: Option<Tokens>,
    max_model_len: Option<Tokens>,
}

/// The body of `POST /v1/models/instance`.
#[derive(Deserialize)]
pub(super) struct VersionRequest {
    model_uid: Option<String>,
    model_type: Option<String>,
    model_engine: Option<String>,
    model_version: String,
    replica: Option<i64>,
}

impl VersionRequest {
    /// The parts of the version: name, size, format and quantization of a language model, `NAME--7B--pytorch--none`; of others the
    /// name alone.
    pub(super) fn into_launch(self) -> Result<LaunchRequest, Refusal> {
        let parts: Vec<&str> = self.model_version.split("--").collect();
        let model_type = self.model_type.unwrap_or_else(|| kind::LLM.into());
        let weights = match (kind::parse(&model_type)?, parts.as_slice()) {
            ("text", [_, size, model_format, quantization]) => {
                let size = size.strip_suffix('B').map(|size| Size(size.replace('_', ".")));
                let unreadable = || Refusal::bad(format!("Cannot parse model_size_in_billions: {}", parts[1]));
                Some((size.ok_or_else(unreadable)?, *model_format, *quantization))
            }
            ("text", _) => {
                let version = &self.model_version;
                return Err(Refusal::bad(format!("LLM model_version parses failed! model_version: {version}")));
            }
            _ => None,
        };
        let model_name = parts.first().map(|name| (*name).to_owned());
        let launch = LaunchRequest {
            model_name,
            model_type: Some(model_type),
            model_uid: self.model_uid,
            model_engine: self.model_engine,
            replica: self.replica,
            ..LaunchRequest::default()
        };
        Ok(match weights {
            Some((size, model_format, quantization)) => LaunchRequest {
                model_size_in_billions: Some(size),
                model_format: Some(model_format.into()),
                quantization: Some(quantization.into()),
                ..launch
            },
            None => launch,
        })
    }
}

impl LaunchRequest {
    /// What the host is asked for.
    pub(super) fn into_wish(self) -> Result<Wish, Refusal> {
        let name = self.model_name.filter(|name| !name.is_empty()).ok_or_else(|| Refusal::missing("model_name"))?;
        let kind = kind::parse(self.model_type.as_deref().unwrap_or(kind::LLM))?;
        let replicas = parse_replicas(self.replica, self.replica_config.as_deref())?;
        check_devices(self.gpu_idx.as_ref(), replicas)?;
        if let Some(config) = &self.peft_model_config {
            check_adapters(config)?;
        }
        let requests_max = match self.request_limits {
            None => None,
            Some(limit) => Some(u32::try_from(limit).map_err(|_| {
                Refusal::bad(format!("Invalid input. `request_limits` must be 0 or more, got {limit}"))
            })?),
        };
        let mut wish = Wish {
            name: self.model_uid.map(parse_uid).transpose()?,
            kind: Some(kind.into()),
            size: self.model_size_in_billions.map(|size| size.0),
            format: self.model_format.map(|model_format| format::parse(&model_format)),
            quantization: self.quantization,
            path: self.model_path,
            context_tokens: self.context_length.or(self.max_model_len).or(self.n_ctx).map(|tokens| tokens.0),
            replicas,
            requests_max,
            ..Wish::new(&name)
        };
        if let Some(family) = registry::family(kind, &name) {
            fit(&mut wish, &family, self.model_engine.as_deref())?;
        }
        Ok(wish)
    }
}

/// Brings the wish into the family's own words, and to the formats of the engine that was asked for.
fn fit(wish: &mut Wish, family: &Family, engine: Option<&str>) -> Result<(), Refusal> {
    if let Some(wanted) = &mut wish.quantization {
        let mut known = family.weights.iter().flat_map(|weights| &weights.quantizations);
        if let Some(name) = known.find(|name| name.eq_ignore_ascii_case(wanted)) {
            wanted.clone_from(name);
        }
    }
    let Some(engine) = engine else { return Ok(()) };
    let is_wanted = |weights: &&Weights| {
        wish.size.as_ref().is_none_or(|size| weights.size.as_ref() == Some(size))
            && wish.format.as_ref().is_none_or(|format| weights.format == *format)
            && wish.quantization.as_ref().is_none_or(|wanted| weights.quantizations.contains(wanted))
    };
    let (fitting, others): (Vec<&Weights>, Vec<&Weights>) =
        family.weights.iter().filter(is_wanted).partition(|weights| engine::runs(engine, family, weights));
    match (fitting.as_slice(), others.is_empty()) {
        // Nothing is as wished at all, which the host says.
        ([], true) => {}
        ([], false) => return Err(Refusal::bad(format!("Model {} cannot be run on engine {engine}.", family.name))),
        ([first, rest @ ..], false) if rest.iter().all(|weights| weights.format == first.format) => {
            wish.format = Some(first.format.clone());
        }
        _ => {}
    }
    Ok(())
}

fn parse_replicas(replica: Option<i64>, placements: Option<&[IgnoredAny]>) -> Result<u32, Refusal> {
    let count = placements.filter(|placements| !placements.is_empty()).map(|placements| placements.len() as i64);
    let count = count.or(replica).unwrap_or(1);
    let replicas = u32::try_from(count).ok().filter(|count| *count >= 1);
    replicas.ok_or_else(|| Refusal::bad(format!("Invalid replica: expected a positive integer, got {count}.")))
}

fn check_devices(devices: Option<&Value>, replicas: u32) -> Result<(), Refusal> {
    let count = devices.and_then(Value::as_array).map_or(0, Vec::len);
    match count.is_multiple_of(replicas as usize) {
        true => Ok(()),
        false => Err(Refusal::bad("Invalid input. Allocated gpu must be a multiple of replica.")),
    }
}

/// An answer without the adapter that was asked for would be another model's.
fn check_adapters(config: &Value) -> Result<(), Refusal> {
    let adapters = config["lora_list"].as_array().or_else(|| config["peft_model"].as_array());
    match adapters.is_some_and(|adapters| !adapters.is_empty()) {
        true => Err(Refusal::bad("LoRA adapters are not supported. Merge the adapter into the model's weights.")),
        false => Ok(()),
    }
}

fn parse_uid(uid: String) -> Result<String, Refusal> {
    let suffix = uid.rsplit_once("-rep").map_or("", |(_, suffix)| suffix);
    let is_replica = !suffix.is_empty() && suffix.bytes().all(|byte| byte.is_ascii_digit());
    if is_replica || !(1..=UID_CHARACTERS_MAX).contains(&uid.trim().chars().count()) {
        return Err(Refusal::bad(
            "The model UID is invalid. Please specify the model UID by 0 < length <= 100, not ending with the reserved replica \
             suffix '-rep<number>'.",
        ));
    }
    Ok(uid)
}

/// A count of tokens, also as text: command lines hand on what they do not know as it was typed.
struct Tokens(u32);

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TokensVisitor;
        impl Visitor<'_> for TokensVisitor {
            type Value = Tokens;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number of tokens")
            }
            fn visit_u64<E: de::Error>(self, tokens: u64) -> Result<Tokens, E> {
                u32::try_from(tokens).map(Tokens).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(tokens), &self))
            }
            fn visit_str<E: de::Error>(self, tokens: &str) -> Result<Tokens, E> {
                tokens.trim().parse().map(Tokens).map_err(|_| E::invalid_value(de::Unexpected::Str(tokens), &self))
            }
        }
        deserializer.deserialize_any(TokensVisitor)
    }
}
