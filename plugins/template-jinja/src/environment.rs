//! The functions, filters and whitespace rules that templates expect.

use std::sync::{Arc, Mutex};

use mimus_sdk::template::RenderError;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use minijinja_contrib::pycompat::unknown_method_callback;

use crate::{filters, strftime};

/// Instructions that one rendering may take. A conversation of 4,096 messages takes about a tenth of it with the largest template
/// that is known.
const FUEL: u64 = 5_000_000;

/// Calls of macros and includes inside each other; the guest's stack holds more.
const RECURSION_MAX: usize = 64;

pub(crate) fn render(source: &str, now_s: u64, variables: Value) -> Result<String, RenderError> {
    // What the template said of the conversation by `raise_exception`.
    let raised: Arc<Mutex<Option<String>>> = Arc::default();
    let mut environment = environment(now_s, raised.clone());
    let source = without_generation_tags(source);
    environment.add_template("chat_template", &source).map_err(|error| RenderError::Template(describe(&error)))?;
    let template =
        environment.get_template("chat_template").map_err(|error| RenderError::Template(describe(&error)))?;
    template.render(variables).map_err(|error| {
        let raised = raised.lock().ok().and_then(|mut raised| raised.take());
        raised.map_or_else(|| RenderError::Template(describe(&error)), RenderError::Conversation)
    })
}

fn environment<'a>(now_s: u64, raised: Arc<Mutex<Option<String>>>) -> Environment<'a> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_auto_escape_callback(|_| AutoEscape::None);
    environment.set_unknown_method_callback(unknown_method_callback);
    environment.set_fuel(Some(FUEL));
    environment.set_recursion_limit(RECURSION_MAX);
    environment.add_filter("tojson", filters::to_json);
    environment.add_filter("indent", filters::indent);
    environment.add_function("strftime_now", move |format: &str| strftime::format(format, now_s));
    environment.add_function("raise_exception", move |message: String| -> Result<Value, Error> {
        if let Ok(mut raised) = raised.lock() {
            *raised = Some(message.clone());
        }
        Err(Error::new(ErrorKind::InvalidOperation, message))
    });
    environment
}

/// `{% generation %}` marks the assistant's words for training and changes nothing in the text: here it is a block like any other.
fn without_generation_tags(source: &str) -> String {
    let mut result = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(start) = rest.find("{%") {
        let Some(length) = rest[start..].find("%}") else { break };
        let (tag, tail) = rest[start..].split_at(length);
        let word = tag[2..].trim_start_matches(['-', '+']).trim_end_matches(['-', '+']).trim();
        let replacement = match word {
            "generation" => Some("if true"),
            "endgeneration" => Some("endif"),
            _ => None,
        };
        result.push_str(&rest[..start]);
        match replacement {
            Some(replacement) => result.push_str(&tag.replacen(word, replacement, 1)),
            None => result.push_str(tag),
        }
        rest = tail;
    }
    result.push_str(rest);
    result
}

/// The error with its line and what lies below it.
fn describe(error: &Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
