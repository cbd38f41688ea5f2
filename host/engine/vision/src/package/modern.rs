//! Folders of the modern server's packages.

use serde::Deserialize;

use super::Recipe;
use super::files::{self, CLASS_NAMES, Steps};
use crate::classify::Activation;
use crate::error::LoadError;
use crate::prediction::Task;
use crate::preprocess::{Fill, Fit, Preprocessing, Values};
use crate::source::Source;

pub(super) const CONFIG: &str = "model_config.json";
const INFERENCE: &str = "inference_config.json";

/// What the model is.
#[derive(Deserialize)]
struct ModelConfig {
    model_architecture: String,
    task_type: String,
    backend_type: Option<String>,
}

/// How to run it.
#[derive(Deserialize)]
struct InferenceConfig {
    image_pre_processing: Option<Steps>,
    network_input: NetworkInput,
    #[serde(default)]
    forward_pass: ForwardPass,
    post_processing: Option<After>,
}

#[derive(Deserialize)]
struct NetworkInput {
    training_input_size: Option<TrainingSize>,
    color_mode: String,
    resize_mode: String,
    padding_value: Option<i64>,
    input_channels: u32,
    scaling_factor: Option<f32>,
    normalization: Option<(Vec<f32>, Vec<f32>)>,
}

#[derive(Deserialize)]
struct TrainingSize {
    height: u64,
    width: u64,
}

#[derive(Default, Deserialize)]
struct ForwardPass {
    max_dynamic_batch_size: Option<usize>,
}

#[derive(Deserialize)]
struct After {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    fused: bool,
}

/// The task as the files name it, and the file.
pub(super) fn task_name(source: &Source) -> Option<(&'static str, String)> {
    let config: ModelConfig = files::json(source, CONFIG).ok()??;
    Some((CONFIG, config.task_type))
}

/// Whether the task is one that is run; broken files are read to say why they are.
pub(super) fn is_known(source: &Source) -> bool {
    match task_name(source) {
        Some((_, name)) => files::task(&name).is_some(),
        None => source.has(INFERENCE),
    }
}

/// What a folder's files say.
pub(super) fn read(source: &Source) -> Result<Recipe, LoadError> {
    let config: ModelConfig = files::required(source, CONFIG)?;
    let inference: InferenceConfig = files::required(source, INFERENCE)?;
    if let Some(backend) = config.backend_type.filter(|backend| backend != "onnx") {
        return Err(LoadError::unsupported(
            CONFIG,
            format!("backend {backend:?} is not run; export the network to ONNX"),
        ));
    }
    let steps = inference.image_pre_processing.unwrap_or_default();
    let network = inference.network_input;
    if network.input_channels != 3 {
        let reason = format!("networks with {} input channels are not run; pictures have 3", network.input_channels);
        return Err(LoadError::unsupported(INFERENCE, reason));
    }
    let task = files::task(&config.task_type);
    let size = match &network.training_input_size {
        Some(size) => Some(files::size(size.width, size.height, "training_input_size", INFERENCE)?),
        None => None,
    };
    let (activation, is_suppressed) = after(inference.post_processing.as_ref(), task)?;
    Ok(Recipe {
        file: INFERENCE,
        task,
        architecture: Some(config.model_architecture),
        classes: files::class_names(source)?.map(|names| (CLASS_NAMES, names)),
        colors: None,
        // This server turns pictures whether the package asks for it or not.
        is_oriented: steps.auto_orient.as_ref().is_none_or(|step| step.enabled),
        preprocessing: Preprocessing {
            crop: steps.crop(INFERENCE)?,
            contrast: steps.contrast(INFERENCE)?,
            is_gray: steps.is_gray(),
            fit: fit(&network)?,
            values: values(&network)?,
        },
        size,
        keypoints: files::keypoints(source)?,
        activation,
        is_suppressed,
        batch_max: inference.forward_pass.max_dynamic_batch_size.filter(|&most| most > 0),
    })
}

/// What becomes of numbers of classes, and whether overlapping boxes are gone already.
fn after(after: Option<&After>, task: Option<Task>) -> Result<(Activation, bool), LoadError> {
    let is_multi_label = task == Some(Task::MultiLabelClassification);
    let Some(after) = after else {
        return Ok((if is_multi_label { Activation::None } else { Activation::Softmax }, false));
    };
    match (after.kind.as_str(), after.fused) {
        ("softmax" | "sigmoid", true) => Ok((Activation::None, false)),
        ("softmax", false) => Ok((Activation::Softmax, false)),
        ("sigmoid", false) => Ok((Activation::Sigmoid, false)),
        ("nms", is_suppressed) => Ok((Activation::Softmax, is_suppressed)),
        (other, _) => Err(LoadError::unsupported(
            INFERENCE,
            format!("post_processing {other:?}; nms, softmax and sigmoid are known"),
        )),
    }
}

/// How a picture comes to the network's size. Networks of a fixed size cannot take a longer edge alone: that server gives them grey edges.
fn fit(network: &NetworkInput) -> Result<Fit, LoadError> {
    let padding = network.padding_value.unwrap_or(0);
    let Ok(padding) = u8::try_from(padding) else {
        return Err(LoadError::invalid(INFERENCE, format!("padding_value {padding} is not between 0 and 255")));
    };
    match network.resize_mode.as_str() {
        "stretch" => Ok(Fit::Stretch),
        "letterbox" | "letterbox-reflect-edges" => Ok(Fit::Letterbox(Fill::Value(padding))),
        "fit-longer-edge" => Ok(Fit::Letterbox(Fill::Value(127))),
        "center-crop" => Ok(Fit::CenterCrop),
        other => Err(LoadError::unsupported(
            INFERENCE,
            format!(
                "resize_mode {other:?}; stretch, letterbox, letterbox-reflect-edges, fit-longer-edge and center-crop are known"
            ),
        )),
    }
}

/// The numbers that the network takes.
fn values(network: &NetworkInput) -> Result<Values, LoadError> {
    let invalid = |reason: String| LoadError::invalid(INFERENCE, reason);
    let is_bgr = match network.color_mode.as_str() {
        "rgb" => false,
        "bgr" => true,
        other => return Err(invalid(format!("color_mode {other:?} is neither rgb nor bgr"))),
    };
    let scaling = network.scaling_factor.unwrap_or(1.0);
    let is_divisor = |value: f32| value.is_finite() && value != 0.0;
    if !is_divisor(scaling) {
        return Err(invalid(format!("scaling_factor {scaling} cannot divide")));
    }
    let (mean, deviation) = match &network.normalization {
        None => ([0.0; 3], [1.0; 3]),
        Some((mean, deviation)) => match (<[f32; 3]>::try_from(&mean[..]), <[f32; 3]>::try_from(&deviation[..])) {
            (Ok(mean), Ok(deviation)) if deviation.iter().all(|&value| is_divisor(value)) => (mean, deviation),
            _ => return Err(invalid("normalization is not three means and three divisors other than 0".to_owned())),
        },
    };
    Ok(Values { is_bgr, scaling, mean, deviation })
}
