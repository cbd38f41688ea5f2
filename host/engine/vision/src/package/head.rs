//! What a network's outputs are, told by their shapes.

use mimus_onnx::{Data, Graph, Tensor};

use super::{CLASSES_MAX, Input, Reading, Recipe};
use crate::boxes::{Head, HeadLayout};
use crate::error::LoadError;
use crate::objects::Extra;
use crate::prediction::Task;

/// Families whose networks find boxes in a way that is known here.
const FAMILIES: [&str; 3] = ["yolov", "yolo1", "yolo26"];

/// Prototypes of masks that a network gives at most.
const PROTOTYPES_MAX: usize = 1024;

/// What was found out.
pub(super) struct Found {
    pub(super) task: Task,
    pub(super) architecture: String,
    pub(super) classes: Vec<String>,
    pub(super) reading: Reading,
}

/// Runs a black picture through the network: the shapes of its outputs, of which files often say nothing.
///
/// # Errors
/// [`LoadError::Invalid`] when the network does not run.
pub(super) fn probe(graph: &Graph, input: &Input, file: &str) -> Result<Vec<Vec<usize>>, LoadError> {
    let shape = vec![input.batch.unwrap_or(1), 3, input.size.height, input.size.width];
    let numbers = shape.iter().try_fold(1usize, |product, &size| product.checked_mul(size));
    let Some(numbers) = numbers.filter(|&numbers| numbers <= mimus_onnx::TENSOR_ELEMENTS_MAX) else {
        return Err(LoadError::invalid(file, format!("an input of shape {shape:?} is too large")));
    };
    let picture = Tensor { shape, data: Data::F32(vec![0.0; numbers]) };
    let outputs = graph.run(vec![(&input.name, picture)]);
    let outputs = outputs.map_err(|error| LoadError::invalid(file, format!("a black picture fails: {error}")))?;
    Ok(outputs.into_iter().map(|tensor| tensor.shape).collect())
}

/// Holds the shapes of outputs against what files say.
///
/// # Errors
/// [`LoadError::Invalid`] where they do not agree, [`LoadError::Unsupported`] for other kinds of networks.
pub(super) fn recognize(recipe: &Recipe, shapes: &[Vec<usize>], file: &str) -> Result<Found, LoadError> {
    let is_classification = match recipe.task {
        Some(task) => matches!(task, Task::Classification | Task::MultiLabelClassification),
        None => shapes.iter().all(|shape| is_row(shape)),
    };
    if is_classification { classification(recipe, shapes, file) } else { objects(recipe, shapes, file) }
}

/// One number for each class, whatever sides of 1 are around it.
fn is_row(shape: &[usize]) -> bool {
    shape.len() == 2 || shape.len() == 4 && shape[2..] == [1, 1]
}

fn classification(recipe: &Recipe, shapes: &[Vec<usize>], file: &str) -> Result<Found, LoadError> {
    let Some(&[_, count, ..]) = shapes.first().filter(|shape| is_row(shape)).map(Vec::as_slice) else {
        return Err(LoadError::invalid(file, format!("outputs of shapes {shapes:?} are no classes")));
    };
    let classes = named(recipe, Some(count), count, file)?;
    Ok(Found {
        task: recipe.task.unwrap_or(Task::Classification),
        architecture: recipe.architecture.clone().unwrap_or_else(|| "classifier".to_owned()),
        classes,
        reading: Reading::Classes(recipe.activation),
    })
}

fn objects(recipe: &Recipe, shapes: &[Vec<usize>], file: &str) -> Result<Found, LoadError> {
    if let Some(name) = recipe.architecture.as_deref().filter(|name| !is_family(name)) {
        let what =
            format!("architecture {name:?} is not run; those that find boxes are yolov5 to yolov12, yolo11 and yolo26");
        return Err(LoadError::unsupported(recipe.file, what));
    }
    let boxes = shapes.iter().position(|shape| shape.len() == 3);
    let prototypes = shapes.iter().position(|shape| shape.len() == 4);
    let Some(boxes) = boxes else {
        return Err(LoadError::invalid(file, format!("outputs of shapes {shapes:?} are no boxes")));
    };
    let task = match (recipe.task, prototypes, &recipe.keypoints) {
        (Some(task), _, _) => task,
        (None, Some(_), _) => Task::InstanceSegmentation,
        (None, None, Some(_)) => Task::KeypointDetection,
        (None, None, None) => Task::ObjectDetection,
    };
    let (extra_numbers, extra) = match task {
        Task::InstanceSegmentation => {
            let channels = prototypes.map_or(0, |index| shapes[index][1]);
            if !(1..=PROTOTYPES_MAX).contains(&channels) {
                return Err(LoadError::invalid(
                    file,
                    format!("outputs of shapes {shapes:?} have no prototypes of masks"),
                ));
            }
            (channels, Extra::Masks)
        }
        Task::KeypointDetection => {
            let Some(names) = &recipe.keypoints else {
                let hint = "it names the points of each class".to_owned();
                return Err(LoadError::Missing { file: super::files::KEYPOINTS.to_owned(), hint });
            };
            (3 * names.iter().map(Vec::len).max().unwrap_or(0), Extra::Keypoints(names.clone()))
        }
        _ => (0, Extra::Nothing),
    };
    let named_count = recipe.classes.as_ref().map(|(_, names)| names.len());
    let shape = &shapes[boxes];
    if recipe.is_suppressed && shape[2] != 6 + extra_numbers {
        let expected = 6 + extra_numbers;
        let reason =
            format!("boxes that are said to be suppressed have {expected} numbers each, its output is {shape:?}");
        return Err(LoadError::invalid(file, reason));
    }
    let (layout, count) = layout(recipe, [shape[1], shape[2]], named_count, extra_numbers);
    let classes = named(recipe, count, shape[1].min(shape[2]).saturating_sub(4 + extra_numbers), file)?;
    let head = Head { layout, classes: classes.len(), extra: extra_numbers };
    let extra = match extra {
        // A class without names of its own has those of no class: none.
        Extra::Keypoints(mut names) => {
            names.resize_with(classes.len(), Vec::new);
            Extra::Keypoints(names)
        }
        other => other,
    };
    let prototypes = prototypes.filter(|_| extra == Extra::Masks);
    let guess = if layout == HeadLayout::Rows { "yolov5" } else { "yolov8" };
    Ok(Found {
        task,
        architecture: recipe.architecture.clone().unwrap_or_else(|| guess.to_owned()),
        classes,
        reading: Reading::Objects { head, extra, boxes, prototypes },
    })
}

fn is_family(architecture: &str) -> bool {
    FAMILIES.iter().any(|family| architecture.starts_with(family))
}

/// How boxes lie in an output of two sides besides the batch, and how many classes they have; none when that fits no layout.
///
/// Where names are known, they decide; a single class leaves a choice that the family makes.
fn layout(
    recipe: &Recipe,
    [first, second]: [usize; 2],
    named: Option<usize>,
    extra: usize,
) -> (HeadLayout, Option<usize>) {
    let family = recipe.architecture.as_deref().unwrap_or("");
    let is_any = |families: &[&str]| families.iter().any(|name| family.starts_with(name));
    if recipe.is_suppressed || is_any(&["yolov10", "yolo26"]) && second == 6 + extra {
        return (HeadLayout::Suppressed, named);
    }
    let has_rows = is_any(&["yolov5", "yolov7"]) || recipe.architecture.is_none() && recipe.task.is_none();
    let columns = first.checked_sub(4 + extra).filter(|&count| count > 0);
    let rows = second.checked_sub(5 + extra).filter(|&count| count > 0);
    match named {
        Some(named) if columns == Some(named) && !(has_rows && rows == Some(named)) => (HeadLayout::Columns, columns),
        Some(named) if rows == Some(named) => (HeadLayout::Rows, rows),
        Some(_) if second == 6 + extra && !has_rows => (HeadLayout::Suppressed, named),
        // There are more boxes than numbers of a box.
        _ if first > second => (HeadLayout::Rows, rows),
        _ => (HeadLayout::Columns, columns),
    }
}

/// Names of as many classes as the network has.
///
/// * `count`: of the network.
/// * `shown`: the same for the error, where it fits no layout.
fn named(recipe: &Recipe, count: Option<usize>, shown: usize, file: &str) -> Result<Vec<String>, LoadError> {
    match (&recipe.classes, count) {
        (Some((_, names)), Some(count)) if names.len() == count => Ok(names.clone()),
        (Some((names_file, names)), count) => {
            let (count, names) = (count.unwrap_or(shown), names.len());
            let reason = format!("its output has room for {count} classes, {names_file} names {names}");
            Err(LoadError::invalid(file, reason))
        }
        (None, Some(count @ 1..=CLASSES_MAX)) => Ok((0..count).map(|id| format!("class_{id}")).collect()),
        (None, _) => Err(LoadError::invalid(file, "nothing says how many classes its output has")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::classify::Activation;
    use crate::preprocess::{Fit, Preprocessing, Values};

    fn recipe(architecture: Option<&str>, classes: Option<usize>) -> Recipe {
        let names = |count| (0..count).map(|id: usize| id.to_string()).collect();
        Recipe {
            file: "environment.json",
            task: Some(Task::ObjectDetection),
            architecture: architecture.map(str::to_owned),
            classes: classes.map(|count| ("class_names.txt", names(count))),
            colors: None,
            is_oriented: false,
            preprocessing: Preprocessing {
                crop: None,
                contrast: None,
                is_gray: false,
                fit: Fit::Stretch,
                values: Values::UNIT,
            },
            size: None,
            keypoints: None,
            activation: Activation::Softmax,
            is_suppressed: false,
            batch_max: None,
        }
    }

    /// The layout and the number of classes, or the error.
    fn check(recipe: &Recipe, shapes: &[&[usize]], expect: Result<(HeadLayout, usize, usize), &str>) {
        let shapes: Vec<Vec<usize>> = shapes.iter().map(|shape| shape.to_vec()).collect();
        let found = recognize(recipe, &shapes, "weights.onnx").map_err(|error| error.to_string());
        let found = found.map(|found| match found.reading {
            Reading::Objects { head, .. } => (head.layout, head.classes, head.extra),
            Reading::Classes(_) => panic!("classes"),
        });
        assert_eq!(found, expect.map_err(str::to_owned));
    }

    #[test]
    fn shapes_tell_the_layout() {
        let v8 = recipe(Some("yolov8n"), Some(3));
        check(&v8, &[&[1, 7, 84]], Ok((HeadLayout::Columns, 3, 0)));
        check(&v8, &[&[1, 84, 8]], Ok((HeadLayout::Rows, 3, 0)));
        check(&v8, &[&[1, 300, 6]], Ok((HeadLayout::Suppressed, 3, 0)));
        check(&recipe(Some("yolov5s"), Some(1)), &[&[1, 252, 6]], Ok((HeadLayout::Rows, 1, 0)));
        check(&recipe(Some("yolov10n"), Some(1)), &[&[1, 300, 6]], Ok((HeadLayout::Suppressed, 1, 0)));
        check(&recipe(None, None), &[&[1, 84, 8400]], Ok((HeadLayout::Columns, 80, 0)));
        check(&recipe(None, None), &[&[1, 25200, 85]], Ok((HeadLayout::Rows, 80, 0)));
        let segmentation = Recipe { task: Some(Task::InstanceSegmentation), ..recipe(Some("yolov8n-seg"), Some(3)) };
        check(&segmentation, &[&[1, 39, 84], &[1, 32, 16, 16]], Ok((HeadLayout::Columns, 3, 32)));
    }

    #[test]
    fn errors_say_what_does_not_fit() {
        let v8 = recipe(Some("yolov8n"), Some(3));
        let wrong = "weights.onnx: its output has room for 5 classes, class_names.txt names 3";
        check(&v8, &[&[1, 9, 84]], Err(wrong));
        let few = "weights.onnx: its output has room for 0 classes, class_names.txt names 3";
        check(&v8, &[&[1, 4, 84]], Err(few));
        check(&v8, &[&[1, 7]], Err("weights.onnx: outputs of shapes [[1, 7]] are no boxes"));
        check(&v8, &[], Err("weights.onnx: outputs of shapes [] are no boxes"));
        let segmentation = Recipe { task: Some(Task::InstanceSegmentation), ..recipe(Some("yolov8n-seg"), Some(3)) };
        let none = "weights.onnx: outputs of shapes [[1, 39, 84]] have no prototypes of masks";
        check(&segmentation, &[&[1, 39, 84]], Err(none));
        let other = "environment.json: architecture \"rfdetr-base\" is not run; those that find boxes are yolov5 to yolov12, yolo11 and yolo26";
        check(&recipe(Some("rfdetr-base"), Some(3)), &[&[1, 300, 7]], Err(other));
    }
}
