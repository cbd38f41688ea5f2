//! Python's `json.dumps`, byte for byte: models have learnt its spaces.

use std::fmt::Write;

use minijinja::value::ValueKind;
use minijinja::{Error, ErrorKind, Value};

/// Arguments of `dumps`.
pub(crate) struct Style {
    /// Spaces of a level; none: all on one line.
    pub(crate) indent: Option<usize>,
    /// Write everything else as `\uXXXX`.
    pub(crate) is_ascii: bool,
    pub(crate) has_sorted_keys: bool,
    /// Between items, and between a key and its value.
    pub(crate) separators: Option<(String, String)>,
}

/// Values inside each other; the guest's stack holds more.
const DEPTH_MAX: usize = 64;

pub(crate) fn dumps(value: &Value, style: &Style) -> Result<String, Error> {
    let usual = if style.indent.is_some() { (",", ": ") } else { (", ", ": ") };
    let (item, key) = style.separators.as_ref().map_or(usual, |(item, key)| (item.as_str(), key.as_str()));
    let mut writer = Writer { style, item, key, text: String::new() };
    writer.value(value, 0)?;
    Ok(writer.text)
}

struct Writer<'a> {
    style: &'a Style,
    item: &'a str,
    key: &'a str,
    text: String,
}

impl Writer<'_> {
    fn value(&mut self, value: &Value, depth: usize) -> Result<(), Error> {
        if depth > DEPTH_MAX {
            return Err(Error::new(ErrorKind::InvalidOperation, format!("tojson: values more than {DEPTH_MAX} deep")));
        }
        match value.kind() {
            ValueKind::None => self.text.push_str("null"),
            ValueKind::Bool => self.text.push_str(if value.is_true() { "true" } else { "false" }),
            ValueKind::Number => self.number(value),
            ValueKind::String => self.string(value.as_str().unwrap_or_default()),
            ValueKind::Seq | ValueKind::Iterable => {
                let items: Vec<Value> = value.try_iter()?.collect();
                self.list(&items, depth)?;
            }
            ValueKind::Map => {
                let mut keys: Vec<Value> = value.try_iter()?.collect();
                if self.style.has_sorted_keys {
                    keys.sort();
                }
                self.map(value, &keys, depth)?;
            }
            other => return Err(Error::new(ErrorKind::InvalidOperation, format!("tojson: {other} is not JSON"))),
        }
        Ok(())
    }

    fn list(&mut self, items: &[Value], depth: usize) -> Result<(), Error> {
        self.text.push('[');
        for (index, item) in items.iter().enumerate() {
            self.separate(index, depth);
            self.value(item, depth + 1)?;
        }
        self.close(items.is_empty(), depth, ']');
        Ok(())
    }

    fn map(&mut self, map: &Value, keys: &[Value], depth: usize) -> Result<(), Error> {
        self.text.push('{');
        for (index, key) in keys.iter().enumerate() {
            self.separate(index, depth);
            match key.kind() {
                // As Python turns them into keys.
                ValueKind::Bool => self.string(if key.is_true() { "true" } else { "false" }),
                ValueKind::None => self.string("null"),
                _ => self.string(&key.to_string()),
            }
            self.text.push_str(self.key);
            self.value(&map.get_item(key)?, depth + 1)?;
        }
        self.close(keys.is_empty(), depth, '}');
        Ok(())
    }

    fn separate(&mut self, index: usize, depth: usize) {
        if index > 0 {
            self.text.push_str(self.item);
        }
        self.line(depth + 1);
    }

    fn close(&mut self, is_empty: bool, depth: usize, bracket: char) {
        if !is_empty {
            self.line(depth);
        }
        self.text.push(bracket);
    }

    fn line(&mut self, depth: usize) {
        if let Some(indent) = self.style.indent {
            self.text.push('\n');
            self.text.extend(std::iter::repeat_n(' ', indent.saturating_mul(depth)));
        }
    }

    fn number(&mut self, value: &Value) {
        if value.is_integer() {
            self.text.push_str(&value.to_string());
            return;
        }
        let number = f64::try_from(value.clone()).unwrap_or(f64::NAN);
        match number {
            _ if number.is_nan() => self.text.push_str("NaN"),
            _ if number.is_infinite() => self.text.push_str(if number > 0.0 { "Infinity" } else { "-Infinity" }),
            // Rust switches to an exponent where Python does, and writes it without sign and padding.
            _ => match format!("{number:?}").split_once('e') {
                Some((mantissa, exponent)) => {
                    let exponent: i32 = exponent.parse().unwrap_or(0);
                    let _ = write!(self.text, "{mantissa}e{exponent:+03}");
                }
                None => {
                    let _ = write!(self.text, "{number:?}");
                }
            },
        }
    }

    fn string(&mut self, text: &str) {
        self.text.push('"');
        for character in text.chars() {
            match character {
                '"' => self.text.push_str("\\\""),
                '\\' => self.text.push_str("\\\\"),
                '\n' => self.text.push_str("\\n"),
                '\r' => self.text.push_str("\\r"),
                '\t' => self.text.push_str("\\t"),
                '\u{8}' => self.text.push_str("\\b"),
                '\u{c}' => self.text.push_str("\\f"),
                _ if character < ' ' || (self.style.is_ascii && character > '~') => {
                    for unit in character.encode_utf16(&mut [0; 2]) {
                        let _ = write!(self.text, "\\u{unit:04x}");
                    }
                }
                _ => self.text.push(character),
            }
        }
        self.text.push('"');
    }
}
