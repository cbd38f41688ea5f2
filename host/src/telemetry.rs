//! What people see of the server: its log and its figures.
//!
//! It refuses to write prompts, answers, keys and headers, and to make a label out of anything a client sends.

mod log;
mod metrics;

pub use log::{LogGate, start_log};
pub use metrics::{Metrics, SPREAD_MS};
