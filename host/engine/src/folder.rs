//! What kind of model the files of a folder are, by their names.

/// See the module.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FolderKind {
    /// As transformers writes it: `config.json` and safetensors.
    Transformers,
    /// A picture model with a description beside its weights: `model_type.json` or `model_config.json`.
    Package,
    /// Picture and text networks of one space: `visual.onnx` and `textual.onnx`.
    ImageTextPair,
    /// A detector of words and a reader of them: `detection.onnx` and `recognition.onnx`.
    TextReader,
    /// A network that tells where a face looks, `L2CS….onnx`, and one that finds faces.
    Gaze,
}

/// The kind of a folder that holds files of these names; `None` for one that is no model.
pub fn folder_kind<'a>(names: impl IntoIterator<Item = &'a str> + Clone) -> Option<FolderKind> {
    let has = |is_it: &dyn Fn(&str) -> bool| names.clone().into_iter().any(is_it);
    let file = |wanted: &'static str| has(&move |name| name == wanted);
    let network = |beginning: &'static [&'static str]| {
        has(&|name| name.ends_with(".onnx") && beginning.iter().any(|beginning| name.starts_with(beginning)))
    };
    let weights = ["weights.onnx", "best.onnx", "weights.safetensors"];
    if file("config.json") && has(&|name| name.ends_with(".safetensors")) {
        Some(FolderKind::Transformers)
    } else if (file("model_type.json") || file("model_config.json")) && weights.into_iter().any(file) {
        Some(FolderKind::Package)
    } else if file("visual.onnx") && file("textual.onnx") {
        Some(FolderKind::ImageTextPair)
    } else if network(&["detection", "db_"]) && network(&["recognition", "crnn_"]) {
        Some(FolderKind::TextReader)
    } else if network(&["L2CS", "l2cs", "gaze"]) {
        Some(FolderKind::Gaze)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_known_by_the_names_of_their_files() {
        let check = |names: &[&str], expect: Option<FolderKind>| {
            assert_eq!(folder_kind(names.iter().copied()), expect, "{names:?}");
        };
        check(&["config.json", "model-00001-of-00002.safetensors"], Some(FolderKind::Transformers));
        check(&["weights.onnx", "model_type.json", "environment.json"], Some(FolderKind::Package));
        check(&["best.onnx", "model_type.json"], Some(FolderKind::Package));
        check(&["weights.onnx", "model_config.json"], Some(FolderKind::Package));
        check(&["visual.onnx", "textual.onnx"], Some(FolderKind::ImageTextPair));
        check(&["detection.onnx", "recognition.onnx", "config.json"], Some(FolderKind::TextReader));
        check(&["db_resnet50.onnx", "crnn_vgg16_bn.onnx"], Some(FolderKind::TextReader));
        check(&["L2CSNet_gaze360_resnet50_90bins.onnx", "face.onnx"], Some(FolderKind::Gaze));
        check(&["weights.onnx"], None);
        check(&["config.json", "README.md"], None);
        check(&[], None);
    }
}
