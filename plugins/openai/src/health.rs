//! Whether the server is there, and which version of it.

use mimus_sdk::{Request, Response, config};
use serde::Serialize;

use crate::error::ApiError;

/// `GET /health`.
pub(crate) fn health(_: &Request, response: &mut Response) -> Result<(), ApiError> {
    #[derive(Serialize)]
    struct Health {
        status: &'static str,
    }
    Ok(response.json(200, &Health { status: "ok" })?)
}

/// `GET /version`.
pub(crate) fn version(_: &Request, response: &mut Response) -> Result<(), ApiError> {
    #[derive(Serialize)]
    struct Version {
        version: String,
    }
    Ok(response.json(200, &Version { version: config::server_version() })?)
}
