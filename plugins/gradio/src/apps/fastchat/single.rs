//! What the functions of a tab with one model do.

use mimus_sdk::models::Model;
use serde_json::{Value, json};

use super::buttons::{disabled, enabled, unchanged, with};
use super::dialogue::{self, Added, Dialogue, LIMIT_REACHED};
use crate::answering::Growing;
use crate::app::Kind;
use crate::failure::Failure;
use crate::ids;
use crate::kept::Kept;
use crate::model_choice;
use crate::turn::Turn;

const BUTTONS: usize = 5;

/// Upvote, downvote, flag. Nobody reads votes here; they are taken from any model's name.
pub(crate) fn vote(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    turn.text(0)?;
    Ok(with(vec![json!("")], 3, disabled))
}

/// Makes room for another answer to the last message.
pub(crate) fn regenerate(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let mut dialogue: Kept<Dialogue> = Kept::open(turn.call)?;
    dialogue.value.reopen();
    dialogue.save()?;
    Ok(changed(turn, dialogue.value.shown(), "", disabled))
}

/// Forgets the conversation. Also when another model is chosen.
pub(crate) fn clear(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let mut dialogue: Kept<Dialogue> = Kept::open(turn.call)?;
    dialogue.value = Dialogue::default();
    dialogue.save()?;
    Ok(changed(turn, dialogue.value.shown(), "", disabled))
}

/// Takes a message in.
pub(crate) fn add_text(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    add(turn, None, model_choice::named)
}

/// Takes a message and a picture in, for a model that sees.
pub(crate) fn add_text_and_image(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let image = picture(turn.input(2))?;
    add(turn, image, |name| {
        let model = model_choice::named(name)?;
        match model.can("vision") {
            true => Ok(model),
            false => Err(Failure::told(format!("the model `{}` sees no pictures", model.name))),
        }
    })
}

/// Answers the last message.
pub(crate) fn respond(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let options = dialogue::options(turn, 0)?;
    let mut dialogue: Kept<Dialogue> = Kept::open(turn.call)?;
    let Some((model, messages)) = dialogue.value.asks() else {
        return Ok(with(vec![dialogue.value.shown()], BUTTONS, unchanged));
    };
    turn.tell(with(vec![dialogue.value.shown_growing("")], BUTTONS, disabled))?;
    let mut answer = Growing::begin(turn, &model, messages, options, dialogue.value.bytes())?;
    while answer.grow()? {
        turn.tell(with(vec![dialogue.value.shown_growing(answer.text.trim())], BUTTONS, disabled))?;
    }
    dialogue.value.answer(answer.text.trim());
    dialogue.save()?;
    Ok(with(vec![dialogue.value.shown()], BUTTONS, enabled))
}

/// One of the pictures that the original has beside its vision tab.
pub(crate) fn load_example(_: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    Err(Failure::told("there are no examples here"))
}

/// A page begins: nothing is said, and these are the models.
pub(crate) fn load(_: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    Ok(vec![models_shown(0)])
}

/// A dropdown of models with the one at that place chosen, or the first where there are not so many.
pub(crate) fn models_shown(chosen: usize) -> Value {
    let models = model_choice::offered();
    let choices: Vec<Value> = models.iter().map(|name| json!([name, name])).collect();
    let value = models.get(chosen).or(models.first());
    json!({ "choices": choices, "value": value, "visible": true, "__type__": "update" })
}

fn add(
    turn: &mut Turn<'_>,
    image: Option<String>,
    model: impl FnOnce(&str) -> Result<Model, Failure>,
) -> Result<Vec<Value>, Failure> {
    let (name, text) = (turn.text(0)?, turn.text(1)?);
    let mut dialogue: Kept<Dialogue> = Kept::open(turn.call)?;
    let added = dialogue.value.add(text, image, || model(name))?;
    dialogue.save()?;
    let (box_text, button): (&str, fn() -> Value) = match added {
        Added::Waiting => ("", disabled),
        Added::Empty => ("", unchanged),
        Added::LimitReached => (LIMIT_REACHED, unchanged),
    };
    Ok(changed(turn, dialogue.value.shown(), box_text, button))
}

/// Chatbot, text box, picture where the tab has one, buttons.
fn changed(turn: &Turn<'_>, shown: Value, text: &str, button: fn() -> Value) -> Vec<Value> {
    let mut values = vec![shown, json!(text)];
    if turn.call.app.given(turn.function).any(|component| component.kind == Kind::Image) {
        values.push(Value::Null);
    }
    with(values, BUTTONS, button)
}

/// The id of a picture that was uploaded; none where none is given.
fn picture(value: &Value) -> Result<Option<String>, Failure> {
    if value.is_null() {
        return Ok(None);
    }
    let path = value.get("path").or(value.get("name")).unwrap_or(value).as_str().unwrap_or_default();
    let id = path.strip_prefix("files/").and_then(|path| path.split('/').next()).filter(|id| ids::is_event(id));
    match id {
        Some(id) => Ok(Some(id.to_owned())),
        None => Err(Failure::told("a picture must be a file that was uploaded before")),
    }
}
