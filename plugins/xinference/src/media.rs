//! Images, sound, films, worlds and calls of flexible models.
//!
//! No engine of this server runs such models, so none is ever in the list: each call is read as far as it takes to say which model
//! it means, and why that one does not answer.

use mimus_sdk::{Request, Response};
use serde::Deserialize;

use crate::form;
use crate::refusal::Refusal;
use crate::running;

/// Images as JSON.
pub(crate) fn images(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_json(request, "image")
}

/// Images from images.
pub(crate) fn image_forms(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_form(request, "image", &["image"])
}

/// Images from images, in the words of OpenAI's clients.
pub(crate) fn image_edits(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_form(request, "image", &["image", "images", "image[]", "images[]"])
}

/// Text from sound.
pub(crate) fn audio_forms(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_form(request, "audio", &["file"])
}

/// Sound from text: JSON, or a form when a voice is given to copy.
pub(crate) fn speech(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_either(request, "audio")
}

/// Vectors of sound.
pub(crate) fn audio_embeddings(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_either(request, "audio")
}

/// Films: JSON, or a form with the first and the last image.
pub(crate) fn videos(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_either(request, "video")
}

/// Worlds.
pub(crate) fn worlds(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_json(request, "world")
}

/// Models of any sort.
pub(crate) fn flexible(request: &Request, _: &mut Response) -> Result<(), Refusal> {
    of_json(request, "flexible")
}

#[derive(Deserialize)]
struct Named {
    model: Option<String>,
}

fn of_json(request: &Request, kind: &str) -> Result<(), Refusal> {
    let body: Named = request.json()?;
    absent(&body.model.ok_or_else(|| Refusal::missing("model"))?, kind)
}

fn of_form(request: &Request, kind: &str, files: &[&str]) -> Result<(), Refusal> {
    let content_type = request.header("content-type").unwrap_or_default();
    let parts = form::parts(&content_type, request.body()).ok_or_else(|| Refusal::missing_part("model"))?;
    let uid = parts.iter().find(|part| part.name == "model").and_then(|part| part.text);
    let uid = uid.ok_or_else(|| Refusal::missing_part("model"))?;
    match files.first() {
        Some(first) if !parts.iter().any(|part| files.contains(&part.name)) => Err(Refusal::missing_part(first)),
        _ => absent(uid, kind),
    }
}

fn of_either(request: &Request, kind: &str) -> Result<(), Refusal> {
    match request.header("content-type").is_some_and(|value| value.starts_with("multipart/")) {
        true => of_form(request, kind, &[]),
        false => of_json(request, kind),
    }
}

/// Why a model does not answer. One of the right kind cannot be there; if it were, this server would have nothing to run it.
fn absent(uid: &str, kind: &str) -> Result<(), Refusal> {
    running::of_kind(uid, kind)?;
    Err(Refusal::new(501, format!("Model {uid} cannot be run: this server has no engine for its kind.")))
}
