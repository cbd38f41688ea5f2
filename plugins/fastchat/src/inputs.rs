//! The fields `prompt` and `input`: a text, texts, tokens, or lists of tokens.
//!
//! FastChat takes tokens for those of OpenAI's models and turns them back into text; here they are the model's own.

use std::fmt;

use mimus_sdk::inference::Prompt;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::refusal::Refusal;

/// Tokens of one list, far past any context: what is longer is refused before it takes memory.
const TOKENS_MAX: usize = 1 << 18;

pub(crate) enum Inputs {
    Text(String),
    List(Vec<Element>),
}

pub(crate) enum Element {
    Text(String),
    Token(u32),
    Tokens(Vec<u32>),
}

impl Inputs {
    /// At least one, at most `count_max`; `name` is the field's.
    pub(crate) fn parse(self, name: &str, count_max: usize) -> Result<Vec<Prompt>, Refusal> {
        let list = match self {
            Inputs::Text(text) => return Ok(vec![Prompt::Text(text)]),
            Inputs::List(list) => list,
        };
        let mixed = || Refusal::validation(format!("`{name}` must not mix texts, tokens and lists of tokens"));
        let prompts: Vec<Prompt> = match list.first() {
            Some(Element::Token(_)) => {
                let token = |element| if let Element::Token(token) = element { Some(token) } else { None };
                vec![Prompt::Tokens(list.into_iter().map(token).collect::<Option<_>>().ok_or_else(mixed)?)]
            }
            Some(Element::Text(_)) => {
                let text = |element| if let Element::Text(text) = element { Some(Prompt::Text(text)) } else { None };
                list.into_iter().map(text).collect::<Option<_>>().ok_or_else(mixed)?
            }
            Some(Element::Tokens(_)) => {
                let tokens =
                    |element| if let Element::Tokens(list) = element { Some(Prompt::Tokens(list)) } else { None };
                list.into_iter().map(tokens).collect::<Option<_>>().ok_or_else(mixed)?
            }
            None => Vec::new(),
        };
        let is_empty = |prompt: &Prompt| matches!(prompt, Prompt::Tokens(tokens) if tokens.is_empty());
        if prompts.is_empty() || prompts.iter().any(is_empty) {
            return Err(Refusal::validation(format!("`{name}` must not be empty")));
        }
        if prompts.len() > count_max {
            let count = prompts.len();
            return Err(Refusal::out_of_range(format!(
                "{count} is greater than the maximum of {count_max} - '{name}'"
            )));
        }
        Ok(prompts)
    }
}

fn collect<'de, A: SeqAccess<'de>, T: Deserialize<'de>>(mut elements: A) -> Result<Vec<T>, A::Error> {
    let mut list = Vec::new();
    while let Some(element) = elements.next_element()? {
        if list.len() == TOKENS_MAX {
            return Err(de::Error::custom(format!("must have at most {TOKENS_MAX} elements")));
        }
        list.push(element);
    }
    Ok(list)
}

impl<'de> Deserialize<'de> for Element {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ElementVisitor;
        impl<'de> Visitor<'de> for ElementVisitor {
            type Value = Element;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, a token id or an array of token ids")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Element, E> {
                Ok(Element::Text(text.to_owned()))
            }
            fn visit_u64<E: de::Error>(self, token: u64) -> Result<Element, E> {
                let unexpected = de::Unexpected::Unsigned(token);
                u32::try_from(token).map(Element::Token).map_err(|_| E::invalid_value(unexpected, &self))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, tokens: A) -> Result<Element, A::Error> {
                collect(tokens).map(Element::Tokens)
            }
        }
        deserializer.deserialize_any(ElementVisitor)
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct InputsVisitor;
        impl<'de> Visitor<'de> for InputsVisitor {
            type Value = Inputs;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an array")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Inputs, E> {
                Ok(Inputs::Text(text.to_owned()))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<Inputs, A::Error> {
                collect(elements).map(Inputs::List)
            }
        }
        deserializer.deserialize_any(InputsVisitor)
    }
}
