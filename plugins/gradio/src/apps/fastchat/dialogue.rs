//! One of FastChat's conversations: a message is added first, and answered by another call.

use mimus_sdk::chat::{Message, Part, Role};
use mimus_sdk::inference::Options;
use mimus_sdk::models::Model;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::super::history::{BYTES_MAX, TURNS_MAX};
use crate::failure::Failure;
use crate::turn::Turn;

/// Letters of one message; what is longer is cut. FastChat's `INPUT_CHAR_LEN_LIMIT`.
const INPUT_CHARS_MAX: usize = 12_000;

/// What the text box says when a conversation has as many turns as it may.
pub(crate) const LIMIT_REACHED: &str =
    "YOU HAVE REACHED THE CONVERSATION LENGTH LIMIT. PLEASE CLEAR HISTORY AND START A NEW CONVERSATION.";

/// The mark at the end of an answer that is not finished.
pub(crate) const CURSOR: &str = "▌";

/// A conversation with one model.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Dialogue {
    /// None before the first message.
    model: Option<String>,
    exchanges: Vec<Exchange>,
    /// The next answer is left out: nothing was said.
    #[serde(default)]
    is_skipped: bool,
}

#[derive(Debug, Serialize, Deserialize)]
struct Exchange {
    user: String,
    /// Id of a picture that came with the message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    image: Option<String>,
    /// None until it is answered.
    bot: Option<String>,
}

/// What became of a message.
#[derive(Debug, PartialEq)]
pub(crate) enum Added {
    /// It waits for its answer.
    Waiting,
    /// There was none.
    Empty,
    /// The conversation is full.
    LimitReached,
}

impl Dialogue {
    /// The model that the conversation is with.
    pub(crate) fn model(&self) -> Option<&str> {
        self.model.as_deref()
    }

    /// Takes a message in. The first one decides for the model.
    pub(crate) fn add(
        &mut self,
        text: &str,
        image: Option<String>,
        model: impl FnOnce() -> Result<Model, Failure>,
    ) -> Result<Added, Failure> {
        self.is_skipped = true;
        if text.trim().is_empty() {
            return Ok(Added::Empty);
        }
        if self.exchanges.len() >= TURNS_MAX || self.bytes() > BYTES_MAX {
            return Ok(Added::LimitReached);
        }
        if self.model.is_none() {
            self.model = Some(model()?.name);
        }
        let user = text.chars().take(INPUT_CHARS_MAX).collect();
        self.exchanges.push(Exchange { user, image, bot: None });
        self.is_skipped = false;
        Ok(Added::Waiting)
    }

    /// Takes the last answer back.
    pub(crate) fn reopen(&mut self) {
        self.is_skipped = self.exchanges.is_empty();
        if let Some(last) = self.exchanges.last_mut() {
            last.bot = None;
        }
    }

    /// The model and the conversation that is to be answered; none when there is nothing to answer.
    pub(crate) fn asks(&self) -> Option<(String, Vec<Message>)> {
        let (last, before) = self.exchanges.split_last()?;
        if self.is_skipped || last.bot.is_some() {
            return None;
        }
        let mut messages = Vec::with_capacity(2 * before.len() + 1);
        for exchange in before {
            // What was never answered was never said: prompt formats want turns in turn.
            let Some(bot) = &exchange.bot else { continue };
            messages.extend([exchange.message(), Message::text(Role::Assistant, bot.as_str())]);
        }
        messages.push(last.message());
        Some((self.model.clone()?, messages))
    }

    /// Ends the answer to the last message.
    pub(crate) fn answer(&mut self, text: &str) {
        if let Some(last) = self.exchanges.last_mut() {
            last.bot = Some(text.to_owned());
        }
    }

    /// How much was said.
    pub(crate) fn bytes(&self) -> usize {
        let said = |exchange: &Exchange| exchange.user.len() + exchange.bot.as_ref().map_or(0, String::len);
        self.exchanges.iter().map(said).sum()
    }

    /// Pairs as a chatbot shows them.
    pub(crate) fn shown(&self) -> Value {
        self.exchanges.iter().map(|exchange| json!([exchange.user, exchange.bot])).collect()
    }

    /// The same with so much of the last answer, and the mark behind it.
    pub(crate) fn shown_growing(&self, text: &str) -> Value {
        let mut shown = self.shown();
        if let Some(last) = shown.as_array_mut().and_then(|pairs| pairs.last_mut()) {
            last[1] = json!(format!("{text}{CURSOR}"));
        }
        shown
    }
}

impl Exchange {
    fn message(&self) -> Message {
        let mut message = Message::text(Role::User, self.user.as_str());
        if let Some(image) = &self.image {
            message.content.insert(0, Part::Image(image.clone()));
        }
        message
    }
}

/// The three sliders, which begin at an input's place.
pub(crate) fn options(turn: &Turn<'_>, place: usize) -> Result<Options, Failure> {
    let top_p = turn.number(place + 1)?;
    Ok(Options {
        temperature: Some(turn.number(place)? as f32),
        // The slider reaches down to 0, by which FastChat's worker means no bound.
        top_p: (top_p != 0.0).then_some(top_p as f32),
        tokens_max: Some((turn.number(place + 2)? as u32).max(1)),
        ..Options::default()
    })
}
