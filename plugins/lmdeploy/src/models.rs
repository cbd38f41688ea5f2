//! `GET /v1/models`: the model cards, permissions included, which nobody reads and some clients miss.

use mimus_sdk::models::{self, Model};
use mimus_sdk::{Request, Response};
use serde::Serialize;

use crate::model_choice;
use crate::refusal::Refusal;

/// All models.
pub fn list(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    let models = models::list();
    let data = models.iter().map(Card::new).collect();
    Ok(response.json(200, &List { object: "list", data })?)
}

/// One model, as OpenAI's client retrieves it.
pub fn one(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let model = model_choice::named(request.param("id"))?;
    Ok(response.json(200, &Card::new(&model))?)
}

#[derive(Serialize)]
struct List<'a> {
    object: &'static str,
    data: Vec<Card<'a>>,
}

#[derive(Serialize)]
struct Card<'a> {
    id: &'a str,
    object: &'static str,
    created: u64,
    owned_by: &'static str,
    root: &'a str,
    parent: Option<&'a str>,
    permission: [Permission; 1],
}

#[derive(Serialize)]
struct Permission {
    id: String,
    object: &'static str,
    created: u64,
    allow_create_engine: bool,
    allow_sampling: bool,
    allow_logprobs: bool,
    allow_search_indices: bool,
    allow_view: bool,
    allow_fine_tuning: bool,
    organization: &'static str,
    group: Option<&'static str>,
    is_blocking: bool,
}

impl<'a> Card<'a> {
    fn new(model: &'a Model) -> Self {
        let permission = Permission {
            id: format!("modelperm-{}", mimus_sdk::random::id(22)),
            object: "model_permission",
            created: model.created_s,
            allow_create_engine: false,
            allow_sampling: true,
            allow_logprobs: true,
            allow_search_indices: true,
            allow_view: true,
            allow_fine_tuning: false,
            organization: "*",
            group: None,
            is_blocking: false,
        };
        Card {
            id: &model.name,
            object: "model",
            created: model.created_s,
            owned_by: "lmdeploy",
            root: &model.name,
            parent: None,
            permission: [permission],
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::scripted::{ScriptedHost, model};

    #[test]
    fn models_are_listed_with_their_cards() {
        let host = ScriptedHost::new().model(model("folder/second"));
        let answer = host.call(&Lmdeploy, "GET", "/v1/models", &[], b"");
        assert_eq!(answer.status, 200);
        let body = answer.json();
        assert_eq!(body["object"], "list");
        let card = &body["data"][1];
        assert_eq!((&card["id"], &card["root"]), (&"scripted".into(), &"scripted".into()));
        assert_eq!((&card["object"], &card["owned_by"]), (&"model".into(), &"lmdeploy".into()));
        assert_eq!(card["permission"][0]["object"], "model_permission");
        assert!(!answer.text().contains('\n'), "its clients read one line");
    }

    #[test]
    fn one_model_is_retrieved() {
        let host = ScriptedHost::new().model(model("folder/second"));
        for (path, status) in [
            ("/v1/models/scripted", 200),
            ("/v1/models/folder/second", 200),
            ("/v1/models/folder%2Fsecond", 200),
            ("/v1/models/none", 404),
        ] {
            assert_eq!(host.call(&Lmdeploy, "GET", path, &[], b"").status, status, "{path}");
        }
    }
}
