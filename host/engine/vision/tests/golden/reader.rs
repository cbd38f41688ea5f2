//! Reads what `make_golden.py` writes. Shared by the tests inside the crate and those outside.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

/// A file of the golden folder.
pub fn path(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(name)
}

/// Numbers of one kind, as bytes, with their shape.
pub struct Array {
    pub shape: Vec<usize>,
    pub bytes: Vec<u8>,
}

/// The arrays of `pictures.safetensors`.
pub fn pictures() -> BTreeMap<String, Array> {
    let file = std::fs::read(path("pictures.safetensors")).expect("the pictures");
    let (length, rest) = file.split_at(8);
    let length = u64::from_le_bytes(length.try_into().expect("eight bytes")) as usize;
    let (header, data) = rest.split_at(length);
    let header: BTreeMap<String, Value> = serde_json::from_slice(header).expect("a header");
    let array = |entry: &Value| {
        let number = |value: &Value| value.as_u64().expect("a number") as usize;
        let shape = entry["shape"].as_array().expect("a shape").iter().map(number).collect();
        let (start, end) = (number(&entry["data_offsets"][0]), number(&entry["data_offsets"][1]));
        Array { shape, bytes: data[start..end].to_vec() }
    };
    header.iter().map(|(name, entry)| (name.clone(), array(entry))).collect()
}
