//! Fields that come in more than one form, read without a detour so that a huge list costs what it holds and no more.

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

/// A text, or a list of at most `MAX` things.
#[derive(Debug, Clone, PartialEq)]
pub enum TextOr<T, const MAX: usize> {
    /// A plain string.
    Text(String),
    /// An array.
    Many(Vec<T>),
}

impl<'de, T: Deserialize<'de>, const MAX: usize> Deserialize<'de> for TextOr<T, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextOrMany(PhantomData))
    }
}

struct TextOrMany<T, const MAX: usize>(PhantomData<T>);

impl<'de, T: Deserialize<'de>, const MAX: usize> Visitor<'de> for TextOrMany<T, MAX> {
    type Value = TextOr<T, MAX>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string or an array")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(TextOr::Text(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Self::Value, A::Error> {
        read_at_most::<T, A>(elements, MAX).map(TextOr::Many)
    }
}

/// What ends an answer: `"x"`, `["x", "y"]`, or nothing. Release 0.1 had a boolean in its place.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Stop {
    /// The texts.
    pub texts: Vec<String>,
    /// The boolean of release 0.1: cancel the running turn of the session.
    pub is_cancel: bool,
}

/// Stop strings in one request, as far as this reads them; the host's bound is lower.
const STOPS_MAX: usize = 64;

impl<'de> Deserialize<'de> for Stop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StopVisitor)
    }
}

struct StopVisitor;

impl<'de> Visitor<'de> for StopVisitor {
    type Value = Stop;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string, an array of strings or a boolean")
    }

    fn visit_bool<E: Error>(self, is_cancel: bool) -> Result<Stop, E> {
        Ok(Stop { is_cancel, ..Stop::default() })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Stop, E> {
        Ok(Stop { texts: vec![text.to_owned()], ..Stop::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Stop, A::Error> {
        Ok(Stop { texts: read_at_most(elements, STOPS_MAX)?, ..Stop::default() })
    }
}

/// An element of a completion's prompt list.
#[derive(Debug, Clone, PartialEq)]
pub enum PromptElement {
    /// A prompt.
    Text(String),
    /// A token of the one prompt.
    Token(u32),
    /// A prompt.
    Tokens(Vec<u32>),
}

/// Tokens in one prompt, as far as this reads them; the model's context is the bound that counts.
pub const TOKENS_MAX: usize = 1 << 20;

impl<'de> Deserialize<'de> for PromptElement {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PromptVisitor)
    }
}

struct PromptVisitor;

impl<'de> Visitor<'de> for PromptVisitor {
    type Value = PromptElement;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string, a token id or an array of token ids")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<PromptElement, E> {
        Ok(PromptElement::Text(text.to_owned()))
    }

    fn visit_u64<E: Error>(self, token: u64) -> Result<PromptElement, E> {
        let token = u32::try_from(token).map_err(|_| E::custom(format!("the token id {token} does not exist")))?;
        Ok(PromptElement::Token(token))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<PromptElement, A::Error> {
        read_at_most(elements, TOKENS_MAX).map(PromptElement::Tokens)
    }
}

/// A list of at most [`TOKENS_MAX`] token ids.
#[derive(Debug, Clone, PartialEq)]
pub struct Tokens(pub Vec<u32>);

impl<'de> Deserialize<'de> for Tokens {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(TokensVisitor)
    }
}

struct TokensVisitor;

impl<'de> Visitor<'de> for TokensVisitor {
    type Value = Tokens;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("an array of token ids")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Tokens, A::Error> {
        read_at_most(elements, TOKENS_MAX).map(Tokens)
    }
}

/// A field whose `null` means something else than its absence.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub enum Given<T> {
    /// Not in the request.
    #[default]
    Absent,
    /// In the request, perhaps as `null`.
    Present(Option<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Given::Present)
    }
}

fn read_at_most<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(mut elements: A, max: usize) -> Result<Vec<T>, A::Error> {
    let mut list = Vec::new();
    while let Some(element) = elements.next_element()? {
        if list.len() == max {
            return Err(A::Error::custom(format!("at most {max} elements are allowed")));
        }
        list.push(element);
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    type Few = TextOr<String, 2>;

    #[test]
    fn reads_one_or_many() {
        let cases = [
            (r#""a""#, Ok(TextOr::Text("a".into()))),
            ("[]", Ok(TextOr::Many(vec![]))),
            (r#"["a","b"]"#, Ok(TextOr::Many(vec!["a".into(), "b".into()]))),
            (r#"["a","b","c"]"#, Err("at most 2 elements")),
            ("[1]", Err("expected a string")),
            ("5", Err("expected a string or an array")),
            ("{}", Err("expected a string or an array")),
        ];
        for (text, expect) in cases {
            let got = serde_json::from_str::<Few>(text).map_err(|error| error.to_string());
            match (got, expect) {
                (Ok(got), Ok(expect)) => assert_eq!(got, expect, "{text}"),
                (Err(got), Err(expect)) => assert!(got.contains(expect), "{text}: {got}"),
                (got, expect) => panic!("{text}: {got:?}, not {expect:?}"),
            }
        }
    }

    #[test]
    fn reads_every_form_of_stop() {
        let texts =
            |texts: &[&str]| Stop { texts: texts.iter().map(|text| (*text).into()).collect(), is_cancel: false };
        let cases = [
            ("null", None),
            ("false", Some(Stop::default())),
            ("true", Some(Stop { texts: vec![], is_cancel: true })),
            (r#""a""#, Some(texts(&["a"]))),
            (r#"["a","b"]"#, Some(texts(&["a", "b"]))),
        ];
        for (text, expect) in cases {
            assert_eq!(serde_json::from_str::<Option<Stop>>(text).expect(text), expect, "{text}");
        }
    }

    #[test]
    fn reads_every_form_of_prompt() {
        let read = serde_json::from_str::<TextOr<PromptElement, 4>>;
        assert_eq!(
            read(r#"["a", 1, [2, 3]]"#).expect("a list"),
            TextOr::Many(vec![
                PromptElement::Text("a".into()),
                PromptElement::Token(1),
                PromptElement::Tokens(vec![2, 3])
            ])
        );
        for bad in ["[-1]", "[4294967296]", "[1.5]", "[null]", "[[\"a\"]]"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
