//! The tools of a request, and which of them the answer is to call.

use mimus_sdk::answers::{ToolChoice, ToolUse};
use mimus_sdk::chat::Tool;
use serde::Deserialize;
use serde_json::Value;

use crate::refusal::Refusal;

/// Tools of one request.
const TOOLS_MAX: usize = 128;

/// Name and schema of a function that the model may call.
#[derive(Debug, Deserialize)]
pub struct GivenTool {
    function: GivenFunction,
}

#[derive(Debug, Deserialize)]
struct GivenFunction {
    name: String,
    description: Option<String>,
    parameters: Option<Value>,
}

/// `tool_choice` in its three forms.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum GivenChoice {
    /// `auto`, `none` or `required`.
    Word(String),
    /// One function.
    Function { function: FunctionName },
    /// Some of the functions, from release 0.16 on.
    Allowed { allowed_tools: Allowed },
}

#[derive(Debug, Deserialize)]
pub struct FunctionName {
    name: String,
}

#[derive(Debug, Deserialize)]
pub struct Allowed {
    mode: String,
    tools: Vec<AllowedTool>,
}

#[derive(Debug, Deserialize)]
struct AllowedTool {
    function: FunctionName,
}

/// What the host is told. Without a call to be made the model is not shown the tools either, as in the original.
pub fn read(
    tools: Option<Vec<GivenTool>>,
    choice: Option<GivenChoice>,
    is_parallel: Option<bool>,
) -> Result<(Vec<Tool>, ToolUse), Refusal> {
    let given = tools.unwrap_or_default();
    if given.len() > TOOLS_MAX {
        return Err(Refusal::bad("tools", format!("`tools` holds {}, at most {TOOLS_MAX} are allowed", given.len())));
    }
    let mut tools: Vec<Tool> = given.into_iter().map(|tool| tool.function.into_tool()).collect();
    let choice = match choice {
        None => ToolChoice::Auto,
        Some(GivenChoice::Word(word)) => by_word(&word)?,
        Some(GivenChoice::Function { function }) => ToolChoice::Named(function.name),
        Some(GivenChoice::Allowed { allowed_tools }) => {
            tools.retain(|tool| allowed_tools.tools.iter().any(|allowed| allowed.function.name == tool.name));
            by_word(&allowed_tools.mode)?
        }
    };
    if matches!(choice, ToolChoice::None) {
        tools.clear();
    }
    Ok((tools, ToolUse { choice, is_parallel: is_parallel.unwrap_or(true) }))
}

fn by_word(word: &str) -> Result<ToolChoice, Refusal> {
    match word {
        "auto" => Ok(ToolChoice::Auto),
        "none" => Ok(ToolChoice::None),
        "required" => Ok(ToolChoice::Required),
        other => Err(Refusal::bad("tool_choice", format!("the tool_choice `{other}` does not exist"))),
    }
}

impl GivenFunction {
    fn into_tool(self) -> Tool {
        let parameters = self.parameters.filter(|schema| !schema.is_null());
        Tool {
            name: self.name,
            description: self.description,
            parameters: parameters.map(|schema| schema.to_string()).unwrap_or_default(),
        }
    }
}
