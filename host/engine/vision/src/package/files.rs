//! Small files that packages share: names, points, and JSON with its errors.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{CLASSES_MAX, INPUT_SIDE_MAX};
use crate::error::LoadError;
use crate::prediction::Task;
use crate::preprocess::StaticCrop;
use crate::preprocess::contrast::Contrast;
use crate::preprocess::placement::Size;
use crate::source::Source;

pub(super) const CLASS_NAMES: &str = "class_names.txt";
pub(super) const KEYPOINTS: &str = "keypoints_metadata.json";

/// Names of tasks in files.
pub(super) const TASKS: [(&str, Task); 5] = [
    ("object-detection", Task::ObjectDetection),
    ("instance-segmentation", Task::InstanceSegmentation),
    ("keypoint-detection", Task::KeypointDetection),
    ("classification", Task::Classification),
    ("multi-label-classification", Task::MultiLabelClassification),
];

/// The task of a name in files.
pub(super) fn task(name: &str) -> Option<Task> {
    TASKS.iter().find(|(known, _)| *known == name).map(|(_, task)| *task)
}

/// A JSON file, or none when it is not there.
pub(super) fn json<T: DeserializeOwned>(source: &Source, file: &'static str) -> Result<Option<T>, LoadError> {
    let Some(bytes) = source.read_small(file)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(|error| LoadError::invalid(file, error.to_string()))
}

/// A JSON file that must be there.
pub(super) fn required<T: DeserializeOwned>(source: &Source, file: &'static str) -> Result<T, LoadError> {
    let hint = || "it is needed beside the weights".to_owned();
    json(source, file)?.ok_or_else(|| LoadError::Missing { file: file.to_owned(), hint: hint() })
}

/// One name a line, or none when the file is not there.
pub(super) fn class_names(source: &Source) -> Result<Option<Vec<String>>, LoadError> {
    let Some(bytes) = source.read_small(CLASS_NAMES)? else { return Ok(None) };
    let text = std::str::from_utf8(&bytes).map_err(|error| LoadError::invalid(CLASS_NAMES, error.to_string()))?;
    let names: Vec<String> = text.trim_end().lines().map(|line| line.trim().to_owned()).collect();
    check_count(names.len(), CLASS_NAMES)?;
    Ok(Some(names))
}

/// Refuses no classes, and too many.
pub(super) fn check_count(count: usize, file: &str) -> Result<(), LoadError> {
    match count {
        1..=CLASSES_MAX => Ok(()),
        _ => Err(LoadError::invalid(file, format!("it names {count} classes, not 1 to {CLASSES_MAX}"))),
    }
}

/// Points of the objects of a class.
#[derive(Deserialize)]
struct ClassPoints {
    object_class_id: usize,
    keypoints: std::collections::BTreeMap<String, String>,
}

/// Names of points by class, or none when the file is not there.
pub(super) fn keypoints(source: &Source) -> Result<Option<Vec<Vec<String>>>, LoadError> {
    let Some(classes) = json::<Vec<ClassPoints>>(source, KEYPOINTS)? else { return Ok(None) };
    let mut names: Vec<Vec<String>> = Vec::new();
    for class in classes {
        let id = class.object_class_id;
        if id >= CLASSES_MAX {
            return Err(LoadError::invalid(KEYPOINTS, format!("there is no class {id}")));
        }
        if names.len() <= id {
            names.resize_with(id + 1, Vec::new);
        }
        names[id] = numbered(class.keypoints.iter(), KEYPOINTS)?;
    }
    Ok(Some(names))
}

/// Names whose keys count from 0.
pub(super) fn numbered<'a>(
    entries: impl ExactSizeIterator<Item = (&'a String, &'a String)>,
    file: &str,
) -> Result<Vec<String>, LoadError> {
    let count = entries.len();
    let mut names: Vec<Option<String>> = vec![None; count];
    for (key, name) in entries {
        let slot = key.parse::<usize>().ok().and_then(|id| names.get_mut(id));
        let Some(slot) = slot else {
            return Err(LoadError::invalid(
                file,
                format!("{count} names are numbered from 0; {key:?} is none of these numbers"),
            ));
        };
        *slot = Some(name.clone());
    }
    let names: Option<Vec<String>> = names.into_iter().collect();
    names.ok_or_else(|| LoadError::invalid(file, format!("{count} names are numbered from 0, each number once")))
}

/// What both layouts say about a picture before the network.
#[derive(Default, Deserialize)]
pub(super) struct Steps {
    #[serde(rename = "auto-orient")]
    pub(super) auto_orient: Option<Switch>,
    #[serde(rename = "static-crop")]
    static_crop: Option<Crop>,
    contrast: Option<Spread>,
    grayscale: Option<Switch>,
}

#[derive(Deserialize)]
pub(super) struct Switch {
    #[serde(default = "yes")]
    pub(super) enabled: bool,
}

#[derive(Deserialize)]
struct Crop {
    #[serde(default = "yes")]
    enabled: bool,
    x_min: f64,
    x_max: f64,
    y_min: f64,
    y_max: f64,
}

#[derive(Deserialize)]
struct Spread {
    #[serde(default = "yes")]
    enabled: bool,
    #[serde(rename = "type")]
    kind: String,
}

fn yes() -> bool {
    true
}

impl Steps {
    /// The part of pictures that is looked at.
    pub(super) fn crop(&self, file: &str) -> Result<Option<StaticCrop>, LoadError> {
        let Some(crop) = self.static_crop.as_ref().filter(|crop| crop.enabled) else { return Ok(None) };
        let Crop { x_min, x_max, y_min, y_max, .. } = *crop;
        let is_part = |min: f64, max: f64| 0.0 <= min && min < max && max <= 100.0;
        if !is_part(x_min, x_max) || !is_part(y_min, y_max) {
            let reason = format!("static-crop {x_min} to {x_max} by {y_min} to {y_max} is no part of 0 to 100 percent");
            return Err(LoadError::invalid(file, reason));
        }
        Ok(Some(StaticCrop { x_min, x_max, y_min, y_max }))
    }

    /// The change of contrast.
    pub(super) fn contrast(&self, file: &str) -> Result<Option<Contrast>, LoadError> {
        let Some(contrast) = self.contrast.as_ref().filter(|contrast| contrast.enabled) else { return Ok(None) };
        match contrast.kind.as_str() {
            "Contrast Stretching" => Ok(Some(Contrast::Stretching)),
            "Histogram Equalization" => Ok(Some(Contrast::Histogram)),
            "Adaptive Equalization" => Ok(Some(Contrast::Adaptive)),
            other => Err(LoadError::unsupported(
                file,
                format!(
                    "contrast {other:?}; Contrast Stretching, Histogram Equalization and Adaptive Equalization are known"
                ),
            )),
        }
    }

    /// Whether pictures become grey.
    pub(super) fn is_gray(&self) -> bool {
        self.grayscale.as_ref().is_some_and(|grayscale| grayscale.enabled)
    }
}

/// A size from a file.
pub(super) fn size(width: u64, height: u64, name: &str, file: &str) -> Result<Size, LoadError> {
    let side = |pixels: u64| usize::try_from(pixels).ok().filter(|side| (1..=INPUT_SIDE_MAX).contains(side));
    match (side(width), side(height)) {
        (Some(width), Some(height)) => Ok(Size { width, height }),
        _ => {
            let reason = format!("{name} of {width} x {height} pixels; sides are 1 to {INPUT_SIDE_MAX}");
            Err(LoadError::invalid(file, reason))
        }
    }
}
