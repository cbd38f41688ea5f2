//! One turn: prompt, answer, and the session afterwards.

use mimus_sdk::Response;
use mimus_sdk::inference::{self, ContextExcess, Error, Generation, Options, Piece, Prompt};
use mimus_sdk::models::Model;

use super::history::Then;
use super::{Line, STREAM_TYPE, send};
use crate::chat_completions::reason;
use crate::messages::Turn;
use crate::refusal::Refusal;
use crate::session::{self, Session};
use crate::{prompt, running, session_len};

/// A turn that is to be done.
pub struct Task {
    /// None without a session.
    pub id: Option<i64>,
    pub model: Model,
    /// As it is before this turn.
    pub session: Session,
    /// What the turn says.
    pub given: Vec<Turn>,
    /// Whether the session goes on after this turn.
    pub is_kept: bool,
    pub is_stream: bool,
}

impl Task {
    /// Answers the turn, or takes it in without an answer where none is wanted.
    pub fn run(mut self, mut options: Options, response: &mut Response) -> Result<(), Refusal> {
        let then = if options.tokens_max == Some(0) { Then::Nothing } else { Then::Answer };
        let given = std::mem::take(&mut self.given);
        let rendered = self.session.prompt(&self.model, given, then)?;
        let line = self.line(rendered.ids.len());
        match session_len::bound(&self.model, rendered.ids.len(), &mut options) {
            Err(Error::ContextExceeded(_)) => return self.refuse_length(line, response),
            bounded => bounded?,
        }
        if then == Then::Nothing {
            return self.load(rendered.ids, line, response);
        }
        prompt::end_at(&self.model.name, &rendered.stop, &mut options)?;
        options.token_ids = true;
        options.tag = Some(running::tag(self.id));
        let _running = running::enter(self.id)?;
        let prompt = Prompt::Tokens(rendered.ids);
        let generation = match inference::generate(&self.model.name, &prompt, &options) {
            Err(Error::ContextExceeded(ContextExcess { .. })) => return self.refuse_length(line, response),
            started => started?,
        };
        let Prompt::Tokens(ids) = prompt else { unreachable!("the prompt was made of tokens") };
        self.session.ids = ids;
        if self.is_stream { self.stream(generation, line, response) } else { self.whole(generation, line, response) }
    }

    /// An empty line with this turn's counts.
    fn line(&self, prompt_tokens: usize) -> Line {
        let history_tokens = self.session.tokens;
        let prompt_tokens = u32::try_from(prompt_tokens).unwrap_or(u32::MAX);
        // The history may have become shorter where it was rendered anew; a turn always says something.
        Line { input_tokens: prompt_tokens.saturating_sub(history_tokens).max(1), history_tokens, ..Line::default() }
    }

    /// The session is as it was before, or ends as it would have.
    fn refuse_length(self, line: Line, response: &mut Response) -> Result<(), Refusal> {
        if let Some(id) = self.id.filter(|_| !self.is_kept) {
            session::forget(id)?;
        }
        send(Line { finish_reason: Some("length"), ..line }, self.is_stream, response)
    }

    /// Takes the conversation in without answering it.
    fn load(mut self, ids: Vec<u32>, line: Line, response: &mut Response) -> Result<(), Refusal> {
        self.session.ids = ids;
        self.session.tokens = line.history_tokens.saturating_add(line.input_tokens);
        self.close()?;
        send(Line { finish_reason: Some("length"), ..line }, self.is_stream, response)
    }

    fn whole(mut self, mut generation: Generation, mut line: Line, response: &mut Response) -> Result<(), Refusal> {
        let mut progress = Progress::default();
        while progress.next(&mut generation)?.is_some() {}
        line.tokens = progress.tokens;
        line.finish_reason = Some(progress.reason);
        line.text = progress.text.clone();
        self.settle(&line, progress)?;
        Ok(response.json(200, &line)?)
    }

    fn stream(mut self, mut generation: Generation, mut line: Line, response: &mut Response) -> Result<(), Refusal> {
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
        // Kept before the client hears of the end, so that its next turn finds it, whatever happens to the server.
        if let Err(refusal) = self.settle(&line, progress) {
            mimus_sdk::error!("a turn could not be kept: {refusal:?}");
            line.finish_reason = Some("error");
        }
        Ok(lines.line(&line)?)
    }

    /// Adds the answer to the session, and keeps or forgets it.
    fn settle(&mut self, line: &Line, progress: Progress) -> Result<(), Refusal> {
        self.session.turns.push(Turn::assistant(progress.text));
        self.session.ids.extend(progress.ids);
        self.session.tokens = line.history_tokens.saturating_add(line.input_tokens).saturating_add(line.tokens);
        self.close()
    }

    fn close(&self) -> Result<(), Refusal> {
        match self.id {
            Some(id) if self.is_kept => session::keep(id, &self.session),
            Some(id) => session::forget(id),
            None => Ok(()),
        }
    }
}

/// What has been generated so far.
struct Progress {
    text: String,
    ids: Vec<u32>,
    /// End tokens included, which are not among the ids.
    tokens: u32,
    reason: &'static str,
}

impl Default for Progress {
    /// A turn that is cancelled before it ends has stopped.
    fn default() -> Self {
        Progress { text: String::new(), ids: Vec::new(), tokens: 0, reason: "stop" }
    }
}

impl Progress {
    /// Waits for the next pieces; none at the end, which a cancellation is as well.
    fn next(&mut self, generation: &mut Generation) -> Result<Option<Vec<Piece>>, Error> {
        let pieces = match generation.pieces() {
            Ok(Some(pieces)) => pieces,
            Ok(None) | Err(Error::Cancelled) => return Ok(None),
            Err(error) => return Err(error),
        };
        for piece in &pieces {
            self.text.push_str(&piece.text);
            self.ids.extend(piece.tokens.iter().map(|token| token.id));
            self.tokens = piece.generated;
            if let Some(finish) = &piece.finish {
                self.reason = reason(finish.reason);
            }
        }
        Ok(Some(pieces))
    }
}
