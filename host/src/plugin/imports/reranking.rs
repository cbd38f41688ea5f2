//! `reranking`: how relevant texts are to a query.

use super::inference::to_wit;
use crate::plugin::bindings::personality::mimus::plugin::inference::Error;
use crate::plugin::bindings::personality::mimus::plugin::reranking as wit;
use crate::plugin::guest::Guest;
use crate::reranking::{Relevance, RerankOptions};

impl wit::Host for Guest {
    async fn rerank(
        &mut self,
        model: String,
        query: String,
        documents: Vec<String>,
        options: wit::Options,
    ) -> wasmtime::Result<Result<Vec<wit::Relevance>, Error>> {
        self.count_call()?;
        let options = RerankOptions {
            truncate_tokens: options.truncate_tokens,
            is_raw: options.is_raw,
            instruction: options.instruction,
            tenant: self.tenant,
        };
        let inference = self.services.inference.clone();
        let relevances = self.wait(inference.rerank(&model, query, documents, options)).await;
        Ok(relevances.map(|all| all.into_iter().map(to_relevance).collect()).map_err(to_wit))
    }
}

fn to_relevance(relevance: Relevance) -> wit::Relevance {
    wit::Relevance { score: relevance.score, tokens: relevance.tokens, is_truncated: relevance.is_truncated }
}
