//! Packages that are whole, and packages that are not.

use std::path::Path;

use super::*;
use crate::preprocess::{Fill, Fit};

/// The network of three classes that these packages are about.
const NETWORK: &[u8] = include_bytes!("../../tests/golden/v8.onnx");

/// Files of a package; a text of none leaves the file out.
type Files<'a> = &'a [(&'a str, Option<&'a str>)];

const LEGACY: Files = &[
    ("model_type.json", Some(r#"{"project_task_type":"object-detection","model_type":"yolov8n"}"#)),
    ("environment.json", Some(r#"{"PREPROCESSING":{"resize":{"width":64,"height":64,"format":"Stretch to"}}}"#)),
    ("class_names.txt", Some("red\ngreen\nblue\n")),
];

const MODERN: Files = &[
    (
        "model_config.json",
        Some(r#"{"model_architecture":"yolov8","task_type":"object-detection","backend_type":"onnx"}"#),
    ),
    (
        "inference_config.json",
        Some(
            r#"{"network_input":{"training_input_size":{"height":64,"width":64},"dynamic_spatial_size_supported":false,
            "color_mode":"bgr","resize_mode":"letterbox","padding_value":127,"input_channels":3,"scaling_factor":255,
            "normalization":[[0.5,0.5,0.5],[0.25,0.25,0.25]]},"post_processing":{"type":"nms","fused":false},
            "forward_pass":{"max_dynamic_batch_size":4}}"#,
        ),
    ),
    ("class_names.txt", Some("red\ngreen\nblue")),
];

/// Writes a package's files, those of `changes` instead of the same of `files`, and reads it.
fn read_changed(files: Files, changes: Files) -> Result<Package, LoadError> {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |(name, text): &(&str, Option<&str>)| match text {
        Some(text) => std::fs::write(folder.path().join(name), text).expect("a file"),
        None => std::fs::remove_file(folder.path().join(name)).expect("a file less"),
    };
    std::fs::write(folder.path().join("weights.onnx"), NETWORK).expect("a file");
    files.iter().chain(changes).for_each(write);
    read_folder(folder.path())
}

fn read_folder(folder: &Path) -> Result<Package, LoadError> {
    read(&Source::Folder(folder.to_owned())).map(|(package, _)| package)
}

#[test]
fn legacy_packages_are_read() {
    let package = read_changed(LEGACY, &[]).expect("a package");
    assert_eq!((package.task, package.architecture.as_str()), (Task::ObjectDetection, "yolov8n"));
    assert_eq!(package.classes, ["red", "green", "blue"]);
    assert_eq!((package.colors.len(), package.is_oriented), (0, false));
    assert_eq!(package.input.size, Size { width: 64, height: 64 });
    assert_eq!((package.input.batch, package.preprocessing.fit), (None, Fit::Stretch));
}

#[test]
fn modern_packages_are_read() {
    let package = read_changed(MODERN, &[]).expect("a package");
    assert_eq!((package.task, package.architecture.as_str()), (Task::ObjectDetection, "yolov8"));
    assert_eq!((package.is_oriented, package.input.batch_max), (true, Some(4)));
    assert_eq!(package.preprocessing.fit, Fit::Letterbox(Fill::Value(127)));
    assert_eq!(package.preprocessing.values.deviation, [0.25; 3]);
    assert!(package.preprocessing.values.is_bgr);
}

#[test]
fn preprocessing_may_be_text() {
    let text = r##"{"PREPROCESSING":"{\"resize\":{\"format\":\"Fit (white edges) in\"},\"auto-orient\":{\"enabled\":true}}",
        "COLORS":{"green":"#00FF00","red":"red"}}"##;
    let package = read_changed(LEGACY, &[("environment.json", Some(text))]).expect("a package");
    assert_eq!((package.preprocessing.fit, package.is_oriented), (Fit::Letterbox(Fill::Value(255)), true));
    assert_eq!(package.colors, ["#4892EA", "#00FF00", "#4892EA"]);
}

#[test]
fn the_task_may_be_told_by_the_network() {
    let package = read_changed(LEGACY, &[("model_type.json", None)]).expect("a package");
    assert_eq!((package.task, package.architecture.as_str()), (Task::ObjectDetection, "yolov8"));
}

#[test]
fn a_network_alone_is_read() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join("mine.onnx"), NETWORK).expect("a file");
    let package = read_folder(folder.path()).expect("a package");
    assert_eq!(package.classes, ["class_0", "class_1", "class_2"]);
    assert_eq!(sniff(&Source::Folder(folder.path().to_owned())), Some(Layout::Plain));
    assert_eq!(sniff(&Source::File(folder.path().join("mine.onnx"))), Some(Layout::Plain));
    std::fs::write(folder.path().join("config.json"), "{}").expect("a file");
    assert_eq!(sniff(&Source::Folder(folder.path().to_owned())), None);
}

/// The start of the error that a change gives.
fn refuses(files: Files, change: (&str, Option<&str>), expect: &str) {
    let error = read_changed(files, &[change]).expect_err(expect).to_string();
    assert!(error.starts_with(expect), "{error}\nis not\n{expect}");
}

#[test]
fn broken_legacy_packages_say_what_is_wrong() {
    let environment = |text: &'static str, expect: &str| refuses(LEGACY, ("environment.json", Some(text)), expect);
    refuses(LEGACY, ("environment.json", None), "environment.json is missing");
    refuses(LEGACY, ("class_names.txt", None), "class_names.txt is missing");
    refuses(LEGACY, ("class_names.txt", Some("")), "class_names.txt: it names 0 classes");
    let few = "weights.onnx: its output has room for 3 classes, class_names.txt names 2";
    refuses(LEGACY, ("class_names.txt", Some("red\ngreen\n")), few);
    environment("{", "environment.json: EOF");
    environment("[]", "environment.json: invalid");
    environment(r#"{"PREPROCESSING":"{"}"#, "environment.json: PREPROCESSING: EOF");
    environment(r#"{"PREPROCESSING":7}"#, "environment.json: PREPROCESSING: invalid type");
    environment(r#"{"CLASS_MAP":{"0":"a","2":"b"}}"#, "environment.json: 2 names are numbered from 0");
    environment(r#"{"CLASS_MAP":{}}"#, "environment.json: it names 0 classes");
    let resize = "environment.json: PREPROCESSING.resize of";
    environment(r#"{"PREPROCESSING":{"resize":{"width":0,"height":64}}}"#, resize);
    environment(r#"{"PREPROCESSING":{"resize":{"width":64,"height":1000000000}}}"#, resize);
    environment(
        r#"{"PREPROCESSING":{"resize":{"width":-1,"height":64}}}"#,
        "environment.json: PREPROCESSING: invalid value",
    );
    let crop = "environment.json: static-crop";
    environment(r#"{"PREPROCESSING":{"static-crop":{"x_min":50,"x_max":50,"y_min":0,"y_max":100}}}"#, crop);
    environment(r#"{"PREPROCESSING":{"static-crop":{"x_min":0,"x_max":101,"y_min":0,"y_max":100}}}"#, crop);
    environment(r#"{"PREPROCESSING":{"contrast":{"type":"Sharper"}}}"#, "environment.json: contrast \"Sharper\"");
    let kind = |text: &'static str, expect: &str| refuses(LEGACY, ("model_type.json", Some(text)), expect);
    kind(
        r#"{"project_task_type":"lmm","model_type":"florence"}"#,
        "model_type.json: task \"lmm\" is not run; these are: object-detection",
    );
    kind(
        r#"{"project_task_type":"object-detection","model_type":"rfdetr-base"}"#,
        "environment.json: architecture \"rfdetr-base\" is not run",
    );
    kind(
        r#"{"project_task_type":"instance-segmentation","model_type":"yolov8n-seg"}"#,
        "weights.onnx: outputs of shapes [[1, 7, 84]] have no prototypes",
    );
    kind(
        r#"{"project_task_type":"keypoint-detection","model_type":"yolov8n-pose"}"#,
        "keypoints_metadata.json is missing",
    );
    kind(
        r#"{"project_task_type":"classification","model_type":"vit"}"#,
        "weights.onnx: outputs of shapes [[1, 7, 84]] are no classes",
    );
}

#[test]
fn broken_modern_packages_say_what_is_wrong() {
    refuses(MODERN, ("inference_config.json", None), "inference_config.json is missing");
    let backend = r#"{"model_architecture":"yolov8","task_type":"object-detection","backend_type":"trt"}"#;
    refuses(MODERN, ("model_config.json", Some(backend)), "model_config.json: backend \"trt\" is not run; export");
    let whole = MODERN[1].1.expect("text");
    for (part, other, expect) in [
        ("\"letterbox\"", "\"tile\"", "resize_mode \"tile\""),
        ("\"bgr\"", "\"hsv\"", "color_mode \"hsv\""),
        ("\"input_channels\":3", "\"input_channels\":4", "networks with 4 input channels"),
        ("\"scaling_factor\":255", "\"scaling_factor\":0", "scaling_factor 0"),
        ("[0.25,0.25,0.25]", "[0.25,0,0.25]", "normalization is not"),
        ("[0.25,0.25,0.25]", "[0.25]", "normalization is not"),
        ("\"padding_value\":127", "\"padding_value\":256", "padding_value 256"),
        ("\"type\":\"nms\"", "\"type\":\"argmax\"", "post_processing \"argmax\""),
        ("\"height\":64", "\"height\":0", "training_input_size of 64 x 0"),
    ] {
        let changed = whole.replace(part, other);
        assert_ne!(changed, whole, "{part}");
        refuses(MODERN, ("inference_config.json", Some(&changed)), &format!("inference_config.json: {expect}"));
    }
    let fused = whole.replace("\"fused\":false", "\"fused\":true");
    refuses(MODERN, ("inference_config.json", Some(&fused)), "weights.onnx: boxes that are said to be suppressed");
}

#[test]
fn broken_points_say_what_is_wrong() {
    let pose = r#"{"project_task_type":"keypoint-detection","model_type":"yolov8n-pose"}"#;
    for (points, expect) in [
        ("{", "keypoints_metadata.json: "),
        ("[{\"object_class_id\":0}]", "keypoints_metadata.json: missing field"),
        ("[{\"object_class_id\":999999999,\"keypoints\":{}}]", "keypoints_metadata.json: there is no class 999999999"),
        (
            "[{\"object_class_id\":0,\"keypoints\":{\"1\":\"a\"}}]",
            "keypoints_metadata.json: 1 names are numbered from 0",
        ),
        ("[{\"object_class_id\":0,\"keypoints\":{\"0\":\"a\"}}]", "weights.onnx: its output has room for 0 classes"),
    ] {
        let changes = [("model_type.json", Some(pose)), ("keypoints_metadata.json", Some(points))];
        let error = read_changed(LEGACY, &changes).expect_err(expect).to_string();
        assert!(error.starts_with(expect), "{error}\nis not\n{expect}");
    }
}

#[test]
fn networks_that_are_none_say_so() {
    let folder = tempfile::tempdir().expect("a folder");
    assert!(matches!(read_folder(folder.path()), Err(LoadError::Missing { .. })));
    for (bytes, expect) in
        [(&b"x"[..], "weights.onnx: "), (&NETWORK[..NETWORK.len() / 2], "weights.onnx: "), (&b""[..], "weights.onnx: ")]
    {
        std::fs::write(folder.path().join("weights.onnx"), bytes).expect("a file");
        let error = read_folder(folder.path()).expect_err("broken").to_string();
        assert!(error.starts_with(expect), "{error}");
    }
    std::fs::write(folder.path().join("other.onnx"), NETWORK).expect("a file");
    let error = read_folder(folder.path()).expect_err("two networks").to_string();
    assert!(error.starts_with("model_config.json is missing: several networks"), "{error}");
}
