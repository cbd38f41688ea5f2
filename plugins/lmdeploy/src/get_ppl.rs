//! `POST /get_ppl`, from release 0.15 on: how surprised the model is by a text, as the mean cross-entropy of its tokens. The name says
//! perplexity, which would be `e` to that power; the number is the original's.

use mimus_sdk::inference::{self, Options, Prompt};
use mimus_sdk::{Request, Response};
use serde::{Deserialize, Serialize};

use crate::fields::{PromptElement, TOKENS_MAX, TextOr};
use crate::logprobs::finite;
use crate::refusal::Refusal;
use crate::{model_choice, running};

#[derive(Deserialize)]
struct Body {
    input: TextOr<PromptElement, TOKENS_MAX>,
}

#[derive(Serialize)]
struct Answer {
    ppl: f64,
}

/// Scores one text or one list of token ids.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: Body = request.json()?;
    let model = model_choice::usual()?.name;
    let ids = match body.input {
        TextOr::Text(text) if text.is_empty() => Vec::new(),
        TextOr::Text(text) => inference::tokenize(&model, &text, true)?,
        TextOr::Many(elements) => elements.into_iter().map(id).collect::<Result<_, _>>()?,
    };
    match ids.len() {
        0 => return Err(Refusal::bad("input", "Input must not be empty.")),
        1 => return Err(Refusal::bad("input", "input must have at least 2 tokens to compute ppl.")),
        _ => {}
    }
    let options = Options {
        tokens_max: Some(0),
        prompt_logprobs: true,
        logprobs: Some(0),
        tag: Some(running::tag(None)),
        ..Options::default()
    };
    let completions = inference::generate(&model, &Prompt::Tokens(ids), &options)
        .and_then(|generation| generation.collect())
        .map_err(|error| Refusal::from(error).about("input"))?;
    // The first token has nothing before it.
    let logprobs = completions.iter().flat_map(|completion| &completion.tokens).filter_map(|token| token.logprob);
    let (count, sum) =
        logprobs.fold((0_u32, 0.0), |(count, sum), logprob| (count + 1, sum + f64::from(finite(logprob))));
    Ok(response.json(200, &Answer { ppl: -sum / f64::from(count.max(1)) })?)
}

fn id(element: PromptElement) -> Result<u32, Refusal> {
    match element {
        PromptElement::Token(id) => Ok(id),
        PromptElement::Text(_) | PromptElement::Tokens(_) => {
            Err(Refusal::bad("input", "`input` must be a text or a list of token ids"))
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::scripted;
    use serde_json::{Value, json};

    fn ask(input: Value) -> (u16, Value) {
        let body = json!({ "input": input }).to_string();
        let answer = scripted::call(&Lmdeploy, "POST", "/get_ppl", &[], body.as_bytes());
        (answer.status, answer.json())
    }

    #[test]
    fn it_is_the_mean_over_all_tokens_but_the_first() {
        for input in [json!("one two three"), json!([5, 6, 7]), json!([5, 6])] {
            assert_eq!(ask(input.clone()), (200, json!({"ppl": 0.5})), "{input}");
        }
    }

    #[test]
    fn wrong_inputs_are_refused() {
        let cases = [
            (json!(""), "Input must not be empty."),
            (json!([]), "Input must not be empty."),
            (json!([5]), "input must have at least 2 tokens to compute ppl."),
            (json!(["a", "b"]), "`input` must be a text or a list of token ids"),
            (json!(null), "`input` must be a string or an array, got null"),
        ];
        for (input, message) in cases {
            let (status, body) = ask(input.clone());
            assert_eq!((status, &body["message"]), (400, &message.into()), "{input}");
        }
        assert_eq!(ask(json!([4_000_000, 5])).0, 400);
        assert_eq!(ask(json!("w ".repeat(5000))).0, 400);
    }
}
