//! `POST /clip/embed_image` and `/clip/embed_text`: pictures and texts as vectors of one space.

use mimus_sdk::media::Image;
use mimus_sdk::{Request, Response, body, clock, vision};
use serde::{Deserialize, Serialize};

use crate::choice::{Found, Kind};
use crate::fault::Fault;
use crate::fields::Text;
use crate::look::seconds_since;
use crate::pictures::{Loose, OneOrMany};
use crate::{keys, registry};

const KIND: Kind = Kind {
    prefix: "clip",
    defaults: &["ViT-B-16"],
    setting: "clip_model",
    ability: "embed-image",
    missing: "No model for pictures and texts is loaded. Put a CLIP model in the server's folder of models, as `clip/ViT-B-16`.",
};

/// The answer to a request for vectors. Fields without a value stay: clients look for them.
#[derive(Serialize)]
struct Vectors {
    inference_id: Option<String>,
    frame_id: Option<u32>,
    time: f64,
    embeddings: Vec<Vec<f32>>,
}

#[derive(Deserialize)]
struct ImageBody<'a> {
    #[serde(borrow)]
    image: OneOrMany<'a>,
    clip_version_id: Option<String>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

#[derive(Deserialize)]
struct TextBody<'a> {
    #[serde(borrow)]
    text: Texts<'a>,
    clip_version_id: Option<String>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Texts<'a> {
    #[serde(borrow)]
    One(Text<'a>),
    #[serde(borrow)]
    Many(Vec<Text<'a>>),
}

/// `POST /clip/embed_image`.
pub(crate) fn embed_image(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    let bytes = request.take_body();
    let (places, version) = {
        let body: ImageBody<'_> = body::json(&bytes)?;
        keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
        (body.image.places(&bytes)?, body.clip_version_id)
    };
    let found = find(version.as_deref())?;
    let embeddings = images(&found, &places.open(bytes)?)?;
    answer(response, &found, embeddings, started_us)
}

/// `POST /clip/embed_text`.
pub(crate) fn embed_text(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    let body: TextBody<'_> = request.json()?;
    keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
    let found = find(body.clip_version_id.as_deref())?;
    let asked: Vec<String> = match body.text {
        Texts::One(text) => vec![text.0.into_owned()],
        Texts::Many(list) => list.into_iter().map(|text| text.0.into_owned()).collect(),
    };
    let embeddings = texts(&found, &asked, "text")?;
    answer(response, &found, embeddings, started_us)
}

/// The model of a version.
pub(crate) fn find(version: Option<&str>) -> Result<Found, Fault> {
    KIND.find(version)
}

/// A vector for each picture.
pub(crate) fn images(found: &Found, images: &[Image]) -> Result<Vec<Vec<f32>>, Fault> {
    if images.is_empty() {
        return Ok(Vec::new());
    }
    if found.description.is_oriented {
        images.iter().for_each(Image::orient);
    }
    Ok(vision::embed_images(&found.name, images)?)
}

/// A vector for each text. `field` names them in the request.
pub(crate) fn texts(found: &Found, texts: &[String], field: &str) -> Result<Vec<Vec<f32>>, Fault> {
    if texts.is_empty() {
        return Ok(Vec::new());
    }
    if texts.len() > vision::TEXTS_MAX {
        let message = format!("a request takes at most {} texts, got {}", vision::TEXTS_MAX, texts.len());
        return Err(Fault::field(&["body", field], "too_long", &message));
    }
    Ok(vision::embed_texts(&found.name, texts)?)
}

fn answer(response: &mut Response, found: &Found, embeddings: Vec<Vec<f32>>, started_us: u64) -> Result<(), Fault> {
    registry::touch(found);
    let answer = Vectors { inference_id: None, frame_id: None, time: seconds_since(started_us), embeddings };
    Ok(response.json(200, &answer)?)
}

#[cfg(test)]
mod tests;
