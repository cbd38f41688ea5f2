//! The prompt template that a model ships, written in Jinja.
//!
//! Templates see the environment that Hugging Face's transformers gives them (version 5, `chat_template_utils.py`): the same
//! functions and filters, the same whitespace rules, messages as dictionaries. Python's semantics where templates lean on them come
//! from `minijinja`. A template's work is bounded by fuel and by the depth of calls, its strings by the memory of its instance.
//!
//! Not there: the operator `%` on strings (the filter `format` is), Python's spelling of small floats outside of `tojson` (`1e-5` for
//! `1e-05`), and Python methods that no published template is known to call.

mod conversation;
mod environment;
mod filters;
mod json;
mod marks;
mod methods;
mod strftime;

use std::collections::BTreeMap;

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, RenderOptions, Rendered};
use mimus_sdk::template::{self, Context, Marks, RenderError, TemplateManifest};
use minijinja::Value;

/// Stands behind the last message while it is left open, as in transformers: what follows it in the rendering is cut off.
const CONTINUE_TAG: &str = "CONTINUE_FINAL_MESSAGE_TAG ";

/// The template plugin.
pub struct Jinja;

impl Template for Jinja {
    fn describe(&self) -> TemplateManifest {
        template::manifest("template-jinja", env!("CARGO_PKG_VERSION"), &["jinja"])
    }

    fn render(
        &self,
        context: &Context,
        messages: &[Message],
        options: &RenderOptions,
    ) -> Result<Rendered, RenderError> {
        let source = context
            .source
            .as_deref()
            .ok_or_else(|| RenderError::Template("the model ships no chat template".into()))?;
        let variables = variables(context, messages, options)?;
        let rendered = environment::render(source, context.now_s, &variables)?;
        let prompt = if options.continue_final_message { open_last_message(rendered)? } else { rendered };
        Ok(Rendered { prompt, stop: Vec::new() })
    }

    fn marks(&self, context: &Context) -> Marks {
        context.source.as_deref().map_or(Marks::NONE, marks::of)
    }
}

mimus_sdk::template!(Jinja);

fn variables(context: &Context, messages: &[Message], options: &RenderOptions) -> Result<Value, RenderError> {
    let mut variables: BTreeMap<&str, Value> = BTreeMap::new();
    // First, so that they cannot stand for anything below.
    for (name, json) in &options.variables {
        let value = conversation::json(json, || format!("the template variable `{name}` is not JSON"))?;
        variables.insert(name, value);
    }
    let tag = if options.continue_final_message { CONTINUE_TAG } else { "" };
    variables.insert("messages", conversation::messages(messages, tag)?);
    variables.insert("tools", conversation::tools(&options.tools)?);
    variables.entry("documents").or_insert_with(|| Value::from(()));
    variables.insert("add_generation_prompt", options.add_generation_prompt.into());
    variables.insert("bos_token", context.bos_token.as_str().into());
    variables.insert("eos_token", context.eos_token.as_str().into());
    Ok(Value::from_pairs(variables))
}

fn open_last_message(mut rendered: String) -> Result<String, RenderError> {
    let error =
        || RenderError::Conversation("the last message cannot be continued: the template does not show it".into());
    let start = rendered.rfind(CONTINUE_TAG.trim_end()).ok_or_else(error)?;
    // A template that trims its messages has taken the tag's space, and would have taken the message's.
    let kept = match rendered[start..].starts_with(CONTINUE_TAG) {
        true => start,
        false => rendered[..start].trim_end().len(),
    };
    rendered.truncate(kept);
    Ok(rendered)
}

#[cfg(test)]
mod tests;
