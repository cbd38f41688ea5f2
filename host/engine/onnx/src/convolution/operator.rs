//! The operators that are known here, with their attributes.

use std::collections::HashMap;

use crate::error::Error;
use crate::file;
use crate::proto::{self, element};

use super::array::Array;
use super::kernel::blocks::Binary;
use super::kernel::unary::Unary;

/// An operator.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Operator {
    Conv(Sliding),
    ConvTranspose {
        sliding: Sliding,
        output_padding: [usize; 2],
    },
    BatchNormalization {
        epsilon: f32,
    },
    Pool {
        sliding: Sliding,
        is_max: bool,
        counts_padding: bool,
        rounds_up: bool,
    },
    GlobalPool {
        is_max: bool,
    },
    Unary(Unary),
    /// Bounds are inputs.
    Clip,
    Binary(Binary),
    Reduce {
        reduction: Reduction,
        axes: Option<Vec<i64>>,
        keeps: bool,
    },
    Softmax {
        axis: i64,
        flattens: bool,
    },
    MatMul,
    Gemm {
        alpha: f32,
        beta: f32,
        transposes: [bool; 2],
    },
    Resize(Resizing),
    Concat {
        axis: i64,
    },
    /// Into parts of one size where no sizes are given.
    Split {
        axis: i64,
        sizes: Option<Vec<i64>>,
        parts: usize,
    },
    Slice {
        bounds: Option<[Vec<i64>; 3]>,
    },
    Gather {
        axis: i64,
    },
    Reshape {
        keeps_zero: bool,
    },
    Flatten {
        axis: i64,
    },
    Squeeze {
        axes: Option<Vec<i64>>,
    },
    Unsqueeze {
        axes: Option<Vec<i64>>,
    },
    Transpose {
        order: Option<Vec<i64>>,
    },
    Expand,
    Pad {
        amounts: Option<Vec<i64>>,
        value: f32,
    },
    Shape {
        start: i64,
        end: i64,
    },
    ConstantOfShape(Array),
    Range,
    /// To floats or to integers.
    Cast {
        to_float: bool,
    },
    Where,
    Compare(Comparison),
    Identity,
}

/// A window that slides over a picture.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Sliding {
    /// Height and width, where the attribute says.
    pub(crate) kernel: Option<[usize; 2]>,
    pub(crate) stride: [usize; 2],
    pub(crate) dilation: [usize; 2],
    pub(crate) groups: usize,
    pub(crate) padding: Padding,
}

/// How a window starts before the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Padding {
    /// Above and left, below and right.
    Given([usize; 2], [usize; 2]),
    /// As much as makes the output as large as the input divided by the stride; the odd pixel is below or above.
    Same { odd_is_first: bool },
}

/// What is made of the values along some axes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reduction {
    Mean,
    Sum,
    Max,
    Min,
    Product,
}

/// What two values are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comparison {
    Equal,
    Less,
    Greater,
}

/// How a picture is resized.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Resizing {
    pub(crate) is_linear: bool,
    pub(crate) coordinates: Coordinates,
    pub(crate) nearest: Nearest,
    /// Where the inputs give the scales and, after them, the sizes.
    pub(crate) scales_input: usize,
}

/// Where in the input an output pixel lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Coordinates {
    HalfPixel,
    PytorchHalfPixel,
    AlignCorners,
    Asymmetric,
}

/// Which input pixel is the nearest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nearest {
    RoundPreferFloor,
    RoundPreferCeil,
    Floor,
    Ceil,
}

/// Attributes of a node.
struct Attributes<'a> {
    node: &'a proto::Node,
    found: HashMap<&'a str, &'a proto::Attribute>,
}

impl<'a> Attributes<'a> {
    fn of(node: &'a proto::Node) -> Self {
        let found = node.attribute.iter().map(|attribute| (attribute.name.as_str(), attribute)).collect();
        Self { node, found }
    }

    fn integer(&self, name: &str, default: i64) -> i64 {
        self.found.get(name).map_or(default, |attribute| attribute.i)
    }

    fn float(&self, name: &str, default: f32) -> f32 {
        self.found.get(name).map_or(default, |attribute| attribute.f)
    }

    fn text(&self, name: &str, default: &'static str) -> Result<&str, Error> {
        match self.found.get(name) {
            None => Ok(default),
            Some(attribute) => std::str::from_utf8(&attribute.s).map_err(|_| unsupported(self.node, name)),
        }
    }

    fn integers(&self, name: &str) -> Option<Vec<i64>> {
        self.found.get(name).map(|attribute| attribute.ints.clone())
    }

    /// Two sizes, by rows and by columns.
    fn pair(&self, name: &str, default: [usize; 2]) -> Result<[usize; 2], Error> {
        match self.integers(name).as_deref() {
            None | Some([]) => Ok(default),
            Some(&[rows, columns]) => {
                let size = |size: i64| usize::try_from(size).ok().filter(|&size| (1..=SIZE_MAX).contains(&size));
                size(rows).zip(size(columns)).map(Into::into).ok_or_else(|| unsupported(self.node, name))
            }
            Some(_) => Err(unsupported(self.node, name)),
        }
    }

    fn sliding(&self) -> Result<Sliding, Error> {
        let padding = match self.text("auto_pad", "NOTSET")? {
            "NOTSET" => match self.integers("pads").as_deref() {
                None | Some([]) => Padding::Given([0, 0], [0, 0]),
                Some(&[top, left, bottom, right]) => {
                    let size = |size: i64| {
                        let size = usize::try_from(size).ok().filter(|&size| size <= SIZE_MAX);
                        size.ok_or_else(|| unsupported(self.node, "pads"))
                    };
                    Padding::Given([size(top)?, size(left)?], [size(bottom)?, size(right)?])
                }
                Some(_) => return Err(unsupported(self.node, "pads")),
            },
            "VALID" => Padding::Given([0, 0], [0, 0]),
            "SAME_UPPER" => Padding::Same { odd_is_first: false },
            "SAME_LOWER" => Padding::Same { odd_is_first: true },
            _ => return Err(unsupported(self.node, "auto_pad")),
        };
        let kernel =
            if self.found.contains_key("kernel_shape") { Some(self.pair("kernel_shape", [1, 1])?) } else { None };
        let groups = usize::try_from(self.integer("group", 1)).ok().filter(|&groups| groups > 0);
        Ok(Sliding {
            kernel,
            stride: self.pair("strides", [1, 1])?,
            dilation: self.pair("dilations", [1, 1])?,
            groups: groups.ok_or_else(|| unsupported(self.node, "group"))?,
            padding,
        })
    }

    fn resizing(&self, scales_input: usize, old: bool) -> Result<Resizing, Error> {
        let is_linear = match self.text("mode", "nearest")? {
            "nearest" => false,
            "linear" | "bilinear" => true,
            _ => return Err(unsupported(self.node, "mode")),
        };
        let coordinates =
            match self.text("coordinate_transformation_mode", if old { "asymmetric" } else { "half_pixel" })? {
                "half_pixel" => Coordinates::HalfPixel,
                "pytorch_half_pixel" => Coordinates::PytorchHalfPixel,
                "align_corners" => Coordinates::AlignCorners,
                "asymmetric" => Coordinates::Asymmetric,
                _ => return Err(unsupported(self.node, "coordinate_transformation_mode")),
            };
        let nearest = match self.text("nearest_mode", if old { "floor" } else { "round_prefer_floor" })? {
            "round_prefer_floor" => Nearest::RoundPreferFloor,
            "round_prefer_ceil" => Nearest::RoundPreferCeil,
            "floor" => Nearest::Floor,
            "ceil" => Nearest::Ceil,
            _ => return Err(unsupported(self.node, "nearest_mode")),
        };
        if self.integer("antialias", 0) != 0 || self.found.contains_key("axes") {
            return Err(unsupported(self.node, "antialias"));
        }
        Ok(Resizing { is_linear, coordinates, nearest, scales_input })
    }
}

/// Largest window, stride or padding.
const SIZE_MAX: usize = 1 << 12;

fn unsupported(node: &proto::Node, what: &str) -> Error {
    Error::Unsupported { operator: file::operator(node), reason: format!("its {what:?} is not supported") }
}

impl Operator {
    /// The operator of a node of a file that follows version `opset` of the standard.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for operators and attributes that are not known here.
    pub(crate) fn read(node: &proto::Node, opset: i64) -> Result<Self, Error> {
        let attributes = Attributes::of(node);
        if !matches!(node.domain.as_str(), "" | "ai.onnx") {
            return Err(unsupported(node, "domain"));
        }
        let a = &attributes;
        let reduce =
            |reduction| Self::Reduce { reduction, axes: a.integers("axes"), keeps: a.integer("keepdims", 1) != 0 };
        let unary = |function| Ok(Self::Unary(function));
        let binary =
            |function| if opset >= 7 { Ok(Self::Binary(function)) } else { Err(unsupported(node, "broadcast")) };
        match node.op_type.as_str() {
            "Conv" => Ok(Self::Conv(a.sliding()?)),
            "ConvTranspose" => {
                if a.found.contains_key("output_shape") {
                    return Err(unsupported(node, "output_shape"));
                }
                let extra = a.integers("output_padding").unwrap_or_default();
                let output_padding = match extra[..] {
                    [] => [0, 0],
                    [rows @ 0..=64, columns @ 0..=64] => [rows as usize, columns as usize],
                    _ => return Err(unsupported(node, "output_padding")),
                };
                Ok(Self::ConvTranspose { sliding: a.sliding()?, output_padding })
            }
            "BatchNormalization" if a.integer("training_mode", 0) == 0 && node.output.len() == 1 => {
                Ok(Self::BatchNormalization { epsilon: a.float("epsilon", 1e-5) })
            }
            operator @ ("MaxPool" | "AveragePool") if node.output.len() == 1 => Ok(Self::Pool {
                sliding: a.sliding()?,
                is_max: operator == "MaxPool",
                counts_padding: a.integer("count_include_pad", 0) != 0,
                rounds_up: a.integer("ceil_mode", 0) != 0,
            }),
            "GlobalAveragePool" => Ok(Self::GlobalPool { is_max: false }),
            "GlobalMaxPool" => Ok(Self::GlobalPool { is_max: true }),
            "Relu" => unary(Unary::Relu),
            "LeakyRelu" => unary(Unary::Leaky(a.float("alpha", 0.01))),
            "Sigmoid" => unary(Unary::Sigmoid),
            "HardSigmoid" => unary(Unary::HardSigmoid(a.float("alpha", 0.2), a.float("beta", 0.5))),
            "HardSwish" => unary(Unary::HardSwish(1.0 / 6.0, 0.5)),
            "Tanh" => unary(Unary::Tanh),
            "Elu" => unary(Unary::Elu(a.float("alpha", 1.0))),
            "Softplus" => unary(Unary::Softplus),
            "Mish" => unary(Unary::Mish),
            "Erf" => unary(Unary::Erf),
            "Gelu" if a.text("approximate", "none")? == "none" => unary(Unary::Gelu),
            "Exp" => unary(Unary::Exp),
            "Log" => unary(Unary::Log),
            "Sqrt" => unary(Unary::Sqrt),
            "Reciprocal" => unary(Unary::Reciprocal),
            "Neg" => unary(Unary::Neg),
            "Abs" => unary(Unary::Abs),
            "Floor" => unary(Unary::Floor),
            "Ceil" => unary(Unary::Ceil),
            "Round" => unary(Unary::Round),
            "Clip" if opset < 11 => unary(Unary::Clip(a.float("min", f32::MIN), a.float("max", f32::MAX))),
            "Clip" => Ok(Self::Clip),
            "Add" => binary(Binary::Add),
            "Sub" => binary(Binary::Sub),
            "Mul" => binary(Binary::Mul),
            "Div" => binary(Binary::Div),
            "Pow" => binary(Binary::Pow),
            "Max" if node.input.len() == 2 => binary(Binary::Max),
            "Min" if node.input.len() == 2 => binary(Binary::Min),
            "ReduceMean" => Ok(reduce(Reduction::Mean)),
            "ReduceSum" => Ok(reduce(Reduction::Sum)),
            "ReduceMax" => Ok(reduce(Reduction::Max)),
            "ReduceMin" => Ok(reduce(Reduction::Min)),
            "ReduceProd" => Ok(reduce(Reduction::Product)),
            "Softmax" if opset < 13 => Ok(Self::Softmax { axis: a.integer("axis", 1), flattens: true }),
            "Softmax" => Ok(Self::Softmax { axis: a.integer("axis", -1), flattens: false }),
            "MatMul" => Ok(Self::MatMul),
            "Gemm" => Ok(Self::Gemm {
                alpha: a.float("alpha", 1.0),
                beta: a.float("beta", 1.0),
                transposes: [a.integer("transA", 0) != 0, a.integer("transB", 0) != 0],
            }),
            "Resize" if opset >= 11 => Ok(Self::Resize(a.resizing(2, false)?)),
            "Resize" | "Upsample" if node.input.len() == 2 => Ok(Self::Resize(a.resizing(1, true)?)),
            "Concat" => Ok(Self::Concat { axis: a.integer("axis", 1) }),
            "Split" => {
                Ok(Self::Split { axis: a.integer("axis", 0), sizes: a.integers("split"), parts: node.output.len() })
            }
            "Slice" if opset < 10 => {
                let starts = a.integers("starts").unwrap_or_default();
                let axes = a.integers("axes").unwrap_or_else(|| (0..starts.len() as i64).collect());
                Ok(Self::Slice { bounds: Some([starts, a.integers("ends").unwrap_or_default(), axes]) })
            }
            "Slice" => Ok(Self::Slice { bounds: None }),
            "Gather" => Ok(Self::Gather { axis: a.integer("axis", 0) }),
            "Reshape" => Ok(Self::Reshape { keeps_zero: a.integer("allowzero", 0) != 0 }),
            "Flatten" => Ok(Self::Flatten { axis: a.integer("axis", 1) }),
            "Squeeze" => Ok(Self::Squeeze { axes: a.integers("axes") }),
            "Unsqueeze" => Ok(Self::Unsqueeze { axes: a.integers("axes") }),
            "Transpose" => Ok(Self::Transpose { order: a.integers("perm") }),
            "Expand" => Ok(Self::Expand),
            "Pad" if a.text("mode", "constant")? == "constant" => {
                Ok(Self::Pad { amounts: a.integers("pads"), value: a.float("value", 0.0) })
            }
            "Shape" => Ok(Self::Shape { start: a.integer("start", 0), end: a.integer("end", i64::MAX) }),
            "ConstantOfShape" => {
                let value = a.found.get("value").and_then(|attribute| attribute.t.as_ref());
                let zero = || Ok(Array::floats(vec![1], vec![0.0]));
                Ok(Self::ConstantOfShape(value.map_or_else(zero, Array::read)?))
            }
            "Range" => Ok(Self::Range),
            "Cast" => match a.integer("to", 0) as i32 {
                element::FLOAT | element::FLOAT16 | element::DOUBLE | element::BFLOAT16 => {
                    Ok(Self::Cast { to_float: true })
                }
                element::INT64 | element::INT32 => Ok(Self::Cast { to_float: false }),
                _ => Err(unsupported(node, "to")),
            },
            "Where" => Ok(Self::Where),
            "Equal" => Ok(Self::Compare(Comparison::Equal)),
            "Less" => Ok(Self::Compare(Comparison::Less)),
            "Greater" => Ok(Self::Compare(Comparison::Greater)),
            "Identity" => Ok(Self::Identity),
            "Dropout" if node.output.len() == 1 => Ok(Self::Identity),
            other => Err(Error::Unsupported { operator: other.to_owned(), reason: "it is not known here".to_owned() }),
        }
    }
}
