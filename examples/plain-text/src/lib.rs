//! The smallest adapter for a model: `POST /say` with text in, streamed text out. No JSON at all.

use mimus_sdk::chat::{Message, RenderOptions, Role};
use mimus_sdk::inference::{self, Options};
use mimus_sdk::{About, Dialect, DialectError, Reply, Request, Response, Routes, WriteError, models};

struct PlainText;

impl Dialect for PlainText {
    type Error = Fault;

    fn about(&self) -> About {
        About::new("plain-text", env!("CARGO_PKG_VERSION"), "text in, text out")
    }

    fn routes(&self) -> Routes<Fault> {
        Routes::new().post("/say", say)
    }
}

mimus_sdk::personality!(PlainText);

fn say(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let first = || models::list().into_iter().next().map(|model| model.name);
    let model = request.query("model").map(Into::into).or_else(first).ok_or(Fault(503, "no model is loaded".into()))?;
    let messages = [Message::text(Role::User, String::from_utf8_lossy(request.body()))];
    let mut answer = inference::chat(&model, &messages, &RenderOptions::default(), &Options::default())?;
    let mut text = response.stream(200, "text/plain; charset=utf-8")?;
    while let Some(pieces) = answer.pieces()? {
        text.write(pieces.iter().map(|piece| piece.text.as_str()).collect::<String>().as_bytes())?;
    }
    Ok(())
}

struct Fault(u16, String);

impl DialectError for Fault {
    fn reply(&self) -> Reply {
        Reply::text(self.0, &self.1)
    }
}

impl From<inference::Error> for Fault {
    fn from(error: inference::Error) -> Self {
        Fault(if matches!(error, inference::Error::UnknownModel(_)) { 404 } else { 500 }, error.message())
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        Fault(500, error.to_string())
    }
}

#[cfg(test)]
mod tests;
