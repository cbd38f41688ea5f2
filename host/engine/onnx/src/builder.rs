//! Writes a graph node by node, for networks whose weights come without one.

use prost::Message;
use prost::bytes::Bytes;

use crate::proto::{self, element};

/// The version of ONNX's operators that graphs are written in.
const OPSET: i64 = 17;

/// A value of a graph that is being written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value(String);

/// What an operator is told besides its inputs.
#[derive(Clone, Debug)]
pub enum Setting<'a> {
    /// A whole number.
    Int(i64),
    /// Whole numbers.
    Ints(&'a [i64]),
    /// A word.
    Text(&'a str),
}

/// A graph that is being written. What it makes is the bytes of an ONNX file, which [`crate::Graph::load`] reads and checks like any.
///
/// ```
/// use mimus_onnx::{Builder, Data, Graph, Tensor};
///
/// let mut builder = Builder::default();
/// let numbers = builder.input("numbers", &[None, Some(3)]);
/// let two = builder.floats(&[1], &[2.0]);
/// let doubled = builder.node("Mul", &[&numbers, &two], &[]);
/// let graph = Graph::load(&builder.finish(&[("doubled", doubled)]))?;
/// let given = Tensor { shape: vec![1, 3], data: Data::F32(vec![1.0, 2.0, 3.0]) };
/// assert_eq!(graph.run(vec![("numbers", given)])?[0].data, Data::F32(vec![2.0, 4.0, 6.0]));
/// # Ok::<(), mimus_onnx::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct Builder {
    graph: proto::Graph,
    values: usize,
}

impl Builder {
    /// An input of floats; a size of none may be any.
    pub fn input(&mut self, name: &str, shape: &[Option<usize>]) -> Value {
        self.graph.input.push(declaration(name, shape));
        Value(name.to_owned())
    }

    /// Weights: as many as the product of `shape`.
    pub fn floats(&mut self, shape: &[usize], values: &[f32]) -> Value {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(shape, element::FLOAT, raw)
    }

    /// Whole numbers in a row, such as the sizes that `Reshape` takes.
    pub fn integers(&mut self, values: &[i64]) -> Value {
        let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        self.initializer(&[values.len()], element::INT64, raw)
    }

    /// An operator with one output.
    pub fn node(&mut self, operator: &str, inputs: &[&Value], settings: &[(&str, Setting)]) -> Value {
        self.nodes(operator, inputs, settings, 1).remove(0)
    }

    /// An operator with several outputs.
    pub fn nodes(
        &mut self,
        operator: &str,
        inputs: &[&Value],
        settings: &[(&str, Setting)],
        outputs: usize,
    ) -> Vec<Value> {
        let values: Vec<Value> = (0..outputs).map(|_| self.value()).collect();
        let node = proto::Node {
            input: inputs.iter().map(|value| value.0.clone()).collect(),
            output: values.iter().map(|value| value.0.clone()).collect(),
            name: format!("{operator}_{}", self.graph.node.len()),
            op_type: operator.to_owned(),
            attribute: settings.iter().map(|(name, setting)| attribute(name, setting)).collect(),
            domain: String::new(),
        };
        self.graph.node.push(node);
        values
    }

    /// The bytes of the file, with these outputs of floats.
    pub fn finish(mut self, outputs: &[(&str, Value)]) -> Vec<u8> {
        for (name, value) in outputs {
            let node = proto::Node {
                input: vec![value.0.clone()],
                output: vec![(*name).to_owned()],
                name: format!("output_{name}"),
                op_type: "Identity".to_owned(),
                ..proto::Node::default()
            };
            self.graph.node.push(node);
            let kind = proto::TensorType { elem_type: element::FLOAT, shape: None };
            let kind = proto::Type { tensor_type: Some(kind) };
            self.graph.output.push(proto::ValueInfo { name: (*name).to_owned(), r#type: Some(kind) });
        }
        let opset = proto::OperatorSet { domain: String::new(), version: OPSET };
        let model =
            proto::Model { ir_version: 8, graph: Some(self.graph), opset_import: vec![opset], ..Default::default() };
        model.encode_to_vec()
    }

    fn initializer(&mut self, shape: &[usize], data_type: i32, raw: Vec<u8>) -> Value {
        let value = self.value();
        self.graph.initializer.push(proto::TensorProto {
            dims: shape.iter().map(|&size| size as i64).collect(),
            data_type,
            name: value.0.clone(),
            raw_data: Bytes::from(raw),
            ..Default::default()
        });
        value
    }

    fn value(&mut self) -> Value {
        self.values += 1;
        Value(format!("v{}", self.values))
    }
}

fn declaration(name: &str, shape: &[Option<usize>]) -> proto::ValueInfo {
    let dim = |(index, size): (usize, &Option<usize>)| proto::Dim {
        dim_value: size.map(|size| size as i64),
        dim_param: if size.is_none() { format!("size{index}") } else { String::new() },
    };
    let shape = proto::Shape { dim: shape.iter().enumerate().map(dim).collect() };
    let kind = proto::TensorType { elem_type: element::FLOAT, shape: Some(shape) };
    proto::ValueInfo { name: name.to_owned(), r#type: Some(proto::Type { tensor_type: Some(kind) }) }
}

fn attribute(name: &str, setting: &Setting) -> proto::Attribute {
    let mut attribute = proto::Attribute { name: name.to_owned(), ..Default::default() };
    match setting {
        Setting::Int(value) => (attribute.i, attribute.r#type) = (*value, 2),
        Setting::Ints(values) => (attribute.ints, attribute.r#type) = (values.to_vec(), 7),
        Setting::Text(text) => (attribute.s, attribute.r#type) = (Bytes::copy_from_slice(text.as_bytes()), 3),
    }
    attribute
}
