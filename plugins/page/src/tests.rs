use std::collections::BTreeSet;
use std::path::Path;

use mimus_sdk::dialect;
use mimus_sdk::scripted::{self, Captured};

use crate::Page;
use crate::assets::{ASSETS, PAGE};

fn get(path: &str, headers: &[(&str, &str)]) -> Captured {
    scripted::call(&Page, "GET", path, headers, b"")
}

/// Addresses of files that the page names.
fn named_by_page() -> Vec<String> {
    let page = get("/", &[]);
    let parts = page.text().split(['"', '\'']).filter(|part| part.starts_with("page-assets/"));
    parts.map(|part| format!("/{part}")).collect()
}

#[test]
fn the_manifest_is_sound_and_every_route_public() {
    assert_eq!(dialect::self_test(&Page), Ok(()));
    let manifest = dialect::describe(&Page);
    assert_eq!((manifest.name.as_str(), manifest.conventional_port), ("page", None));
    assert!(manifest.routes.iter().all(|route| route.is_public));
}

#[test]
fn the_page_may_load_from_this_server_alone() {
    let page = get("/", &[]);
    assert_eq!((page.status, page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    let policy = page.header("content-security-policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"), "{policy}");
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    assert!(!page.text().contains("{base}"));
    assert!(
        !PAGE.contains("style=") && !PAGE.contains("onclick") && !PAGE.contains("<script>"),
        "the policy forbids these"
    );
}

#[test]
fn what_the_page_names_is_there_and_may_be_kept() {
    let named = named_by_page();
    assert!(named.len() > 3, "{named:?}");
    for path in named {
        let file = get(&path, &[]);
        assert_eq!(file.status, 200, "{path}");
        assert_eq!(file.header("cache-control"), Some("public, max-age=31536000, immutable"), "{path}");
        assert_eq!(file.header("x-content-type-options"), Some("nosniff"), "{path}");
    }
}

#[test]
fn a_browser_that_has_a_file_is_told_so() {
    for path in ["/", named_by_page()[0].as_str()] {
        let tag = get(path, &[]).header("etag").expect("a tag").to_owned();
        for known in [tag.clone(), format!("W/{tag}"), format!("\"other\", {tag}"), "*".to_owned()] {
            let again = get(path, &[("if-none-match", &known)]);
            assert_eq!((again.status, again.body.len()), (304, 0), "{path} {known}");
        }
        assert_eq!(get(path, &[("if-none-match", "\"other\"")]).status, 200, "{path}");
    }
}

#[test]
fn files_of_other_versions_are_the_present_ones_and_not_kept() {
    let file = get("/page-assets/0000/theme.js", &[]);
    assert_eq!((file.status, file.header("cache-control")), (200, Some("no-cache")));
    assert_eq!(file.header("content-type"), Some("text/javascript; charset=utf-8"));
    for missing in ["/page-assets/0000/no.js", "/page-assets/0000/../Cargo.toml", "/page-assets/theme.js"] {
        assert_eq!(get(missing, &[]).status, 404, "{missing}");
    }
}

/// A file that is not in the list would be missing from the component.
#[test]
fn every_file_of_the_folder_is_listed() {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeSet<String>) {
        for entry in std::fs::read_dir(folder).expect("the folder is readable") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(&path, root, found);
            } else {
                found.insert(path.strip_prefix(root).expect("below the root").to_string_lossy().into_owned());
            }
        }
    }
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("web");
    let mut found = BTreeSet::new();
    walk(&root, &root, &mut found);
    assert!(found.remove("index.html"));
    assert_eq!(found, ASSETS.iter().map(|asset| asset.name.to_owned()).collect());
}

/// 300 KB is the most that the page may weigh; it is meant to stay far below.
#[test]
fn the_page_is_light() {
    let bytes = PAGE.len() + ASSETS.iter().map(|asset| asset.bytes.len()).sum::<usize>();
    assert!(bytes <= 300_000, "{bytes} bytes");
}

#[test]
fn the_page_names_no_other_place() {
    for asset in ASSETS {
        let text = String::from_utf8_lossy(asset.bytes);
        for other in
            ["src=\"http", "import(\"http", "from \"http", "@import", "url(http", "url(\"http", "eval(", "innerHTML"]
        {
            assert!(!text.contains(other), "{}: {other}", asset.name);
        }
    }
}
