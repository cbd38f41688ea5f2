//! YOLOv8 whose weights come without a graph, in safetensors: detectors, segmenters, models of keypoints and classifiers of every size.
//!
//! The graph is written as the trainer's own export would be, so everything after it is as for an ONNX file. Depth and width are read off
//! the weights. Two ways of naming are known: the trainer's (`model.0.conv.weight`) and the one of candle's converted files
//! (`net.b1.0.conv.weight`).
//!
//! Source: ultralytics, `cfg/models/v8/*.yaml` and `nn/modules`, as of 8.4; candle, `candle-examples/examples/yolo-v8`. Other
//! generations are refused.

#[cfg(test)]
mod tests;
mod weights;

use mimus_onnx::{Builder, Setting, Value};

use crate::error::LoadError;
use crate::preprocess::placement::Size;
use weights::{Convolution, Weights};

/// How many pixels of the input a cell of each level covers.
const STRIDES: [usize; 3] = [8, 16, 32];

/// Layers of the body, and of the one behind it that answers.
const POOLING: usize = 9;
const HEAD: usize = 22;

/// The bytes of an ONNX file with the weights of `bytes`, for pictures of `size`, whose sides are multiples of 32.
///
/// # Errors
/// [`LoadError::Invalid`] for a file that contradicts itself or lacks a weight, [`LoadError::Unsupported`] for another network.
pub(crate) fn onnx(bytes: &[u8], file: &str, size: Size) -> Result<Vec<u8>, LoadError> {
    let weights = Weights::read(bytes, file)?;
    let mut network = Network { builder: Builder::default(), weights };
    let picture = network.builder.input("images", &[None, Some(3), Some(size.height), Some(size.width)]);
    let outputs = network.write(&picture, size)?;
    let names = ["output0", "output1"];
    let outputs: Vec<(&str, Value)> = names.into_iter().zip(outputs).collect();
    Ok(network.builder.finish(&outputs))
}

struct Network<'a> {
    builder: Builder,
    weights: Weights<'a>,
}

/// The cells of all levels.
struct Cells {
    count: usize,
    /// Their middles in cells, `[2, count]`.
    middles: Vec<f32>,
    /// Pixels a cell.
    strides: Vec<f32>,
}

impl Network<'_> {
    fn write(&mut self, picture: &Value, size: Size) -> Result<Vec<Value>, LoadError> {
        let (level3, level4, deepest) = self.body(picture)?;
        if self.weights.has_layer(POOLING, "linear.weight") {
            return Ok(vec![self.classes(&deepest)?]);
        }
        let level5 = self.pooled(&deepest)?;
        let raised = self.raised(&level5);
        let joined = self.join(&[&raised, &level4]);
        let middle = self.stage(&joined, 12, false)?;
        let raised = self.raised(&middle);
        let joined = self.join(&[&raised, &level3]);
        let fine = self.stage(&joined, 15, false)?;
        let lowered = self.layer(&fine, 16, 2)?;
        let joined = self.join(&[&lowered, &middle]);
        let medium = self.stage(&joined, 18, false)?;
        let lowered = self.layer(&medium, 19, 2)?;
        let joined = self.join(&[&lowered, &level5]);
        let coarse = self.stage(&joined, 21, false)?;
        self.head(&[fine, medium, coarse], &Cells::of(size))
    }

    /// What two levels and the deepest are, from the picture.
    fn body(&mut self, picture: &Value) -> Result<(Value, Value, Value), LoadError> {
        let x = self.layer(picture, 0, 2)?;
        let x = self.layer(&x, 1, 2)?;
        let x = self.stage(&x, 2, true)?;
        let x = self.layer(&x, 3, 2)?;
        let level3 = self.stage(&x, 4, true)?;
        let x = self.layer(&level3, 5, 2)?;
        let level4 = self.stage(&x, 6, true)?;
        let x = self.layer(&level4, 7, 2)?;
        let deepest = self.stage(&x, 8, true)?;
        Ok((level3, level4, deepest))
    }

    fn classes(&mut self, x: &Value) -> Result<Value, LoadError> {
        let name = format!("{}.conv", self.weights.layer(POOLING));
        let x = self.convolved(x, &name, 1)?;
        let x = self.builder.node("GlobalAveragePool", &[&x], &[]);
        let x = self.builder.node("Flatten", &[&x], &[("axis", Setting::Int(1))]);
        let (shape, values) = self.weights.tensor(&format!("{}.linear.weight", self.weights.layer(POOLING)))?;
        let weight = self.builder.floats(&shape, &values);
        let (shape, values) = self.weights.tensor(&format!("{}.linear.bias", self.weights.layer(POOLING)))?;
        let bias = self.builder.floats(&shape, &values);
        let x = self.builder.node("Gemm", &[&x, &weight, &bias], &[("transB", Setting::Int(1))]);
        Ok(self.builder.node("Softmax", &[&x], &[("axis", Setting::Int(-1))]))
    }

    /// Pooled over ever larger neighbourhoods (SPPF).
    fn pooled(&mut self, x: &Value) -> Result<Value, LoadError> {
        let name = self.weights.layer(POOLING);
        let first = self.convolved(x, &format!("{name}.cv1"), 1)?;
        let mut parts = vec![first];
        for _ in 0..3 {
            let settings = [
                ("kernel_shape", Setting::Ints(&[5, 5])),
                ("pads", Setting::Ints(&[2, 2, 2, 2])),
                ("strides", Setting::Ints(&[1, 1])),
            ];
            let last = parts.last().expect("one at least").clone();
            parts.push(self.builder.node("MaxPool", &[&last], &settings));
        }
        let joined = self.join(&parts.iter().collect::<Vec<_>>());
        self.convolved(&joined, &format!("{name}.cv2"), 1)
    }

    /// Twice as wide and high.
    fn raised(&mut self, x: &Value) -> Value {
        let none = self.builder.floats(&[0], &[]);
        let scales = self.builder.floats(&[4], &[1.0, 1.0, 2.0, 2.0]);
        let settings = [
            ("mode", Setting::Text("nearest")),
            ("nearest_mode", Setting::Text("floor")),
            ("coordinate_transformation_mode", Setting::Text("asymmetric")),
        ];
        self.builder.node("Resize", &[x, &none, &scales], &settings)
    }

    fn join(&mut self, parts: &[&Value]) -> Value {
        self.along(parts, 1)
    }

    fn along(&mut self, parts: &[&Value], axis: i64) -> Value {
        self.builder.node("Concat", parts, &[("axis", Setting::Int(axis))])
    }

    fn split(&mut self, x: &Value, sizes: &[usize], axis: i64) -> Vec<Value> {
        let given = self.builder.integers(&sizes.iter().map(|&size| size as i64).collect::<Vec<_>>());
        self.builder.nodes("Split", &[x, &given], &[("axis", Setting::Int(axis))], sizes.len())
    }

    fn reshaped(&mut self, x: &Value, shape: &[i64]) -> Value {
        let shape = self.builder.integers(shape);
        self.builder.node("Reshape", &[x, &shape], &[])
    }

    /// One layer that is a single convolution.
    fn layer(&mut self, x: &Value, number: usize, stride: i64) -> Result<Value, LoadError> {
        let name = self.weights.layer(number);
        self.convolved(x, &name, stride)
    }

    /// A stage of small residual blocks, all of whose results are joined (C2f).
    fn stage(&mut self, x: &Value, number: usize, adds: bool) -> Result<Value, LoadError> {
        let name = self.weights.layer(number);
        let channels = self.weights.channels(&format!("{name}.cv1.conv.weight"))? / 2;
        let x = self.convolved(x, &format!("{name}.cv1"), 1)?;
        let mut parts = self.split(&x, &[channels, channels], 1);
        for index in 0.. {
            let block = self.weights.block(&name, index);
            if !self.weights.has(&format!("{block}.cv1.conv.weight")) {
                break;
            }
            let last = parts.last().expect("two at least").clone();
            let inner = self.convolved(&last, &format!("{block}.cv1"), 1)?;
            let inner = self.convolved(&inner, &format!("{block}.cv2"), 1)?;
            parts.push(if adds { self.builder.node("Add", &[&last, &inner], &[]) } else { inner });
        }
        let joined = self.join(&parts.iter().collect::<Vec<_>>());
        self.convolved(&joined, &format!("{name}.cv2"), 1)
    }

    /// A convolution with its normalisation folded in, and the activation x · sigmoid(x).
    fn convolved(&mut self, x: &Value, name: &str, stride: i64) -> Result<Value, LoadError> {
        let convolution = self.weights.convolution(name)?;
        let x = self.slid(x, &convolution, stride);
        let gate = self.builder.node("Sigmoid", &[&x], &[]);
        Ok(self.builder.node("Mul", &[&x, &gate], &[]))
    }

    /// A convolution alone.
    fn plain(&mut self, x: &Value, name: &str) -> Result<Value, LoadError> {
        let convolution = self.weights.plain(name)?;
        Ok(self.slid(x, &convolution, 1))
    }

    fn slid(&mut self, x: &Value, convolution: &Convolution, stride: i64) -> Value {
        let (high, wide) = (convolution.shape[2] as i64, convolution.shape[3] as i64);
        let weight = self.builder.floats(&convolution.shape, &convolution.weight);
        let bias = self.builder.floats(&[convolution.bias.len()], &convolution.bias);
        let settings = [
            ("kernel_shape", Setting::Ints(&[high, wide])),
            ("pads", Setting::Ints(&[high / 2, wide / 2, high / 2, wide / 2])),
            ("strides", Setting::Ints(&[stride, stride])),
        ];
        self.builder.node("Conv", &[x, &weight, &bias], &settings)
    }

    /// What a branch of the head says of every cell, `[batch, numbers, cells]`, and how many numbers.
    fn branch(&mut self, levels: &[Value; 3], branch: &str) -> Result<(Value, usize), LoadError> {
        let head = self.weights.layer(HEAD);
        let mut said = Vec::new();
        let mut numbers = 0;
        for (index, level) in levels.iter().enumerate() {
            let name = format!("{head}.{branch}.{index}");
            let x = self.convolved(level, &format!("{name}.0"), 1)?;
            let x = self.convolved(&x, &format!("{name}.1"), 1)?;
            numbers = self.weights.channels(&format!("{name}.2.weight"))?;
            let x = self.plain(&x, &format!("{name}.2"))?;
            said.push(self.reshaped(&x, &[0, numbers as i64, -1]));
        }
        Ok((self.along(&said.iter().collect::<Vec<_>>(), 2), numbers))
    }

    fn head(&mut self, levels: &[Value; 3], cells: &Cells) -> Result<Vec<Value>, LoadError> {
        let (distances, numbers) = self.branch(levels, "cv2")?;
        let (scores, _) = self.branch(levels, "cv3")?;
        let boxes = self.boxes(&distances, numbers, cells)?;
        let scores = self.builder.node("Sigmoid", &[&scores], &[]);
        let head = self.weights.layer(HEAD);
        if !self.weights.has(&format!("{head}.cv4.0.0.conv.weight")) {
            return Ok(vec![self.join(&[&boxes, &scores])]);
        }
        let (further, count) = self.branch(levels, "cv4")?;
        if self.weights.has(&format!("{head}.proto.cv1.conv.weight")) {
            let answers = self.join(&[&boxes, &scores, &further]);
            return Ok(vec![answers, self.prototypes(&levels[0])?]);
        }
        let points = self.points(&further, count, cells)?;
        Ok(vec![self.join(&[&boxes, &scores, &points])])
    }

    /// Middles, widths and heights in pixels. Each side's distance from the cell's middle is the mean of a distribution over whole
    /// numbers of cells.
    fn boxes(&mut self, distances: &Value, numbers: usize, cells: &Cells) -> Result<Value, LoadError> {
        let steps = numbers / 4;
        if steps == 0 || !numbers.is_multiple_of(4) {
            return Err(self.weights.invalid(format!("its boxes have {numbers} numbers, which is no multiple of 4")));
        }
        let x = self.reshaped(distances, &[0, 4, steps as i64, cells.count as i64]);
        let x = self.builder.node("Transpose", &[&x], &[("perm", Setting::Ints(&[0, 2, 1, 3]))]);
        let x = self.builder.node("Softmax", &[&x], &[("axis", Setting::Int(1))]);
        let counting: Vec<f32> = (0..steps).map(|step| step as f32).collect();
        let counting = self.builder.floats(&[1, steps, 1, 1], &counting);
        let x = self.builder.node("Conv", &[&x, &counting], &[("kernel_shape", Setting::Ints(&[1, 1]))]);
        let x = self.reshaped(&x, &[0, 4, cells.count as i64]);
        let sides = self.split(&x, &[2, 2], 1);
        let middles = self.builder.floats(&[1, 2, cells.count], &cells.middles);
        let near = self.builder.node("Sub", &[&middles, &sides[0]], &[]);
        let far = self.builder.node("Add", &[&middles, &sides[1]], &[]);
        let sum = self.builder.node("Add", &[&near, &far], &[]);
        let two = self.builder.floats(&[1], &[2.0]);
        let middle = self.builder.node("Div", &[&sum, &two], &[]);
        let size = self.builder.node("Sub", &[&far, &near], &[]);
        let x = self.join(&[&middle, &size]);
        let strides = self.builder.floats(&[1, 1, cells.count], &cells.strides);
        Ok(self.builder.node("Mul", &[&x, &strides], &[]))
    }

    /// Pictures of which each mask is a mixture.
    fn prototypes(&mut self, level: &Value) -> Result<Value, LoadError> {
        let name = format!("{}.proto", self.weights.layer(HEAD));
        let x = self.convolved(level, &format!("{name}.cv1"), 1)?;
        let Convolution { shape, weight, bias } = self.weights.plain(&format!("{name}.upsample"))?;
        let weight = self.builder.floats(&shape, &weight);
        let bias = self.builder.floats(&[bias.len()], &bias);
        let settings = [("kernel_shape", Setting::Ints(&[2, 2])), ("strides", Setting::Ints(&[2, 2]))];
        let x = self.builder.node("ConvTranspose", &[&x, &weight, &bias], &settings);
        let x = self.convolved(&x, &format!("{name}.cv2"), 1)?;
        self.convolved(&x, &format!("{name}.cv3"), 1)
    }

    /// Keypoints: x and y in pixels, and whether each is seen.
    fn points(&mut self, said: &Value, numbers: usize, cells: &Cells) -> Result<Value, LoadError> {
        if !numbers.is_multiple_of(3) {
            return Err(self.weights.invalid(format!("its points have {numbers} numbers, which is no multiple of 3")));
        }
        let x = self.reshaped(said, &[0, (numbers / 3) as i64, 3, cells.count as i64]);
        let parts = self.split(&x, &[2, 1], 2);
        let two = self.builder.floats(&[1], &[2.0]);
        let places = self.builder.node("Mul", &[&parts[0], &two], &[]);
        let corners: Vec<f32> = cells.middles.iter().map(|middle| middle - 0.5).collect();
        let corners = self.builder.floats(&[1, 1, 2, cells.count], &corners);
        let places = self.builder.node("Add", &[&places, &corners], &[]);
        let strides = self.builder.floats(&[1, 1, 1, cells.count], &cells.strides);
        let places = self.builder.node("Mul", &[&places, &strides], &[]);
        let seen = self.builder.node("Sigmoid", &[&parts[1]], &[]);
        let x = self.along(&[&places, &seen], 2);
        Ok(self.reshaped(&x, &[0, numbers as i64, cells.count as i64]))
    }
}

impl Cells {
    fn of(size: Size) -> Cells {
        let (mut xs, mut ys, mut strides) = (Vec::new(), Vec::new(), Vec::new());
        for stride in STRIDES {
            for y in 0..size.height / stride {
                for x in 0..size.width / stride {
                    xs.push(x as f32 + 0.5);
                    ys.push(y as f32 + 0.5);
                    strides.push(stride as f32);
                }
            }
        }
        let count = xs.len();
        xs.append(&mut ys);
        Cells { count, middles: xs, strides }
    }
}
