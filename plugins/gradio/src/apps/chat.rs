//! `gr.ChatInterface`: one function, which takes a message and keeps the history itself.

use mimus_sdk::inference::Options;
use serde_json::{Value, json};

use super::history::History;
use crate::answering::Growing;
use crate::app::{Component, Function, Kind, Part};
use crate::failure::Failure;
use crate::kept::Kept;
use crate::model_choice;
use crate::turn::Turn;

const MESSAGE: u32 = 40;
const RESPONSE: u32 = 41;
const STATE: u32 = 42;

/// `/chat`.
pub(crate) static PART: Part = Part {
    components: &[
        Component::labelled(MESSAGE, Kind::Textbox, "Message"),
        Component::labelled(RESPONSE, Kind::Textbox, "Response"),
        Component::new(STATE, Kind::State),
    ],
    functions: &[Function::new("chat", &[MESSAGE, STATE], &[RESPONSE, STATE], chat)
        .on(MESSAGE, "submit")
        .taking(&["message"])
        .within("chat")
        .streaming()],
};

fn chat(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let message = turn.needed_text(0)?.to_owned();
    let model = model_choice::usual()?;
    let mut history: Kept<History> = Kept::open(turn.call)?;
    let messages = history.value.messages(&message);
    let mut answer = Growing::begin(turn, &model.name, messages, Options::default(), 0)?;
    while answer.grow()? {
        turn.tell(vec![json!(answer.text)])?;
    }
    if !answer.text.is_empty() {
        history.value.push(&message, &answer.text);
        history.save()?;
    }
    Ok(vec![json!(answer.text)])
}
