//! `POST /generate`: the token-level API of releases from 0.10 on, or the older name of the interactive route, up to 0.1.
//!
//! The two share a path and no field but `prompt`, `session_id`, `stream`, `stop` and the sampling. A body with a field that only
//! the older one has, or with a list for a prompt, is the older one.

use mimus_sdk::inference::{self, Options, Piece, Prompt, TokenLogprob};
use mimus_sdk::models::Model;
use mimus_sdk::{Request, Response};
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::chat_completions::reason;
use crate::fields::{Stop, TextOr, Tokens};
use crate::logprobs::finite;
use crate::refusal::Refusal;
use crate::sampling::{Defaults, Sampling};
use crate::{asleep, interactive, model_choice, prompt, running, session};

/// Tokens of answer where the client says nothing.
const TOKENS: i64 = 128;

/// Messages in an older prompt, as far as this looks at it to tell the two apart.
const MESSAGES_MAX: usize = usize::MAX;

#[derive(Deserialize)]
struct Body {
    /// Only one model answers here, and clients name it all the same.
    model: Option<String>,
    prompt: Option<String>,
    input_ids: Option<Tokens>,
    image_data: Option<IgnoredAny>,
    return_logprob: Option<bool>,
    max_tokens: Option<i64>,
    stop: Option<Stop>,
    stop_token_ids: Option<Vec<u32>>,
    stream: Option<bool>,
    temperature: Option<f64>,
    repetition_penalty: Option<f64>,
    ignore_eos: Option<bool>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    min_p: Option<f64>,
    skip_special_tokens: Option<bool>,
    include_stop_str_in_output: Option<bool>,
    session_id: Option<i64>,
}

/// What tells an older body.
#[derive(Deserialize)]
struct Older {
    prompt: Option<TextOr<IgnoredAny, MESSAGES_MAX>>,
    request_output_len: Option<IgnoredAny>,
    interactive_mode: Option<IgnoredAny>,
    cancel: Option<IgnoredAny>,
    instance_id: Option<IgnoredAny>,
    sequence_start: Option<IgnoredAny>,
    sequence_end: Option<IgnoredAny>,
}

impl Older {
    fn is(&self) -> bool {
        let fields = [
            &self.request_output_len,
            &self.interactive_mode,
            &self.cancel,
            &self.instance_id,
            &self.sequence_start,
            &self.sequence_end,
        ];
        matches!(self.prompt, Some(TextOr::Many(_))) || fields.into_iter().any(Option::is_some)
    }
}

#[derive(Serialize)]
struct Answer {
    text: String,
    output_ids: Vec<u32>,
    meta_info: Meta,
}

#[derive(Serialize)]
struct Meta {
    prompt_tokens: u32,
    /// As many as there are ids, so without an end token.
    completion_tokens: usize,
    finish_reason: Option<Finish>,
    output_token_logprobs: Option<Vec<(f32, u32)>>,
}

#[derive(Serialize)]
struct Finish {
    r#type: &'static str,
}

/// Continues a prompt, by the API that the body is of.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    if request.json::<Older>().is_ok_and(|older| older.is()) {
        return interactive::answer(request, response);
    }
    let body: Body = request.json()?;
    let model = match &body.model {
        Some(name) => model_choice::named(name)?,
        None => model_choice::usual()?,
    };
    asleep::require_awake()?;
    if body.image_data.is_some() {
        return Err(Refusal::bad("image_data", "`image_data` is given, and the model reads text alone"));
    }
    let given = given(body.prompt, body.input_ids)?;
    let id = session::require_free(body.session_id)?;
    let sampling = Sampling {
        tokens_max: Some(body.max_tokens.unwrap_or(TOKENS)),
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        min_p: body.min_p,
        repetition_penalty: body.repetition_penalty,
        stop: body.stop,
        stop_token_ids: body.stop_token_ids,
        ignore_eos: body.ignore_eos,
        skip_special_tokens: body.skip_special_tokens,
        include_stop: body.include_stop_str_in_output,
        ..Sampling::default()
    };
    let has_logprobs = body.return_logprob.unwrap_or(false);
    let options = Options {
        token_ids: true,
        logprobs: has_logprobs.then_some(0),
        tag: Some(running::tag(id)),
        ..sampling.into_options(Defaults::default())?
    };
    let _running = running::enter(id)?;
    if body.stream.unwrap_or(false) {
        stream(&model, given, options, has_logprobs, response)
    } else {
        whole(&model, given, options, has_logprobs, response)
    }
}

/// Exactly one of the two, and not empty.
fn given(prompt: Option<String>, ids: Option<Tokens>) -> Result<Prompt, Refusal> {
    match (prompt, ids) {
        (Some(text), None) if text.is_empty() => Err(Refusal::bad("prompt", "The prompt must not be an empty string")),
        (Some(text), None) => Ok(Prompt::Text(text)),
        (None, Some(Tokens(ids))) if ids.is_empty() => {
            Err(Refusal::bad("input_ids", "The input_ids must not be an empty list"))
        }
        (None, Some(Tokens(ids))) => Ok(Prompt::Tokens(ids)),
        _ => Err(Refusal::bad("prompt", "You must specify exactly one of prompt or input_ids")),
    }
}

fn start(model: &Model, given: Prompt, mut options: Options) -> Result<inference::Generation, Refusal> {
    let prompt = prompt::bounded(model, given, &mut options)?;
    inference::generate(&model.name, &prompt, &options).map_err(|error| Refusal::from(error).about("prompt"))
}

fn whole(
    model: &Model,
    given: Prompt,
    options: Options,
    has_logprobs: bool,
    response: &mut Response,
) -> Result<(), Refusal> {
    let generation = start(model, given, options)?;
    let prompt_tokens = generation.prompt_tokens();
    let Some(completion) = generation.collect()?.pop() else {
        return Err(Refusal::from(inference::Error::Failed("a generation without a choice".into())));
    };
    let meta_info = Meta {
        prompt_tokens,
        completion_tokens: completion.tokens.len(),
        finish_reason: Some(Finish { r#type: reason(completion.finish.reason) }),
        output_token_logprobs: logprobs(&completion.tokens, has_logprobs),
    };
    let output_ids = completion.tokens.iter().map(|token| token.id).collect();
    Ok(response.json(200, &Answer { text: completion.text, output_ids, meta_info })?)
}

/// Events of the same form, in which text and ids are what is new.
fn stream(
    model: &Model,
    given: Prompt,
    options: Options,
    has_logprobs: bool,
    response: &mut Response,
) -> Result<(), Refusal> {
    let mut generation = start(model, given, options)?;
    let prompt_tokens = generation.prompt_tokens();
    let mut completion_tokens = 0;
    let mut events = response.sse()?;
    while let Some(pieces) = generation.pieces()? {
        for Piece { text, tokens, finish, .. } in pieces {
            completion_tokens += tokens.len();
            let meta_info = Meta {
                prompt_tokens,
                completion_tokens,
                finish_reason: finish.map(|finish| Finish { r#type: reason(finish.reason) }),
                output_token_logprobs: logprobs(&tokens, has_logprobs),
            };
            events.push(&Answer { text, output_ids: tokens.iter().map(|token| token.id).collect(), meta_info })?;
        }
        events.flush()?;
    }
    Ok(events.done()?)
}

fn logprobs(tokens: &[TokenLogprob], has_logprobs: bool) -> Option<Vec<(f32, u32)>> {
    let pair = |token: &TokenLogprob| Some((finite(token.logprob?), token.id));
    Some(tokens.iter().filter_map(pair).collect()).filter(|pairs: &Vec<_>| has_logprobs && !pairs.is_empty())
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::inference;
    use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
    use serde_json::{Value, json};

    fn post(host: &ScriptedHost, body: &Value) -> Captured {
        host.call(&Lmdeploy, "POST", "/generate", &[], body.to_string().as_bytes())
    }

    #[test]
    fn a_whole_answer() {
        let host = ScriptedHost::new();
        let body = post(&host, &json!({"prompt": "Once upon"})).json();
        assert_eq!(body["text"], "Hello there friend");
        let meta = &body["meta_info"];
        assert_eq!((&meta["prompt_tokens"], &meta["completion_tokens"]), (&3.into(), &3.into()));
        assert_eq!((&meta["finish_reason"], &meta["output_token_logprobs"]), (&json!({"type": "stop"}), &Value::Null));
        assert_eq!(body["output_ids"].as_array().map(Vec::len), Some(3));
        let options = &host.asked()[0].options;
        assert_eq!(
            (options.tokens_max, options.temperature, options.top_p, options.top_k),
            (Some(128), None, None, None)
        );
    }

    #[test]
    fn token_ids_are_used_as_they_are() {
        let host = ScriptedHost::new();
        let fields = json!({"input_ids": [5, 6], "stop_token_ids": [7], "max_tokens": 2, "return_logprob": true});
        let body = post(&host, &fields).json();
        assert_eq!(host.asked()[0].input, Input::Prompt(inference::Prompt::Tokens(vec![5, 6])));
        assert_eq!(host.asked()[0].options.stop_tokens, [7]);
        let pairs = body["meta_info"]["output_token_logprobs"].as_array().expect("pairs");
        let ids: Vec<&Value> = pairs.iter().map(|pair| &pair[1]).collect();
        assert_eq!(ids, body["output_ids"].as_array().expect("ids").iter().collect::<Vec<_>>());
        assert!(pairs.iter().all(|pair| pair[0].as_f64().is_some_and(|logprob| logprob <= 0.0)));
        assert_eq!(body["meta_info"]["finish_reason"]["type"], "length");
    }

    #[test]
    fn a_stream_has_what_is_new() {
        let answer = post(&ScriptedHost::new(), &json!({"prompt": "Hi", "stream": true, "return_logprob": true}));
        let mut events = answer.events();
        assert_eq!(events.pop(), Some("[DONE]"));
        let events: Vec<Value> = events.iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
        let text: String = events.iter().map(|event| event["text"].as_str().expect("text")).collect();
        let ids: usize = events.iter().map(|event| event["output_ids"].as_array().expect("ids").len()).sum();
        assert_eq!((text.as_str(), ids), ("Hello there friend", 3));
        let (last, before) = events.split_last().expect("events");
        assert_eq!(last["meta_info"]["finish_reason"], json!({"type": "stop"}));
        assert_eq!(last["meta_info"]["completion_tokens"], 3);
        assert!(before.iter().all(|event| event["meta_info"]["finish_reason"].is_null()));
    }

    #[test]
    fn exactly_one_input_is_wanted() {
        let one = "You must specify exactly one of prompt or input_ids";
        let cases = [
            (json!({"prompt": "a", "input_ids": [1]}), one),
            (json!({"prompt": "a", "input_ids": []}), one),
            (json!({"prompt": "", "input_ids": [1]}), one),
            (json!({"max_tokens": 5}), one),
            (json!({"prompt": ""}), "The prompt must not be an empty string"),
            (json!({"input_ids": []}), "The input_ids must not be an empty list"),
            (json!({"input_ids": "a"}), "`input_ids` must be an array of token ids, got a string"),
            (json!({"prompt": "a", "max_tokens": 0}), "The max_tokens `0` must be a positive integer."),
            (json!({"prompt": "a", "top_p": 0}), "The top_p `0.0` must be in (0, 1]."),
            (json!({"prompt": "a", "image_data": "x"}), "`image_data` is given, and the model reads text alone"),
        ];
        for (body, message) in cases {
            let answer = post(&ScriptedHost::new(), &body);
            assert_eq!((answer.status, &answer.json()["message"]), (400, &message.into()), "{body}");
        }
        assert_eq!(post(&ScriptedHost::new(), &json!({"input_ids": [4_000_000]})).status, 400);
        assert_eq!(post(&ScriptedHost::new(), &json!({"prompt": "w ".repeat(5000)})).status, 400);
        assert_eq!(post(&ScriptedHost::new(), &json!({"prompt": "a", "model": "none"})).status, 404);
    }

    #[test]
    fn the_older_body_is_a_turn() {
        let bodies = [
            json!({"prompt": "Hi", "session_id": 7, "interactive_mode": true}),
            json!({"prompt": "Hi", "request_output_len": 512, "stop": false}),
            json!({"prompt": [{"role": "user", "content": "Hi"}]}),
            json!({"prompt": "Hi", "instance_id": 7, "sequence_start": true, "sequence_end": false}),
        ];
        for body in bodies {
            let answer = post(&ScriptedHost::new(), &body).json();
            assert_eq!(
                (&answer["text"], &answer["history_tokens"]),
                (&"Hello there friend".into(), &0.into()),
                "{body}"
            );
        }
    }

    #[test]
    fn a_sequence_of_0_0_10_goes_on_until_it_is_started_anew() {
        let host = ScriptedHost::new();
        let turn = |start: bool, end: bool| {
            let body = json!({"prompt": "Hi", "instance_id": 7, "sequence_start": start, "sequence_end": end});
            post(&host, &body).json()["history_tokens"].as_u64().expect("a number")
        };
        assert_eq!(turn(true, false), 0);
        assert!(turn(false, false) > 0);
        assert_eq!(turn(true, false), 0);
        assert!(turn(false, true) > 0);
        assert_eq!(turn(false, false), 0);
    }
}
