//! Reading a body, and saying what is wrong with it so that a client's author can act on it.
//!
//! The words of serde name Rust types (`expected u32`); these name JSON.

use std::fmt;
use std::ops::Range;

use serde::de::Deserialize;

/// Why a body is not what the endpoint takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BodyError {
    /// What sort of fault.
    pub kind: BodyErrorKind,
    /// The field at fault as a path, `messages[0].role`; none when the body as a whole is.
    pub field: Option<String>,
    /// What is wrong, for the client, without the field's name: `must be a number, got a string`.
    pub reason: String,
}

/// The sorts of fault in a body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyErrorKind {
    /// There is no body.
    Empty,
    /// Not UTF-8, or not JSON.
    Syntax,
    /// A required field is absent.
    Missing,
    /// A field has another type.
    Type,
    /// A field has the right type and a value that is not accepted.
    Value,
}

impl BodyError {
    /// A fault in a field's value, found by the dialect itself.
    pub fn value(field: impl Into<String>, reason: impl Into<String>) -> Self {
        BodyError { kind: BodyErrorKind::Value, field: Some(field.into()), reason: reason.into() }
    }

    /// A fault in a field's type, found by the dialect itself.
    pub fn wrong_type(field: impl Into<String>, reason: impl Into<String>) -> Self {
        BodyError { kind: BodyErrorKind::Type, field: Some(field.into()), reason: reason.into() }
    }

    /// A required field that is absent.
    pub fn missing(field: impl Into<String>) -> Self {
        BodyError { kind: BodyErrorKind::Missing, field: Some(field.into()), reason: "is required".into() }
    }

    fn whole(kind: BodyErrorKind, reason: impl Into<String>) -> Self {
        BodyError { kind, field: None, reason: reason.into() }
    }
}

/// One sentence for the client: `` `temperature` must be a number, got a string ``.
impl fmt::Display for BodyError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(formatter, "`{field}` {}", self.reason),
            None => formatter.write_str(&self.reason),
        }
    }
}

impl std::error::Error for BodyError {}

/// Text in UTF-8.
pub fn text(bytes: &[u8]) -> Result<&str, BodyError> {
    std::str::from_utf8(bytes).map_err(|error| {
        BodyError::whole(BodyErrorKind::Syntax, format!("the body is not UTF-8 after byte {}", error.valid_up_to()))
    })
}

/// JSON of the type `T`.
pub fn json<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, BodyError> {
    serde_json::from_slice(bytes).map_err(|error| explain(bytes, &error))
}

/// A part of a body by value, moved to its front instead of copied: a guest's memory does not hold a large body twice.
///
/// ```
/// assert_eq!(mimus_sdk::body::cut(b"a long body".to_vec(), 2..6), b"long");
/// ```
///
/// # Panics
/// When the range ends after the body.
pub fn cut(mut bytes: Vec<u8>, part: Range<usize>) -> Vec<u8> {
    bytes.truncate(part.end);
    bytes.drain(..part.start);
    bytes
}

#[cold]
fn explain(bytes: &[u8], error: &serde_json::Error) -> BodyError {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return BodyError::whole(BodyErrorKind::Empty, "the body is empty, expected JSON");
    }
    if !error.is_data() {
        return BodyError::whole(BodyErrorKind::Syntax, format!("the body is not valid JSON: {error}"));
    }
    let message = error.to_string();
    field_fault(&path_at(bytes, error.line(), error.column()), strip_position(&message))
}

/// Path of the value at which the parser gave up: the one it had just read, or, for an array or an object in the wrong place, was
/// about to read.
///
/// The path is looked for in the text, and only after a fault. A deserializer that keeps the path (serde_path_to_error) would compile
/// every type a second time, which makes up a third of a small plugin.
fn path_at(bytes: &[u8], line: usize, column: usize) -> String {
    enum Place {
        /// A key, as it stands in the text; whether it is read.
        Key(Vec<u8>, bool),
        Index(usize),
    }
    let line_start: usize =
        bytes.split_inclusive(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(<[u8]>::len).sum();
    let end = line_start.saturating_add(column).min(bytes.len());
    let mut places: Vec<Place> = Vec::new();
    let mut index = 0;
    while index < end {
        match (bytes[index], places.last_mut()) {
            (b'{', _) => places.push(Place::Key(Vec::new(), false)),
            (b'[', _) => places.push(Place::Index(0)),
            (b'}' | b']', _) => drop(places.pop()),
            (b',', Some(Place::Index(position))) => *position += 1,
            (b',', Some(Place::Key(_, is_read))) => *is_read = false,
            (b'"', place) => {
                let length = string_length(&bytes[index..end]);
                if let Some(Place::Key(key, is_read @ false)) = place {
                    *key = bytes[index + 1..index + length.max(2) - 1].to_vec();
                    *is_read = true;
                }
                index += length - 1;
            }
            _ => {}
        }
        index += 1;
    }
    let mut path = String::new();
    for place in places {
        match place {
            Place::Index(position) => path.push_str(&format!("[{position}]")),
            Place::Key(key, _) if key.is_empty() => {}
            Place::Key(key, _) => {
                let dot = if path.is_empty() { "" } else { "." };
                path.extend([dot, &String::from_utf8_lossy(&key)]);
            }
        }
    }
    path
}

/// Bytes of the string that `text` starts with, quotes included; all of it when the string does not end.
fn string_length(text: &[u8]) -> usize {
    let mut index = 1;
    while index < text.len() {
        match text[index] {
            b'"' => return index + 1,
            b'\\' => index += 2,
            _ => index += 1,
        }
    }
    text.len()
}

fn strip_position(message: &str) -> &str {
    message.rfind(" at line ").map_or(message, |end| &message[..end])
}

/// Turns serde's sentence into one that speaks of JSON.
fn field_fault(path: &str, message: &str) -> BodyError {
    let at_root = path.is_empty();
    let fault = |kind, reason: String| {
        if at_root {
            BodyError::whole(kind, format!("the body {reason}"))
        } else {
            BodyError { kind, field: Some(path.to_owned()), reason }
        }
    };
    if let Some(name) = quoted(message, "missing field `") {
        return BodyError::missing(if at_root { name.to_owned() } else { format!("{path}.{name}") });
    }
    if let Some((got, expected)) = pair(message, "invalid type: ") {
        return fault(BodyErrorKind::Type, format!("must be {}, got {}", expected_words(expected), got_words(got)));
    }
    if let Some((got, expected)) = pair(message, "invalid value: ") {
        return fault(BodyErrorKind::Value, format!("must be {}, got {}", expected_words(expected), got_words(got)));
    }
    if let Some((length, expected)) = pair(message, "invalid length ") {
        // serde takes an array for a struct by the order of the fields, as long as there are enough.
        if expected.starts_with("struct ") {
            return fault(BodyErrorKind::Type, "must be an object, got an array".into());
        }
        return fault(BodyErrorKind::Value, format!("must be {}, got {length} elements", expected_words(expected)));
    }
    if let Some((name, expected)) = pair(message, "unknown variant ") {
        return fault(BodyErrorKind::Value, format!("must be {expected}, got {name}"));
    }
    if let Some((name, _)) = pair(message, "unknown field ") {
        return fault(BodyErrorKind::Value, format!("has the unknown field {name}"));
    }
    if message.starts_with("data did not match any variant of untagged enum") {
        return fault(BodyErrorKind::Type, "has a form that is not accepted".into());
    }
    fault(BodyErrorKind::Value, message.to_owned())
}

/// `prefix NAME` + "`".
fn quoted<'a>(message: &'a str, prefix: &str) -> Option<&'a str> {
    message.strip_prefix(prefix)?.strip_suffix('`')
}

/// `prefix A, expected B`.
fn pair<'a>(message: &'a str, prefix: &str) -> Option<(&'a str, &'a str)> {
    let rest = message.strip_prefix(prefix)?;
    // From the right: what was got may be a text of the client's.
    let middle = rest.rfind(", expected ")?;
    Some((&rest[..middle], &rest[middle + ", expected ".len()..]))
}

fn expected_words(expected: &str) -> &str {
    match expected {
        "u8" | "u16" | "u32" | "u64" | "usize" => "an integer of 0 or more",
        "i8" | "i16" | "i32" | "i64" | "isize" => "an integer",
        "f32" | "f64" => "a number",
        "a sequence" => "an array",
        "a map" => "an object",
        "a borrowed string" => "a string",
        "any valid JSON value" => "JSON",
        "string or map" | "variant identifier" => "a known name",
        "unit" => "null",
        other if other.starts_with("struct ") || other.starts_with("internally tagged enum ") => "an object",
        other if other.starts_with("tuple ") || other.starts_with("a tuple ") => "an array",
        other if other.starts_with("enum ") => "a known name",
        other => other,
    }
}

fn got_words(got: &str) -> String {
    let first = got.split_once(' ').map_or(got, |(first, _)| first);
    match first {
        "map" => "an object".into(),
        "sequence" => "an array".into(),
        "string" => "a string".into(),
        "boolean" => "a boolean".into(),
        "integer" => got.replace('`', ""),
        "floating" => got.replace("floating point", "number").replace('`', ""),
        _ => got.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use BodyErrorKind::{Empty, Missing, Syntax, Type, Value};

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Body {
        model: String,
        count: Option<u32>,
        temperature: Option<f32>,
        parts: Option<Vec<Part>>,
        shape: Option<Shape>,
        small: Option<u8>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[allow(dead_code)]
    struct Part {
        text: String,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Shape {
        Round,
        Square,
    }

    #[test]
    fn says_which_field_and_why() {
        let cases: [(&str, BodyErrorKind, Option<&str>, &str); 17] = [
            ("", Empty, None, "the body is empty, expected JSON"),
            ("{", Syntax, None, "the body is not valid JSON: EOF while parsing an object at line 1 column 1"),
            ("{\"model\":\"m\",}", Syntax, None, "the body is not valid JSON: trailing comma at line 1 column 14"),
            (
                "{\"model\":\"m\"} x",
                Syntax,
                None,
                "the body is not valid JSON: trailing characters at line 1 column 15",
            ),
            ("[]", Type, None, "the body must be an object, got an array"),
            ("7", Type, None, "the body must be an object, got integer 7"),
            ("{}", Missing, Some("model"), "`model` is required"),
            (r#"{"model":7}"#, Type, Some("model"), "`model` must be a string, got integer 7"),
            (r#"{"model":null}"#, Type, Some("model"), "`model` must be a string, got null"),
            (
                r#"{"model":"m","count":-1}"#,
                Value,
                Some("count"),
                "`count` must be an integer of 0 or more, got integer -1",
            ),
            (
                r#"{"model":"m","count":1.5}"#,
                Type,
                Some("count"),
                "`count` must be an integer of 0 or more, got number 1.5",
            ),
            (
                r#"{"model":"m","count":"1"}"#,
                Type,
                Some("count"),
                "`count` must be an integer of 0 or more, got a string",
            ),
            (
                r#"{"model":"m","small":256}"#,
                Value,
                Some("small"),
                "`small` must be an integer of 0 or more, got integer 256",
            ),
            (
                r#"{"model":"m","temperature":true}"#,
                Type,
                Some("temperature"),
                "`temperature` must be a number, got a boolean",
            ),
            (
                r#"{"model":"m","parts":[{"text":"a"},{}]}"#,
                Missing,
                Some("parts[1].text"),
                "`parts[1].text` is required",
            ),
            (r#"{"model":"m","parts":{}}"#, Type, Some("parts"), "`parts` must be an array, got an object"),
            (
                r#"{"model":"m","shape":"flat"}"#,
                Value,
                Some("shape"),
                "`shape` must be `round` or `square`, got `flat`",
            ),
        ];
        for (body, kind, field, sentence) in cases {
            let error = json::<Body>(body.as_bytes()).expect_err(body);
            assert_eq!(error.to_string(), sentence, "{body}");
            assert_eq!((error.kind, error.field.as_deref()), (kind, field), "{body}");
        }
    }

    #[test]
    fn finds_the_place() {
        let cases = [
            ("{ \"model\" : \"m\" ,\n \"count\" :\t\"1\" , \"small\":1}", Some("count")),
            (r#"{"model":"m","other":{"count":[1,{"a":"}"}]},"count":true}"#, Some("count")),
            (r#"{"other":"\\\"{[,","model":null}"#, Some("model")),
            (r#"{"model":"m","parts":[{"text":"a"},{"text":"b"},7]}"#, Some("parts[2]")),
            (r#"{"model":"m","parts":[{"text":["a"]}]}"#, Some("parts[0].text")),
            (r#"{"model":"m","parts":[ [] ]}"#, Some("parts[0]")),
            (r#"{"model":"m","parts":[{"text":"a","more":[{}]},{"more":{}}],"count":1}"#, Some("parts[1].text")),
            ("{\"model\":\"é\",\n\"count\":\"x\"}", Some("count")),
            (r#"{"model":{},"count":1}"#, Some("model")),
        ];
        for (body, field) in cases {
            let error = json::<Body>(body.as_bytes()).expect_err(body);
            assert_eq!(error.field.as_deref(), field, "{body}: {error}");
        }
    }

    #[test]
    fn a_text_of_the_client_cannot_break_the_sentence() {
        let error = json::<Body>(br#"{"model":"m","count":", expected nothing at line 3"}"#).expect_err("a string");
        assert_eq!(error.to_string(), "`count` must be an integer of 0 or more, got a string");
    }
}
