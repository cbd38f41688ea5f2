//! `POST /v1/completions`, OpenAI's old route as lmdeploy answers it.

use mimus_sdk::inference::{self, Completion, Generation, Options, Prompt};
use mimus_sdk::{Request, Response, clock, random};
use serde::{Deserialize, Serialize};

use crate::chat_completions::{StreamOptions, reason};
use crate::fields::{Given, PromptElement, Stop, TOKENS_MAX, TextOr};
use crate::logprobs::CompletionLogprobs;
use crate::refusal::Refusal;
use crate::sampling::{Defaults, Sampling};
use crate::usage::Usage;
use crate::{asleep, model_choice, prompt, running, session};

/// Tokens of answer where the client says nothing.
const TOKENS: i64 = 16;

/// Tokens of answer where the client says `null`.
const TOKENS_OF_NULL: i64 = 512;

/// Prompts in one request.
const PROMPTS_MAX: usize = 64;

/// Likeliest tokens that may be asked for.
const LOGPROBS_MAX: i64 = 20;

#[derive(Deserialize)]
struct Body {
    model: String,
    prompt: TextOr<PromptElement, TOKENS_MAX>,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
    n: Option<i64>,
    logprobs: Option<i64>,
    #[serde(default)]
    max_tokens: Given<i64>,
    max_completion_tokens: Option<i64>,
    min_new_tokens: Option<i64>,
    stop: Option<Stop>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    repetition_penalty: Option<f64>,
    ignore_eos: Option<bool>,
    skip_special_tokens: Option<bool>,
    include_stop_str_in_output: Option<bool>,
    stop_token_ids: Option<Vec<u32>>,
    session_id: Option<i64>,
    seed: Option<i64>,
}

/// Continues one prompt or several, streamed or whole. `echo` and `suffix` are taken and have no effect, as in every release.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: Body = request.json()?;
    let model = model_choice::named(&body.model)?;
    asleep::require_awake()?;
    let id = session::require_free(body.session_id)?;
    let logprobs = match body.logprobs {
        None => None,
        Some(count @ 0..=LOGPROBS_MAX) => u32::try_from(count).ok(),
        Some(count) => {
            return Err(Refusal::bad("logprobs", format!("The logprobs `{count}` must be in [0, {LOGPROBS_MAX}].")));
        }
    };
    let prompts = prompts(body.prompt)?;
    let sampling = Sampling {
        n: body.n,
        tokens_max: Some(body.max_completion_tokens.unwrap_or(match body.max_tokens {
            Given::Absent => TOKENS,
            Given::Present(tokens) => tokens.unwrap_or(TOKENS_OF_NULL),
        })),
        tokens_min: body.min_new_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        min_p: body.min_p,
        repetition_penalty: body.repetition_penalty,
        presence_penalty: body.presence_penalty,
        frequency_penalty: body.frequency_penalty,
        seed: body.seed,
        stop: body.stop,
        stop_token_ids: body.stop_token_ids,
        ignore_eos: body.ignore_eos,
        skip_special_tokens: body.skip_special_tokens,
        include_stop: body.include_stop_str_in_output,
        ..Sampling::default()
    };
    let options = sampling.into_options(Defaults::SESSION_ERA)?;
    let options = Options { logprobs, tag: Some(running::tag(id)), ..options };
    let _running = running::enter(id)?;
    let start = |given: Prompt| {
        let mut options = options.clone();
        let prompt = prompt::bounded(&model, given, &mut options)?;
        inference::generate(&model.name, &prompt, &options)
    };
    // All are started before the first is answered, so that a refusal is never an event, and so that they run side by side.
    let generations =
        prompts.into_iter().map(|given| start(given).map_err(too_long_for_prompt)).collect::<Result<Vec<_>, _>>()?;
    let frame = Frame {
        id: format!("cmpl-{}", random::id(22)),
        created: clock::now_s(),
        model: body.model,
        has_logprobs: logprobs.is_some(),
        choices_each: options.choices,
    };
    if body.stream.unwrap_or(false) {
        let reports_usage = body.stream_options.and_then(|options| options.include_usage).unwrap_or(false);
        stream(&frame, generations, reports_usage, response)
    } else {
        whole(&frame, generations, response)
    }
}

/// Which field is too long differs from a chat's.
fn too_long_for_prompt(error: inference::Error) -> Refusal {
    let is_too_long = matches!(error, inference::Error::ContextExceeded(_));
    let refusal = Refusal::from(error);
    if is_too_long { refusal.about("prompt") } else { refusal }
}

fn prompts(given: TextOr<PromptElement, TOKENS_MAX>) -> Result<Vec<Prompt>, Refusal> {
    let elements = match given {
        TextOr::Text(text) => return Ok(vec![Prompt::Text(text)]),
        TextOr::Many(elements) => elements,
    };
    let wrong = |why: &str| Err(Refusal::bad("prompt", format!("`prompt` {why}")));
    if elements.is_empty() {
        return wrong("must not be empty");
    }
    let tokens: Vec<u32> = elements
        .iter()
        .filter_map(|element| if let PromptElement::Token(id) = element { Some(*id) } else { None })
        .collect();
    if tokens.len() == elements.len() {
        return Ok(vec![Prompt::Tokens(tokens)]);
    }
    if !tokens.is_empty() {
        return wrong("must be a text, texts, token ids, or lists of token ids, not a mixture");
    }
    if elements.len() > PROMPTS_MAX {
        return wrong(&format!("holds {} prompts, at most {PROMPTS_MAX} are allowed", elements.len()));
    }
    let prompt = |element| match element {
        PromptElement::Text(text) => Ok(Prompt::Text(text)),
        PromptElement::Tokens(tokens) if !tokens.is_empty() => Ok(Prompt::Tokens(tokens)),
        PromptElement::Tokens(_) | PromptElement::Token(_) => {
            Err(Refusal::bad("prompt", "`prompt` holds an empty list of token ids"))
        }
    };
    elements.into_iter().map(prompt).collect()
}

/// What all pieces of one answer share.
struct Frame {
    id: String,
    created: u64,
    model: String,
    has_logprobs: bool,
    choices_each: u32,
}

#[derive(Serialize)]
struct Answer<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<Choice<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    text: &'a str,
    logprobs: Option<CompletionLogprobs>,
    finish_reason: Option<&'static str>,
}

impl Frame {
    fn answer<'a>(&'a self, choices: Vec<Choice<'a>>, usage: Option<Usage>) -> Answer<'a> {
        Answer { id: &self.id, object: "text_completion", created: self.created, model: &self.model, choices, usage }
    }

    /// Number of a choice of the prompt with that number.
    fn index(&self, prompt: usize, choice: u32) -> u32 {
        u32::try_from(prompt).unwrap_or(u32::MAX).saturating_mul(self.choices_each).saturating_add(choice)
    }
}

fn whole(frame: &Frame, generations: Vec<Generation>, response: &mut Response) -> Result<(), Refusal> {
    let prompt_tokens = generations.iter().map(Generation::prompt_tokens).sum();
    let completions: Vec<Vec<Completion>> =
        generations.into_iter().map(|generation| generation.collect()).collect::<Result<_, _>>()?;
    let generated = completions.iter().flatten().map(|completion| completion.generated).sum();
    let choices = completions
        .iter()
        .enumerate()
        .flat_map(|(prompt, completions)| completions.iter().map(move |completion| (prompt, completion)))
        .map(|(prompt, completion)| Choice {
            index: frame.index(prompt, completion.choice),
            text: &completion.text,
            logprobs: frame.has_logprobs.then(|| CompletionLogprobs::new(&completion.tokens, &mut 0)),
            finish_reason: Some(reason(completion.finish.reason)),
        })
        .collect();
    Ok(response.json(200, &frame.answer(choices, Some(Usage::new(prompt_tokens, generated))))?)
}

fn stream(
    frame: &Frame,
    generations: Vec<Generation>,
    reports_usage: bool,
    response: &mut Response,
) -> Result<(), Refusal> {
    let prompt_tokens = generations.iter().map(Generation::prompt_tokens).sum();
    let mut generated = 0_u32;
    let mut events = response.sse()?;
    for (prompt, mut generation) in generations.into_iter().enumerate() {
        let mut offsets = std::collections::BTreeMap::<u32, usize>::new();
        while let Some(pieces) = generation.pieces()? {
            for piece in &pieces {
                let index = frame.index(prompt, piece.choice);
                let offset = offsets.entry(piece.choice).or_default();
                if !piece.text.is_empty() || !piece.tokens.is_empty() {
                    let logprobs = frame.has_logprobs.then(|| CompletionLogprobs::new(&piece.tokens, offset));
                    events.push(
                        &frame.answer(vec![Choice { index, text: &piece.text, logprobs, finish_reason: None }], None),
                    )?;
                }
                if let Some(finish) = &piece.finish {
                    generated = generated.saturating_add(piece.generated);
                    let end = Choice { index, text: "", logprobs: None, finish_reason: Some(reason(finish.reason)) };
                    events.push(&frame.answer(vec![end], None))?;
                }
            }
            events.flush()?;
        }
    }
    if reports_usage {
        events.push(&frame.answer(Vec::new(), Some(Usage::new(prompt_tokens, generated))))?;
    }
    Ok(events.done()?)
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::inference::Prompt;
    use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
    use serde_json::{Value, json};

    fn ask(host: &ScriptedHost, fields: Value) -> Captured {
        let mut body = json!({"model": "scripted", "prompt": "Once upon"});
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        host.call(&Lmdeploy, "POST", "/v1/completions", &[], body.to_string().as_bytes())
    }

    #[test]
    fn a_whole_answer() {
        let host = ScriptedHost::new();
        let body = ask(&host, json!({})).json();
        assert_eq!(body["object"], "text_completion");
        assert_eq!(
            body["choices"],
            json!([{"index": 0, "text": "Hello there friend", "logprobs": null, "finish_reason": "stop"}])
        );
        assert_eq!(body["usage"]["prompt_tokens"], 3);
        let options = &host.asked()[0].options;
        assert_eq!((options.tokens_max, options.temperature), (Some(16), Some(0.7)));
    }

    #[test]
    fn null_is_another_bound_than_nothing() {
        let host = ScriptedHost::new();
        for (fields, tokens) in [
            (json!({}), 16),
            (json!({"max_tokens": null}), 512),
            (json!({"max_tokens": 3, "max_completion_tokens": null}), 3),
            (json!({"max_tokens": 3, "max_completion_tokens": 4}), 4),
        ] {
            assert_eq!(ask(&host, fields.clone()).status, 200);
            assert_eq!(host.asked().pop().and_then(|asked| asked.options.tokens_max), Some(tokens), "{fields}");
        }
    }

    #[test]
    fn echo_and_suffix_have_no_effect() {
        let body = ask(&ScriptedHost::new(), json!({"echo": true, "suffix": "end"})).json();
        assert_eq!(body["choices"][0]["text"], "Hello there friend");
    }

    #[test]
    fn prompts_are_numbered_in_order() {
        let body = ask(&ScriptedHost::new().echo(), json!({"prompt": ["one", "two"], "n": 2})).json();
        let choices: Vec<_> = body["choices"]
            .as_array()
            .expect("choices")
            .iter()
            .map(|c| (c["index"].as_u64(), c["text"].as_str()))
            .collect();
        assert_eq!(
            choices,
            [(Some(0), Some("one")), (Some(1), Some("one")), (Some(2), Some("two")), (Some(3), Some("two"))]
        );
    }

    #[test]
    fn tokens_are_used_as_they_are() {
        let host = ScriptedHost::new();
        assert_eq!(ask(&host, json!({"prompt": [5, 6]})).status, 200);
        assert_eq!(ask(&host, json!({"prompt": [[5, 6], [7]]})).status, 200);
        let inputs: Vec<Input> = host.asked().into_iter().map(|asked| asked.input).collect();
        let tokens = |ids: &[u32]| Input::Prompt(Prompt::Tokens(ids.to_vec()));
        assert_eq!(inputs, [tokens(&[5, 6]), tokens(&[5, 6]), tokens(&[7])]);
    }

    #[test]
    fn a_stream_ends_with_an_empty_piece_and_done() {
        let answer = ask(&ScriptedHost::new(), json!({"stream": true, "stream_options": {"include_usage": true}}));
        let mut events = answer.events();
        assert_eq!(events.pop(), Some("[DONE]"));
        let usage: Value = serde_json::from_str(events.pop().expect("usage")).expect("JSON");
        assert_eq!(usage["choices"], json!([]));
        let chunks: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
        let text: String = chunks.iter().map(|chunk| chunk["choices"][0]["text"].as_str().expect("text")).collect();
        assert_eq!(text, "Hello there friend");
        let last = &chunks.last().expect("chunks")["choices"][0];
        assert_eq!((&last["text"], &last["finish_reason"]), (&"".into(), &"stop".into()));
    }

    #[test]
    fn logprobs_are_parallel_lists() {
        let body = ask(&ScriptedHost::new(), json!({"logprobs": 1})).json();
        let logprobs = &body["choices"][0]["logprobs"];
        let length = |key: &str| logprobs[key].as_array().map(Vec::len);
        assert!(length("tokens") > Some(0));
        for key in ["token_logprobs", "top_logprobs", "text_offset"] {
            assert_eq!(length(key), length("tokens"), "{key}");
        }
        assert_eq!(logprobs["text_offset"][0], 0);
    }

    #[test]
    fn bad_fields_are_refused() {
        let cases = [
            (json!({"model": "none"}), 404, "The model `none` does not exist."),
            (json!({"prompt": []}), 400, "`prompt` must not be empty"),
            (json!({"prompt": [[]]}), 400, "`prompt` holds an empty list of token ids"),
            (
                json!({"prompt": ["a", 1]}),
                400,
                "`prompt` must be a text, texts, token ids, or lists of token ids, not a mixture",
            ),
            (json!({"prompt": vec!["a"; 65]}), 400, "`prompt` holds 65 prompts, at most 64 are allowed"),
            (json!({"max_tokens": -1}), 400, "The max_tokens `-1` must be a positive integer."),
            (json!({"logprobs": -1}), 400, "The logprobs `-1` must be in [0, 20]."),
        ];
        for (fields, status, message) in cases {
            let answer = ask(&ScriptedHost::new(), fields.clone());
            assert_eq!((answer.status, &answer.json()["message"]), (status, &message.into()), "{fields}");
        }
        assert_eq!(ask(&ScriptedHost::new(), json!({"prompt": vec!["a"; 64]})).status, 200);
        assert_eq!(ask(&ScriptedHost::new(), json!({"prompt": [4_000_000_000_u32]})).status, 400);
        let too_long = ask(&ScriptedHost::new(), json!({"prompt": "w ".repeat(5000)})).json();
        assert_eq!(
            (&too_long["error"]["code"], &too_long["error"]["param"]),
            (&"context_length_exceeded".into(), &"prompt".into())
        );
    }
}
