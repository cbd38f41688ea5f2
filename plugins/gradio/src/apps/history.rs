//! A conversation as pairs of a message and its answer.

use mimus_sdk::chat::{Message, Role};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Pairs that are kept; FastChat's `CONVERSATION_TURN_LIMIT`.
pub(crate) const TURNS_MAX: usize = 50;

/// Bytes of text that are kept.
pub(crate) const BYTES_MAX: usize = 256 << 10;

/// What was said, oldest first.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct History {
    turns: Vec<(String, String)>,
}

impl History {
    /// The conversation up to a new message.
    pub(crate) fn messages(&self, message: &str) -> Vec<Message> {
        let before = self.turns.iter().flat_map(|(user, bot)| {
            [Message::text(Role::User, user.as_str()), Message::text(Role::Assistant, bot.as_str())]
        });
        before.chain([Message::text(Role::User, message)]).collect()
    }

    /// Adds a pair, and forgets the oldest ones past the bounds.
    pub(crate) fn push(&mut self, message: &str, answer: &str) {
        self.turns.push((message.to_owned(), answer.to_owned()));
        while self.turns.len() > TURNS_MAX || self.bytes() > BYTES_MAX {
            self.turns.remove(0);
        }
    }

    /// How much was said.
    pub(crate) fn bytes(&self) -> usize {
        self.turns.iter().map(|(user, bot)| user.len() + bot.len()).sum()
    }

    /// The pairs as a chatbot shows them, with one that is not finished.
    pub(crate) fn shown_with(&self, message: &str, answer: Option<&str>) -> Value {
        let pairs = self.turns.iter().map(|(user, bot)| json!([user, bot]));
        pairs.chain([json!([message, answer])]).collect()
    }

    /// The pairs as a chatbot shows them.
    pub(crate) fn shown(&self) -> Value {
        self.turns.iter().map(|(user, bot)| json!([user, bot])).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut history = History::default();
        for number in 0..=TURNS_MAX {
            history.push(&number.to_string(), "answer");
        }
        assert_eq!((history.turns.len(), &*history.turns[0].0), (TURNS_MAX, "1"));
        history.push("long", &"x".repeat(BYTES_MAX - 4));
        assert_eq!(history.turns.len(), 1, "the long answer alone fits");
        history.push("longer", &"x".repeat(BYTES_MAX));
        assert_eq!(history.turns.len(), 0);
    }
}
