//! How an answer is sent: whole, or as a stream that may tell the usage.

use crate::error::ApiError;
use crate::usage::{Tally, Usage};

/// What a stream tells besides the answer.
#[derive(serde::Deserialize, Default, Clone, Copy)]
pub(crate) struct StreamOptions {
    include_usage: Option<bool>,
    /// vLLM's: usage in every chunk.
    continuous_usage_stats: Option<bool>,
}

/// How to send the answer.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Delivery {
    Whole,
    Stream(UsageIn),
}

/// Where a stream tells the usage.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum UsageIn {
    Nowhere,
    /// A chunk of its own at the end; `null` in the others.
    LastChunk,
    EveryChunk,
}

impl Delivery {
    pub(crate) fn parse(stream: Option<bool>, options: Option<StreamOptions>) -> Result<Self, ApiError> {
        if !stream.unwrap_or(false) {
            return match options {
                Some(_) => {
                    Err(ApiError::invalid("stream_options", "`stream_options` is only allowed when `stream` is true"))
                }
                None => Ok(Delivery::Whole),
            };
        }
        let options = options.unwrap_or_default();
        let is_wanted = options.include_usage.unwrap_or(false);
        let is_continuous = options.continuous_usage_stats.unwrap_or(false);
        Ok(Delivery::Stream(match (is_wanted, is_continuous) {
            (false, _) => UsageIn::Nowhere,
            (true, false) => UsageIn::LastChunk,
            (true, true) => UsageIn::EveryChunk,
        }))
    }
}

impl UsageIn {
    /// The key `usage` of a chunk with a choice: absent, null, or the usage so far.
    pub(crate) fn of_chunk(self, tally: &Tally) -> Option<Option<Usage>> {
        match self {
            UsageIn::Nowhere => None,
            UsageIn::LastChunk => Some(None),
            UsageIn::EveryChunk => Some(Some(tally.usage())),
        }
    }

    /// The usage of the chunk without choices that ends a stream; none: no such chunk.
    pub(crate) fn of_end(self, tally: &Tally) -> Option<Usage> {
        (self != UsageIn::Nowhere).then(|| tally.usage())
    }
}
