//! Folders as the legacy servers keep them in their cache.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::Recipe;
use super::files::{self, CLASS_NAMES, Steps};
use crate::classify::Activation;
use crate::error::LoadError;
use crate::prediction::Task;
use crate::preprocess::{Fill, Fit, Preprocessing, Values};
use crate::source::Source;

pub(super) const MODEL_TYPE: &str = "model_type.json";
pub(super) const ENVIRONMENT: &str = "environment.json";

/// What the model is.
#[derive(Deserialize)]
struct ModelType {
    project_task_type: String,
    model_type: String,
}

/// How to run it.
#[derive(Deserialize)]
struct Environment {
    /// An object, or its text.
    #[serde(rename = "PREPROCESSING")]
    preprocessing: Option<Value>,
    #[serde(rename = "CLASS_MAP")]
    class_map: Option<BTreeMap<String, String>>,
    #[serde(rename = "COLORS")]
    colors: Option<Value>,
    #[serde(rename = "MULTICLASS", default)]
    is_multi_label: bool,
}

/// What happens to a picture.
#[derive(Default, Deserialize)]
struct Before {
    #[serde(flatten)]
    steps: Steps,
    resize: Option<Resize>,
}

#[derive(Deserialize)]
struct Resize {
    width: Option<u64>,
    height: Option<u64>,
    format: Option<String>,
}

/// The task as the files name it, and the file.
pub(super) fn task_name(source: &Source) -> Option<(&'static str, String)> {
    let model: ModelType = files::json(source, MODEL_TYPE).ok()??;
    Some((MODEL_TYPE, model.project_task_type))
}

/// Whether the task is one that is run. Without a file that names it, the network's outputs tell; broken files are read to say why.
pub(super) fn is_known(source: &Source) -> bool {
    let has_network = !source.files_ending(".onnx").is_empty() || source.has("weights.safetensors");
    match task_name(source) {
        Some((_, name)) => files::task(&name).is_some(),
        None => source.has(ENVIRONMENT) && (has_network || source.has(MODEL_TYPE)),
    }
}

/// What a folder's files say.
pub(super) fn read(source: &Source) -> Result<Recipe, LoadError> {
    let model: Option<ModelType> = files::json(source, MODEL_TYPE)?;
    let environment: Environment = files::required(source, ENVIRONMENT)?;
    let named = model.as_ref().and_then(|model| files::task(&model.project_task_type));
    let task = match named {
        Some(Task::Classification) if environment.is_multi_label => Some(Task::MultiLabelClassification),
        other => other,
    };
    let architecture = model.map(|model| model.model_type);
    let before = before(environment.preprocessing.as_ref())?;
    let is_resnet = architecture.as_deref().is_some_and(|name| name.starts_with("resnet"));
    let (values, activation) = match task {
        Some(Task::Classification) => (classification_values(is_resnet), Activation::Softmax),
        Some(Task::MultiLabelClassification) => (classification_values(is_resnet), Activation::None),
        _ => (Values::UNIT, Activation::Softmax),
    };
    let size = match before.resize.as_ref().map(|resize| (resize.width, resize.height)) {
        Some((Some(width), Some(height))) => Some(files::size(width, height, "PREPROCESSING.resize", ENVIRONMENT)?),
        _ => None,
    };
    Ok(Recipe {
        file: ENVIRONMENT,
        task,
        architecture,
        classes: classes(source, environment.class_map.as_ref(), task)?,
        colors: environment
            .colors
            .and_then(|colors| serde_json::from_value::<BTreeMap<String, String>>(colors).ok())
            .map(|colors| colors.into_iter().collect()),
        // Without the step, this server does not turn pictures.
        is_oriented: before.steps.auto_orient.as_ref().is_some_and(|step| step.enabled),
        preprocessing: Preprocessing {
            crop: before.steps.crop(ENVIRONMENT)?,
            contrast: before.steps.contrast(ENVIRONMENT)?,
            is_gray: before.steps.is_gray(),
            fit: fit(before.resize.and_then(|resize| resize.format).as_deref()),
            values,
        },
        size,
        keypoints: files::keypoints(source)?,
        activation,
        is_suppressed: false,
        batch_max: None,
    })
}

/// The object of `PREPROCESSING`, which may be written as text.
fn before(value: Option<&Value>) -> Result<Before, LoadError> {
    let invalid = |error: serde_json::Error| LoadError::invalid(ENVIRONMENT, format!("PREPROCESSING: {error}"));
    match value {
        None | Some(Value::Null) => Ok(Before::default()),
        Some(Value::String(text)) => serde_json::from_str(text).map_err(invalid),
        Some(value) => Before::deserialize(value).map_err(invalid),
    }
}

/// Names by class id: classification looks into the environment first, other tasks into the list.
fn classes(
    source: &Source,
    map: Option<&BTreeMap<String, String>>,
    task: Option<Task>,
) -> Result<Option<(&'static str, Vec<String>)>, LoadError> {
    let listed = files::class_names(source)?.map(|names| (CLASS_NAMES, names));
    let mapped = match map {
        Some(map) => {
            files::check_count(map.len(), ENVIRONMENT)?;
            Some((ENVIRONMENT, files::numbered(map.iter(), ENVIRONMENT)?))
        }
        None => None,
    };
    let classes = match task {
        Some(Task::Classification | Task::MultiLabelClassification) => mapped.or(listed),
        _ => listed.or(mapped),
    };
    classes.map(Some).ok_or_else(|| LoadError::Missing {
        file: CLASS_NAMES.to_owned(),
        hint: format!("neither it nor CLASS_MAP in {ENVIRONMENT} names the classes"),
    })
}

/// How the words of `PREPROCESSING.resize.format` are understood: what that server cannot do, it does with black edges.
fn fit(format: Option<&str>) -> Fit {
    match format {
        Some("Fit (black edges) in" | "Fit (reflect edges) in" | "Fit within" | "Fill (with center crop) in") => {
            Fit::Letterbox(Fill::Value(0))
        }
        Some("Fit (white edges) in") => Fit::Letterbox(Fill::Value(255)),
        Some("Fit (grey edges) in") => Fit::Letterbox(Fill::Grey),
        _ => Fit::Stretch,
    }
}

/// The numbers that networks of classes take there.
fn classification_values(is_resnet: bool) -> Values {
    let (mean, deviation) =
        if is_resnet { ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225]) } else { ([0.5; 3], [0.5; 3]) };
    Values { mean, deviation, ..Values::UNIT }
}
