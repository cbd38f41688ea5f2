//! Which of the server's models a request means.

use mimus_sdk::inference::Error;
use mimus_sdk::models::{self, Model, Readiness};
use mimus_sdk::vision::{self, Description};

use crate::aliases;
use crate::fault::{Fault, internal};
use crate::settings;

/// A model that was found.
pub(crate) struct Found {
    /// The id that clients know it by.
    pub(crate) id: String,
    /// The server's own name for it.
    pub(crate) name: String,
    pub(crate) description: Description,
}

/// The model of an id. An alias counts as what it stands for, and a model that an operator named like an alias is found by both.
pub(crate) fn find(id: &str) -> Result<Found, Fault> {
    let model = model_of(id).ok_or_else(|| Fault::unknown_model(id))?;
    let id = aliases::resolve(id);
    let description = describe(&model, &id)?;
    Ok(Found { id, name: model.name, description })
}

/// The model that an id leads to, as the server knows it.
pub(crate) fn model_of(id: &str) -> Option<Model> {
    let target = aliases::resolve(id);
    let by_target = || models::get(&target);
    let by_alias = || aliases::names_of(&target).iter().find_map(|name| models::get(name));
    models::get(id).or_else(by_target).or_else(by_alias)
}

/// What a model of pictures is; waits for none that is on its way.
pub(crate) fn describe(model: &Model, id: &str) -> Result<Description, Fault> {
    match model.readiness {
        Readiness::Failed => {
            mimus_sdk::error!("the model {} failed to load: {}", model.name, model.detail);
            return Err(Fault::new(500, "Model package is broken.").because(&*model.detail));
        }
        Readiness::Loading => return Err(Fault::loading(id)),
        Readiness::Ready | Readiness::Idle => {}
    }
    vision::describe(&model.name).map_err(|error| match error {
        Error::Unsupported(_) => Fault::bad(format!("Model {id} does not look at pictures.")),
        other => other.into(),
    })
}

/// A kind of model that has routes of its own and a default where clients name none.
pub(crate) struct Kind {
    /// What clients write before its version: `clip` of `clip/ViT-B-16`.
    pub(crate) prefix: &'static str,
    /// The versions that clients send unless their user says otherwise.
    pub(crate) defaults: &'static [&'static str],
    /// The operator's setting for these.
    pub(crate) setting: &'static str,
    /// What the model has to be able to do.
    pub(crate) ability: &'static str,
    /// What to tell where there is none.
    pub(crate) missing: &'static str,
}

impl Kind {
    /// The model for a version that a client named, or for none.
    pub(crate) fn find(&self, version: Option<&str>) -> Result<Found, Fault> {
        let model = self.model(version)?;
        let description = describe(&model, &model.name)?;
        Ok(Found { id: model.name.clone(), name: model.name, description })
    }

    /// The same, for models that are not asked what they see.
    pub(crate) fn model(&self, version: Option<&str>) -> Result<Model, Fault> {
        let version = version.filter(|version| !version.is_empty());
        if let Some(model) = version.and_then(|version| self.named(version)) {
            return Ok(model);
        }
        match version {
            Some(version) if !self.defaults.contains(&version) => {
                let id = format!("{}/{version}", self.prefix);
                let why = format!("this server has no model `{id}` or `{version}` with the ability {}", self.ability);
                Err(Fault::unknown_model(&id).because(why))
            }
            _ => self.default(),
        }
    }

    fn named(&self, version: &str) -> Option<Model> {
        let of_kind = |name: &str| models::get(name).filter(|model| model.can(self.ability));
        of_kind(&format!("{}/{version}", self.prefix)).or_else(|| of_kind(version))
    }

    fn default(&self) -> Result<Model, Fault> {
        if let Some(name) = settings::model(self.setting)? {
            let of_kind = models::get(&name).filter(|model| model.can(self.ability));
            let why = || {
                let (setting, ability) = (self.setting, self.ability);
                internal(&format!("setting `{setting}`: there is no model `{name}` with the ability {ability}"))
            };
            return of_kind.ok_or_else(why);
        }
        let rank = |model: &Model| match model.readiness {
            Readiness::Ready => 0,
            Readiness::Idle => 1,
            Readiness::Loading => 2,
            Readiness::Failed => 3,
        };
        let able = models::list().into_iter().filter(|model| model.can(self.ability));
        able.min_by_key(rank).ok_or_else(|| Fault::no_such_model(self.missing))
    }
}
