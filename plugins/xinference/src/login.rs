//! Logging in: the password is the server's key, and so is the token. Any name will do, because keys have none.

use mimus_sdk::{Request, Response, config};
use serde::Deserialize;
use serde_json::json;

use crate::refusal::Refusal;

#[derive(Deserialize)]
struct Credentials {
    #[serde(rename = "username")]
    _username: String,
    password: String,
}

/// `POST /token`. Where no key is needed there is nothing to log in to, and clients do not try.
pub(crate) fn token(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    if !config::requires_key() {
        return Err(Refusal::new(405, "Method Not Allowed: this server needs no login."));
    }
    let credentials: Credentials = request.json()?;
    if !config::accepts_key(&credentials.password) {
        return Err(Refusal::new(401, "Incorrect username or password"));
    }
    let token = credentials.password;
    Ok(response.json(200, &json!({ "access_token": token, "refresh_token": token, "token_type": "bearer" }))?)
}

/// `GET /v1/admin/setup/status`: the operator has set the server up, or it would not run.
pub(crate) fn setup_status(_: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &json!({ "needs_setup": false, "initialized": true, "password_min_length": 1 }))?)
}

/// `POST /v1/admin/setup`.
pub(crate) fn refuse_setup(_: &Request, _: &mut Response) -> Result<(), Refusal> {
    Err(Refusal::new(403, "The server is set up already. Its operator writes keys into its configuration."))
}
