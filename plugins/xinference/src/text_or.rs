//! Fields that hold a text or something else.

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{self, Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A string, or the array or object that `T` is.
pub(crate) enum TextOr<T> {
    Text(String),
    Other(T),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for TextOr<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for TextOrVisitor<T> {
            type Value = TextOr<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, an array or an object")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<TextOr<T>, E> {
                Ok(TextOr::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<TextOr<T>, A::Error> {
                T::deserialize(SeqAccessDeserializer::new(elements)).map(TextOr::Other)
            }
            fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<TextOr<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(entries)).map(TextOr::Other)
            }
        }
        deserializer.deserialize_any(TextOrVisitor(PhantomData))
    }
}

/// An object that holds a text, as models of text and pictures take it. (A derived struct would take an array as well.)
pub(crate) struct TextObject {
    pub(crate) text: Option<String>,
}

impl<'de> Deserialize<'de> for TextObject {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut object = Map::<String, Value>::deserialize(deserializer)?;
        match object.remove("text") {
            None | Some(Value::Null) => Ok(TextObject { text: None }),
            Some(Value::String(text)) => Ok(TextObject { text: Some(text) }),
            Some(_) => Err(de::Error::custom("must have a string for `text`")),
        }
    }
}

/// One thing or a list of them.
pub(crate) struct OneOrMany<T>(pub(crate) Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct OneOrManyVisitor<T>(PhantomData<T>);
        impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
            type Value = OneOrMany<T>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("one value or an array of them")
            }
            fn visit_str<E: de::Error>(self, one: &str) -> Result<OneOrMany<T>, E> {
                T::deserialize(de::value::StrDeserializer::new(one)).map(|one| OneOrMany(vec![one]))
            }
            fn visit_u64<E: de::Error>(self, one: u64) -> Result<OneOrMany<T>, E> {
                T::deserialize(de::value::U64Deserializer::new(one)).map(|one| OneOrMany(vec![one]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<OneOrMany<T>, A::Error> {
                Vec::deserialize(SeqAccessDeserializer::new(elements)).map(OneOrMany)
            }
        }
        deserializer.deserialize_any(OneOrManyVisitor(PhantomData))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_is_a_list_of_one() {
        let texts = |json: &str| serde_json::from_str::<OneOrMany<String>>(json).map(|many| many.0).ok();
        assert_eq!(texts(r#""a""#), Some(vec!["a".into()]));
        assert_eq!(texts(r#"["a","b"]"#), Some(vec!["a".into(), "b".into()]));
        assert_eq!(texts("7"), None);
        let tokens = |json: &str| serde_json::from_str::<OneOrMany<u32>>(json).map(|many| many.0).ok();
        assert_eq!(tokens("7"), Some(vec![7]));
        assert_eq!(tokens("[7,8]"), Some(vec![7, 8]));
        assert_eq!(tokens("-7"), None);
    }
}
