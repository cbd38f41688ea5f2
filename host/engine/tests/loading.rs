//! Before, while and after loading: what headers say, ending it half-way, and what holds on to a model.
#![allow(missing_docs)]

mod support;

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use mimus_engine::{
    Ability, EmbedInput, EmbedOptions, EmbedRequest, GenerateRequest, Inspection, LoadError, LoadOptions, Model,
    Progress, RerankRequest, Source, architectures, inspect, load, supports,
};
use support::{golden, options, read_all};

/// A model of the golden folder.
fn source(name: &str) -> Source {
    let gguf = golden(name).join("model.gguf");
    if gguf.exists() { Source::Gguf(gguf) } else { Source::Folder(golden(name)) }
}

/// A copy of a golden model.
fn copy(name: &str) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden(name)).unwrap() {
        let entry = entry.unwrap();
        if entry.path().is_file() {
            std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    folder
}

/// What a loaded model says of itself, in the form of an inspection.
fn describe(model: &Model) -> Inspection {
    let of = |ability, architecture: &str, format: &str, parameters, weight_bytes, context_tokens| Inspection {
        ability,
        architecture: architecture.to_owned(),
        format: format.to_owned(),
        quantization: None,
        parameters,
        weight_bytes,
        kv_bytes: 0,
        context_tokens,
    };
    match model {
        Model::Text(model) => {
            let i = model.info();
            let of = of(Ability::Text, &i.architecture, &i.format, i.parameters, i.weight_bytes, i.context_tokens);
            Inspection { quantization: i.quantization.clone(), ..of }
        }
        Model::Embedding(model) => {
            let i = model.info();
            of(Ability::Embedding, &i.architecture, &i.format, i.parameters, i.weight_bytes, i.context_tokens)
        }
        Model::Rerank(model) => {
            let i = model.info();
            of(Ability::Rerank, &i.architecture, &i.format, i.parameters, i.weight_bytes, i.context_tokens)
        }
        _ => panic!("a model of pictures"),
    }
}

#[test]
fn headers_say_what_loading_finds() {
    let decoders = ["llama", "llama3", "qwen2", "qwen3", "llama-gguf", "qwen2-gguf"];
    let encoders = ["embed-bert", "embed-bert-plain", "embed-roberta", "embed-xlm-roberta", "embed-mpnet"];
    let rerankers = ["rerank-bert", "rerank-distilbert", "rerank-electra", "rerank-xlm-roberta"];
    for name in decoders.iter().chain(&encoders).chain(&rerankers) {
        let options = LoadOptions { context_tokens_max: Some(60), slots: 3, ..options() };
        let inspection = inspect(&source(name), &options).unwrap_or_else(|error| panic!("{name}: {error}"));
        let model = load(source(name), &options, &Progress::ignore).unwrap();
        let expect = Inspection { kv_bytes: inspection.kv_bytes, ..describe(&model) };
        assert_eq!(inspection, expect, "{name}");
        // Three sequences of 60 tokens are two blocks of 32 each.
        assert_eq!(model.activity().kv_blocks_max, if decoders.contains(name) { 6 } else { 0 }, "{name}");
        assert!((inspection.kv_bytes > 0) == decoders.contains(name), "{name}");
    }
    // Keys and values of 2 layers and 2 heads, 12 numbers and 12 filled up to 16, for 32 positions of 4 bytes.
    let options = LoadOptions { context_tokens_max: Some(60), slots: 3, ..options() };
    assert_eq!(inspect(&source("llama"), &options).unwrap().kv_bytes, 6 * 32 * 2 * 2 * (12 + 16) * 4);
    let tight = LoadOptions { kv_bytes_max: 100, ..options };
    assert!(matches!(inspect(&source("llama"), &tight), Err(LoadError::Resource(_))));
}

#[test]
fn what_is_missing_is_noticed_without_reading() {
    let check = |name: &str, spoil: &dyn Fn(&Path), expect: &str| {
        let folder = copy(name);
        spoil(folder.path());
        let gguf = folder.path().join("model.gguf");
        let spoiled = if gguf.exists() { Source::Gguf(gguf) } else { Source::Folder(folder.path().to_owned()) };
        let error = inspect(&spoiled, &options()).expect_err(expect);
        assert!(error.to_string().contains(expect), "{name}: {error}");
        let loaded = load(spoiled, &options(), &Progress::ignore).err().expect("neither does it load");
        assert_eq!(loaded.to_string(), error.to_string(), "{name}");
        error
    };
    let shorten = |file: PathBuf| {
        let length = std::fs::metadata(&file).unwrap().len();
        std::fs::OpenOptions::new().write(true).open(&file).unwrap().set_len(length - 1).unwrap();
    };
    let shard = "model-00002-of-00003.safetensors";
    let error = check("qwen3", &|folder| std::fs::remove_file(folder.join(shard)).unwrap(), shard);
    assert!(matches!(error, LoadError::Read { file, .. } if file == shard));
    check("qwen3", &|folder| shorten(folder.join(shard)), "tensors end at");
    check("rerank-bert", &|folder| shorten(folder.join("model.safetensors")), "tensors end at");
    check("qwen2-gguf", &|folder| shorten(folder.join("model.gguf")), "past the end of the file");
    check("llama", &|folder| std::fs::remove_file(folder.join("config.json")).unwrap(), "cannot read config.json");
    let other = |folder: &Path, from: &str, to: &str| {
        let config = std::fs::read_to_string(folder.join("config.json")).unwrap();
        assert!(config.contains(from));
        std::fs::write(folder.join("config.json"), config.replace(from, to)).unwrap();
    };
    let unknown = |error, expect: &str| {
        assert!(matches!(&error, LoadError::UnsupportedArchitecture(name) if name == expect), "{error}");
        assert_eq!(supports(expect), None);
    };
    let name = "GemmaForCausalLM";
    unknown(check("llama", &|folder| other(folder, "LlamaForCausalLM", name), name), name);
    let name = "DebertaV2ForSequenceClassification";
    let deberta = |folder: &Path| {
        other(folder, "BertForSequenceClassification", name);
        other(folder, "\"model_type\": \"bert\"", "\"model_type\": \"deberta-v2\"");
    };
    unknown(check("rerank-bert", &deberta, name), name);
    let falcon = |folder: &Path| {
        let file = folder.join("model.gguf");
        let mut bytes = std::fs::read(&file).unwrap();
        let place = bytes.windows(5).position(|five| five == b"llama").unwrap();
        bytes[place..place + 5].copy_from_slice(b"bloom");
        std::fs::write(file, bytes).unwrap();
    };
    unknown(check("llama-gguf", &falcon, "bloom"), "bloom");
}

#[test]
fn everything_that_loads_is_supported() {
    for name in ["llama", "qwen2", "qwen3", "embed-bert", "embed-mpnet", "rerank-electra", "rerank-camembert"] {
        let inspection = inspect(&source(name), &options()).unwrap();
        let of_type = architectures().find(|(name, _)| *name == inspection.architecture).expect("it is in the table").1;
        assert_eq!(supports(&inspection.architecture), Some(of_type));
        let config = std::fs::read(golden(name).join("config.json")).unwrap();
        let config: serde_json::Value = serde_json::from_slice(&config).unwrap();
        assert_eq!(supports(config["architectures"][0].as_str().unwrap()), Some(inspection.ability), "{name}");
    }
}

#[test]
fn loading_ends_where_the_listener_says() {
    for name in ["llama", "qwen3", "qwen2-gguf", "embed-roberta", "rerank-distilbert"] {
        let seen: RefCell<Vec<Progress>> = RefCell::default();
        let run = |tensors: usize| {
            seen.borrow_mut().clear();
            load(source(name), &options(), &|progress| {
                seen.borrow_mut().push(progress);
                if seen.borrow().len() == tensors { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })
        };
        assert!(run(usize::MAX).is_ok(), "{name}");
        let all = seen.borrow().clone();
        let last = all.last().unwrap();
        assert!(all.windows(2).all(|pair| pair[0].loaded_bytes < pair[1].loaded_bytes), "{name}");
        assert!(last.loaded_bytes <= last.total_bytes && 2 * last.loaded_bytes > last.total_bytes, "{name}: {last:?}");
        for tensors in [1, all.len() / 2, all.len()] {
            assert!(matches!(run(tensors), Err(LoadError::Cancelled)), "{name} after {tensors}");
            assert_eq!(*seen.borrow(), all[..tensors], "{name}: nothing is read after that");
        }
    }
}

#[test]
fn requests_outlive_the_last_handle_of_their_model() {
    let Ok(Model::Text(model)) = load(source("llama"), &options(), &Progress::ignore) else { panic!("text") };
    let mut request = GenerateRequest::new(vec![5, 6, 7]);
    request.tokens_max = Some(300);
    request.ignore_eos = true;
    let mut generation = model.submit(request.clone()).unwrap();
    let queued = model.submit(request).unwrap();
    generation.next_blocking().unwrap().unwrap();
    // The answers alone keep the thread and the weights.
    drop(model);
    assert_eq!(read_all(generation).unwrap()[0].generated, 300);
    assert_eq!(read_all(queued).unwrap()[0].generated, 300);

    let Ok(Model::Embedding(model)) = load(source("embed-bert"), &options(), &Progress::ignore) else { panic!() };
    let inputs = vec![EmbedInput::Text("the bird sings ".repeat(12)); 500];
    let request = EmbedRequest { inputs, options: EmbedOptions::default() };
    let pending = [model.embed(request.clone()).unwrap(), model.embed(request).unwrap()];
    drop(model);
    for pending in pending {
        assert_eq!(pending.wait_blocking().unwrap().len(), 500);
    }

    let Ok(Model::Rerank(model)) = load(source("rerank-bert"), &options(), &Progress::ignore) else { panic!() };
    let documents = vec!["the bird sings ".repeat(12); 500];
    let request = RerankRequest { query: "which bird".into(), documents, ..RerankRequest::default() };
    let pending = [model.rerank(request.clone()).unwrap(), model.rerank(request).unwrap()];
    drop(model);
    for pending in pending {
        assert_eq!(pending.wait_blocking().unwrap().len(), 500);
    }
}
