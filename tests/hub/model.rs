//! The built-in chat model as repositories have it: its weights cut into two files with an index.

use std::collections::BTreeMap;
use std::fs;

use serde_json::{Map, Value, json};

use crate::harness::repository;

pub const SHARD_1: &str = "model-00001-of-00002.safetensors";
pub const SHARD_2: &str = "model-00002-of-00002.safetensors";
pub const INDEX: &str = "model.safetensors.index.json";

/// The files of a repository with the built-in chat model, and what repositories have besides.
pub fn sharded() -> Vec<(&'static str, Vec<u8>)> {
    let folder = repository().join("host/models/mimus-chat");
    let read = |name: &str| fs::read(folder.join(name)).expect("the model is in the repository");
    let (first, second, index) = cut(&read("model.safetensors"));
    let mut files = vec![(SHARD_1, first), (SHARD_2, second), (INDEX, index)];
    for name in ["config.json", "generation_config.json", "tokenizer.json", "tokenizer_config.json", "README.md"] {
        files.push((name, read(name)));
    }
    // None of these is for us.
    files.push((".gitattributes", b"*.safetensors filter=lfs".to_vec()));
    files.push(("pytorch_model.bin", vec![0; 300_000]));
    files.push(("onnx/model.onnx", vec![1; 300_000]));
    files
}

/// Cuts a safetensors file into two of about the same size, and writes their index.
///
/// The format: eight bytes with the length of the header, the header as JSON padded with spaces, then the tensors.
fn cut(whole: &[u8]) -> (Vec<u8>, Vec<u8>, Vec<u8>) {
    let length = u64::from_le_bytes(whole[..8].try_into().expect("eight bytes"));
    let data_start = 8 + usize::try_from(length).expect("a short header");
    let header: Map<String, Value> = serde_json::from_slice(&whole[8..data_start]).expect("a header");
    let mut tensors: Vec<(String, Value)> = header.into_iter().filter(|(name, _)| name != "__metadata__").collect();
    let offset = |tensor: &Value, end: usize| {
        usize::try_from(tensor["data_offsets"][end].as_u64().expect("an offset")).expect("a short file")
    };
    tensors.sort_by_key(|(_, tensor)| offset(tensor, 0));
    let half = (whole.len() - data_start) / 2;
    let (mut index, mut files) = (BTreeMap::new(), Vec::new());
    let (first, second): (Vec<_>, Vec<_>) = tensors.into_iter().partition(|(_, tensor)| offset(tensor, 1) <= half);
    for (name, part) in [(SHARD_1, first), (SHARD_2, second)] {
        assert!(!part.is_empty(), "the model has more than one tensor");
        let mut header = Map::from_iter([("__metadata__".to_owned(), json!({"format": "pt"}))]);
        let mut data = Vec::new();
        for (tensor, mut entry) in part {
            let start = data.len();
            data.extend_from_slice(&whole[data_start + offset(&entry, 0)..data_start + offset(&entry, 1)]);
            entry["data_offsets"] = json!([start, data.len()]);
            index.insert(tensor.clone(), name);
            header.insert(tensor, entry);
        }
        let mut text = Value::Object(header).to_string().into_bytes();
        text.resize(text.len().next_multiple_of(8), b' ');
        files.push([&(text.len() as u64).to_le_bytes()[..], &text, &data].concat());
    }
    let index = json!({"metadata": {"total_size": whole.len() - data_start}, "weight_map": index});
    let second = files.pop().expect("two");
    (files.pop().expect("two"), second, index.to_string().into_bytes())
}
