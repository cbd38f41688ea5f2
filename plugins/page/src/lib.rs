//! The page that people see: chat, playground, dialects, operations. Everything it is made of is in the component.
//!
//! The personality only hands out files. What the page shows, it asks of the server as any other client does, by the dialects and by
//! the server's own paths, and there keys are checked; so its routes are public. `assets.rs` holds the files, `serve.rs` the headers.
//!
//! The files' addresses hold a digest of all of them, and may be kept for ever: a page never mixes files of two versions.

mod assets;
mod digest;
mod fault;
mod serve;

use mimus_sdk::{About, Dialect, Routes};

use fault::Fault;

/// The personality.
pub struct Page;

impl Dialect for Page {
    type Error = Fault;

    fn about(&self) -> About {
        About::new("page", env!("CARGO_PKG_VERSION"), "The web page: chat, playground, dialects, operations")
    }

    fn routes(&self) -> Routes<Fault> {
        Routes::new()
            .get("/", serve::page)
            .public()
            // A name of its own at the root, beside the assets of other dialects' pages.
            .get("/page-assets/{digest}/{file...}", serve::asset)
            .public()
    }
}

mimus_sdk::personality!(Page);

#[cfg(test)]
mod tests;
