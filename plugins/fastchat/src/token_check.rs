//! `POST /api/v1/token_check`: whether prompts and their answers fit the context.

use mimus_sdk::{Request, Response, inference};
use serde::{Deserialize, Serialize};

use crate::names::{self, Purpose};
use crate::refusal::Refusal;

/// Prompts of one request.
const PROMPTS_MAX: usize = 64;

#[derive(Deserialize)]
struct CheckRequest {
    prompts: Vec<Question>,
}

#[derive(Deserialize)]
struct Question {
    model: String,
    prompt: String,
    max_tokens: i64,
}

#[derive(Serialize)]
struct CheckResponse {
    prompts: Vec<Answer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    fits: bool,
    token_count: usize,
    context_length: u32,
}

pub(crate) fn check(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: CheckRequest = request.json()?;
    if body.prompts.len() > PROMPTS_MAX {
        let count = body.prompts.len();
        return Err(Refusal::out_of_range(format!("{count} is greater than the maximum of {PROMPTS_MAX} - 'prompts'")));
    }
    let answer = |question: Question| -> Result<Answer, Refusal> {
        let model = names::find(&question.model, Purpose::Text)?;
        let token_count = inference::tokenize(&model.name, &question.prompt, true)?.len();
        let wanted = i64::try_from(token_count).unwrap_or(i64::MAX).saturating_add(question.max_tokens);
        let fits = wanted <= i64::from(model.context_tokens);
        Ok(Answer { fits, token_count, context_length: model.context_tokens })
    };
    let prompts = body.prompts.into_iter().map(answer).collect::<Result<_, _>>()?;
    Ok(response.json(200, &CheckResponse { prompts })?)
}
