//! What the test suites of other servers and of the official clients assert about this kind of API, asked of the real server through
//! raw HTTP: one row for each behaviour. `JUDGES.md` says who asserts what, and where each is covered or why it is left out.

#[path = "harness/mod.rs"]
mod harness;

#[path = "behaviours/chat.rs"]
mod chat;
#[path = "behaviours/chat_stream.rs"]
mod chat_stream;
#[path = "behaviours/completions.rs"]
mod completions;
#[path = "behaviours/embeddings.rs"]
mod embeddings;
#[path = "behaviours/fastchat.rs"]
mod fastchat;
#[path = "behaviours/generate.rs"]
mod generate;
#[path = "behaviours/http.rs"]
mod http;
#[path = "behaviours/lmdeploy.rs"]
mod lmdeploy;
#[path = "behaviours/rerank.rs"]
mod rerank;
#[path = "behaviours/responses.rs"]
mod responses;
#[path = "behaviours/structured.rs"]
mod structured;
#[path = "behaviours/table.rs"]
mod table;
#[path = "behaviours/tokens.rs"]
mod tokens;
#[path = "behaviours/tools.rs"]
mod tools;

/// A row that names a test which is not there covers nothing.
#[test]
fn the_judges_name_tests_that_exist() {
    let folder = harness::repository().join("tests");
    let judges = std::fs::read_to_string(folder.join("JUDGES.md")).expect("the list is there");
    let named = |prefix: &'static str| {
        let parts = judges.split('`').filter_map(move |quoted| quoted.strip_prefix(prefix));
        parts.filter(|name| !name.is_empty()).collect::<Vec<_>>()
    };
    for name in named("behaviours::") {
        let (module, test) = name.split_once("::").unwrap_or_else(|| panic!("`{name}` names no test"));
        let source =
            std::fs::read_to_string(folder.join(format!("behaviours/{module}.rs"))).expect("the module is there");
        assert!(source.contains(&format!("#[test]\nfn {test}()")), "there is no {module}::{test}");
    }
    for target in ["clients", "serving"] {
        let source = std::fs::read_to_string(folder.join(format!("{target}.rs"))).expect("the target is there");
        for test in named(if target == "clients" { "clients::" } else { "serving::" }) {
            assert!(source.contains(&format!("fn {test}()")), "there is no {target}::{test}");
        }
    }
}
