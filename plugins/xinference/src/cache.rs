//! Downloaded files: `/v1/cache/models`.

use mimus_sdk::registry::{self, Download, Family, HubFiles, Origin, Weights};
use mimus_sdk::{Request, Response};
use serde_json::{Value, json};

use crate::description::address;
use crate::families::version;
use crate::refusal::Refusal;
use crate::words::{engine, format, kind, size};

/// One quantization of a family's weights whose files are here.
struct Cached<'a> {
    family: &'a Family,
    weights: &'a Weights,
    quantization: &'a str,
}

impl Cached<'_> {
    fn version(&self) -> String {
        version(self.family, self.weights, self.quantization)
    }
}

/// The cached weights of all families whose files come from one repository.
fn of_download<'a>(download: &Download, families: &'a [Family]) -> Vec<Cached<'a>> {
    let is_from =
        |weights: &&Weights| matches!(&weights.origin, Origin::Hub(HubFiles { id, .. }) if *id == download.hub_id);
    let all = families.iter().flat_map(|family| family.weights.iter().map(move |weights| (family, weights)));
    let here = all.filter(|(_, weights)| is_from(weights));
    here.flat_map(|(family, weights)| {
        weights.cached.iter().map(move |quantization| Cached { family, weights, quantization })
    })
    .collect()
}

/// `GET /v1/cache/models`. Files that belong to no family are listed by their repository's name.
pub(crate) fn list(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let wanted = request.query("model_name");
    let families = registry::families(None);
    let mut rows = Vec::new();
    for download in registry::downloads() {
        let cached = of_download(&download, &families);
        rows.extend(cached.iter().map(|cached| row(cached, &download, request)));
        if cached.is_empty() {
            rows.push(nameless_row(&download, request));
        }
    }
    rows.retain(|row| wanted.as_ref().is_none_or(|name| row["model_name"] == **name));
    rows.sort_by_key(|row| row["model_name"].as_str().unwrap_or_default().to_lowercase());
    Ok(response.json(200, &json!({ "list": rows }))?)
}

fn row(cached: &Cached<'_>, download: &Download, request: &Request) -> Value {
    json!({
        "model_name": cached.family.name,
        "model_type": kind::type_of(&cached.family.kind),
        "model_engine": engine::names(cached.family, cached.weights).collect::<Vec<_>>(),
        "model_size_in_billions": cached.weights.size.as_deref().map(size::json),
        "model_format": format::name(&cached.weights.format),
        "quantization": cached.quantization,
        "model_version": cached.version(),
        "revision": download.revision,
        "size": download.bytes,
        "actor_ip_address": address(request),
    })
}

fn nameless_row(download: &Download, request: &Request) -> Value {
    json!({
        "model_name": download.hub_id,
        "model_type": null,
        "model_engine": null,
        "model_size_in_billions": null,
        "model_format": null,
        "quantization": null,
        "model_version": download.hub_id,
        "revision": download.revision,
        "size": download.bytes,
        "actor_ip_address": address(request),
    })
}

/// The downloads that a version stands for. Quantizations of one repository are deleted together.
fn of_version(request: &Request) -> Result<(String, Vec<Download>), Refusal> {
    let version = request.query("model_version").ok_or_else(|| Refusal::missing("model_version"))?.into_owned();
    let families = registry::families(None);
    let is_meant = |download: &Download| {
        let cached = of_download(download, &families);
        download.hub_id == version
            || cached.iter().any(|cached| cached.version() == version || cached.family.name == version)
    };
    let downloads = registry::downloads().into_iter().filter(is_meant).collect();
    Ok((version, downloads))
}

/// `GET /v1/cache/models/files`: what a deletion would delete. Repositories by name: where they lie is the operator's business.
pub(crate) fn files(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let (version, downloads) = of_version(request)?;
    let paths: Vec<&str> = downloads.iter().map(|download| download.hub_id.as_str()).collect();
    let answer = json!({ "model_version": version, "worker_ip": address(request), "paths": paths });
    Ok(response.json(200, &answer)?)
}

/// `DELETE /v1/cache/models`.
pub(crate) fn remove(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let (_, downloads) = of_version(request)?;
    for download in &downloads {
        registry::remove_download(&download.hub_id)?;
    }
    Ok(response.json(200, &json!({ "result": !downloads.is_empty() }))?)
}
