//! OpenAPI documents, put together from what the dialects say of themselves.

use serde_json::{Map, Value, json};

use super::manifest::Manifest;

/// One dialect's document, its paths below `mount`.
pub fn of_dialect(manifest: &Manifest, mount: &str) -> String {
    let mut paths = Map::new();
    add_paths(&mut paths, manifest, mount, |fragment| fragment);
    let mut document = json!({
        "openapi": "3.1.0",
        "info": {"title": manifest.description, "version": manifest.version},
        "paths": paths,
    });
    if let Some(components) = manifest.openapi.get("components") {
        document["components"] = components.clone();
    }
    document.to_string()
}

/// All dialects in one document: paths below their mount points, schemas under names of their own.
pub fn merged<'a>(manifests: impl Iterator<Item = &'a Manifest>) -> String {
    let mut paths = Map::new();
    let mut components: Map<String, Value> = Map::new();
    let mut tags = Vec::new();
    for manifest in manifests {
        let name = &manifest.name;
        tags.push(json!({"name": name, "description": manifest.description}));
        add_paths(&mut paths, manifest, &format!("/{name}"), |mut fragment| {
            own_refs(&mut fragment, name);
            tag(&mut fragment, name);
            fragment
        });
        for (kind, entries) in manifest.openapi.get("components").and_then(Value::as_object).into_iter().flatten() {
            let all = components.entry(kind).or_insert_with(|| json!({}));
            for (key, entry) in entries.as_object().into_iter().flatten() {
                let mut entry = entry.clone();
                own_refs(&mut entry, name);
                all[format!("{name}.{key}")] = entry;
            }
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {"title": "Mimus", "version": env!("CARGO_PKG_VERSION")},
        "tags": tags,
        "paths": paths,
        "components": components,
    })
    .to_string()
}

/// Adds a dialect's described paths, and a bare entry for each route that it does not describe.
fn add_paths(paths: &mut Map<String, Value>, manifest: &Manifest, mount: &str, adapt: impl Fn(Value) -> Value) {
    for (path, item) in manifest.openapi.get("paths").and_then(Value::as_object).into_iter().flatten() {
        paths.insert(format!("{mount}{path}"), adapt(item.clone()));
    }
    for route in &manifest.routes {
        let path = route.pattern.to_string().replace("...}", "}");
        let item = paths.entry(format!("{mount}{path}")).or_insert_with(|| adapt(json!({})));
        let method = route.method.as_str().to_lowercase();
        if item.get(&method).is_none() && item.is_object() {
            let bare = json!({(method.clone()): {"responses": {"200": {"description": "OK"}}}});
            item[&method] = adapt(bare)[&method].take();
        }
    }
}

/// Lets references point at the dialect's own names.
fn own_refs(value: &mut Value, name: &str) {
    match value {
        Value::Object(map) => {
            for (key, value) in map.iter_mut() {
                match (key.as_str(), &*value) {
                    ("$ref", Value::String(reference)) => {
                        if let Some((kind, target)) =
                            reference.strip_prefix("#/components/").and_then(|rest| rest.split_once('/'))
                        {
                            *value = Value::String(format!("#/components/{kind}/{name}.{target}"));
                        }
                    }
                    _ => own_refs(value, name),
                }
            }
        }
        Value::Array(values) => values.iter_mut().for_each(|value| own_refs(value, name)),
        _ => {}
    }
}

/// Groups a path's operations under the dialect.
fn tag(item: &mut Value, name: &str) {
    for operation in
        item.as_object_mut().into_iter().flat_map(Map::values_mut).filter(|operation| operation.is_object())
    {
        operation["tags"] = json!([name]);
        if let Some(id) = operation.get("operationId").and_then(Value::as_str).map(|id| format!("{name}_{id}")) {
            operation["operationId"] = Value::String(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_stay_within_their_dialect() {
        let mut value = json!({"a": [{"$ref": "#/components/schemas/X"}], "$ref": "other.json#/X"});
        own_refs(&mut value, "d");
        assert_eq!(value, json!({"a": [{"$ref": "#/components/schemas/d.X"}], "$ref": "other.json#/X"}));
    }

    #[test]
    fn operations_are_tagged() {
        let mut item = json!({"get": {"operationId": "list"}, "parameters": []});
        tag(&mut item, "d");
        assert_eq!(item, json!({"get": {"operationId": "d_list", "tags": ["d"]}, "parameters": []}));
    }
}
