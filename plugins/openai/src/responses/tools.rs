//! Tools in the flat form of this API.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::error::ApiError;
use crate::text_or::{Expected, TextOr};
use crate::tools::{self, Choice, Function, Tools};

/// One entry of `tools`, as it comes and as the response repeats it.
#[derive(Serialize, Deserialize)]
pub(super) struct FlatTool {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
    description: Option<String>,
    parameters: Option<Box<RawValue>>,
    strict: Option<bool>,
}

/// `tool_choice` where it is an object.
#[derive(Serialize, Deserialize)]
pub(super) struct FlatChoice {
    #[serde(rename = "type")]
    kind: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Vec<AllowedTool>>,
}

#[derive(Serialize, Deserialize)]
struct AllowedTool {
    #[serde(rename = "type")]
    kind: String,
    name: Option<String>,
}

impl Expected for FlatChoice {
    const WORDS: &'static str = "a string or an object";
}

/// What the model is told. The definitions are made ready to be repeated: on one line, and complete.
pub(super) fn parse(
    definitions: &mut [FlatTool],
    choice: Option<&TextOr<FlatChoice>>,
    is_parallel: Option<bool>,
) -> Result<Tools, ApiError> {
    let list = definitions.iter_mut().enumerate().map(parse_tool).collect::<Result<_, _>>()?;
    let choice = match choice {
        None => None,
        Some(TextOr::Text(mode)) => Some(tools::parse_mode(mode, "tool_choice")?),
        Some(TextOr::Other(choice)) => Some(parse_choice(choice)?),
    };
    tools::choose(list, choice, is_parallel, "tool_choice")
}

fn parse_tool((index, tool): (usize, &mut FlatTool)) -> Result<mimus_sdk::chat::Tool, ApiError> {
    let at = format!("tools[{index}]");
    if tool.kind != "function" {
        let message =
            format!("`{at}.type` must be function, got `{}`: this server runs no tools of its own", tool.kind);
        return Err(ApiError::unsupported(format!("{at}.type"), message));
    }
    tool.parameters = tool.parameters.take().map(one_line);
    tool.strict.get_or_insert(true);
    let name = tool.name.clone().ok_or_else(|| ApiError::missing(format!("{at}.name")))?;
    let (description, parameters) = (tool.description.clone(), tool.parameters.clone());
    tools::parse(Function { name, description, parameters, strict: None }, &at)
}

fn parse_choice(choice: &FlatChoice) -> Result<Choice, ApiError> {
    match choice.kind.as_str() {
        "function" => Ok(Choice::Named(choice.name.clone().ok_or_else(|| ApiError::missing("tool_choice.name"))?)),
        "allowed_tools" => {
            let allowed = choice.tools.as_ref().ok_or_else(|| ApiError::missing("tool_choice.tools"))?;
            let name = |(index, tool): (usize, &AllowedTool)| {
                let at = || format!("tool_choice.tools[{index}].name");
                tool.name.clone().ok_or_else(|| ApiError::missing(at()))
            };
            let names = allowed.iter().enumerate().map(name).collect::<Result<_, _>>()?;
            tools::parse_allowed(choice.mode.as_deref(), names)
        }
        other => {
            let message = format!("`tool_choice.type` must be function or allowed_tools, got `{other}`");
            Err(ApiError::unsupported("tool_choice.type", message))
        }
    }
}

/// JSON without line breaks, which would end the line of an event. Inside of strings there are none.
pub(super) fn one_line(json: Box<RawValue>) -> Box<RawValue> {
    if !json.get().contains(['\n', '\r']) {
        return json;
    }
    let text = json.get().replace(['\n', '\r'], " ");
    RawValue::from_string(text).unwrap_or(json)
}
