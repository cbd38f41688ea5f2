//! A graph of known operators, with its constants, as the file gives it.

use std::collections::HashMap;
use std::sync::Arc;

use super::array::Array;
use super::kernel::unary::Unary;
use super::operator::Operator;
use super::weights::Kernel;
use crate::error::Error;
use crate::file;
use crate::proto;
use crate::tensor::{Kind, Port};

/// Number of a value: an input, a constant or what a node writes.
pub(crate) type ValueId = usize;

/// One operation.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) operator: Operator,
    /// Absent where an optional input is left out.
    pub(crate) inputs: Vec<Option<ValueId>>,
    pub(crate) outputs: Vec<ValueId>,
    /// As errors name it.
    pub(crate) name: String,
    /// Packed weights of a convolution.
    pub(crate) kernel: Option<Arc<Kernel>>,
    /// What a convolution puts its sums through.
    pub(crate) function: Unary,
    /// What a convolution adds to its sums.
    pub(crate) addend: Option<Addition>,
}

/// A value that a convolution adds to its sums.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addition {
    pub(crate) value: ValueId,
    /// Whether the function is of the sum with it.
    pub(crate) is_before_function: bool,
}

impl Node {
    /// An input that must be there.
    pub(crate) fn input(&self, index: usize) -> Result<ValueId, Error> {
        let input = self.inputs.get(index).copied().flatten();
        input.ok_or_else(|| Error::malformed(format!("{} lacks its input {index}", self.name)))
    }
}

/// A graph.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) nodes: Vec<Node>,
    pub(crate) constants: HashMap<ValueId, Array>,
    pub(crate) inputs: Vec<ValueId>,
    pub(crate) outputs: Vec<ValueId>,
    /// Number of values.
    pub(crate) values: usize,
}

impl Network {
    /// Reads a graph.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for a graph with an operator, an attribute or an element type that is not known here.
    pub(crate) fn read(model: &proto::Model, graph: &proto::Graph, ports: [&[Port]; 2]) -> Result<Self, Error> {
        if let Some(port) = ports.into_iter().flatten().find(|port| port.kind != Kind::F32) {
            return Err(Error::Unsupported { operator: port.name.clone(), reason: "it holds no floats".to_owned() });
        }
        let standard = model.opset_import.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
        let opset = standard.map_or(1, |set| set.version);
        let mut ids: HashMap<String, ValueId> = HashMap::new();
        let mut id = |name: &str| {
            let next = ids.len();
            *ids.entry(name.to_owned()).or_insert(next)
        };
        let mut constants = HashMap::new();
        for tensor in &graph.initializer {
            constants.insert(id(&tensor.name), Array::read(tensor)?);
        }
        let mut nodes = Vec::new();
        for node in &graph.node {
            let outputs: Vec<ValueId> =
                node.output.iter().filter(|name| !name.is_empty()).map(|name| id(name)).collect();
            if node.op_type == "Constant" {
                let value = constant(node)?;
                constants.extend(outputs.first().map(|&output| (output, value)));
                continue;
            }
            nodes.push(Node {
                operator: Operator::read(node, opset)?,
                inputs: node.input.iter().map(|name| (!name.is_empty()).then(|| id(name))).collect(),
                outputs,
                name: file::describe(node),
                kernel: None,
                function: Unary::Identity,
                addend: None,
            });
        }
        let [inputs, outputs] = ports.map(|ports| ports.iter().map(|port| id(&port.name)).collect());
        Ok(Self { nodes, constants, inputs, outputs, values: ids.len() })
    }

    /// The array that a node's input holds, if that is constant.
    pub(crate) fn constant(&self, node: &Node, index: usize) -> Option<&Array> {
        node.inputs.get(index).copied().flatten().and_then(|value| self.constants.get(&value))
    }
}

/// The value of a Constant node.
fn constant(node: &proto::Node) -> Result<Array, Error> {
    let unsupported =
        || Error::Unsupported { operator: "Constant".to_owned(), reason: "its value is no tensor".to_owned() };
    let [attribute] = &node.attribute[..] else { return Err(unsupported()) };
    match (attribute.name.as_str(), &attribute.t) {
        ("value", Some(tensor)) => Array::read(tensor),
        ("value_float", _) => Ok(Array::floats(Vec::new(), vec![attribute.f])),
        ("value_floats", _) => Ok(Array::floats(vec![attribute.floats.len()], attribute.floats.clone())),
        ("value_int", _) => Ok(Array::integers(Vec::new(), vec![attribute.i])),
        ("value_ints", _) => Ok(Array::integers(vec![attribute.ints.len()], attribute.ints.clone())),
        _ => Err(unsupported()),
    }
}
