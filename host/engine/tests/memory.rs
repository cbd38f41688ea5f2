//! The memory of a model comes back when nothing needs the model any more. Alone in its process: others' memory would
//! count too.
#![allow(missing_docs)]
#![cfg(target_os = "linux")]

mod support;

use std::ops::ControlFlow;
use std::path::Path;

use mimus_engine::{GenerateRequest, LoadError, Model, Progress, Source, load};
use serde_json::{Value, json};
use support::{golden, options, read_all, wait_until};

const HIDDEN: u64 = 1_024;
const WIDE: u64 = 4_096;
const LAYERS: u64 = 2;

/// Bytes of this process in memory.
fn resident_bytes() -> u64 {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap();
    pages.split(' ').nth(1).unwrap().parse::<u64>().unwrap() * 4_096
}

/// Writes a model of some 130 MB of zeros, and returns how many bytes they are.
fn write_model(folder: &Path) -> u64 {
    for file in ["config.json", "tokenizer.json", "tokenizer_config.json"] {
        std::fs::copy(golden("llama").join(file), folder.join(file)).unwrap();
    }
    let config = std::fs::read(folder.join("config.json")).unwrap();
    let mut config: Value = serde_json::from_slice(&config).unwrap();
    let vocab = config["vocab_size"].as_u64().unwrap();
    for (field, value) in
        [("hidden_size", HIDDEN), ("intermediate_size", WIDE), ("num_hidden_layers", LAYERS), ("head_dim", 64)]
    {
        config[field] = json!(value);
    }
    config["num_attention_heads"] = json!(HIDDEN / 64);
    config["num_key_value_heads"] = json!(HIDDEN / 64);
    config["tie_word_embeddings"] = json!(true);
    std::fs::write(folder.join("config.json"), config.to_string()).unwrap();
    let mut tensors = vec![
        ("model.embed_tokens.weight".to_owned(), vec![vocab, HIDDEN]),
        ("model.norm.weight".to_owned(), vec![HIDDEN]),
    ];
    for layer in 0..LAYERS {
        let mut add = |name: &str, shape: &[u64]| {
            tensors.push((format!("model.layers.{layer}.{name}.weight"), shape.to_vec()));
        };
        for name in ["q_proj", "k_proj", "v_proj", "o_proj"] {
            add(&format!("self_attn.{name}"), &[HIDDEN, HIDDEN]);
        }
        add("mlp.gate_proj", &[WIDE, HIDDEN]);
        add("mlp.up_proj", &[WIDE, HIDDEN]);
        add("mlp.down_proj", &[HIDDEN, WIDE]);
        add("input_layernorm", &[HIDDEN]);
        add("post_attention_layernorm", &[HIDDEN]);
    }
    let mut header = serde_json::Map::new();
    let mut end = 0;
    for (name, shape) in tensors {
        let begin = end;
        end += 4 * shape.iter().product::<u64>();
        header.insert(name, json!({ "dtype": "F32", "shape": shape, "data_offsets": [begin, end] }));
    }
    let header = Value::Object(header).to_string();
    let file = folder.join("model.safetensors");
    std::fs::write(&file, [&(header.len() as u64).to_le_bytes(), header.as_bytes()].concat()).unwrap();
    let file = std::fs::OpenOptions::new().write(true).open(file).unwrap();
    file.set_len(8 + header.len() as u64 + end).unwrap();
    end
}

#[test]
fn the_weights_go_with_the_last_who_needs_them() {
    let folder = tempfile::tempdir().unwrap();
    let weights = write_model(folder.path());
    assert!(weights > 100 << 20);
    let source = || Source::Folder(folder.path().to_owned());
    let before = resident_bytes();
    // What is given back may be a little less than what was taken: allocators and threads keep some.
    let is_back = || resident_bytes() < before + weights / 4;
    for round in 0..3 {
        let Ok(Model::Text(model)) = load(source(), &options(), &Progress::ignore) else { panic!("it loads") };
        assert_eq!(model.info().weight_bytes, weights);
        let taken = resident_bytes() - before;
        assert!(taken > weights - weights / 8, "round {round}: {taken} of {weights}");
        assert!(taken < weights + weights / 4, "round {round}: {taken} for {weights}");
        let mut request = GenerateRequest::new(vec![5, 6, 7]);
        request.tokens_max = Some(20);
        request.ignore_eos = true;
        // A piece a token, though weights of zero choose one without text.
        request.return_tokens = true;
        let mut generation = model.submit(request).unwrap();
        generation.next_blocking().unwrap().unwrap();
        drop(model);
        // The answer still needs them.
        assert!(!is_back(), "round {round}");
        assert_eq!(read_all(generation).unwrap()[0].generated, 20);
        wait_until("the memory is back", is_back);
        let half = |progress: Progress| {
            if progress.loaded_bytes * 2 < progress.total_bytes {
                ControlFlow::Continue(())
            } else {
                ControlFlow::Break(())
            }
        };
        assert!(matches!(load(source(), &options(), &half), Err(LoadError::Cancelled)));
        wait_until("the memory of half a model is back", is_back);
    }
}
