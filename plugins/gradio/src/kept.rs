//! What a session keeps: conversations, in the host's state, for an hour after their last use.

use std::time::Duration;

use mimus_sdk::state::{self, Lease};
use mimus_sdk::{inference, log};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::turn::Call;

/// As long as Gradio keeps a session that its client has left.
const IDLE_LIFE: Duration = Duration::from_secs(3600);

/// How long a call waits for the one before it in the same session: as often as a lease can be waited for in the life of a request.
const WAIT: Duration = Duration::from_secs(60);
const WAITS_MAX: usize = 8;

/// A value of one session, which nobody else changes meanwhile.
pub(crate) struct Kept<T> {
    key: String,
    pub(crate) value: T,
    _lease: Lease,
}

impl<T: Serialize + DeserializeOwned + Default> Kept<T> {
    /// What the call's session keeps for its function; the empty value at first. Waits for the call before.
    pub(crate) fn open(call: &Call) -> Result<Kept<T>, Failure> {
        let key = key("kept", call);
        let mut waits = 1;
        let lease = loop {
            match state::acquire(&key, WAIT) {
                Err(state::Error::Busy) if waits < WAITS_MAX => waits += 1,
                lease => break lease?,
            }
        };
        let value = match state::get::<T>(&key) {
            Ok(found) => found.map(|versioned| versioned.value).unwrap_or_default(),
            Err(error) => {
                // Kept by another version of this plugin, or damaged: that conversation is lost, and its next turn is its first.
                log::write(log::Level::Warn, &format!("a conversation cannot be read and starts anew: {error:?}"));
                T::default()
            }
        };
        Ok(Kept { key, value, _lease: lease })
    }

    /// Makes the value durable.
    pub(crate) fn save(&self) -> Result<(), Failure> {
        state::put(&self.key, &self.value, Some(IDLE_LIFE))?;
        Ok(())
    }
}

/// Notes under which tag the call's session generates, so that another call of it can end that.
pub(crate) fn note_running(call: &Call, tag: &str) -> Result<(), Failure> {
    state::put(&key("running", call), tag, Some(IDLE_LIFE))?;
    Ok(())
}

/// Ends what the call's session generates.
pub(crate) fn cancel_running(call: &Call) {
    match state::get::<String>(&key("running", call)) {
        Ok(Some(tag)) => {
            inference::cancel_tagged(&tag.value);
        }
        Ok(None) => {}
        Err(error) => log::write(log::Level::Warn, &format!("a call could not be cancelled: {error:?}")),
    }
}

fn key(kind: &str, call: &Call) -> String {
    format!("{kind}/{}/{}/{}", call.function().slot, call.app.name, call.session.hash())
}
