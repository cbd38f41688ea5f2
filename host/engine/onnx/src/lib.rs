//! Loads ONNX graphs and executes them on the processor.
//!
//! [`Graph::load`] reads the bytes of a file, [`Graph::run`] takes tensors by name and returns the outputs in the order of the file.
//! A graph is immutable and may be run by several threads at once; each run uses the rayon pool it is called in.
//!
//! Two things execute graphs, and a load chooses:
//!
//! * `convolution`: kernels of our own for networks all of whose operators they know: detectors, classifiers, networks that segment
//!   or find key points. Inputs and outputs must be floats, and no shape may depend on the data. Sizes of batches and pictures may be
//!   open: the first run of each combination makes a plan.
//! * `rten`: the library of that name, for all other graphs: transformers, recurrent networks, control flow, integers.
//!
//! # Speed
//! Milliseconds of processor time for a picture of 640 by 640 pixels, float32, random weights, two cores of an AMD EPYC with AVX2 and
//! without AVX-512 that others used at the time; processes by turns, best and median of 20 runs (`benches/compare_speed.py`).
//!
//! | | threads | ours | onnxruntime 1.31 | rten 0.27 |
//! |---|---|---|---|---|
//! | YOLOv8n shape | 1 | 74, 81 | 113, 119 | 187, 203 |
//! | YOLOv8n shape | 2 | 75, 78 | 120, 133 | |
//! | YOLOv8n-seg shape | 1 | 98, 107 | 156, 170 | 271, 289 |
//! | YOLOv8n-seg shape | 2 | 102, 108 | 174, 192 | |
//!
//! The wall clock of two threads says nothing on a machine that is not idle. Outputs agree with onnxruntime's within a ten-thousandth of the largest.
//!
//! # What it refuses to do
//! It opens no file (weights outside the ONNX file are an error), executes no custom code, and knows nothing of pictures' meaning, boxes or
//! labels. What a file declares is checked before memory is taken for it, and a panic of an executor becomes an error. One thing is not
//! bounded: a graph that is left to rten can ask for as much memory as its operators make of an input.

mod builder;
mod convolution;
mod error;
mod file;
mod general;
mod graph;
mod limits;
mod proto;
mod tensor;

pub use builder::{Builder, Setting, Value};
pub use error::Error;
pub use graph::Graph;
pub use limits::{FILE_BYTES_MAX, NODES_MAX, TENSOR_ELEMENTS_MAX};
pub use tensor::{Data, Dimension, Kind, Port, Tensor};
