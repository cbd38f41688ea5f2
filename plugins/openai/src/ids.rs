//! What every object of this API carries: an id, a time, and a name for the configuration behind it.

use mimus_sdk::{clock, random};

/// Characters after the prefix of an id.
const ID_CHARACTERS: u32 = 24;

/// Names the server's configuration: answers with one fingerprint and one seed can be compared.
pub(crate) const FINGERPRINT: &str = concat!("fp_mimus_", env!("CARGO_PKG_VERSION"));

/// What all chunks and the whole answer of one request share.
pub(crate) struct Stamp {
    pub(crate) id: String,
    /// Seconds since 1970.
    pub(crate) created: u64,
}

impl Stamp {
    pub(crate) fn new(prefix: &str) -> Self {
        Stamp { id: new(prefix), created: clock::now_s() }
    }
}

/// A call's id: unique within its conversation, and any other.
pub(crate) fn call() -> String {
    new("call_")
}

/// An id with a prefix. 142 bits of chance: it cannot be guessed.
pub(crate) fn new(prefix: &str) -> String {
    format!("{prefix}{}", random::id(ID_CHARACTERS))
}
