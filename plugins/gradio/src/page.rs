//! `GET /`: what a browser shows, and where clients look for the configuration when they do not find it elsewhere.

use mimus_sdk::{Request, Response};

use crate::refusal::Refusal;
use crate::{config, place};

const PAGE: &str = include_str!("page.html");

/// Where people go, who have no use for a client.
const PEOPLE: &str = r#"<p>People chat on <a href="/">the server's own page</a>.</p>"#;

/// Nothing but what is in the page itself.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'";

/// `GET /`.
pub(crate) fn show(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let (app, root) = (place::app(request), place::root(request));
    // No `<` in the text, so that nothing in a model's name ends the script. Inside JSON's texts it may be written thus.
    let inlined = config::of(app, &root).to_string().replace('<', "\\u003c");
    // A listener of the plugin's own has this page for its root.
    let people = if request.head().mount.is_empty() { "" } else { PEOPLE };
    let page = PAGE
        .replace("{people}", people)
        .replace("{title}", app.title)
        .replace("{root}", &escape(&root))
        .replace("{config}", &inlined);
    response.header("content-security-policy", POLICY);
    Ok(response.bytes(200, "text/html; charset=utf-8", page.into())?)
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
