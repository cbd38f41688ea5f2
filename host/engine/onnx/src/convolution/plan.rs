//! What is done, in which order and where, for inputs of certain shapes.
//!
//! A plan is made once for each combination of shapes: all shapes and all arithmetic on them are settled, values get their layout, and
//! every tensor its place in one block of memory.

use std::sync::Arc;

use super::array::{Array, Values};
use super::kernel::blocks::Binary;
use super::kernel::lanes::LANES;
use super::kernel::unary::Unary;
use super::kernel::windows::{Between, Pool, Window};
use super::network::{Network, ValueId};
use super::operator::Reduction;
use super::weights::Kernel;
use super::{lower, memory};
use crate::error::Error;

/// Number of a tensor of a plan.
pub(crate) type TensorId = usize;

/// How the numbers of a tensor lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Layout {
    /// Row-major.
    Plain,
    /// `[batch, channels / 8, height, width, 8]`.
    Blocks,
}

/// Whose memory a tensor lies in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its own.
    Own,
    /// Another's: from a block of its channels on, or from a number on where it is plain.
    Part(TensorId, usize),
    /// An output of the run.
    Output(usize),
    /// An input of the run.
    Input(usize),
    /// A constant of the plan.
    Constant(usize),
}

/// A tensor of a plan.
#[derive(Clone, Debug)]
pub(crate) struct Tensor {
    pub(crate) shape: Vec<usize>,
    pub(crate) layout: Layout,
    pub(crate) origin: Origin,
}

impl Tensor {
    /// Blocks of channels.
    pub(crate) fn blocks(&self) -> usize {
        self.shape[1].div_ceil(LANES)
    }

    /// Numbers of one picture of a blocked tensor.
    pub(crate) fn picture(&self) -> usize {
        self.blocks() * LANES * self.shape[2] * self.shape[3]
    }

    /// Numbers that it takes.
    pub(crate) fn size(&self) -> usize {
        match self.layout {
            Layout::Plain => self.shape.iter().product(),
            Layout::Blocks => self.shape[0] * self.picture(),
        }
    }
}

/// One pass over memory.
#[derive(Debug)]
pub(crate) struct Step {
    pub(crate) action: Action,
    pub(crate) inputs: Vec<TensorId>,
    pub(crate) output: TensorId,
}

/// What a pass does.
#[derive(Debug)]
pub(crate) enum Action {
    /// The second input, if there is one, is added.
    Convolve {
        kernel: Arc<Kernel>,
        window: Window,
        function: Unary,
        is_before_function: bool,
    },
    Pool {
        window: Window,
        kind: Pool,
    },
    Resize {
        rows: Vec<Between>,
        columns: Vec<Between>,
    },
    /// Of blocks.
    Map(Unary),
    /// Of blocks; the second input is a picture, or one pixel that stands for all.
    Combine(Binary),
    /// Of blocks: those inputs that do not lie in the output yet are copied to these blocks.
    Join(Vec<usize>),
    ToBlocks,
    /// Each channel of each picture becomes a row; where the rows are part of longer ones, the first starts at `start`.
    ToPlain {
        start: usize,
        row_stride: Option<usize>,
    },
    MapPlain(Unary),
    CombinePlain {
        operation: Binary,
        strides: [Vec<isize>; 2],
    },
    CopyStrided {
        start: usize,
        strides: Vec<isize>,
    },
    /// Each input has numbers for each of `outer` rows of `total`: where in a row, and how many. Those without lie in the output already.
    JoinPlain {
        outer: usize,
        total: usize,
        parts: Vec<Option<[usize; 2]>>,
    },
    /// Rows of `inner` numbers, of each of `outer` parts of `size` rows.
    Gather {
        outer: usize,
        size: usize,
        inner: usize,
        rows: Vec<usize>,
    },
    /// Into a tensor of this value, with these distances between neighbours and from this place on.
    Pad {
        start: usize,
        strides: Vec<isize>,
        value: f32,
    },
    Softmax {
        length: usize,
        inner: usize,
    },
    Reduce {
        reduction: Reduction,
        strides: Vec<isize>,
    },
    /// Products of matrices, one after the other; distances between the matrices of each side, and within the second.
    MatMul {
        sizes: [usize; 3],
        starts: Vec<[usize; 2]>,
        b_strides: [usize; 2],
    },
}

/// A plan.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) tensors: Vec<Tensor>,
    pub(crate) steps: Vec<Step>,
    /// Where each tensor starts: in the plan's memory, an input or a constant.
    pub(crate) starts: Vec<usize>,
    pub(crate) constants: Vec<Arc<[f32]>>,
    pub(crate) outputs: Vec<TensorId>,
    /// Numbers of memory that a run needs.
    pub(crate) memory: usize,
}

impl Plan {
    /// Plans a run on inputs of these shapes.
    ///
    /// # Errors
    /// [`Error::Execution`] where shapes do not fit each other, [`Error::Unsupported`] where one depends on the data.
    pub(crate) fn make(network: &Network, shapes: &[Vec<usize>]) -> Result<Self, Error> {
        let mut builder = Builder {
            values: vec![None; network.values],
            tensors: Vec::new(),
            steps: Vec::new(),
            constants: Vec::new(),
            converted: Vec::new(),
        };
        for (index, (&value, shape)) in network.inputs.iter().zip(shapes).enumerate() {
            Array::elements(shape).ok_or_else(|| too_large(shape))?;
            let id = builder.tensor(shape.clone(), Layout::Plain, Origin::Input(index))?;
            builder.values[value] = Some(Known::Tensor(id));
        }
        for (&value, array) in &network.constants {
            builder.values[value] = Some(Known::Constant(array.clone()));
        }
        for node in &network.nodes {
            lower::node(&mut builder, node).map_err(|error| match error {
                Error::Execution(reason) => Error::Execution(format!("{}: {reason}", node.name)),
                other => other,
            })?;
        }
        let outputs = network.outputs.iter().map(|&value| builder.plain(value)).collect::<Result<Vec<_>, _>>()?;
        let Builder { mut tensors, mut steps, constants, .. } = builder;
        memory::join(&mut tensors, &mut steps, &outputs);
        let (starts, memory) = memory::place(&tensors, &steps, &outputs)?;
        Ok(Self { tensors, steps, starts, constants, outputs, memory })
    }
}

/// What is known of a value while a plan is made.
#[derive(Clone, Debug)]
pub(crate) enum Known {
    Constant(Array),
    Tensor(TensorId),
}

/// A plan in the making.
pub(crate) struct Builder {
    values: Vec<Option<Known>>,
    tensors: Vec<Tensor>,
    steps: Vec<Step>,
    constants: Vec<Arc<[f32]>>,
    /// Tensors in the other layout, where they were needed in it.
    converted: Vec<Option<TensorId>>,
}

impl Builder {
    /// What is known of a value that a node reads.
    pub(crate) fn known(&self, value: ValueId) -> Result<&Known, Error> {
        self.values[value].as_ref().ok_or_else(|| Error::execution("a value is read before it is there"))
    }

    /// Notes what a node writes.
    pub(crate) fn write(&mut self, value: ValueId, known: Known) {
        self.values[value] = Some(known);
    }

    /// The array of a value, if it is constant.
    pub(crate) fn constant(&self, value: Option<ValueId>) -> Option<&Array> {
        match self.values[value?].as_ref()? {
            Known::Constant(array) => Some(array),
            Known::Tensor(_) => None,
        }
    }

    /// A tensor of the plan.
    pub(crate) fn get(&self, id: TensorId) -> &Tensor {
        &self.tensors[id]
    }

    /// The shape of a value.
    pub(crate) fn shape(&self, value: ValueId) -> Result<Vec<usize>, Error> {
        Ok(match self.known(value)? {
            Known::Constant(array) => array.shape.clone(),
            Known::Tensor(id) => self.tensors[*id].shape.clone(),
        })
    }

    /// A new tensor.
    pub(crate) fn tensor(&mut self, shape: Vec<usize>, layout: Layout, origin: Origin) -> Result<TensorId, Error> {
        Array::elements(&shape).ok_or_else(|| too_large(&shape))?;
        self.tensors.push(Tensor { shape, layout, origin });
        self.converted.push(None);
        Ok(self.tensors.len() - 1)
    }

    /// A new tensor of floats that are known.
    pub(crate) fn constant_tensor(
        &mut self,
        shape: Vec<usize>,
        layout: Layout,
        values: Arc<[f32]>,
    ) -> Result<TensorId, Error> {
        self.constants.push(values);
        self.tensor(shape, layout, Origin::Constant(self.constants.len() - 1))
    }

    /// Adds a step that writes a new tensor.
    pub(crate) fn step(
        &mut self,
        action: Action,
        inputs: Vec<TensorId>,
        shape: Vec<usize>,
        layout: Layout,
    ) -> Result<TensorId, Error> {
        let output = self.tensor(shape, layout, Origin::Own)?;
        self.steps.push(Step { action, inputs, output });
        Ok(output)
    }

    /// The tensor of a value, in whatever layout it is.
    pub(crate) fn any(&mut self, value: ValueId) -> Result<TensorId, Error> {
        match self.known(value)?.clone() {
            Known::Tensor(id) => Ok(id),
            Known::Constant(array) => match array.values {
                Values::Floats(values) => self.constant_tensor(array.shape, Layout::Plain, values),
                Values::Integers(_) => Err(Error::Unsupported {
                    operator: "a run".to_owned(),
                    reason: "integers meet floats in it".to_owned(),
                }),
            },
        }
    }

    /// The tensor of a value in row-major order.
    pub(crate) fn plain(&mut self, value: ValueId) -> Result<TensorId, Error> {
        let id = self.any(value)?;
        self.as_plain(id)
    }

    /// The tensor of a value in blocks.
    pub(crate) fn blocks(&mut self, value: ValueId) -> Result<TensorId, Error> {
        let id = self.any(value)?;
        self.as_blocks(id)
    }

    pub(crate) fn as_plain(&mut self, id: TensorId) -> Result<TensorId, Error> {
        self.convert(id, Layout::Plain)
    }

    pub(crate) fn as_blocks(&mut self, id: TensorId) -> Result<TensorId, Error> {
        if self.tensors[id].shape.len() != 4 {
            let reason = format!("a tensor of shape {:?} is no batch of pictures", self.tensors[id].shape);
            return Err(Error::Unsupported { operator: "a run".to_owned(), reason });
        }
        self.convert(id, Layout::Blocks)
    }

    fn convert(&mut self, id: TensorId, layout: Layout) -> Result<TensorId, Error> {
        if self.tensors[id].layout == layout {
            return Ok(id);
        }
        if let Some(converted) = self.converted[id] {
            return Ok(converted);
        }
        let to_plain = Action::ToPlain { start: 0, row_stride: None };
        let action = if layout == Layout::Plain { to_plain } else { Action::ToBlocks };
        let converted = self.step(action, vec![id], self.tensors[id].shape.clone(), layout)?;
        self.converted[id] = Some(converted);
        self.converted[converted] = Some(id);
        Ok(converted)
    }
}

fn too_large(shape: &[usize]) -> Error {
    Error::execution(format!("a tensor of shape {shape:?} is too large"))
}
