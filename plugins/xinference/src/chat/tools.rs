//! Tools of a chat request.

use mimus_sdk::answers::{ToolChoice as Choice, ToolUse};
use mimus_sdk::chat::Tool;
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::refusal::Refusal;
use crate::text_or::TextOr;

/// Tools of one request.
const TOOLS_MAX: usize = 128;

/// A tool: a function in its wrapping or, as clients of ChatGLM3 have it, without.
#[derive(Deserialize)]
pub(super) struct GivenTool {
    function: Option<Function>,
    name: Option<String>,
    description: Option<String>,
    parameters: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Function {
    name: String,
    description: Option<String>,
    parameters: Option<Box<RawValue>>,
}

/// `tool_choice` where it is an object.
#[derive(Deserialize)]
pub(super) struct ToolChoice {
    function: Option<Name>,
}

#[derive(Deserialize)]
struct Name {
    name: String,
}

/// The tools that the model is told of, and how it uses them.
pub(super) struct Tools {
    pub(super) list: Vec<Tool>,
    pub(super) usage: ToolUse,
}

impl Tools {
    /// Whether the answer can be nothing but calls, so that a shape for its text has nothing to shape.
    pub(super) fn exclude_text(&self) -> bool {
        matches!(self.usage.choice, Choice::Required | Choice::Named(_))
    }
}

/// Brings the tools and the choice among them together.
pub(super) fn parse(
    given: Vec<GivenTool>,
    choice: Option<TextOr<ToolChoice>>,
    is_parallel: Option<bool>,
) -> Result<Tools, Refusal> {
    if given.len() > TOOLS_MAX {
        return Err(Refusal::bad(format!("Invalid input. `tools` must be at most {TOOLS_MAX}, got {}", given.len())));
    }
    let mut list: Vec<Tool> = given.into_iter().enumerate().map(parse_tool).collect::<Result<_, _>>()?;
    let choice = match choice {
        None => Choice::Auto,
        Some(TextOr::Text(mode)) => match mode.as_str() {
            "auto" => Choice::Auto,
            "none" => Choice::None,
            "required" => Choice::Required,
            other => {
                let detail =
                    format!("Invalid input. `tool_choice` must be none, auto, required or an object, got {other}");
                return Err(Refusal::bad(detail));
            }
        },
        Some(TextOr::Other(choice)) => match choice.function {
            Some(function) => Choice::Named(function.name),
            None => return Err(Refusal::bad("Invalid input. `tool_choice.function` is required")),
        },
    };
    let choice = match choice {
        Choice::Auto if list.is_empty() => Choice::None,
        choice => choice,
    };
    if choice == Choice::None {
        list.clear();
    }
    Ok(Tools { list, usage: ToolUse { choice, is_parallel: is_parallel.unwrap_or(true) } })
}

fn parse_tool((index, given): (usize, GivenTool)) -> Result<Tool, Refusal> {
    let place = format!("tools[{index}]");
    let function = match (given.function, given.name) {
        (Some(function), _) => function,
        (None, Some(name)) => Function { name, description: given.description, parameters: given.parameters },
        (None, None) => return Err(Refusal::bad(format!("Invalid input. `{place}.function` is required"))),
    };
    let parameters = match function.parameters {
        None => String::new(),
        Some(schema) if schema.get().starts_with('{') => schema.get().to_owned(),
        Some(schema) if schema.get() == "null" => String::new(),
        Some(_) => {
            let detail =
                format!("Invalid input. `{place}.function.parameters` must be a JSON schema that is an object");
            return Err(Refusal::bad(detail));
        }
    };
    Ok(Tool { name: function.name, description: function.description, parameters })
}
