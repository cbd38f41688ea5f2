//! Running other programs.

use std::io::Read;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::BuildError;

/// Runs a program to its end and returns what it wrote to stdout.
pub(crate) fn output_of(command: &mut Command) -> Result<String, BuildError> {
    let output = command.stdin(Stdio::null()).output().map_err(|source| cannot_run(command, source))?;
    if output.status.success() {
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    } else {
        Err(failed(command, &String::from_utf8_lossy(&output.stderr)))
    }
}

/// As [`output_of`], for programs that wait on a network: ended after `limit`.
pub(crate) fn run_within(command: &mut Command, limit: Duration) -> Result<(), BuildError> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
    let mut child = child.map_err(|source| cannot_run(command, source))?;
    // Read beside the wait: a full pipe would keep the program from ending.
    let mut stderr = child.stderr.take().expect("stderr is piped");
    let reader = std::thread::spawn(move || {
        let mut text = String::new();
        let _ = stderr.read_to_string(&mut text);
        text
    });
    let start = Instant::now();
    let status = loop {
        match child.try_wait() {
            Ok(Some(status)) => break status,
            Ok(None) if start.elapsed() > limit => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(failed(command, &format!("it took longer than {} s", limit.as_secs())));
            }
            Ok(None) => std::thread::sleep(Duration::from_millis(50)),
            Err(source) => return Err(cannot_run(command, source)),
        }
    };
    let text = reader.join().unwrap_or_default();
    if status.success() { Ok(()) } else { Err(failed(command, &text)) }
}

pub(crate) fn cannot_run(command: &Command, source: std::io::Error) -> BuildError {
    BuildError::CannotRun { program: command.get_program().to_string_lossy().into_owned(), source }
}

pub(crate) fn failed(command: &Command, output: &str) -> BuildError {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let command = words.map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
    BuildError::Failed { command, output: output.trim().to_owned() }
}
