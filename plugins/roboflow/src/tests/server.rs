//! The server itself.

use serde_json::json;

use super::{get, host, ok};

#[test]
fn the_server_says_who_it_is() {
    let host = host();
    let info = ok(&get(&host, "/info"));
    assert_eq!(info["name"], "Roboflow Inference Server");
    assert!(info["version"].is_string());
    assert_eq!(info["uuid"].as_str().map(str::len), Some(6));
    assert_eq!(ok(&get(&host, "/info")), info);
}

#[test]
fn health_and_pages() {
    let host = host();
    assert_eq!(ok(&get(&host, "/healthz")), json!({ "status": "healthy" }));
    assert_eq!(ok(&get(&host, "/readiness")), json!({ "status": "ready" }));
    assert!(ok(&get(&host, "/device/stats"))["cpu_count"].is_u64());
    let page = get(&host, "/");
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let documents = get(&host, "/redoc");
    assert_eq!((documents.status, documents.header("location")), (307, Some("/roboflow/docs")));
}
