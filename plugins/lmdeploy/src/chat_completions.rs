//! `POST /v1/chat/completions`, OpenAI's route as lmdeploy answers it: its own defaults, every streamed chunk with role and content,
//! and `messages` that may be one raw prompt.

use std::collections::BTreeMap;

use mimus_sdk::chat::RenderOptions;
use mimus_sdk::inference::{self, FinishReason, Generation, Options, Piece, Prompt};
use mimus_sdk::{Request, Response, clock, random};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::fields::{Stop, TextOr};
use crate::logprobs::ChatLogprobs;
use crate::messages::{self, Conversation};
use crate::refusal::Refusal;
use crate::sampling::{ResponseFormat, Sampling};
use crate::{model_choice, session};

const TEMPERATURE: f64 = 0.7;
const TOP_P: f64 = 1.0;

/// Likeliest tokens that may be asked for.
const TOP_LOGPROBS_MAX: i64 = 20;

#[derive(Deserialize)]
struct Body {
    model: String,
    messages: Conversation,
    temperature: Option<f64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
    n: Option<i64>,
    max_tokens: Option<i64>,
    max_completion_tokens: Option<i64>,
    min_new_tokens: Option<i64>,
    stop: Option<Stop>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    logprobs: Option<bool>,
    top_logprobs: Option<i64>,
    logit_bias: Option<BTreeMap<String, f64>>,
    presence_penalty: Option<f64>,
    frequency_penalty: Option<f64>,
    repetition_penalty: Option<f64>,
    session_id: Option<i64>,
    ignore_eos: Option<bool>,
    skip_special_tokens: Option<bool>,
    include_stop_str_in_output: Option<bool>,
    seed: Option<i64>,
    response_format: Option<ResponseFormat>,
    enable_thinking: Option<bool>,
    chat_template_kwargs: Option<BTreeMap<String, Value>>,
}

#[derive(Clone, Copy, Default, Deserialize)]
pub struct StreamOptions {
    /// Report usage in a chunk of its own at the end.
    pub include_usage: Option<bool>,
}

/// Answers a chat, streamed or whole.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: Body = request.json()?;
    let model = model_choice::named(&body.model)?.name;
    if let Some(id) = body.session_id.filter(|id| *id != session::NONE)
        && session::is_live(id)?
    {
        return Err(Refusal::bad("session_id", format!("The session_id `{id}` is occupied.")));
    }
    let has_logprobs = body.logprobs.unwrap_or(false);
    let logprobs = top_logprobs(has_logprobs, body.top_logprobs)?;
    let mut variables: Vec<(String, String)> = body
        .chat_template_kwargs
        .unwrap_or_default()
        .into_iter()
        .map(|(name, value)| (name, value.to_string()))
        .collect();
    variables.extend(body.enable_thinking.map(|value| ("enable_thinking".to_owned(), value.to_string())));
    let sampling = Sampling {
        n: body.n,
        tokens_max: body.max_completion_tokens.or(body.max_tokens),
        tokens_min: body.min_new_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        min_p: body.min_p,
        repetition_penalty: body.repetition_penalty,
        presence_penalty: body.presence_penalty,
        frequency_penalty: body.frequency_penalty,
        logit_bias: body.logit_bias,
        seed: body.seed,
        stop: body.stop,
        ignore_eos: body.ignore_eos,
        skip_special_tokens: body.skip_special_tokens,
        include_stop: body.include_stop_str_in_output,
        response_format: body.response_format,
    };
    let options = Options { logprobs, ..sampling.into_options(TEMPERATURE, TOP_P)? };
    let generation = match body.messages {
        // One raw prompt, which no template touches.
        TextOr::Text(prompt) => inference::generate(&model, &Prompt::Text(prompt), &options)?,
        TextOr::Many(messages) => {
            let turns = messages::turns("messages", messages)?;
            let render = RenderOptions { variables, ..RenderOptions::default() };
            inference::chat(&model, &messages::for_host(&turns), &render, &options)?
        }
    };
    let frame =
        Frame { id: format!("chatcmpl-{}", random::id(22)), created: clock::now_s(), model: body.model, has_logprobs };
    if body.stream.unwrap_or(false) {
        let reports_usage = body.stream_options.and_then(|options| options.include_usage).unwrap_or(false);
        stream(&frame, generation, reports_usage, response)
    } else {
        whole(&frame, generation, response)
    }
}

fn top_logprobs(has_logprobs: bool, top: Option<i64>) -> Result<Option<u32>, Refusal> {
    let top = top.unwrap_or(0);
    if !(0..=TOP_LOGPROBS_MAX).contains(&top) {
        return Err(Refusal::bad(
            "top_logprobs",
            format!("The top_logprobs `{top}` must be in [0, {TOP_LOGPROBS_MAX}]."),
        ));
    }
    Ok(if has_logprobs { u32::try_from(top).ok() } else { None })
}

/// What all pieces of one answer share.
struct Frame {
    id: String,
    created: u64,
    model: String,
    has_logprobs: bool,
}

#[derive(Serialize)]
struct Answer<'a, C> {
    id: &'a str,
    object: &'static str,
    created: u64,
    model: &'a str,
    choices: Vec<C>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Usage>,
}

/// Tokens of the request.
#[derive(Clone, Copy, Serialize)]
pub struct Usage {
    prompt_tokens: u32,
    total_tokens: u32,
    completion_tokens: u32,
}

impl Usage {
    /// Of prompt and answers.
    pub fn new(prompt_tokens: u32, completion_tokens: u32) -> Self {
        Usage { prompt_tokens, total_tokens: prompt_tokens.saturating_add(completion_tokens), completion_tokens }
    }
}

#[derive(Serialize)]
struct Choice<'a> {
    index: u32,
    message: Said<'a>,
    logprobs: Option<ChatLogprobs>,
    finish_reason: &'static str,
}

#[derive(Serialize)]
struct ChunkChoice<'a> {
    index: u32,
    delta: Said<'a>,
    logprobs: Option<ChatLogprobs>,
    finish_reason: Option<&'static str>,
}

/// A message, or a part of one: both have role and content.
#[derive(Serialize)]
struct Said<'a> {
    role: &'static str,
    content: &'a str,
}

impl<'a> Said<'a> {
    fn by_model(content: &'a str) -> Self {
        Said { role: "assistant", content }
    }
}

impl Frame {
    fn answer<'a, C>(&'a self, object: &'static str, choices: Vec<C>, usage: Option<Usage>) -> Answer<'a, C> {
        Answer { id: &self.id, object, created: self.created, model: &self.model, choices, usage }
    }
}

fn whole(frame: &Frame, generation: Generation, response: &mut Response) -> Result<(), Refusal> {
    let prompt_tokens = generation.prompt_tokens();
    let completions = generation.collect()?;
    let generated = completions.iter().map(|completion| completion.generated).sum();
    let choices = completions
        .iter()
        .map(|completion| Choice {
            index: completion.choice,
            message: Said::by_model(&completion.text),
            logprobs: frame.has_logprobs.then(|| ChatLogprobs::new(&completion.tokens)),
            finish_reason: reason(completion.finish.reason),
        })
        .collect();
    Ok(response.json(200, &frame.answer("chat.completion", choices, Some(Usage::new(prompt_tokens, generated))))?)
}

fn stream(
    frame: &Frame,
    mut generation: Generation,
    reports_usage: bool,
    response: &mut Response,
) -> Result<(), Refusal> {
    const OBJECT: &str = "chat.completion.chunk";
    let prompt_tokens = generation.prompt_tokens();
    let mut generated = BTreeMap::new();
    let mut events = response.sse()?;
    while let Some(pieces) = generation.pieces()? {
        for piece in &pieces {
            generated.insert(piece.choice, piece.generated);
            for choice in chunk_choices(piece, frame.has_logprobs) {
                events.push(&frame.answer(OBJECT, vec![choice], None))?;
            }
        }
        events.flush()?;
    }
    if reports_usage {
        let usage = Usage::new(prompt_tokens, generated.values().sum());
        events.push(&frame.answer::<ChunkChoice<'_>>(OBJECT, Vec::new(), Some(usage)))?;
    }
    Ok(events.done()?)
}

/// The new text, and after the last of it an empty piece that carries the reason.
fn chunk_choices(piece: &Piece, has_logprobs: bool) -> impl Iterator<Item = ChunkChoice<'_>> {
    let has_news = !piece.text.is_empty() || !piece.tokens.is_empty();
    let news = has_news.then(|| ChunkChoice {
        index: piece.choice,
        delta: Said::by_model(&piece.text),
        logprobs: has_logprobs.then(|| ChatLogprobs::new(&piece.tokens)),
        finish_reason: None,
    });
    let end = piece.finish.as_ref().map(|finish| ChunkChoice {
        index: piece.choice,
        delta: Said::by_model(""),
        logprobs: None,
        finish_reason: Some(reason(finish.reason)),
    });
    news.into_iter().chain(end)
}

/// The word for an end.
pub fn reason(reason: FinishReason) -> &'static str {
    match reason {
        FinishReason::Stop => "stop",
        FinishReason::Length => "length",
    }
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::inference;
    use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
    use serde_json::{Value, json};

    fn ask(host: &ScriptedHost, fields: Value) -> Captured {
        let mut body = json!({"model": "scripted", "messages": [{"role": "user", "content": "Hi"}]});
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("an object").clone());
        host.call(&Lmdeploy, "POST", "/v1/chat/completions", &[], body.to_string().as_bytes())
    }

    #[test]
    fn a_whole_answer() {
        let answer = ask(&ScriptedHost::new(), json!({}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        let body = answer.json();
        assert_eq!(body["object"], "chat.completion");
        assert_eq!(body["model"], "scripted");
        assert_eq!(
            body["choices"],
            json!([{"index": 0, "message": {"role": "assistant", "content": "Hello there friend"}, "logprobs": null, "finish_reason": "stop"}])
        );
        let usage = &body["usage"];
        assert_eq!(
            usage["total_tokens"].as_u64(),
            Some(usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap())
        );
        assert!(!answer.text().contains('\n'), "its clients read one line");
    }

    #[test]
    fn a_stream_has_role_and_content_in_every_chunk() {
        let answer = ask(&ScriptedHost::new(), json!({"stream": true}));
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
        assert!(!answer.text().contains('\r'));
        let mut events = answer.events();
        assert_eq!(events.pop(), Some("[DONE]"));
        let chunks: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
        let mut text = String::new();
        for chunk in &chunks {
            assert_eq!(chunk["object"], "chat.completion.chunk");
            assert_eq!(chunk["choices"].as_array().map(Vec::len), Some(1));
            assert_eq!(chunk["choices"][0]["delta"]["role"], "assistant");
            text += chunk["choices"][0]["delta"]["content"].as_str().expect("content is text");
            assert!(chunk.get("usage").is_none());
        }
        assert_eq!(text, "Hello there friend");
        let last = chunks.last().expect("chunks");
        assert_eq!(
            (&last["choices"][0]["delta"]["content"], &last["choices"][0]["finish_reason"]),
            (&"".into(), &"stop".into())
        );
        assert!(chunks[..chunks.len() - 1].iter().all(|chunk| chunk["choices"][0]["finish_reason"].is_null()));
    }

    #[test]
    fn usage_comes_in_a_chunk_of_its_own() {
        let answer = ask(&ScriptedHost::new(), json!({"stream": true, "stream_options": {"include_usage": true}}));
        let events = answer.events();
        let usage: Value = serde_json::from_str(events[events.len() - 2]).expect("JSON");
        assert_eq!(usage["choices"], json!([]));
        assert!(usage["usage"]["completion_tokens"].as_u64() > Some(0));
    }

    #[test]
    fn one_raw_prompt_meets_no_template() {
        let host = ScriptedHost::new();
        assert_eq!(ask(&host, json!({"messages": "Once upon"})).status, 200);
        assert_eq!(host.asked()[0].input, Input::Prompt(inference::Prompt::Text("Once upon".into())));
    }

    #[test]
    fn the_defaults_are_those_of_the_session_era() {
        let host = ScriptedHost::new();
        // As the clients send them: every parameter, with nulls, and a nested table for further ones.
        ask(
            &host,
            json!({"kwargs": {"seed": 1}, "user": null, "stop": false, "max_tokens": null, "session_id": -1, "logit_bias": null}),
        );
        let options = &host.asked()[0].options;
        assert_eq!(
            (options.temperature, options.top_p, options.top_k, options.tokens_max),
            (Some(0.7), Some(1.0), Some(40), None)
        );
        assert!(options.stop.is_empty() && options.seed.is_none());
    }

    #[test]
    fn logprobs_are_reported_when_asked() {
        let answer = ask(&ScriptedHost::new(), json!({"logprobs": true, "top_logprobs": 2})).json();
        let entries = answer["choices"][0]["logprobs"]["content"].as_array().expect("entries").clone();
        assert!(!entries.is_empty());
        for entry in entries {
            assert!(entry["token"].is_string() && entry["bytes"].is_array() && entry["logprob"].is_number(), "{entry}");
            assert_eq!(entry["top_logprobs"].as_array().map(Vec::len), Some(2), "{entry}");
        }
    }

    #[test]
    fn several_choices_are_numbered() {
        let answer = ask(&ScriptedHost::new(), json!({"n": 2})).json();
        let indexes: Vec<_> =
            answer["choices"].as_array().expect("choices").iter().map(|choice| choice["index"].clone()).collect();
        assert_eq!(indexes, [0, 1]);
    }

    #[test]
    fn bad_fields_are_refused() {
        let cases = [
            (json!({"model": "none"}), 404, "The model `none` does not exist."),
            (json!({"model": null}), 400, "`model` must be a string, got null"),
            (json!({"messages": []}), 400, "`messages` must not be empty"),
            (json!({"messages": 5}), 400, "`messages` must be a string or an array, got integer 5"),
            (json!({"n": 0}), 400, "The n `0` must be a positive int."),
            (json!({"temperature": 2.01}), 400, "The temperature `2.01` must be in [0, 2]"),
            (json!({"top_logprobs": 21}), 400, "The top_logprobs `21` must be in [0, 20]."),
            (json!({"logit_bias": {"x": 1}}), 400, "the logit_bias key `x` is no token id"),
            (json!({"stream": "yes"}), 400, "`stream` must be a boolean, got a string"),
            (json!({"response_format": {"type": "poem"}}), 400, "the response_format `poem` does not exist"),
        ];
        for (fields, status, message) in cases {
            let answer = ask(&ScriptedHost::new(), fields.clone());
            assert_eq!((answer.status, &answer.json()["message"]), (status, &message.into()), "{fields}");
        }
    }

    #[test]
    fn a_prompt_past_the_context_is_refused() {
        let answer = ask(&ScriptedHost::new(), json!({"messages": [{"role": "user", "content": "w ".repeat(5000)}]}));
        assert_eq!((answer.status, &answer.json()["error"]["code"]), (400, &"context_length_exceeded".into()));
    }

    #[test]
    fn a_failure_in_the_middle_ends_the_stream_with_an_error() {
        let host = ScriptedHost::new().fail_after(1, inference::Error::Failed("secret".into()));
        let answer = ask(&host, json!({"stream": true}));
        let events = answer.events();
        let last: Value = serde_json::from_str(events.last().expect("events")).expect("JSON");
        assert_eq!((&last["object"], &last["error"]["type"]), (&"error".into(), &"server_error".into()));
        assert!(!answer.text().contains("secret"));
    }

    #[test]
    fn a_client_that_leaves_ends_the_generation() {
        let host = ScriptedHost::new().client_leaves_after(1);
        ask(&host, json!({"stream": true}));
        assert_eq!(host.running(), 0);
    }
}
