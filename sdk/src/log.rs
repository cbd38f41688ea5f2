//! Lines for the operator, with the request's id. Prompts, answers and keys do not belong here.
//!
//! The macros [`crate::debug!`], [`crate::info!`], [`crate::warn!`] and [`crate::error!`] take what `format!` takes.

use crate::backend::{Backend, host};

pub use crate::bindings::personality::mimus::plugin::log::Level;

/// Writes one line.
pub fn write(level: Level, message: &str) {
    Backend::log(&*host(), level, message);
}

/// Logs for whoever looks for a fault.
#[macro_export]
macro_rules! debug {
    ($($argument:tt)*) => { $crate::log::write($crate::log::Level::Debug, &::std::format!($($argument)*)) };
}

/// Logs what an operator may want to know.
#[macro_export]
macro_rules! info {
    ($($argument:tt)*) => { $crate::log::write($crate::log::Level::Info, &::std::format!($($argument)*)) };
}

/// Logs what an operator should look at.
#[macro_export]
macro_rules! warn {
    ($($argument:tt)*) => { $crate::log::write($crate::log::Level::Warn, &::std::format!($($argument)*)) };
}

/// Logs what failed.
#[macro_export]
macro_rules! error {
    ($($argument:tt)*) => { $crate::log::write($crate::log::Level::Error, &::std::format!($($argument)*)) };
}
