//! Pictures as requests declare them: `{"type": "base64" | "url", "value": …}`, or a list of these.
//!
//! A picture may fill a body of 32 MiB, and a guest has 64: its text is borrowed while the body is read, and then cut out of the body
//! in place.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use mimus_sdk::body;
use mimus_sdk::media::{self, Image, Source};
use serde::de::{self, Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::fault::{self, Fault};
use crate::fields::Text;

/// What the original answers to a form that it refuses for good reason: it would be run.
const NUMPY: &str = "NumPy image type is not supported in this configuration of `inference`.";

/// The refusal of a pickled array.
pub(crate) fn no_numpy(index: Option<usize>) -> Fault {
    Fault::picture(NUMPY, index)
}

/// A picture as it is declared.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Declared<'a> {
    kind: Cow<'a, str>,
    /// None when it is no text.
    value: Option<Cow<'a, str>>,
}

/// One picture or a list of them.
#[derive(Debug, PartialEq)]
pub(crate) enum OneOrMany<'a> {
    One(Declared<'a>),
    Many(Vec<Declared<'a>>),
}

/// Where a picture is: its place in the body, or what it says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Place {
    is_address: bool,
    text: Held,
}

#[derive(Debug, Clone, PartialEq)]
enum Held {
    /// Bytes of the body.
    Within(Range<usize>),
    Own(String),
}

/// The places of a request's pictures.
#[derive(Debug, PartialEq)]
pub(crate) struct Places {
    pub(crate) places: Vec<Place>,
    /// Whether they came as a list, and the answer is one too.
    pub(crate) is_list: bool,
}

impl<'a> Declared<'a> {
    /// A picture from the fields of an object.
    pub(crate) fn new(kind: Cow<'a, str>, value: Option<Cow<'a, str>>) -> Self {
        Declared { kind, value }
    }

    /// Where it is in `bytes`, the body that it was read from. `index` is its place in a list, for errors.
    pub(crate) fn place(&self, bytes: &[u8], index: Option<usize>) -> Result<Place, Fault> {
        let is_address = match &*self.kind {
            "base64" => false,
            "url" => true,
            "numpy" | "numpy_object" => return Err(no_numpy(index)),
            _ => {
                let cause = "Image declaration contains not recognised image type.";
                return Err(Fault::picture(cause, index).because("the types are `base64` and `url`"));
            }
        };
        let text = match &self.value {
            Some(Cow::Borrowed(text)) => Held::Within(range_within(bytes, text.as_bytes())),
            Some(Cow::Owned(text)) => Held::Own(text.clone()),
            None => {
                let cause = if is_address { "Image URL is not a string." } else { "Malformed base64 input image." };
                return Err(Fault::picture(cause, index));
            }
        };
        Ok(Place { is_address, text })
    }
}

impl OneOrMany<'_> {
    /// Where they are in `bytes`, the body that they were read from.
    pub(crate) fn places(&self, bytes: &[u8]) -> Result<Places, Fault> {
        match self {
            OneOrMany::One(declared) => Ok(Places { places: vec![declared.place(bytes, None)?], is_list: false }),
            OneOrMany::Many(list) => {
                if list.len() > media::IMAGES_MAX {
                    let message = format!("a request takes at most {} images, got {}", media::IMAGES_MAX, list.len());
                    return Err(Fault::field(&["body", "image"], "too_long", &message));
                }
                let each = list.iter().enumerate();
                let places =
                    each.map(|(index, declared)| declared.place(bytes, Some(index))).collect::<Result<_, _>>()?;
                Ok(Places { places, is_list: true })
            }
        }
    }
}

/// The bytes of `bytes` that `part`, a slice of it, stands at.
pub(crate) fn range_within(bytes: &[u8], part: &[u8]) -> Range<usize> {
    let start = (part.as_ptr() as usize).saturating_sub(bytes.as_ptr() as usize);
    start..start + part.len()
}

impl Place {
    fn length(&self) -> usize {
        match &self.text {
            Held::Within(range) => range.len(),
            Held::Own(text) => text.len(),
        }
    }
}

impl Places {
    /// Opens the pictures, in order. The largest is last, cut out of the body, so that the guest never holds a large one twice.
    pub(crate) fn open(self, bytes: Vec<u8>) -> Result<Vec<Image>, Fault> {
        let Places { places, is_list } = self;
        let mut order: Vec<usize> = (0..places.len()).collect();
        order.sort_by_key(|index| places[*index].length());
        let mut bytes = Some(bytes);
        let mut images: Vec<Option<Image>> = places.iter().map(|_| None).collect();
        for (position, index) in order.iter().enumerate() {
            let is_last = position + 1 == order.len();
            let text = match &places[*index].text {
                Held::Own(text) => text.clone(),
                Held::Within(range) => {
                    let held =
                        if is_last { bytes.take() } else { bytes.as_ref().map(|bytes| bytes[range.clone()].to_vec()) };
                    let range = if is_last { range.clone() } else { 0..range.len() };
                    let text = held.map(|held| body::cut(held, range)).unwrap_or_default();
                    String::from_utf8(text).map_err(|_| fault::internal("a text of the body is not where it was"))?
                }
            };
            let at = is_list.then_some(*index);
            let is_address = places[*index].is_address;
            let source = if is_address { Source::Url(text) } else { Source::Base64(text) };
            images[*index] = Some(open(source, at)?);
        }
        Ok(images.into_iter().flatten().collect())
    }
}

/// Opens one picture. `index` is its place in a list, for errors.
pub(crate) fn open(source: Source, index: Option<usize>) -> Result<Image, Fault> {
    let is_address = matches!(source, Source::Url(_));
    media::open(source).map_err(|error| fault::of_picture(&error, is_address, index))
}

/// A field that may be of any type, of which only a text is kept.
pub(crate) struct Loose<'a>(pub(crate) Option<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Loose<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LooseVisitor;
        impl<'de> Visitor<'de> for LooseVisitor {
            type Value = Loose<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("anything")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Loose<'de>, E> {
                Ok(Loose(Some(Cow::Borrowed(text))))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose<'de>, E> {
                Ok(Loose(Some(Cow::Owned(text.to_owned()))))
            }
            fn visit_bool<E: de::Error>(self, _: bool) -> Result<Loose<'de>, E> {
                Ok(Loose(None))
            }
            fn visit_u64<E: de::Error>(self, _: u64) -> Result<Loose<'de>, E> {
                Ok(Loose(None))
            }
            fn visit_i64<E: de::Error>(self, _: i64) -> Result<Loose<'de>, E> {
                Ok(Loose(None))
            }
            fn visit_f64<E: de::Error>(self, _: f64) -> Result<Loose<'de>, E> {
                Ok(Loose(None))
            }
            fn visit_unit<E: de::Error>(self) -> Result<Loose<'de>, E> {
                Ok(Loose(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Loose<'de>, A::Error> {
                while elements.next_element::<IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Loose<'de>, A::Error> {
                while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
                Ok(Loose(None))
            }
        }
        deserializer.deserialize_any(LooseVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Declared<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct DeclaredVisitor;
        impl<'de> Visitor<'de> for DeclaredVisitor {
            type Value = Declared<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }
            fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Declared<'de>, A::Error> {
                let (mut kind, mut value) = (None, None);
                while let Some(key) = entries.next_key::<Text<'de>>()? {
                    match &*key.0 {
                        "type" => kind = Some(entries.next_value::<Text<'de>>()?.0),
                        "value" => value = entries.next_value::<Loose<'de>>()?.0,
                        _ => drop(entries.next_value::<IgnoredAny>()?),
                    }
                }
                let kind = kind.ok_or_else(|| de::Error::missing_field("type"))?;
                Ok(Declared { kind, value })
            }
        }
        deserializer.deserialize_map(DeclaredVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for OneOrMany<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor;
        impl<'de> Visitor<'de> for OneOrManyVisitor {
            type Value = OneOrMany<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object or an array of objects")
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<OneOrMany<'de>, A::Error> {
                Declared::deserialize(de::value::MapAccessDeserializer::new(entries)).map(OneOrMany::One)
            }
            fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<OneOrMany<'de>, A::Error> {
                Vec::deserialize(de::value::SeqAccessDeserializer::new(elements)).map(OneOrMany::Many)
            }
        }
        deserializer.deserialize_any(OneOrManyVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::native::with_backend;
    use mimus_sdk::scripted::ScriptedHost;
    use std::rc::Rc;

    fn widths(body: &str) -> Result<Vec<u32>, Fault> {
        let host = ScriptedHost::new()
            .picture(b"a", 1, 1)
            .picture(b"a longer file", 2, 1)
            .picture(b"the longest file of all", 3, 1)
            .address("https://x/a", b"a");
        with_backend(Rc::new(host), || {
            let bytes = body.as_bytes().to_vec();
            let places = mimus_sdk::body::json::<OneOrMany<'_>>(&bytes)?.places(&bytes)?;
            Ok(places.open(bytes)?.iter().map(Image::width).collect())
        })
    }

    #[test]
    fn pictures_come_out_in_their_order() {
        let cases: [(&str, &[u32]); 6] = [
            (r#"{"type":"base64","value":"YQ=="}"#, &[1]),
            (r#"[{"value":"YQ==","type":"base64","more":[{}]}]"#, &[1]),
            (
                r#"[{"type":"base64","value":"dGhlIGxvbmdlc3QgZmlsZSBvZiBhbGw="},{"type":"url","value":"https://x/a"},
                    {"type":"base64","value":"YSBsb25nZXIgZmlsZQ=="}]"#,
                &[3, 1, 2],
            ),
            (r#"{"type":"url","value":"https:\/\/x\/a"}"#, &[1]),
            (r#"{"type":"base64","value":"data:image/png;base64,YQ"}"#, &[1]),
            ("[]", &[]),
        ];
        for (body, expect) in cases {
            assert_eq!(widths(body).as_deref(), Ok(expect), "{body}");
        }
    }

    #[test]
    fn pictures_that_do_not_open_are_told() {
        let cases = [
            (r#"{"type":"base64","value":"!!"}"#, "Cause: Malformed base64 input image.", 400),
            (r#"{"type":"base64","value":""}"#, "Cause: Empty image payload.", 400),
            (r#"{"type":"base64","value":7}"#, "Cause: Malformed base64 input image.", 400),
            (r#"{"type":"base64"}"#, "Cause: Malformed base64 input image.", 400),
            (r#"{"type":"numpy","value":"YQ=="}"#, "NumPy image type is not supported", 400),
            (r#"{"type":"file","value":"/etc/passwd"}"#, "not recognised image type.", 400),
            (r#"{"type":"url","value":"https://x/b"}"#, "is not allowed", 400),
            (r#"[{"type":"base64","value":"YQ=="},{"type":"base64","value":"!!"}]"#, "(image 1 of the list)", 400),
            (r#"{"value":"YQ=="}"#, "Field required", 422),
            (r#""YQ==""#, "an object or an array of objects", 422),
            (r#"["YQ=="]"#, "an object", 422),
        ];
        for (body, words, status) in cases {
            let found = widths(body);
            let fault = found.expect_err(body);
            let text = String::from_utf8(mimus_sdk::DialectError::reply(&fault).body).expect("text");
            assert_eq!(fault.status, status, "{body}: {text}");
            assert!(text.contains(words), "{body}: {text}");
        }
    }

    #[test]
    fn a_list_is_bounded() {
        let one = r#"{"type":"base64","value":"YQ=="}"#;
        let list = |count: usize| format!("[{}]", vec![one; count].join(","));
        assert_eq!(widths(&list(media::IMAGES_MAX)).map(|widths| widths.len()), Ok(media::IMAGES_MAX));
        assert_eq!(widths(&list(media::IMAGES_MAX + 1)).map_err(|fault| fault.status), Err(422));
    }
}
