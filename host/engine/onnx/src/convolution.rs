//! Executes convolutional networks with kernels of our own.
//!
//! Pictures lie in blocks of eight channels, so that a register holds the channels of a pixel. A load folds normalizations into
//! convolutions, joins activations and residual sums to them and packs the weights; convolutions of 3 by 3 pixels go through Winograd's
//! F(4x4, 3x3). The first run on inputs of new shapes makes a [`plan`], which later runs share.
//!
//! Graphs with an operator that is not known here, with inputs or outputs that are no floats, or whose shapes depend on the data, are left
//! to the [general executor](crate::general).

mod array;
mod fold;
mod fuse;
mod kernel;
mod lower;
mod memory;
mod network;
mod operator;
mod pictures;
mod plan;
mod run;
mod shape;
mod weights;

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::Error;
use crate::proto;
use crate::tensor::{Data, Dimension, Port, Tensor};
use network::{Network, Node};
use operator::Operator;
use plan::Plan;
use run::{Memory, run};

/// Plans that are kept: combinations of input shapes, the last used.
const PLANS_MAX: usize = 16;

/// Memories of finished runs that are kept for each plan.
const MEMORIES_MAX: usize = 4;

/// Sizes that open dimensions are tried with to see whether a graph can be planned.
const TRIAL_SIZES: [usize; 4] = [640, 224, 64, 1];

/// A convolutional network.
#[derive(Debug)]
pub(crate) struct Convolution {
    network: Network,
    plans: Mutex<Vec<Arc<Prepared>>>,
}

/// A plan with memory for its runs.
#[derive(Debug)]
struct Prepared {
    shapes: Vec<Vec<usize>>,
    plan: Plan,
    memories: Mutex<Vec<Memory>>,
}

impl Convolution {
    /// Loads a graph that has passed [`file::read`](crate::file::read).
    ///
    /// # Errors
    /// [`Error::Unsupported`] for graphs that are left to the general executor.
    pub(crate) fn load(
        model: &proto::Model,
        graph: &proto::Graph,
        inputs: &[Port],
        outputs: &[Port],
    ) -> Result<Self, Error> {
        let mut network = Network::read(model, graph, [inputs, outputs])?;
        let is_convolution = |node: &Node| matches!(node.operator, Operator::Conv(_) | Operator::ConvTranspose { .. });
        if !network.nodes.iter().any(is_convolution) {
            return Err(Error::Unsupported { operator: "the graph".to_owned(), reason: "it has no Conv".to_owned() });
        }
        fuse::fuse(&mut network);
        weights::pack(&mut network)?;
        let mut result = Err(Error::execution("no shape was tried"));
        for size in TRIAL_SIZES {
            let shapes = inputs.iter().map(|port| trial_shape(port, size)).collect::<Result<Vec<_>, _>>()?;
            result = Plan::make(&network, &shapes).map(drop);
            if result.is_ok() {
                break;
            }
        }
        result.map(|()| Self { network, plans: Mutex::new(Vec::new()) })
    }

    /// Runs the graph; `inputs` are in the order of the ports and fit them.
    ///
    /// # Errors
    /// [`Error::Execution`] for inputs whose shapes the graph cannot work on.
    pub(crate) fn run(&self, inputs: Vec<Tensor>) -> Result<Vec<Tensor>, Error> {
        let shapes = inputs.iter().map(|input| input.shape.clone()).collect();
        let prepared = self.prepared(shapes)?;
        let values = inputs.into_iter().map(|input| match input.data {
            Data::F32(values) => Ok(values),
            other => Err(Error::execution(format!("an input holds {}", other.kind()))),
        });
        let values = values.collect::<Result<Vec<_>, _>>()?;
        let spare = prepared.memories.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let mut memory = spare.unwrap_or_else(|| Memory::new(prepared.plan.memory));
        let outputs = run(&prepared.plan, &mut memory, &values);
        let mut memories = prepared.memories.lock().unwrap_or_else(PoisonError::into_inner);
        if memories.len() < MEMORIES_MAX {
            memories.push(memory);
        }
        let ids = prepared.plan.outputs.iter();
        let tensors = ids
            .zip(outputs)
            .map(|(&id, values)| Tensor { shape: prepared.plan.tensors[id].shape.clone(), data: Data::F32(values) });
        Ok(tensors.collect())
    }

    /// The plan for these shapes, made if there is none yet.
    fn prepared(&self, shapes: Vec<Vec<usize>>) -> Result<Arc<Prepared>, Error> {
        let find = |plans: &mut Vec<Arc<Prepared>>| {
            let at = plans.iter().position(|prepared| prepared.shapes == shapes)?;
            let found = plans.remove(at);
            plans.push(found.clone());
            Some(found)
        };
        if let Some(found) = find(&mut self.plans.lock().unwrap_or_else(PoisonError::into_inner)) {
            return Ok(found);
        }
        let plan = Plan::make(&self.network, &shapes)?;
        let prepared = Arc::new(Prepared { shapes, plan, memories: Mutex::new(Vec::new()) });
        let mut plans = self.plans.lock().unwrap_or_else(PoisonError::into_inner);
        if plans.len() >= PLANS_MAX {
            plans.remove(0);
        }
        plans.push(prepared.clone());
        Ok(prepared)
    }
}

/// A shape that fits a port.
fn trial_shape(port: &Port, size: usize) -> Result<Vec<usize>, Error> {
    if port.shape.is_empty() {
        return Err(Error::Unsupported { operator: port.name.clone(), reason: "its shape is not declared".to_owned() });
    }
    let sizes = port.shape.iter().enumerate().map(|(axis, dimension)| match dimension {
        Dimension::Fixed(size) => *size,
        Dimension::Symbolic(_) if axis == 0 => 1,
        Dimension::Symbolic(_) => size,
    });
    Ok(sizes.collect())
}

#[cfg(test)]
mod tests;
