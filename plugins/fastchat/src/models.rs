//! `GET /v1/models`.

use mimus_sdk::{Request, Response};
use serde::Serialize;

use crate::refusal::Refusal;
use crate::{ids, names};

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

/// What FastChat says of every model, whoever asks.
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

fn permission(created: u64) -> Permission {
    Permission {
        id: ids::new("modelperm-"),
        object: "model_permission",
        created,
        allow_create_engine: false,
        allow_sampling: true,
        allow_logprobs: true,
        allow_search_indices: true,
        allow_view: true,
        allow_fine_tuning: false,
        organization: "*",
        group: None,
        is_blocking: false,
    }
}

pub(crate) fn list(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    let names = names::all();
    let data = names.iter().map(|(name, created)| Card {
        id: name,
        object: "model",
        created: *created,
        owned_by: "fastchat",
        root: name,
        parent: None,
        permission: [permission(*created)],
    });
    Ok(response.json(200, &List { object: "list", data: data.collect() })?)
}
