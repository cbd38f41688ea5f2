//! Tools as both APIs with tools have them: what the model is told, and which it has to use.

use mimus_sdk::answers::{ToolChoice, ToolUse};
use mimus_sdk::chat::Tool;
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::fields;

/// Tools of one request, as OpenAI bounds them.
const TOOLS_MAX: usize = 128;

/// A function as clients describe it.
#[derive(serde::Deserialize)]
pub(crate) struct Function {
    pub(crate) name: String,
    pub(crate) description: Option<String>,
    pub(crate) parameters: Option<Box<RawValue>>,
    /// Arguments always fit their schema here, so this changes nothing.
    #[allow(dead_code)]
    pub(crate) strict: Option<bool>,
}

/// What a client says of the tools' use.
pub(crate) enum Choice {
    None,
    Auto,
    Required,
    Named(String),
    /// A part of the tools: whether one must be called, and which there are.
    Allowed(bool, Vec<String>),
}

/// The tools that the model is told of, and how it uses them.
pub(crate) struct Tools {
    pub(crate) list: Vec<Tool>,
    pub(crate) usage: ToolUse,
}

/// A tool from a function; `at` is the function's path in the request.
pub(crate) fn parse(function: Function, at: &str) -> Result<Tool, ApiError> {
    let is_name = (1..=64).contains(&function.name.len())
        && function.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_name {
        let field = join(at, "name");
        let message = format!("`{field}` must be 1 to 64 letters, digits, `_` or `-`");
        return Err(ApiError::invalid(field, message));
    }
    let parameters = match function.parameters {
        None => String::new(),
        Some(schema) if schema.get().starts_with('{') => schema.get().to_owned(),
        Some(_) => {
            let field = join(at, "parameters");
            let message = format!("`{field}` must be a JSON schema that is an object");
            return Err(ApiError::invalid(field, message));
        }
    };
    Ok(Tool { name: function.name, description: function.description, parameters })
}

fn join(at: &str, field: &str) -> String {
    format!("{at}.{field}")
}

/// A mode by its word; `param` is the field that holds it.
pub(crate) fn parse_mode(mode: &str, param: &'static str) -> Result<Choice, ApiError> {
    match mode {
        "none" => Ok(Choice::None),
        "auto" => Ok(Choice::Auto),
        "required" => Ok(Choice::Required),
        other => {
            let message = format!("`{param}` must be none, auto, required or an object, got `{other}`");
            Err(ApiError::invalid(param, message))
        }
    }
}

/// `allowed_tools` by its mode and names.
pub(crate) fn parse_allowed(mode: Option<&str>, names: Vec<String>) -> Result<Choice, ApiError> {
    match mode.unwrap_or("auto") {
        "auto" => Ok(Choice::Allowed(false, names)),
        "required" => Ok(Choice::Allowed(true, names)),
        other => {
            let message = format!("the mode of `allowed_tools` must be auto or required, got `{other}`");
            Err(ApiError::invalid("tool_choice", message))
        }
    }
}

/// Brings the tools and the choice among them together. `param` is the field that holds the choice.
pub(crate) fn choose(
    mut list: Vec<Tool>,
    choice: Option<Choice>,
    is_parallel: Option<bool>,
    param: &'static str,
) -> Result<Tools, ApiError> {
    if list.len() > TOOLS_MAX {
        return Err(fields::out_of_bounds("tools", format!("at most {TOOLS_MAX} tools"), list.len()));
    }
    if let Some(name) = first_double(&list) {
        return Err(ApiError::invalid("tools", format!("`tools` must have different names, got `{name}` twice")));
    }
    let unknown =
        |name: &str| ApiError::invalid(param, format!("`{param}` names `{name}`, which is not among the `tools`"));
    let is_known = |list: &[Tool], name: &str| list.iter().any(|tool| tool.name == name);
    let required = |list: &[Tool]| match list.is_empty() {
        true => Err(ApiError::invalid(param, format!("`{param}` is `required`, but there are no `tools`"))),
        false => Ok(ToolChoice::Required),
    };
    let choice = match choice {
        None | Some(Choice::Auto) if list.is_empty() => ToolChoice::None,
        None | Some(Choice::Auto) => ToolChoice::Auto,
        Some(Choice::None) => {
            list.clear();
            ToolChoice::None
        }
        Some(Choice::Required) => required(&list)?,
        Some(Choice::Named(name)) if is_known(&list, &name) => ToolChoice::Named(name),
        Some(Choice::Named(name)) => return Err(unknown(&name)),
        Some(Choice::Allowed(is_required, names)) => {
            if let Some(name) = names.iter().find(|name| !is_known(&list, name)) {
                return Err(unknown(name));
            }
            list.retain(|tool| names.contains(&tool.name));
            match (is_required, list.is_empty()) {
                (true, _) => required(&list)?,
                (false, true) => ToolChoice::None,
                (false, false) => ToolChoice::Auto,
            }
        }
    };
    Ok(Tools { list, usage: ToolUse { choice, is_parallel: is_parallel.unwrap_or(true) } })
}

impl Tools {
    /// Whether the answer can be nothing but calls, so that a shape for its text has nothing to shape.
    pub(crate) fn exclude_text(&self) -> bool {
        matches!(self.usage.choice, ToolChoice::Required | ToolChoice::Named(_))
    }
}

fn first_double(tools: &[Tool]) -> Option<&str> {
    let is_double = |(index, tool): &(usize, &Tool)| tools[..*index].iter().any(|before| before.name == tool.name);
    tools.iter().enumerate().find(is_double).map(|(_, tool)| tool.name.as_str())
}
