//! What the functions of the apps do.

use mimus_sdk::chat::Role;
use mimus_sdk::scripted::{self, Input, ScriptedHost};
use serde_json::{Value, json};

use super::{error, generated, host, join, predict, stream};

fn conversation(host: &ScriptedHost, place: usize) -> Vec<(Role, String)> {
    let Input::Answer(messages, ..) = &host.asked()[place].input else { panic!("a conversation") };
    let said = |message: &mimus_sdk::chat::Message| (message.role, message.plain_text().expect("text").into_owned());
    messages.iter().map(said).collect()
}

fn disabled() -> Value {
    json!({ "mode": "static", "__type__": "update" })
}

fn enabled() -> Value {
    json!({ "mode": "dynamic", "__type__": "update" })
}

#[test]
fn the_chat_remembers_by_session() {
    let host = host();
    predict(&host, "/chat", "a", 0, json!(["first"]));
    predict(&host, "/chat", "b", 0, json!(["other"]));
    predict(&host, "/chat", "a", 0, json!(["second"]));
    let expect = [(Role::User, "first"), (Role::Assistant, "one two three"), (Role::User, "second")];
    assert_eq!(conversation(&host, 2), expect.map(|(role, text)| (role, text.to_owned())));
    assert_eq!(conversation(&host, 1).len(), 1);
    // The same hash at another app is another session.
    predict(&host, "", "a", 12, json!(["third"]));
    assert_eq!(conversation(&host, 3).len(), 1);
    host.advance(std::time::Duration::from_secs(3601));
    predict(&host, "/chat", "a", 0, json!(["later"]));
    assert_eq!(conversation(&host, 4).len(), 1, "an hour later all is forgotten");
}

#[test]
fn what_a_model_thinks_is_not_told() {
    let host = host().reasoning("let me think");
    assert_eq!(predict(&host, "/chat", "a", 0, json!(["hi"])), json!(["one two three", null]));
}

#[test]
fn the_oldest_is_forgotten_where_the_context_is_short() {
    let short = mimus_sdk::models::Model { context_tokens: 16, ..scripted::model("scripted") };
    let host = ScriptedHost::new().answer("one two three").model(short);
    for message in ["a b", "c d", "e f", "g h"] {
        let values = predict(&host, "/chat", "a", 0, json!([message]));
        assert!(values[0].as_str().is_some_and(|text| text.starts_with("one")), "{values}");
    }
}

#[test]
fn fastchat_takes_a_message_and_then_answers_it() {
    let host = host();
    let values = predict(&host, "", "s", 7, json!([null, "scripted", "hi"]));
    let (off, on) = (disabled(), enabled());
    assert_eq!(values, json!([null, [["hi", null]], "", off, off, off, off, off]));

    join(&host, "", "s", 8, json!([null, 0.7, 1.0, 64]));
    let told = generated(&stream(&host, "", "s"));
    let bots: Vec<&str> = told.iter().map(|values| values[1][0][1].as_str().expect("text")).collect();
    assert_eq!(bots, ["▌", "one▌", "one two▌", "one two three▌", "one two three"]);
    assert_eq!(told[4], json!([null, [["hi", "one two three"]], on, on, on, on, on]));
    assert_eq!(told[0][2], off);
    let options = &host.asked()[0].options;
    assert_eq!((options.temperature, options.top_p, options.tokens_max), (Some(0.7), Some(1.0), Some(64)));

    predict(&host, "", "s", 9, json!(["ignored once it has begun", "more"]));
    predict(&host, "", "s", 10, json!([0, 0, 64]));
    assert_eq!(conversation(&host, 1).len(), 3);
    assert_eq!((host.asked()[1].options.temperature, host.asked()[1].options.top_p), (Some(0.0), None));

    let values = predict(&host, "", "s", 3, json!([null]));
    assert_eq!(values[1][1], json!(["more", null]), "regenerated: the answer is taken back");
    predict(&host, "", "s", 4, json!([0.7, 1.0, 64]));
    assert_eq!(conversation(&host, 2), conversation(&host, 1));

    assert_eq!(predict(&host, "", "s", 5, json!([])), json!([null, [], "", off, off, off, off, off]));
    let values = predict(&host, "", "s", 4, json!([0.7, 1.0, 64]));
    assert_eq!(values[1], json!([]), "there is nothing to answer");
    assert_eq!(host.asked().len(), 3);
}

/// The first call that users of FastChat's page make, with two models in one text.
#[test]
fn a_vote_is_taken_for_any_model() {
    let off = disabled();
    for function in 0..3 {
        let values = predict(&host(), "", "s", function, json!([null, "vicuna-7b,vicuna-13b"]));
        assert_eq!(values, json!(["", off, off, off]));
    }
    assert!(error(&host(), "", "s", 0, json!([7])).contains("`parameter_5` must be text, got a number"));
}

#[test]
fn the_first_known_model_of_a_list_is_taken() {
    let host = host();
    predict(&host, "", "s", 7, json!(["nobody, second,scripted", "hi"]));
    predict(&host, "", "s", 8, json!([0.7, 1.0, 64]));
    assert_eq!(host.asked()[0].model, "second");
    assert!(
        error(&host, "", "t", 7, json!(["nobody,none", "hi"])).starts_with("the model `nobody,none` does not exist")
    );
}

#[test]
fn nothing_said_is_nothing_answered() {
    let host = host();
    let values = predict(&host, "", "s", 7, json!(["scripted", "  "]));
    assert_eq!((&values[1], &values[3]), (&json!([]), &json!({ "__type__": "update" })));
    join(&host, "", "s", 8, json!([0.7, 1.0, 64]));
    assert_eq!(generated(&stream(&host, "", "s")).len(), 1);
    assert!(host.asked().is_empty());
}

#[test]
fn a_conversation_has_a_last_turn() {
    let host = host();
    for number in 0..50 {
        predict(&host, "", "s", 7, json!(["scripted", number.to_string()]));
    }
    let values = predict(&host, "", "s", 7, json!(["scripted", "one more"]));
    assert_eq!(values[1].as_array().map(Vec::len), Some(50));
    assert!(values[2].as_str().expect("text").contains("LIMIT"));
}

/// Fifty turns of the longest messages would be more than a session may keep.
#[test]
fn a_conversation_has_a_largest_size() {
    let host = host();
    let long = "x".repeat(12_000);
    let turns = (0..50).take_while(|_| predict(&host, "", "s", 7, json!(["scripted", &long]))[2] == "").count();
    assert_eq!(turns, 22);
}

#[test]
fn numbers_out_of_bounds_are_told() {
    let host = host();
    predict(&host, "", "s", 7, json!(["scripted", "hi"]));
    assert!(error(&host, "", "s", 8, json!([5, 1.0, 64])).contains("temperature"));
    assert!(error(&host, "", "s", 8, json!(["hot", 1.0, 64])).contains("`temperature` must be a number, got text"));
    assert_eq!(predict(&host, "", "s", 8, json!([0.7, 1.0, 1e300]))[1][0][1], "one two three");
}

#[test]
fn a_battle_is_between_two_models_that_a_vote_names() {
    let host = host();
    predict(&host, "/multi", "s", 9, json!(["", "", "hi"]));
    join(&host, "/multi", "s", 10, json!([0.7, 1.0, 64]));
    let told = generated(&stream(&host, "/multi", "s"));
    assert_eq!((&told[0][2][0][1], &told[0][3][0][1]), (&json!("▌"), &json!("▌")));
    let last = told.last().expect("an end");
    assert_eq!((&last[2], &last[3]), (&json!([["hi", "one two three"]]), &json!([["hi", "one two three"]])));
    let mut models: Vec<String> = host.asked().iter().map(|asked| asked.model.clone()).collect();
    let names = predict(&host, "/multi", "s", 0, json!(["", ""]));
    assert_eq!(names[0], format!("### Model A: {}", models[0]));
    assert_eq!(names[1], format!("### Model B: {}", models[1]));
    models.sort();
    assert_eq!(models, ["scripted", "second"]);
    predict(&host, "/multi", "s", 7, json!([]));
    assert_eq!(predict(&host, "/multi", "s", 0, json!(["", ""]))[0], "");
    assert_eq!(host.running(), 0);
}

#[test]
fn one_model_battles_with_itself() {
    let host = ScriptedHost::new();
    predict(&host, "/multi", "s", 9, json!(["", "", "hi"]));
    predict(&host, "/multi", "s", 10, json!([0.7, 1.0, 64]));
    let models: Vec<String> = host.asked().iter().map(|asked| asked.model.clone()).collect();
    assert_eq!(models, ["scripted", "scripted"]);
}

#[test]
fn side_by_side_the_client_chooses() {
    let host = host();
    let values = predict(&host, "/multi", "s", 26, json!(["second", "scripted", "hi"]));
    assert_eq!(values.as_array().map(Vec::len), Some(11));
    predict(&host, "/multi", "s", 27, json!([0.7, 1.0, 64]));
    let models: Vec<String> = host.asked().iter().map(|asked| asked.model.clone()).collect();
    assert_eq!(models, ["second", "scripted"]);
    assert!(error(&host, "/multi", "t", 26, json!(["second", "nobody", "hi"])).contains("`nobody`"));
    join(&host, "/multi", "s", 28, json!([]));
    assert_eq!(generated(&stream(&host, "/multi", "s")).len(), 4);
}

#[test]
fn tabs_do_not_share_a_conversation() {
    let host = host();
    predict(&host, "/multi", "s", 39, json!(["scripted", "hi"]));
    assert_eq!(predict(&host, "/multi", "s", 36, json!([0.7, 1.0, 64]))[1], json!([["hi", "one two three"]]));
    assert_eq!(predict(&host, "/multi", "s", 5, json!([0.7, 1.0, 64]))[2], json!([]));
}

#[test]
fn pictures_are_for_models_that_see() {
    let host = host();
    assert_eq!(
        error(&host, "/multi", "s", 50 + 1, json!(["scripted", "hi", null])),
        "the model `scripted` sees no pictures"
    );
    let mut seeing = scripted::model("seeing");
    seeing.abilities.push("vision".into());
    let host = host.model(seeing);
    let picture = json!({ "path": format!("files/{}/a.png", "0".repeat(32)), "meta": { "_type": "gradio.FileData" } });
    assert_eq!(predict(&host, "/multi", "s", 51, json!(["seeing", "hi", picture]))[1], json!([["hi", null]]));
    assert!(error(&host, "/multi", "s", 51, json!(["seeing", "hi", { "path": "/etc/passwd" }])).contains("uploaded"));
}

#[test]
fn lmdeploy_chats_ends_and_begins_anew() {
    let host = host();
    let app = "/lmdeploy";
    predict(&host, app, "s", 4, json!([]));
    join(&host, app, "s", 0, json!(["hi", null, null, 0.8, 0.7, 32]));
    let told = generated(&stream(&host, app, "s"));
    assert_eq!(told[0], json!([null, [["hi", null]], button(false), button(true)]));
    assert_eq!(told[1], json!([null, [["hi", "one"]], button(true), button(false)]));
    assert_eq!(told.last(), Some(&json!([null, [["hi", "one two three"]], button(false), button(true)])));
    predict(&host, app, "s", 0, json!(["more", 0.8, 0.7, 32]));
    assert_eq!(conversation(&host, 1).len(), 3);
    assert_eq!(host.asked()[1].options.tokens_max, Some(32));
    assert_eq!(predict(&host, app, "s", 2, json!([])), json!([null, button(false), button(true)]));
    assert_eq!(predict(&host, app, "s", 1, json!([])), json!([""]));
    assert_eq!(predict(&host, app, "s", 3, json!(["x"])), json!([null, [], "x"]));
    predict(&host, app, "s", 0, json!(["anew", 0.8, 0.7, 32]));
    assert_eq!(conversation(&host, 2).len(), 1);
    assert_eq!(predict(&host, app, "s", 5, json!([])), json!([]));
    assert_eq!(predict(&host, app, "s", 6, json!([])), json!([null]));
}

fn button(is_interactive: bool) -> Value {
    json!({ "interactive": is_interactive, "__type__": "update" })
}
