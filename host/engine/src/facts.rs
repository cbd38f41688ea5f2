//! What is told of a loaded model, whatever its kind.

use mimus_vision::{Description, Task};

use crate::load::Model;
use crate::text_model::Activity;
use crate::tokenizer::Tokenizer;

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Facts<'a> {
    /// Family: `qwen2`, `bert`, `yolov8` and so on.
    pub architecture: &'a str,
    /// Where its weights came from: `safetensors`, `gguf` or `onnx`.
    pub format: &'a str,
    /// Kind of most quantized weights.
    pub quantization: Option<&'a str>,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes of the weights in memory.
    pub weight_bytes: u64,
    /// Tokens of prompt and output together, or of the longest input; 0 for a model without tokens.
    pub context_tokens: u32,
    /// Tokens of the vocabulary; 0 for a model without tokens.
    pub vocab_tokens: u32,
    /// Numbers in a vector, for a model that makes vectors.
    pub dimensions: Option<u32>,
    /// What it can do, in words of an open list.
    pub abilities: &'static [&'static str],
}

impl Model {
    /// What it is.
    pub fn facts(&self) -> Facts<'_> {
        // The kinds tell of themselves in types of their own, with fields of one name.
        macro_rules! of_tokens {
            ($info:expr, $quantization:expr, $dimensions:expr, $abilities:expr) => {
                Facts {
                    architecture: &$info.architecture,
                    format: &$info.format,
                    quantization: $quantization,
                    parameters: $info.parameters,
                    weight_bytes: $info.weight_bytes,
                    context_tokens: $info.context_tokens,
                    vocab_tokens: $info.vocab_tokens,
                    dimensions: $dimensions,
                    abilities: $abilities,
                }
            };
        }
        match self {
            Self::Text(model) => {
                of_tokens!(model.info(), model.info().quantization.as_deref(), None, &["chat", "generate"])
            }
            Self::Embedding(model) => of_tokens!(model.info(), None, Some(model.info().dimensions), &["embed"]),
            Self::Rerank(model) => of_tokens!(model.info(), None, None, &["rerank"]),
            Self::ImageText(model) => of_tokens!(model.info(), None, Some(model.info().dimensions), &["embed-image"]),
            Self::TextLine(model) => of_tokens!(model.info(), None, None, &["read-text"]),
            Self::Vision(model) => network(model.info(), ability(model.description().task)),
            Self::TextReader(model) => network(model.info(), &["read-text"]),
            Self::Gaze(model) => network(model.info(), &["gaze"]),
        }
    }

    /// What a model of pictures is; `None` for all others.
    pub fn description(&self) -> Option<Description> {
        let whole = |task, input: Option<(u32, u32)>| Description {
            task,
            input_width: input.map(|(width, _)| width),
            input_height: input.map(|(_, height)| height),
            batch: None,
            classes: Vec::new(),
            colors: Vec::new(),
            is_oriented: true,
        };
        Some(match self {
            Self::Text(_) | Self::Embedding(_) | Self::Rerank(_) => return None,
            Self::Vision(model) => model.description().clone(),
            Self::ImageText(model) => {
                let side = model.info().image_size;
                whole(Task::ImageText, Some((side, side)))
            }
            Self::TextLine(model) => {
                let side = model.info().image_size;
                whole(Task::TextReading, Some((side, side)))
            }
            Self::TextReader(model) => whole(Task::TextReading, Some(model.input_size())),
            Self::Gaze(_) => whole(Task::GazeDetection, None),
        })
    }

    /// The model's own tokenizer, where it reads text.
    pub fn tokenizer(&self) -> Option<&Tokenizer> {
        match self {
            Self::Text(model) => Some(model.tokenizer()),
            Self::Embedding(model) => Some(model.tokenizer()),
            Self::Rerank(model) => Some(model.tokenizer()),
            Self::ImageText(model) => Some(model.tokenizer()),
            Self::TextLine(model) => Some(model.tokenizer()),
            Self::Vision(_) | Self::TextReader(_) | Self::Gaze(_) => None,
        }
    }

    /// What the model does now, for metrics.
    pub fn activity(&self) -> Activity {
        match self {
            Self::Text(model) => model.activity(),
            Self::Embedding(model) => model.activity(),
            Self::Rerank(model) => model.activity(),
            Self::ImageText(model) => model.activity(),
            Self::TextLine(model) => model.activity(),
            Self::Vision(model) => requests(model.activity()),
            Self::TextReader(model) => requests(model.activity()),
            Self::Gaze(model) => requests(model.activity()),
        }
    }
}

/// Facts of a model that is made of networks.
fn network<'a>(info: &'a mimus_vision::Info, abilities: &'static [&'static str]) -> Facts<'a> {
    Facts {
        architecture: &info.architecture,
        format: info.format,
        quantization: None,
        parameters: info.parameters,
        weight_bytes: info.weight_bytes,
        context_tokens: 0,
        vocab_tokens: 0,
        dimensions: None,
        abilities,
    }
}

fn ability(task: Task) -> &'static [&'static str] {
    match task {
        Task::ObjectDetection => &["detect"],
        Task::InstanceSegmentation => &["detect", "segment"],
        Task::KeypointDetection => &["detect", "keypoints"],
        Task::Classification | Task::MultiLabelClassification => &["classify"],
        Task::ImageText | Task::TextReading | Task::GazeDetection => &[],
    }
}

fn requests(activity: mimus_vision::Activity) -> Activity {
    Activity { waiting_requests: activity.waiting, running_sequences: activity.running, ..Activity::default() }
}
