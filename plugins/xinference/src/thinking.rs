//! Whether a model thinks before it answers, as its launch said: the default for requests that do not say.

use mimus_sdk::state;

fn key(uid: &str) -> String {
    format!("thinking/{uid}")
}

/// Keeps what a launch said. What cannot be kept leaves the model's own way.
pub(crate) fn keep(uid: &str, thinks: Option<bool>) {
    let kept = match thinks {
        Some(thinks) => state::put(&key(uid), &thinks, None).map(drop),
        None => state::delete(&key(uid)).map(drop),
    };
    if let Err(error) = kept {
        mimus_sdk::warn!("`enable_thinking` of a launch could not be kept: {error:?}");
    }
}

/// What the launch said; none when it said nothing.
pub(crate) fn of(uid: &str) -> Option<bool> {
    // A store that fails is no reason to refuse an answer.
    state::get(&key(uid)).ok().flatten().map(|kept| kept.value)
}

/// The model is gone.
pub(crate) fn forget(uid: &str) {
    keep(uid, None);
}
