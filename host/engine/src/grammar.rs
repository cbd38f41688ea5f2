//! Grammars that answers follow: from a client's constraint to the tokens that may come next.
//!
//! Alone names llguidance. A constraint is compiled once for a model, off the model's thread, under bounds on
//! its size and on the work it may cause; requests then begin with a copy. Nothing a constraint does, a panic
//! included, costs more than the request that brought it.

mod cache;
mod compile;
mod matcher;
mod vocabulary;

use std::fmt::Write as _;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use llguidance::{ParserFactory, TokenParser};

use crate::error::EngineError;
use crate::limits;
use crate::tokenizer::Tokenizer;
use cache::Cache;
pub(crate) use matcher::{Allowed, Matcher};

/// The shape that an answer must have.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Constraint {
    /// Any JSON object.
    JsonObject,
    /// JSON that a JSON Schema accepts; the schema as text. Properties come in the schema's order. Keywords that cannot
    /// be held are refused, with three exceptions: additional properties may come twice, a date may be a 29 February of
    /// any year, and numbers without bounds may be larger than a machine's.
    JsonSchema(String),
    /// Text that the whole of a regular expression matches, in the syntax of Rust's `regex` without look-around.
    Regex(String),
    /// A context-free grammar in llguidance's variant of Lark. `%json { … }` stands for a JSON Schema,
    /// `<[7]>` for the token with that id and `<|name|>` for the special token of that name.
    Lark(String),
    /// One of these texts.
    Choice(Vec<String>),
}

/// A constraint made ready for one model. Requests share it.
pub struct Grammar {
    /// What it was compiled with: tells which model it belongs to.
    factory: Arc<ParserFactory>,
    /// As compiled. Deep copies of it share nothing with anyone.
    pristine: TokenParser,
    /// What requests begin with. Copies share the lexer's tables, which grow with the texts that were seen, so that
    /// only the first request pays for them.
    warm: Mutex<TokenParser>,
    /// Bytes of its rules, roughly.
    rule_bytes: usize,
}

impl Grammar {
    /// Wraps a compiled parser.
    fn new(factory: Arc<ParserFactory>, pristine: TokenParser) -> Self {
        let warm = Mutex::new(pristine.deep_clone());
        // llguidance does not tell the size of its rules, but writes them down at some twenty bytes for each symbol.
        let mut written = Length(0);
        let _ = write!(written, "{:?}", pristine.parser.grammar());
        Self { factory, pristine, warm, rule_bytes: written.0 * limits::GRAMMAR_BYTES_PER_WRITTEN }
    }

    /// Bytes that it takes, roughly.
    fn bytes(&self) -> usize {
        let warm = self.warm.lock().unwrap_or_else(PoisonError::into_inner);
        let tables = |parser: &TokenParser| matcher::lexer_stats(parser).map_or(0, |stats| stats.num_bytes);
        self.rule_bytes + tables(&self.pristine) + tables(&warm)
    }
}

/// Counts the bytes that are written to it.
struct Length(usize);

impl std::fmt::Write for Length {
    fn write_str(&mut self, text: &str) -> std::fmt::Result {
        self.0 += text.len();
        Ok(())
    }
}

impl PartialEq for Grammar {
    /// Whether they are one and the same.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self, other)
    }
}

impl std::fmt::Debug for Grammar {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Grammar").finish_non_exhaustive()
    }
}

/// The grammars of one model.
pub(crate) struct Grammars {
    tokenizer: Arc<Tokenizer>,
    /// Made with the first grammar: it takes a tenth of a second for a large vocabulary.
    factory: OnceLock<Result<Arc<ParserFactory>, EngineError>>,
    turns: Arc<compile::Turns>,
    cache: Cache,
}

impl Grammars {
    /// No grammar yet.
    pub(crate) fn new(tokenizer: Arc<Tokenizer>) -> Self {
        let cache = Cache::new(limits::GRAMMAR_CACHE_ENTRIES_MAX, limits::GRAMMAR_CACHE_BYTES_MAX);
        Self { tokenizer, factory: OnceLock::new(), turns: Arc::default(), cache }
    }

    /// The grammar of `constraint`, compiled now unless it is known. Callers that want the same one wait for one
    /// compilation.
    ///
    /// # Errors
    /// [`EngineError::Invalid`] for what is no constraint, or too much of one; [`EngineError::Overloaded`] when too many
    /// are compiled already.
    pub(crate) fn compile(&self, constraint: &Constraint) -> Result<Arc<Grammar>, EngineError> {
        compile::check_size(constraint)?;
        self.cache.get_or_compile(constraint, || {
            let factory = self.factory.get_or_init(|| compile::factory(&self.tokenizer));
            let factory = factory.as_ref().map_err(EngineError::clone)?;
            let parser = compile::compile(factory, constraint, &self.turns)?;
            Ok(Arc::new(Grammar::new(Arc::clone(factory), parser)))
        })
    }

    /// What [`Self::compile`] would return at once.
    pub(crate) fn compiled(&self, constraint: &Constraint) -> Option<Result<Arc<Grammar>, EngineError>> {
        self.cache.get(constraint)
    }

    /// Whether `grammar` was compiled here.
    pub(crate) fn owns(&self, grammar: &Grammar) -> bool {
        matches!(self.factory.get(), Some(Ok(factory)) if Arc::ptr_eq(factory, &grammar.factory))
    }
}
