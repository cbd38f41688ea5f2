//! Models of language that see pictures: `POST /infer/lmm`, and `/llm/cogvlm` of the first clients.

use std::time::Duration;

use mimus_sdk::chat::{Message, Part, RenderOptions, Role};
use mimus_sdk::inference::{self, Options};
use mimus_sdk::media::{Format, Image};
use mimus_sdk::models::Model;
use mimus_sdk::{Request, Response, blobs, body, clock};
use serde::{Deserialize, Serialize};

use crate::answer::Size;
use crate::choice::{self, Kind};
use crate::fault::{Fault, internal};
use crate::fields::Count;
use crate::ids::Ids;
use crate::look::seconds_since;
use crate::pictures::{Loose, OneOrMany};
use crate::{keys, registry};

/// What the list of models calls them.
pub(crate) const TASK_TYPE: &str = "lmm";

/// What such a model can do.
pub(crate) const ABILITY: &str = "vision";

/// How long a picture is kept for the model to fetch.
const KEPT: Duration = Duration::from_secs(600);

/// Quality of the file that the model gets.
const QUALITY: u8 = 95;

/// Tokens of an answer, unless the request says otherwise: as long as the original's.
const TOKENS_MAX: u32 = 2048;

/// Asked where a request asks nothing.
const PROMPT: &str = "Describe the image.";

const KIND: Kind = Kind {
    prefix: "cogvlm",
    defaults: &["cogvlm-chat-hf", "cogvlm"],
    setting: "lmm_model",
    ability: ABILITY,
    missing: "No vision-language model is loaded. Put one in the server's folder of models; until then `/infer/object_detection` \
              and `/doctr/ocr` say what and which text is in a picture.",
};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    image: OneOrMany<'a>,
    id: Option<String>,
    model_id: Option<String>,
    prompt: Option<String>,
    max_new_tokens: Option<Count>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

#[derive(Serialize)]
struct Answer {
    inference_id: String,
    time: f64,
    image: Size,
    response: String,
}

/// `POST /infer/lmm`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Fault> {
    answer(request, response, None)
}

/// `POST /infer/lmm/{model_id}`.
pub(crate) fn create_by_path(request: &Request, response: &mut Response) -> Result<(), Fault> {
    answer(request, response, Some(request.param("model_id")))
}

fn answer(request: &Request, response: &mut Response, from_path: Option<&str>) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    let bytes = request.take_body();
    let (places, id, model_id, prompt, tokens) = {
        let body: Body<'_> = body::json(&bytes)?;
        keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
        (body.image.places(&bytes)?, body.id, body.model_id, body.prompt, body.max_new_tokens)
    };
    let model = find(from_path.or(model_id.as_deref()))?;
    let prompt = prompt.unwrap_or_else(|| PROMPT.into());
    let tokens_max = tokens.map_or(TOKENS_MAX, Count::or_zero).max(1);
    let is_list = places.is_list;
    let mut ids = Ids::default();
    let mut answers = Vec::new();
    for image in places.open(bytes)? {
        let text = ask(&model, &image, Vec::new(), &prompt, tokens_max)?;
        answers.push(Answer {
            inference_id: id.clone().unwrap_or_else(|| ids.next()),
            time: seconds_since(started_us),
            image: Size { width: image.width(), height: image.height() },
            response: text,
        });
    }
    registry::touch_language(&model.name);
    match answers.pop() {
        Some(answer) if !is_list => Ok(response.json(200, &answer)?),
        last => {
            answers.extend(last);
            Ok(response.json(200, &answers)?)
        }
    }
}

/// A model that was named has to be there, and has to see.
fn find(id: Option<&str>) -> Result<Model, Fault> {
    let Some(id) = id.filter(|id| !id.is_empty()) else { return KIND.model(None) };
    let model = choice::model_of(id).ok_or_else(|| match KIND.model(None) {
        // Nothing else would answer either: say what is missing at all.
        Err(missing) => missing,
        Ok(_) => Fault::unknown_model(id),
    })?;
    match model.can(ABILITY) {
        true => Ok(model),
        false => Err(Fault::bad(format!("Model {id} is no vision-language model."))),
    }
}

#[derive(Deserialize)]
struct PromptBody<'a> {
    #[serde(borrow)]
    image: OneOrMany<'a>,
    prompt: String,
    /// Questions with their answers.
    history: Option<Vec<(String, String)>>,
    cogvlm_version_id: Option<String>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

#[derive(Serialize)]
struct PromptAnswer {
    response: String,
    time: f64,
}

/// `POST /llm/cogvlm`.
pub(crate) fn prompt(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    let bytes = request.take_body();
    let (places, version, prompt, history) = {
        let body: PromptBody<'_> = body::json(&bytes)?;
        keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
        (body.image.places(&bytes)?, body.cogvlm_version_id, body.prompt, body.history.unwrap_or_default())
    };
    let model = KIND.model(version.as_deref())?;
    let images = places.open(bytes)?;
    let [image] = images.as_slice() else {
        return Err(Fault::field(&["body", "image"], "value_error", "Input should be one image"));
    };
    let text = ask(&model, image, history, &prompt, TOKENS_MAX)?;
    registry::touch_language(&model.name);
    Ok(response.json(200, &PromptAnswer { response: text, time: seconds_since(started_us) })?)
}

/// The model's answer. The picture belongs to the first question.
fn ask(
    model: &Model,
    image: &Image,
    history: Vec<(String, String)>,
    prompt: &str,
    tokens_max: u32,
) -> Result<String, Fault> {
    image.orient();
    let file = image.encode(Format::Jpeg(QUALITY)).map_err(|error| internal(&error))?;
    let blob = blobs::put(&file, "image/jpeg", KEPT).map_err(|error| internal(&format!("{error:?}")))?;
    let mut messages = Vec::with_capacity(history.len() * 2 + 1);
    for (question, answer) in history {
        messages.push(Message::text(Role::User, question));
        messages.push(Message::text(Role::Assistant, answer));
    }
    messages.push(Message::text(Role::User, prompt));
    messages[0].content.insert(0, Part::Image(blob.clone()));
    let options = Options { tokens_max: Some(tokens_max), temperature: Some(0.0), ..Options::default() };
    let answered = inference::chat(&model.name, &messages, &RenderOptions::default(), &options)
        .and_then(inference::Generation::collect);
    // The picture would go by itself when its time is over.
    let _ = blobs::delete(&blob);
    Ok(answered?.into_iter().next().map(|choice| choice.text).unwrap_or_default())
}

#[cfg(test)]
mod tests;
