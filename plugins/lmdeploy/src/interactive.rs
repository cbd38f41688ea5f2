//! `POST /v1/chat/interactive`: one turn of a conversation that the server may keep.
//!
//! Streams are bare lines of JSON, without `data:`, without blank lines and without `[DONE]`, although their content type says
//! event stream. Rules as in the session era; where releases differ, 0.9.2.

use mimus_sdk::chat::RenderOptions;
use mimus_sdk::inference::{self, Generation, Options, Piece};
use mimus_sdk::{Request, Response};
use serde::{Deserialize, Serialize};

use crate::chat_completions::reason;
use crate::fields::{Stop, TextOr};
use crate::messages::{self, Conversation, Turn};
use crate::model_choice;
use crate::refusal::Refusal;
use crate::sampling::{Sampling, natural};
use crate::session::{self, Session};

const TEMPERATURE: f64 = 0.8;
const TOP_P: f64 = 0.8;

/// Images in one request, as far as this reads them to refuse them.
const IMAGES_MAX: usize = 64;

#[derive(Deserialize)]
struct Body {
    prompt: Option<Conversation>,
    image_url: Option<TextOr<String, IMAGES_MAX>>,
    session_id: Option<i64>,
    interactive_mode: Option<bool>,
    stream: Option<bool>,
    stop: Option<Stop>,
    cancel: Option<bool>,
    request_output_len: Option<i64>,
    top_p: Option<f64>,
    top_k: Option<i64>,
    temperature: Option<f64>,
    repetition_penalty: Option<f64>,
    ignore_eos: Option<bool>,
    skip_special_tokens: Option<bool>,
    adapter_name: Option<String>,
    seed: Option<i64>,
    min_new_tokens: Option<i64>,
    min_p: Option<f64>,
}

/// An answer, or one line of a stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize)]
struct Line {
    /// The whole text, or the new piece of it.
    text: String,
    /// Generated in this turn so far.
    tokens: u32,
    /// Of this turn's prompt alone, template included.
    input_tokens: u32,
    /// In the session before this turn.
    history_tokens: u32,
    /// None in the middle of a stream.
    finish_reason: Option<&'static str>,
}

/// Answers to an end or a cancellation.
fn nothing_left() -> Line {
    Line { finish_reason: Some("stop"), ..Line::default() }
}

/// One turn, streamed or whole; or the end of a session, or of a running turn.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: Body = request.json()?;
    let id = body.session_id.unwrap_or(session::NONE);
    let is_stream = body.stream.unwrap_or(false);
    // Release 0.1 says `stop` where later ones say `cancel`.
    if body.cancel.unwrap_or(false) || body.stop.as_ref().is_some_and(|stop| stop.is_cancel) {
        if id == session::NONE {
            return Err(Refusal::bad("session_id", "please set a session_id to cancel a request"));
        }
        session::cancel(id);
        return send(nothing_left(), is_stream, response);
    }
    let Some(prompt) = body.prompt else {
        return Err(Refusal::bad("prompt", "`prompt` is required"));
    };
    let is_kept = body.interactive_mode.unwrap_or(false);
    let wanted = body.request_output_len.map(|tokens| natural("request_output_len", tokens)).transpose()?;
    let is_empty = matches!(&prompt, TextOr::Text(text) if text.is_empty());
    if is_empty && wanted == Some(0) && !is_kept {
        if id != session::NONE {
            session::end(id)?;
        }
        return send(nothing_left(), is_stream, response);
    }
    let has_images = match &body.image_url {
        None => false,
        Some(TextOr::Text(url)) => !url.is_empty(),
        Some(TextOr::Many(urls)) => !urls.is_empty(),
    };
    if has_images {
        return Err(Refusal::bad("image_url", "`image_url` is given, and the model reads text alone"));
    }
    if let Some(name) = body.adapter_name.filter(|name| !name.is_empty()) {
        return Err(Refusal::bad("adapter_name", format!("The adapter `{name}` does not exist.")));
    }
    let sampling = Sampling {
        tokens_min: body.min_new_tokens,
        temperature: body.temperature,
        top_p: body.top_p,
        top_k: body.top_k,
        min_p: body.min_p,
        repetition_penalty: body.repetition_penalty,
        seed: body.seed,
        stop: body.stop,
        ignore_eos: body.ignore_eos,
        skip_special_tokens: body.skip_special_tokens,
        ..Sampling::default()
    };
    let options = Options { tokens_max: wanted, ..sampling.into_options(TEMPERATURE, TOP_P)? };
    let given = match prompt {
        TextOr::Text(text) => vec![Turn::user(text)],
        TextOr::Many(messages) => messages::turns("prompt", messages)?,
    };
    let model = model_choice::usual()?.name;
    if id == session::NONE {
        let turn = TurnOf { id: None, model, session: Session::default().joined(given), history_tokens: 0 };
        return turn.run(options, is_stream, false, response);
    }
    let (_lease, session) = session::open(id)?;
    let history_tokens = session.tokens;
    let turn = TurnOf { id: Some(id), model, session: session.joined(given), history_tokens };
    turn.run(options, is_stream, is_kept, response)
}

fn send(line: Line, is_stream: bool, response: &mut Response) -> Result<(), Refusal> {
    if is_stream {
        return Ok(response.lines(STREAM_TYPE)?.line(&line)?);
    }
    Ok(response.json(200, &line)?)
}

/// What the original says of its lines.
const STREAM_TYPE: &str = "text/event-stream; charset=utf-8";

impl Session {
    /// The session with what this turn says. A list that begins with the session's own turns is the whole history; any other
    /// continues it.
    fn joined(mut self, given: Vec<Turn>) -> Self {
        if given.len() > 1 && given.starts_with(&self.turns) {
            self.turns = given;
        } else {
            self.turns.extend(given);
        }
        self
    }
}

/// One turn under way.
struct TurnOf {
    /// None without a session.
    id: Option<i64>,
    model: String,
    /// With this turn's prompt.
    session: Session,
    history_tokens: u32,
}

impl TurnOf {
    fn run(mut self, options: Options, is_stream: bool, is_kept: bool, response: &mut Response) -> Result<(), Refusal> {
        if options.tokens_max == Some(0) {
            let line = self.load()?;
            self.close(is_kept)?;
            return send(line, is_stream, response);
        }
        let options = Options { tag: self.id.map(session::tag), ..options };
        let messages = messages::for_host(&self.session.turns);
        let generation = match inference::chat(&self.model, &messages, &RenderOptions::default(), &options) {
            Ok(generation) => generation,
            Err(inference::Error::ContextExceeded(excess)) => {
                let line = Line { finish_reason: Some("length"), ..self.line(excess.prompt) };
                // Nothing was said, so the session is as it was before, or ends as it would have.
                if let Some(id) = self.id.filter(|_| !is_kept) {
                    session::forget(id)?;
                }
                return send(line, is_stream, response);
            }
            Err(error) => return Err(error.into()),
        };
        let prompt_tokens = generation.prompt_tokens();
        let line = self.line(prompt_tokens);
        if is_stream {
            self.stream(generation, line, is_kept, response)
        } else {
            self.whole(generation, line, is_kept, response)
        }
    }

    /// An empty line with this turn's counts.
    fn line(&self, prompt_tokens: u32) -> Line {
        let input_tokens = prompt_tokens.saturating_sub(self.history_tokens);
        Line { input_tokens, history_tokens: self.history_tokens, ..Line::default() }
    }

    /// Takes the conversation in without answering it.
    fn load(&mut self) -> Result<Line, Refusal> {
        let render = RenderOptions { add_generation_prompt: false, ..RenderOptions::default() };
        let rendered = inference::render_chat(&self.model, &messages::for_host(&self.session.turns), &render)?;
        let tokens = inference::tokenize(&self.model, &rendered.prompt, false)?;
        let line = Line { finish_reason: Some("length"), ..self.line(u32::try_from(tokens.len()).unwrap_or(u32::MAX)) };
        self.session.tokens = line.history_tokens.saturating_add(line.input_tokens);
        Ok(line)
    }

    fn whole(
        mut self,
        mut generation: Generation,
        mut line: Line,
        is_kept: bool,
        response: &mut Response,
    ) -> Result<(), Refusal> {
        let mut progress = Progress::default();
        while progress.next(&mut generation)?.is_some() {}
        line.tokens = progress.tokens;
        line.finish_reason = Some(progress.reason);
        self.settle(&line, &progress.text, is_kept)?;
        Ok(response.json(200, &Line { text: progress.text, ..line })?)
    }

    fn stream(
        mut self,
        mut generation: Generation,
        mut line: Line,
        is_kept: bool,
        response: &mut Response,
    ) -> Result<(), Refusal> {
        let mut lines = response.lines(STREAM_TYPE)?;
        let mut progress = Progress::default();
        loop {
            match progress.next(&mut generation) {
                Ok(Some(pieces)) => {
                    for piece in pieces.into_iter().filter(|piece| !piece.text.is_empty()) {
                        lines.push(&Line { text: piece.text, tokens: piece.generated, ..line.clone() })?;
                    }
                    lines.flush()?;
                }
                Ok(None) => break,
                Err(error) => {
                    // Too late for a status. The session is as it was before this turn.
                    mimus_sdk::error!("a turn failed in the middle: {error:?}");
                    line.tokens = progress.tokens;
                    return Ok(lines.line(&Line { finish_reason: Some("error"), ..line })?);
                }
            }
        }
        line.tokens = progress.tokens;
        line.finish_reason = Some(progress.reason);
        // Kept before the client hears of the end, so that its next turn finds it.
        self.settle(&line, &progress.text, is_kept)?;
        Ok(lines.line(&line)?)
    }

    /// Adds the answer to the session, and keeps or forgets it.
    fn settle(&mut self, line: &Line, text: &str, is_kept: bool) -> Result<(), Refusal> {
        self.session.turns.push(Turn::assistant(text));
        self.session.tokens = line.history_tokens.saturating_add(line.input_tokens).saturating_add(line.tokens);
        self.close(is_kept)
    }

    fn close(&self, is_kept: bool) -> Result<(), Refusal> {
        match self.id {
            Some(id) if is_kept => session::keep(id, &self.session),
            Some(id) => session::forget(id),
            None => Ok(()),
        }
    }
}

/// What has been generated so far.
struct Progress {
    text: String,
    tokens: u32,
    reason: &'static str,
}

impl Default for Progress {
    /// A turn that is cancelled before it ends has stopped.
    fn default() -> Self {
        Progress { text: String::new(), tokens: 0, reason: "stop" }
    }
}

impl Progress {
    /// Waits for the next pieces; none at the end, which a cancellation is as well.
    fn next(&mut self, generation: &mut Generation) -> Result<Option<Vec<Piece>>, inference::Error> {
        let pieces = match generation.pieces() {
            Ok(Some(pieces)) => pieces,
            Ok(None) | Err(inference::Error::Cancelled) => return Ok(None),
            Err(error) => return Err(error),
        };
        for piece in &pieces {
            self.text.push_str(&piece.text);
            self.tokens = piece.generated;
            if let Some(finish) = &piece.finish {
                self.reason = reason(finish.reason);
            }
        }
        Ok(Some(pieces))
    }
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::inference;
    use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
    use serde_json::{Value, json};

    fn post(host: &ScriptedHost, body: &Value) -> Captured {
        host.call(&Lmdeploy, "POST", "/v1/chat/interactive", &[], body.to_string().as_bytes())
    }

    /// A turn of session 7 that keeps it.
    fn turn(host: &ScriptedHost, prompt: &str) -> Value {
        let answer = post(host, &json!({"prompt": prompt, "session_id": 7, "interactive_mode": true}));
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// What the model was given last, as `role: text`.
    fn given(host: &ScriptedHost) -> Vec<String> {
        let Input::Chat(messages, _) = host.asked().pop().expect("the model was asked").input else {
            panic!("not a chat")
        };
        let said = |message: &mimus_sdk::chat::Message| {
            format!("{}: {}", message.role.name(), message.plain_text().expect("text"))
        };
        messages.iter().map(said).collect()
    }

    fn stopped() -> Value {
        json!({"text": "", "tokens": 0, "input_tokens": 0, "history_tokens": 0, "finish_reason": "stop"})
    }

    #[test]
    fn one_turn_is_one_line() {
        let answer = post(&ScriptedHost::new(), &json!({"prompt": "Hi"}));
        assert_eq!(answer.status, 200);
        assert!(
            answer.text().starts_with(r#"{"text":"Hello there friend","tokens":3,"input_tokens":"#),
            "{}",
            answer.text()
        );
        assert!(answer.text().ends_with(r#","history_tokens":0,"finish_reason":"stop"}"#), "{}", answer.text());
    }

    #[test]
    fn a_stream_is_bare_lines() {
        let answer = post(&ScriptedHost::new(), &json!({"prompt": "Hi", "stream": true}));
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream")));
        let lines: Vec<Value> = answer.text().lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        assert!(answer.text().ends_with("}\n") && !answer.text().contains("\n\n"));
        let (last, pieces) = lines.split_last().expect("lines");
        let text: String = pieces.iter().map(|line| line["text"].as_str().expect("text")).collect();
        assert_eq!(text, "Hello there friend");
        assert_eq!(pieces.iter().map(|line| line["tokens"].as_u64()).collect::<Vec<_>>(), [Some(1), Some(2), Some(3)]);
        assert!(pieces.iter().all(|line| line["finish_reason"].is_null()));
        assert_eq!((&last["text"], &last["finish_reason"], &last["tokens"]), (&"".into(), &"stop".into(), &3.into()));
    }

    #[test]
    fn a_session_sees_what_was_said_before() {
        let host = ScriptedHost::new();
        let first = turn(&host, "one");
        assert_eq!(first["history_tokens"], 0);
        let second = turn(&host, "two");
        assert_eq!(given(&host), ["user: one", "assistant: Hello there friend", "user: two"]);
        assert_eq!(
            second["history_tokens"].as_u64(),
            Some(first["input_tokens"].as_u64().unwrap() + first["tokens"].as_u64().unwrap())
        );
        assert!(second["input_tokens"].as_u64() > Some(0));
    }

    #[test]
    fn zero_is_a_session_and_minus_one_is_none() {
        for (id, history) in [(0, 3), (-1, 1), (i64::MAX, 3), (-5, 3)] {
            let host = ScriptedHost::new();
            for _ in 0..2 {
                post(&host, &json!({"prompt": "Hi", "session_id": id, "interactive_mode": true}));
            }
            assert_eq!(given(&host).len(), history, "{id}");
        }
    }

    #[test]
    fn a_last_turn_sees_the_history_and_forgets_it() {
        let host = ScriptedHost::new();
        turn(&host, "one");
        let last = post(&host, &json!({"prompt": "two", "session_id": 7})).json();
        assert!(last["history_tokens"].as_u64() > Some(0));
        assert_eq!(given(&host).len(), 3);
        assert_eq!(turn(&host, "three")["history_tokens"], 0);
        assert_eq!(given(&host), ["user: three"]);
    }

    #[test]
    fn an_end_forgets_the_session_and_is_never_an_error() {
        let host = ScriptedHost::new();
        turn(&host, "one");
        let end = json!({"prompt": "", "session_id": 7, "request_output_len": 0, "interactive_mode": false});
        for _ in 0..2 {
            let answer = post(&host, &end);
            assert_eq!((answer.status, answer.json()), (200, stopped()));
        }
        assert_eq!(turn(&host, "two")["history_tokens"], 0);
        let mut streamed = end;
        streamed["stream"] = json!(true);
        assert_eq!(
            post(&host, &streamed).text(),
            format!("{}\n", r#"{"text":"","tokens":0,"input_tokens":0,"history_tokens":0,"finish_reason":"stop"}"#)
        );
    }

    #[test]
    fn a_cancellation_needs_a_session() {
        let host = ScriptedHost::new();
        let refused = post(&host, &json!({"cancel": true}));
        assert_eq!(
            (refused.status, &refused.json()["message"]),
            (400, &"please set a session_id to cancel a request".into())
        );
        for body in [json!({"session_id": 7, "cancel": true}), json!({"session_id": 7, "stop": true, "prompt": ""})] {
            let answer = post(&host, &body);
            assert_eq!((answer.status, answer.json()), (200, stopped()), "{body}");
        }
    }

    #[test]
    fn a_cancelled_turn_ends_with_what_it_has() {
        let host = ScriptedHost::new().fail_after(2, inference::Error::Cancelled);
        let answer = post(&host, &json!({"prompt": "Hi", "session_id": 7, "interactive_mode": true, "stream": true}));
        let last: Value = serde_json::from_str(answer.text().lines().last().expect("lines")).expect("JSON");
        assert_eq!((&last["finish_reason"], &last["tokens"]), (&"stop".into(), &2.into()));
        let whole = post(&host, &json!({"prompt": "Hi"})).json();
        assert_eq!((&whole["text"], &whole["finish_reason"]), (&"Hello there".into(), &"stop".into()));
        turn(&host, "two");
        assert_eq!(given(&host), ["user: Hi", "assistant: Hello there", "user: two"]);
    }

    #[test]
    fn a_history_is_loaded_without_an_answer() {
        let host = ScriptedHost::new();
        let history = json!([{"role": "user", "content": "one"}, {"role": "assistant", "content": "two"}]);
        let load = json!({"prompt": history, "session_id": 7, "request_output_len": 0, "interactive_mode": true});
        let loaded = post(&host, &load).json();
        assert_eq!((&loaded["text"], &loaded["tokens"]), (&"".into(), &0.into()));
        assert!(host.asked().is_empty(), "the model was asked");
        let next = turn(&host, "three");
        assert_eq!(next["history_tokens"], loaded["input_tokens"]);
        assert_eq!(given(&host), ["user: one", "assistant: two", "user: three"]);
    }

    #[test]
    fn a_list_is_the_whole_history_or_continues_it() {
        let host = ScriptedHost::new();
        turn(&host, "one");
        let mut list = json!([
            {"role": "user", "content": "one"}, {"role": "assistant", "content": "Hello there friend"}, {"role": "user", "content": "two"},
        ]);
        post(&host, &json!({"prompt": list, "session_id": 7, "interactive_mode": true}));
        assert_eq!(given(&host), ["user: one", "assistant: Hello there friend", "user: two"]);
        list = json!([{"role": "user", "content": "three"}]);
        post(&host, &json!({"prompt": list, "session_id": 7, "interactive_mode": true}));
        assert_eq!(given(&host).len(), 5);
    }

    #[test]
    fn too_long_is_an_answer_and_no_error() {
        let host = ScriptedHost::new();
        turn(&host, "one");
        let long = "word ".repeat(5000);
        for stream in [false, true] {
            let answer =
                post(&host, &json!({"prompt": long, "session_id": 7, "interactive_mode": true, "stream": stream}));
            assert_eq!(answer.status, 200);
            let line = answer.json();
            assert_eq!(
                (&line["text"], &line["tokens"], &line["finish_reason"]),
                (&"".into(), &0.into(), &"length".into())
            );
        }
        // The session is as it was.
        turn(&host, "two");
        assert_eq!(given(&host).len(), 3);
    }

    #[test]
    fn wanting_more_than_there_is_room_for_is_too_long() {
        let answer = post(&ScriptedHost::new(), &json!({"prompt": "Hi", "request_output_len": 4096})).json();
        assert_eq!((&answer["tokens"], &answer["finish_reason"]), (&0.into(), &"length".into()));
    }

    #[test]
    fn a_client_that_leaves_ends_the_turn_and_leaves_the_session_as_it_was() {
        let host = ScriptedHost::new();
        turn(&host, "one");
        let leaving = host.clone().client_leaves_after(1);
        post(&leaving, &json!({"prompt": "two", "session_id": 7, "interactive_mode": true, "stream": true}));
        assert_eq!(host.running(), 0);
        let host = host.client_leaves_after(u32::MAX);
        turn(&host, "three");
        assert_eq!(given(&host), ["user: one", "assistant: Hello there friend", "user: three"]);
    }

    #[test]
    fn a_failure_in_the_middle_ends_the_stream_with_its_reason() {
        let host = ScriptedHost::new().fail_after(1, inference::Error::Failed("secret".into()));
        let answer = post(&host, &json!({"prompt": "Hi", "stream": true}));
        let last: Value = serde_json::from_str(answer.text().lines().last().expect("lines")).expect("JSON");
        assert_eq!(last["finish_reason"], "error");
        assert_eq!(post(&host, &json!({"prompt": "Hi"})).status, 500);
        assert!(!answer.text().contains("secret"));
    }

    #[test]
    fn the_defaults_are_those_of_the_original() {
        let host = ScriptedHost::new();
        post(
            &host,
            &json!({"prompt": "Hi", "kwargs": {}, "stop": null, "adapter_name": null, "image_url": null, "request_output_len": null}),
        );
        let options = &host.asked()[0].options;
        assert_eq!(
            (options.temperature, options.top_p, options.top_k, options.tokens_max),
            (Some(0.8), Some(0.8), Some(40), None)
        );
        assert_eq!(
            (options.repetition_penalty, options.ignore_eos, options.skip_special_tokens),
            (Some(1.0), false, true)
        );
    }

    #[test]
    fn bad_fields_are_refused() {
        let cases = [
            (json!({}), "`prompt` is required"),
            (json!({"prompt": 5}), "`prompt` must be a string or an array, got integer 5"),
            (json!({"prompt": []}), "`prompt` must not be empty"),
            (json!({"prompt": "a", "session_id": "me"}), "`session_id` must be an integer, got a string"),
            (
                json!({"prompt": "a", "request_output_len": -1}),
                "The request_output_len `-1` cannot be a negative integer.",
            ),
            (
                json!({"prompt": "a", "image_url": "/etc/passwd"}),
                "`image_url` is given, and the model reads text alone",
            ),
            (json!({"prompt": "a", "adapter_name": "x"}), "The adapter `x` does not exist."),
            (json!({"prompt": "a", "temperature": -1}), "The temperature `-1.0` must be in [0, 2]"),
            (json!({"prompt": "a", "cancel": "please"}), "`cancel` must be a boolean, got a string"),
        ];
        for (body, message) in cases {
            let answer = post(&ScriptedHost::new(), &body);
            assert_eq!((answer.status, &answer.json()["message"]), (400, &message.into()), "{body}");
        }
    }
}
