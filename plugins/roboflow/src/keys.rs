//! Keys, where the server asks for one: in a header, as for every dialect, or where the clients of this one put it, `?api_key=` or
//! `"api_key"` in the body.

use mimus_sdk::{Request, config};

use crate::fault::Fault;

/// Refuses a client without a key that lets it in. `from_body`: the key in the body, for routes that have one.
pub(crate) fn check(request: &Request, from_body: Option<&str>) -> Result<(), Fault> {
    if !config::requires_key() || request.is_admitted() {
        return Ok(());
    }
    let from_query = request.query("api_key");
    let mut keys = [from_query.as_deref(), from_body].into_iter().flatten().peekable();
    if keys.peek().is_none() {
        let message =
            "Required Roboflow API key is missing. Send the key of this server as `api_key`, or as a bearer token.";
        return Err(Fault::new(401, message));
    }
    match keys.any(config::accepts_key) {
        true => Ok(()),
        false => Err(Fault::new(401, "Unauthorized access to roboflow API - check API key.")),
    }
}
