//! Files: up, down, and those that are nobody's.

use mimus_sdk::scripted::ScriptedHost;

use super::get;
use crate::Gradio;

const FORM: (&str, &str) = ("content-type", "multipart/form-data; boundary=b");

fn form(parts: &[(&str, &str, &[u8])]) -> Vec<u8> {
    let mut form = Vec::new();
    for (field, name, bytes) in parts {
        let head = format!("--b\r\nContent-Disposition: form-data; name=\"{field}\"; filename=\"{name}\"\r\n\r\n");
        form.extend([head.as_bytes(), bytes, b"\r\n"].concat());
    }
    form.extend(b"--b--\r\n");
    form
}

fn upload(host: &ScriptedHost, parts: &[(&str, &str, &[u8])]) -> Vec<String> {
    let answer = host.call(&Gradio, "POST", "/gradio_api/upload?upload_id=x", &[FORM], &form(parts));
    assert_eq!(answer.status, 200, "{}", answer.text());
    serde_json::from_slice(&answer.body).expect("a list of paths")
}

#[test]
fn what_went_up_comes_down() {
    let host = ScriptedHost::new();
    let large: Vec<u8> = (0..700_000u32).map(|number| number as u8).collect();
    let paths =
        upload(&host, &[("files", "a.png", b"\x89PNG"), ("files", "../Ü b.html", b"<b>"), ("files", "c", &large)]);
    assert_eq!(paths.len(), 3);
    let expect: [(&[u8], &str, &str); 3] = [
        (b"\x89PNG", "image/png", "inline; filename=\"a.png\""),
        (b"<b>", "application/octet-stream", "attachment; filename=\"__b.html\""),
        (&large, "application/octet-stream", "attachment; filename=\"c\""),
    ];
    for (path, (bytes, kind, place)) in paths.iter().zip(expect) {
        for url in [format!("/file={path}"), format!("/gradio_api/file={path}"), format!("/multi/file/{path}")] {
            let answer = get(&host, &url);
            assert_eq!(answer.status, 200, "{url} {}", String::from_utf8_lossy(&answer.body));
            assert!(answer.body == bytes, "{url}");
            assert_eq!(answer.header("content-type"), Some(kind));
            assert_eq!(answer.header("content-disposition"), Some(place));
            assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        }
    }
}

#[test]
fn other_paths_are_forbidden() {
    let host = ScriptedHost::new();
    let path = &upload(&host, &[("files", "a.txt", b"text")])[0];
    let id = path.split('/').nth(1).expect("an id");
    let gone = "0".repeat(32);
    let cases = [
        ("/file=/etc/passwd".to_owned(), 403),
        ("/gradio_api/file=/proc/self/environ".to_owned(), 403),
        ("/file/etc/passwd".to_owned(), 403),
        ("/file/C:/Windows/win.ini".to_owned(), 403),
        ("/file=files/../../etc/passwd".to_owned(), 403),
        ("/file=files/%2e%2e/%2e%2e/etc/passwd".to_owned(), 403),
        (format!("/file=files/{id}/..%2fa.txt"), 403),
        (format!("/file=files/{id}/a/../a.txt"), 403),
        (format!("/file=files/{id}"), 403),
        (format!("/file=files/{gone}/a.txt"), 404),
        // No route has these; the host refuses them in the same shape.
        ("/file=C:%5CWindows%5Cwin.ini".to_owned(), 404),
        ("/file=%2fetc%2fpasswd".to_owned(), 404),
    ];
    for (path, status) in cases {
        let answer = get(&host, &path);
        assert_eq!(answer.status, status, "{path}");
        assert!(answer.json()["detail"].is_string(), "{path}");
    }
}

#[test]
fn bad_forms_are_refused() {
    let host = ScriptedHost::new();
    let many: Vec<(&str, &str, &[u8])> = vec![("files", "a", b"x"); 65];
    let cases: [(Vec<u8>, &str); 4] = [
        (form(&[("other", "a", b"x")]), "no field `files`"),
        (form(&many), "65 files at once, at most 64"),
        (form(&[("files", "a", b"x")])[..40].to_vec(), "does not end"),
        (b"hello".to_vec(), "boundary does not occur"),
    ];
    for (body, words) in cases {
        let answer = host.call(&Gradio, "POST", "/upload", &[FORM], &body);
        assert_eq!(answer.status, 400, "{words}");
        assert!(answer.json()["detail"].as_str().expect("words").contains(words), "{}", answer.text());
    }
    assert_eq!(host.call(&Gradio, "POST", "/upload", &[], b"{}").status, 400);
    assert_eq!(upload(&host, &many[..64]).len(), 64);
}
