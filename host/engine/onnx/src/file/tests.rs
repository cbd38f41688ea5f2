//! Files that contradict themselves.

use super::*;
use crate::Graph;

fn value(name: &str, dims: &[i64]) -> proto::ValueInfo {
    let dim = dims.iter().map(|&size| proto::Dim { dim_value: Some(size), dim_param: String::new() }).collect();
    let tensor_type = proto::TensorType { elem_type: element::FLOAT, shape: Some(proto::Shape { dim }) };
    proto::ValueInfo { name: name.to_owned(), r#type: Some(proto::Type { tensor_type: Some(tensor_type) }) }
}

fn node(operator: &str, inputs: &[&str], outputs: &[&str]) -> proto::Node {
    let owned = |names: &[&str]| names.iter().map(|&name| name.to_owned()).collect();
    proto::Node { op_type: operator.to_owned(), input: owned(inputs), output: owned(outputs), ..Default::default() }
}

fn weight(name: &str, dims: &[i64], elements: usize) -> proto::TensorProto {
    proto::TensorProto {
        name: name.to_owned(),
        dims: dims.to_vec(),
        data_type: element::FLOAT,
        raw_data: vec![0; elements * 4].into(),
        ..Default::default()
    }
}

fn constant(operator: &str, name: &str, values: &[i64]) -> proto::Node {
    let tensor = proto::TensorProto {
        dims: vec![values.len() as i64],
        data_type: element::INT64,
        int64_data: values.to_vec(),
        ..Default::default()
    };
    let value = proto::Attribute { name: "value".to_owned(), t: Some(tensor), ..Default::default() };
    proto::Node { attribute: vec![value], ..node(operator, &[], &[name]) }
}

/// `y = Relu(x)` with `change` made to it, as a file.
fn file(change: impl FnOnce(&mut proto::Graph)) -> Vec<u8> {
    let mut graph = proto::Graph {
        node: vec![node("Relu", &["x"], &["y"])],
        input: vec![value("x", &[1, 2])],
        output: vec![value("y", &[1, 2])],
        ..Default::default()
    };
    change(&mut graph);
    let opset = proto::OperatorSet { domain: String::new(), version: 13 };
    proto::Model {
        ir_version: 8,
        graph: Some(graph),
        opset_import: vec![opset],
        functions: Vec::new(),
        metadata_props: Vec::new(),
    }
    .encode_to_vec()
}

/// Loads a file that must be refused with a message that holds `expect`.
fn refuses(bytes: &[u8], expect: &str) {
    let error = Graph::load(bytes).expect_err(expect).to_string();
    assert!(error.contains(expect), "{error:?} does not say {expect:?}");
}

#[test]
fn the_plain_file_loads() {
    let graph = Graph::load(&file(|_| {})).expect("it is sound");
    assert_eq!(graph.inputs()[0].shape, [Dimension::Fixed(1), Dimension::Fixed(2)]);
    assert_eq!((graph.parameters(), graph.weight_bytes()), (0, 0));
}

#[test]
fn bytes_that_are_no_file_are_refused() {
    refuses(b"", "no graph");
    refuses(b"PK\x03\x04 this is an archive", "malformed");
    refuses(&[0xff; 64], "malformed");
}

#[test]
fn every_truncation_ends_as_an_error_or_a_graph() {
    let bytes = file(|graph| {
        graph.initializer.push(weight("w", &[1, 2], 2));
        graph.node = vec![node("Add", &["x", "w"], &["y"])];
    });
    for length in 0..bytes.len() {
        // Cut between two fields, a file may still be one; what counts is that nothing panics.
        let _ = Graph::load(&bytes[..length]);
    }
}

#[test]
fn weights_are_as_large_as_they_say() {
    refuses(&file(|graph| graph.initializer.push(weight("w", &[1_000_000_000, 1_000_000_000], 1))), "at most");
    refuses(&file(|graph| graph.initializer.push(weight("w", &[i64::MAX, i64::MAX], 1))), "at most");
    refuses(&file(|graph| graph.initializer.push(weight("w", &[-4], 4))), "at most");
    refuses(&file(|graph| graph.initializer.push(weight("w", &[5], 4))), "asks for 5");
    refuses(&file(|graph| graph.initializer.push(weight("w", &[1; 40], 1))), "at most");
}

#[test]
fn weights_outside_the_file_are_refused() {
    let outside = |graph: &mut proto::Graph| {
        let mut tensor = weight("w", &[1], 0);
        tensor.data_location = 1;
        tensor.external_data = vec![proto::Ignored {}];
        graph.initializer.push(tensor);
    };
    refuses(&file(outside), "outside the file");
}

#[test]
fn ports_have_sound_shapes() {
    refuses(&file(|graph| graph.input[0] = value("x", &[1, -2])), "dimension of -2");
    refuses(&file(|graph| graph.input[0] = value("x", &[1, 1 << 40])), "at most");
    refuses(&file(|graph| graph.input[0] = value("x", &[1; 40])), "40 dimensions");
    refuses(&file(|graph| graph.input[0].r#type = None), "not declared as a tensor");
    refuses(&file(|graph| graph.output.clear()), "no outputs");
    refuses(&file(|graph| graph.output[0] = value("z", &[1])), "nothing writes");
}

#[test]
fn circles_are_refused() {
    let circle =
        |graph: &mut proto::Graph| graph.node = vec![node("Relu", &["z"], &["y"]), node("Relu", &["y"], &["z"])];
    refuses(&file(circle), "before anything writes it");
    refuses(&file(|graph| graph.node = vec![node("Relu", &["y"], &["y"])]), "before anything writes it");
    refuses(&file(|graph| graph.node.push(node("Relu", &["x"], &["y"]))), "there already");
    refuses(&file(|graph| graph.node[0].output[0] = "x".to_owned()), "there already");
}

#[test]
fn unknown_operators_are_named() {
    let bytes = file(|graph| graph.node[0].op_type = "Bicker".to_owned());
    assert!(matches!(Graph::load(&bytes), Err(Error::Unsupported { reason, .. }) if reason.contains("Bicker")));
}

#[test]
fn functions_of_the_file_are_refused() {
    let bytes = file(|_| {});
    let mut model = proto::Model::decode(bytes.as_slice()).expect("as encoded");
    model.functions.push(proto::Function { name: "gelu".to_owned() });
    refuses(&model.encode_to_vec(), "gelu");
}

#[test]
fn constants_do_not_ask_for_the_whole_memory() {
    let fill = |sizes: &'static [i64]| {
        file(move |graph| {
            graph.node.insert(0, constant("Constant", "sizes", sizes));
            graph.node.insert(1, node("ConstantOfShape", &["sizes"], &["filled"]));
            graph.node.insert(2, node("ReduceSum", &["filled"], &["sum"]));
            graph.node.push(node("Add", &["x", "sum"], &["z"]));
        })
    };
    Graph::load(&fill(&[4, 4])).expect("sixteen elements are few");
    refuses(&fill(&[1_000_000_000, 1_000_000_000]), "elements");
    refuses(&fill(&[100_000, 1_000_000]), "elements");
    refuses(&fill(&[-1]), "elements");
}
