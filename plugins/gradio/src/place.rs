//! Where a request came: which app, and under which URL clients see it.

use mimus_sdk::{Request, config, log};

use crate::app::App;
use crate::apps;

/// The app that a request is for.
///
/// The first segment of its path names it; other paths belong to the app of the setting `app`, or the first one.
pub(crate) fn app(request: &Request) -> &'static App {
    named(request.path()).unwrap_or_else(default)
}

/// Base URL of the app, as its client reached it, without a slash at its end.
pub(crate) fn root(request: &Request) -> String {
    let head = request.head();
    let path = named(&head.path).map(|app| format!("/{}", app.name)).unwrap_or_default();
    format!("{}{}{path}", origin(request), head.mount)
}

fn named(path: &str) -> Option<&'static App> {
    let first = path.split('/').nth(1).unwrap_or_default();
    apps::PLACED.iter().find(|app| app.name == first).copied()
}

fn default() -> &'static App {
    let setting: Option<String> = config::get("app").unwrap_or_else(|error| {
        log::write(log::Level::Warn, &error);
        None
    });
    let Some(name) = setting else { return apps::ALL[0] };
    apps::ALL.iter().find(|app| app.name == name).copied().unwrap_or_else(|| {
        let names: Vec<&str> = apps::ALL.iter().map(|app| app.name).collect();
        log::write(log::Level::Warn, &format!("setting `app`: `{name}` is none of {}", names.join(", ")));
        apps::ALL[0]
    })
}

/// Scheme and authority. A proxy tells what the client asked for; the answer goes back to the same client, so it may be believed.
fn origin(request: &Request) -> String {
    let told = |name: &str| request.header(name).filter(|value| is_authority(value));
    let (scheme, authority) = request.head().origin.split_once("://").unwrap_or(("http", "localhost"));
    let scheme = told("x-forwarded-proto").filter(|told| told == "http" || told == "https").unwrap_or(scheme.into());
    let authority = told("x-forwarded-host").unwrap_or(authority.into());
    format!("{scheme}://{authority}")
}

fn is_authority(text: &str) -> bool {
    (1..=255).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-.:[]_".contains(&byte))
}
