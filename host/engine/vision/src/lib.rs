//! Models of pictures: pictures in, objects, classes, words and gazes out.
//!
//! What it refuses to do: it decodes no files of clients, knows no HTTP and no plugin, and names no tensor library: networks run in
//! `mimus-onnx`.

pub mod antialias;
mod boxes;
mod classify;
mod contour;
mod error;
mod fitting;
mod gaze;
#[cfg(test)]
mod golden;
mod image;
mod keypoints;
mod masks;
mod model;
mod network;
mod objects;
mod package;
mod prediction;
mod preprocess;
mod reading;
mod rle;
mod service;
mod source;
mod suppress;
mod yolo;

pub use error::{LoadError, VisionError};
pub use gaze::{Face, GazeModel};
pub use image::Image;
pub use mimus_batching::Activity;
pub use model::{IMAGES_MAX, LoadOptions, VisionModel};
pub use package::{Layout, sniff};
pub use prediction::{
    ClassScore, Description, Findings, Info, Keypoint, MaskForm, MaskMode, Object, Point, PostProcessing,
    PredictOptions, Prediction, RleMask, Task,
};
pub use reading::{Block, Line, TextReader, Word};
pub use source::Source;
