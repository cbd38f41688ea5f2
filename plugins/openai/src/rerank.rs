//! `POST /v1/rerank` and `/v2/rerank`: documents by their relevance, in the shape of Jina and Cohere.
//!
//! The answers of both services, of vLLM and of Hugging Face's server differ in what stands around the same results; this one has the
//! keys of all, so that the clients of each find theirs.

use mimus_sdk::inference;
use mimus_sdk::reranking::{self, DOCUMENTS_MAX, Options};
use mimus_sdk::{Request, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::error::ApiError;
use crate::{fields, ids};

/// Largest body: 2,048 documents of 4 KiB.
pub(crate) const BODY_BYTES_MAX: u64 = 8 << 20;
/// Documents that go to the model in one call: other requests get their turn between two of them.
const DOCUMENTS_AT_ONCE: usize = 128;
/// Documents that one unit of Cohere's billing stands for.
const DOCUMENTS_PER_UNIT: usize = 100;

#[derive(Deserialize)]
struct RerankRequest {
    model: String,
    query: String,
    documents: Vec<Document>,
    /// All, when it is not said.
    top_n: Option<i64>,
    /// Left out by default in Cohere's and Jina's newest.
    return_documents: Option<bool>,
    /// vLLM's.
    truncate_prompt_tokens: Option<i64>,
    /// Cohere's.
    max_tokens_per_doc: Option<i64>,
    /// For models that follow an instruction.
    instruction: Option<String>,
}

/// A text, or an object with one under `text`.
#[derive(Deserialize)]
#[serde(untagged)]
enum Document {
    Text(String),
    Object(serde_json::Map<String, Value>),
}

#[derive(Serialize)]
struct Answer<'a> {
    id: String,
    object: &'static str,
    model: &'a str,
    results: Vec<Ranked<'a>>,
    usage: Usage,
    meta: Meta,
}

#[derive(Serialize)]
struct Ranked<'a> {
    index: usize,
    relevance_score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    document: Option<Text<'a>>,
}

#[derive(Serialize)]
struct Text<'a> {
    text: &'a str,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
}

#[derive(Serialize)]
struct Meta {
    api_version: Version,
    billed_units: Billed,
}

#[derive(Serialize)]
struct Version {
    version: &'static str,
}

#[derive(Serialize)]
struct Billed {
    search_units: usize,
}

/// `POST /v1/rerank`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    answer(request, response, "1")
}

/// `POST /v2/rerank`.
pub(crate) fn create_v2(request: &Request, response: &mut Response) -> Result<(), ApiError> {
    answer(request, response, "2")
}

fn answer(request: &Request, response: &mut Response, version: &'static str) -> Result<(), ApiError> {
    let body: RerankRequest = request.json()?;
    if body.query.is_empty() {
        return Err(ApiError::invalid("query", "`query` must not be empty"));
    }
    if body.documents.is_empty() || body.documents.len() > DOCUMENTS_MAX {
        let bounds = format_args!("1 to {DOCUMENTS_MAX} documents").to_string();
        return Err(fields::out_of_bounds("documents", bounds, body.documents.len()));
    }
    let top = body.top_n.map(|count| fields::positive("top_n", count)).transpose()?;
    let truncate = body.truncate_prompt_tokens.filter(|count| *count != -1).or(body.max_tokens_per_doc);
    let options = Options {
        truncate_tokens: truncate.map(|count| fields::positive("truncate_prompt_tokens", count)).transpose()?,
        instruction: body.instruction,
        ..Options::default()
    };
    let documents = body.documents.into_iter().enumerate().map(text).collect::<Result<Vec<String>, _>>()?;
    let mut relevances = Vec::with_capacity(documents.len());
    for documents in documents.chunks(DOCUMENTS_AT_ONCE) {
        let found = reranking::rerank(&body.model, &body.query, documents, &options);
        relevances.extend(found.map_err(|error| of_inference(error, &body.model))?);
    }
    let returns_documents = body.return_documents.unwrap_or(false);
    let ranked = |index: usize| Ranked {
        index,
        relevance_score: relevances[index].score,
        document: returns_documents.then(|| Text { text: &documents[index] }),
    };
    let results = reranking::best(&relevances, top.map(|count| count as usize)).into_iter().map(ranked).collect();
    let tokens = relevances.iter().map(|relevance| u64::from(relevance.tokens)).sum();
    let answer = Answer {
        id: ids::new("rerank-"),
        object: "list",
        model: &body.model,
        results,
        usage: Usage { prompt_tokens: tokens, total_tokens: tokens },
        meta: Meta {
            api_version: Version { version },
            billed_units: Billed { search_units: documents.len().div_ceil(DOCUMENTS_PER_UNIT) },
        },
    };
    Ok(response.json(200, &answer)?)
}

fn text((index, document): (usize, Document)) -> Result<String, ApiError> {
    let text = match document {
        Document::Text(text) => Some(text),
        Document::Object(mut fields) => match fields.remove("text") {
            Some(Value::String(text)) => Some(text),
            _ => None,
        },
    };
    text.ok_or_else(|| {
        ApiError::invalid(
            "documents",
            format!("`documents` must be texts or objects with `text`, number {index} is not"),
        )
    })
}

fn of_inference(error: inference::Error, model: &str) -> ApiError {
    match error {
        inference::Error::Unsupported(_) => {
            ApiError::unsupported("model", format!("The model `{model}` does not rerank."))
        }
        error => ApiError::of_inference(error, "documents").renamed("truncate-tokens", "truncate_prompt_tokens"),
    }
}

#[cfg(test)]
mod tests {
    use mimus_sdk::scripted::{ScriptedHost, rerank_model};
    use serde_json::{Value, json};

    use crate::OpenAi;

    fn ask(path: &str, body: &Value) -> (u16, Value) {
        let host = ScriptedHost::new().model(rerank_model("judge"));
        let headers = [("content-type", "application/json")];
        let captured = host.call(&OpenAi, "POST", path, &headers, body.to_string().as_bytes());
        (captured.status, captured.json())
    }

    #[test]
    fn the_best_come_first_with_the_keys_of_every_service() {
        let body = json!({
            "model": "judge", "query": "blue whale", "top_n": 2, "return_documents": true,
            "documents": ["a red car", {"text": "the blue whale"}, "a blue car"],
        });
        for (path, version) in [("/v1/rerank", "1"), ("/rerank", "1"), ("/v2/rerank", "2")] {
            let (status, answer) = ask(path, &body);
            assert_eq!(status, 200, "{answer}");
            assert_eq!(
                answer["results"],
                json!([
                    {"index": 1, "relevance_score": 1.0, "document": {"text": "the blue whale"}},
                    {"index": 2, "relevance_score": 0.5, "document": {"text": "a blue car"}},
                ])
            );
            assert_eq!(
                answer["meta"],
                json!({"api_version": {"version": version}, "billed_units": {"search_units": 1}})
            );
            assert_eq!((answer["model"].as_str(), answer["object"].as_str()), (Some("judge"), Some("list")));
            assert!(answer["usage"]["total_tokens"].as_u64() > Some(0) && answer["id"].is_string());
        }
    }

    #[test]
    fn documents_are_left_out_unless_asked_for() {
        let (_, answer) = ask("/v1/rerank", &json!({"model": "judge", "query": "q", "documents": ["d"]}));
        assert_eq!(answer["results"], json!([{"index": 0, "relevance_score": 0.0}]));
    }

    #[test]
    fn wrong_requests_name_the_field() {
        let cases = [
            (json!({"query": "q", "documents": ["d"]}), 400, "model"),
            (json!({"model": "judge", "documents": ["d"]}), 400, "query"),
            (json!({"model": "judge", "query": "", "documents": ["d"]}), 400, "query"),
            (json!({"model": "judge", "query": "q", "documents": []}), 400, "documents"),
            (json!({"model": "judge", "query": "q", "documents": [{"body": "d"}]}), 400, "documents"),
            (json!({"model": "judge", "query": "q", "documents": ["d"], "top_n": 0}), 400, "top_n"),
            (json!({"model": "none", "query": "q", "documents": ["d"]}), 404, "model"),
            (json!({"model": "scripted", "query": "q", "documents": ["d"]}), 400, "model"),
        ];
        for (body, status, param) in cases {
            let (found, answer) = ask("/v1/rerank", &body);
            assert_eq!((found, answer["error"]["param"].as_str()), (status, Some(param)), "{body}: {answer}");
        }
    }
}
