//! Files of models that take pictures, broken, absurd or made to harm: each is refused with a reason.
#![allow(missing_docs)]

mod support;

use mimus_engine::{LoadError, Model, Progress, Source, load};
use serde_json::{Value, json};
use support::{golden, options};

/// Loads a golden model with one file replaced, or without it.
fn load_with(model: &str, file: &str, bytes: Option<&[u8]>) -> Result<Model, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(model)).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    match bytes {
        Some(bytes) => std::fs::write(folder.path().join(file), bytes).unwrap(),
        None => std::fs::remove_file(folder.path().join(file)).unwrap(),
    }
    load(Source::Folder(folder.path().to_owned()), &options(), &Progress::ignore)
}

/// Loads a golden model with one file replaced, and looks for `expect` in the reason.
fn check(model: &str, file: &str, bytes: Option<&[u8]>, expect: &str) {
    let Err(error) = load_with(model, file, bytes) else { panic!("{model} {file} is refused: {expect}") };
    let error = error.to_string();
    assert!(error.contains(expect), "{model} {file}: {error}");
}

/// As [`check`], with one field of a JSON file set.
///
/// * `place`: a JSON pointer.
fn check_field(model: &str, file: &str, place: &str, value: Value, expect: &str) {
    let mut content: Value = serde_json::from_slice(&std::fs::read(golden(model).join(file)).unwrap()).unwrap();
    let (parent, name) = place.rsplit_once('/').unwrap();
    content.pointer_mut(parent).unwrap()[name] = value;
    check(model, file, Some(content.to_string().as_bytes()), expect);
}

#[test]
fn towers() {
    let check =
        |place: &str, value: Value, expect: &str| check_field("clip-quick", "config.json", place, value, expect);
    check("/vision_config/image_size", 0.into(), "picture's side must be 1 to 2048");
    check("/vision_config/image_size", (1u64 << 40).into(), "picture's side must be 1 to 2048");
    check("/vision_config/image_size", 33.into(), "33 pixels does not divide into patches of 8");
    check("/vision_config/image_size", 64.into(), "do not fit a network of 64 x 64 pixels");
    check("/vision_config/patch_size", 0.into(), "patch's side must be 1");
    check("/vision_config/patch_size", 64.into(), "patch's side must be 1");
    check("/vision_config/num_channels", 1.into(), "three colours");
    check("/vision_config/hidden_act", "swish".into(), "activation");
    check("/vision_config/num_attention_heads", 0.into(), "number of heads must be 1");
    check("/vision_config/num_attention_heads", 5.into(), "does not divide");
    check("/vision_config/layer_norm_eps", (-1.0).into(), "norm epsilon");
    check("/text_config/num_hidden_layers", u64::MAX.into(), "number of layers must be 1");
    check("/text_config/num_hidden_layers", 3.into(), "absent");
    check("/text_config/hidden_size", u64::MAX.into(), "hidden size must be 1");
    check("/text_config/vocab_size", 7.into(), "instead of");
    check("/text_config/max_position_embeddings", 0.into(), "number of positions must be 1");
    check("/text_config/max_position_embeddings", 2.into(), "instead of");
    check("/projection_dim", 0.into(), "projection's size must be 1");
    check("/projection_dim", 25.into(), "instead of");
}

#[test]
fn preparations() {
    let check = |place: &str, value: Value, expect: &str| {
        check_field("clip-quick", "preprocessor_config.json", place, value, expect);
    };
    check("/crop_size", 31.into(), "do not fit a network of 32 x 32 pixels");
    check("/crop_size", json!({ "height": 32, "width": 31 }), "do not fit");
    check("/size", json!({ "shortest_edge": 31 }), "do not fit");
    check("/size", json!({ "shortest_edge": u32::MAX }), "do not fit");
    check("/size", json!({ "height": 30, "width": 40 }), "do not fit");
    check("/do_center_crop", false.into(), "do not fit");
    check("/do_resize", false.into(), "keep their size");
    check("/rescale_factor", 1.into(), "keep their size or their range");
    check("/resample", 0.into(), "resampling of kind 0");
    check("/image_std", json!([0.5, 0.0, 0.5]), "image_mean or image_std");
    check("/image_mean", json!([0.5]), "malformed");
}

#[test]
fn shapes_of_tensors() {
    check("clip-open", "vocab.json", None, "cannot read tokenizer.json");
    check("clip-open", "merges.txt", None, "cannot read merges.txt");
    let config = |place: &str, value: Value, expect: &str| {
        check_field("clip-open", "open_clip_config.json", place, value, expect);
    };
    config("/model_cfg/vision_cfg/head_width", 0.into(), "head's width must be 1");
    config("/model_cfg/vision_cfg/head_width", 1_000.into(), "number of heads must be 1");
    config("/model_cfg/vision_cfg/timm_model_name", "vit".into(), "unlike OpenAI's");
    config("/model_cfg/text_cfg/heads", 3.into(), "does not divide");
    check("clip-resnet", "model.safetensors", Some(b"12345678"), "model.safetensors");
}

#[test]
fn graphs() {
    check("clip-onnx", "visual.onnx", Some(b"no graph"), "visual.onnx is malformed");
    let textual = std::fs::read(golden("clip-onnx/textual.onnx")).unwrap();
    check("clip-onnx", "visual.onnx", Some(&textual), "one input of 4 dimensions");
    let visual = std::fs::read(golden("clip-onnx/visual.onnx")).unwrap();
    check("clip-onnx", "textual.onnx", Some(&visual), "one input of 2 dimensions");
    check("clip-onnx", "vocab.json", None, "cannot read tokenizer.json");
}

#[test]
fn readers() {
    let check = |place: &str, value: Value, expect: &str| check_field("line-vit", "config.json", place, value, expect);
    check("/encoder/model_type", "swin".into(), "pictures read by \"swin\"");
    check("/encoder/image_size", 33.into(), "does not divide");
    check("/encoder/qkv_bias", true.into(), "absent");
    check("/decoder/model_type", "mbart".into(), "lines written by \"mbart\"");
    check("/decoder/d_model", 0.into(), "decoder's hidden size must be 1");
    check("/decoder/d_model", 26.into(), "instead of");
    check("/decoder/decoder_attention_heads", 5.into(), "does not divide");
    check("/decoder/decoder_layers", (1u64 << 40).into(), "decoder's number of layers");
    check("/decoder/max_position_embeddings", (1u64 << 40).into(), "decoder's number of positions");
    check("/decoder/cross_attention_hidden_size", 33.into(), "does not take rows of 32 numbers");
    check("/decoder/vocab_size", 1.into(), "token 2 is not below 1");
    check_field("line-vit", "generation_config.json", "/decoder_start_token_id", 1_000_000.into(), "is not below");
    check_field("line-deit", "config.json", "/decoder/d_model", 1.into(), "number of heads must be 1 to 1");
}
