//! Which weights of a family suit this server, and the files that they are.

use super::LaunchError;
use super::memory::shown;
use crate::hub::{self, Hub, Wanted};
use crate::registry::{self, ChooseError, Family, Kind, Machine, Origin, Registry, Weights};

/// Chooses weights of a family: which, which quantization of them, and why in one sentence.
///
/// * `memory_bytes`: what all models together may take. What others take could be theirs to give, so only this counts.
///
/// # Errors
/// `Unsupported`, `NoSuchWeights` and `TooLarge`, each with what could be done.
pub fn choose(
    family: &Family,
    wish: &registry::Wish,
    memory_bytes: u64,
    hub: &Hub,
) -> Result<(Weights, String, String), LaunchError> {
    let machine = Machine { memory_bytes_free: memory_bytes, ..Machine::here() };
    let supports = |architecture: &str, format: &str, _: &str| supports(family, architecture, format);
    let is_cached = |weights: &Weights, quantization: &str| is_cached(weights, quantization, hub);
    let choice = registry::choose(family, wish, &machine, &supports, &is_cached).map_err(|error| match error {
        ChooseError::Unsupported(why) => LaunchError::Unsupported(why),
        ChooseError::TooLarge { needed, free } => LaunchError::TooLarge(format!(
            "`{}` needs {} of memory, and all models together may take {}: choose smaller weights or raise memory_mib in [engine]",
            family.name,
            shown(needed),
            shown(free)
        )),
        error @ ChooseError::NoSuch { .. } => LaunchError::NoSuchWeights(format!("`{}`: {error}", family.name)),
    })?;
    Ok((family.weights[choice.weights].clone(), choice.quantization, choice.reason))
}

/// Whether the files of some weights are on this machine.
pub fn is_cached(weights: &Weights, quantization: &str, hub: &Hub) -> bool {
    wanted(weights, quantization).is_none_or(|wanted| hub.cached(&wanted).is_some())
}

/// No family has this name; perhaps one that is near was meant.
pub fn unknown(registry: &Registry, kind: Option<&Kind>, name: &str) -> LaunchError {
    let near = registry.suggest(kind, name);
    let hint = if near.is_empty() { String::new() } else { format!(", did you mean {}?", near.join(" or ")) };
    LaunchError::UnknownFamily(format!("no model family is named `{}`{hint}", name.escape_debug()))
}

/// What a family's models can do here.
pub(super) fn abilities(family: &Family) -> Vec<String> {
    const KNOWN: [&str; 7] = ["chat", "generate", "tools", "reasoning", "hybrid", "embed", "rerank"];
    family.abilities.iter().filter(|ability| KNOWN.contains(&ability.as_str())).cloned().collect()
}

/// Whether this server runs a family in a format.
pub(super) fn supports(family: &Family, architecture: &str, format: &str) -> Result<(), String> {
    let kind = family.kind.as_str();
    match family.kind {
        Kind::Text | Kind::Embedding | Kind::Rerank => {}
        _ => return Err(format!("`{}` is a model for {kind}, which this server does not run yet", family.name)),
    }
    let is_decoder = match mimus_engine::supports(architecture) {
        // Its files will tell.
        None if architecture.is_empty() => true,
        Some(ability) => ability == mimus_engine::Ability::Text,
        None => {
            return Err(format!(
                "`{}` has the architecture `{architecture}`, which this server does not run yet",
                family.name
            ));
        }
    };
    match format {
        "safetensors" => Ok(()),
        "gguf" if is_decoder => Ok(()),
        _ => Err(format!("this server does not read `{format}` weights of `{}`", family.name)),
    }
}

/// The files of a repository that some weights are; none for weights that need no hub.
pub fn wanted(weights: &Weights, quantization: &str) -> Option<Wanted> {
    let Origin::Hub { id, revision, .. } = &weights.origin else { return None };
    let files = weights.files(quantization).map_or(hub::Files::Weights, hub::Files::Named);
    Some(Wanted { repo: id.clone(), revision: revision.clone(), files })
}
