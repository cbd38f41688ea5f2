//! Loops over numbers.

pub(crate) mod blocks;
pub(crate) mod direct;
pub(crate) mod lanes;
pub(crate) mod picture;
pub(crate) mod plain;
pub(crate) mod tile;
pub(crate) mod unary;
pub(crate) mod windows;
pub(crate) mod winograd;
