//! From a conversation with tools to a running answer.

use std::sync::Arc;

use mimus_engine::{Constraint, EngineError};

use super::grammar::{Wanted, special_tokens};
use super::marks::{CallSyntax, Marks};
use super::{Answer, ToolChoice, ToolUse};
use crate::inference::{Inference, InferenceError, Options};
use crate::limits;
use crate::plugin::chat::{Message, RenderOptions, Tool};

impl Inference {
    /// Answers a conversation and takes the answer apart.
    ///
    /// # Errors
    /// See [`InferenceError`]; `Invalid` for the fields `tools` and `tool-choice`. Nothing is queued on an error.
    pub async fn converse(
        &self,
        model: &str,
        messages: Vec<Message>,
        render: RenderOptions,
        mut options: Options,
        tools: ToolUse,
    ) -> Result<Answer, InferenceError> {
        check(&render.tools, &tools, options.constraint.as_ref())?;
        let offered = render.tools.clone();
        let (model, marks) = self.marks(model, &render).await?;
        let rendered = self.render(&model, messages, render).await?;
        let opened =
            marks.reasoning.as_ref().is_some_and(|span| rendered.prompt.trim_end().ends_with(span.open.trim()));
        let calls = match (&marks.calls, &tools.choice) {
            _ if offered.is_empty() => None,
            (_, ToolChoice::None) => None,
            (Some(calls), _) => Some(calls.clone()),
            (None, ToolChoice::Auto) => None,
            (None, ToolChoice::Required | ToolChoice::Named(_)) => Some(CallSyntax::json()),
        };
        let marks = Arc::new(Marks { calls, ..Marks::clone(&marks) });
        let tokenizer = model.model.tokenizer();
        options.shown_special_tokens = special_tokens(tokenizer, &marks);
        let grammar = |shape: Option<Constraint>, is_strict: bool| {
            let wanted = Wanted {
                tokenizer,
                marks: &marks,
                is_in_reasoning: opened,
                tools: &offered,
                calls: marks.calls.as_ref(),
                choice: &tools.choice,
                is_parallel: tools.is_parallel,
                shape,
                is_strict,
            };
            wanted.constraint().map_err(|reason| invalid("tools", reason))
        };
        let shape = options.constraint.take();
        options.constraint = grammar(shape.clone(), true)?;
        let tokens = self.encode_rendered(&model, rendered, &mut options).await?;
        let loosened = Options { constraint: None, ..options.clone() };
        let started = self.submit(&model, tokens.clone(), options).await;
        let running = match started {
            // A schema that cannot be enforced: where the model is free to call or not, its calls are held to be objects.
            Err(InferenceError::Engine(EngineError::Invalid { field: "constraint", .. }))
                if marks.calls.is_some() && tools.choice == ToolChoice::Auto && shape.is_none() =>
            {
                let constraint = grammar(shape, false)?;
                self.submit(&model, tokens, Options { constraint, ..loosened }).await?
            }
            Err(InferenceError::Engine(EngineError::Invalid { field: "constraint", reason }))
                if marks.calls.is_some() && shape.is_none() =>
            {
                return Err(invalid("tools", reason));
            }
            other => other?,
        };
        Ok(Answer::new(running, marks, opened))
    }
}

fn check(offered: &[Tool], tools: &ToolUse, shape: Option<&Constraint>) -> Result<(), InferenceError> {
    if offered.len() > limits::TOOLS_MAX {
        return Err(invalid("tools", format!("must be at most {}, got {}", limits::TOOLS_MAX, offered.len())));
    }
    match &tools.choice {
        ToolChoice::Auto | ToolChoice::None => Ok(()),
        _ if offered.is_empty() => Err(invalid("tool-choice", "needs tools".to_owned())),
        ToolChoice::Named(name) if !offered.iter().any(|tool| tool.name == *name) => {
            Err(invalid("tool-choice", format!("there is no tool `{}`", name.escape_debug())))
        }
        _ if shape.is_some() => Err(invalid("constraint", "excludes calls that must be made".to_owned())),
        _ => Ok(()),
    }
}

fn invalid(field: &'static str, reason: String) -> InferenceError {
    InferenceError::Engine(EngineError::Invalid { field, reason })
}
