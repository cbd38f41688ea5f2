//! `models`: which models the server has.

use crate::model::{ModelStatus, Readiness};
use crate::plugin::bindings::personality::mimus::plugin::models as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    fn list(&mut self) -> wasmtime::Result<Vec<wit::Model>> {
        self.count_call()?;
        Ok(self.services.catalog.list().into_iter().map(to_wit).collect())
    }

    fn get(&mut self, name: String) -> wasmtime::Result<Option<wit::Model>> {
        self.count_call()?;
        Ok(self.services.catalog.status(&name).map(to_wit))
    }
}

fn to_wit(model: ModelStatus) -> wit::Model {
    wit::Model {
        name: model.name,
        abilities: model.abilities,
        readiness: match model.readiness {
            Readiness::Loading => wit::Readiness::Loading,
            Readiness::Ready => wit::Readiness::Ready,
            Readiness::Failed => wit::Readiness::Failed,
        },
        detail: model.detail,
        architecture: model.architecture,
        format: model.format,
        quantization: model.quantization,
        parameters: model.parameters,
        context_tokens: model.context_tokens,
        vocab_tokens: model.vocab_tokens,
        created_s: model.created_s,
        bos_token: model.bos_token,
    }
}
