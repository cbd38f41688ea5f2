//! Which files of a repository make a model, and whether all of them are here.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Files, cache, names};
use crate::limits;

const CONFIG: &str = "config.json";
const SINGLE: &str = "model.safetensors";
const INDEX: &str = "model.safetensors.index.json";
const MODULES: &str = "modules.json";

/// Files of a tokenizer or template that are no JSON.
const TEXTS: [&str; 5] = ["merges.txt", "vocab.txt", "tokenizer.model", "spiece.model", "chat_template.jinja"];

/// Names that a message repeats.
const SHOWN_MAX: usize = 30;

/// The names among those of a repository that are wanted.
///
/// # Errors
/// A sentence about what is missing, and what there is instead.
pub fn select(there: &[String], files: &Files) -> Result<Vec<String>, String> {
    match files {
        Files::Weights => weights(there),
        Files::Gguf(wanted) => gguf(there, wanted),
        Files::Named(wanted) => match wanted.iter().find(|name| !there.contains(name)) {
            Some(name) => Err(format!("there is no file `{name}`")),
            None => Ok(wanted.clone()),
        },
    }
}

/// The path that a model is loaded from, when all that is wanted lies in a snapshot's folder.
///
/// # Errors
/// A sentence about what is missing.
pub fn complete(snapshot: &Path, files: &Files) -> Result<PathBuf, String> {
    let there = cache::names_below(snapshot);
    let selected = select(&there, files)?;
    if *files != Files::Weights {
        let first = selected.first().ok_or("nothing is wanted")?;
        return Ok(snapshot.join(first));
    }
    let is_there = |name: &str| there.iter().any(|other| other == name);
    let need = |name: &str| if is_there(name) { Ok(()) } else { Err(format!("`{name}` is missing")) };
    need(CONFIG)?;
    if !["tokenizer.json", "vocab.txt", "tokenizer.model"].iter().any(|name| is_there(name)) {
        return Err("`tokenizer.json` is missing".into());
    }
    if !is_there(SINGLE) && is_there(INDEX) {
        #[derive(Deserialize)]
        struct Index {
            weight_map: BTreeMap<String, String>,
        }
        let index: Index = read(snapshot, INDEX)?;
        let shards: BTreeSet<String> = index.weight_map.into_values().collect();
        shards.iter().try_for_each(|shard| need(shard))?;
    }
    if is_there(MODULES) {
        #[derive(Deserialize)]
        struct Module {
            #[serde(default)]
            path: String,
        }
        let modules: Vec<Module> = read(snapshot, MODULES)?;
        // A module without parameters has no folder in the repository; one that has a folder has its configuration.
        let dense = modules.iter().filter(|module| module.path.contains("Pooling") || module.path.contains("Dense"));
        dense.map(|module| format!("{}/{CONFIG}", module.path)).try_for_each(|name| need(&name))?;
    }
    Ok(snapshot.to_owned())
}

fn read<T: serde::de::DeserializeOwned>(snapshot: &Path, name: &str) -> Result<T, String> {
    let text = std::fs::read(snapshot.join(name)).map_err(|error| format!("`{name}`: {error}"))?;
    serde_json::from_slice(&text).map_err(|error| format!("`{name}` is malformed: {error}"))
}

/// What the engine reads from a folder. Small files come first: where the weights are, the rest is.
fn weights(there: &[String]) -> Result<Vec<String>, String> {
    let has = |name: &str| there.iter().any(|other| other == name);
    let is_weight = |name: &str| name.ends_with(".safetensors");
    let is_text = |name: &str| name.ends_with(".json") || TEXTS.contains(&name);
    let (mut texts, mut weights) = (Vec::new(), Vec::new());
    for name in there {
        match name.split_once('/') {
            None if is_text(name) => texts.push(name.clone()),
            // Weights in one file go before shards of the same; whatever else is called safetensors is another format's.
            None if is_weight(name) && (name == SINGLE || !has(SINGLE) && has(INDEX) && is_shard(name)) => {
                weights.push(name.clone());
            }
            Some((folder, file)) if is_module(folder) && !file.contains('/') => match file {
                file if file.ends_with(".json") => texts.push(name.clone()),
                file if is_weight(file) => weights.push(name.clone()),
                _ => {}
            },
            _ => {}
        }
    }
    if !weights.iter().any(|name| !name.contains('/')) {
        let gguf = gguf_groups(there);
        return Err(match (gguf.is_empty(), there.iter().any(|name| is_pickle(name))) {
            (false, _) => format!("it holds GGUF files; name one of them or its quantization: {}", shown(gguf.keys())),
            (true, true) => {
                "it has no safetensors, only pickles, which are not read because reading one runs its code".into()
            }
            (true, false) => "it has no model.safetensors and no shards with an index".into(),
        });
    }
    if !has(CONFIG) {
        return Err(format!("it has no {CONFIG}"));
    }
    texts.extend(weights);
    Ok(texts)
}

/// `model-00001-of-00002.safetensors` and the like; not another format's `consolidated…`.
fn is_shard(name: &str) -> bool {
    !name.starts_with("consolidated")
}

/// A module's folder as sentence-transformers names it: `1_Pooling`.
fn is_module(folder: &str) -> bool {
    let Some((number, kind)) = folder.split_once('_') else { return false };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number && !kind.is_empty() && kind.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn is_pickle(name: &str) -> bool {
    [".bin", ".pt", ".pth", ".ckpt"].iter().any(|ending| name.ends_with(ending))
}

/// The file of that name or quantization with all its parts.
fn gguf(there: &[String], wanted: &str) -> Result<Vec<String>, String> {
    let groups = gguf_groups(there);
    let wanted_lower = wanted.to_lowercase();
    let is_named =
        |stem: &&String, parts: &&Vec<String>| parts.iter().any(|part| part == wanted) || stem.as_str() == wanted;
    let named: Vec<_> = groups.iter().filter(|(stem, parts)| is_named(stem, parts)).collect();
    let fitting = match named.is_empty() {
        false => named,
        true => groups.iter().filter(|(stem, _)| has_quantization(&stem.to_lowercase(), &wanted_lower)).collect(),
    };
    match fitting[..] {
        [(stem, parts)] => match parts_missing(parts) {
            Some(missing) => Err(format!("of `{stem}` {missing}")),
            None => Ok(parts.clone()),
        },
        [] if groups.is_empty() => Err("it holds no GGUF files".into()),
        [] => Err(format!("no GGUF file has `{wanted}` in its name; there are {}", shown(groups.keys()))),
        _ => Err(format!(
            "`{wanted}` fits several files; name one of them: {}",
            shown(fitting.iter().map(|(stem, _)| *stem))
        )),
    }
}

/// GGUF files by their names without the numbers of their parts, parts in order. Projectors of pictures are no models.
fn gguf_groups(there: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut groups: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in there.iter().filter(|name| names::check_file(name).is_ok()) {
        let file = name.rsplit('/').next().unwrap_or(name).to_lowercase();
        let is_gguf = file.ends_with(".gguf") && !file.starts_with("mmproj");
        if is_gguf && let Some(stem) = name.get(..name.len() - ".gguf".len()) {
            let whole = part_of(stem).map_or(stem, |(whole, _, _)| whole);
            groups.entry(whole.to_owned()).or_default().push(name.clone());
        }
    }
    groups.values_mut().for_each(|parts| parts.sort());
    groups
}

/// Takes `…-00002-of-00003` apart into name, number and count.
fn part_of(stem: &str) -> Option<(&str, usize, usize)> {
    let (rest, count) = stem.rsplit_once("-of-")?;
    let (whole, number) = rest.rsplit_once('-')?;
    let parse = |text: &str| (text.len() == 5).then(|| text.parse().ok()).flatten();
    Some((whole, parse(number)?, parse(count)?))
}

/// What is missing of a file that was split.
fn parts_missing(parts: &[String]) -> Option<String> {
    let numbers: Vec<(usize, usize)> = parts
        .iter()
        .filter_map(|name| part_of(&name[..name.len() - 5]).map(|(_, number, count)| (number, count)))
        .collect();
    let (_, count) = *numbers.first()?;
    let missing = (1..=count.min(limits::HUB_FILES_MAX)).find(|number| !numbers.contains(&(*number, count)))?;
    Some(format!("part {missing} of {count} is missing"))
}

/// Whether a lower-case name holds a quantization as a word: `q4_k` is not in `x-q4_k_m`, and `q4_xs` is not in `x-iq4_xs`.
fn has_quantization(name: &str, quantization: &str) -> bool {
    let is_inner = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric() || c == '_');
    !quantization.is_empty()
        && name.match_indices(quantization).any(|(at, found)| {
            !is_inner(name[..at].chars().next_back()) && !is_inner(name[at + found.len()..].chars().next())
        })
}

fn shown<'a>(names: impl ExactSizeIterator<Item = &'a String>) -> String {
    let more = names.len().saturating_sub(SHOWN_MAX);
    let list = names.take(SHOWN_MAX).map(|name| name.escape_debug().to_string()).collect::<Vec<_>>().join(", ");
    if more > 0 { format!("{list} and {more} more") } else { list }
}

#[cfg(test)]
mod tests;
