//! Against the trainer's own networks: `tests/golden/yolo.json`, with its script beside it.

use std::collections::BTreeMap;

use mimus_onnx::{Data, Graph, Tensor};
use safetensors::{Dtype, tensor::TensorView};
use serde::Deserialize;

use super::weights::CANDLE;
use super::*;

#[derive(Deserialize)]
struct Golden {
    /// Height and width.
    size: [usize; 2],
    cases: BTreeMap<String, Case>,
}

#[derive(Deserialize)]
struct Case {
    tensors: BTreeMap<String, Vec<usize>>,
    outputs: Vec<Output>,
}

#[derive(Deserialize)]
struct Output {
    shape: Vec<usize>,
    /// Every how many numbers are there.
    step: usize,
    values: Vec<f32>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/golden/yolo.json")).expect("the golden file")
}

/// Numbers from -1 to 1 that depend on the name alone, as the script makes them.
fn formula(name: &str, count: usize) -> Vec<f32> {
    let start = name.bytes().fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    let number = |index: usize| {
        let k = u64::from(start) + index as u64;
        let k = (k.wrapping_mul(2_654_435_761) % (1 << 32)) as u32;
        let k = (k ^ (k >> 15)).wrapping_mul(2_246_822_519);
        (f64::from(k) / 2_f64.powi(31) - 1.0) as f32
    };
    (0..count).map(number).collect()
}

fn filled(name: &str, shape: &[usize]) -> Vec<f32> {
    let values = formula(name, shape.iter().product());
    let each = |value: f32| {
        if name.ends_with("running_var") {
            1.0 + value / 2.0
        } else if name.ends_with("bn.weight") {
            1.5 + value / 4.0
        } else if shape.len() > 1 {
            value * (1.5 / (shape[1..].iter().product::<usize>() as f64).sqrt()) as f32
        } else {
            value / 4.0
        }
    };
    values.into_iter().map(each).collect()
}

/// A file with the tensors under other names.
fn file(tensors: &BTreeMap<String, Vec<usize>>, rename: impl Fn(&str) -> Option<String>) -> Vec<u8> {
    let bytes: Vec<(String, Vec<usize>, Vec<u8>)> = tensors
        .iter()
        .filter_map(|(name, shape)| {
            let values = filled(name, shape);
            Some((rename(name)?, shape.clone(), values.iter().flat_map(|value| value.to_le_bytes()).collect()))
        })
        .collect();
    let views = bytes.iter().map(|(name, shape, bytes)| {
        (name.as_str(), TensorView::new(Dtype::F32, shape.clone(), bytes).expect("as many bytes as numbers"))
    });
    safetensors::serialize(views, None).expect("a file")
}

fn check(golden: &Golden, case: &Case, bytes: &[u8], what: &str) {
    let [height, width] = golden.size;
    let graph = Graph::load(&onnx(bytes, "weights.safetensors", Size { width, height }).expect(what)).expect(what);
    assert_eq!(graph.executor(), "convolution", "{what}");
    let picture = formula("picture", 3 * height * width).iter().map(|value| (value + 1.0) / 2.0).collect();
    let picture = Tensor { shape: vec![1, 3, height, width], data: Data::F32(picture) };
    let outputs = graph.run(vec![("images", picture)]).expect(what);
    assert_eq!(outputs.len(), case.outputs.len(), "{what}");
    for (output, expected) in outputs.iter().zip(&case.outputs) {
        assert_eq!(output.shape, expected.shape, "{what}");
        let Data::F32(values) = &output.data else { panic!("{what}: no floats") };
        for (value, expected) in values.iter().step_by(expected.step).zip(&expected.values) {
            assert!(
                (value - expected).abs() <= 1e-3 * expected.abs().max(0.1),
                "{what}: {value} instead of {expected}"
            );
        }
    }
}

fn as_in_candle(name: &str) -> Option<String> {
    let (number, rest) = name.strip_prefix("model.")?.split_once('.')?;
    let (_, layer) = CANDLE.iter().find(|(known, _)| known.to_string() == number)?;
    let rest = rest.strip_prefix("m.").map_or_else(|| rest.to_owned(), |rest| format!("bottleneck.{rest}"));
    Some(format!("{layer}.{rest}"))
}

#[test]
fn every_task_answers_as_the_trainers_own_network() {
    let golden = golden();
    assert_eq!(golden.cases.len(), 4);
    for (task, case) in &golden.cases {
        check(&golden, case, &file(&case.tensors, |name| Some(name.to_owned())), task);
        check(&golden, case, &file(&case.tensors, |name| Some(format!("model.{name}"))), task);
    }
}

#[test]
fn names_of_converted_files_are_known() {
    let golden = golden();
    let case = &golden.cases["detect"];
    check(&golden, case, &file(&case.tensors, as_in_candle), "candle's names");
}

#[test]
fn other_files_are_refused() {
    let golden = golden();
    let case = &golden.cases["detect"];
    let size = Size { width: 64, height: 64 };
    let refused = |bytes: &[u8]| onnx(bytes, "weights.safetensors", size).expect_err("it is refused").to_string();
    assert!(refused(b"no tensors").contains("weights.safetensors"));
    // Another generation has a third convolution in its stages.
    let mut other = case.tensors.clone();
    other.insert("model.2.cv3.conv.weight".to_owned(), vec![8, 8, 1, 1]);
    assert!(refused(&file(&other, |name| Some(name.to_owned()))).contains("YOLOv8"));
    let lacking = file(&case.tensors, |name| (name != "model.5.conv.weight").then(|| name.to_owned()));
    assert!(refused(&lacking).contains("model.5.conv.weight is missing"));
    // Layers that do not fit each other are found when the graph is run for the first time, as in any file.
    let mut crooked = case.tensors.clone();
    crooked.insert("model.5.conv.weight".to_owned(), vec![24, 7, 3, 3]);
    let bytes = onnx(&file(&crooked, |name| Some(name.to_owned())), "weights.safetensors", size);
    let ran = bytes.map_err(|error| error.to_string()).and_then(|bytes| {
        let graph = Graph::load(&bytes).map_err(|error| error.to_string())?;
        let picture = Tensor { shape: vec![1, 3, 64, 64], data: Data::F32(vec![0.0; 3 * 64 * 64]) };
        graph.run(vec![("images", picture)]).map_err(|error| error.to_string())
    });
    assert!(ran.is_err());
}
