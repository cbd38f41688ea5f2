//! Asking a model what is in pictures, and answering: what `/infer/…` and the legacy route share.

use mimus_sdk::clock;
use mimus_sdk::media::Image;
use mimus_sdk::vision::{self, Findings, MaskForm, MaskMode, Options, PostProcessing, Prediction, Task};

use crate::answer::{Answer, MaskMetadata, Size};
use crate::choice::Found;
use crate::drawing::{self, Style};
use crate::fault::Fault;
use crate::fields::Confidence;
use crate::ids::Ids;
use crate::settings;

/// Below this the modern backend does not look.
const CONFIDENCE_LEAST: f64 = 0.01;

/// Drawn pictures of one answer together, in bytes of base64: more would not fit the guest's memory.
const DRAWN_BYTES_MAX: usize = 16 << 20;

/// How a request wants its pictures looked at, and its answer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wish {
    pub(crate) confidence: Confidence,
    pub(crate) keypoint_confidence: f32,
    pub(crate) iou: f32,
    pub(crate) detections_max: u32,
    pub(crate) candidates_max: u32,
    pub(crate) is_class_agnostic: bool,
    /// Empty for all.
    pub(crate) classes: Vec<String>,
    pub(crate) mask: MaskWish,
    pub(crate) skip_orientation: bool,
    pub(crate) skip_static_crop: bool,
    pub(crate) skip_contrast: bool,
    pub(crate) skip_grayscale: bool,
    /// The client's own id for the request.
    pub(crate) id: Option<String>,
}

/// How masks are wanted.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct MaskWish {
    pub(crate) mode: String,
    /// For the mode `tradeoff`.
    pub(crate) factor: f64,
    pub(crate) is_rle: bool,
    pub(crate) is_reduced: bool,
}

impl Default for MaskWish {
    fn default() -> Self {
        MaskWish { mode: "accurate".into(), factor: 0.0, is_rle: false, is_reduced: false }
    }
}

/// What was seen in one picture, with the picture.
pub(crate) struct Seen {
    image: Image,
    prediction: Prediction,
}

/// What was seen in all pictures of a request.
pub(crate) struct Look<'a> {
    found: &'a Found,
    seen: Vec<Seen>,
    /// The least confidence, as it was asked for.
    confidence: f64,
    /// Whether coordinates may be on the masks' grid.
    is_reduced: bool,
    id: Option<String>,
    started_us: u64,
}

/// Looks at all pictures at once.
pub(crate) fn look<'a>(found: &'a Found, images: Vec<Image>, wish: Wish, started_us: u64) -> Result<Look<'a>, Fault> {
    let task = found.description.task;
    if !predicts(task) {
        let fault = Fault::bad(format!("Model {} does not predict objects or classes.", found.id));
        return Err(fault.because(format!("its task is {}: it has a route of its own", task_type(task))));
    }
    if found.description.is_oriented && !wish.skip_orientation {
        images.iter().for_each(Image::orient);
    }
    let post_processing = settings::post_processing()?;
    let asked = wish.confidence.value();
    let least = match post_processing {
        PostProcessing::Modern => asked.max(CONFIDENCE_LEAST),
        PostProcessing::Legacy => asked,
    };
    let is_modern = post_processing == PostProcessing::Modern;
    let is_reduced = is_modern && wish.mask.is_reduced && task == Task::InstanceSegmentation;
    let options = Options {
        confidence: least.clamp(0.0, 1.0) as f32,
        iou: wish.iou,
        detections_max: wish.detections_max,
        candidates_max: wish.candidates_max,
        is_class_agnostic: wish.is_class_agnostic,
        classes: wish.classes,
        keypoint_confidence: wish.keypoint_confidence,
        post_processing,
        mask_mode: match (task, is_modern && !is_reduced) {
            // The modern backend brings masks to the picture's size unless it may do less.
            (Task::InstanceSegmentation, true) => wish.mask.mode().map(|_| MaskMode::Accurate)?,
            (Task::InstanceSegmentation, false) => wish.mask.mode()?,
            _ => MaskMode::Accurate,
        },
        mask_form: if wish.mask.is_rle && is_modern { MaskForm::Rle } else { MaskForm::Polygon },
        is_mask_reduced: is_reduced,
        skip_static_crop: wish.skip_static_crop,
        skip_contrast: wish.skip_contrast,
        skip_grayscale: wish.skip_grayscale,
    };
    let mut predictions = match images.is_empty() {
        true => Vec::new(),
        false => vision::predict(&found.name, &images, &options)?,
    };
    if least > 1.0 {
        // No confidence is as high; the model was asked for the highest there is.
        predictions.iter_mut().for_each(|prediction| {
            if let Findings::Objects(objects) = &mut prediction.findings {
                objects.clear();
            }
        });
    }
    let seen = images.into_iter().zip(predictions).map(|(image, prediction)| Seen { image, prediction }).collect();
    Ok(Look { found, seen, confidence: least, is_reduced, id: wish.id, started_us })
}

impl Look<'_> {
    /// The answer for each picture; with it drawn, where a style is given.
    pub(crate) fn answers(self, style: Option<Style>) -> Result<Vec<Answer>, Fault> {
        let mut drawn: Vec<Option<String>> = Vec::with_capacity(self.seen.len());
        let mut bytes_left = DRAWN_BYTES_MAX;
        for index in 0..self.seen.len() {
            let file = style.map(|style| self.draw(index, style)).transpose()?.map(|file| drawing::base64(&file));
            let length = file.as_ref().map_or(0, String::len);
            bytes_left = bytes_left.checked_sub(length).ok_or_else(|| {
                Fault::bad("The images with their predictions drawn are too large for one answer. Send fewer at once.")
            })?;
            drawn.push(file);
        }
        let mut ids = Ids::default();
        let mut answers = Vec::with_capacity(self.seen.len());
        for (seen, visualization) in self.seen.into_iter().zip(drawn) {
            let Seen { image, prediction } = seen;
            let grid = Size { width: prediction.width, height: prediction.height };
            let whole = Size { width: image.width(), height: image.height() };
            let task = self.found.description.task;
            let answer = Answer::new(prediction.findings, task, self.confidence, grid, &mut ids);
            answers.push(Answer {
                inference_id: self.id.clone().unwrap_or_else(|| ids.next()),
                original_image: self.is_reduced.then_some(whole),
                mask_metadata: self.is_reduced.then(|| MaskMetadata::new(grid, whole)),
                visualization,
                ..answer
            });
        }
        let time = seconds_since(self.started_us);
        answers.iter_mut().for_each(|answer| answer.time = time);
        Ok(answers)
    }

    /// A JPEG file of one picture with what was seen in it.
    pub(crate) fn draw(&self, index: usize, style: Style) -> Result<Vec<u8>, Fault> {
        let Seen { image, prediction } = &self.seen[index];
        drawing::draw(image, prediction, &self.found.description, self.confidence, style)
    }
}

impl MaskWish {
    fn mode(&self) -> Result<MaskMode, Fault> {
        let mode = match self.mode.as_str() {
            "accurate" => MaskMode::Accurate,
            "fast" => MaskMode::Fast,
            "tradeoff" => MaskMode::Tradeoff(self.factor as f32),
            _ => return Err(bad_mask()),
        };
        if mode == MaskMode::Tradeoff(self.factor as f32) && !(0.0..=1.0).contains(&self.factor) {
            return Err(bad_mask());
        }
        Ok(mode)
    }
}

fn bad_mask() -> Fault {
    Fault::bad(
        "Invalid mask decode argument sent. tradeoff_factor must be in [0.0, 1.0], mask_decode_mode: must be one of \
         ['accurate', 'fast', 'tradeoff']",
    )
}

/// The original's name of a task.
pub(crate) fn task_type(task: Task) -> &'static str {
    match task {
        Task::ObjectDetection => "object-detection",
        Task::InstanceSegmentation => "instance-segmentation",
        Task::KeypointDetection => "keypoint-detection",
        Task::Classification | Task::MultiLabelClassification => "classification",
        Task::ImageText => "embedding",
        Task::TextReading => "ocr",
        Task::GazeDetection => "gaze-detection",
    }
}

fn predicts(task: Task) -> bool {
    !matches!(task, Task::ImageText | Task::TextReading | Task::GazeDetection)
}

/// Seconds since a time of the clock that never jumps.
pub(crate) fn seconds_since(started_us: u64) -> f64 {
    clock::monotonic_us().saturating_sub(started_us) as f64 / 1e6
}
