//! Model files that are broken, absurd or made to harm: each is refused with a reason, none ends the process.
#![allow(missing_docs)]

mod support;

use std::path::Path;

use mimus_engine::{LoadError, Progress, Source, load};
use support::{golden, options};

/// The error of loading `source`.
fn error(source: Source) -> LoadError {
    load(source, &options(), &Progress::ignore).err().expect("a hostile file is refused")
}

/// Loads the golden llama with one file replaced, and looks for `expect` in the reason.
fn check_folder(file: &str, bytes: &[u8], expect: &str) {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(golden("llama")).unwrap() {
        let entry = entry.unwrap();
        std::fs::copy(entry.path(), folder.path().join(entry.file_name())).unwrap();
    }
    std::fs::write(folder.path().join(file), bytes).unwrap();
    let error = error(Source::Folder(folder.path().to_owned())).to_string();
    assert!(error.contains(expect), "{file}: {error}");
    assert!(!error.contains(folder.path().to_str().unwrap()), "no path of the machine: {error}");
}

/// A safetensors file with this header and `data` bytes of data.
fn safetensors(header: &str, data: usize) -> Vec<u8> {
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header.as_bytes());
    bytes.resize(bytes.len() + data, 0);
    bytes
}

#[test]
fn safetensors_headers() {
    let check = |header: &str, data: usize, expect: &str| {
        check_folder("model.safetensors", &safetensors(header, data), expect);
    };
    let tensor = |dtype: &str, shape: &str, begin: u64, end: u64| {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[{begin},{end}]}}"#)
    };
    let one =
        |dtype: &str, shape: &str, begin: u64, end: u64| format!(r#"{{"a":{}}}"#, tensor(dtype, shape, begin, end));
    check("", 0, "malformed");
    check("[]", 0, "safetensors header");
    check(&"[".repeat(10_000), 0, "malformed");
    check(&one("F32", "[2]", 0, 8), 7, "tensors end at 8");
    check(&one("F32", "[2]", 0, 8), 9, "tensors end at 8");
    check(&one("F32", "[2]", 4, 12), 12, "gap or an overlap");
    check(&one("F32", "[2]", 8, 0), 8, "takes 8 bytes");
    check(&one("F32", "[2]", 0, 4), 8, "takes 8 bytes");
    check(&one("F32", "[4294967296,4294967296]", 0, 8), 8, "overflows");
    check(&one("F32", "[-1]", 0, 8), 8, "malformed");
    check(&one("XXX", "[2]", 0, 8), 8, "unknown");
    check(&one("F32", "[2]", 0, u64::MAX), 8, "takes 8 bytes");
    let two = |name: &str, begin: u64| {
        format!(r#"{{"a":{},"{name}":{}}}"#, tensor("F32", "[2]", 0, 8), tensor("F32", "[2]", begin, begin + 8))
    };
    check(&two("a", 8), 16, "twice");
    check(&two("b", 4), 12, "gap or an overlap");
    check(&two("b", 16), 24, "gap or an overlap");
    // Well formed, but nothing that the model needs.
    check(&two("b", 8), 16, "absent");
    check(&one("F32", "[]", 0, 4).replace("\"a\"", "\"model.embed_tokens.weight\""), 4, "has shape []");
    let many: Vec<String> = (0..70_000).map(|index| format!(r#""{index}":{}"#, tensor("F32", "[0]", 0, 0))).collect();
    check(&format!("{{{}}}", many.join(",")), 0, "more than 65536");
}

#[test]
fn safetensors_lengths() {
    let check = |length: u64, expect: &str| {
        let mut bytes = length.to_le_bytes().to_vec();
        bytes.extend_from_slice(b"{}");
        check_folder("model.safetensors", &bytes, expect);
    };
    check(1 << 63, "header of");
    check(u64::MAX, "header of");
    check((16 << 20) + 1, "header of");
    check(16 << 20, "pass the end of the file");
    check(3, "pass the end of the file");
    check_folder("model.safetensors", b"", "pass the end of the file");
    // A pickle by another name: its first bytes make an absurd length.
    check_folder("model.safetensors", b"\x80\x02}q\x00X\x04\x00\x00\x00test", "header of");
    check_folder("model.safetensors", b"PK\x03\x04\x00\x00\x08\x08\x00\x00", "header of");
}

#[test]
fn pickles_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for file in ["config.json", "tokenizer.json"] {
        std::fs::copy(golden("llama").join(file), folder.path().join(file)).unwrap();
    }
    std::fs::write(folder.path().join("pytorch_model.bin"), b"\x80\x02").unwrap();
    let error = error(Source::Folder(folder.path().to_owned())).to_string();
    assert!(error.contains("is a pickle"), "{error}");
}

#[test]
fn shard_names_stay_inside_the_folder() {
    let check = |name: &str, expect: &str| {
        let folder = tempfile::tempdir().unwrap();
        for file in ["config.json", "tokenizer.json"] {
            std::fs::copy(golden("llama").join(file), folder.path().join(file)).unwrap();
        }
        let index = serde_json::json!({ "weight_map": { "a": name } }).to_string();
        std::fs::write(folder.path().join("model.safetensors.index.json"), index).unwrap();
        let error = error(Source::Folder(folder.path().to_owned())).to_string();
        assert!(error.contains(expect), "{name:?}: {error}");
    };
    for name in ["../model.safetensors", "/etc/passwd", "a\\b", "c:d", "", "..", ".hidden", "nul\0byte"] {
        check(name, "bad file name");
    }
    check(&"x".repeat(256), "bad file name");
    check("absent.safetensors", "cannot read");
}

#[test]
fn configurations() {
    let good = std::fs::read_to_string(golden("llama").join("config.json")).unwrap();
    let check = |field: &str, value: serde_json::Value, expect: &str| {
        let mut config: serde_json::Value = serde_json::from_str(&good).unwrap();
        config[field] = value;
        check_folder("config.json", config.to_string().as_bytes(), expect);
    };
    check("num_attention_heads", 0.into(), "number of heads must be 1");
    check("num_attention_heads", 5.into(), "do not divide");
    check("num_key_value_heads", 0.into(), "key-value heads must be 1");
    check("num_key_value_heads", 3.into(), "do not divide");
    check("num_key_value_heads", 8.into(), "key-value heads must be 1 to 4");
    check("num_hidden_layers", 1_000_000_000.into(), "number of layers must be 1 to 1024");
    check("num_hidden_layers", 3.into(), "absent");
    check("num_hidden_layers", (-1).into(), "malformed");
    check("hidden_size", 0.into(), "hidden size must be 1");
    check("hidden_size", u64::MAX.into(), "hidden size must be 1");
    check("hidden_size", 64.into(), "instead of");
    check("vocab_size", 0.into(), "vocabulary must be 1");
    check("vocab_size", 289.into(), "instead of");
    check("intermediate_size", 81.into(), "instead of");
    check("head_dim", 7.into(), "head size 7 is odd");
    check("head_dim", 100_000.into(), "head size must be 1 to 1024");
    check("max_position_embeddings", 0.into(), "context must be 1");
    check("max_position_embeddings", (1u64 << 40).into(), "context must be 1");
    check("rms_norm_eps", (-1.0).into(), "norm epsilon");
    check("rope_parameters", serde_json::json!({ "rope_theta": 0.0 }), "rope theta");
    check("rope_parameters", serde_json::json!({ "rope_type": "yarn" }), "unsupported model: rope scaling");
    check("rope_parameters", serde_json::json!({ "rope_type": "linear", "factor": 0.0 }), "makes no sense");
    check("rope_parameters", serde_json::json!({ "rope_type": "llama3" }), "lacks factor");
    check("architectures", serde_json::json!(["GPT2LMHeadModel"]), "unsupported model: architecture");
    check("architectures", serde_json::json!([]), "unsupported model: architecture");
    check("hidden_act", "gelu".into(), "unsupported model: activation");
    check_folder("config.json", b"", "config.json is malformed");
    check_folder("config.json", "[".repeat(100_000).as_bytes(), "config.json is malformed");
    check_folder("tokenizer.json", b"{}", "tokenizer.json is malformed");
}

#[test]
fn files_that_are_no_files() {
    let folder = tempfile::tempdir().unwrap();
    let missing = error(Source::Folder(folder.path().join("absent"))).to_string();
    assert!(missing.contains("cannot read config.json"), "{missing}");
    std::fs::create_dir(folder.path().join("config.json")).unwrap();
    let directory = error(Source::Folder(folder.path().to_owned())).to_string();
    assert!(directory.contains("not a regular file"), "{directory}");
    let device = error(Source::Gguf("/dev/zero".into())).to_string();
    assert!(device.contains("not a regular file"), "{device}");
}

/// Too large to be read into memory; a file with a hole takes no disk.
#[test]
fn huge_json() {
    let folder = tempfile::tempdir().unwrap();
    let file = std::fs::File::create(folder.path().join("config.json")).unwrap();
    file.set_len(1 << 30).unwrap();
    let error = error(Source::Folder(folder.path().to_owned())).to_string();
    assert!(error.contains("1073741824 bytes pass"), "{error}");
}

/// A GGUF file under construction.
struct Gguf(Vec<u8>);

impl Gguf {
    fn new(tensors: u64, pairs: u64) -> Self {
        let mut gguf = Self(b"GGUF".to_vec());
        gguf.u32(3).u64(tensors).u64(pairs);
        gguf
    }

    fn u32(&mut self, value: u32) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn u64(&mut self, value: u64) -> &mut Self {
        self.0.extend_from_slice(&value.to_le_bytes());
        self
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.u64(text.len() as u64);
        self.0.extend_from_slice(text.as_bytes());
        self
    }

    fn tensor(&mut self, name: &str, shape: &[u64], kind: u32, offset: u64) -> &mut Self {
        self.text(name).u32(shape.len() as u32);
        shape.iter().for_each(|&size| {
            self.u64(size);
        });
        self.u32(kind).u64(offset)
    }

    fn refused(&mut self, expect: &str) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.gguf");
        std::fs::write(&path, &self.0).unwrap();
        check_gguf(&path, expect);
    }
}

fn check_gguf(path: &Path, expect: &str) {
    let error = error(Source::Gguf(path.to_owned())).to_string();
    assert!(error.contains(expect), "{expect}: {error}");
}

#[test]
fn gguf_heads() {
    Gguf(b"".to_vec()).refused("pass the end");
    Gguf(b"GGML\x03\0\0\0".to_vec()).refused("not a GGUF file");
    Gguf(b"GGUF\x63\0\0\0".to_vec()).refused("unsupported model: GGUF version 99");
    Gguf::new(0, 1 << 63).refused("too many");
    Gguf::new(1 << 63, 0).refused("too many");
    Gguf::new(0, 1).refused("pass the end");
    Gguf::new(0, 1).u64(u64::MAX).refused("passes 16777216");
    Gguf::new(0, 1).u64(1 << 20).refused("pass the end");
    Gguf::new(0, 1).text("a").u32(99).refused("unknown value kind 99");
    Gguf::new(0, 1).text("a").u32(8).u64(1 << 40).refused("passes 16777216");
    Gguf::new(0, 1).text("a").u32(9).u32(0).u64(1 << 63).refused("more than 16777216 elements");
    Gguf::new(0, 1).text("a").u32(9).u32(0).u64(1 << 20).refused("pass the end");
    Gguf::new(0, 1).text("a").u32(9).u32(99).u64(1).refused("unknown value kind 99");
    let mut twice = Gguf::new(0, 2);
    twice.text("a").u32(4).u32(1).text("a").u32(4).u32(2).refused("twice");
    let mut nested = Gguf::new(0, 1);
    nested.text("a").u32(9);
    for _ in 0..10_000 {
        nested.u32(9).u64(1);
    }
    nested.refused("nested deeper than 4");
    for bad in [0, 3, 1 << 30] {
        Gguf::new(0, 1).text("general.alignment").u32(4).u32(bad).refused("no power of two");
    }
    Gguf::new(0, 0).refused("unsupported model: architecture");
}

#[test]
fn gguf_tensors() {
    Gguf::new(1, 0).tensor("a", &[1; 5], 0, 0).refused("5 dimensions");
    Gguf::new(1, 0).text("a").u32(u32::MAX).refused("dimensions");
    Gguf::new(1, 0).tensor("a", &[1], 77, 0).refused("GGUF kind 77");
    Gguf::new(1, 0).tensor("a", &[8], 0, 1 << 40).refused("past the end of the file");
    Gguf::new(1, 0).tensor("a", &[8], 0, u64::MAX - 31).refused("past the end of the file");
    Gguf::new(1, 0).tensor("a", &[8], 0, 0).refused("past the end of the file");
    Gguf::new(1, 0).tensor("a", &[8], 0, 7).refused("not aligned");
    Gguf::new(1, 0).tensor("a", &[1 << 40, 1 << 40], 0, 0).refused("overflows");
    Gguf::new(1, 0).tensor("a", &[33], 8, 0).refused("whole blocks");
    let mut twice = Gguf::new(2, 0);
    twice.tensor("a", &[0], 0, 0).tensor("a", &[0], 0, 0).refused("twice");
    let mut overlap = Gguf::new(2, 0);
    overlap.tensor("a", &[16], 0, 0).tensor("b", &[16], 0, 32);
    overlap.0.resize(4_096, 0);
    overlap.refused("overlap");
}

/// Every prefix of a good file is refused.
#[test]
fn cut_files() {
    let whole = std::fs::read(golden("qwen2-gguf/model.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    for length in (0..whole.len()).step_by(997).chain([whole.len() - 1]) {
        std::fs::write(&path, &whole[..length]).unwrap();
        assert!(load(Source::Gguf(path.clone()), &options(), &Progress::ignore).is_err(), "{length} bytes");
    }
}

/// Files with single bytes changed load or are refused; nothing else.
#[test]
fn damaged_heads() {
    let whole = std::fs::read(golden("llama-gguf/model.gguf")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.gguf");
    for place in (0..2_000).step_by(13) {
        let mut damaged = whole.clone();
        damaged[place] ^= 0x81;
        std::fs::write(&path, &damaged).unwrap();
        let _ = load(Source::Gguf(path.clone()), &options(), &Progress::ignore);
    }
}
