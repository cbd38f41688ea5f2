//! Tools: what the model is told of them. Whether it calls one is up to it: its answer is given as text.

use std::fmt;

use mimus_sdk::chat::Tool;
use serde::de::{self, Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::error::ApiError;

/// One entry of `tools`.
#[derive(serde::Deserialize)]
pub(super) struct ToolDefinition {
    #[serde(rename = "type")]
    kind: String,
    function: Option<Function>,
}

#[derive(serde::Deserialize)]
struct Function {
    name: String,
    description: Option<String>,
    parameters: Option<Box<RawValue>>,
}

/// `"auto"`, or an object that names a function.
pub(super) enum ToolChoice {
    Mode(String),
    /// The type, and the function's name where there is one.
    Object(String, Option<String>),
}

impl<'de> Deserialize<'de> for ToolChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        struct Named {
            #[serde(rename = "type")]
            kind: String,
            function: Option<Name>,
        }
        #[derive(serde::Deserialize)]
        struct Name {
            name: String,
        }
        struct ChoiceVisitor;
        impl<'de> Visitor<'de> for ChoiceVisitor {
            type Value = ToolChoice;
            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a string or an object")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<ToolChoice, E> {
                Ok(ToolChoice::Mode(text.to_owned()))
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<ToolChoice, A::Error> {
                let named = Named::deserialize(de::value::MapAccessDeserializer::new(map))?;
                Ok(ToolChoice::Object(named.kind, named.function.map(|function| function.name)))
            }
        }
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

/// The tools that the model is told of.
pub(super) fn parse(tools: Vec<ToolDefinition>, choice: Option<&ToolChoice>) -> Result<Vec<Tool>, ApiError> {
    let tools = tools.into_iter().enumerate().map(parse_tool).collect::<Result<Vec<_>, _>>()?;
    let forced = |what: &str| {
        Err(ApiError::unsupported(
            "tool_choice",
            format!("`tool_choice`: {what} cannot be forced here, use `auto` or `none`"),
        ))
    };
    match choice {
        None => Ok(tools),
        Some(ToolChoice::Mode(mode)) => match mode.as_str() {
            "auto" => Ok(tools),
            "none" => Ok(Vec::new()),
            "required" if tools.is_empty() => {
                Err(ApiError::invalid("tool_choice", "`tool_choice` is `required`, but there are no `tools`"))
            }
            "required" => forced("a call"),
            other => {
                let message = format!("`tool_choice` must be none, auto, required or an object, got `{other}`");
                Err(ApiError::invalid("tool_choice", message))
            }
        },
        Some(ToolChoice::Object(kind, name)) => match (kind.as_str(), name) {
            ("function", None) => Err(ApiError::missing("tool_choice.function")),
            ("function", Some(name)) if tools.iter().any(|tool| tool.name == *name) => forced("a function"),
            ("function", Some(name)) => Err(ApiError::invalid(
                "tool_choice",
                format!("`tool_choice` names `{name}`, which is not among the `tools`"),
            )),
            ("allowed_tools", _) => Ok(tools),
            (other, _) => Err(ApiError::invalid(
                "tool_choice.type",
                format!("`tool_choice.type` must be function, got `{other}`"),
            )),
        },
    }
}

fn parse_tool((index, tool): (usize, ToolDefinition)) -> Result<Tool, ApiError> {
    let at = |field: &str| format!("tools[{index}].{field}");
    if tool.kind != "function" {
        let message = format!("`{}` must be function, got `{}`", at("type"), tool.kind);
        return Err(ApiError::unsupported(at("type"), message));
    }
    let function = tool.function.ok_or_else(|| ApiError::missing(at("function")))?;
    let is_name = (1..=64).contains(&function.name.len())
        && function.name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-');
    if !is_name {
        let field = at("function.name");
        let message = format!("`{field}` must be 1 to 64 letters, digits, `_` or `-`");
        return Err(ApiError::invalid(field, message));
    }
    let parameters = function.parameters.map_or_else(String::new, |parameters| parameters.get().to_owned());
    Ok(Tool { name: function.name, description: function.description, parameters })
}
