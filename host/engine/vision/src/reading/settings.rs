//! What is to be known about a pair of networks that reads: from `config.json`, or docTR's own values where its exports lie alone.
//!
//! The keys are those of docTR's configurations:
//!
//! ```json
//! {
//!   "detection": {"input_shape": [3, 1024, 1024], "mean": [0.798, 0.785, 0.772], "std": [0.264, 0.2749, 0.287],
//!                 "output": "logits", "bin_thresh": 0.3, "box_thresh": 0.1, "unclip_ratio": 1.5},
//!   "recognition": {"input_shape": [3, 32, 128], "mean": [0.694, 0.695, 0.693], "std": [0.299, 0.296, 0.301], "vocab": "0123…"}
//! }
//! ```

use serde::Deserialize;

use crate::error::LoadError;
use crate::fitting::Input;
use crate::source::Source;

/// The file's name.
pub(super) const CONFIG: &str = "config.json";

/// Longest side of a network's input, in pixels.
const SIDE_MAX: usize = 4096;

/// Most characters that a recogniser knows.
const VOCAB_MAX: usize = 32_768;

/// docTR's vocabulary `french`, that of its published recognisers.
const FRENCH: &str = concat!(
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~",
    "°£€¥¢฿àâéèêëîïôùûüçÀÂÉÈÊËÎÏÔÙÛÜÇ",
);

/// All of it.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Settings {
    pub(super) detection: Detection,
    pub(super) recognition: Recognition,
}

/// Where words are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Detection {
    pub(super) file: String,
    pub(super) input: Input,
    /// None: by the values.
    pub(super) output: Option<Output>,
    pub(super) thresholds: Thresholds,
}

/// What words are.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Recognition {
    pub(super) file: String,
    pub(super) input: Input,
    /// The character of each class; the blank comes behind.
    pub(super) vocab: Vec<char>,
    /// Whether a wide word is read in pieces.
    pub(super) splits_wide_words: bool,
}

/// What a detector gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Output {
    Logits,
    Probabilities,
}

/// What makes words of a map.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Thresholds {
    /// Least probability of a pixel, 0 to 1.
    pub(super) mark: f32,
    /// Least mean probability of a box, 0 to 1.
    pub(super) region: f32,
    /// A box grows by its area times this over its perimeter, on each side.
    pub(super) unclip_ratio: f64,
}

/// The file as it is written.
#[derive(Default, Deserialize)]
struct File {
    #[serde(default)]
    detection: DetectionFile,
    #[serde(default)]
    recognition: RecognitionFile,
}

#[derive(Default, Deserialize)]
struct DetectionFile {
    file: Option<String>,
    input_shape: Option<[usize; 3]>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    output: Option<Output>,
    bin_thresh: Option<f32>,
    box_thresh: Option<f32>,
    unclip_ratio: Option<f64>,
}

#[derive(Default, Deserialize)]
struct RecognitionFile {
    file: Option<String>,
    input_shape: Option<[usize; 3]>,
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    vocab: Option<String>,
    split_wide_crops: Option<bool>,
}

/// The networks of a folder, by their names: detector and recogniser.
pub(super) fn networks(source: &Source) -> (Option<String>, Option<String>) {
    let names = source.files_ending(".onnx");
    let find = |name: &str, start: &str| {
        let exact = names.iter().find(|file| *file == name);
        exact.or_else(|| names.iter().find(|file| file.starts_with(start))).cloned()
    };
    (find("detection.onnx", "db_"), find("recognition.onnx", "crnn_"))
}

impl Settings {
    /// Reads them.
    ///
    /// # Errors
    /// [`LoadError::Missing`] for a network, [`LoadError::Invalid`] for a value out of bounds.
    pub(super) fn read(source: &Source) -> Result<Self, LoadError> {
        let file: File = match source.read_small(CONFIG)? {
            Some(bytes) => {
                serde_json::from_slice(&bytes).map_err(|error| LoadError::invalid(CONFIG, error.to_string()))?
            }
            None => File::default(),
        };
        let (detector, recogniser) = networks(source);
        let missing = |file: &str, hint: &str| LoadError::Missing { file: file.to_owned(), hint: hint.to_owned() };
        let (from, to) = (file.detection, file.recognition);
        let detection = Detection {
            file: from.file.or(detector).ok_or_else(|| {
                missing("detection.onnx", "the network that finds words, as docTR exports db_resnet50")
            })?,
            input: input(from.input_shape.unwrap_or([3, 1024, 1024]), from.mean, from.std, &DETECTION)?,
            output: from.output,
            thresholds: Thresholds {
                mark: part(from.bin_thresh, 0.3, "bin_thresh")?,
                region: part(from.box_thresh, 0.1, "box_thresh")?,
                unclip_ratio: match from.unclip_ratio.unwrap_or(1.5) {
                    ratio @ 0.0..=10.0 => ratio,
                    ratio => {
                        return Err(LoadError::invalid(CONFIG, format!("unclip_ratio of {ratio}; 0 to 10 is taken")));
                    }
                },
            },
        };
        let recognition = Recognition {
            file: to.file.or(recogniser).ok_or_else(|| {
                missing("recognition.onnx", "the network that reads words, as docTR exports crnn_vgg16_bn")
            })?,
            input: input(to.input_shape.unwrap_or([3, 32, 128]), to.mean, to.std, &RECOGNITION)?,
            vocab: to.vocab.as_deref().unwrap_or(FRENCH).chars().collect(),
            splits_wide_words: to.split_wide_crops.unwrap_or(true),
        };
        if !(1..=VOCAB_MAX).contains(&recognition.vocab.len()) {
            let count = recognition.vocab.len();
            return Err(LoadError::invalid(CONFIG, format!("vocab of {count} characters; 1 to {VOCAB_MAX} are taken")));
        }
        Ok(Self { detection, recognition })
    }
}

/// Mean and deviation of docTR's detectors.
const DETECTION: ([f32; 3], [f32; 3]) = ([0.798, 0.785, 0.772], [0.264, 0.2749, 0.287]);

/// Mean and deviation of docTR's recognisers.
const RECOGNITION: ([f32; 3], [f32; 3]) = ([0.694, 0.695, 0.693], [0.299, 0.296, 0.301]);

/// An input within bounds.
fn input(
    shape: [usize; 3],
    mean: Option<[f32; 3]>,
    std: Option<[f32; 3]>,
    (default_mean, default_std): &([f32; 3], [f32; 3]),
) -> Result<Input, LoadError> {
    let [channels, height, width] = shape;
    if channels != 3 || !(8..=SIDE_MAX).contains(&height) || !(8..=SIDE_MAX).contains(&width) {
        let reason = format!("input_shape of {shape:?}; [3, height, width] with sides of 8 to {SIDE_MAX} is taken");
        return Err(LoadError::invalid(CONFIG, reason));
    }
    let (mean, std) = (mean.unwrap_or(*default_mean), std.unwrap_or(*default_std));
    if mean.iter().any(|mean| !mean.is_finite()) || std.iter().any(|std| !std.is_finite() || *std <= 0.0) {
        return Err(LoadError::invalid(CONFIG, format!("mean {mean:?} and std {std:?}; each std must be above 0")));
    }
    Ok(Input { width, height, mean, std })
}

/// A value of 0 to 1.
fn part(value: Option<f32>, default: f32, name: &str) -> Result<f32, LoadError> {
    match value.unwrap_or(default) {
        value @ 0.0..=1.0 => Ok(value),
        value => Err(LoadError::invalid(CONFIG, format!("{name} of {value}; 0 to 1 is taken"))),
    }
}
