//! Which web pages may change something here: the server's own, and those that the operator names.
//!
//! A browser sends any page's POST, and a websocket without asking; it tells the page's origin. Whoever sends none is no page.

use mimus_sdk::{Request, config, log};

use crate::refusal::Refusal;

/// Refuses what a foreign page has sent, and a page that hides its origin.
///
/// The setting `allowed_origins` is a list of origins; `*` in it is every one but the hidden.
///
/// # Errors
/// 403.
pub(crate) fn check(request: &Request) -> Result<(), Refusal> {
    let Some(origin) = request.header("origin") else { return Ok(()) };
    let authority = |origin: &str| origin.split_once("://").map(|(_, authority)| authority.to_ascii_lowercase());
    let is_own = authority(&origin).is_some_and(|page| authority(&request.head().origin) == Some(page));
    if is_own || (origin != "null" && allowed().iter().any(|allowed| allowed == "*" || *allowed == origin)) {
        return Ok(());
    }
    Err(Refusal::new(403, "pages of this origin may not call; name it in `allowed_origins` of the plugin's settings"))
}

fn allowed() -> Vec<String> {
    config::get::<Vec<String>>("allowed_origins")
        .unwrap_or_else(|error| {
            log::write(log::Level::Warn, &error);
            None
        })
        .unwrap_or_default()
}
