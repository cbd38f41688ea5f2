//! `GET /terminate`: refused, as in the original unless it was started with `--allow-terminate-by-client`. A personality is one of
//! several on its server and cannot end it.

use mimus_sdk::{Request, Response};

use crate::refusal::Refusal;

/// 400.
pub fn refuse(_: &Request, _: &mut Response) -> Result<(), Refusal> {
    Err(Refusal::refused("The server can not be terminated by its clients."))
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;

    #[test]
    fn it_is_refused() {
        assert_eq!(mimus_sdk::scripted::call(&Lmdeploy, "GET", "/terminate", &[], b"").status, 400);
    }
}
