//! `POST /v1/chat/interactive`: one turn of a conversation that the server may keep.
//!
//! Streams are bare lines of JSON, without `data:`, without blank lines and without `[DONE]`, although their content type says
//! event stream. Rules as in the session era; where releases differ, 0.9.2. The names of releases up to 0.0.10 (`instance_id`,
//! `sequence_start`, `sequence_end`) are understood as well.

mod history;
#[cfg(test)]
mod tests;
mod turn;

use mimus_sdk::inference::Options;
use mimus_sdk::{Request, Response};
use serde::{Deserialize, Serialize};

use crate::fields::{Stop, TextOr};
use crate::messages::{self, Conversation, Turn};
use crate::refusal::Refusal;
use crate::sampling::{Defaults, Sampling, natural};
use crate::session::{self, Session};
use crate::{model_choice, running};

use turn::Task;

const DEFAULTS: Defaults = Defaults { temperature: Some(0.8), top_p: Some(0.8), top_k: Some(40) };

/// What the original says of its lines.
const STREAM_TYPE: &str = "text/event-stream; charset=utf-8";

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
    instance_id: Option<i64>,
    sequence_start: Option<bool>,
    sequence_end: Option<bool>,
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
    let id = body.session_id.or(body.instance_id).unwrap_or(session::NONE);
    let is_stream = body.stream.unwrap_or(false);
    // Release 0.1 says `stop` where later ones say `cancel`.
    if body.cancel.unwrap_or(false) || body.stop.as_ref().is_some_and(|stop| stop.is_cancel) {
        if id == session::NONE {
            return Err(Refusal::bad("session_id", "please set a session_id to cancel a request"));
        }
        running::cancel(id);
        return send(nothing_left(), is_stream, response);
    }
    let Some(prompt) = body.prompt else {
        return Err(Refusal::bad("prompt", "`prompt` is required"));
    };
    // A sequence of 0.0.10 goes on unless its end is asked for; later sessions end unless they are asked to go on.
    let goes_on = body.sequence_end.map(|is_end| !is_end).or(body.instance_id.map(|_| true));
    let is_kept = body.interactive_mode.or(goes_on).unwrap_or(false);
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
        return Err(Refusal::bad("image_url", "`image_url` argument only works for VL model"));
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
    let options = Options { tokens_max: wanted, ..sampling.into_options(DEFAULTS)? };
    let given = match prompt {
        TextOr::Text(text) => vec![Turn::user(text)],
        TextOr::Many(messages) => messages::turns("prompt", messages)?,
    };
    let model = model_choice::usual()?;
    if id == session::NONE {
        let task = Task { id: None, model, session: Session::default(), given, is_kept: false, is_stream };
        return task.run(options, response);
    }
    let (_lease, session) = session::open(id)?;
    let begins = body.instance_id.is_some() && body.sequence_start.unwrap_or(true);
    let session = if begins { Session::default() } else { session };
    Task { id: Some(id), model, session, given, is_kept, is_stream }.run(options, response)
}

fn send(line: Line, is_stream: bool, response: &mut Response) -> Result<(), Refusal> {
    if is_stream {
        return Ok(response.lines(STREAM_TYPE)?.line(&line)?);
    }
    Ok(response.json(200, &line)?)
}
