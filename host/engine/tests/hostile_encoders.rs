//! Files of embedding models and rerankers that are broken, absurd or made to harm: each is refused with a reason.
#![allow(missing_docs)]

mod support;

use std::path::Path;

use mimus_engine::{LoadError, Model, Progress, RerankRequest, Source, load};
use serde_json::{Value, json};
use support::{golden, options};

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.path().is_dir() { copy(&entry.path(), &target) } else { drop(std::fs::copy(entry.path(), target)) }
    }
}

/// Loads a golden model with one file replaced.
fn load_with(model: &str, file: &str, bytes: &[u8]) -> Result<Model, LoadError> {
    let folder = tempfile::tempdir().unwrap();
    copy(&golden(model), folder.path());
    std::fs::write(folder.path().join(file), bytes).unwrap();
    load(Source::Folder(folder.path().to_owned()), &options(), &Progress::ignore)
}

/// Loads a golden model with one file replaced, and looks for `expect` in the reason.
fn check(model: &str, file: &str, bytes: &[u8], expect: &str) {
    let Err(error) = load_with(model, file, bytes) else { panic!("{file} is refused: {expect}") };
    let error = error.to_string();
    assert!(error.contains(expect), "{file}: {error}");
}

/// As [`check`], with one field of a JSON file set.
fn check_field(model: &str, file: &str, field: &str, value: Value, expect: &str) {
    let json = std::fs::read(golden(model).join(file)).unwrap();
    let mut content: Value = serde_json::from_slice(&json).unwrap();
    content[field] = value;
    check(model, file, content.to_string().as_bytes(), expect);
}

#[test]
fn configurations() {
    let check = |field: &str, value: Value, expect: &str| {
        check_field("embed-bert", "config.json", field, value, expect);
    };
    check("num_attention_heads", 0.into(), "number of heads must be 1");
    check("num_attention_heads", 5.into(), "does not divide");
    check("num_hidden_layers", 1_000_000_000.into(), "number of layers must be 1 to 1024");
    check("num_hidden_layers", 3.into(), "absent");
    check("hidden_size", 0.into(), "hidden size must be 1");
    check("hidden_size", u64::MAX.into(), "hidden size must be 1");
    check("hidden_size", 64.into(), "instead of");
    check("intermediate_size", 0.into(), "intermediate size must be 1");
    check("intermediate_size", 49.into(), "instead of");
    check("vocab_size", 0.into(), "vocabulary must be 1");
    check("vocab_size", 299.into(), "instead of");
    check("max_position_embeddings", 0.into(), "number of positions must be 1");
    check("max_position_embeddings", (1u64 << 40).into(), "number of positions must be 1");
    check("max_position_embeddings", 65.into(), "instead of");
    check("type_vocab_size", 0.into(), "number of token types must be 1");
    check("type_vocab_size", 3.into(), "instead of");
    check("layer_norm_eps", (-1.0).into(), "norm epsilon");
    check("hidden_act", "swish".into(), "unsupported model: activation");
    check("position_embedding_type", "relative_key".into(), "unsupported model: relative positions");
    check("is_decoder", true.into(), "as a decoder");
    check("model_type", "t5".into(), "unsupported model: architecture");
    check_field("embed-roberta", "config.json", "pad_token_id", 65.into(), "leaves none of 66 positions");
    check_field("embed-roberta", "config.json", "pad_token_id", u32::MAX.into(), "leaves none");
    check_field("embed-mpnet", "config.json", "relative_attention_num_buckets", 0.into(), "distance buckets");
    check_field(
        "embed-mpnet",
        "config.json",
        "relative_attention_num_buckets",
        (1u64 << 40).into(),
        "distance buckets",
    );
    check_field("embed-mpnet", "config.json", "relative_attention_num_buckets", 36.into(), "instead of");
}

#[test]
fn modules() {
    let check = |modules: Value, expect: &str| {
        check("embed-bert", "modules.json", modules.to_string().as_bytes(), expect);
    };
    let module =
        |kind: &str, path: &str| json!({ "type": format!("sentence_transformers.models.{kind}"), "path": path });
    let transformer = || module("Transformer", "");
    check(json!([]), "number of modules must be 1 to 16, not 0");
    check(json!([transformer()]), "gives no vector");
    check(Value::Array(vec![transformer(); 17]), "not 17");
    check(json!([module("Pooling", "1_Pooling")]), "module \"sentence_transformers.models.Pooling\" in place 0");
    check(json!([transformer(), module("Normalize", "")]), "in place 1");
    check(json!([module("Transformer", "0_BERT")]), "an encoder in \"0_BERT\"");
    check(json!([transformer(), module("Pooling", "1_Pooling"), module("WordWeights", "")]), "in place 2");
    check(json!([{ "type": "my.own.Code", "path": "" }]), "module \"my.own.Code\"");
    for path in ["../1_Pooling", "/etc", "..", "", "a/b", ".hidden", "nul\0byte"] {
        check(json!([transformer(), module("Pooling", path)]), "bad file name");
    }
    check(json!([transformer(), module("Pooling", "absent")]), "cannot read config.json");
    check(json!({}), "modules.json is malformed");
}

#[test]
fn files_of_modules() {
    let nested = "[".repeat(100_000);
    check("embed-bert", "modules.json", nested.as_bytes(), "modules.json is malformed");
    check("embed-bert", "1_Pooling/config.json", b"", "config.json is malformed");
    check("embed-bert", "1_Pooling/config.json", br#"{"pooling_mode":"best"}"#, "pooling \"best\"");
    check("embed-bert", "1_Pooling/config.json", br#"{"pooling_mode":[]}"#, "pooling modes must be 1 to 6");
    let many = json!({ "pooling_mode": vec!["mean"; 7] }).to_string();
    check("embed-bert", "1_Pooling/config.json", many.as_bytes(), "not 7");
    let dense = |field: &str, value: Value, expect: &str| {
        check_field("embed-roberta", "2_Dense/config.json", field, value, expect);
    };
    dense("in_features", 0.into(), "in_features must be 1");
    dense("in_features", 33.into(), "takes 33 numbers of 32");
    dense("out_features", u64::MAX.into(), "out_features must be 1");
    dense("out_features", 21.into(), "instead of");
    dense("activation_function", "os.system".into(), "activation \"os.system\"");
    dense("use_residual", true.into(), "more than one matrix");
    check("embed-roberta", "2_Dense/model.safetensors", b"", "pass the end of the file");
    let prompts: Vec<(String, &str)> = (0..300).map(|index| (index.to_string(), "")).collect();
    let prompts = json!({ "prompts": prompts.into_iter().collect::<std::collections::BTreeMap<_, _>>() }).to_string();
    check("embed-bert", "config_sentence_transformers.json", prompts.as_bytes(), "at most 256 prompts");
    let long = json!({ "prompts": { "a": "x".repeat(20_000) } }).to_string();
    check("embed-bert", "config_sentence_transformers.json", long.as_bytes(), "of 16384 bytes");
    check("embed-bert-plain", "vocab.txt", b"[UNK]\n[CLS]\n", "has no token [SEP]");
    check("embed-bert-plain", "vocab.txt", b"\xff\xfe", "vocab.txt is malformed");
    check("embed-bert", "tokenizer.json", b"{}", "tokenizer.json is malformed");
}

#[test]
fn rerankers() {
    let field = |field: &str, value: Value, expect: &str| {
        check_field("rerank-bert", "config.json", field, value, expect);
    };
    field("id2label", json!({}), "a classifier of 0 labels");
    field("id2label", json!({ "0": "no", "1": "maybe", "2": "yes" }), "unsupported model: a classifier of 3 labels");
    field("id2label", Value::Null, "a classifier of 2 labels; a reranker has one");
    field("num_labels", 0.into(), "a classifier of 0 labels");
    field("num_labels", u64::MAX.into(), "a classifier of 18446744073709551615 labels");
    field("num_labels", (-1).into(), "config.json is malformed");
    field("id2label", json!(["a"]), "config.json is malformed");
    field("model_type", "deberta-v2".into(), "unsupported model: architecture \"BertForSequenceClassification\"");
    field("architectures", json!("BertForSequenceClassification"), "config.json is malformed");
    field("hidden_size", 64.into(), "instead of");
    let own = |name: &str| json!({ "activation_fn": name });
    field("sentence_transformers", own("torch.nn.modules.activation.Tanh"), "of a score");
    check(
        "rerank-bert",
        "config_sentence_transformers.json",
        own("torch.nn.Softmax").to_string().as_bytes(),
        "of a score",
    );
    check_field("rerank-electra", "config.json", "embedding_size", 16.into(), "embeddings of another width");
    // Another family's names: the head is not there.
    check_field(
        "rerank-roberta",
        "config.json",
        "model_type",
        "bert".into(),
        "tensor bert.pooler.dense.weight: absent",
    );
}

/// A safetensors file with one tensor called otherwise, or of another shape; its data stays.
fn with_header(model: &str, change: impl Fn(&mut Value)) -> Vec<u8> {
    let file = std::fs::read(golden(model).join("model.safetensors")).unwrap();
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let mut header: Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    change(&mut header);
    let header = header.to_string();
    [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &file[8 + length..]].concat()
}

#[test]
fn heads_of_rerankers() {
    for (model, names) in [
        ("rerank-bert", ["bert.pooler.dense.weight", "bert.pooler.dense.bias", "classifier.weight", "classifier.bias"]),
        ("rerank-distilbert", ["pre_classifier.weight", "pre_classifier.bias", "classifier.weight", "classifier.bias"]),
        (
            "rerank-electra",
            [
                "classifier.dense.weight",
                "classifier.dense.bias",
                "classifier.out_proj.weight",
                "classifier.out_proj.bias",
            ],
        ),
        (
            "rerank-roberta",
            [
                "classifier.dense.weight",
                "classifier.dense.bias",
                "classifier.out_proj.weight",
                "classifier.out_proj.bias",
            ],
        ),
    ] {
        for name in names {
            let renamed = with_header(model, |header| {
                let tensor = header.as_object_mut().unwrap().remove(name).expect("the model has it");
                header["other"] = tensor;
            });
            check(model, "model.safetensors", &renamed, &format!("tensor {name}: absent"));
        }
    }
    // Three labels in the file, one in the configuration: 32 numbers cannot be three rows, so the shape is turned.
    let turned = with_header("rerank-bert", |header| header["classifier.weight"]["shape"] = json!([32, 1]));
    check("rerank-bert", "model.safetensors", &turned, "classifier.weight: has shape [32, 1] instead of [1, 32]");
    let turned = with_header("rerank-bert", |header| header["bert.pooler.dense.weight"]["shape"] = json!([16, 64]));
    check("rerank-bert", "model.safetensors", &turned, "instead of [32, 32]");
}

/// What the files call what becomes of a score; names that would have to be executed count as none.
#[test]
fn functions_of_scores() {
    let score = |file: &str, content: Value| {
        let request = RerankRequest { query: "bird".into(), documents: vec!["voice".into()], ..Default::default() };
        match load_with("rerank-bert", file, content.to_string().as_bytes()) {
            Ok(Model::Rerank(model)) => model.rerank(request).unwrap().wait_blocking().unwrap()[0].score,
            Ok(_) => panic!("a reranker"),
            Err(error) => panic!("{error}"),
        }
    };
    let config = std::fs::read(golden("rerank-bert").join("config.json")).unwrap();
    let mut config: Value = serde_json::from_slice(&config).unwrap();
    let sigmoid = score("config.json", config.clone());
    let logit = -(1.0 / sigmoid - 1.0).ln();
    let own = "config_sentence_transformers.json";
    let is_close = |one: f32, other: f32| (one - other).abs() < 1e-5;
    assert!(is_close(score(own, json!({ "activation_fn": "torch.nn.modules.linear.Identity" })), logit));
    assert!(is_close(score(own, json!({ "activation_fn": "os.system" })), sigmoid));
    config["sentence_transformers"] = json!({ "activation_fn": "torch.nn.modules.linear.Identity" });
    assert!(is_close(score("config.json", config.clone()), logit));
    config["sentence_transformers"] = json!({});
    config["sbert_ce_default_activation_function"] = json!("torch.nn.modules.linear.Identity");
    assert!(is_close(score("config.json", config), logit));
}

/// What is merely odd is taken as sentence-transformers takes it, in bounds.
#[test]
fn odd_lengths() {
    let context = |file: &str, json: Value| match load_with("embed-bert", file, json.to_string().as_bytes()) {
        Ok(Model::Embedding(model)) => model.info().context_tokens,
        Ok(_) => panic!("an encoder"),
        Err(error) => panic!("{error}"),
    };
    for (length, expect) in [(json!(10), 10), (json!(u64::MAX), 64), (json!(0), 64), (json!(1), 3), (Value::Null, 64)] {
        assert_eq!(context("sentence_bert_config.json", json!({ "max_seq_length": length })), expect, "{length}");
    }
}
