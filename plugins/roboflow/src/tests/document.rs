//! The OpenAPI fragment describes what there is.

use mimus_sdk::{Dialect, dialect};
use serde_json::Value;

use crate::Roboflow;

#[test]
fn every_route_is_described_and_every_reference_resolves() {
    let document: Value = serde_json::from_str(include_str!("../../openapi.json")).expect("JSON");
    let manifest = dialect::describe(&Roboflow);
    for route in &manifest.routes {
        let path = route.path.replace("...}", "}");
        let method = format!("{:?}", route.method).to_lowercase().replace("method::", "");
        assert!(document["paths"][&path][&method].is_object(), "{method} {path} is not described");
        assert!(route.is_public, "{method} {path} asks for a key before its handler sees where it is");
    }
    let items = document["paths"].as_object().expect("paths").values().filter_map(Value::as_object);
    let count: usize = items.map(|item| item.len()).sum();
    assert_eq!(count, Roboflow.routes().list().len(), "something is described that is not there");
    for reference in document.to_string().split("\"$ref\":\"#").skip(1) {
        let pointer = reference.split('"').next().expect("a string ends");
        assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
    }
}

#[test]
fn the_manifest_is_sound() {
    assert_eq!(dialect::self_test(&Roboflow), Ok(()));
}
