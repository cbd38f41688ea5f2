//! Tools of a chat request: today's `tools` and `tool_choice`, and the older `functions` and `function_call`.

use serde::Deserialize;

use crate::error::ApiError;
use crate::text_or::{Expected, TextOr};
use crate::tools::{self, Choice, Function, Tools};

/// One entry of `tools`.
#[derive(Deserialize)]
pub(super) struct ToolDefinition {
    #[serde(rename = "type")]
    kind: String,
    function: Option<Function>,
}

/// `tool_choice` where it is an object.
#[derive(Deserialize)]
pub(super) struct ToolChoice {
    #[serde(rename = "type")]
    kind: String,
    function: Option<Name>,
    allowed_tools: Option<AllowedTools>,
}

/// Also `function_call` where it is an object.
#[derive(Deserialize)]
pub(super) struct Name {
    name: String,
}

#[derive(Deserialize)]
struct AllowedTools {
    mode: Option<String>,
    tools: Vec<AllowedTool>,
}

#[derive(Deserialize)]
struct AllowedTool {
    function: Option<Name>,
}

impl Expected for ToolChoice {
    const WORDS: &'static str = "a string or an object";
}

impl Expected for Name {
    const WORDS: &'static str = "a string or an object";
}

/// Today's form.
pub(super) fn parse(
    definitions: Vec<ToolDefinition>,
    choice: Option<TextOr<ToolChoice>>,
    is_parallel: Option<bool>,
) -> Result<Tools, ApiError> {
    let list = definitions.into_iter().enumerate().map(parse_tool).collect::<Result<_, _>>()?;
    let choice = match choice {
        None => None,
        Some(TextOr::Text(mode)) => Some(tools::parse_mode(&mode, "tool_choice")?),
        Some(TextOr::Other(choice)) => Some(parse_choice(choice)?),
    };
    tools::choose(list, choice, is_parallel, "tool_choice")
}

/// The older form: at most one call.
pub(super) fn parse_functions(functions: Vec<Function>, call: Option<TextOr<Name>>) -> Result<Tools, ApiError> {
    let one = |(index, function)| tools::parse(function, &format!("functions[{index}]"));
    let list = functions.into_iter().enumerate().map(one).collect::<Result<_, _>>()?;
    let choice = match call {
        None => None,
        Some(TextOr::Text(mode)) => Some(tools::parse_mode(&mode, "function_call")?),
        Some(TextOr::Other(name)) => Some(Choice::Named(name.name)),
    };
    tools::choose(list, choice, Some(false), "function_call")
}

fn parse_choice(choice: ToolChoice) -> Result<Choice, ApiError> {
    match choice.kind.as_str() {
        "function" => {
            let function = choice.function.ok_or_else(|| ApiError::missing("tool_choice.function"))?;
            Ok(Choice::Named(function.name))
        }
        "allowed_tools" => {
            let allowed = choice.allowed_tools.ok_or_else(|| ApiError::missing("tool_choice.allowed_tools"))?;
            let name = |(index, tool): (usize, AllowedTool)| {
                let at = || format!("tool_choice.allowed_tools.tools[{index}].function");
                tool.function.map(|function| function.name).ok_or_else(|| ApiError::missing(at()))
            };
            let names = allowed.tools.into_iter().enumerate().map(name).collect::<Result<_, _>>()?;
            tools::parse_allowed(allowed.mode.as_deref(), names)
        }
        other => Err(ApiError::invalid(
            "tool_choice.type",
            format!("`tool_choice.type` must be function or allowed_tools, got `{other}`"),
        )),
    }
}

fn parse_tool((index, tool): (usize, ToolDefinition)) -> Result<mimus_sdk::chat::Tool, ApiError> {
    let at = |field: &str| format!("tools[{index}].{field}");
    if tool.kind != "function" {
        let message = format!("`{}` must be function, got `{}`", at("type"), tool.kind);
        return Err(ApiError::unsupported(at("type"), message));
    }
    let function = tool.function.ok_or_else(|| ApiError::missing(at("function")))?;
    tools::parse(function, &at("function"))
}
