//! The log: where it goes, and how much of it one plugin may have.

use std::fmt::Write;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::prelude::*;

use crate::config::{LogFormat, LogLevel};
use crate::limits;

/// Starts the log: lines to standard error from here on. Libraries are heard from `warn` on, whatever the level.
///
/// # Errors
/// When it was started before.
pub fn start_log(format: LogFormat, level: &LogLevel) -> Result<(), String> {
    let level = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let filter = Targets::new()
        .with_default(level.min(LevelFilter::WARN))
        .with_target("mimus", level)
        .with_target("mimus_engine", level);
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr).with_target(false);
    let lines = match format {
        LogFormat::Text => lines.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).boxed(),
    };
    tracing_subscriber::registry().with(lines.with_filter(filter)).try_init().map_err(|error| format!("log: {error}"))
}

/// One plugin's share of the log: so many lines a second, so long, without control characters.
pub struct LogGate {
    plugin: String,
    second: Mutex<Second>,
}

struct Second {
    start: Instant,
    lines: u32,
    dropped: u64,
}

impl LogGate {
    /// The gate of a plugin.
    pub fn new(plugin: &str) -> LogGate {
        let second = Second { start: Instant::now(), lines: 0, dropped: 0 };
        LogGate { plugin: plugin.to_owned(), second: Mutex::new(second) }
    }

    /// The line as it may be written; none once [`limits::LOG_LINES_PER_S_MAX`] were in this second. How many were lost is logged
    /// with the first line after them.
    pub fn admit(&self, line: &str) -> Option<String> {
        self.admit_at(line, Instant::now())
    }

    fn admit_at(&self, line: &str, now: Instant) -> Option<String> {
        let dropped = {
            let mut second = self.second.lock().unwrap_or_else(PoisonError::into_inner);
            if now.saturating_duration_since(second.start) >= Duration::from_secs(1) {
                *second = Second { start: now, lines: 0, dropped: second.dropped };
            }
            if second.lines >= limits::LOG_LINES_PER_S_MAX {
                second.dropped += 1;
                return None;
            }
            second.lines += 1;
            std::mem::take(&mut second.dropped)
        };
        if dropped > 0 {
            tracing::warn!(plugin = self.plugin, dropped, "a plugin logs too much; lines were lost");
        }
        Some(clean(line))
    }
}

/// Cuts a line at [`limits::LOG_LINE_BYTES_MAX`] and replaces what could move a terminal's cursor or forge a line.
fn clean(line: &str) -> String {
    let mut clean = String::with_capacity(line.len().min(limits::LOG_LINE_BYTES_MAX));
    for (at, character) in line.char_indices() {
        // Each replacement is a byte; none makes the line longer.
        let character = if is_dangerous(character) { '?' } else { character };
        if clean.len() + character.len_utf8() > limits::LOG_LINE_BYTES_MAX {
            // Writing to a string cannot fail.
            let _ = write!(clean, " … {} more bytes", line.len() - at);
            break;
        }
        clean.push(character);
    }
    clean
}

/// Control characters, line ends, and marks that turn the direction of text.
fn is_dangerous(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_past_the_bound_are_counted_not_written() {
        let gate = LogGate::new("a");
        let start = Instant::now();
        for _ in 0..limits::LOG_LINES_PER_S_MAX {
            assert!(gate.admit_at("line", start).is_some());
        }
        assert_eq!(gate.admit_at("line", start), None);
        assert_eq!(gate.admit_at("line", start + Duration::from_millis(900)), None);
        assert_eq!(gate.second.lock().expect("not poisoned").dropped, 2);
        assert_eq!(gate.admit_at("line", start + Duration::from_millis(1_100)).as_deref(), Some("line"));
        assert_eq!(gate.second.lock().expect("not poisoned").dropped, 0);
    }

    #[test]
    fn long_lines_are_cut_at_a_character() {
        let at = "x".repeat(limits::LOG_LINE_BYTES_MAX);
        assert_eq!(clean(&at), at);
        assert_eq!(clean(&format!("{at}y")), format!("{at} … 1 more bytes"));
        let wide = "é".repeat(limits::LOG_LINE_BYTES_MAX);
        let cut = clean(&wide);
        assert!(cut.starts_with("é") && cut.len() < limits::LOG_LINE_BYTES_MAX + 40, "{} bytes", cut.len());
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        assert_eq!(clean("a\nb\x1b[31mc\u{202e}d\u{9b}e\tf"), "a?b?[31mc?d?e?f");
    }
}
