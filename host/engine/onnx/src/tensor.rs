//! Tensors as callers see them, and the ports they go through.

use std::fmt;

/// Numbers in row-major order, with their shape.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Size of every dimension, the slowest first. A scalar has none.
    pub shape: Vec<usize>,
    /// The numbers: as many as the product of `shape`.
    pub data: Data,
}

/// The numbers of a tensor.
#[derive(Clone, Debug, PartialEq)]
pub enum Data {
    /// 32-bit floats. What the file declares as half or double precision is taken and given as these.
    F32(Vec<f32>),
    /// 64-bit integers.
    I64(Vec<i64>),
    /// 32-bit integers.
    I32(Vec<i32>),
    /// Signed bytes.
    I8(Vec<i8>),
    /// Unsigned bytes.
    U8(Vec<u8>),
    /// Truth values.
    Bool(Vec<bool>),
}

impl Data {
    /// Number of elements.
    pub fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::I32(values) => values.len(),
            Self::I8(values) => values.len(),
            Self::U8(values) => values.len(),
            Self::Bool(values) => values.len(),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The element type.
    pub fn kind(&self) -> Kind {
        match self {
            Self::F32(_) => Kind::F32,
            Self::I64(_) => Kind::I64,
            Self::I32(_) => Kind::I32,
            Self::I8(_) => Kind::I8,
            Self::U8(_) => Kind::U8,
            Self::Bool(_) => Kind::Bool,
        }
    }
}

/// An element type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// 32-bit float.
    F32,
    /// 64-bit integer.
    I64,
    /// 32-bit integer.
    I32,
    /// Signed byte.
    I8,
    /// Unsigned byte.
    U8,
    /// Truth value.
    Bool,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::F32 => "f32",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::Bool => "bool",
        })
    }
}

/// The size of one dimension of a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Always the same.
    Fixed(usize),
    /// Different from run to run, under a name such as `batch`; the name may be empty.
    Symbolic(String),
}

impl fmt::Display for Dimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fixed(size) => write!(formatter, "{size}"),
            Self::Symbolic(name) if name.is_empty() => formatter.write_str("?"),
            Self::Symbolic(name) => formatter.write_str(name),
        }
    }
}

/// An input or output of a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Port {
    /// Its name in the file.
    pub name: String,
    /// Its declared shape. Empty where the file declares none; an input of such a port takes every shape.
    pub shape: Vec<Dimension>,
    /// Its element type.
    pub kind: Kind,
}

impl Port {
    /// Whether a tensor of `shape` fits.
    pub(crate) fn takes(&self, shape: &[usize]) -> bool {
        self.shape.is_empty()
            || self.shape.len() == shape.len()
                && self.shape.iter().zip(shape).all(|(declared, given)| match declared {
                    Dimension::Fixed(size) => size == given,
                    Dimension::Symbolic(_) => true,
                })
    }

    /// The declared shape as `[batch, 3, 640, 640]`.
    pub(crate) fn describe_shape(&self) -> String {
        let sizes: Vec<String> = self.shape.iter().map(ToString::to_string).collect();
        format!("[{}]", sizes.join(", "))
    }
}
