//! Values of fields, as leniently as the original reads them: numbers and truth values may be texts, as queries have them.

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};

/// A number.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number(pub(crate) f64);

/// A whole number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Count(pub(crate) i64);

/// A truth value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flag(pub(crate) bool);

/// From which confidence on something is reported.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Confidence {
    /// This, 0 to 1.
    Least(f64),
    /// Chosen for the model when it was evaluated. Model files do not hold it, so it is [`Confidence::DEFAULT`].
    Best,
    /// The model's own, where it has one.
    Default,
}

/// A text, borrowed from the body where it can be: pictures are large.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

impl Number {
    /// As it stands in a query.
    pub(crate) fn parse(text: &str) -> Option<Number> {
        text.trim().parse().ok().filter(|number: &f64| number.is_finite()).map(Number)
    }

    /// Between 0 and 1, whatever was sent.
    pub(crate) fn share(self) -> f32 {
        self.0.clamp(0.0, 1.0) as f32
    }
}

impl Count {
    /// As it stands in a query.
    pub(crate) fn parse(text: &str) -> Option<Count> {
        text.trim().parse().ok().map(Count).or_else(|| Count::whole(Number::parse(text)?.0))
    }

    /// Below 0 is 0.
    pub(crate) fn or_zero(self) -> u32 {
        u32::try_from(self.0.max(0)).unwrap_or(u32::MAX)
    }

    fn whole(number: f64) -> Option<Count> {
        (number.fract() == 0.0 && number.abs() < 1e15).then_some(Count(number as i64))
    }
}

impl Flag {
    /// As it stands in a query; Python writes `True` and `False`.
    pub(crate) fn parse(text: &str) -> Option<Flag> {
        match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" | "t" | "y" => Some(Flag(true)),
            "false" | "0" | "no" | "off" | "f" | "n" => Some(Flag(false)),
            _ => None,
        }
    }
}

impl Confidence {
    /// Where the request names none.
    pub(crate) const DEFAULT: f64 = 0.4;

    /// As it stands in a query.
    pub(crate) fn parse(text: &str) -> Option<Confidence> {
        match text {
            "best" => Some(Confidence::Best),
            "default" => Some(Confidence::Default),
            number => Number::parse(number).map(|number| Confidence::Least(number.0)),
        }
    }

    /// As a number, which may be out of bounds.
    pub(crate) fn value(self) -> f64 {
        match self {
            Confidence::Least(value) => value,
            Confidence::Best | Confidence::Default => Confidence::DEFAULT,
        }
    }
}

/// A field of one of the types above: its name for people, and how it is made from what JSON has.
macro_rules! lenient {
    ($type:ty, $expected:literal, |$number:ident| $from_number:expr, $from_text:path $(, |$flag:ident| $from_flag:expr)?) => {
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Lenient;
                impl Visitor<'_> for Lenient {
                    type Value = $type;
                    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                        formatter.write_str($expected)
                    }
                    fn visit_u64<E: de::Error>(self, number: u64) -> Result<$type, E> {
                        self.visit_f64(number as f64)
                    }
                    fn visit_i64<E: de::Error>(self, number: i64) -> Result<$type, E> {
                        self.visit_f64(number as f64)
                    }
                    fn visit_f64<E: de::Error>(self, $number: f64) -> Result<$type, E> {
                        let made: Option<$type> = $from_number;
                        made.ok_or_else(|| E::invalid_value(de::Unexpected::Float($number), &self))
                    }
                    fn visit_str<E: de::Error>(self, text: &str) -> Result<$type, E> {
                        $from_text(text).ok_or_else(|| E::invalid_type(de::Unexpected::Str(text), &self))
                    }
                    $(fn visit_bool<E: de::Error>(self, $flag: bool) -> Result<$type, E> {
                        Ok($from_flag)
                    })?
                }
                deserializer.deserialize_any(Lenient)
            }
        }
    };
}

lenient!(Number, "a number", |number| Some(Number(number)), Number::parse);
lenient!(Count, "an integer", |number| Count::whole(number), Count::parse);
lenient!(Confidence, "a number, `best` or `default`", |number| Some(Confidence::Least(number)), Confidence::parse);
lenient!(
    Flag,
    "a boolean",
    |number| [(0.0, false), (1.0, true)].iter().find(|(one, _)| *one == number).map(|(_, flag)| Flag(*flag)),
    Flag::parse,
    |flag| Flag(flag)
);

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;
        impl<'de> Visitor<'de> for TextVisitor {
            type Value = Text<'de>;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string")
            }
            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Borrowed(text)))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text.to_owned())))
            }
            fn visit_string<E: de::Error>(self, text: String) -> Result<Text<'de>, E> {
                Ok(Text(Cow::Owned(text)))
            }
        }
        deserializer.deserialize_str(TextVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_may_be_texts() {
        let number = |json: &str| serde_json::from_str::<Number>(json).ok().map(|number| number.0);
        for (json, value) in [("0.5", Some(0.5)), ("1", Some(1.0)), ("-3", Some(-3.0)), ("\" 0.25\"", Some(0.25))] {
            assert_eq!(number(json), value, "{json}");
        }
        for json in ["\"x\"", "\"nan\"", "\"inf\"", "true", "[]", "{}"] {
            assert_eq!(number(json), None, "{json}");
        }
        let count = |json: &str| serde_json::from_str::<Count>(json).ok().map(|count| count.0);
        for (json, value) in [("5", Some(5)), ("5.0", Some(5)), ("\"7\"", Some(7)), ("5.5", None), ("\"x\"", None)] {
            assert_eq!(count(json), value, "{json}");
        }
        assert_eq!(Count(-4).or_zero(), 0);
        assert_eq!(Count(i64::MAX).or_zero(), u32::MAX);
    }

    #[test]
    fn truth_has_many_words() {
        let flag = |json: &str| serde_json::from_str::<Flag>(json).ok().map(|flag| flag.0);
        for (json, value) in [
            ("true", Some(true)),
            ("false", Some(false)),
            ("1", Some(true)),
            ("0", Some(false)),
            ("\"True\"", Some(true)),
            ("\"off\"", Some(false)),
            ("2", None),
            ("\"maybe\"", None),
        ] {
            assert_eq!(flag(json), value, "{json}");
        }
    }

    #[test]
    fn confidence_may_be_left_to_the_model() {
        let confidence = |json: &str| serde_json::from_str::<Confidence>(json).ok();
        assert_eq!(confidence("0.3"), Some(Confidence::Least(0.3)));
        assert_eq!(confidence("60"), Some(Confidence::Least(60.0)));
        assert_eq!(confidence("\"best\""), Some(Confidence::Best));
        assert_eq!(confidence("\"default\""), Some(Confidence::Default));
        assert_eq!(confidence("\"0.3\""), Some(Confidence::Least(0.3)));
        assert_eq!(confidence("\"most\""), None);
    }

    #[test]
    fn texts_are_borrowed() {
        let text: Text<'_> = serde_json::from_str("\"abc\"").expect("a text");
        assert!(matches!(text.0, Cow::Borrowed("abc")));
        let text: Text<'_> = serde_json::from_str("\"a\\/c\"").expect("a text");
        assert!(matches!(text.0, Cow::Owned(text) if text == "a/c"));
    }
}
