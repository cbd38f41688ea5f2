//! How long a session may become, which for the stateless routes is how long prompt and answer may be together.
//!
//! lmdeploy's `--session-len`: here the setting `session_len`, at most the model's context.

use mimus_sdk::inference::{ContextExcess, Error, Options};
use mimus_sdk::models::Model;
use mimus_sdk::{config, log};

/// Tokens that fit, prompt and answer together.
pub fn of(model: &Model) -> u32 {
    let setting = config::get("session_len").unwrap_or_else(|error| {
        log::write(log::Level::Warn, &error);
        None
    });
    setting.map_or(model.context_tokens, |tokens: u32| tokens.min(model.context_tokens))
}

/// Whether the setting is tighter than the model, so that the host's own bound is not enough.
pub fn is_set(model: &Model) -> bool {
    of(model) < model.context_tokens
}

/// Bounds the answer to a prompt of so many tokens.
///
/// # Errors
/// The host's own error when it does not fit.
pub fn bound(model: &Model, prompt: usize, options: &mut Options) -> Result<(), Error> {
    let limit = of(model);
    let prompt = u32::try_from(prompt).unwrap_or(u32::MAX);
    let room = limit.saturating_sub(prompt);
    if room < options.tokens_max.unwrap_or(1) {
        let wanted = options.tokens_max.unwrap_or(0);
        return Err(Error::ContextExceeded(ContextExcess { limit, prompt, wanted }));
    }
    options.tokens_max.get_or_insert(room);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use mimus_sdk::native::with_backend;
    use mimus_sdk::scripted::{ScriptedHost, model};
    use std::rc::Rc;

    #[test]
    fn the_tighter_bound_counts() {
        for (setting, limit) in [(None, 4096), (Some(100), 100), (Some(5000), 4096)] {
            let host =
                setting.map_or_else(ScriptedHost::new, |tokens| ScriptedHost::new().setting("session_len", tokens));
            with_backend(Rc::new(host), || assert_eq!(of(&model("m")), limit, "{setting:?}"));
        }
        with_backend(Rc::new(ScriptedHost::new().setting("session_len", "long")), || assert_eq!(of(&model("m")), 4096));
    }

    #[test]
    fn just_under_at_and_over() {
        let host = ScriptedHost::new().setting("session_len", 10);
        let cases = [(9, None, Ok(Some(1))), (10, None, Err(())), (8, Some(2), Ok(Some(2))), (8, Some(3), Err(()))];
        with_backend(Rc::new(host), || {
            for (prompt, tokens_max, expect) in cases {
                let mut options = Options { tokens_max, ..Options::default() };
                let got = bound(&model("m"), prompt, &mut options).map(|()| options.tokens_max).map_err(|_| ());
                assert_eq!(got, expect, "{prompt} {tokens_max:?}");
            }
        });
    }
}
