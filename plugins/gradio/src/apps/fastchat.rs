//! FastChat's page for one model: twelve functions, ids as FastChat v0.2.33 has them on Gradio 3.50.2, names as v0.2.36 on Gradio 4.

pub(super) mod buttons;
pub(super) mod dialogue;
pub(super) mod sides;
pub(super) mod single;

use crate::app::{Component, Function, Kind, Part};

const STATE: u32 = 2;
const MODEL: u32 = 5;
const CHATBOT: u32 = 6;
const TEXT: u32 = 9;
const SEND: u32 = 11;
const TEMPERATURE: u32 = 19;
const TOP_P: u32 = 20;
const TOKENS: u32 = 21;
const URL: u32 = 23;

/// What a vote gives: the empty text, and its three buttons.
const VOTED: &[u32] = &[TEXT, 13, 14, 15];
/// What changes the conversation gives.
const CHANGED: &[u32] = &[STATE, CHATBOT, TEXT, 13, 14, 15, 16, 17];
/// What an answer gives.
const ANSWERED: &[u32] = &[STATE, CHATBOT, 13, 14, 15, 16, 17];
const SAMPLING: &[u32] = &[STATE, TEMPERATURE, TOP_P, TOKENS];
const SAID: &[u32] = &[STATE, MODEL, TEXT];

/// The sliders of all of FastChat's tabs.
pub(super) const TEMPERATURE_SLIDER: Kind = Kind::Slider { min: 0.0, max: 1.0, step: 0.1, value: 0.7 };
pub(super) const TOP_P_SLIDER: Kind = Kind::Slider { min: 0.0, max: 1.0, step: 0.1, value: 1.0 };
pub(super) const TOKENS_SLIDER: Kind = Kind::Slider { min: 16.0, max: 1024.0, step: 64.0, value: 512.0 };

/// The page.
pub(crate) static PART: Part = Part {
    components: &[
        Component::new(STATE, Kind::State),
        Component::new(MODEL, Kind::Dropdown),
        Component::labelled(CHATBOT, Kind::Chatbot, "Scroll down and start chatting"),
        Component::new(TEXT, Kind::Textbox),
        Component::new(SEND, Kind::Button("Send")),
        Component::new(13, Kind::Button("Upvote")),
        Component::new(14, Kind::Button("Downvote")),
        Component::new(15, Kind::Button("Flag")),
        Component::new(16, Kind::Button("Regenerate")),
        Component::new(17, Kind::Button("Clear history")),
        Component::labelled(TEMPERATURE, TEMPERATURE_SLIDER, "Temperature"),
        Component::labelled(TOP_P, TOP_P_SLIDER, "Top P"),
        Component::labelled(TOKENS, TOKENS_SLIDER, "Max output tokens"),
        Component::new(URL, Kind::Json),
    ],
    functions: &[
        Function::new("upvote_last_response", &[STATE, MODEL], VOTED, single::vote).on(13, "click"),
        Function::new("downvote_last_response", &[STATE, MODEL], VOTED, single::vote).on(14, "click"),
        Function::new("flag_last_response", &[STATE, MODEL], VOTED, single::vote).on(15, "click"),
        Function::new("regenerate", &[STATE], CHANGED, single::regenerate).on(16, "click"),
        Function::new("bot_response", SAMPLING, ANSWERED, single::respond).streaming(),
        Function::new("clear_history", &[], CHANGED, single::clear).on(17, "click"),
        Function::new("clear_history_1", &[], CHANGED, single::clear).on(MODEL, "change"),
        Function::new("add_text", SAID, CHANGED, single::add_text).on(TEXT, "submit"),
        Function::new("bot_response_1", SAMPLING, ANSWERED, single::respond).streaming(),
        Function::new("add_text_1", SAID, CHANGED, single::add_text).on(SEND, "click"),
        Function::new("bot_response_2", SAMPLING, ANSWERED, single::respond).streaming(),
        Function::new("load_demo", &[URL], &[STATE, MODEL], single::load),
    ],
};
