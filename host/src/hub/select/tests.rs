use super::*;

fn names(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

fn gguf_of(there: &str, wanted: &str) -> Result<Vec<String>, String> {
    select(&names(there), &Files::Gguf(wanted.to_owned()))
}

#[test]
fn weights_are_what_the_engine_loads() {
    let there = names(
        "README.md .gitattributes config.json tokenizer.json merges.txt model.safetensors pytorch_model.bin onnx/model.onnx \
         onnx/config.json original/model.safetensors rust_model.ot modules.json 1_Pooling/config.json 2_Dense/model.safetensors \
         2_Dense/pytorch_model.bin consolidated.safetensors chat_template.jinja 1_Pooling/deep/config.json",
    );
    let expect = names(
        "config.json tokenizer.json merges.txt modules.json 1_Pooling/config.json chat_template.jinja model.safetensors \
         2_Dense/model.safetensors",
    );
    assert_eq!(select(&there, &Files::Weights), Ok(expect));
}

#[test]
fn shards_come_with_their_index_and_after_small_files() {
    let there = names(
        "model-00001-of-00002.safetensors model-00002-of-00002.safetensors consolidated-1.safetensors \
         model.safetensors.index.json config.json",
    );
    let expect = names(
        "model.safetensors.index.json config.json model-00001-of-00002.safetensors model-00002-of-00002.safetensors",
    );
    assert_eq!(select(&there, &Files::Weights), Ok(expect));
}

#[test]
fn what_cannot_be_loaded_is_said() {
    for (there, expect) in [
        ("config.json pytorch_model.bin", "pickles"),
        ("config.json a-Q4_0.gguf", "a-Q4_0"),
        ("config.json", "no model.safetensors"),
        ("model.safetensors", "no config.json"),
        ("config.json 2_Dense/model.safetensors", "no model.safetensors"),
    ] {
        let error = select(&names(there), &Files::Weights).expect_err(there);
        assert!(error.contains(expect), "{there}: {error}");
    }
}

#[test]
fn a_quantization_is_a_word_of_the_name() {
    let there = "x-Q4_K.gguf x-Q4_K_M.gguf x-IQ4_XS.gguf y.q8_0.gguf mmproj-F16.gguf big/z-F16-00002-of-00002.gguf \
                 big/z-F16-00001-of-00002.gguf README.md";
    for (wanted, expect) in [
        ("Q4_K_M", "x-Q4_K_M.gguf"),
        ("q4_k_m", "x-Q4_K_M.gguf"),
        ("Q4_K", "x-Q4_K.gguf"),
        ("iq4_xs", "x-IQ4_XS.gguf"),
        ("Q8_0", "y.q8_0.gguf"),
        ("f16", "big/z-F16-00001-of-00002.gguf big/z-F16-00002-of-00002.gguf"),
        ("big/z-F16-00001-of-00002.gguf", "big/z-F16-00001-of-00002.gguf big/z-F16-00002-of-00002.gguf"),
        ("x-Q4_K.gguf", "x-Q4_K.gguf"),
    ] {
        assert_eq!(gguf_of(there, wanted), Ok(names(expect)), "{wanted}");
    }
    for wanted in ["Q4_XS", "K_M", "Q5_0", ""] {
        assert!(gguf_of(there, wanted).expect_err("none").contains("there are"), "{wanted}");
    }
    assert!(gguf_of("a-Q4_0.gguf b-Q4_0.gguf", "Q4_0").expect_err("two").contains("several"));
    assert!(gguf_of("a-Q4_0-00001-of-00002.gguf", "Q4_0").expect_err("half").contains("part 2 of 2"));
    assert!(gguf_of("config.json", "Q4_0").expect_err("none").contains("no GGUF"));
}

#[test]
fn a_snapshot_is_whole_when_all_shards_are_there() {
    let folder = tempfile::tempdir().expect("writable");
    let put = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("below")).expect("writable");
        std::fs::write(path, text).expect("writable");
    };
    let whole = || complete(folder.path(), &Files::Weights);
    put("config.json", "{}");
    put("tokenizer.json", "{}");
    put("model-1.safetensors", "");
    assert!(whole().is_err(), "no index");
    put("model.safetensors.index.json", r#"{"weight_map":{"a":"model-1.safetensors","b":"model-2.safetensors"}}"#);
    assert_eq!(whole(), Err("`model-2.safetensors` is missing".into()));
    put("model-2.safetensors", "");
    assert_eq!(whole(), Ok(folder.path().to_owned()));
    put("modules.json", r#"[{"path":""},{"path":"1_Pooling"},{"path":"2_Normalize"}]"#);
    assert_eq!(whole(), Err("`1_Pooling/config.json` is missing".into()));
    put("1_Pooling/config.json", "{}");
    assert!(whole().is_ok());
    std::fs::remove_file(folder.path().join("tokenizer.json")).expect("there");
    assert!(whole().is_err());
}
