//! `POST /v1/completions`: a prompt goes on. Its streams end without `[DONE]`.

mod stream;
mod whole;

use mimus_sdk::inference::{self, Options, Prompt};
use mimus_sdk::prompts::Prompts;
use mimus_sdk::{Request, Response};

use crate::generation::{Delivery, Parsed, generation_request};
use crate::refusal::Refusal;
use crate::running;

/// Tokens of an answer where the client does not say: what the first servers took. A model without an end would write on to the end
/// of its context.
const TOKENS_MAX: u32 = 1024;

generation_request! {
    struct CompletionRequest {
        prompt: Option<Prompts>,
        echo: Option<bool>,
    }
}

/// A request that is sound, as far as that shows without the model.
struct Completion {
    uid: String,
    prompt: Prompt,
    options: Options,
    delivery: Delivery,
    /// What stands before the answer.
    echoed: String,
}

/// `POST /v1/completions`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let completion = parse(request)?;
    let uid = &completion.uid;
    let generation = inference::generate(uid, &completion.prompt, &completion.options)
        .map_err(|error| running::explain(error, uid, "text"))?;
    match completion.delivery.is_stream {
        true => stream::answer(&completion, generation, response),
        false => whole::answer(&completion, generation, response),
    }
}

fn parse(request: &Request) -> Result<Completion, Refusal> {
    let mut body: CompletionRequest = request.json()?;
    let Parsed { uid, mut options, delivery, .. } = body.generation().parse(request)?;
    let mut prompts = body.prompt.ok_or_else(|| Refusal::missing("prompt"))?.into_prompts();
    if prompts.len() > 1 {
        return Err(Refusal::bad("Invalid input. `prompt` must be one prompt, send a request for each"));
    }
    let prompt = prompts.pop().ok_or_else(|| Refusal::missing("prompt"))?;
    options.tokens_max = Some(match options.tokens_max {
        Some(tokens) => tokens,
        None => left(&uid, &prompt)?.min(TOKENS_MAX),
    });
    let echoed = match (body.echo.unwrap_or(false), &prompt) {
        (false, _) => String::new(),
        (true, Prompt::Text(text)) => text.clone(),
        (true, Prompt::Tokens(tokens)) => inference::detokenize(&uid, tokens, true)?,
    };
    Ok(Completion { uid, prompt, options, delivery, echoed })
}

/// Tokens that the context leaves for an answer, 1 at least: a prompt that fills it is refused by the host.
fn left(uid: &str, prompt: &Prompt) -> Result<u32, Refusal> {
    let model = running::of_kind(uid, "text")?;
    let tokens = match prompt {
        Prompt::Text(text) => inference::tokenize(uid, text, true)?.len(),
        Prompt::Tokens(tokens) => tokens.len(),
    };
    let tokens = u32::try_from(tokens).unwrap_or(u32::MAX);
    Ok(model.context_tokens.saturating_sub(tokens).max(1))
}

#[cfg(test)]
mod tests;
