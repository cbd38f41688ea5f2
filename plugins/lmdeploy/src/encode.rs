//! `POST /v1/encode`: texts to token ids.

use mimus_sdk::chat::{Message, RenderOptions, Role};
use mimus_sdk::inference;
use mimus_sdk::models::Model;
use mimus_sdk::{Request, Response};
use serde::{Deserialize, Serialize};

use crate::fields::TextOr;
use crate::refusal::Refusal;
use crate::{model_choice, prompt};

/// Texts in one request.
const TEXTS_MAX: usize = 2048;

#[derive(Deserialize)]
struct Body {
    input: TextOr<String, TEXTS_MAX>,
    do_preprocess: Option<bool>,
    add_bos: Option<bool>,
}

#[derive(Serialize)]
struct One {
    input_ids: Vec<u32>,
    length: usize,
}

#[derive(Serialize)]
struct Many {
    input_ids: Vec<Vec<u32>>,
    length: Vec<usize>,
}

/// One text gives one list, a list of texts gives a list of lists.
pub fn answer(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let body: Body = request.json()?;
    let model = model_choice::usual()?;
    let (is_chat, adds_bos) = (body.do_preprocess.unwrap_or(false), body.add_bos.unwrap_or(true));
    let ids = |text: &str| encode(&model, text, is_chat, adds_bos);
    match body.input {
        TextOr::Text(text) => {
            let input_ids = ids(&text)?;
            Ok(response.json(200, &One { length: input_ids.len(), input_ids })?)
        }
        TextOr::Many(texts) => {
            let input_ids = texts.iter().map(|text| ids(text)).collect::<Result<Vec<_>, _>>()?;
            Ok(response.json(200, &Many { length: input_ids.iter().map(Vec::len).collect(), input_ids })?)
        }
    }
}

/// Without the begin token the ids are additive; with it they are that token and then the same ids.
fn encode(model: &Model, text: &str, is_chat: bool, adds_bos: bool) -> Result<Vec<u32>, Refusal> {
    let mut ids = if is_chat {
        prompt::render(&model.name, &[Message::text(Role::User, text)], &RenderOptions::default())?.ids
    } else {
        inference::tokenize(&model.name, text, false)?
    };
    if let Some(bos) = model.bos_token.filter(|bos| adds_bos && ids.first() != Some(bos)) {
        ids.insert(0, bos);
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::scripted::{self, ScriptedHost};
    use serde_json::{Value, json};

    fn encode(body: &Value) -> Value {
        let answer = scripted::call(&Lmdeploy, "POST", "/v1/encode", &[], body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{body}: {}", answer.text());
        answer.json()
    }

    #[test]
    fn the_begin_token_comes_first_when_asked() {
        let bare = encode(&json!({"input": "one two", "add_bos": false}));
        let with = encode(&json!({"input": "one two"}));
        assert_eq!(bare["length"], 2);
        assert_eq!(with["length"], 3);
        assert_eq!(with["input_ids"].as_array().map(|ids| &ids[1..]), bare["input_ids"].as_array().map(Vec::as_slice));
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(encode(&json!({"input": "", "add_bos": false})), json!({"input_ids": [], "length": 0}));
        assert_eq!(encode(&json!({"input": []})), json!({"input_ids": [], "length": []}));
    }

    #[test]
    fn a_list_gives_lists() {
        let many = encode(&json!({"input": ["one two", "three"], "add_bos": false}));
        assert_eq!(many["length"], json!([2, 1]));
        assert_eq!(many["input_ids"][0].as_array().map(Vec::len), Some(2));
    }

    #[test]
    fn preprocessing_puts_the_text_into_the_template() {
        let host = ScriptedHost::new();
        let body = json!({"input": "one", "do_preprocess": true, "add_bos": false}).to_string();
        let answer = host.call(&Lmdeploy, "POST", "/v1/encode", &[], body.as_bytes()).json();
        assert!(answer["length"].as_u64() > Some(1), "{answer}");
    }

    #[test]
    fn wrong_bodies_are_refused() {
        for body in [
            "",
            "{}",
            r#"{"input":5}"#,
            r#"{"input":["a",5]}"#,
            r#"{"input":"a","add_bos":"yes"}"#,
            r#"{"input":null}"#,
        ] {
            let answer = scripted::call(&Lmdeploy, "POST", "/v1/encode", &[], body.as_bytes());
            assert_eq!((answer.status, &answer.json()["object"]), (400, &"error".into()), "{body}");
        }
    }
}
