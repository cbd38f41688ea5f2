//! Reads the bytes of a file and checks what they declare, before anything is allocated for it.

use std::collections::{HashMap, HashSet};

use prost::Message;
use prost::bytes::Bytes;

use crate::error::Error;
use crate::limits::{FILE_BYTES_MAX, NODES_MAX, RANK_MAX, TENSOR_ELEMENTS_MAX};
use crate::proto::{self, element};
use crate::tensor::{Dimension, Kind, Port};

/// Reads and checks a file.
///
/// # Errors
/// [`Error::Malformed`] for bytes that are no ONNX file, that contradict themselves or pass a bound; [`Error::Unsupported`] for functions
/// of the file's own.
pub(crate) fn read(bytes: &[u8]) -> Result<proto::Model, Error> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(Error::malformed(format!("{} bytes, at most {FILE_BYTES_MAX} are read", bytes.len())));
    }
    let model = proto::Model::decode(Bytes::copy_from_slice(bytes)).map_err(Error::malformed)?;
    if let Some(function) = model.functions.first() {
        return Err(Error::Unsupported {
            operator: function.name.clone(),
            reason: "it is a function of the file; export the model with its functions inlined".to_owned(),
        });
    }
    let graph = model.graph.as_ref().ok_or_else(|| Error::malformed("it holds no graph"))?;
    if graph.output.is_empty() {
        return Err(Error::malformed("the graph has no outputs"));
    }
    let mut nodes = 0;
    check_graph(graph, &HashSet::new(), &mut nodes)?;
    Ok(model)
}

/// The inputs that a run must give: those declared, without the ones that the file itself fills.
pub(crate) fn inputs(graph: &proto::Graph) -> Result<Vec<Port>, Error> {
    let filled: HashSet<&str> = graph.initializer.iter().map(|tensor| tensor.name.as_str()).collect();
    graph.input.iter().filter(|input| !filled.contains(input.name.as_str())).map(port).collect()
}

/// The outputs in the order of the file.
pub(crate) fn outputs(graph: &proto::Graph) -> Result<Vec<Port>, Error> {
    graph.output.iter().map(port).collect()
}

/// Number and bytes of the floating-point values that the file fills.
pub(crate) fn weights(graph: &proto::Graph) -> (u64, u64) {
    let mut parameters = 0;
    let mut bytes = 0;
    for tensor in &graph.initializer {
        let bytes_each = match tensor.data_type {
            element::FLOAT => 4,
            element::FLOAT16 | element::BFLOAT16 => 2,
            element::DOUBLE => 8,
            element::INT8 | element::UINT8 => 1,
            _ => continue,
        };
        let count = elements(&tensor.dims).unwrap_or_default() as u64;
        parameters += count;
        bytes += count * bytes_each;
    }
    (parameters, bytes)
}

/// Number of elements of a tensor with these declared dimensions.
pub(crate) fn elements(dims: &[i64]) -> Option<usize> {
    if dims.len() > RANK_MAX {
        return None;
    }
    let sizes = dims.iter().map(|&size| usize::try_from(size).ok());
    let product = sizes.into_iter().try_fold(1usize, |product, size| product.checked_mul(size?))?;
    (product <= TENSOR_ELEMENTS_MAX).then_some(product)
}

/// The port that a value's declaration describes.
fn port(value: &proto::ValueInfo) -> Result<Port, Error> {
    let name = &value.name;
    let tensor = value.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
    let tensor = tensor.ok_or_else(|| Error::malformed(format!("{name:?} is not declared as a tensor")))?;
    let kind = match tensor.elem_type {
        element::FLOAT | element::FLOAT16 | element::DOUBLE | element::BFLOAT16 => Kind::F32,
        element::INT64 => Kind::I64,
        element::INT32 => Kind::I32,
        element::INT8 => Kind::I8,
        element::UINT8 => Kind::U8,
        element::BOOL => Kind::Bool,
        other => return Err(Error::malformed(format!("{name:?} has element type {other}, which is not supported"))),
    };
    let dims = tensor.shape.as_ref().map(|shape| shape.dim.as_slice()).unwrap_or_default();
    if dims.len() > RANK_MAX {
        return Err(Error::malformed(format!("{name:?} has {} dimensions, at most {RANK_MAX} are read", dims.len())));
    }
    let shape = dims.iter().map(|dim| match dim.dim_value {
        Some(size) if size < 0 => Err(Error::malformed(format!("{name:?} has a dimension of {size}"))),
        Some(size) if size > TENSOR_ELEMENTS_MAX as i64 => {
            Err(Error::malformed(format!("{name:?} has a dimension of {size}, at most {TENSOR_ELEMENTS_MAX} is read")))
        }
        Some(size) => Ok(Dimension::Fixed(size as usize)),
        None => Ok(Dimension::Symbolic(dim.dim_param.clone())),
    });
    Ok(Port { name: name.clone(), shape: shape.collect::<Result<_, _>>()?, kind })
}

/// Checks a graph and those inside its nodes.
///
/// Every value is written once, and before it is read: this is what forbids circles.
fn check_graph(graph: &proto::Graph, outer: &HashSet<&str>, nodes: &mut usize) -> Result<(), Error> {
    *nodes += graph.node.len();
    if *nodes > NODES_MAX {
        return Err(Error::malformed(format!("more than {NODES_MAX} nodes")));
    }
    if !graph.sparse_initializer.is_empty() {
        return Err(Error::malformed("its weights are sparse, which is not supported"));
    }
    let mut known = outer.clone();
    for input in &graph.input {
        if input.name.is_empty() {
            return Err(Error::malformed("an input has no name"));
        }
        known.insert(&input.name);
    }
    for tensor in &graph.initializer {
        check_tensor(tensor)?;
        known.insert(&tensor.name);
    }
    let mut sizes: HashMap<&str, &proto::TensorProto> = HashMap::new();
    sizes.extend(graph.initializer.iter().map(|tensor| (tensor.name.as_str(), tensor)));
    let mut written: HashSet<&str> = HashSet::new();
    for node in &graph.node {
        check_filled_size(node, &sizes)?;
        if let ("Constant", [output], [value]) = (node.op_type.as_str(), &node.output[..], &node.attribute[..])
            && let Some(tensor) = &value.t
        {
            sizes.insert(output, tensor);
        }
        for name in node.input.iter().filter(|name| !name.is_empty()) {
            if !known.contains(name.as_str()) {
                return Err(Error::malformed(format!("{} reads {name:?} before anything writes it", describe(node))));
            }
        }
        for attribute in &node.attribute {
            for tensor in attribute.t.iter().chain(&attribute.tensors) {
                check_tensor(tensor)?;
            }
            for graph in attribute.g.iter().chain(&attribute.graphs) {
                check_graph(graph, &known, nodes)?;
            }
        }
        for name in node.output.iter().filter(|name| !name.is_empty()) {
            if !written.insert(name) || known.contains(name.as_str()) {
                return Err(Error::malformed(format!("{} writes {name:?}, which is there already", describe(node))));
            }
            known.insert(name);
        }
    }
    match graph.output.iter().find(|output| !known.contains(output.name.as_str())) {
        Some(output) => Err(Error::malformed(format!("nothing writes the output {:?}", output.name))),
        None => Ok(()),
    }
}

/// Checks the operators that make a tensor of a size written in the file, which few bytes can make huge.
fn check_filled_size(node: &proto::Node, constants: &HashMap<&str, &proto::TensorProto>) -> Result<(), Error> {
    let position = match node.op_type.as_str() {
        "ConstantOfShape" => 0,
        "Expand" => 1,
        "Resize" => 3,
        _ => return Ok(()),
    };
    let Some(tensor) = node.input.get(position).and_then(|name| constants.get(name.as_str())) else {
        return Ok(());
    };
    if tensor.data_type != element::INT64 {
        return Ok(());
    }
    let stored = tensor.raw_data.chunks_exact(8);
    let mut sizes: Vec<i64> = stored.filter_map(|bytes| bytes.try_into().ok()).map(i64::from_le_bytes).collect();
    sizes.extend(&tensor.int64_data);
    match elements(&sizes) {
        Some(_) => Ok(()),
        None => Err(Error::malformed(format!(
            "{} asks for the shape {sizes:?}; at most {TENSOR_ELEMENTS_MAX} elements are made",
            describe(node)
        ))),
    }
}

/// Checks that a stored tensor holds the bytes that its shape and type ask for.
fn check_tensor(tensor: &proto::TensorProto) -> Result<(), Error> {
    let name = &tensor.name;
    if tensor.data_location != 0 || !tensor.external_data.is_empty() {
        return Err(Error::malformed(format!("the weight {name:?} is outside the file; save the model as one file")));
    }
    let elements = elements(&tensor.dims).ok_or_else(|| {
        Error::malformed(format!(
            "the weight {name:?} has the shape {:?}; at most {TENSOR_ELEMENTS_MAX} elements are read",
            tensor.dims
        ))
    })?;
    let bytes_per_element = match tensor.data_type {
        element::FLOAT | element::INT32 => 4,
        element::INT64 | element::DOUBLE => 8,
        element::FLOAT16 | element::BFLOAT16 => 2,
        element::INT8 | element::UINT8 | element::BOOL => 1,
        element::STRING => return Err(Error::malformed(format!("the weight {name:?} holds text"))),
        other => {
            return Err(Error::malformed(format!(
                "the weight {name:?} has element type {other}, which is not supported"
            )));
        }
    };
    let found = if !tensor.raw_data.is_empty() {
        if !tensor.raw_data.len().is_multiple_of(bytes_per_element) {
            return Err(Error::malformed(format!("the weight {name:?} ends inside an element")));
        }
        tensor.raw_data.len() / bytes_per_element
    } else {
        match tensor.data_type {
            element::FLOAT => tensor.float_data.len(),
            element::INT64 => tensor.int64_data.len(),
            element::DOUBLE => tensor.double_data.len(),
            _ => tensor.int32_data.len(),
        }
    };
    if found != elements {
        return Err(Error::malformed(format!(
            "the weight {name:?} holds {found} elements, its shape {:?} asks for {elements}",
            tensor.dims
        )));
    }
    Ok(())
}

/// A node as errors name it.
pub(crate) fn describe(node: &proto::Node) -> String {
    let operator = operator(node);
    if node.name.is_empty() { format!("a {operator} node") } else { format!("the {operator} node {:?}", node.name) }
}

/// The name of a node's operator, with its domain where that is not the standard one.
pub(crate) fn operator(node: &proto::Node) -> String {
    match node.domain.as_str() {
        "" | "ai.onnx" => node.op_type.clone(),
        domain => format!("{domain}.{}", node.op_type),
    }
}

#[cfg(test)]
mod tests;
