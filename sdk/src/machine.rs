//! The machine that the server runs on.

use crate::backend::{Backend, host};

pub use crate::bindings::personality::mimus::plugin::machine::{Gpu, Info};

/// Processors, memory and graphics processors, and how busy they are.
pub fn info() -> Info {
    Backend::machine(&*host())
}
