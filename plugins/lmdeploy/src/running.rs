//! Which generations can be found again, to cancel them.
//!
//! Each generation carries a label: its session's, or one that all without a session share. Where `/abort_request` is switched on,
//! running sessions are also listed in the host's state, so that all of them can be aborted.

use std::time::Duration;

use mimus_sdk::{config, inference, log, state};

use crate::refusal::Refusal;
use crate::session;

/// Label of generations without a session.
const LOOSE: &str = "loose";

/// The longest time that a listing outlives its request, whose guest may be gone without having taken it back. Requests live
/// shorter.
const LISTED_MAX: Duration = Duration::from_secs(15 * 60);

/// Sessions that are aborted by one look at the list.
const PAGE: u32 = 256;

const PREFIX: &str = "running/";

/// Whether clients may abort each other's requests: the setting `enable_abort_handling`, off unless it is set.
pub fn is_abort_enabled() -> bool {
    config::get("enable_abort_handling").unwrap_or_else(|error| {
        log::write(log::Level::Warn, &error);
        None
    }) == Some(true)
}

/// A running generation's entry, taken back when it is dropped.
pub struct Running {
    listed: Option<String>,
}

/// Enters a generation of that session, or of none.
pub fn enter(id: Option<i64>) -> Result<Running, Refusal> {
    let listed = id.filter(|_| is_abort_enabled()).map(|id| format!("{PREFIX}{id}"));
    if let Some(key) = &listed {
        state::put_bytes(key, b"", Some(LISTED_MAX))?;
    }
    Ok(Running { listed })
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(key) = &self.listed {
            // Left behind, it expires.
            let _ = state::delete(key);
        }
    }
}

/// Label of a session's generations, or of those without one.
pub fn tag(id: Option<i64>) -> String {
    id.map_or_else(|| LOOSE.to_owned(), session::tag)
}

/// Ends the generations of one session; returns how many there were.
pub fn cancel(id: i64) -> u32 {
    inference::cancel_tagged(&session::tag(id))
}

/// Ends all generations.
pub fn cancel_all() -> Result<(), Refusal> {
    inference::cancel_tagged(LOOSE);
    let mut after: Option<String> = None;
    loop {
        let keys = state::list(PREFIX, after.as_deref(), PAGE)?;
        for id in keys.iter().filter_map(|key| key.strip_prefix(PREFIX)?.parse().ok()) {
            cancel(id);
        }
        after = keys.last().cloned();
        if after.is_none() {
            return Ok(());
        }
    }
}
