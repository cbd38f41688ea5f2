//! The names by which clients ask for models: the models' own, and those of the setting `model_names`.
//!
//! A FastChat worker is started with `--model-names "gpt-3.5-turbo,text-embedding-ada-002"` so that clients with OpenAI's names find
//! it. The setting does the same: `model_names = "a,b"` gives two names to the server's usual model, and
//! `model_names = { "a,b" = "some-model" }` gives them to one model. As with FastChat the comma parts names in the setting alone: a
//! request for the model `a,b` asks for a model of that very name.

use std::collections::BTreeMap;

use mimus_sdk::models::{self, Model, Readiness};
use mimus_sdk::{config, log};
use serde::Deserialize;

use crate::refusal::{Refusal, code};

/// What a model is wanted for, which decides which one is the usual.
#[derive(Clone, Copy)]
pub(crate) enum Purpose {
    Text,
    Vectors,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Setting {
    Usual(String),
    Models(BTreeMap<String, String>),
}

/// Further names, each with the model it is for; none is the usual one.
fn given() -> Vec<(String, Option<String>)> {
    let setting = config::get::<Setting>("model_names").unwrap_or_else(|error| {
        log::write(log::Level::Warn, &error);
        None
    });
    let split = |names: &str, model: Option<&str>| -> Vec<(String, Option<String>)> {
        let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
        names.map(|name| (name.to_owned(), model.map(str::to_owned))).collect()
    };
    match setting {
        None => Vec::new(),
        Some(Setting::Usual(names)) => split(&names, None),
        Some(Setting::Models(models)) => models.iter().flat_map(|(names, model)| split(names, Some(model))).collect(),
    }
}

/// Every name there is, in order, with the time at which its model was loaded in seconds since 1970.
pub(crate) fn all() -> Vec<(String, u64)> {
    let usable: Vec<Model> = models::list().into_iter().filter(|model| model.readiness != Readiness::Failed).collect();
    let mut names: BTreeMap<String, u64> = usable.iter().map(|model| (model.name.clone(), model.created_s)).collect();
    for (name, model) in given() {
        let model = match model {
            Some(model) => usable.iter().find(|candidate| candidate.name == model).cloned(),
            None => usual(&usable, Purpose::Text),
        };
        if let Some(model) = model {
            names.entry(name).or_insert(model.created_s);
        }
    }
    names.into_iter().collect()
}

/// The model behind a name.
///
/// # Errors
/// FastChat's 40301, which lists the names there are.
pub(crate) fn find(name: &str, purpose: Purpose) -> Result<Model, Refusal> {
    if let Some(model) = models::get(name) {
        return Ok(model);
    }
    let target = given().into_iter().find(|(given, _)| given == name).map(|(_, model)| model);
    let found = match target {
        Some(Some(model)) => models::get(&model),
        Some(None) => usual(&models::list(), purpose),
        None => None,
    };
    found.ok_or_else(|| {
        let names: Vec<String> = all().into_iter().map(|(name, _)| name).collect();
        let message = format!("Only {} allowed now, your model {name}", names.join("&&"));
        Refusal::new(code::INVALID_MODEL, message)
    })
}

/// The model of that name, or the usual one where a worker's request names none.
pub(crate) fn find_or_usual(name: Option<&str>, purpose: Purpose) -> Result<Model, Refusal> {
    match name {
        Some(name) => find(name, purpose),
        None => usual(&models::list(), purpose)
            .ok_or_else(|| Refusal::new(code::NO_WORKER, "no model is loaded").with_status(503)),
    }
}

/// The first that can do it, ready ones before others.
fn usual(models: &[Model], purpose: Purpose) -> Option<Model> {
    let fits = |model: &&Model| match purpose {
        Purpose::Text => model.can("chat") || model.can("generate"),
        Purpose::Vectors => model.can("embed"),
    };
    let ready = models.iter().filter(fits).find(|model| model.readiness == Readiness::Ready);
    ready.or_else(|| models.iter().find(fits)).or_else(|| models.first()).cloned()
}
