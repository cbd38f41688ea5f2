//! How much a guest may have generated. A request is bounded by the tokens that all its answers together may take, because each of
//! its fields alone (prompts, choices, tokens) has a bound whose product would have none.

use crate::inference::{Options, Running};
use crate::limits;
use crate::plugin::bindings::personality::mimus::plugin::inference as wit;
use crate::plugin::guest::Guest;

impl Guest {
    /// Fits a further generation into what is left of the request's work: one that states its tokens is refused when it passes, one
    /// that does not is given the rest. [`Guest::charge_work`] follows when it has started.
    pub(super) fn bound_work(&self, options: &mut Options) -> Result<(), wit::Error> {
        match share(self.work_tokens, options.choices, options.tokens_max) {
            Ok(open) => {
                options.tokens_open_max = open;
                Ok(())
            }
            Err(reason) => Err(wit::Error::Invalid(wit::InvalidValue { field: "tokens-max".to_owned(), reason })),
        }
    }

    /// Notes what a generation that has started may take.
    pub(super) fn charge_work(&mut self, running: &Running) {
        self.work_tokens = self.work_tokens.saturating_add(running.work_tokens());
    }
}

/// The bound on a choice that states none, where there is one. `spent`: what the request's other generations may take.
fn share(spent: u64, choices: u32, wanted: Option<u32>) -> Result<Option<u32>, String> {
    let choices = u64::from(choices.max(1));
    if spent == 0 && choices == 1 {
        // One answer may fill the context, however long that is.
        return Ok(None);
    }
    let bound = limits::WORK_TOKENS_MAX;
    let left = bound.saturating_sub(spent);
    match wanted {
        Some(wanted) if choices.saturating_mul(u64::from(wanted)) <= left => Ok(None),
        Some(wanted) => Err(format!(
            "{choices} x {wanted} tokens pass the {bound} that one request may ask for in all, of which {left} are left"
        )),
        None if left >= choices => Ok(Some(u32::try_from(left / choices).unwrap_or(u32::MAX))),
        None => Err(format!("none of the {bound} tokens that one request may ask for in all are left")),
    }
}

#[cfg(test)]
mod tests {
    use super::share;
    use crate::limits::WORK_TOKENS_MAX;

    #[test]
    fn a_request_shares_its_work_out() {
        let bound = u32::try_from(WORK_TOKENS_MAX).expect("a small bound");
        type Case = (u64, u32, Option<u32>, Result<Option<u32>, &'static str>);
        let cases: [Case; 11] = [
            // One choice takes what the context has.
            (0, 1, None, Ok(None)),
            (0, 1, Some(bound + 1), Ok(None)),
            // Just under, at, just over.
            (0, 16, Some(bound / 16 - 1), Ok(None)),
            (0, 16, Some(bound / 16), Ok(None)),
            (
                0,
                16,
                Some(bound / 16 + 1),
                Err("16 x 4097 tokens pass the 65536 that one request may ask for in all, of which 65536 are left"),
            ),
            (1, 1, Some(bound - 1), Ok(None)),
            (
                1,
                1,
                Some(bound),
                Err("1 x 65536 tokens pass the 65536 that one request may ask for in all, of which 65535 are left"),
            ),
            // What is not stated is what is left.
            (0, 16, None, Ok(Some(bound / 16))),
            (WORK_TOKENS_MAX - 4, 3, None, Ok(Some(1))),
            (
                WORK_TOKENS_MAX - 2,
                3,
                None,
                Err("none of the 65536 tokens that one request may ask for in all are left"),
            ),
            (u64::MAX, 1, None, Err("none of the 65536 tokens that one request may ask for in all are left")),
        ];
        for (spent, choices, wanted, expect) in cases {
            assert_eq!(share(spent, choices, wanted), expect.map_err(str::to_owned), "{spent} {choices} {wanted:?}");
        }
        // A choice without tokens, which scores its prompt, costs nothing.
        assert_eq!(share(WORK_TOKENS_MAX, 1, Some(0)), Ok(None));
    }
}
