//! The shape that an answer must have, in the words of the engines that clients know.

use mimus_sdk::inference::Constraint;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::generation::ExtraBody;
use crate::refusal::Refusal;

/// Bytes of a schema, a pattern or a grammar, as the contract bounds them.
const SHAPE_BYTES_MAX: usize = 64 << 10;
/// Texts of a choice.
const CHOICES_MAX: usize = 1024;

/// `response_format`.
#[derive(Deserialize)]
pub(crate) struct ResponseFormat {
    #[serde(rename = "type")]
    kind: Option<String>,
    json_schema: Option<JsonSchema>,
    /// llama.cpp's.
    schema: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct JsonSchema {
    schema: Option<Box<RawValue>>,
}

/// The one shape that is asked for; an `extra_body` counts where the request itself says nothing.
pub(crate) fn parse(
    format: Option<ResponseFormat>,
    guided: ExtraBody,
    extra: ExtraBody,
) -> Result<Option<Constraint>, Refusal> {
    let json_object = guided.guided_json_object.or(extra.guided_json_object).filter(|is_object| *is_object);
    let asked = [
        ("response_format", format.map(of_format).transpose()?.flatten()),
        ("guided_json", guided.guided_json.or(extra.guided_json).and_then(|schema| of_schema(&schema))),
        ("guided_regex", guided.guided_regex.or(extra.guided_regex).map(Constraint::Regex)),
        ("guided_choice", guided.guided_choice.or(extra.guided_choice).map(Constraint::Choice)),
        ("guided_grammar", guided.guided_grammar.or(extra.guided_grammar).map(Constraint::Grammar)),
        ("guided_json_object", json_object.map(|_| Constraint::JsonObject)),
    ];
    let mut asked = asked.into_iter().filter_map(|(field, constraint)| Some((field, constraint?)));
    let Some((field, constraint)) = asked.next() else { return Ok(None) };
    if let Some((other, _)) = asked.next() {
        return Err(Refusal::bad(format!("Invalid input. `{other}` and `{field}` exclude each other")));
    }
    check(field, &constraint)?;
    Ok(Some(constraint))
}

fn of_format(format: ResponseFormat) -> Result<Option<Constraint>, Refusal> {
    match format.kind.as_deref() {
        None | Some("text") => Ok(None),
        Some("json_object") => {
            Ok(Some(format.schema.and_then(|schema| of_schema(&schema)).unwrap_or(Constraint::JsonObject)))
        }
        Some("json_schema") => {
            let schema = format.json_schema.and_then(|named| named.schema).or(format.schema);
            let schema =
                schema.ok_or_else(|| Refusal::bad("Invalid input. `response_format.json_schema` is required"))?;
            Ok(of_schema(&schema))
        }
        Some(other) => {
            let detail =
                format!("Invalid input. `response_format.type` must be text, json_object or json_schema, got {other}");
            Err(Refusal::bad(detail))
        }
    }
}

/// A schema as an object, or as text that holds one. An empty one asks for nothing.
fn of_schema(schema: &RawValue) -> Option<Constraint> {
    let text = serde_json::from_str::<String>(schema.get()).unwrap_or_else(|_| schema.get().into());
    let is_empty = text.bytes().all(|byte| byte.is_ascii_whitespace() || byte == b'{' || byte == b'}');
    (!is_empty).then_some(Constraint::JsonSchema(text))
}

/// What can be seen of a shape without the engine that enforces it.
fn check(field: &str, constraint: &Constraint) -> Result<(), Refusal> {
    let bytes = match constraint {
        Constraint::JsonObject => 0,
        Constraint::JsonSchema(schema) if !schema.trim_start().starts_with('{') => {
            return Err(Refusal::bad(format!("Invalid input. `{field}` must hold a JSON schema that is an object")));
        }
        Constraint::JsonSchema(text) | Constraint::Regex(text) | Constraint::Grammar(text) => text.len(),
        Constraint::Choice(texts) => {
            if !(1..=CHOICES_MAX).contains(&texts.len()) || texts.iter().any(String::is_empty) {
                let detail = format!("Invalid input. `{field}` must be 1 to {CHOICES_MAX} texts, none of them empty");
                return Err(Refusal::bad(detail));
            }
            texts.iter().map(String::len).sum()
        }
    };
    match bytes <= SHAPE_BYTES_MAX {
        true => Ok(()),
        false => {
            Err(Refusal::bad(format!("Invalid input. `{field}` must be at most {SHAPE_BYTES_MAX} bytes, got {bytes}")))
        }
    }
}
