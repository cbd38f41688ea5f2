//! The request's own template, and what it gives to a template.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::fields;

/// Variables for the prompt's template, as the contract bounds them.
const VARIABLES_MAX: usize = 32;
/// Bytes of a template, as the contract bounds them.
const SOURCE_BYTES_MAX: usize = 64 << 10;

/// A Jinja template in place of the model's own.
pub(super) fn parse_source(source: Option<String>) -> Result<Option<String>, ApiError> {
    match source {
        Some(source) if source.len() > SOURCE_BYTES_MAX => {
            Err(fields::out_of_bounds("chat_template", format!("of at most {SOURCE_BYTES_MAX} bytes"), source.len()))
        }
        source => Ok(source),
    }
}

/// Variables by the names that templates have for them. What a request says by a field of its own is behind what it says by name.
pub(crate) fn variables(
    named: BTreeMap<String, Box<RawValue>>,
    documents: Option<&RawValue>,
    reasoning_effort: Option<&str>,
) -> Result<Vec<(String, String)>, ApiError> {
    let mut variables: Vec<(String, String)> =
        named.into_iter().map(|(name, value)| (name, value.get().to_owned())).collect();
    let mut add = |name: &str, json: String| {
        if !variables.iter().any(|(known, _)| known == name) {
            variables.push((name.to_owned(), json));
        }
    };
    if let Some(documents) = documents {
        add("documents", documents.get().to_owned());
    }
    match reasoning_effort {
        None => {}
        Some("none") => add("enable_thinking", "false".into()),
        Some(effort) => add("reasoning_effort", serde_json::Value::from(effort).to_string()),
    }
    if variables.len() > VARIABLES_MAX {
        let bounds = format!("of at most {VARIABLES_MAX} entries");
        return Err(fields::out_of_bounds("chat_template_kwargs", bounds, variables.len()));
    }
    Ok(variables)
}
