//! Models of pictures: pictures in, objects, classes, words and gazes out.
//!
//! What it refuses to do: it decodes no files of clients, knows no HTTP and no plugin, and names no tensor library: networks run in
//! `mimus-onnx`.

mod image;

pub use image::Image;
