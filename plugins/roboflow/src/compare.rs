//! `POST /clip/compare`: how alike a picture or a text is to others.

use std::borrow::Cow;
use std::fmt;

use mimus_sdk::media;
use mimus_sdk::{Request, Response, body, clock};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::choice::Found;
use crate::fault::Fault;
use crate::fields::Text;
use crate::look::seconds_since;
use crate::pictures::{Declared, Loose, Place, Places};
use crate::{clip, keys, registry};

/// A text or a picture.
#[derive(Debug, PartialEq)]
enum Item<'a> {
    Text(Cow<'a, str>),
    Picture(Declared<'a>),
}

/// What the subject is compared with.
#[derive(Debug, PartialEq)]
enum Prompt<'a> {
    One(Item<'a>),
    Many(Vec<Item<'a>>),
    Named(Vec<(String, Item<'a>)>),
}

/// What an item is meant to be.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Image,
    Text,
}

#[derive(serde::Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    subject: Item<'a>,
    subject_type: Option<String>,
    #[serde(borrow)]
    prompt: Prompt<'a>,
    prompt_type: Option<String>,
    clip_version_id: Option<String>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

/// Things of one kind, apart from the body's bytes.
enum Things {
    Texts(Vec<String>),
    Pictures(Vec<Place>),
}

#[derive(serde::Serialize)]
struct Answer {
    inference_id: Option<String>,
    frame_id: Option<u32>,
    time: f64,
    similarity: Similarity,
    parent_id: Option<String>,
}

/// How alike, from -1 to 1: a list, or an object where the prompts have names.
enum Similarity {
    List(Vec<f32>),
    Named(Vec<(String, f32)>),
}

impl Serialize for Similarity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Similarity::List(scores) => scores.serialize(serializer),
            Similarity::Named(scores) => {
                let mut map = serializer.serialize_map(Some(scores.len()))?;
                for (name, score) in scores {
                    map.serialize_entry(name, score)?;
                }
                map.end()
            }
        }
    }
}

/// `POST /clip/compare`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    let bytes = request.take_body();
    let (subject, prompts, names, version) = read(request, &bytes)?;
    let found = clip::find(version.as_deref())?;
    let (subject, prompts) = vectors(&found, subject, prompts, bytes)?;
    let subject = subject.first().ok_or_else(|| crate::fault::internal("the subject has no vector"))?;
    let scores = prompts.iter().map(|prompt| cosine(subject, prompt));
    let similarity = match names {
        Some(names) => Similarity::Named(names.into_iter().zip(scores).collect()),
        None => Similarity::List(scores.collect()),
    };
    registry::touch(&found);
    let time = seconds_since(started_us);
    Ok(response.json(200, &Answer { inference_id: None, frame_id: None, time, similarity, parent_id: None })?)
}

type Asked = (Things, Things, Option<Vec<String>>, Option<String>);

fn read(request: &Request, bytes: &[u8]) -> Result<Asked, Fault> {
    let body: Body<'_> = body::json(bytes)?;
    keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
    let subject =
        things(vec![body.subject], kind(body.subject_type.as_deref(), Kind::Image, "subject")?, "subject", bytes)?;
    let (items, names) = match body.prompt {
        Prompt::One(item) => (vec![item], None),
        Prompt::Many(items) => (items, None),
        Prompt::Named(named) => {
            let (names, items) = named.into_iter().unzip();
            (items, Some(names))
        }
    };
    let prompts = things(items, kind(body.prompt_type.as_deref(), Kind::Text, "prompt")?, "prompt", bytes)?;
    Ok((subject, prompts, names, body.clip_version_id))
}

fn kind(given: Option<&str>, default: Kind, field: &str) -> Result<Kind, Fault> {
    match given {
        None => Ok(default),
        Some("image") => Ok(Kind::Image),
        Some("text") => Ok(Kind::Text),
        Some(other) => {
            Err(Fault::bad(format!("{field}_type must be either 'image' or 'text', but got {other:?} instead.")))
        }
    }
}

fn things(items: Vec<Item<'_>>, kind: Kind, field: &'static str, bytes: &[u8]) -> Result<Things, Fault> {
    let is_list = items.len() > 1;
    let wrong = |expected: &str| {
        Fault::field(&["body", field], "value_error", &format!("Input should be {expected}, as `{field}_type` says"))
    };
    match kind {
        Kind::Text => {
            let text = |item| match item {
                Item::Text(text) => Ok(text.into_owned()),
                Item::Picture(_) => Err(wrong("text")),
            };
            items.into_iter().map(text).collect::<Result<_, _>>().map(Things::Texts)
        }
        Kind::Image => {
            if items.len() > media::IMAGES_MAX - 1 {
                return Err(wrong(&format!("at most {} images", media::IMAGES_MAX - 1)));
            }
            let place = |(index, item): (usize, Item<'_>)| match item {
                Item::Picture(declared) => declared.place(bytes, is_list.then_some(index)),
                Item::Text(_) => Err(wrong("an image")),
            };
            items.into_iter().enumerate().map(place).collect::<Result<_, _>>().map(Things::Pictures)
        }
    }
}

type Vectors = Vec<Vec<f32>>;

/// The vectors of the subject and of the prompts. All pictures are opened at once, because the body is taken apart for them.
fn vectors(found: &Found, subject: Things, prompts: Things, bytes: Vec<u8>) -> Result<(Vectors, Vectors), Fault> {
    let mut places = Vec::new();
    let mut split = |things| match things {
        Things::Texts(texts) => Err(texts),
        Things::Pictures(found) => {
            let from = places.len();
            places.extend(found);
            Ok(from..places.len())
        }
    };
    let (subject, prompts) = (split(subject), split(prompts));
    let is_list = places.len() > 1;
    let images = clip::images(found, &Places { places, is_list }.open(bytes)?)?;
    let of = |things: Result<std::ops::Range<usize>, Vec<String>>| match things {
        Ok(range) => Ok(images[range].to_vec()),
        Err(texts) => clip::texts(found, &texts, "prompt"),
    };
    Ok((of(subject)?, of(prompts)?))
}

/// Cosine of the angle between two vectors; 0 where one has no length.
fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum::<f64>();
    let lengths = (dot(one, one) * dot(other, other)).sqrt();
    if lengths > 0.0 { (dot(one, other) / lengths) as f32 } else { 0.0 }
}

impl<'de: 'a, 'a> Deserialize<'de> for Item<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ItemVisitor;
        impl<'de> Visitor<'de> for ItemVisitor {
            type Value = Item<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an image object")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Item<'de>, E> {
                Ok(Item::Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Item<'de>, E> {
                Ok(Item::Text(Cow::Owned(text.to_owned())))
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Item<'de>, A::Error> {
                Declared::deserialize(de::value::MapAccessDeserializer::new(entries)).map(Item::Picture)
            }
        }
        deserializer.deserialize_any(ItemVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Prompt<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PromptVisitor;
        impl<'de> Visitor<'de> for PromptVisitor {
            type Value = Prompt<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, an array or an object")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Prompt<'de>, E> {
                Ok(Prompt::One(Item::Text(Cow::Borrowed(text))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Prompt<'de>, E> {
                Ok(Prompt::One(Item::Text(Cow::Owned(text.to_owned()))))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Prompt<'de>, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(elements)).map(Prompt::Many)
            }
            /// An object with both `type` and `value` is a picture; any other names its prompts.
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Prompt<'de>, A::Error> {
                let mut named: Vec<(String, Item<'de>)> = Vec::new();
                while let Some(name) = entries.next_key::<Text<'de>>()? {
                    named.push((name.0.into_owned(), entries.next_value()?));
                }
                let text = |wanted: &str| {
                    named.iter().find_map(|(name, item)| match item {
                        Item::Text(text) if name == wanted => Some(text.clone()),
                        _ => None,
                    })
                };
                Ok(match (text("type"), text("value")) {
                    (Some(kind), Some(value)) => Prompt::One(Item::Picture(Declared::new(kind, Some(value)))),
                    _ => Prompt::Named(named),
                })
            }
        }
        deserializer.deserialize_any(PromptVisitor)
    }
}

#[cfg(test)]
mod tests;
