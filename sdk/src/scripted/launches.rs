//! Families of the scripted host, and models launched from them: ready at once.

use super::{START_MS, ScriptedHost, model};
use crate::backend::Backend;
use crate::launching::{Error, Launched, Wish};
use crate::models::{Model, Readiness, Replica};
use crate::registry::{self, Family, Origin, Weights};

/// A family that came with the server, with weights of one size, format and quantization.
pub fn family(kind: &str, name: &str, abilities: &[&str]) -> Family {
    let weights = Weights {
        size: (kind == "text").then(|| "7".into()),
        format: "safetensors".into(),
        quantizations: vec!["none".into()],
        origin: Origin::Builtin,
        cached: vec!["none".into()],
        refusal: None,
    };
    Family {
        name: name.into(),
        kind: kind.into(),
        description: format!("the family {name}"),
        languages: vec!["en".into()],
        abilities: abilities.iter().map(|ability| (*ability).into()).collect(),
        context_tokens: 4096,
        dimensions: (kind == "embedding").then_some(super::EMBEDDING_DIMENSIONS),
        architecture: "scripted".into(),
        format: None,
        is_builtin: true,
        weights: vec![weights],
        notes: String::new(),
    }
}

pub(super) fn register(host: &ScriptedHost, family: &Family) -> Result<(), registry::Error> {
    let key = (family.kind.clone(), family.name.clone());
    let mut families = host.inner.families.borrow_mut();
    if families.get(&key).is_some_and(|present| present.is_builtin) {
        return Err(registry::Error::Taken(format!("`{}` comes with the server", family.name)));
    }
    families.insert(key, Family { is_builtin: false, ..family.clone() });
    Ok(())
}

pub(super) fn unregister(host: &ScriptedHost, kind: &str, name: &str) -> bool {
    let key = (kind.to_owned(), name.to_owned());
    let mut families = host.inner.families.borrow_mut();
    let is_added = families.get(&key).is_some_and(|family| !family.is_builtin);
    is_added && families.remove(&key).is_some()
}

pub(super) fn launch(host: &ScriptedHost, wish: &Wish) -> Result<Launched, Error> {
    let found = {
        let families = host.inner.families.borrow();
        let is_wanted =
            |family: &&Family| family.name == wish.family && wish.kind.as_ref().is_none_or(|kind| *kind == family.kind);
        families.values().find(is_wanted).cloned()
    };
    let family = found.ok_or_else(|| Error::UnknownFamily(format!("no family is named `{}`", wish.family)))?;
    let fits = |wanted: &Option<String>, has: &dyn Fn(&str) -> bool| wanted.as_deref().is_none_or(has);
    let weights = family.weights.iter().find(|weights| {
        fits(&wish.size, &|size| weights.size.as_deref() == Some(size))
            && fits(&wish.format, &|format| weights.format == format)
            && fits(&wish.quantization, &|wanted| weights.quantizations.iter().any(|one| one == wanted))
    });
    let weights = weights.ok_or_else(|| Error::NoSuchWeights(format!("`{}` has no such weights", family.name)))?;
    if let Some(why) = &weights.refusal {
        return Err(Error::Unsupported(why.clone()));
    }
    let is_taken = |name: &str| host.inner.models.borrow().contains_key(name);
    let name = match &wish.name {
        Some(name) if is_taken(name) => return Err(Error::Taken(format!("a model is named `{name}`"))),
        Some(name) => name.clone(),
        None if is_taken(&family.name) => format!("{}-{}", family.name, host.random_id(8)),
        None => family.name.clone(),
    };
    let quantization = wish.quantization.clone().or_else(|| weights.quantizations.first().cloned());
    let launched = Model {
        abilities: family.abilities.clone(),
        family: Some(family.name.clone()),
        dimensions: family.dimensions,
        format: weights.format.clone(),
        quantization: quantization.clone(),
        requests_max: wish.requests_max,
        is_launched: true,
        replicas: (0..wish.replicas).map(replica).collect(),
        ..model(&name)
    };
    host.inner.models.borrow_mut().insert(name.clone(), launched);
    let (format, quantization) = (weights.format.clone(), quantization.unwrap_or_default());
    Ok(Launched { name, format, quantization, reason: "there are no others".into() })
}

pub(super) fn find(host: &ScriptedHost, name: &str) -> Result<Model, Error> {
    let found = host.inner.models.borrow().get(name).filter(|model| model.is_launched).cloned();
    found.ok_or_else(|| Error::UnknownModel(format!("no launched model is named `{name}`")))
}

pub(super) fn terminate(host: &ScriptedHost, name: &str) -> Result<(), Error> {
    find(host, name)?;
    host.inner.models.borrow_mut().remove(name);
    Ok(())
}

pub(super) fn add_replica(host: &ScriptedHost, name: &str) -> Result<u32, Error> {
    let mut found = find(host, name)?;
    let id = found.replicas.iter().map(|replica| replica.id + 1).max().unwrap_or(0);
    found.replicas.push(replica(id));
    host.inner.models.borrow_mut().insert(name.into(), found);
    Ok(id)
}

pub(super) fn remove_replica(host: &ScriptedHost, name: &str, id: u32) -> Result<(), Error> {
    let mut found = find(host, name)?;
    if found.replicas.len() == 1 || !found.replicas.iter().any(|replica| replica.id == id) {
        return Err(Error::UnknownModel(format!("`{name}` has no replica {id} that could go")));
    }
    found.replicas.retain(|replica| replica.id != id);
    host.inner.models.borrow_mut().insert(name.into(), found);
    Ok(())
}

pub(super) fn replica(id: u32) -> Replica {
    Replica {
        id,
        readiness: Readiness::Ready,
        detail: String::new(),
        progress: None,
        running: 0,
        waiting: 0,
        created_ms: START_MS,
    }
}
