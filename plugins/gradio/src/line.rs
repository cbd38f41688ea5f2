//! The calls of one session that wait for its event stream.
//!
//! One record for each session, changed by compare-and-swap: a call that joins while the stream looks for the last time is seen by it,
//! or found by the next stream. It is never lost.

use std::time::Duration;

use mimus_sdk::{clock, state};
use serde::{Deserialize, Serialize};

use crate::jobs;
use crate::refusal::Refusal;
use crate::session::Session;

/// Calls of one session that wait.
pub(crate) const WAITING_MAX: usize = 16;

/// How long a stream waits for the one before it, whose client has left and whose end may not have been noticed.
const STREAM_WAIT: Duration = Duration::from_secs(2);

/// A call that waits.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Place {
    pub(crate) event: String,
    /// Index of its function.
    pub(crate) function: usize,
    pub(crate) joined_ms: u64,
}

#[derive(Default, Serialize, Deserialize)]
struct Record {
    waiting: Vec<Place>,
    /// The call that the stream runs. Whoever finds one here without a stream knows that its client left in the middle.
    running: Option<String>,
}

/// The calls of one session at one app.
pub(crate) struct Line {
    key: String,
}

impl Line {
    pub(crate) fn new(app: &str, session: &Session) -> Line {
        Line { key: format!("line/{app}/{}", session.hash()) }
    }

    /// Adds a call.
    ///
    /// # Errors
    /// 503 when as many wait as may.
    pub(crate) fn join(&self, event: &str, function: usize) -> Result<(), Refusal> {
        let place = Place { event: event.to_owned(), function, joined_ms: clock::now_ms() };
        let mut is_full = false;
        state::update(&self.key, Some(jobs::LIFE), |record: Option<Record>| {
            let mut record = record.unwrap_or_default();
            is_full = record.waiting.len() >= WAITING_MAX;
            if !is_full {
                record.waiting.push(place.clone());
            }
            record
        })?;
        if is_full { Err(Refusal::queue_full()) } else { Ok(()) }
    }

    /// The sole right to run the session's calls; none while another stream has it. What a stream before has left half done is
    /// forgotten.
    pub(crate) fn open(&self) -> Result<Option<state::Lease>, Refusal> {
        let lease = match state::acquire(&self.key, STREAM_WAIT) {
            Ok(lease) => lease,
            Err(state::Error::Busy) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        if state::get_bytes(&self.key)?.is_some() {
            self.change(|record| record.running = None)?;
        }
        Ok(Some(lease))
    }

    /// The call whose turn it is, and how many wait in all.
    pub(crate) fn first(&self) -> Result<Option<(Place, usize)>, Refusal> {
        let record = state::get::<Record>(&self.key)?.map(|record| record.value).unwrap_or_default();
        let count = record.waiting.len();
        Ok(record.waiting.into_iter().next().map(|place| (place, count)))
    }

    /// Takes a call out of those that wait: it is run from now on.
    pub(crate) fn start(&self, event: &str) -> Result<(), Refusal> {
        self.change(|record| {
            record.waiting.retain(|place| place.event != event);
            record.running = Some(event.to_owned());
        })?;
        Ok(())
    }

    /// The call that is run has ended. True when none waits: from then on a call that joins is the next stream's.
    pub(crate) fn end(&self) -> Result<bool, Refusal> {
        Ok(self.change(|record| record.running = None)?.waiting.is_empty())
    }

    fn change(&self, mut change: impl FnMut(&mut Record)) -> Result<Record, state::Error> {
        state::update(&self.key, Some(jobs::LIFE), |record: Option<Record>| {
            let mut record = record.unwrap_or_default();
            change(&mut record);
            record
        })
    }
}
