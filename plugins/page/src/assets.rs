//! The files of `web/`.
//!
//! Their digests are computed by the compiler, which would rather be asked for less at once: a request then only looks at them.
#![allow(long_running_const_eval)]

use crate::digest::{START, digest};

/// A file of the page.
pub struct Asset {
    /// Its path below `web/`.
    pub name: &'static str,
    /// Its content.
    pub bytes: &'static [u8],
    /// Digest of its content.
    pub digest: u64,
}

/// The page itself. `{base}` stands for the folder of its files. Modules are not announced ahead: that makes the first paint wait for
/// files that are only needed after it.
pub const PAGE: &str = include_str!("../web/index.html");

macro_rules! assets {
    ($($name:literal),* $(,)?) => {
        /// Every other file.
        pub static ASSETS: &[Asset] = &[$(asset($name, include_bytes!(concat!("../web/", $name)))),*];
    };
}

assets![
    "css/base.css",
    "css/chat.css",
    "css/panels.css",
    "css/shell.css",
    "icon.svg",
    "js/announce.js",
    "js/api.js",
    "js/chat/answer.js",
    "js/chat/composer.js",
    "js/chat/edit.js",
    "js/chat/history.js",
    "js/chat/picker.js",
    "js/chat/settings.js",
    "js/chat/store.js",
    "js/chat/stream.js",
    "js/chat/turns.js",
    "js/chat/view.js",
    "js/copy.js",
    "js/dialects/snippets.js",
    "js/dialects/view.js",
    "js/dom.js",
    "js/icons.js",
    "js/key.js",
    "js/main.js",
    "js/markdown/blocks.js",
    "js/markdown/highlight.js",
    "js/markdown/inline.js",
    "js/models.js",
    "js/operations/chart.js",
    "js/operations/figures.js",
    "js/operations/tables.js",
    "js/operations/view.js",
    "js/pictures/file.js",
    "js/pictures/look.js",
    "js/pictures/overlay.js",
    "js/pictures/sample.js",
    "js/playground/embeddings.js",
    "js/playground/imaging.js",
    "js/playground/parts.js",
    "js/playground/rerank.js",
    "js/playground/view.js",
    "js/playground/vision.js",
    "js/shortcuts.js",
    "js/tools.js",
    "js/words.js",
    "theme.js",
];

/// Digest of all files with their names: another one whenever any of them changes.
pub static ALL: u64 = {
    let mut sum = START;
    let mut at = 0;
    while at < ASSETS.len() {
        sum = digest(digest(sum, ASSETS[at].name.as_bytes()), &ASSETS[at].digest.to_be_bytes());
        at += 1;
    }
    sum
};

const fn asset(name: &'static str, bytes: &'static [u8]) -> Asset {
    Asset { name, bytes, digest: digest(START, bytes) }
}
