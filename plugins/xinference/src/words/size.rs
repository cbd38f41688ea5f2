//! Sizes of models in billions of parameters: an integer, or a text with `_` or `.` for the point.

use std::fmt;

use mimus_sdk::models::Model;
use mimus_sdk::registry::Family;
use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde_json::Value;

/// A size as a client sends it, in the host's form: `7`, `0.5`.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Size(pub(crate) String);

impl Size {
    /// From text: `7`, `7.0`, `0_5`, `0.5`.
    fn of_text(text: &str) -> Self {
        let text = text.trim().replace('_', ".");
        let whole =
            text.split_once('.').filter(|(_, rest)| !rest.is_empty() && rest.bytes().all(|digit| digit == b'0'));
        Size(whole.map_or(text.as_str(), |(whole, _)| whole).to_owned())
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct SizeVisitor;
        impl Visitor<'_> for SizeVisitor {
            type Value = Size;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a number or a string")
            }
            fn visit_u64<E: de::Error>(self, size: u64) -> Result<Size, E> {
                Ok(Size(size.to_string()))
            }
            fn visit_f64<E: de::Error>(self, size: f64) -> Result<Size, E> {
                Ok(Size::of_text(&size.to_string()))
            }
            fn visit_str<E: de::Error>(self, size: &str) -> Result<Size, E> {
                Ok(Size::of_text(size))
            }
        }
        deserializer.deserialize_any(SizeVisitor)
    }
}

/// A size of the host's as clients get it: `7` as a number, `0.5` as `"0_5"`.
pub(crate) fn json(size: &str) -> Value {
    size.parse::<u64>().map_or_else(|_| Value::from(size.replace('.', "_")), Value::from)
}

/// The size of a running model: the one of its family that is nearest to what it counts, or what it counts.
pub(crate) fn of_model(model: &Model, family: Option<&Family>) -> Value {
    let billions = model.parameters as f64 / 1e9;
    let sizes = family.iter().flat_map(|family| &family.weights).filter_map(|weights| weights.size.as_deref());
    let distance = |size: &str| size.parse::<f64>().map_or(f64::MAX, |size| (size - billions).abs());
    if let Some(size) = sizes.min_by(|one, other| distance(one).total_cmp(&distance(other))) {
        return json(size);
    }
    if model.parameters == 0 {
        return Value::Null;
    }
    if billions >= 10.0 {
        return Value::from(billions.round() as u64);
    }
    // Two digits that mean something: 7, 1.8, 0.5, 0.0031.
    let digits = (1.0 - billions.log10().floor()).max(0.0) as usize;
    let text = format!("{billions:.digits$}");
    json(text.trim_end_matches('0').trim_end_matches('.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::scripted;

    #[test]
    fn sizes_come_in_every_form() {
        let cases =
            [("7", "7"), ("7.0", "7"), ("0.5", "0.5"), (r#""7""#, "7"), (r#""0_5""#, "0.5"), (r#""1.8""#, "1.8")];
        for (json, expect) in cases {
            assert_eq!(serde_json::from_str::<Size>(json).expect(json), Size(expect.into()), "{json}");
        }
        for bad in ["true", "[]", "-1"] {
            assert!(serde_json::from_str::<Size>(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn sizes_are_told_as_clients_know_them() {
        assert_eq!(json("7"), 7);
        assert_eq!(json("0.5"), "0_5");
    }

    #[test]
    fn a_model_is_counted() {
        let of = |parameters| of_model(&Model { parameters, ..scripted::model("m") }, None);
        let cases = [
            (0, Value::Null),
            (3_100_000, "0_0031".into()),
            (494_000_000, "0_49".into()),
            (1_840_000_000, "1_8".into()),
            (7_000_000_000, 7.into()),
            (70_600_000_000, 71.into()),
        ];
        for (parameters, expect) in cases {
            assert_eq!(of(parameters), expect, "{parameters}");
        }
        let family = scripted::family("text", "m", &["chat"]);
        let model = Model { parameters: 6_700_000_000, ..scripted::model("m") };
        assert_eq!(of_model(&model, Some(&family)), 7);
    }
}
