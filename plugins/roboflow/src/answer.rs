//! What the answer to a picture looks like. The order of the fields is the original's.

use mimus_sdk::vision::{ClassScore, Findings, Keypoint, Object, RleMask, Task};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::ids::Ids;

/// The whole answer for one picture.
#[derive(serde::Serialize)]
pub(crate) struct Answer {
    pub(crate) inference_id: String,
    /// Seconds from the request to the answer.
    pub(crate) time: f64,
    pub(crate) image: Size,
    pub(crate) predictions: Predictions,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) top: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) confidence: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) predicted_classes: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) original_image: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) mask_metadata: Option<MaskMetadata>,
    /// A JPEG file in base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) visualization: Option<String>,
}

/// In pixels.
#[derive(serde::Serialize, Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u32,
    pub(crate) height: u32,
}

/// How coordinates on a mask's grid become those of the picture.
#[derive(serde::Serialize)]
pub(crate) struct MaskMetadata {
    coordinate_system: &'static str,
    width: u32,
    height: u32,
    scale_x: f64,
    scale_y: f64,
}

impl MaskMetadata {
    /// `grid` within `picture`.
    pub(crate) fn new(grid: Size, picture: Size) -> Self {
        let scale = |whole: u32, part: u32| f64::from(whole) / f64::from(part.max(1));
        MaskMetadata {
            coordinate_system: "mask_grid",
            width: grid.width,
            height: grid.height,
            scale_x: scale(picture.width, grid.width),
            scale_y: scale(picture.height, grid.height),
        }
    }
}

#[derive(serde::Serialize)]
#[serde(untagged)]
pub(crate) enum Predictions {
    Objects(Vec<Detection>),
    Classes(Vec<Class>),
    Labels(Labels),
}

/// An object with its box.
#[derive(serde::Serialize)]
pub(crate) struct Detection {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    confidence: f32,
    class: String,
    class_id: u32,
    detection_id: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    points: Option<Vec<Point>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rle: Option<Rle>,
    #[serde(skip_serializing_if = "Option::is_none")]
    mask_format: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    keypoints: Option<Vec<NamedPoint>>,
}

impl Detection {
    /// A box by its centre and its size.
    pub(crate) fn of_box(frame: [f32; 4], class: &str, class_id: u32, ids: &mut Ids) -> Self {
        let [x, y, width, height] = frame;
        Detection {
            x,
            y,
            width,
            height,
            confidence: 1.0,
            class: class.into(),
            class_id,
            detection_id: ids.next(),
            points: None,
            rle: None,
            mask_format: None,
            keypoints: None,
        }
    }

    fn of_object(object: Object, task: Task, ids: &mut Ids) -> Self {
        let frame = [object.x, object.y, object.width, object.height];
        let detection = Detection::of_box(frame, &object.class_name, object.class_id, ids);
        let detection = Detection { confidence: object.confidence, ..detection };
        match task {
            Task::InstanceSegmentation => {
                let is_rle = object.rle.is_some();
                let points = || object.polygon.iter().map(|point| Point { x: point.x, y: point.y }).collect();
                Detection {
                    points: (!is_rle).then(points),
                    rle: object.rle.map(Rle::new),
                    mask_format: Some(if is_rle { "rle" } else { "polygon" }),
                    ..detection
                }
            }
            Task::KeypointDetection => {
                let keypoints = object.keypoints.into_iter().map(NamedPoint::new).collect();
                Detection { keypoints: Some(keypoints), ..detection }
            }
            _ => detection,
        }
    }
}

#[derive(serde::Serialize)]
struct Point {
    x: f32,
    y: f32,
}

/// A mask as COCO writes it.
#[derive(serde::Serialize)]
struct Rle {
    /// Height and width.
    size: [u32; 2],
    counts: String,
}

impl Rle {
    fn new(mask: RleMask) -> Self {
        Rle { size: [mask.height, mask.width], counts: mask.counts }
    }
}

/// Clients up to 0.9 read `class_name`, newer ones `class`.
#[derive(serde::Serialize)]
struct NamedPoint {
    x: f32,
    y: f32,
    confidence: f32,
    class_id: u32,
    class: String,
    class_name: String,
}

impl NamedPoint {
    fn new(point: Keypoint) -> Self {
        let Keypoint { x, y, confidence, id, name } = point;
        NamedPoint { x, y, confidence, class_id: id, class: name.clone(), class_name: name }
    }
}

#[derive(serde::Serialize)]
pub(crate) struct Class {
    class: String,
    class_id: u32,
    confidence: f64,
}

/// Any number of classes: an object by their names.
pub(crate) struct Labels(Vec<ClassScore>);

#[derive(serde::Serialize)]
struct Label {
    confidence: f32,
    class_id: u32,
}

impl Serialize for Labels {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for score in &self.0 {
            map.serialize_entry(&score.name, &Label { confidence: score.confidence, class_id: score.id })?;
        }
        map.end()
    }
}

impl Answer {
    /// The answer to what was found. Classes below `confidence` are left out of single ones, and not predicted of several.
    pub(crate) fn new(findings: Findings, task: Task, confidence: f64, image: Size, ids: &mut Ids) -> Self {
        let (mut top, mut top_confidence, mut predicted) = (None, None, None);
        let predictions = match findings {
            Findings::Objects(objects) => Predictions::Objects(
                objects.into_iter().map(|object| Detection::of_object(object, task, ids)).collect(),
            ),
            Findings::Classes(scores) if task == Task::MultiLabelClassification => {
                let likely = scores.iter().filter(|score| f64::from(score.confidence) > confidence);
                predicted = Some(likely.map(|score| score.name.clone()).collect());
                Predictions::Labels(Labels(scores))
            }
            Findings::Classes(mut scores) => {
                scores.retain(|score| f64::from(score.confidence) >= confidence);
                scores.sort_by(|one, other| other.confidence.total_cmp(&one.confidence));
                let class = |score: ClassScore| Class {
                    class: score.name,
                    class_id: score.id,
                    confidence: rounded(score.confidence),
                };
                let classes: Vec<Class> = scores.into_iter().map(class).collect();
                top = Some(classes.first().map(|class| class.class.clone()).unwrap_or_default());
                top_confidence = Some(classes.first().map_or(0.0, |class| class.confidence));
                Predictions::Classes(classes)
            }
        };
        Answer {
            inference_id: String::new(),
            time: 0.0,
            image,
            predictions,
            top,
            confidence: top_confidence,
            predicted_classes: predicted,
            original_image: None,
            mask_metadata: None,
            visualization: None,
        }
    }
}

/// To four decimals.
fn rounded(confidence: f32) -> f64 {
    (f64::from(confidence) * 1e4).round() / 1e4
}
