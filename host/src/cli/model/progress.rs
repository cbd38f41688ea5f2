//! Shows how far a download is: bars for a terminal, lines of JSON for programs.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use serde_json::json;

use crate::hub::PullProgress;

/// Where progress is shown.
pub enum Shown {
    Bars(Bars),
    Lines,
}

/// One bar a file in flight, and one for all.
pub struct Bars {
    all: MultiProgress,
    total: ProgressBar,
    files: Mutex<BTreeMap<String, ProgressBar>>,
}

impl Shown {
    /// JSON to standard output, or bars to standard error where that is a terminal.
    pub fn new(is_json: bool) -> Shown {
        if is_json {
            return Shown::Lines;
        }
        let all = MultiProgress::new();
        let total = all.add(bar("total"));
        Shown::Bars(Bars { all, total, files: Mutex::default() })
    }

    /// More has come.
    pub fn progress(&self, progress: PullProgress) {
        match self {
            Shown::Bars(bars) => bars.progress(&progress),
            Shown::Lines => {
                let PullProgress { file, file_bytes, file_total, bytes, total } = progress;
                line(&json!({
                    "event": "progress", "file": file, "file_bytes": file_bytes, "file_total": file_total,
                    "bytes": bytes, "total": total,
                }));
            }
        }
    }

    /// All is here.
    pub fn done(&self, path: &Path) {
        match self {
            Shown::Bars(bars) => bars.total.finish_and_clear(),
            Shown::Lines => line(&json!({"event": "done", "path": path})),
        }
    }

    /// It came to nothing.
    pub fn failed(&self, message: &str) {
        match self {
            Shown::Bars(bars) => bars.total.abandon(),
            Shown::Lines => line(&json!({"event": "error", "message": message})),
        }
    }
}

impl Bars {
    fn progress(&self, progress: &PullProgress) {
        self.total.set_length(progress.total);
        self.total.set_position(progress.bytes);
        let mut files = self.files.lock().unwrap_or_else(PoisonError::into_inner);
        let shown = files.entry(progress.file.clone()).or_insert_with(|| {
            let shown = self.all.insert_before(&self.total, bar(&progress.file));
            shown.set_length(progress.file_total);
            shown
        });
        shown.set_position(progress.file_bytes);
        if progress.file_bytes == progress.file_total {
            shown.finish_and_clear();
            files.remove(&progress.file);
        }
    }
}

fn bar(name: &str) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:24} {bytes:>11} of {total_bytes:11} {bytes_per_sec:>13} {eta:>4}  {msg}");
    // The template is constant; were it wrong, the plain style would do.
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar())).with_message(name.to_owned())
}

fn line(event: &serde_json::Value) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the download goes on, for the next time.
    let _ = writeln!(out, "{event}").and_then(|()| out.flush());
}
