//! The functions, filters and whitespace rules that templates expect.

use std::sync::{Arc, Mutex};

use mimus_sdk::template::RenderError;
use minijinja::syntax::SyntaxConfig;
use minijinja::{
    Environment, Error, ErrorKind, UndefinedBehavior, Value, filters as filter, functions as function, tests as test,
};

use crate::{filters, methods, strftime};

/// Instructions that one rendering may take. A conversation of 4,096 messages takes about a tenth of it with the largest template
/// that is known.
const FUEL: u64 = 5_000_000;

/// Calls of macros and includes inside each other; the guest's stack holds more.
const RECURSION_MAX: usize = 64;

pub(crate) fn render(source: &str, now_s: u64, variables: &Value) -> Result<String, RenderError> {
    let source = without_generation_tags(source);
    let mut rendered = attempt(common(), &source, now_s, variables);
    if rendered.as_ref().is_err_and(|failure| failure.lacks_an_entry()) {
        rendered = attempt(Environment::new(), &source, now_s, variables);
    }
    rendered.map_err(|Failure { raised, error }| {
        raised.map_or_else(|| RenderError::Template(describe(&error)), RenderError::Conversation)
    })
}

struct Failure {
    /// What the template said of the conversation by `raise_exception`.
    raised: Option<String>,
    error: Error,
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Failure { raised: None, error }
    }
}

impl Failure {
    fn lacks_an_entry(&self) -> bool {
        matches!(self.error.kind(), ErrorKind::UnknownFilter | ErrorKind::UnknownTest | ErrorKind::UnknownFunction)
    }
}

fn attempt<'a>(
    mut environment: Environment<'a>,
    source: &'a str,
    now_s: u64,
    variables: &Value,
) -> Result<String, Failure> {
    let raised: Arc<Mutex<Option<String>>> = Arc::default();
    prepare(&mut environment, now_s, raised.clone());
    let template = environment.template_from_str(source)?;
    template.render(variables.clone()).map_err(|error| {
        let raised = raised.lock().ok().and_then(|mut raised| raised.take());
        Failure { raised, error }
    })
}

/// What most templates need. The full tables have a hundred entries more, and an instance, which renders once, would make them each time.
fn common<'a>() -> Environment<'a> {
    let mut environment = Environment::empty();
    environment.add_filter("default", filter::default);
    environment.add_filter("first", filter::first);
    environment.add_filter("items", filter::items);
    environment.add_filter("join", filter::join);
    environment.add_filter("last", filter::last);
    environment.add_filter("length", filter::length);
    environment.add_filter("list", filter::list);
    environment.add_filter("lower", filter::lower);
    environment.add_filter("map", filter::map);
    environment.add_filter("replace", filter::replace);
    environment.add_filter("selectattr", filter::selectattr);
    environment.add_filter("string", filter::string);
    environment.add_filter("trim", filter::trim);
    environment.add_filter("upper", filter::upper);
    environment.add_test("defined", test::is_defined);
    environment.add_test("equalto", test::is_eq);
    environment.add_test("false", test::is_false);
    environment.add_test("iterable", test::is_iterable);
    environment.add_test("mapping", test::is_mapping);
    environment.add_test("none", test::is_none);
    environment.add_test("number", test::is_number);
    environment.add_test("sequence", test::is_sequence);
    environment.add_test("string", test::is_string);
    environment.add_test("true", test::is_true);
    environment.add_test("undefined", test::is_undefined);
    environment.add_function("namespace", function::namespace);
    environment.add_function("range", function::range);
    environment
}

fn prepare(environment: &mut Environment, now_s: u64, raised: Arc<Mutex<Option<String>>>) {
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build();
    environment.set_syntax(syntax.expect("the delimiters are the usual ones"));
    environment.set_undefined_behavior(UndefinedBehavior::Lenient);
    environment.set_unknown_method_callback(methods::call);
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
