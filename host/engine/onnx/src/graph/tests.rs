//! Small graphs, against what onnxruntime makes of them. `tests/make_golden.py` wrote both.

use std::path::{Path, PathBuf};

use super::*;
use crate::tensor::{Data, Dimension, Kind};

/// A run of a graph: its inputs and the outputs that are expected.
struct Run {
    inputs: Vec<Tensor>,
    outputs: Vec<(Vec<usize>, Vec<f32>)>,
}

/// Numbers of 32 bits, one after the other.
struct Words(std::vec::IntoIter<[u8; 4]>);

impl Words {
    fn count(&mut self) -> usize {
        u32::from_le_bytes(self.0.next().expect("the file has more")) as usize
    }

    fn shape(&mut self) -> Vec<usize> {
        (0..self.count()).map(|_| self.count()).collect()
    }
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.onnx"))).expect("the graph is there")
}

fn runs(name: &str) -> Vec<Run> {
    let stored = std::fs::read(folder().join(format!("{name}.bin"))).expect("the outputs are there");
    let words: Vec<[u8; 4]> = stored.chunks_exact(4).map(|word| word.try_into().expect("four bytes")).collect();
    let mut words = Words(words.into_iter());
    let runs = (0..words.count()).map(|_| {
        let inputs = (0..words.count()).map(|_| input(words.shape())).collect();
        let outputs = (0..words.count()).map(|_| {
            let shape = words.shape();
            let elements = shape.iter().product();
            let values = words.0.by_ref().take(elements).map(f32::from_le_bytes).collect();
            (shape, values)
        });
        Run { inputs, outputs: outputs.collect() }
    });
    runs.collect()
}

/// An input as `make_golden.py` makes it.
fn input(shape: Vec<usize>) -> Tensor {
    let value = |index: usize| ((index * 7919 + 13) % 1000) as f32 / 500.0 - 1.0;
    let data = Data::F32((0..shape.iter().product()).map(value).collect());
    Tensor { shape, data }
}

/// Largest difference between numbers, as a share of the largest expected number.
fn difference(found: &[f32], expected: &[f32]) -> f32 {
    let scale = expected.iter().fold(1e-3f32, |scale, value| scale.max(value.abs()));
    let differences = found.iter().zip(expected).map(|(found, expected)| (found - expected).abs() / scale);
    // A number that is none differs from all.
    differences.fold(0.0, |largest, difference| if difference <= largest { largest } else { difference })
}

/// Compares the outputs of all runs, and gathers what is wrong.
fn compare(name: &str, run: impl Fn(Vec<Tensor>) -> Result<Vec<Tensor>, Error>) {
    let mut faults = Vec::new();
    for (number, golden) in runs(name).into_iter().enumerate() {
        let outputs = run(golden.inputs).unwrap_or_else(|error| panic!("{name}, run {number}: {error}"));
        assert_eq!(outputs.len(), golden.outputs.len());
        for (index, (output, (shape, expected))) in outputs.iter().zip(&golden.outputs).enumerate() {
            let Data::F32(found) = &output.data else { panic!("{name}: output {index} holds no floats") };
            if output.shape != *shape || found.len() != expected.len() {
                faults.push(format!("run {number}, output {index}: shape {:?}, expected {shape:?}", output.shape));
                continue;
            }
            let difference = difference(found, expected);
            if difference.is_nan() || difference > 1e-4 {
                faults.push(format!("run {number}, output {index} of shape {shape:?}: differs by {difference}"));
            }
        }
    }
    assert!(faults.is_empty(), "{name}:\n{}", faults.join("\n"));
}

/// Why a graph is left to rten.
fn refusal(name: &str) -> Option<Error> {
    let model = file::read(&bytes(name)).expect(name);
    let graph = model.graph.as_ref().expect(name);
    let ports = [file::inputs(graph), file::outputs(graph)].map(|ports| ports.expect(name));
    Convolution::load(&model, graph, &ports[0], &ports[1]).err()
}

/// Runs a graph on the executor that a load chooses, which must be `executor`.
fn check(name: &str, executor: &str) {
    let graph = Graph::load(&bytes(name)).expect(name);
    assert_eq!(graph.executor(), executor, "{name}: {:?}", refusal(name));
    compare(name, |inputs| {
        let names: Vec<String> = graph.inputs().iter().map(|port| port.name.clone()).collect();
        graph.run(names.iter().map(String::as_str).zip(inputs).collect())
    });
}

/// Runs a graph on rten as well.
fn check_both(name: &str) {
    check(name, "convolution");
    let graph = Graph::load(&bytes(name)).expect(name);
    let general = General::load(&bytes(name), graph.inputs(), graph.outputs()).expect(name);
    compare(name, |inputs| general.run(inputs, graph.outputs()));
}

#[test]
fn convolutions_of_all_shapes() {
    check("convolutions", "convolution");
}

#[test]
fn convolutions_of_pictures() {
    check_both("pictures");
}

#[test]
fn transposed_convolutions() {
    check("transposed", "convolution");
}

#[test]
fn windows_and_sizes() {
    check("windows", "convolution");
}

#[test]
fn functions_and_sums_after_convolutions() {
    check("epilogues", "convolution");
}

#[test]
fn parts_and_orders() {
    check("parts", "convolution");
}

#[test]
fn weights_in_16_bits() {
    check_both("halves");
}

#[test]
fn detectors() {
    check_both("yolov8");
    check_both("yolov5");
}

#[test]
fn classifiers() {
    check_both("resnet");
}

#[test]
fn networks_with_other_operators_are_left_to_rten() {
    check("crnn", "rten");
    check("vit", "rten");
}

#[test]
fn all_threads_agree() {
    let graph = Graph::load(&bytes("yolov8")).expect("it is sound");
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| graph.run(vec![("x", input(vec![2, 3, 64, 96]))])).expect("it runs")
    };
    assert_eq!(run(1), run(3));
    std::thread::scope(|scope| {
        let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| run(2))).collect();
        for other in runs {
            assert_eq!(other.join().expect("no panic"), run(1));
        }
    });
}

#[test]
fn ports_and_sizes_are_told() {
    let graph = Graph::load(&bytes("resnet")).expect("it is sound");
    let port = &graph.inputs()[0];
    assert_eq!((port.name.as_str(), port.kind), ("x", Kind::F32));
    assert_eq!(port.shape[0], Dimension::Symbolic("n".to_owned()));
    assert_eq!(port.shape[1..], [3, 40, 44].map(Dimension::Fixed));
    assert_eq!(graph.outputs().len(), 1);
    assert!(graph.parameters() > 5000 && graph.weight_bytes() == 4 * graph.parameters());
}

#[test]
fn wrong_inputs_are_named() {
    let graph = Graph::load(&bytes("resnet")).expect("it is sound");
    let good = || input(vec![1, 3, 40, 44]);
    let refuses = |inputs: Vec<(&str, Tensor)>, expect: &str| {
        let error = graph.run(inputs).expect_err(expect).to_string();
        assert!(error.contains(expect), "{error:?} does not say {expect:?}");
    };
    refuses(vec![], "not given");
    refuses(vec![("y", good())], "it has x");
    refuses(vec![("x", good()), ("x", good())], "given twice");
    refuses(vec![("x", input(vec![1, 3, 40, 40]))], "[1, 3, 40, 40], expected [n, 3, 40, 44]");
    refuses(vec![("x", input(vec![3, 40, 44]))], "expected [n, 3, 40, 44]");
    refuses(vec![("x", Tensor { shape: vec![1, 3, 40, 44], data: Data::F32(vec![0.0; 7]) })], "7 elements");
    refuses(vec![("x", Tensor { shape: vec![0], data: Data::I64(vec![]) })], "holds i64, expected f32");
    // A batch of none is no reason to panic.
    let _ = graph.run(vec![("x", input(vec![0, 3, 40, 44]))]);
    assert!(graph.run(vec![("x", good())]).is_ok());
}

#[test]
fn sizes_that_a_network_cannot_take_are_an_error() {
    let graph = Graph::load(&bytes("yolov8")).expect("it is sound");
    // Half of 33 and twice that do not join.
    let error = graph.run(vec![("x", input(vec![1, 3, 72, 40]))]).expect_err("sizes do not join");
    assert!(matches!(error, Error::Execution(_)), "{error}");
}
