use mimus_sdk::chat::{Part, Role};
use mimus_sdk::models::Model;
use mimus_sdk::scripted::{self, Input, ScriptedHost};
use serde_json::json;

use crate::tests::{FILE, detail, host, image, message, ok, post};

fn seeing() -> ScriptedHost {
    let abilities = vec!["chat".into(), "vision".into()];
    host().model(Model { abilities, ..scripted::model("vlm/1") }).answer("a red boat")
}

#[test]
fn a_model_that_sees_answers() {
    let host = seeing();
    let body =
        json!({ "model_id": "vlm/1", "image": image(FILE), "prompt": "what is it?", "max_new_tokens": 2, "id": "i" });
    for path in ["/infer/lmm", "/infer/lmm/vlm/1"] {
        let captured = post(&host, path, &body);
        let expect = r#"{"inference_id":"i","time":0.0,"image":{"width":320,"height":240},"response":"a red"}"#;
        assert_eq!(captured.text(), expect, "{path}");
    }
    let asked = host.asked();
    let Input::Chat(messages, _) = &asked[0].input else { panic!("{asked:?}") };
    assert!(matches!(messages[0].content.as_slice(), [Part::Image(_), Part::Text(text)] if text == "what is it?"));
    let list = json!({ "model_id": "vlm/1", "image": [image(FILE), image(FILE)] });
    assert_eq!(ok(&post(&host, "/infer/lmm", &list)).as_array().map(Vec::len), Some(2));
}

#[test]
fn the_first_clients_prompt_with_a_history() {
    let host = seeing();
    let body = json!({
        "model_id": "cogvlm",
        "cogvlm_version_id": "cogvlm-chat-hf",
        "prompt": "and now?",
        "image": image(FILE),
        "history": [["what?", "a boat"]],
    });
    let captured = post(&host, "/llm/cogvlm", &body);
    assert_eq!(captured.text(), r#"{"response":"a red boat","time":0.0}"#);
    let asked = host.asked();
    let Input::Chat(messages, _) = &asked[0].input else { panic!("{asked:?}") };
    let roles: Vec<Role> = messages.iter().map(|message| message.role).collect();
    assert_eq!(roles, [Role::User, Role::Assistant, Role::User]);
    // The picture belongs to the first question.
    assert_eq!(messages.iter().map(|message| message.content.len()).collect::<Vec<_>>(), [2, 1, 1]);
    assert_eq!(detail(&post(&host, "/llm/cogvlm", &json!({ "image": image(FILE) }))).0, json!(["body", "prompt"]));
}

#[test]
fn without_a_model_that_sees_there_is_advice() {
    let lmm = json!({ "model_id": "qwen/1", "image": image(FILE) });
    let text = message(&post(&host(), "/infer/lmm", &lmm), 404);
    assert!(text.starts_with("No vision-language model is loaded."), "{text}");
    let cogvlm = json!({ "prompt": "what?", "image": image(FILE), "model_id": "cogvlm" });
    assert_eq!(message(&post(&host(), "/llm/cogvlm", &cogvlm), 404), text);
    let blind = json!({ "model_id": "scripted", "image": image(FILE) });
    assert_eq!(message(&post(&host(), "/infer/lmm", &blind), 400), "Model scripted is no vision-language model.");
    assert_eq!(post(&seeing(), "/infer/lmm", &lmm).status, 404);
}
