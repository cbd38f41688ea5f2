//! `GET /`: the page that the original shows there. `GET /openapi.json` is the server's own, made of the same fragment.
//!
//! The page is made from the document and loads nothing, so it also works without internet.

use std::fmt::Write;

use mimus_sdk::{Request, Response};
use serde_json::Value;

use crate::refusal::Refusal;

/// `paths` and `components`, for the server's own document and for this one.
pub const FRAGMENT: &str = include_str!("../openapi.json");

/// What each route does, for people.
pub fn page(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let head = request.head();
    let base = escape(&format!("{}{}", head.origin, head.mount));
    let mut routes = String::new();
    let document = fragment();
    for (path, item) in document["paths"].as_object().into_iter().flatten() {
        for (method, operation) in item.as_object().into_iter().flatten() {
            let summary = escape(operation["summary"].as_str().unwrap_or_default());
            let details = escape(operation["description"].as_str().unwrap_or_default());
            let method = escape(&method.to_uppercase());
            let path = escape(path);
            let example = &operation["requestBody"]["content"]["application/json"]["example"];
            let example = if example.is_null() {
                format!("curl {base}{path}")
            } else {
                format!("curl {base}{path} -H 'Content-Type: application/json' -d '{}'", escape(&example.to_string()))
            };
            // Writing to a string does not fail.
            let _ = writeln!(
                routes,
                "<section><h2><b>{method}</b> {path}</h2><p>{summary}. {details}</p><pre>{example}</pre></section>"
            );
        }
    }
    let page = include_str!("../page.html").replace("{base}", &base).replace("{routes}", &routes);
    Ok(response.bytes(200, "text/html; charset=utf-8", page.into_bytes())?)
}

fn fragment() -> Value {
    serde_json::from_str(FRAGMENT).expect("the document is checked by this file's test")
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use crate::Lmdeploy;
    use mimus_sdk::{Dialect, scripted};

    #[test]
    fn every_route_is_described_and_every_reference_resolves() {
        let document = super::fragment();
        for route in Lmdeploy.routes().list() {
            let path = route.path.replace("...}", "}");
            let is_own_page = path == "/" || path == "/openapi.json";
            assert!(is_own_page || document["paths"][&path].is_object(), "{path} is not described");
        }
        for name in [
            "ChatCompletionRequest",
            "CompletionRequest",
            "EmbeddingsRequest",
            "EncodeRequest",
            "GenerateRequest",
            "HTTPValidationError",
            "ValidationError",
        ] {
            assert!(document["components"]["schemas"][name].is_object(), "{name} is not there");
        }
        for reference in document.to_string().split("\"$ref\":\"#").skip(1) {
            let pointer = reference.split('"').next().expect("a string ends");
            assert!(document.pointer(pointer).is_some(), "{pointer} leads nowhere");
        }
    }

    #[test]
    fn the_page_names_every_route_and_loads_nothing() {
        let answer = scripted::call(&Lmdeploy, "GET", "/", &[], b"");
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")));
        assert!(
            answer.text().contains("/v1/chat/interactive")
                && answer.text().contains("curl http://127.0.0.1:8080/lmdeploy/v1")
        );
        for loads in ["<script src", "<link", "@import", "url("] {
            assert!(!answer.text().contains(loads), "{loads}");
        }
        assert!(!answer.text().contains("{routes}") && !answer.text().contains("{base}"));
    }
}
