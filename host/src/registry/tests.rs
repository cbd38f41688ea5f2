use std::collections::HashSet;
use std::fs;

use super::*;

/// Every ability that the built-in data may name; [`Family::abilities`] documents them.
const ABILITIES: [&str; 16] = [
    "chat",
    "generate",
    "tools",
    "vision",
    "audio",
    "reasoning",
    "omni",
    "embed",
    "rerank",
    "text2image",
    "image2image",
    "inpainting",
    "ocr",
    "audio2text",
    "text2audio",
    "text2video",
];

const FORMATS: [&str; 5] = ["safetensors", "gguf", "gptq", "awq", "fp8"];

fn registry() -> Registry {
    Registry::open(None, &[]).expect("the built-in data is good")
}

fn custom(name: &str) -> Family {
    Family {
        name: name.into(),
        kind: Kind::Text,
        description: "An \"example\"\nof two lines.".into(),
        languages: vec!["en".into()],
        abilities: vec!["chat".into()],
        context_tokens: 4096,
        dimensions: Some(8),
        architecture: "llama".into(),
        template: Some("chatml".into()),
        licence: Some("mit".into()),
        is_builtin: false,
        weights: vec![
            Weights {
                size: Some("7".into()),
                format: "gguf".into(),
                architecture: Some("llama-moe".into()),
                quantizations: vec!["q4_0".into(), "q8_0".into()],
                origin: Origin::Hub {
                    id: "some/model-gguf".into(),
                    revision: Some("main".into()),
                    file: Some("m-{quantization}.gguf".into()),
                    split_file: Some("m-{quantization}-{part}.gguf".into()),
                    parts: [("q8_0".to_owned(), 2)].into(),
                },
                bytes: None,
            },
            Weights {
                size: None,
                format: "safetensors".into(),
                architecture: None,
                quantizations: vec!["none".into()],
                origin: Origin::Path("/models/x".into()),
                bytes: Some(5),
            },
        ],
        notes: r#"{"a":"b"}"#.into(),
    }
}

/// Names that template plugins say they render, read from their sources.
fn templates() -> HashSet<String> {
    let plugins = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins");
    let mut names = HashSet::new();
    for entry in fs::read_dir(plugins).expect("plugins/ is there").flatten() {
        if !entry.file_name().to_string_lossy().starts_with("template-") {
            continue;
        }
        let source = fs::read_to_string(entry.path().join("src/lib.rs")).expect("a template has a source");
        let mut quoted = source.split('"').skip(1).step_by(2);
        names.extend(quoted.by_ref().map(str::to_owned));
    }
    names
}

#[test]
fn the_built_in_data_is_good() {
    let registry = registry();
    let templates = templates();
    assert!(templates.contains("chatml") && templates.contains("llama2"));
    for family in registry.list(None) {
        let name = &family.name;
        assert!(family.is_builtin && !family.abilities.is_empty() && family.notes.is_empty(), "{name}");
        let is_sentence = family.description.ends_with('.') && family.description.len() <= 200;
        assert!(is_sentence, "{name}: {}", family.description);
        for ability in &family.abilities {
            assert!(ABILITIES.contains(&ability.as_str()), "{name}: {ability}");
        }
        let template = family.template.as_ref();
        assert!(template.is_none_or(|template| templates.contains(template)), "{name}: {template:?}");
        for weights in &family.weights {
            assert!(FORMATS.contains(&weights.format.as_str()), "{name}: {}", weights.format);
            let is_text = family.kind == Kind::Text && !matches!(weights.origin, Origin::Builtin(_));
            assert!(!is_text || weights.size.is_some(), "{name}: weights without a size");
            let is_file = weights.files(&weights.quantizations[0]).is_some();
            assert_eq!(is_file, weights.format == "gguf", "{name}: a GGUF is a file, others are repositories");
        }
        let specific = |weights: &Weights, quantization: &String| {
            (weights.size.clone(), weights.format.clone(), quantization.clone(), weights.files(quantization))
        };
        let all =
            family.weights.iter().flat_map(|weights| weights.quantizations.iter().map(move |q| specific(weights, q)));
        let (count, different) = (all.clone().count(), all.collect::<HashSet<_>>().len());
        assert_eq!(count, different, "{name}: the same weights twice");
        match family.kind {
            Kind::Embedding => assert!(family.dimensions.is_some() && family.context_tokens > 0, "{name}"),
            Kind::Text => assert!(family.context_tokens > 0, "{name}"),
            _ => {}
        }
    }
}

#[test]
fn the_built_in_data_has_what_people_ask_for() {
    let registry = registry();
    for (kind, least) in
        [(Kind::Text, 90), (Kind::Embedding, 40), (Kind::Rerank, 12), (Kind::Image, 12), (Kind::Audio, 8)]
    {
        let count = registry.list(Some(&kind)).len();
        assert!(count >= least, "{count} families of {kind}");
    }
    for name in [
        "mimus-chat",
        "qwen2.5-instruct",
        "qwen3",
        "llama-3.1-instruct",
        "glm4-chat",
        "deepseek-r1-distill-qwen",
        "chatglm",
        "chatglm2",
        "chatglm2-32k",
        "chatglm3",
        "baichuan-2-chat",
        "llama-2-chat",
        "qwen-chat",
        "qwen-vl-chat",
        "mistral-instruct-v0.1",
        "vicuna-v1.5",
        "orca",
        "wizardlm-v1.0",
        "starcoder",
        "falcon-instruct",
    ] {
        assert!(registry.get(&Kind::Text, name).is_some(), "{name}");
    }
    for (kind, names) in [
        (
            Kind::Embedding,
            &["mimus-embed", "bge-m3", "bge-small-en-v1.5", "bge-large-zh-v1.5", "jina-embeddings-v3"][..],
        ),
        (Kind::Rerank, &["mimus-rerank", "bge-reranker-base", "bge-reranker-v2-m3"]),
        (Kind::Image, &["sd-turbo", "sdxl-turbo", "stable-diffusion-v1.5", "FLUX.1-schnell"]),
    ] {
        for name in names {
            assert!(registry.get(&kind, name).is_some(), "{name}");
        }
    }
}

#[test]
fn families_are_found_in_any_case() {
    let registry = registry();
    assert_eq!(registry.get(&Kind::Text, "QWEN2.5-Instruct").expect("there").name, "qwen2.5-instruct");
    assert_eq!(registry.find("BGE-m3").expect("there").kind, Kind::Embedding);
    assert_eq!(registry.get(&Kind::Text, "bge-m3"), None);
    let names: Vec<String> =
        registry.list(Some(&Kind::Rerank)).iter().map(|family| family.name.to_lowercase()).collect();
    assert!(names.is_sorted(), "{names:?}");
}

#[test]
fn near_names_are_suggested() {
    let registry = registry();
    for (asked, first) in [
        ("qwen2.5-instuct", "qwen2.5-instruct"),
        ("Qwen/Qwen2.5-7B-Instruct", "qwen2.5-instruct"),
        ("llama2-chat", "llama-2-chat"),
        ("chatglm-3", "chatglm3"),
        ("bge_m3", "bge-m3"),
        ("flux.1-schnel", "FLUX.1-schnell"),
    ] {
        let near = registry.suggest(None, asked);
        assert_eq!(near.first().map(String::as_str), Some(first), "{asked}: {near:?}");
        assert!(near.len() <= 3);
    }
    for asked in ["", "zzzzzzzzzzzz", &"x".repeat(10_000)] {
        assert_eq!(registry.suggest(None, asked), Vec::<String>::new(), "{asked}");
    }
    assert!(registry.suggest(Some(&Kind::Image), "qwen2.5-instuct").is_empty());
}

#[test]
fn weights_may_have_an_architecture_of_their_own() {
    let family = registry().get(&Kind::Text, "Qwen3-Instruct").expect("there");
    let of = |size: &str| {
        let weights = family.weights.iter().find(|weights| weights.size.as_deref() == Some(size)).expect("this size");
        family.architecture_of(weights)
    };
    assert_eq!((of("4"), of("30")), ("qwen3", "qwen3_moe"));
}

#[test]
fn files_of_a_quantization_have_their_names() {
    let weights = &custom("a").weights[0];
    assert_eq!(weights.files("Q4_0").expect("a file"), ["m-q4_0.gguf"]);
    assert_eq!(weights.files("q8_0").expect("files"), ["m-q8_0-00001-of-00002.gguf", "m-q8_0-00002-of-00002.gguf"]);
    assert_eq!(custom("a").weights[1].files("none"), None);
}

#[test]
fn what_is_registered_for_good_outlives_the_server() {
    let data = tempfile::tempdir().expect("writable");
    let open = || Registry::open(Some(data.path()), &[]).expect("good");
    let registry = open();
    registry.register(custom("Mine/Größe"), true).expect("new");
    registry.register(custom("passing"), false).expect("new");
    assert_eq!(*registry.get(&Kind::Text, "mine/größe").expect("there"), custom("Mine/Größe"));
    assert!(registry.get(&Kind::Text, "passing").is_some());
    let registry = open();
    assert_eq!(*registry.get(&Kind::Text, "mine/größe").expect("kept"), custom("Mine/Größe"));
    assert_eq!(registry.get(&Kind::Text, "passing"), None);
    // A later one of the name replaces it, on disk as well.
    registry.register(Family { context_tokens: 1, ..custom("mine/GRÖßE") }, true).expect("again");
    assert_eq!(open().get(&Kind::Text, "mine/größe").expect("kept").context_tokens, 1);
    assert_eq!(registry.unregister(&Kind::Text, "MINE/größe"), Ok(true));
    assert_eq!(registry.unregister(&Kind::Text, "mine/größe"), Ok(false));
    assert_eq!(open().get(&Kind::Text, "mine/größe"), None);
    assert_eq!(fs::read_dir(data.path().join("registry")).expect("there").count(), 0, "no file is left");
}

#[test]
fn a_passing_registration_leaves_no_older_one_on_disk() {
    let data = tempfile::tempdir().expect("writable");
    let registry = Registry::open(Some(data.path()), &[]).expect("good");
    registry.register(custom("mine"), true).expect("new");
    registry.register(custom("mine"), false).expect("again");
    assert!(Registry::open(Some(data.path()), &[]).expect("good").get(&Kind::Text, "mine").is_none());
}

#[test]
fn built_in_names_are_refused_whatever_their_case() {
    let registry = registry();
    let error = registry.register(custom("QWEN3"), false).expect_err("taken");
    assert_eq!(error, RegisterError::Taken("`qwen3` is taken: it comes with the server".into()));
    let error = registry.unregister(&Kind::Text, "qwen3").expect_err("built in");
    assert_eq!(error, RegisterError::Forbidden("`qwen3` comes with the server and cannot be removed".into()));
    registry.register(Family { kind: Kind::Rerank, ..custom("qwen3") }, false).expect("another kind");
    assert_eq!(registry.unregister(&Kind::Other("flexible".into()), "qwen3"), Ok(false));
}

#[test]
fn without_a_data_folder_nothing_is_kept() {
    let error = registry().register(custom("mine"), true).expect_err("nowhere to keep it");
    assert_eq!(error.to_string(), "the server keeps its data in memory: nothing can outlive it");
}

#[test]
fn there_is_a_bound_on_registered_families() {
    let registry = registry();
    for number in 0..limits::FAMILIES_ADDED_MAX {
        registry.register(custom(&format!("family-{number}")), false).expect("below the bound");
    }
    let error = registry.register(custom("one-more"), false).expect_err("over the bound");
    assert!(matches!(&error, RegisterError::Failed(_)), "{error}");
    registry.register(custom("family-0"), false).expect("replacing is no more");
    registry.unregister(&Kind::Text, "family-0").expect("registered");
    registry.register(custom("one-more"), false).expect("room again");
}

#[test]
fn wrong_families_are_refused_with_their_field() {
    type Change = fn(&mut Family);
    let cases: [(&str, Change); 17] = [
        ("name", |family| family.name = "a b".into()),
        ("name", |family| family.name = "../up".into()),
        ("description", |family| family.description = "x".repeat(limits::FAMILY_TEXT_BYTES_MAX + 1)),
        ("languages", |family| family.languages = vec!["\n".into()]),
        ("abilities", |family| family.abilities = vec!["a".into(); limits::FAMILY_WORDS_MAX + 1]),
        ("architecture", |family| family.architecture = "Ll ama".into()),
        ("template", |family| family.template = Some("../x".into())),
        ("weights", |family| family.weights.clear()),
        ("weights", |family| family.weights[1].origin = Origin::Path("relative".into())),
        ("size", |family| family.weights[0].size = Some("large".into())),
        ("format", |family| family.weights[0].format = String::new()),
        ("quantizations", |family| family.weights[0].quantizations.clear()),
        ("hub_id", |family| family.weights[0].origin = hub("no-owner")),
        ("hub_id", |family| family.weights[0].origin = hub("../etc")),
        ("parts", |family| {
            if let Origin::Hub { parts, .. } = &mut family.weights[0].origin {
                parts.insert("q5_0".into(), 2);
            }
        }),
        ("notes", |family| family.notes = "{".into()),
        ("notes", |family| family.notes = format!("\"{}\"", "x".repeat(limits::FAMILY_NOTES_BYTES_MAX - 1))),
    ];
    let registry = registry();
    for (field, change) in cases {
        let mut family = custom("mine");
        change(&mut family);
        match registry.register(family, false) {
            Err(RegisterError::Invalid(invalid)) => assert_eq!(invalid.field, field, "{}", invalid.reason),
            other => panic!("{field}: {other:?}"),
        }
    }
    assert_eq!(registry.get(&Kind::Text, "mine"), None);
    let notes = format!("\"{}\"", "x".repeat(limits::FAMILY_NOTES_BYTES_MAX - 2));
    registry.register(Family { notes, ..custom("mine") }, false).expect("just within the bound");
}

fn hub(id: &str) -> Origin {
    let parts = std::collections::BTreeMap::new();
    Origin::Hub { id: id.into(), revision: None, file: None, split_file: None, parts }
}

#[test]
fn an_operators_files_add_and_replace() {
    let folder = tempfile::tempdir().expect("writable");
    let file = folder.path().join("my.toml");
    let text = r#"
        [[family]]
        name = "qwen3"
        description = "Ours."
        [[family.weights]]
        format = "safetensors"
        path = "weights/qwen3"
        [[family]]
        name = "Ours"
        [[family.weights]]
        format = "safetensors"
        hub_id = "us/ours"
    "#;
    fs::write(&file, text).expect("writable");
    let data = folder.path().join("data");
    fs::create_dir_all(data.join("registry")).expect("writable");
    fs::write(data.join("registry/films.toml"), text.replacen('\n', "kind = \"video\"\n", 1)).expect("writable");
    fs::write(data.join("registry/.hidden.toml"), "nonsense").expect("writable");
    let registry = Registry::open(Some(&data), std::slice::from_ref(&file)).expect("good");
    let family = registry.get(&Kind::Text, "qwen3").expect("replaced");
    assert_eq!((family.description.as_str(), family.is_builtin), ("Ours.", false));
    assert_eq!(family.weights[0].origin, Origin::Path(folder.path().join("weights/qwen3")));
    assert_eq!(registry.get(&Kind::Video, "ours").expect("added").name, "Ours");
    let error = registry.register(custom("OURS"), true).expect_err("taken");
    assert_eq!(error.to_string(), "`Ours` is taken: the operator's file my.toml defines it");
    let error = registry.unregister(&Kind::Video, "ours").expect_err("not here");
    assert_eq!(error.to_string(), "`Ours` can only be removed from the operator's file films.toml");
}

#[test]
fn broken_files_stop_the_start_with_their_line() {
    let folder = tempfile::tempdir().expect("writable");
    let path = folder.path().join("my.toml");
    for (text, message) in [
        ("[[family]\n", "my.toml:1: "),
        ("kind = \"Te xt\"", "my.toml:1: `Te xt` is no kind such as text, embedding, rerank or image"),
        ("\n[[family]]\nname = \"x\"\ncolour = 1", "my.toml:4: unknown field `colour`"),
        ("[[family]]\ndescription = \"x\"", "my.toml:1: missing field `name`"),
        ("[[family]]\nname = \"x\"", "my.toml:2: family `x`: weights: 0 entries, not 1 to 256"),
        (
            "[[family]]\nname = \"x\"\n[[family.weights]]\nformat = \"gguf\"",
            "my.toml:2: family `x`: weights come from one of hub_id, path and builtin",
        ),
        (
            "[[family]]\nname = \"x\"\n[[family.weights]]\nformat = \"gguf\"\nhub_id = \"x\"",
            "my.toml:2: family `x`: hub_id: `x` cannot be one",
        ),
        (
            "[[family]]\nname = \"x\"\nweights = [{ format = \"a\", path = \"b\" }]\n\
             [[family]]\nname = \"X\"\nweights = [{ format = \"a\", path = \"b\" }]",
            "my.toml:5: family `X`: is there twice",
        ),
    ] {
        fs::write(&path, text).expect("writable");
        let error = Registry::open(None, std::slice::from_ref(&path)).err().expect("refused").to_string();
        assert!(error.starts_with(message), "{text:?}: {error}");
    }
    fs::write(&path, "#".repeat(limits::REGISTRY_FILE_BYTES_MAX as usize + 1)).expect("writable");
    let error = Registry::open(None, std::slice::from_ref(&path)).err().expect("refused").to_string();
    assert!(error.ends_with("larger than 1048576 bytes"), "{error}");
    let missing = folder.path().join("missing.toml");
    let error = Registry::open(None, &[missing]).err().expect("refused").to_string();
    assert!(error.contains("missing.toml: cannot be read: "), "{error}");
}

#[test]
fn kinds_are_words() {
    for word in ["text", "embedding", "rerank", "image", "audio", "video", "flexible", "a-1"] {
        assert_eq!(Kind::parse(word).expect("a kind").as_str(), word);
    }
    for word in ["", "Text", "1a", "-a", "a b", "../a", &"x".repeat(33)] {
        assert_eq!(Kind::parse(word), None, "{word}");
    }
}
