//! Bounds of what a file may declare.

/// Largest file, in bytes: what the format itself can hold.
pub const FILE_BYTES_MAX: usize = 2 << 30;

/// Largest number of nodes in a file, those of subgraphs included.
/// The largest exported networks have some 20,000.
pub const NODES_MAX: usize = 200_000;

/// Largest number of elements in one tensor.
/// 4 GiB of f32: more than any picture's or text's activations need.
pub const TENSOR_ELEMENTS_MAX: usize = 1 << 30;

/// Largest number of dimensions of a tensor.
pub(crate) const RANK_MAX: usize = 16;
