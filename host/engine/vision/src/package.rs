//! What a model's files say: which task, which classes, what happens to a picture before the network and to numbers after it.
//!
//! Three layouts are read: folders of the legacy servers, folders of the modern one, and a network alone as its trainer exports it.
//! [`Recipe`] is what files say, [`Package`] what is left of it once it was held against the network.

mod files;
mod head;
mod legacy;
mod modern;
mod plain;

#[cfg(test)]
mod tests;

use mimus_onnx::{Dimension, Graph, Kind, Port};

use crate::boxes::Head;
use crate::classify::Activation;
use crate::error::LoadError;
use crate::objects::Extra;
use crate::prediction::Task;
use crate::preprocess::Preprocessing;
use crate::preprocess::placement::Size;
use crate::source::Source;
use crate::yolo;

/// Longest side of a network's input, in pixels.
pub(crate) const INPUT_SIDE_MAX: usize = 4096;

/// Side of a network's input that takes any size, where no file names one.
const INPUT_SIDE_DEFAULT: usize = 640;

/// How files of weights end that hold no graph.
const SAFETENSORS: &str = ".safetensors";

/// Networks that find boxes halve their input five times.
const INPUT_SIDE_STEP: usize = 32;

/// Most classes of a model.
const CLASSES_MAX: usize = 1 << 16;

/// How a model's files lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layout {
    /// `environment.json` and `model_type.json`.
    Legacy,
    /// `model_config.json` and `inference_config.json`.
    Modern,
    /// A network alone.
    Plain,
}

/// What files say about a model.
#[derive(Clone, Debug)]
struct Recipe {
    /// The file that says most, for errors.
    file: &'static str,
    task: Option<Task>,
    architecture: Option<String>,
    /// Names by class id, and the file that has them.
    classes: Option<(&'static str, Vec<String>)>,
    colors: Option<Vec<(String, String)>>,
    is_oriented: bool,
    preprocessing: Preprocessing,
    /// Of the network's input, where it takes any.
    size: Option<Size>,
    /// Names of points by class.
    keypoints: Option<Vec<Vec<String>>>,
    activation: Activation,
    /// Whether overlapping boxes are gone already.
    is_suppressed: bool,
    /// Pictures at once, where the network takes any number.
    batch_max: Option<usize>,
}

/// A model's description, held against its network.
#[derive(Clone, Debug)]
pub(crate) struct Package {
    pub(crate) task: Task,
    pub(crate) architecture: String,
    pub(crate) classes: Vec<String>,
    pub(crate) colors: Vec<String>,
    pub(crate) is_oriented: bool,
    pub(crate) preprocessing: Preprocessing,
    pub(crate) input: Input,
    pub(crate) reading: Reading,
}

/// What a network takes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Input {
    pub(crate) name: String,
    pub(crate) size: Size,
    /// Pictures at once; none where any number will do.
    pub(crate) batch: Option<usize>,
    /// Pictures at once where any number will do, as far as files bound it.
    pub(crate) batch_max: Option<usize>,
}

/// What becomes of a network's numbers.
#[derive(Clone, Debug)]
pub(crate) enum Reading {
    /// Boxes: which of the outputs holds them, which the prototypes of masks.
    Objects { head: Head, extra: Extra, boxes: usize, prototypes: Option<usize> },
    /// Classes.
    Classes(Activation),
}

/// Whether a model of pictures is there that this crate runs, judged by the names of files and what two small ones say.
pub fn sniff(source: &Source) -> Option<Layout> {
    if source.has(modern::CONFIG) {
        return modern::is_known(source).then_some(Layout::Modern);
    }
    if source.has(legacy::MODEL_TYPE) || source.has(legacy::ENVIRONMENT) {
        return legacy::is_known(source).then_some(Layout::Legacy);
    }
    // Networks of other kinds come with descriptions of their own.
    let is_alone = source.files_ending(".json").is_empty() && source.files_ending(".onnx").len() == 1;
    is_alone.then_some(Layout::Plain)
}

/// Reads a model's files. The network is given back with what is known of it.
///
/// # Errors
/// [`LoadError`], which names the file.
pub(crate) fn read(source: &Source) -> Result<(Package, Graph), LoadError> {
    let layout = sniff(source).ok_or_else(|| refusal(source))?;
    let recipe = match layout {
        Layout::Legacy => Some(legacy::read(source)?),
        Layout::Modern => Some(modern::read(source)?),
        Layout::Plain => None,
    };
    let file = weights_file(source)?;
    let mut bytes = source.read_weights(&file)?;
    if file.ends_with(SAFETENSORS) {
        let size = recipe.as_ref().and_then(|recipe| recipe.size);
        let side = |given: Option<usize>| given.unwrap_or(INPUT_SIDE_DEFAULT).next_multiple_of(INPUT_SIDE_STEP);
        let size = Size { width: side(size.map(|size| size.width)), height: side(size.map(|size| size.height)) };
        bytes = yolo::onnx(&bytes, &file, size)?;
    }
    let graph = Graph::load(&bytes).map_err(|error| LoadError::invalid(&file, error.to_string()))?;
    drop(bytes);
    let recipe = match recipe {
        Some(recipe) => recipe,
        None => plain::read(&graph, &file)?,
    };
    let package = combine(recipe, &graph, &file)?;
    Ok((package, graph))
}

/// Why nothing is read.
fn refusal(source: &Source) -> LoadError {
    let named = modern::task_name(source).or_else(|| legacy::task_name(source));
    if let Some((file, task)) = named.filter(|(_, task)| files::task(task).is_none()) {
        let tasks = files::TASKS.map(|(name, _)| name).join(", ");
        return LoadError::unsupported(file, format!("task {task:?} is not run; these are: {tasks}"));
    }
    let missing = |file: &str, hint: &str| LoadError::Missing { file: file.to_owned(), hint: hint.to_owned() };
    match source.files_ending(".onnx").len() {
        0 => missing("weights.onnx", "export the network to ONNX, or YOLOv8 to `weights.safetensors`"),
        1 => missing(modern::CONFIG, "it says what the network does"),
        _ => missing(modern::CONFIG, "several networks are there; keep one, or say which in a package"),
    }
}

/// The file of the network.
fn weights_file(source: &Source) -> Result<String, LoadError> {
    let known = ["weights.onnx", "best.onnx", "yolov5s_weights.onnx", "weights.safetensors"];
    if let Some(name) = known.iter().find(|name| source.has(name)) {
        return Ok((*name).to_owned());
    }
    let mut names = source.files_ending(".onnx");
    match names.len() {
        1 => Ok(names.remove(0)),
        _ => Err(refusal(source)),
    }
}

/// Holds what files say against the network.
fn combine(recipe: Recipe, graph: &Graph, file: &str) -> Result<Package, LoadError> {
    let [port] = graph.inputs() else {
        let count = graph.inputs().len();
        return Err(LoadError::invalid(file, format!("a network of pictures has one input, this one has {count}")));
    };
    let finds_boxes =
        !matches!(recipe.task, Some(Task::Classification | Task::MultiLabelClassification)) && recipe.task.is_some();
    let input = input(port, &recipe, finds_boxes, file)?;
    let shapes = head::probe(graph, &input, file)?;
    let found = head::recognize(&recipe, &shapes, file)?;
    let classes = found.classes;
    let colors = colors(&classes, recipe.colors.as_deref());
    Ok(Package {
        task: found.task,
        architecture: found.architecture,
        classes,
        colors,
        is_oriented: recipe.is_oriented,
        preprocessing: recipe.preprocessing,
        input,
        reading: found.reading,
    })
}

/// What the network takes: its own sizes, and where it takes any, those of the files.
fn input(port: &Port, recipe: &Recipe, finds_boxes: bool, file: &str) -> Result<Input, LoadError> {
    let invalid = |reason: String| LoadError::invalid(file, format!("input {:?}: {reason}", port.name));
    if port.kind != Kind::F32 {
        return Err(invalid(format!("it takes {} instead of floating-point numbers", port.kind)));
    }
    let [batch, channels, height, width] = &port.shape[..] else {
        let sizes = port.shape.len();
        return Err(invalid(format!("its shape has {sizes} sizes instead of [batch, 3, height, width]")));
    };
    if !matches!(channels, Dimension::Fixed(3) | Dimension::Symbolic(_)) {
        return Err(invalid(format!("pictures have 3 channels, it takes {channels}")));
    }
    let batch = match batch {
        Dimension::Fixed(0) => return Err(invalid("it takes no pictures".to_owned())),
        Dimension::Fixed(count) => Some(*count),
        Dimension::Symbolic(_) => None,
    };
    let side = |own: &Dimension, given: Option<usize>, name: &str| {
        let side = match (own, given) {
            (Dimension::Fixed(own), _) => *own,
            (Dimension::Symbolic(_), given) => {
                let side = given.unwrap_or(INPUT_SIDE_DEFAULT);
                if finds_boxes { side.next_multiple_of(INPUT_SIDE_STEP) } else { side }
            }
        };
        match side {
            1..=INPUT_SIDE_MAX => Ok(side),
            _ => Err(invalid(format!("its {name} of {side} pixels is not between 1 and {INPUT_SIDE_MAX}"))),
        }
    };
    let size = Size {
        width: side(width, recipe.size.map(|size| size.width), "width")?,
        height: side(height, recipe.size.map(|size| size.height), "height")?,
    };
    Ok(Input { name: port.name.clone(), size, batch, batch_max: recipe.batch_max })
}

/// A colour for each class, where there are any.
fn colors(classes: &[String], given: Option<&[(String, String)]>) -> Vec<String> {
    /// What the real server draws classes in that have no colour.
    const OTHERWISE: &str = "#4892EA";
    let is_color = |text: &str| {
        text.strip_prefix('#')
            .is_some_and(|digits| digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
    };
    let color = |class: &String| {
        let color = given?.iter().find(|(name, color)| name == class && is_color(color));
        color.map(|(_, color)| color.clone())
    };
    let colors: Vec<Option<String>> = classes.iter().map(color).collect();
    if colors.iter().all(Option::is_none) {
        return Vec::new();
    }
    colors.into_iter().map(|color| color.unwrap_or_else(|| OTHERWISE.to_owned())).collect()
}
