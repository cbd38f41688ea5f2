//! A field that is a text, texts, token ids, or lists of token ids, as many APIs have it.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, SeqAccess, Visitor};

use crate::inference::Prompt;

/// Elements of one list, far past any context: what is longer is refused before it takes memory.
pub const ELEMENTS_MAX: usize = 1 << 20;

/// What a client sends to continue or to embed.
///
/// ```
/// use mimus_sdk::inference::Prompt;
/// use mimus_sdk::prompts::Prompts;
///
/// let given: Prompts = mimus_sdk::serde_json::from_str("[[1, 2], [3]]")?;
/// assert_eq!(given.into_prompts(), [Prompt::Tokens(vec![1, 2]), Prompt::Tokens(vec![3])]);
/// # Ok::<(), mimus_sdk::serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub enum Prompts {
    /// One text or several.
    Texts(Vec<String>),
    /// One prompt.
    Tokens(Vec<u32>),
    /// Several prompts.
    TokenLists(Vec<Vec<u32>>),
    /// A list of nothing.
    Empty,
}

impl Prompts {
    /// The prompts, in order; none for an empty list. Lists of tokens may be empty.
    pub fn into_prompts(self) -> Vec<Prompt> {
        match self {
            Prompts::Texts(texts) => texts.into_iter().map(Prompt::Text).collect(),
            Prompts::Tokens(tokens) => vec![Prompt::Tokens(tokens)],
            Prompts::TokenLists(lists) => lists.into_iter().map(Prompt::Tokens).collect(),
            Prompts::Empty => Vec::new(),
        }
    }
}

fn bounded<E: de::Error>(count: usize) -> Result<(), E> {
    if count < ELEMENTS_MAX { Ok(()) } else { Err(E::custom(format!("must have at most {ELEMENTS_MAX} elements"))) }
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
                    bounded(list.len())?;
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
                let mut count = 0;
                while let Some(element) = elements.next_element()? {
                    bounded(count)?;
                    count += 1;
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
