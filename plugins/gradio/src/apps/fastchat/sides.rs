//! What the functions of a tab with two models do. In the battle the server chooses them, and a vote tells their names; side by side
//! the client chooses.

use std::time::Duration;

use mimus_sdk::{clock, models, random};
use serde_json::{Value, json};

use super::buttons::{disabled, enabled, invisible, unchanged, with};
use super::dialogue::{self, Added, Dialogue, LIMIT_REACHED};
use super::single::models_shown;
use crate::answering::Growing;
use crate::failure::Failure;
use crate::kept::Kept;
use crate::model_choice;
use crate::turn::Turn;

const BUTTONS: usize = 6;

/// Time between two looks of the buttons that call for a vote.
const FLASH: Duration = Duration::from_millis(300);

/// The two conversations of a tab.
type Sides = [Dialogue; 2];

/// A vote in the battle: tells who it was.
pub(crate) fn vote_and_reveal(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let sides: Kept<Sides> = Kept::open(turn.call)?;
    let name = |letter: &str, side: &Dialogue| {
        json!(side.model().map(|model| format!("### Model {letter}: {model}")).unwrap_or_default())
    };
    Ok(with(vec![name("A", &sides.value[0]), name("B", &sides.value[1]), json!("")], 4, disabled))
}

/// A vote side by side.
pub(crate) fn vote(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    turn.text(0)?;
    turn.text(1)?;
    Ok(with(vec![json!("")], 4, disabled))
}

pub(crate) fn regenerate(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let mut sides: Kept<Sides> = Kept::open(turn.call)?;
    sides.value.iter_mut().for_each(Dialogue::reopen);
    sides.save()?;
    Ok(with(changed(&sides.value, ""), BUTTONS, disabled))
}

/// A new round of the battle.
pub(crate) fn clear_battle(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    forget(turn)?;
    let values = vec![json!([]), json!([]), json!(""), json!(""), json!("")];
    let mut values = with(with(values, 4, invisible), 2, disabled);
    values.push(json!(""));
    Ok(values)
}

/// Both conversations begin anew.
pub(crate) fn clear(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    forget(turn)?;
    Ok(with(with(vec![json!([]), json!([]), json!("")], 4, invisible), 2, disabled))
}

/// A picture of the page, which only a page can make.
pub(crate) fn share(_: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    Ok(Vec::new())
}

/// A message for two models that the server chooses.
pub(crate) fn add_text_to_battle(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let text = turn.text(2)?.to_owned();
    let mut values = add(turn, &text, opponents()?)?;
    values.push(json!(""));
    Ok(values)
}

/// A message for two models that the client chooses.
pub(crate) fn add_text(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let text = turn.text(2)?.to_owned();
    let names = [turn.text(0)?.to_owned(), turn.text(1)?.to_owned()];
    add(turn, &text, names)
}

/// Both answers, as they come.
pub(crate) fn respond(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let options = dialogue::options(turn, 0)?;
    let mut sides: Kept<Sides> = Kept::open(turn.call)?;
    let [Some(left), Some(right)] = [sides.value[0].asks(), sides.value[1].asks()] else {
        return Ok(with(shown(&sides.value), BUTTONS, unchanged));
    };
    let beside_bytes = sides.value.iter().map(Dialogue::bytes).sum();
    let mut answers = Vec::with_capacity(2);
    for (model, messages) in [left, right] {
        answers.push(Growing::begin(turn, &model, messages, options.clone(), beside_bytes)?);
    }
    let growing = |sides: &Sides, answers: &[Growing]| {
        sides.iter().zip(answers).map(|(side, answer)| side.shown_growing(answer.text.trim())).collect()
    };
    turn.tell(with(growing(&sides.value, &answers), BUTTONS, disabled))?;
    loop {
        let mut is_growing = false;
        for answer in &mut answers {
            is_growing |= answer.grow()?;
        }
        if !is_growing {
            break;
        }
        turn.tell(with(growing(&sides.value, &answers), BUTTONS, disabled))?;
    }
    for (side, answer) in sides.value.iter_mut().zip(&answers) {
        side.answer(answer.text.trim());
    }
    sides.save()?;
    Ok(with(shown(&sides.value), BUTTONS, disabled))
}

/// Calls for a vote.
pub(crate) fn flash(turn: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    for look in 0..3 {
        turn.tell(match look % 2 {
            0 => with(with(Vec::new(), 4, disabled), 2, enabled),
            _ => with(Vec::new(), BUTTONS, enabled),
        })?;
        clock::sleep(FLASH);
    }
    Ok(with(Vec::new(), BUTTONS, enabled))
}

/// A page of tabs begins: tabs, the models of the single tab, the hidden names of the battle, the models of both sides, and those of
/// the tab for pictures.
pub(crate) fn load(_: &mut Turn<'_>) -> Result<Vec<Value>, Failure> {
    let hidden = || json!({ "visible": true, "__type__": "update" });
    let tabs = json!({ "selected": 0, "__type__": "update" });
    Ok(vec![tabs, models_shown(0), hidden(), hidden(), models_shown(0), models_shown(1), models_shown(0)])
}

/// Two models by chance, the same one twice where there is only one.
fn opponents() -> Result<[String; 2], Failure> {
    let mut names = model_choice::offered();
    names.retain(|name| models::get(name).is_some_and(|model| model.readiness == models::Readiness::Ready));
    if names.is_empty() {
        let name = model_choice::usual()?.name;
        return Ok([name.clone(), name]);
    }
    let chance = random::bytes(2);
    let mut pick = |chance: u8| {
        let place = usize::from(chance) % names.len();
        if names.len() > 1 { names.remove(place) } else { names[place].clone() }
    };
    Ok([pick(chance[0]), pick(chance[1])])
}

fn forget(turn: &Turn<'_>) -> Result<(), Failure> {
    let mut sides: Kept<Sides> = Kept::open(turn.call)?;
    sides.value = Sides::default();
    sides.save()
}

fn add(turn: &Turn<'_>, text: &str, names: [String; 2]) -> Result<Vec<Value>, Failure> {
    let mut sides: Kept<Sides> = Kept::open(turn.call)?;
    let mut added = Added::Waiting;
    for (side, name) in sides.value.iter_mut().zip(&names) {
        added = side.add(text, None, || model_choice::named(name))?;
    }
    sides.save()?;
    Ok(match added {
        Added::Waiting => with(changed(&sides.value, ""), BUTTONS, disabled),
        Added::Empty => with(changed(&sides.value, ""), BUTTONS, unchanged),
        Added::LimitReached => with(changed(&sides.value, LIMIT_REACHED), BUTTONS, unchanged),
    })
}

fn shown(sides: &Sides) -> Vec<Value> {
    sides.iter().map(Dialogue::shown).collect()
}

fn changed(sides: &Sides, text: &str) -> Vec<Value> {
    let mut values = shown(sides);
    values.push(json!(text));
    values
}
