//! The models that clients have asked for: `/model/…`, `/start/…`, `/clear_cache`.
//!
//! A client asks for the list before each prediction, so the list holds all that it shows: one read answers it, and no model has to be
//! in memory for it. Taking a model off the list changes nothing about the model.

use mimus_sdk::vision::Description;
use mimus_sdk::{Request, Response, clock, models, state};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::choice::{self, Found};
use crate::fault::Fault;
use crate::look::task_type;
use crate::pictures::Loose;
use crate::{keys, language, settings};

/// Key of the list.
const KEY: &str = "models";

/// A use within this time of the last one that was noted changes nothing: what is noted has to be written.
const USE_NOTED_S: u64 = 60;

/// A line of the list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Entry {
    /// What clients call it.
    id: String,
    /// The server's own name for it.
    name: String,
    task_type: String,
    batch_size: Option<u32>,
    input_height: Option<u32>,
    input_width: Option<u32>,
    used_s: u64,
}

impl Entry {
    fn new(id: &str, name: &str, description: Option<&Description>) -> Self {
        Entry {
            id: id.into(),
            name: name.into(),
            task_type: description.map_or(language::TASK_TYPE, |description| task_type(description.task)).into(),
            batch_size: description.and_then(|description| description.batch),
            input_height: description.and_then(|description| description.input_height),
            input_width: description.and_then(|description| description.input_width),
            used_s: clock::now_s(),
        }
    }

    /// Whether both show the same.
    fn is_like(&self, other: &Entry) -> bool {
        Entry { used_s: 0, ..self.clone() } == Entry { used_s: 0, ..other.clone() }
    }
}

#[derive(Deserialize)]
struct Named<'a> {
    model_id: String,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

/// `GET /model/registry`. Asks for no key: clients up to 0.9 send none here, and ask before each prediction.
pub(crate) fn list(_: &Request, response: &mut Response) -> Result<(), Fault> {
    answer(response, entries()?)
}

/// `POST /model/add`.
pub(crate) fn add(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let id = named(request)?;
    let entries = put(entry(&id)?)?;
    answer(response, entries)
}

/// `POST /model/remove`.
pub(crate) fn remove(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let id = named(request)?;
    let target = crate::aliases::resolve(&id);
    let entries = change(|entries| entries.retain(|entry| entry.id != id && entry.id != target))?;
    answer(response, entries)
}

/// `POST /model/clear`.
pub(crate) fn clear(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let key = request.json::<Keyed<'_>>().ok().and_then(|body| body.api_key);
    keys::check(request, key.as_ref().and_then(|key| key.0.as_deref()))?;
    answer(response, change(Vec::clear)?)
}

#[derive(Deserialize)]
struct Keyed<'a> {
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

/// `GET /start/{dataset_id}/{version_id}`.
pub(crate) fn start(request: &Request, response: &mut Response) -> Result<(), Fault> {
    keys::check(request, None)?;
    put(entry(&format!("{}/{}", request.param("dataset_id"), request.param("version_id")))?)?;
    Ok(response.json(200, &json!({ "status": 200, "message": "inference session started from local memory." }))?)
}

/// `GET /clear_cache`.
pub(crate) fn clear_cache(request: &Request, response: &mut Response) -> Result<(), Fault> {
    keys::check(request, None)?;
    change(Vec::clear)?;
    Ok(response.json(200, &"Cache Cleared")?)
}

/// Notes that a model was used. A list that cannot be written is no reason to withhold an answer.
pub(crate) fn touch(found: &Found) {
    note(Entry::new(&found.id, &found.name, Some(&found.description)));
}

/// The same for a model of language.
pub(crate) fn touch_language(name: &str) {
    note(Entry::new(name, name, None));
}

fn note(entry: Entry) {
    let noted = entries().and_then(|entries| {
        let is_known = |present: &Entry| present.is_like(&entry) && entry.used_s < present.used_s + USE_NOTED_S;
        if entries.iter().any(is_known) { Ok(()) } else { put(entry).map(drop) }
    });
    if let Err(fault) = noted {
        mimus_sdk::warn!("the use of a model was not noted: {fault:?}");
    }
}

fn named(request: &Request) -> Result<String, Fault> {
    let body: Named<'_> = request.json()?;
    keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
    Ok(body.model_id)
}

fn entry(id: &str) -> Result<Entry, Fault> {
    match choice::model_of(id).filter(|model| model.can(language::ABILITY)) {
        Some(model) => Ok(Entry::new(id, &model.name, None)),
        None => choice::find(id).map(|found| Entry::new(&found.id, &found.name, Some(&found.description))),
    }
}

fn entries() -> Result<Vec<Entry>, Fault> {
    Ok(state::get(KEY)?.map(|list| list.value).unwrap_or_default())
}

/// Adds an entry, or puts it in the place of the one with its id. The one used longest ago makes room.
fn put(entry: Entry) -> Result<Vec<Entry>, Fault> {
    let max = settings::active_models_max()?;
    change(|entries| {
        match entries.iter_mut().find(|present| present.id == entry.id) {
            Some(present) => *present = entry.clone(),
            None => entries.push(entry.clone()),
        }
        while entries.len() > max {
            let oldest =
                (0..entries.len()).min_by_key(|index| (entries[*index].id == entry.id, entries[*index].used_s));
            entries.remove(oldest.unwrap_or(0));
        }
    })
}

fn change(mut change: impl FnMut(&mut Vec<Entry>)) -> Result<Vec<Entry>, Fault> {
    let changed = state::update(KEY, None, |entries: Option<Vec<Entry>>| {
        let mut entries = entries.unwrap_or_default();
        change(&mut entries);
        entries
    });
    Ok(changed?)
}

/// The list, without models that the server no longer has.
fn answer(response: &mut Response, entries: Vec<Entry>) -> Result<(), Fault> {
    let present = entries.into_iter().filter(|entry| models::get(&entry.name).is_some());
    let line = |entry: Entry| {
        json!({
            "model_id": entry.id,
            "task_type": entry.task_type,
            "batch_size": entry.batch_size,
            "input_height": entry.input_height,
            "input_width": entry.input_width,
        })
    };
    Ok(response.json(200, &json!({ "models": present.map(line).collect::<Vec<_>>() }))?)
}

#[cfg(test)]
mod tests;
