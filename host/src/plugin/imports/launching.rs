//! `launching`: models launched from the registry, and ended.

use super::blocking;
use crate::limits;
use crate::model::{LaunchError, Wish};
use crate::plugin::bindings::personality::mimus::plugin::inference::InvalidValue;
use crate::plugin::bindings::personality::mimus::plugin::launching as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    async fn launch(&mut self, wish: wit::Wish) -> wasmtime::Result<Result<wit::Launched, wit::Error>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        // Headers of files are read.
        let launched = self.wait(blocking(move || launcher.launch(to_wish(wish)))).await;
        let launched = launched.unwrap_or_else(|| Err(LaunchError::Failed("launching failed unexpectedly".into())));
        let to_launched = |launched: crate::model::Launched| wit::Launched {
            name: launched.name,
            format: launched.format,
            quantization: launched.quantization,
            reason: launched.reason,
        };
        Ok(launched.map(to_launched).map_err(to_wit))
    }

    async fn wait(&mut self, name: String) -> wasmtime::Result<Result<(), wit::Error>> {
        self.count_call()?;
        let launcher = self.services.launcher.clone();
        Ok(self.wait(launcher.wait(&name)).await.map_err(to_wit))
    }

    async fn cancel(&mut self, name: String) -> wasmtime::Result<Result<bool, wit::Error>> {
        self.count_call()?;
        Ok(self.services.launcher.cancel(&name).map_err(to_wit))
    }

    async fn terminate(&mut self, name: String) -> wasmtime::Result<Result<(), wit::Error>> {
        self.count_call()?;
        Ok(self.services.launcher.terminate(&name).map_err(to_wit))
    }

    async fn add_replica(&mut self, name: String) -> wasmtime::Result<Result<u32, wit::Error>> {
        self.count_call()?;
        Ok(self.services.launcher.add_replica(&name).map_err(to_wit))
    }

    async fn remove_replica(&mut self, name: String, id: u32) -> wasmtime::Result<Result<(), wit::Error>> {
        self.count_call()?;
        Ok(self.services.launcher.remove_replica(&name, id).map_err(to_wit))
    }

    async fn events(&mut self, name: String) -> wasmtime::Result<Vec<wit::Event>> {
        self.count_call()?;
        let events = self.services.catalog.events(&name).into_iter();
        Ok(events.map(|event| wit::Event { at_ms: event.at_ms, text: event.text, is_error: event.is_error }).collect())
    }
}

fn to_wish(wish: wit::Wish) -> Wish {
    Wish {
        name: wish.name,
        family: wish.family,
        kind: wish.kind,
        size: wish.size,
        format: wish.format,
        quantization: wish.quantization,
        path: wish.path.map(Into::into),
        context_tokens: wish.context_tokens,
        replicas: wish.replicas,
        requests_max: wish.requests_max,
        is_pinned: wish.is_pinned,
    }
}

fn to_wit(error: LaunchError) -> wit::Error {
    let text = error.to_string();
    match error {
        LaunchError::UnknownFamily(_) => wit::Error::UnknownFamily(text),
        LaunchError::NoSuchWeights(_) => wit::Error::NoSuchWeights(text),
        LaunchError::Unsupported(_) => wit::Error::Unsupported(text),
        LaunchError::Taken(_) => wit::Error::Taken(text),
        LaunchError::UnknownModel(_) => wit::Error::UnknownModel(text),
        LaunchError::Invalid { field, reason } => wit::Error::Invalid(InvalidValue { field: field.to_owned(), reason }),
        LaunchError::TooLarge(_) => wit::Error::TooLarge(text),
        LaunchError::Forbidden(_) => wit::Error::Forbidden(text),
        LaunchError::Overloaded => wit::Error::Overloaded(limits::LAUNCH_RETRY_MS),
        LaunchError::Cancelled => wit::Error::Cancelled,
        LaunchError::Failed(_) => wit::Error::Failed(text),
    }
}
