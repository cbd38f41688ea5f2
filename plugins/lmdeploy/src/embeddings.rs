//! `POST /v1/embeddings`: the original has the route and refuses it in every release.

use mimus_sdk::{Request, Response};

use crate::refusal::Refusal;

/// 400, in the original's words.
pub fn refuse(_: &Request, _: &mut Response) -> Result<(), Refusal> {
    Err(Refusal::bad("input", "Unsupported by turbomind."))
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;

    #[test]
    fn it_is_refused_in_the_words_of_the_original() {
        let answer = mimus_sdk::scripted::call(&Lmdeploy, "POST", "/v1/embeddings", &[], b"{}");
        assert_eq!((answer.status, &answer.json()["message"]), (400, &"Unsupported by turbomind.".into()));
    }
}
