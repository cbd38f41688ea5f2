//! How a guest can fail, without a word of HTTP.

use wasmtime::Trap;

/// Why a guest did not do its work. One request's trouble; never the server's.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The guest used up its processor time.
    #[error("used up its processor time")]
    Cpu,
    /// The guest wanted more memory than it may have.
    #[error("wanted more memory than it may have")]
    Memory,
    /// The guest's stack ran out.
    #[error("ran out of stack")]
    Stack,
    /// The guest passed another bound: which.
    #[error("passed a limit: {0}")]
    Limit(String),
    /// The guest trapped: `unreachable`, an access out of bounds, a panic.
    #[error("trapped: {0}")]
    Trap(String),
    /// The request took longer than the server allows.
    #[error("took longer than a request may")]
    Timeout,
    /// The guest returned without an answer.
    #[error("returned without an answer")]
    NoAnswer,
    /// No instance came free in time.
    #[error("found no free instance")]
    Overloaded,
}

impl Fault {
    /// A word for metrics, from a bounded set.
    pub fn kind(&self) -> &'static str {
        match self {
            Fault::Cpu => "cpu",
            Fault::Memory => "memory",
            Fault::Stack => "stack",
            Fault::Limit(_) => "limit",
            Fault::Trap(_) => "trap",
            Fault::Timeout => "timeout",
            Fault::NoAnswer => "no-answer",
            Fault::Overloaded => "overloaded",
        }
    }
}

/// A bound that the host enforces inside a host call; ends the guest.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct LimitPassed(pub String);

/// Raised at an epoch check when the guest's processor time is over.
#[derive(Debug, thiserror::Error)]
#[error("processor time is over")]
pub struct CpuSpent;

/// Sorts a guest's error into a fault. `is_memory_denied`: whether the guest was refused memory on the way.
pub fn classify(error: &wasmtime::Error, is_memory_denied: bool) -> Fault {
    if error.downcast_ref::<CpuSpent>().is_some() {
        return Fault::Cpu;
    }
    if let Some(limit) = error.downcast_ref::<LimitPassed>() {
        return Fault::Limit(limit.0.clone());
    }
    if is_memory_denied {
        return Fault::Memory;
    }
    match error.downcast_ref::<Trap>() {
        Some(Trap::StackOverflow) => Fault::Stack,
        Some(trap) => Fault::Trap(trap.to_string()),
        None => Fault::Trap(first_line(&error.root_cause().to_string())),
    }
}

fn first_line(text: &str) -> String {
    text.lines().next().unwrap_or_default().chars().take(200).collect()
}
