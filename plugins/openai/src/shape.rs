//! The shape that an answer must have, in all the words that clients have for it.

use mimus_sdk::inference::Constraint;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::fields;

/// Bytes of a schema, a pattern or a grammar, as the contract bounds them.
const SHAPE_BYTES_MAX: usize = 64 << 10;
/// Texts of a choice: a menu, not a dictionary.
const CHOICES_MAX: usize = 1024;

/// OpenAI's.
#[derive(Deserialize)]
pub(crate) struct ResponseFormat {
    #[serde(rename = "type")]
    kind: String,
    json_schema: Option<JsonSchema>,
    /// lmdeploy's.
    regex_schema: Option<String>,
}

#[derive(Deserialize)]
struct JsonSchema {
    schema: Option<Box<RawValue>>,
}

/// vLLM's of today.
#[derive(Deserialize)]
pub(crate) struct StructuredOutputs {
    json: Option<Box<RawValue>>,
    json_object: Option<bool>,
    regex: Option<String>,
    choice: Option<Vec<String>>,
    grammar: Option<String>,
}

/// The fields of a request that say what shape its answer has.
pub(crate) struct Shape {
    pub(crate) response_format: Option<ResponseFormat>,
    pub(crate) structured_outputs: Option<StructuredOutputs>,
    /// vLLM's of old, as are the three below.
    pub(crate) guided_json: Option<Box<RawValue>>,
    pub(crate) guided_regex: Option<String>,
    pub(crate) guided_choice: Option<Vec<String>>,
    pub(crate) guided_grammar: Option<String>,
}

impl Shape {
    /// The one shape that is asked for.
    pub(crate) fn into_constraint(self) -> Result<Option<Constraint>, ApiError> {
        let format = self.response_format.map(of_format).transpose()?.flatten();
        let structured = self.structured_outputs.unwrap_or(StructuredOutputs {
            json: None,
            json_object: None,
            regex: None,
            choice: None,
            grammar: None,
        });
        let json_object = structured.json_object.filter(|is_object| *is_object).map(|_| Constraint::JsonObject);
        let asked = [
            ("response_format", format),
            ("structured_outputs.json", structured.json.as_deref().map(of_schema)),
            ("structured_outputs.json_object", json_object),
            ("structured_outputs.regex", structured.regex.map(Constraint::Regex)),
            ("structured_outputs.choice", structured.choice.map(Constraint::Choice)),
            ("structured_outputs.grammar", structured.grammar.map(Constraint::Grammar)),
            ("guided_json", self.guided_json.as_deref().map(of_schema)),
            ("guided_regex", self.guided_regex.map(Constraint::Regex)),
            ("guided_choice", self.guided_choice.map(Constraint::Choice)),
            ("guided_grammar", self.guided_grammar.map(Constraint::Grammar)),
        ];
        let mut asked = asked.into_iter().filter_map(|(param, constraint)| Some((param, constraint?)));
        let Some((param, constraint)) = asked.next() else { return Ok(None) };
        if let Some((other, _)) = asked.next() {
            return Err(ApiError::invalid(other, format!("`{other}` and `{param}` exclude each other")));
        }
        check(param, &constraint)?;
        Ok(Some(constraint))
    }
}

fn of_format(format: ResponseFormat) -> Result<Option<Constraint>, ApiError> {
    match format.kind.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(Constraint::JsonObject)),
        "json_schema" => {
            let schema = format.json_schema.ok_or_else(|| ApiError::missing("response_format.json_schema"))?.schema;
            Ok(Some(schema.map_or(Constraint::JsonObject, |schema| Constraint::JsonSchema(schema.get().into()))))
        }
        "regex_schema" => {
            let regex = format.regex_schema.ok_or_else(|| ApiError::missing("response_format.regex_schema"))?;
            Ok(Some(Constraint::Regex(regex)))
        }
        other => {
            let message = format!("`response_format.type` must be text, json_object or json_schema, got `{other}`");
            Err(ApiError::invalid("response_format.type", message))
        }
    }
}

/// A schema as an object, or as text that holds one.
pub(crate) fn of_schema(schema: &RawValue) -> Constraint {
    let text = serde_json::from_str::<String>(schema.get());
    Constraint::JsonSchema(text.unwrap_or_else(|_| schema.get().into()))
}

/// What can be seen of a shape without the engine that enforces it.
pub(crate) fn check(param: &'static str, constraint: &Constraint) -> Result<(), ApiError> {
    let bytes = match constraint {
        Constraint::JsonObject => 0,
        Constraint::JsonSchema(schema) => {
            if !schema.trim_start().starts_with('{') {
                return Err(ApiError::invalid(param, format!("`{param}` must hold a JSON schema that is an object")));
            }
            schema.len()
        }
        Constraint::Regex(text) | Constraint::Grammar(text) => text.len(),
        Constraint::Choice(texts) => {
            if !(1..=CHOICES_MAX).contains(&texts.len()) || texts.iter().any(String::is_empty) {
                let bounds = format!("1 to {CHOICES_MAX} texts, none of them empty");
                return Err(fields::out_of_bounds(param, bounds, format_args!("{} texts", texts.len())));
            }
            texts.iter().map(String::len).sum()
        }
    };
    match bytes <= SHAPE_BYTES_MAX {
        true => Ok(()),
        false => Err(fields::out_of_bounds(param, format!("of at most {SHAPE_BYTES_MAX} bytes"), bytes)),
    }
}
