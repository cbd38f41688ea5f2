//! `registry`: families of models, and downloads of their files.

use std::sync::Arc;

use super::blocking;
use crate::model::Launcher;
use crate::plugin::bindings::personality::mimus::plugin::inference::InvalidValue;
use crate::plugin::bindings::personality::mimus::plugin::registry as wit;
use crate::plugin::guest::Guest;
use crate::registry::{Family, Kind, Origin, RegisterError, Weights};

impl wit::Host for Guest {
    async fn list(&mut self, kind: Option<String>) -> wasmtime::Result<Vec<wit::Family>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        let families = move || {
            let kind = kind.as_deref().map(Kind::parse);
            match kind {
                // A word that is no kind has no families.
                Some(None) => Vec::new(),
                kind => launcher
                    .registry()
                    .list(kind.flatten().as_ref())
                    .iter()
                    .map(|family| to_wit(&launcher, family))
                    .collect(),
            }
        };
        // The cache on disk is asked which files are there.
        Ok(self.wait(blocking(families)).await.unwrap_or_default())
    }

    async fn get(&mut self, kind: String, name: String) -> wasmtime::Result<Option<wit::Family>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        let family = move || {
            let family = launcher.registry().get(&Kind::parse(&kind)?, &name)?;
            Some(to_wit(&launcher, &family))
        };
        Ok(self.wait(blocking(family)).await.flatten())
    }

    async fn register(&mut self, family: wit::Family, is_persistent: bool) -> wasmtime::Result<Result<(), wit::Error>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        let register = move || launcher.register(from_wit(family)?, is_persistent);
        let registered = self.wait(blocking(register)).await;
        Ok(registered.unwrap_or_else(|| Err(unexpected())).map_err(to_wit_error))
    }

    async fn unregister(&mut self, kind: String, name: String) -> wasmtime::Result<Result<bool, wit::Error>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        let unregister = move || match Kind::parse(&kind) {
            Some(kind) => launcher.unregister(&kind, &name),
            None => Ok(false),
        };
        let unregistered = self.wait(blocking(unregister)).await;
        Ok(unregistered.unwrap_or_else(|| Err(unexpected())).map_err(to_wit_error))
    }

    async fn downloads(&mut self) -> wasmtime::Result<Vec<wit::Download>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        let downloads = self.wait(blocking(move || launcher.downloads())).await.unwrap_or_default();
        let to_download = |model: crate::hub::CachedModel| wit::Download {
            hub_id: model.repo,
            revision: model.revision,
            bytes: model.bytes,
        };
        Ok(downloads.into_iter().map(to_download).collect())
    }

    async fn remove_download(&mut self, hub_id: String) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        let removed = self.wait(blocking(move || launcher.remove_download(&hub_id))).await;
        let removed = removed.unwrap_or_else(|| Err("removing failed unexpectedly".to_owned()));
        Ok(removed.map_err(wit::Error::Failed))
    }
}

fn to_wit(launcher: &Arc<Launcher>, family: &Family) -> wit::Family {
    let weights = |weights: &Weights| wit::Weights {
        size: weights.size.clone(),
        format: weights.format.clone(),
        quantizations: weights.quantizations.clone(),
        origin: match &weights.origin {
            Origin::Builtin(_) => wit::Origin::Builtin,
            Origin::Hub { id, revision, file, .. } => {
                wit::Origin::Hub(wit::HubFiles { id: id.clone(), revision: revision.clone(), file: file.clone() })
            }
            Origin::Path(path) => wit::Origin::Path(path.display().to_string()),
        },
        cached: weights.quantizations.iter().filter(|one| launcher.is_cached(weights, one)).cloned().collect(),
        refusal: launcher.refusal(family, weights),
    };
    wit::Family {
        name: family.name.clone(),
        kind: family.kind.as_str().to_owned(),
        description: family.description.clone(),
        languages: family.languages.clone(),
        abilities: family.abilities.clone(),
        context_tokens: family.context_tokens,
        dimensions: family.dimensions,
        architecture: family.architecture.clone(),
        format: family.template.clone(),
        is_builtin: family.is_builtin,
        weights: family.weights.iter().map(weights).collect(),
        notes: family.notes.clone(),
    }
}

fn from_wit(family: wit::Family) -> Result<Family, RegisterError> {
    let invalid = |field, reason: String| RegisterError::Invalid(crate::registry::Invalid { field, reason });
    let kind = Kind::parse(&family.kind);
    let kind = kind.ok_or_else(|| invalid("kind", format!("`{}` cannot be one", family.kind.escape_debug())))?;
    let weights = |weights: wit::Weights| {
        let origin = match weights.origin {
            wit::Origin::Builtin => {
                return Err(invalid("weights", "only built-in models have built-in weights".into()));
            }
            wit::Origin::Hub(hub) => Origin::Hub {
                id: hub.id,
                revision: hub.revision,
                file: hub.file,
                split_file: None,
                parts: Default::default(),
            },
            wit::Origin::Path(path) => Origin::Path(path.into()),
        };
        let (size, format, quantizations) = (weights.size, weights.format, weights.quantizations);
        Ok(Weights { size, format, architecture: None, quantizations, origin, bytes: None })
    };
    Ok(Family {
        name: family.name,
        kind,
        description: family.description,
        languages: family.languages,
        abilities: family.abilities,
        context_tokens: family.context_tokens,
        dimensions: family.dimensions,
        architecture: family.architecture,
        template: family.format,
        licence: None,
        is_builtin: false,
        weights: family.weights.into_iter().map(weights).collect::<Result<_, _>>()?,
        notes: family.notes,
    })
}

fn unexpected() -> RegisterError {
    RegisterError::Failed("the registry failed unexpectedly".into())
}

fn to_wit_error(error: RegisterError) -> wit::Error {
    match error {
        RegisterError::Taken(why) => wit::Error::Taken(why),
        RegisterError::Invalid(invalid) => {
            wit::Error::Invalid(InvalidValue { field: invalid.field.to_owned(), reason: invalid.reason })
        }
        RegisterError::Forbidden(why) => wit::Error::Forbidden(why),
        RegisterError::Failed(why) => wit::Error::Failed(why),
    }
}
