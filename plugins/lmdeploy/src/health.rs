//! `GET /health`: 200 and nothing else, as in releases 0.5 to 0.15.

use mimus_sdk::{Request, Response};

use crate::refusal::Refusal;

/// The server answers, so it is well.
pub fn check(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.empty(200)?)
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;

    #[test]
    fn it_is_well_without_words() {
        let answer = mimus_sdk::scripted::call(&Lmdeploy, "GET", "/health", &[], b"");
        assert_eq!((answer.status, answer.text()), (200, ""));
    }
}
