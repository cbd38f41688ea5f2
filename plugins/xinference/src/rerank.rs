//! `POST /v1/rerank`.
//!
//! The answer also has the keys that the clients of Jina (`model`, `object`, `usage`) and of Cohere (`meta.api_version`) read; no
//! client of the original looks at them.

use mimus_sdk::reranking::{self, DOCUMENTS_MAX, Options, Relevance, best};
use mimus_sdk::{Request, Response, random};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::refusal::Refusal;
use crate::running;
use crate::text_or::{TextObject, TextOr};

/// Largest body: 2,048 documents of 4 KiB.
pub(crate) const BODY_BYTES_MAX: u64 = 8 << 20;
/// Documents that go to the model in one call: other requests get their turn between two of them.
const DOCUMENTS_AT_ONCE: usize = 64;

#[derive(Deserialize)]
struct RerankRequest {
    model: String,
    query: TextOr<TextObject>,
    documents: Vec<TextOr<TextObject>>,
    top_n: Option<i64>,
    return_documents: Option<bool>,
    return_len: Option<bool>,
    /// Further arguments as JSON text.
    kwargs: Option<String>,
    instruction: Option<String>,
}

#[derive(Deserialize, Default)]
struct More {
    instruction: Option<String>,
}

/// `POST /v1/rerank`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: RerankRequest = request.json()?;
    let more: More = match body.kwargs.as_deref().filter(|text| !text.trim().is_empty()) {
        None => More::default(),
        Some(text) => serde_json::from_str(text)
            .map_err(|error| Refusal::bad(format!("Invalid input. `kwargs` must be JSON of an object: {error}")))?,
    };
    let top = match body.top_n {
        None => None,
        Some(count) => {
            let refusal = || Refusal::bad(format!("Invalid input. `top_n` must be 0 or more, got {count}"));
            Some(usize::try_from(count).map_err(|_| refusal())?)
        }
    };
    let query = text_of(body.query, "query")?;
    let each = body.documents.into_iter().enumerate();
    let documents: Vec<String> =
        each.map(|(index, document)| text_of(document, &format!("documents[{index}]"))).collect::<Result<_, _>>()?;
    if documents.len() > DOCUMENTS_MAX {
        let count = documents.len();
        return Err(Refusal::bad(format!("Invalid input. `documents` must be at most {DOCUMENTS_MAX}, got {count}")));
    }
    if documents.is_empty() {
        running::of_kind(&body.model, "rerank")?;
    }
    let options = Options { instruction: body.instruction.or(more.instruction), ..Options::default() };
    let mut relevances: Vec<Relevance> = Vec::with_capacity(documents.len());
    for documents in documents.chunks(DOCUMENTS_AT_ONCE) {
        let found = reranking::rerank(&body.model, &query, documents, &options);
        relevances.extend(found.map_err(|error| running::explain(error, &body.model, "rerank"))?);
    }
    let result = |index: usize| {
        let document = body.return_documents.unwrap_or(false).then(|| json!({ "text": documents[index] }));
        json!({ "index": index, "relevance_score": relevances[index].score, "document": document })
    };
    let results: Vec<Value> = best(&relevances, top).into_iter().map(result).collect();
    let tokens: u64 = relevances.iter().map(|relevance| u64::from(relevance.tokens)).sum();
    let meta_tokens =
        body.return_len.unwrap_or(false).then(|| json!({ "input_tokens": tokens, "output_tokens": tokens }));
    let answer = json!({
        "id": uuid(),
        "object": "list",
        "model": body.model,
        "results": results,
        "usage": { "prompt_tokens": tokens, "total_tokens": tokens },
        "meta": { "api_version": null, "billed_units": null, "tokens": meta_tokens, "warnings": null },
    });
    Ok(response.json(200, &answer)?)
}

fn text_of(content: TextOr<TextObject>, field: &str) -> Result<String, Refusal> {
    match content {
        TextOr::Text(text) | TextOr::Other(TextObject { text: Some(text) }) => Ok(text),
        TextOr::Other(TextObject { text: None }) => {
            Err(Refusal::bad(format!("Invalid input. `{field}` must be a string or an object with `text`")))
        }
    }
}

/// A random id in the form of RFC 9562.
fn uuid() -> String {
    let bytes = random::bytes(16);
    let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let part = |from: usize, to: usize| digits.get(from..to).unwrap_or_default();
    format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(13, 16), part(17, 20), part(20, 32))
}

#[cfg(test)]
mod tests;
