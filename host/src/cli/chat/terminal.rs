//! The person's side: lines in, an answer out as it comes.

use std::io::{BufRead, IsTerminal, Read, Write};
use std::time::Duration;

use indicatif::ProgressBar;
use tokio::sync::mpsc;

use crate::limits;

/// What a person typed.
#[derive(Debug, PartialEq, Eq)]
pub enum Line {
    /// A question.
    Text(String),
    /// `/reset`.
    Reset,
    /// An empty line.
    Nothing,
    /// Another word behind a slash.
    Unknown(String),
    /// `/exit`, the end of the input, or Ctrl-C while nothing is answered.
    End,
}

impl Line {
    fn parse(line: &str) -> Line {
        match line.trim() {
            "" => Line::Nothing,
            "/reset" => Line::Reset,
            "/exit" | "/quit" | "/bye" => Line::End,
            // A path or a sentence that begins with a slash is a question.
            word if word.starts_with('/') && word[1..].chars().all(char::is_alphabetic) => {
                Line::Unknown(word.to_owned())
            }
            text => Line::Text(text.to_owned()),
        }
    }
}

/// Lines from standard input.
pub struct Input {
    lines: mpsc::Receiver<std::io::Result<String>>,
}

impl Input {
    /// Starts to read, on a thread of its own: reading a terminal cannot be interrupted.
    ///
    /// # Errors
    /// When there is no thread.
    pub fn start() -> Result<Input, String> {
        let (sender, lines) = mpsc::channel(1);
        let read = move || {
            for line in std::io::stdin().lock().lines() {
                if sender.blocking_send(line).is_err() {
                    return;
                }
            }
        };
        std::thread::Builder::new()
            .name("input".into())
            .spawn(read)
            .map_err(|error| format!("cannot read: {error}"))?;
        Ok(Input { lines })
    }

    /// Asks for the next line.
    ///
    /// # Errors
    /// When the terminal fails.
    pub async fn next(&mut self) -> Result<Line, String> {
        eprint!("> ");
        match unless_interrupted(self.lines.recv()).await.flatten() {
            Some(line) => line.map(|line| Line::parse(&line)).map_err(|error| format!("cannot read: {error}")),
            None => {
                eprintln!();
                Ok(Line::End)
            }
        }
    }
}

/// Waits for something; none when the person presses Ctrl-C first.
pub async fn unless_interrupted<T>(event: impl Future<Output = T>) -> Option<T> {
    tokio::select! {
        biased;
        // Without a signal to watch there is nothing that could interrupt.
        Ok(()) = tokio::signal::ctrl_c() => None,
        result = event => Some(result),
    }
}

/// All of standard input: one question.
///
/// # Errors
/// When it cannot be read, is empty or is longer than a request may be.
pub fn read_all() -> Result<String, String> {
    let mut text = String::new();
    let read = std::io::stdin().lock().take(limits::BODY_BYTES_DEFAULT as u64 + 1).read_to_string(&mut text);
    read.map_err(|error| format!("cannot read standard input: {error}"))?;
    match text.trim() {
        "" => Err("nothing to say: give a message, or talk from a terminal".into()),
        _ if text.len() > limits::BODY_BYTES_DEFAULT => {
            Err(format!("more than {} bytes to say", limits::BODY_BYTES_DEFAULT))
        }
        question => Ok(question.to_owned()),
    }
}

/// Where answers go: standard output.
pub struct Output {
    is_json: bool,
    is_terminal: bool,
    is_open: bool,
}

impl Output {
    /// Text, or the server's lines as they are.
    pub fn new(is_json: bool) -> Output {
        Output { is_json, is_terminal: std::io::stdout().is_terminal(), is_open: false }
    }

    /// More of an answer, with the line that brought it.
    pub fn piece(&mut self, line: &str, text: &str) {
        if self.is_json {
            return self.line(line);
        }
        self.is_open = true;
        let text = if self.is_terminal { harmless(text) } else { text.to_owned() };
        write(&text);
    }

    /// A line that people do not see.
    pub fn line(&mut self, line: &str) {
        if self.is_json {
            write(&format!("{line}\n"));
        }
    }

    /// Ends the answer's last line.
    pub fn end(&mut self) {
        if std::mem::take(&mut self.is_open) {
            write("\n");
        }
    }
}

fn write(text: &str) {
    let mut out = std::io::stdout().lock();
    // Nobody reads any more: the next Ctrl-C or the end of the input ends the conversation.
    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
}

/// Text that cannot command a terminal, whatever the model says.
fn harmless(text: &str) -> String {
    text.chars().map(|c| if c.is_control() && c != '\n' && c != '\t' { '\u{fffd}' } else { c }).collect()
}

/// Shows that something is going on, where there is a terminal to show it.
pub struct Spinner(ProgressBar);

impl Spinner {
    /// Starts to turn.
    pub fn start(what: &'static str) -> Spinner {
        let bar = ProgressBar::new_spinner().with_message(what);
        bar.enable_steady_tick(Duration::from_millis(100));
        Spinner(bar)
    }

    /// Says something else.
    pub fn say(&self, what: &'static str) {
        self.0.set_message(what);
    }
}

impl Drop for Spinner {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_told_from_questions() {
        for (line, expect) in [
            ("  ", Line::Nothing),
            ("/reset", Line::Reset),
            (" /exit ", Line::End),
            ("/help", Line::Unknown("/help".into())),
            ("/etc/hosts is what?", Line::Text("/etc/hosts is what?".into())),
            (" hello ", Line::Text("hello".into())),
        ] {
            assert_eq!(Line::parse(line), expect, "{line}");
        }
    }

    #[test]
    fn a_model_cannot_command_the_terminal() {
        assert_eq!(harmless("a\x1b[2J\tb\r\n"), "a\u{fffd}[2J\tb\u{fffd}\n");
    }
}
