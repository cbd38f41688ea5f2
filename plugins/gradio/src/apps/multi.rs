//! FastChat's page of tabs, release v0.2.36 with the arena first: 56 functions, by index and by name as its own.

use super::fastchat::{TEMPERATURE_SLIDER, TOKENS_SLIDER, TOP_P_SLIDER, sides, single};
use crate::app::{Component, Function, Kind, Part};

const TABS: u32 = 1;
const URL: u32 = 2;
const EXAMPLES: u32 = 3;

// Models that see are asked more coolly.
const VISION_TEMPERATURE_SLIDER: Kind = Kind::Slider { min: 0.0, max: 1.0, step: 0.1, value: 0.2 };
const VISION_TOP_P_SLIDER: Kind = Kind::Slider { min: 0.0, max: 1.0, step: 0.1, value: 0.7 };

// Inputs and outputs of the battle. Its models' names are hidden texts.
const BATTLE_CHOSEN: &[u32] = &[10, 11, 14, 15];
const BATTLE_SAID: &[u32] = &[10, 11, 14, 15, 23];
const BATTLE_SAMPLING: &[u32] = &[10, 11, 26, 27, 28];
const BATTLE_VOTED: &[u32] = &[14, 15, 23, 17, 18, 19, 20];
const BATTLE_CHANGED: &[u32] = &[10, 11, 12, 13, 23, 17, 18, 19, 20, 21, 22];
const BATTLE_ADDED: &[u32] = &[10, 11, 12, 13, 23, 17, 18, 19, 20, 21, 22, 16];
const BATTLE_CLEARED: &[u32] = &[10, 11, 12, 13, 14, 15, 23, 17, 18, 19, 20, 21, 22, 16];
const BATTLE_ANSWERED: &[u32] = &[10, 11, 12, 13, 17, 18, 19, 20, 21, 22];
const BATTLE_BUTTONS: &[u32] = &[17, 18, 19, 20, 21, 22];

// Of the side-by-side tab.
const SIDE_CHOSEN: &[u32] = &[40, 41, 44, 45];
const SIDE_SAID: &[u32] = &[40, 41, 44, 45, 53];
const SIDE_SAMPLING: &[u32] = &[40, 41, 56, 57, 58];
const SIDE_VOTED: &[u32] = &[53, 47, 48, 49, 50];
const SIDE_CHANGED: &[u32] = &[40, 41, 42, 43, 53, 47, 48, 49, 50, 51, 52];
const SIDE_ANSWERED: &[u32] = &[40, 41, 42, 43, 47, 48, 49, 50, 51, 52];
const SIDE_BUTTONS: &[u32] = &[47, 48, 49, 50, 51, 52];

// Of the tab for one model. Its picture is a state that nobody sees.
const SINGLE_CHOSEN: &[u32] = &[70, 71];
const SINGLE_SAID: &[u32] = &[70, 71, 73, 83];
const SINGLE_SAMPLING: &[u32] = &[70, 80, 81, 82];
const SINGLE_VOTED: &[u32] = &[73, 75, 76, 77];
const SINGLE_CHANGED: &[u32] = &[70, 72, 73, 83, 75, 76, 77, 78, 79];
const SINGLE_ANSWERED: &[u32] = &[70, 72, 75, 76, 77, 78, 79];

// Of the tab for pictures.
const VISION_CHOSEN: &[u32] = &[100, 101];
const VISION_SAID: &[u32] = &[100, 101, 103, 113];
const VISION_SAMPLING: &[u32] = &[100, 110, 111, 112];
const VISION_VOTED: &[u32] = &[103, 105, 106, 107];
const VISION_CHANGED: &[u32] = &[100, 102, 103, 113, 105, 106, 107, 108, 109];
const VISION_ANSWERED: &[u32] = &[100, 102, 105, 106, 107, 108, 109];

/// The page.
pub(crate) static PART: Part = Part { components: COMPONENTS, functions: FUNCTIONS };

const COMPONENTS: &[Component] = &[
    Component::new(TABS, Kind::Tabs),
    Component::new(URL, Kind::Json),
    Component::new(10, Kind::State),
    Component::new(11, Kind::State),
    Component::labelled(12, Kind::Chatbot, "Model A"),
    Component::labelled(13, Kind::Chatbot, "Model B"),
    Component::new(14, Kind::Markdown),
    Component::new(15, Kind::Markdown),
    Component::new(16, Kind::Markdown),
    Component::new(17, Kind::Button("A is better")),
    Component::new(18, Kind::Button("B is better")),
    Component::new(19, Kind::Button("Tie")),
    Component::new(20, Kind::Button("Both are bad")),
    Component::new(21, Kind::Button("Regenerate")),
    Component::new(22, Kind::Button("New Round")),
    Component::new(23, Kind::Textbox),
    Component::new(24, Kind::Button("Send")),
    Component::new(25, Kind::Button("Share")),
    Component::labelled(26, TEMPERATURE_SLIDER, "Temperature"),
    Component::labelled(27, TOP_P_SLIDER, "Top P"),
    Component::labelled(28, TOKENS_SLIDER, "Max output tokens"),
    Component::new(40, Kind::State),
    Component::new(41, Kind::State),
    Component::labelled(42, Kind::Chatbot, "Model A"),
    Component::labelled(43, Kind::Chatbot, "Model B"),
    Component::new(44, Kind::Dropdown),
    Component::new(45, Kind::Dropdown),
    Component::new(47, Kind::Button("A is better")),
    Component::new(48, Kind::Button("B is better")),
    Component::new(49, Kind::Button("Tie")),
    Component::new(50, Kind::Button("Both are bad")),
    Component::new(51, Kind::Button("Regenerate")),
    Component::new(52, Kind::Button("Clear history")),
    Component::new(53, Kind::Textbox),
    Component::new(54, Kind::Button("Send")),
    Component::new(55, Kind::Button("Share")),
    Component::labelled(56, TEMPERATURE_SLIDER, "Temperature"),
    Component::labelled(57, TOP_P_SLIDER, "Top P"),
    Component::labelled(58, TOKENS_SLIDER, "Max output tokens"),
    Component::new(70, Kind::State),
    Component::new(71, Kind::Dropdown),
    Component::labelled(72, Kind::Chatbot, "Scroll down and start chatting"),
    Component::new(73, Kind::Textbox),
    Component::new(74, Kind::Button("Send")),
    Component::new(75, Kind::Button("Upvote")),
    Component::new(76, Kind::Button("Downvote")),
    Component::new(77, Kind::Button("Flag")),
    Component::new(78, Kind::Button("Regenerate")),
    Component::new(79, Kind::Button("Clear")),
    Component::labelled(80, TEMPERATURE_SLIDER, "Temperature"),
    Component::labelled(81, TOP_P_SLIDER, "Top P"),
    Component::labelled(82, TOKENS_SLIDER, "Max output tokens"),
    Component::new(83, Kind::State),
    Component::new(100, Kind::State),
    Component::new(101, Kind::Dropdown),
    Component::labelled(102, Kind::Chatbot, "Scroll down and start chatting"),
    Component::new(103, Kind::Textbox),
    Component::new(104, Kind::Button("Send")),
    Component::new(105, Kind::Button("Upvote")),
    Component::new(106, Kind::Button("Downvote")),
    Component::new(107, Kind::Button("Flag")),
    Component::new(108, Kind::Button("Regenerate")),
    Component::new(109, Kind::Button("Clear")),
    Component::labelled(110, VISION_TEMPERATURE_SLIDER, "Temperature"),
    Component::labelled(111, VISION_TOP_P_SLIDER, "Top P"),
    Component::labelled(112, TOKENS_SLIDER, "Max output tokens"),
    Component::new(113, Kind::Image),
    Component::new(EXAMPLES, Kind::Dataset),
];

const FUNCTIONS: &[Function] = &[
    Function::new("leftvote_last_response", BATTLE_CHOSEN, BATTLE_VOTED, sides::vote_and_reveal)
        .on(17, "click")
        .within("battle"),
    Function::new("rightvote_last_response", BATTLE_CHOSEN, BATTLE_VOTED, sides::vote_and_reveal)
        .on(18, "click")
        .within("battle"),
    Function::new("tievote_last_response", BATTLE_CHOSEN, BATTLE_VOTED, sides::vote_and_reveal)
        .on(19, "click")
        .within("battle"),
    Function::new("bothbad_vote_last_response", BATTLE_CHOSEN, BATTLE_VOTED, sides::vote_and_reveal)
        .on(20, "click")
        .within("battle"),
    Function::new("regenerate", &[10, 11], BATTLE_CHANGED, sides::regenerate).on(21, "click").within("battle"),
    Function::new("bot_response_multi", BATTLE_SAMPLING, BATTLE_ANSWERED, sides::respond).within("battle").streaming(),
    Function::new("flash_buttons", &[], BATTLE_BUTTONS, sides::flash).within("battle").streaming(),
    Function::new("clear_history", &[], BATTLE_CLEARED, sides::clear_battle).on(22, "click").within("battle"),
    Function::new("share_click", BATTLE_CHOSEN, &[], sides::share).on(25, "click").within("battle"),
    Function::new("add_text", BATTLE_SAID, BATTLE_ADDED, sides::add_text_to_battle).on(23, "submit").within("battle"),
    Function::new("bot_response_multi_1", BATTLE_SAMPLING, BATTLE_ANSWERED, sides::respond)
        .within("battle")
        .streaming(),
    Function::new("flash_buttons_1", &[], BATTLE_BUTTONS, sides::flash).within("battle").streaming(),
    Function::new("add_text_1", BATTLE_SAID, BATTLE_CHANGED, sides::add_text_to_battle)
        .on(24, "click")
        .within("battle"),
    Function::new("bot_response_multi_2", BATTLE_SAMPLING, BATTLE_ANSWERED, sides::respond)
        .within("battle")
        .streaming(),
    Function::new("flash_buttons_2", &[], BATTLE_BUTTONS, sides::flash).within("battle").streaming(),
    Function::new("leftvote_last_response_1", SIDE_CHOSEN, SIDE_VOTED, sides::vote).on(47, "click").within("side"),
    Function::new("rightvote_last_response_1", SIDE_CHOSEN, SIDE_VOTED, sides::vote).on(48, "click").within("side"),
    Function::new("tievote_last_response_1", SIDE_CHOSEN, SIDE_VOTED, sides::vote).on(49, "click").within("side"),
    Function::new("bothbad_vote_last_response_1", SIDE_CHOSEN, SIDE_VOTED, sides::vote).on(50, "click").within("side"),
    Function::new("regenerate_1", &[40, 41], SIDE_CHANGED, sides::regenerate).on(51, "click").within("side"),
    Function::new("bot_response_multi_3", SIDE_SAMPLING, SIDE_ANSWERED, sides::respond).within("side").streaming(),
    Function::new("flash_buttons_3", &[], SIDE_BUTTONS, sides::flash).within("side").streaming(),
    Function::new("clear_history_1", &[], SIDE_CHANGED, sides::clear).on(52, "click").within("side"),
    Function::new("share_click_1", SIDE_CHOSEN, &[], sides::share).on(55, "click").within("side"),
    Function::new("clear_history_2", &[], SIDE_CHANGED, sides::clear).on(44, "change").within("side"),
    Function::new("clear_history_3", &[], SIDE_CHANGED, sides::clear).on(45, "change").within("side"),
    Function::new("add_text_2", SIDE_SAID, SIDE_CHANGED, sides::add_text).on(53, "submit").within("side"),
    Function::new("bot_response_multi_4", SIDE_SAMPLING, SIDE_ANSWERED, sides::respond).within("side").streaming(),
    Function::new("flash_buttons_4", &[], SIDE_BUTTONS, sides::flash).within("side").streaming(),
    Function::new("add_text_3", SIDE_SAID, SIDE_CHANGED, sides::add_text).on(54, "click").within("side"),
    Function::new("bot_response_multi_5", SIDE_SAMPLING, SIDE_ANSWERED, sides::respond).within("side").streaming(),
    Function::new("flash_buttons_5", &[], SIDE_BUTTONS, sides::flash).within("side").streaming(),
    Function::new("upvote_last_response", SINGLE_CHOSEN, SINGLE_VOTED, single::vote).on(75, "click").within("single"),
    Function::new("downvote_last_response", SINGLE_CHOSEN, SINGLE_VOTED, single::vote).on(76, "click").within("single"),
    Function::new("flag_last_response", SINGLE_CHOSEN, SINGLE_VOTED, single::vote).on(77, "click").within("single"),
    Function::new("regenerate_2", &[70], SINGLE_CHANGED, single::regenerate).on(78, "click").within("single"),
    Function::new("bot_response", SINGLE_SAMPLING, SINGLE_ANSWERED, single::respond).within("single").streaming(),
    Function::new("clear_history_4", &[], SINGLE_CHANGED, single::clear).on(79, "click").within("single"),
    Function::new("clear_history_5", &[], SINGLE_CHANGED, single::clear).on(71, "change").within("single"),
    Function::new("add_text_4", SINGLE_SAID, SINGLE_CHANGED, single::add_text).on(73, "submit").within("single"),
    Function::new("bot_response_1", SINGLE_SAMPLING, SINGLE_ANSWERED, single::respond).within("single").streaming(),
    Function::new("add_text_5", SINGLE_SAID, SINGLE_CHANGED, single::add_text).on(74, "click").within("single"),
    Function::new("bot_response_2", SINGLE_SAMPLING, SINGLE_ANSWERED, single::respond).within("single").streaming(),
    Function::new("load_example", &[EXAMPLES], &[113, 103], single::load_example).within("vision"),
    Function::new("upvote_last_response_1", VISION_CHOSEN, VISION_VOTED, single::vote)
        .on(105, "click")
        .within("vision"),
    Function::new("downvote_last_response_1", VISION_CHOSEN, VISION_VOTED, single::vote)
        .on(106, "click")
        .within("vision"),
    Function::new("flag_last_response_1", VISION_CHOSEN, VISION_VOTED, single::vote).on(107, "click").within("vision"),
    Function::new("regenerate_3", &[100], VISION_CHANGED, single::regenerate).on(108, "click").within("vision"),
    Function::new("bot_response_3", VISION_SAMPLING, VISION_ANSWERED, single::respond).within("vision").streaming(),
    Function::new("clear_history_6", &[], VISION_CHANGED, single::clear).on(109, "click").within("vision"),
    Function::new("clear_history_7", &[], VISION_CHANGED, single::clear).on(101, "change").within("vision"),
    Function::new("add_text_6", VISION_SAID, VISION_CHANGED, single::add_text_and_image)
        .on(103, "submit")
        .within("vision"),
    Function::new("bot_response_4", VISION_SAMPLING, VISION_ANSWERED, single::respond).within("vision").streaming(),
    Function::new("add_text_7", VISION_SAID, VISION_CHANGED, single::add_text_and_image)
        .on(104, "click")
        .within("vision"),
    Function::new("bot_response_5", VISION_SAMPLING, VISION_ANSWERED, single::respond).within("vision").streaming(),
    Function::new("load_demo", &[URL], &[TABS, 70, 71, 10, 11, 14, 15, 40, 41, 44, 45, 100, 101], sides::load)
        .within("single"),
];
