//! Calls that wait to be run, in the host's state: a request leaves one, another runs it.

use std::time::Duration;

use mimus_sdk::{inference, state};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::apps;
use crate::ids;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::turn::Call;

/// A call that nobody has asked the result of for so long is forgotten: as long as a request may take that runs those before it.
pub(crate) const LIFE: Duration = Duration::from_secs(600);

/// How long it is remembered that a call was run.
const AFTERLIFE: Duration = Duration::from_secs(60);

#[derive(Serialize, Deserialize)]
struct Job {
    app: String,
    function: usize,
    session: String,
    data: Vec<Value>,
    /// Somebody is running it, or has.
    is_taken: bool,
}

/// What became of a call.
pub(crate) enum Found {
    /// It is the caller's to run.
    Mine(Call),
    /// It is being run or was.
    Taken,
    /// There is none, or it was cancelled.
    Nothing,
}

/// Keeps a call; returns its event id.
pub(crate) fn put(call: Call) -> Result<String, Refusal> {
    let event = ids::event();
    let Call { app, function, session, data, .. } = call;
    let session = session.hash().to_owned();
    let job = Job { app: app.name.into(), function, session, data, is_taken: false };
    state::put(&key(&event), &job, Some(LIFE))?;
    Ok(event)
}

/// Takes a call to run it. Of several who try, one gets it.
pub(crate) fn take(event: &str) -> Result<Found, Refusal> {
    if !ids::is_event(event) {
        return Ok(Found::Nothing);
    }
    let Some(job) = state::get::<Job>(&key(event))? else { return Ok(Found::Nothing) };
    if job.value.is_taken {
        return Ok(Found::Taken);
    }
    let Job { app, function, session, data, .. } = job.value;
    let mark = Job { app: app.clone(), function, session: session.clone(), data: Vec::new(), is_taken: true };
    match state::compare_and_swap(&key(event), job.version, &mark, Some(LIFE)) {
        Ok(_) => {}
        Err(state::Error::Conflict(0)) => return Ok(Found::Nothing),
        Err(state::Error::Conflict(_)) => return Ok(Found::Taken),
        Err(error) => return Err(error.into()),
    }
    // Kept by another version of this plugin, it may not be there any more.
    let Some(app) = apps::ALL.iter().find(|known| known.name == app).copied() else { return Ok(Found::Nothing) };
    if app.function(function).is_none() {
        return Ok(Found::Nothing);
    }
    let session = Session::parse(Some(&session))?;
    Ok(Found::Mine(Call { app, function, session, data, event: Some(event.to_owned()) }))
}

/// Forgets a call that was run, after a while: who asks for it again until then is told nothing new.
pub(crate) fn finish(call: &Call) {
    let Some(event) = &call.event else { return };
    let (app, session) = (call.app.name.into(), call.session.hash().to_owned());
    let mark = Job { app, function: call.function, session, data: Vec::new(), is_taken: true };
    // A mark that cannot be kept is one that nobody needs.
    let _ = state::put(&key(event), &mark, Some(AFTERLIFE));
}

/// Whether a call that is run was cancelled.
pub(crate) fn is_cancelled(event: &str) -> Result<bool, state::Error> {
    Ok(state::get_bytes(&key(event))?.is_none())
}

/// Ends a call: one that waits is not run, one that is run stops. No event is no call of anybody's.
pub(crate) fn cancel(event: &str) -> Result<(), Refusal> {
    if ids::is_event(event) {
        // In this order: what starts in between sees that the call is gone.
        state::delete(&key(event))?;
        inference::cancel_tagged(event);
    }
    Ok(())
}

fn key(event: &str) -> String {
    format!("job/{event}")
}
