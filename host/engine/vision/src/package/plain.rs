//! A network alone, as its trainer exports it: names, task and points are in the file's own notes, where there are any.

use mimus_onnx::Graph;

use super::{CLASSES_MAX, Recipe};
use crate::classify::Activation;
use crate::error::LoadError;
use crate::prediction::Task;
use crate::preprocess::{Fill, Fit, Preprocessing, Values};

/// What a network's notes say.
pub(super) fn read(graph: &Graph, file: &str) -> Result<Recipe, LoadError> {
    let note = |key: &str| graph.metadata().iter().find(|(name, _)| name == key).map(|(_, value)| value.as_str());
    let task = match note("task") {
        None => None,
        Some("detect") => Some(Task::ObjectDetection),
        Some("segment") => Some(Task::InstanceSegmentation),
        Some("pose") => Some(Task::KeypointDetection),
        Some("classify") => Some(Task::Classification),
        Some(other) => {
            let what = format!("task {other:?} is not run; detect, segment, pose and classify are");
            return Err(LoadError::unsupported(file, what));
        }
    };
    let invalid = |key: &str, text: &str| {
        let shown: String = text.chars().take(80).collect();
        LoadError::invalid(file, format!("its note {key:?} cannot be read: {shown:?}"))
    };
    let classes = match note("names") {
        Some(text) => Some(("the note \"names\"", names(text).ok_or_else(|| invalid("names", text))?)),
        None => None,
    };
    let keypoints = match note("kpt_shape") {
        Some(text) => {
            let Some([count, numbers]) = numbers(text) else { return Err(invalid("kpt_shape", text)) };
            if numbers != 3 || count > CLASSES_MAX {
                let what = format!("points of {numbers} numbers; those of 3 (x, y, confidence) are run");
                return Err(LoadError::unsupported(file, what));
            }
            let of_class = (0..count).map(|id| format!("keypoint_{id}")).collect::<Vec<_>>();
            Some(vec![of_class; classes.as_ref().map_or(1, |(_, names)| names.len())])
        }
        None => None,
    };
    let size = match note("imgsz") {
        Some(text) => {
            let Some([height, width]) = numbers(text) else { return Err(invalid("imgsz", text)) };
            Some(super::files::size(width as u64, height as u64, "imgsz", file)?)
        }
        None => None,
    };
    // Trainers letterbox with this grey, and cut the middle for classes.
    let fit = if is_classifier(graph, task) { Fit::Cover } else { Fit::Letterbox(Fill::Value(114)) };
    Ok(Recipe {
        file: "the network",
        task,
        architecture: note("description").and_then(architecture),
        classes,
        colors: None,
        is_oriented: true,
        preprocessing: Preprocessing { crop: None, contrast: None, is_gray: false, fit, values: Values::UNIT },
        size,
        keypoints,
        activation: Activation::SoftmaxIfNeeded,
        is_suppressed: note("end2end").is_some_and(|value| value.eq_ignore_ascii_case("true")),
        batch_max: None,
    })
}

/// Whether a network gives classes of whole pictures.
fn is_classifier(graph: &Graph, task: Option<Task>) -> bool {
    task == Some(Task::Classification)
        || task.is_none() && graph.outputs().first().is_some_and(|port| port.shape.len() == 2)
}

/// `Ultralytics YOLOv8n model trained on …` names `yolov8n`.
fn architecture(description: &str) -> Option<String> {
    let word =
        description.split_whitespace().find(|word| word.len() > 4 && word.to_ascii_lowercase().starts_with("yolo"))?;
    Some(word.to_ascii_lowercase())
}

/// `[480, 640]`, whole numbers as Python writes them.
fn numbers(text: &str) -> Option<[usize; 2]> {
    let inner = text.trim().strip_prefix(['[', '('])?.strip_suffix([']', ')'])?;
    let mut parts = inner.split(',').map(|part| part.trim().parse().ok());
    let pair = [parts.next()??, parts.next()??];
    parts.next().is_none().then_some(pair)
}

/// `{0: 'person', 1: "hot dog"}` or `['person', 'hot dog']`, as Python writes them.
fn names(text: &str) -> Option<Vec<String>> {
    let text = text.trim();
    let mut names = Vec::new();
    let (mut rest, end, is_numbered) = match text.strip_prefix('{') {
        Some(rest) => (rest, '}', true),
        None => (text.strip_prefix('[')?, ']', false),
    };
    loop {
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(end) {
            let is_whole = after.trim().is_empty() && !names.is_empty();
            return is_whole.then_some(names);
        }
        if is_numbered {
            let (key, after) = rest.split_once(':')?;
            if key.trim().parse() != Ok(names.len()) {
                return None;
            }
            rest = after.trim_start();
        }
        let (name, after) = quoted(rest)?;
        names.push(name);
        if names.len() > CLASSES_MAX {
            return None;
        }
        rest = after.trim_start();
        rest = rest.strip_prefix(',').unwrap_or(rest);
    }
}

/// A text in quotes, and what is behind it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let mut name = String::new();
    let mut letters = text[1..].char_indices();
    while let Some((index, letter)) = letters.next() {
        match letter {
            '\\' => name.push(letters.next()?.1),
            _ if letter == quote => return Some((name, &text[1 + index + 1..])),
            _ => name.push(letter),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_python_writes_them() {
        let check = |text: &str, expect: Option<&[&str]>| {
            assert_eq!(
                names(text),
                expect.map(|names| names.iter().map(|name| (*name).to_owned()).collect()),
                "{text}"
            );
        };
        check("{0: 'person', 1: \"it's\"}", Some(&["person", "it's"]));
        check("['a', 'b, c']", Some(&["a", "b, c"]));
        check("{0: 'a\\'b'}", Some(&["a'b"]));
        check("{0: 'ä: ö'}", Some(&["ä: ö"]));
        for text in
            ["", "{", "{}", "[]", "{1: 'a'}", "{0: 'a', 0: 'b'}", "{0: a}", "{0: 'a", "{0: 'a'} x", "[1, 2]", "{0 'a'}"]
        {
            check(text, None);
        }
    }

    #[test]
    fn pairs_are_read_as_python_writes_them() {
        assert_eq!(numbers("[480, 640]"), Some([480, 640]));
        assert_eq!(numbers("(17, 3)"), Some([17, 3]));
        for text in ["", "[]", "[1]", "[1, 2, 3]", "[1, -2]", "[1, 2", "640"] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }

    #[test]
    fn descriptions_name_the_architecture() {
        assert_eq!(architecture("Ultralytics YOLO11n-seg model trained on coco.yaml").as_deref(), Some("yolo11n-seg"));
        assert_eq!(architecture("a network"), None);
    }
}
