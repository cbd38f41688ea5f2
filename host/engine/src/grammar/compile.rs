//! From a constraint's text to a parser, within bounds.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};

use llguidance::api::{GrammarWithLexer, ParserLimits, TopLevelGrammar};
use llguidance::earley::SlicedBiasComputer;
use llguidance::toktrie::InferenceCapabilities;
use llguidance::{ParserFactory, TokenParser, regex_to_lark};
use serde_json::{Value, json};

use super::Constraint;
use super::matcher::fenced;
use super::vocabulary::vocabulary;
use crate::error::EngineError;
use crate::limits;
use crate::tokenizer::Tokenizer;

impl Constraint {
    /// Bytes of its text.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::JsonObject => 0,
            Self::JsonSchema(text) | Self::Regex(text) | Self::Lark(text) => text.len(),
            Self::Choice(texts) => texts.iter().map(|text| text.len() + size_of::<String>()).sum(),
        }
    }
}

/// Refuses what is larger than any honest constraint, before it is even looked up.
pub(super) fn check_size(constraint: &Constraint) -> Result<(), EngineError> {
    let bytes = constraint.bytes();
    if bytes <= limits::GRAMMAR_SOURCE_BYTES_MAX {
        return Ok(());
    }
    Err(refusal(format!("has {bytes} bytes, and at most {} are allowed", limits::GRAMMAR_SOURCE_BYTES_MAX)))
}

/// What grammars of one model are compiled with.
pub(super) fn factory(tokenizer: &Tokenizer) -> Result<Arc<ParserFactory>, EngineError> {
    let made = fenced(|| {
        let slices = SlicedBiasComputer::general_slices();
        let factory = ParserFactory::new(&vocabulary(tokenizer), InferenceCapabilities::default(), &slices);
        factory.map_err(|error| error.to_string())
    });
    let mut factory =
        made.map_err(|error| EngineError::Unsupported(format!("constraints, because of this vocabulary: {error}")))?;
    factory.quiet();
    *factory.limits_mut() = ParserLimits {
        initial_lexer_fuel: limits::GRAMMAR_COMPILE_FUEL,
        step_lexer_fuel: limits::GRAMMAR_STEP_FUEL,
        step_max_items: limits::GRAMMAR_STEP_ITEMS_MAX,
        max_lexer_states: limits::GRAMMAR_STATES_MAX,
        max_grammar_size: limits::GRAMMAR_SIZE_MAX,
        verbose_errors: false,
        ..ParserLimits::default()
    };
    Ok(Arc::new(factory))
}

/// Compilations under way, the abandoned ones included.
pub(super) type Turns = AtomicUsize;

/// Compiles `constraint`.
///
/// # Errors
/// [`EngineError::Invalid`] for the field `constraint`, with a reason for the client; [`EngineError::Overloaded`] when
/// too many are compiled already.
pub(super) fn compile(
    factory: &Arc<ParserFactory>,
    constraint: &Constraint,
    turns: &Arc<Turns>,
) -> Result<TokenParser, EngineError> {
    let turn = Turn::take(turns)?;
    let (sender, receiver) = mpsc::sync_channel(1);
    let (factory, constraint) = (Arc::clone(factory), constraint.clone());
    let work = move || {
        let compiled = source(&constraint).and_then(|source| fenced(|| parser(&factory, source)).map_err(refusal));
        drop(turn);
        // Whoever asked may have stopped waiting.
        let _ = sender.send(compiled);
    };
    // Grammars nest as deep as their text is long, and llguidance follows them by recursion; a stack that runs over
    // would take the process with it.
    let thread = std::thread::Builder::new().name("grammar".to_owned()).stack_size(limits::GRAMMAR_STACK_BYTES);
    thread.spawn(work).map_err(|error| EngineError::Failed(format!("no thread to compile on: {error}")))?;
    // llguidance's own bounds keep nearly everything to some hundred milliseconds; the clock is for the rest.
    receiver.recv_timeout(limits::GRAMMAR_COMPILE_MAX).unwrap_or_else(|error| {
        Err(refusal(match error {
            mpsc::RecvTimeoutError::Timeout => "takes too long to compile".to_owned(),
            mpsc::RecvTimeoutError::Disconnected => "cannot be compiled".to_owned(),
        }))
    })
}

/// A place among the compilations under way, given back when it is dropped.
struct Turn(Arc<Turns>);

impl Turn {
    fn take(turns: &Arc<Turns>) -> Result<Self, EngineError> {
        let turn = Self(Arc::clone(turns));
        if turn.0.fetch_add(1, Ordering::Relaxed) >= limits::GRAMMARS_COMPILING_MAX {
            return Err(EngineError::Overloaded { retry_after: limits::GRAMMAR_COMPILE_MAX });
        }
        Ok(turn)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A parser that has looked at its first token, so that requests find that part of the tables filled.
fn parser(factory: &ParserFactory, source: TopLevelGrammar) -> Result<TokenParser, String> {
    let mut parser = factory.create_parser(source).map_err(|error| format!("{error:#}"))?;
    parser.start_without_prompt();
    let is_over = parser.check_stop().map_err(|error| error.to_string())?;
    if !is_over {
        parser.compute_mask().map_err(|error| match error.to_string() {
            reason if reason.contains("NoExtension") => "no text matches it".to_owned(),
            reason => reason,
        })?;
    }
    Ok(parser)
}

/// The grammar in llguidance's own form.
fn source(constraint: &Constraint) -> Result<TopLevelGrammar, EngineError> {
    match constraint {
        Constraint::JsonObject => Ok(TopLevelGrammar::from_json_schema(with_whitespace(json!({"type": "object"})))),
        Constraint::JsonSchema(text) => {
            let schema: Value =
                serde_json::from_str(text).map_err(|error| refusal(format!("the schema is not JSON: {error}")))?;
            if !schema.is_object() && !schema.is_boolean() {
                return Err(refusal("the schema is neither an object nor a boolean".to_owned()));
            }
            Ok(TopLevelGrammar::from_json_schema(with_whitespace(schema)))
        }
        Constraint::Regex(pattern) => Ok(TopLevelGrammar::from_grammar(GrammarWithLexer::from_lark(format!(
            "start: /{}/",
            regex_to_lark(pattern, "")
        )))),
        Constraint::Lark(text) => Ok(TopLevelGrammar::from_lark(text.clone())),
        Constraint::Choice(texts) => choice(texts),
    }
}

/// Bounds the white space between the parts of JSON, in which a model can otherwise lose itself for ever.
fn with_whitespace(mut schema: Value) -> Value {
    if let Some(keywords) = schema.as_object_mut() {
        let own = json!({ "whitespace_pattern": limits::JSON_WHITESPACE });
        keywords.entry("x-guidance").or_insert(own);
    }
    schema
}

/// One of `texts`, as a single lexeme: that is far cheaper to follow than as many rules.
fn choice(texts: &[String]) -> Result<TopLevelGrammar, EngineError> {
    if texts.is_empty() {
        return Err(refusal("there is nothing to choose from".to_owned()));
    }
    if texts.iter().any(String::is_empty) {
        return Err(refusal("a choice has no text".to_owned()));
    }
    // Lark reads the escapes of JSON.
    let quoted: Vec<String> = texts.iter().map(|text| Value::from(text.as_str()).to_string()).collect();
    Ok(TopLevelGrammar::from_lark(format!("start: CHOICE\nCHOICE: {}", quoted.join(" | "))))
}

/// A refusal in one line that a client can act on.
fn refusal(reason: String) -> EngineError {
    // A panic's message is for the house, and after a line break llguidance describes itself.
    let reason = if reason.starts_with("panic:") { "cannot be compiled" } else { reason.trim() };
    let reason = reason.split("\n<").next().unwrap_or_default().replace('\n', " ");
    let shown: String = reason.chars().take(limits::GRAMMAR_REASON_CHARS_MAX).collect();
    EngineError::invalid("constraint", shown)
}
