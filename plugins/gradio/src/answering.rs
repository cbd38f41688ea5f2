//! A model's answer as it grows.

use mimus_sdk::answers::{self, Answer, Event, ToolUse};
use mimus_sdk::chat::{Message, RenderOptions};
use mimus_sdk::inference::{Error, Options};

use crate::failure::Failure;
use crate::jobs;
use crate::turn::Turn;

/// A short answer is told with each piece that comes. A long one, or one at the end of a long conversation that is told with it, is told
/// each time it has grown by this part of the whole, so that telling takes time in proportion to what is told and not to its square.
const GROWTH_PART: usize = 128;

/// An answer under way. Dropping it ends it.
pub(crate) struct Growing {
    answer: Option<Answer>,
    /// What the model has said so far, without what it thought.
    pub(crate) text: String,
    told_bytes: usize,
    /// What is told besides each time.
    beside_bytes: usize,
    /// Whether the client ended it.
    pub(crate) is_cancelled: bool,
}

impl Growing {
    /// Asks a model. An answer that may be longer than the context leaves room for is cut to that; of a conversation that is longer
    /// than the context, the oldest exchanges are forgotten.
    ///
    /// `beside_bytes`: how much is told together with the answer each time.
    pub(crate) fn begin(
        turn: &Turn<'_>,
        model: &str,
        mut messages: Vec<Message>,
        options: Options,
        beside_bytes: usize,
    ) -> Result<Growing, Failure> {
        let event = turn.call.event.as_deref();
        let options = Options { tag: options.tag.or(event.map(str::to_owned)), ..options };
        let ask = |messages: &[Message], options: &Options| {
            answers::converse(model, messages, &RenderOptions::default(), options, &ToolUse::default())
        };
        let answer = loop {
            match ask(&messages, &options) {
                Err(Error::ContextExceeded(excess)) if excess.prompt < excess.limit => {
                    let left = Some(excess.limit - excess.prompt);
                    break ask(&messages, &Options { tokens_max: left, ..options.clone() })?;
                }
                Err(Error::ContextExceeded(_)) if messages.len() > 2 => drop(messages.drain(..2)),
                begun => break begun?,
            }
        };
        // Asked for after the start: a cancellation in between finds the answer by its tag.
        if let Some(event) = event
            && jobs::is_cancelled(event)?
        {
            return Err(Failure::Cancelled);
        }
        Ok(Growing { answer: Some(answer), text: String::new(), told_bytes: 0, beside_bytes, is_cancelled: false })
    }

    /// Waits until there is more to tell; false at the end, which a cancellation is as well.
    pub(crate) fn grow(&mut self) -> Result<bool, Failure> {
        while let Some(answer) = &mut self.answer {
            let parts = match answer.parts() {
                Ok(Some(parts)) => parts,
                Ok(None) => {
                    self.answer = None;
                    return Ok(false);
                }
                Err(Error::Cancelled) => {
                    self.answer = None;
                    self.is_cancelled = true;
                    return Ok(false);
                }
                Err(error) => return Err(error.into()),
            };
            for event in parts.into_iter().flat_map(|part| part.events) {
                if let Event::Text(text) = event {
                    self.text.push_str(&text);
                }
            }
            let grown = self.text.len() - self.told_bytes;
            if grown > 0 && grown >= (self.told_bytes + self.beside_bytes) / GROWTH_PART {
                self.told_bytes = self.text.len();
                return Ok(true);
            }
        }
        Ok(false)
    }
}
