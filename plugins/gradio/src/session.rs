//! The name that a client gives its session. It chooses freely, so it is a key and nothing more: who knows it is the session.

use crate::ids;
use crate::refusal::Refusal;

/// Longest name, in bytes. Python's have 36, those of browsers 11.
const HASH_BYTES_MAX: usize = 128;

/// A session's name within bounds.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Session(String);

impl Session {
    /// Checks what a client sent.
    ///
    /// # Errors
    /// 400 where there is none, or one out of bounds.
    pub(crate) fn parse(hash: Option<&str>) -> Result<Session, Refusal> {
        let hash = hash.filter(|hash| !hash.is_empty()).ok_or_else(|| Refusal::new(400, "Session hash not found."))?;
        if hash.len() > HASH_BYTES_MAX || hash.chars().any(char::is_control) {
            return Err(Refusal::new(400, format!("session_hash must have at most {HASH_BYTES_MAX} plain characters")));
        }
        Ok(Session(hash.to_owned()))
    }

    /// The session of a call that names none: its own.
    pub(crate) fn parse_or_new(hash: Option<&str>) -> Result<Session, Refusal> {
        match hash {
            Some(hash) => Session::parse(Some(hash)),
            None => Ok(Session(ids::event())),
        }
    }

    pub(crate) fn hash(&self) -> &str {
        &self.0
    }
}
