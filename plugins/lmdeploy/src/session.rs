//! Conversations that the server keeps between requests, in the host's state, by the number that clients choose.
//!
//! A session is the turns so far and the tokens they have become. One turn at a time: who works on a session holds its lease.

use std::time::Duration;

use mimus_sdk::log;
use mimus_sdk::state::{self, Lease};
use serde::{Deserialize, Serialize};

use crate::messages::Turn;
use crate::refusal::Refusal;
use crate::running;

/// The session id that asks for no session.
pub const NONE: i64 = -1;

/// A session that nobody has used for so long is forgotten.
const IDLE_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a turn waits for the one before it in the same session.
const TURN_WAIT: Duration = Duration::from_secs(30);

/// How long the end of a session waits for the turn that it has cancelled.
const END_WAIT: Duration = Duration::from_secs(10);

/// A conversation.
///
/// The ids are what the model has seen and said, so that the next prompt begins with exactly them and finds them in the cache. The
/// turns are what they mean, for lists that repeat the history and for a server that has changed its model.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// All turns, oldest first.
    pub turns: Vec<Turn>,
    /// Tokens as clients were told: each turn's prompt and answer, end tokens included.
    pub tokens: u32,
    /// Prompts and answers up to the last word of the last turn. Empty where they are not known.
    #[serde(default)]
    pub ids: Vec<u32>,
    /// Whose ids these are.
    #[serde(default)]
    pub vocabulary: String,
}

/// Whether there is such a session.
pub fn is_live(id: i64) -> Result<bool, Refusal> {
    Ok(state::get_bytes(&key(id))?.is_some())
}

/// Refuses a session id that belongs to a live session, as the stateless routes do. `NONE` and no id are free.
pub fn require_free(id: Option<i64>) -> Result<Option<i64>, Refusal> {
    let id = id.filter(|id| *id != NONE);
    match id {
        Some(id) if is_live(id)? => Err(Refusal::bad("session_id", format!("The session_id `{id}` is occupied."))),
        _ => Ok(id),
    }
}

/// The sole right to a session, and what is in it; empty for a new one. Waits for the turn before.
///
/// # Errors
/// 409 when the turn before takes too long.
pub fn open(id: i64) -> Result<(Lease, Session), Refusal> {
    let lease = state::acquire(&key(id), TURN_WAIT)?;
    let session = match state::get::<Session>(&key(id)) {
        Ok(found) => found.map(|versioned| versioned.value).unwrap_or_default(),
        Err(error) => {
            // Kept by another version of this plugin, or damaged: that session is lost, and its next turn is its first.
            log::write(log::Level::Warn, &format!("session {id} cannot be read and starts anew: {error:?}"));
            Session::default()
        }
    };
    Ok((lease, session))
}

/// Keeps a session. It is durable when this returns. The caller holds its lease.
pub fn keep(id: i64, session: &Session) -> Result<(), Refusal> {
    state::put(&key(id), session, Some(IDLE_LIFE))?;
    Ok(())
}

/// Forgets a session. The caller holds its lease.
pub fn forget(id: i64) -> Result<(), Refusal> {
    state::delete(&key(id))?;
    Ok(())
}

/// Ends a session together with the turn that is running in it. Ending one that is not there is no error.
pub fn end(id: i64) -> Result<(), Refusal> {
    running::cancel(id);
    // Without the lease the running turn may keep its session once more; better an idle session than a client that cannot end it.
    let _lease = state::acquire(&key(id), END_WAIT).ok();
    forget(id)
}

/// The label of a session's generations.
pub fn tag(id: i64) -> String {
    key(id)
}

fn key(id: i64) -> String {
    format!("session/{id}")
}
