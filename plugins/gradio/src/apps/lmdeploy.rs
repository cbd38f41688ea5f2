//! The page of `lmdeploy serve gradio`, release 0.6.4.

use mimus_sdk::inference::Options;
use serde_json::{Value, json};

use super::history::History;
use crate::answering::Growing;
use crate::app::{Component, Function, Kind, Part};
use crate::failure::Failure;
use crate::kept::{self, Kept};
use crate::turn::Turn;
use crate::{ids, model_choice};

const HISTORY: u32 = 60;
const SESSION: u32 = 61;
const CHATBOT: u32 = 62;
const INSTRUCTION: u32 = 63;
const CANCEL: u32 = 64;
const RESET: u32 = 65;
const TOKENS: u32 = 66;
const TOP_P: u32 = 67;
const TEMPERATURE: u32 = 68;

/// The functions that scripts call by name. The original also takes its two buttons as inputs, to give them back; clients of Gradio 4
/// leave them out, each in another way, so they are no inputs here.
pub(crate) static PART: Part = Part {
    components: &[
        Component::new(HISTORY, Kind::State),
        Component::new(SESSION, Kind::State),
        Component::labelled(CHATBOT, Kind::Chatbot, "Chatbot"),
        Component::labelled(INSTRUCTION, Kind::Textbox, "Instruction"),
        Component::new(CANCEL, Kind::Button("Cancel")).skipped(),
        Component::new(RESET, Kind::Button("Reset")).skipped(),
        Component::labelled(
            TOKENS,
            Kind::Slider { min: 1.0, max: 2048.0, step: 1.0, value: 512.0 },
            "Maximum new tokens",
        ),
        Component::labelled(TOP_P, Kind::Slider { min: 0.01, max: 1.0, step: 0.01, value: 0.8 }, "Top_p"),
        Component::labelled(TEMPERATURE, Kind::Slider { min: 0.01, max: 1.5, step: 0.01, value: 0.7 }, "Temperature"),
    ],
    functions: &[
        Function::new(
            "chat_stream_restful",
            &[INSTRUCTION, HISTORY, SESSION, TOP_P, TEMPERATURE, TOKENS],
            &[HISTORY, CHATBOT, CANCEL, RESET],
            chat,
        )
        .on(INSTRUCTION, "submit")
        .taking(&["instruction", "top_p", "temperature", "request_output_len"])
        .within("lmdeploy")
        .streaming(),
        Function::new("lambda", &[], &[INSTRUCTION], clear_box).on(INSTRUCTION, "submit"),
        Function::new("cancel_restful_func", &[HISTORY, SESSION], &[HISTORY, CANCEL, RESET], cancel)
            .on(CANCEL, "click")
            .within("lmdeploy")
            .at_once(kept::cancel_running)
            .streaming(),
        Function::new("reset_restful_func", &[INSTRUCTION, HISTORY, SESSION], &[HISTORY, CHATBOT, INSTRUCTION], reset)
            .on(RESET, "click")
            .taking(&["instruction"])
            .within("lmdeploy")
            .at_once(kept::cancel_running),
        INIT,
    ],
};

/// What release 0.2.0 on Gradio 3 has behind those: the cancellation of the first function, and the start.
pub(crate) static OLD_PART: Part = Part {
    components: &[],
    functions: &[
        Function::new("", &[], &[], end_running).within("lmdeploy").at_once(kept::cancel_running).unnamed(),
        INIT.unnamed(),
    ],
};

const INIT: Function = Function::new("init", &[], &[SESSION], init);

fn chat(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let instruction = turn.text(0)?.to_owned();
    let options = Options {
        top_p: Some(turn.number(1)? as f32),
        temperature: Some(turn.number(2)? as f32),
        tokens_max: Some((turn.number(3)? as u32).max(1)),
        ..Options::default()
    };
    let model = model_choice::usual()?;
    let mut history: Kept<History> = Kept::open(turn.call)?;
    let (waiting, running) = ([button(false), button(true)], [button(true), button(false)]);
    let values = |shown: Value, [cancel, reset]: [Value; 2]| vec![shown, cancel, reset];
    turn.tell(values(history.value.shown_with(&instruction, None), waiting.clone()))?;
    let tag = turn.call.event.clone().unwrap_or_else(ids::event);
    kept::note_running(turn.call, &tag)?;
    let messages = history.value.messages(&instruction);
    let mut answer =
        Growing::begin(turn, &model.name, messages, Options { tag: Some(tag), ..options }, history.value.bytes())?;
    while answer.grow()? {
        turn.tell(values(history.value.shown_with(&instruction, Some(&answer.text)), running.clone()))?;
    }
    history.value.push(&instruction, &answer.text);
    history.save()?;
    Ok(values(history.value.shown(), waiting))
}

fn clear_box(_: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    Ok(vec![json!("")])
}

/// What runs has been ended when the call was made.
fn cancel(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    turn.tell(vec![button(false), button(false)])?;
    Ok(vec![button(false), button(true)])
}

fn reset(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let mut history: Kept<History> = Kept::open(turn.call)?;
    history.value = History::default();
    history.save()?;
    let instruction = turn.text(0)?.to_owned();
    Ok(vec![history.value.shown(), json!(instruction)])
}

/// The session is the client's own hash, so there is no number to choose.
fn init(_: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    Ok(Vec::new())
}

fn end_running(_: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    Ok(Vec::new())
}

fn button(is_interactive: bool) -> Value {
    json!({ "interactive": is_interactive, "__type__": "update" })
}
