//! The fields `prompt` and `input`: a text, texts, tokens, or lists of tokens.

use std::fmt;

use mimus_sdk::inference::Prompt;
use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::error::ApiError;
use crate::fields;

/// What a client sends to continue or to embed.
pub(crate) enum Prompts {
    Texts(Vec<String>),
    Tokens(Vec<u32>),
    TokenLists(Vec<Vec<u32>>),
    Empty,
}

impl Prompts {
    /// The prompts of the field `param`, at most `count_max`; none may be an empty list of tokens.
    pub(crate) fn parse(self, param: &'static str, count_max: usize) -> Result<Vec<Prompt>, ApiError> {
        let prompts: Vec<Prompt> = match self {
            Prompts::Texts(texts) => texts.into_iter().map(Prompt::Text).collect(),
            Prompts::Tokens(tokens) => vec![Prompt::Tokens(tokens)],
            Prompts::TokenLists(lists) => lists.into_iter().map(Prompt::Tokens).collect(),
            Prompts::Empty => Vec::new(),
        };
        if prompts.is_empty()
            || prompts.iter().any(|prompt| matches!(prompt, Prompt::Tokens(tokens) if tokens.is_empty()))
        {
            return Err(ApiError::invalid(param, format!("`{param}` must not be empty")));
        }
        if prompts.len() > count_max {
            return Err(fields::out_of_bounds(param, format!("at most {count_max} texts or lists"), prompts.len()));
        }
        Ok(prompts)
    }
}

/// One element of the outer array; its first element says what the array is.
enum Element {
    Text(String),
    Token(u32),
    Tokens(Vec<u32>),
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
                let token =
                    u32::try_from(token).map_err(|_| E::invalid_value(de::Unexpected::Unsigned(token), &self))?;
                Ok(Element::Token(token))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut tokens: A) -> Result<Element, A::Error> {
                let mut list = Vec::new();
                while let Some(token) = tokens.next_element()? {
                    list.push(token);
                }
                Ok(Element::Tokens(list))
            }
        }
        deserializer.deserialize_any(ElementVisitor)
    }
}

impl<'de> Deserialize<'de> for Prompts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct PromptVisitor;
        impl<'de> Visitor<'de> for PromptVisitor {
            type Value = Prompts;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string, an array of strings, or token ids")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Prompts, E> {
                Ok(Prompts::Texts(vec![text.to_owned()]))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Prompts, A::Error> {
                let mut prompts = Prompts::Empty;
                while let Some(element) = elements.next_element()? {
                    prompts = match (prompts, element) {
                        (Prompts::Empty, Element::Text(text)) => Prompts::Texts(vec![text]),
                        (Prompts::Empty, Element::Token(token)) => Prompts::Tokens(vec![token]),
                        (Prompts::Empty, Element::Tokens(tokens)) => Prompts::TokenLists(vec![tokens]),
                        (Prompts::Texts(mut texts), Element::Text(text)) => {
                            texts.push(text);
                            Prompts::Texts(texts)
                        }
                        (Prompts::Tokens(mut tokens), Element::Token(token)) => {
                            tokens.push(token);
                            Prompts::Tokens(tokens)
                        }
                        (Prompts::TokenLists(mut lists), Element::Tokens(tokens)) => {
                            lists.push(tokens);
                            Prompts::TokenLists(lists)
                        }
                        _ => return Err(de::Error::custom("must not mix texts, token ids and arrays")),
                    };
                }
                Ok(prompts)
            }
        }
        deserializer.deserialize_any(PromptVisitor)
    }
}
