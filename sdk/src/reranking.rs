//! How relevant texts are to a query.

use crate::backend::{Backend, host};
use crate::inference::Error;

pub use crate::bindings::personality::mimus::plugin::reranking::{Options, Relevance};

/// Documents of one call.
pub const DOCUMENTS_MAX: usize = 2048;

/// One relevance for each document, in the order of the documents.
pub fn rerank(model: &str, query: &str, documents: &[String], options: &Options) -> Result<Vec<Relevance>, Error> {
    Backend::rerank(&*host(), model, query, documents, options)
}

/// Indices of the most relevant documents, the best first, at most `top`. Equals keep their order.
///
/// ```
/// use mimus_sdk::reranking::{Relevance, best};
/// let relevance = |score| Relevance { score, tokens: 1, is_truncated: false };
/// assert_eq!(best(&[relevance(0.1), relevance(0.9), relevance(0.1)], Some(2)), [1, 0]);
/// ```
pub fn best(relevances: &[Relevance], top: Option<usize>) -> Vec<usize> {
    let mut order: Vec<usize> = (0..relevances.len()).collect();
    order.sort_by(|one, other| relevances[*other].score.total_cmp(&relevances[*one].score));
    order.truncate(top.unwrap_or(usize::MAX));
    order
}

/// Scores between 0 and 1, cut at the model's bound.
impl Default for Options {
    fn default() -> Self {
        Options { truncate_tokens: None, is_raw: false, instruction: None }
    }
}
