//! What was said so far, and the lines in which the server answers.

use serde_json::{Value, json};

/// A conversation with one model.
pub struct Conversation {
    model: Option<String>,
    system: Option<String>,
    messages: Vec<(&'static str, String)>,
}

/// A line of an answer.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// More text.
    Text(String),
    /// The answer is over.
    Finish,
    /// Something that newer servers say.
    Other,
}

impl Conversation {
    /// A conversation in which nothing was said.
    pub fn new(model: Option<String>, system: Option<String>) -> Conversation {
        Conversation { model, system, messages: Vec::new() }
    }

    /// Forgets everything but what the model is told before.
    pub fn reset(&mut self) {
        self.messages.clear();
    }

    /// Adds a question; returns what the server is sent.
    pub fn ask(&mut self, question: &str) -> Value {
        self.messages.push(("user", question.to_owned()));
        let system = self.system.iter().map(|text| ("system", text.as_str()));
        let said = self.messages.iter().map(|(role, text)| (*role, text.as_str()));
        let messages: Vec<Value> =
            system.chain(said).map(|(role, content)| json!({"role": role, "content": content})).collect();
        let mut request = json!({ "messages": messages });
        if let Some(model) = &self.model {
            request["model"] = json!(model);
        }
        request
    }

    /// Adds the answer, or takes the question back when there was none.
    pub fn note(&mut self, answer: String) {
        if answer.is_empty() {
            self.messages.pop();
        } else {
            self.messages.push(("assistant", answer));
        }
    }
}

impl Event {
    /// Reads a line.
    ///
    /// # Errors
    /// The server's own message where the line is one, and for what is no line of an answer.
    pub fn parse(line: &str) -> Result<Event, String> {
        let value: Value =
            serde_json::from_str(line).map_err(|_| "the server does not answer as Mimus does".to_owned())?;
        if let Some(error) = value.get("error") {
            let message = error.as_str().or_else(|| error["message"].as_str()).unwrap_or("the server failed");
            return Err(message.to_owned());
        }
        Ok(match value["text"].as_str() {
            Some(text) => Event::Text(text.to_owned()),
            None if value.get("finish").is_some() => Event::Finish,
            None => Event::Other,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_grows_by_what_was_answered() {
        let mut conversation = Conversation::new(None, Some("be brief".into()));
        conversation.ask("one");
        conversation.note("1".into());
        conversation.ask("unanswered");
        conversation.note(String::new());
        let expect = json!({"messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "one"},
            {"role": "assistant", "content": "1"},
            {"role": "user", "content": "two"},
        ]});
        assert_eq!(conversation.ask("two"), expect);
        conversation.reset();
        assert_eq!(conversation.ask("x")["messages"].as_array().map(Vec::len), Some(2));
        assert_eq!(Conversation::new(Some("m".into()), None).ask("x")["model"], "m");
    }

    #[test]
    fn lines_are_told_apart() {
        assert_eq!(Event::parse(r#"{"text": "a"}"#), Ok(Event::Text("a".into())));
        assert_eq!(Event::parse(r#"{"finish": "stop", "tokens": 3}"#), Ok(Event::Finish));
        assert_eq!(Event::parse(r#"{"new": 1}"#), Ok(Event::Other));
        assert_eq!(Event::parse(r#"{"error": "too long"}"#), Err("too long".into()));
        assert_eq!(Event::parse(r#"{"error": {"message": "too long"}}"#), Err("too long".into()));
        assert!(Event::parse("<html>").is_err());
    }
}
