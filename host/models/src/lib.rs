//! The models that come with the server: files as Hugging Face writes them, embedded as bytes.
//!
//! How each was trained, and how to do it again, is in `recipes/`; what each can do is in its model card, `<name>/README.md`.

/// A model and its files.
pub struct Model {
    /// The name clients use.
    pub name: &'static str,
    /// File names and contents.
    pub files: &'static [(&'static str, &'static [u8])],
}

/// Embeds files of a model's folder under their own names.
macro_rules! files {
    ($folder:literal: $($file:literal),+ $(,)?) => {
        &[$(($file, include_bytes!(concat!("../", $folder, "/", $file)).as_slice())),+]
    };
}

/// All built-in models. The first is the default for people who name none.
pub static MODELS: &[Model] = &[
    Model {
        name: "mimus-chat",
        files: files!("mimus-chat":
            "config.json",
            "generation_config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ),
    },
    Model {
        name: "mimus-embed",
        files: files!("mimus-embed":
            "config.json",
            "model.safetensors",
            "modules.json",
            "1_Pooling/config.json",
            "sentence_bert_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ),
    },
    Model {
        name: "mimus-rerank",
        files: files!("mimus-rerank":
            "config.json",
            "model.safetensors",
            "tokenizer.json",
            "tokenizer_config.json",
        ),
    },
    Model {
        name: "mimus-clip",
        files: files!("mimus-clip":
            "config.json",
            "model.safetensors",
            "preprocessor_config.json",
            "tokenizer.json",
            "tokenizer_config.json",
        ),
    },
    Model { name: "mimus-read", files: files!("mimus-read": "config.json", "detection.onnx", "recognition.onnx") },
    Model {
        name: "shapes/1",
        files: files!("shapes/1": "class_names.txt", "environment.json", "model_type.json", "weights.onnx"),
    },
    Model {
        name: "shapes-seg/1",
        files: files!("shapes-seg/1": "class_names.txt", "environment.json", "model_type.json", "weights.onnx"),
    },
    Model {
        name: "shapes-cls/1",
        files: files!("shapes-cls/1": "class_names.txt", "environment.json", "model_type.json", "weights.onnx"),
    },
    Model {
        name: "shapes-kpt/1",
        files: files!("shapes-kpt/1":
            "class_names.txt",
            "environment.json",
            "keypoints_metadata.json",
            "model_type.json",
            "weights.onnx",
        ),
    },
];
