//! Chance, from the operating system.

use crate::backend::{Backend, host};

/// At most 1,024 bytes.
pub fn bytes(count: u32) -> Vec<u8> {
    Backend::random_bytes(&*host(), count)
}

/// So many characters (1 to 64) of `0-9A-Za-z`, for ids that clients see.
pub fn id(characters: u32) -> String {
    Backend::random_id(&*host(), characters)
}
