//! Gradio's routes: calls, files that are nobody's, forms without end, sessions of others, pages of others.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Fate::{Either, Refused, Served};
use super::harness::server::Server;
use super::{MODEL, Shape, broken_json, check_bodies, check_memory, rows};

#[test]
fn gradio_refuses_in_its_own_shape() {
    let server = Arc::new(Server::start());
    let check = |path: &str, cases| check_bodies(&server, "gradio", Shape::Detail, path, cases);
    // The model is read into memory before it is measured.
    let chat = json!({ "data": ["Hi", null], "session_hash": "s" });
    check("/run/chat", rows(&chat, vec![("trigger_id", Value::Null, Served)]));
    let before_kib = server.resident_kib();
    let (bad, unread, unknown) = (Refused(&[400]), Refused(&[422]), Refused(&[404]));

    let sound = json!({ "data": [MODEL], "fn_index": 0, "session_hash": "sound" });
    let mut cases = rows(
        &sound,
        vec![
            ("event_data", json!({ "x": 1 }), Served),
            ("session_hash", Value::Null, bad),
            ("session_hash", json!(""), bad),
            ("session_hash", json!(7), unread),
            ("session_hash", json!("x".repeat(128)), Served),
            ("session_hash", json!("x".repeat(129)), bad),
            ("session_hash", json!("a/../b\\"), Served),
            ("session_hash", json!("a\u{0}b"), bad),
            ("session_hash", json!("é".repeat(100)), bad),
            ("fn_index", json!(-1), unread),
            ("fn_index", json!(18), unread),
            ("fn_index", json!(u64::MAX), unread),
            ("fn_index", json!(1e300), unread),
            ("fn_index", json!(0.5), unread),
            ("fn_index", json!("0"), unread),
            ("fn_index", Value::Null, unread),
            ("data", Value::Null, unread),
            ("data", json!({}), unread),
            ("data", json!("text"), unread),
            ("data", json!(vec![0; 200_000]), Served),
            ("data", json!("x".repeat(1 << 20)), Refused(&[413])),
        ],
    );
    cases.extend(broken_json());
    check("/queue/join", cases.clone());
    check("/multi/gradio_api/queue/join", broken_json());

    // What waits is taken when its stream comes; what is wrong with it is told there.
    let cases = rows(
        &chat,
        vec![
            ("data", json!([]), unread),
            ("data", json!([7]), unread),
            ("data", json!([{}]), unread),
            ("data", json!([[]]), unread),
            ("data", json!(["word ".repeat(50_000)]), unread),
            ("data", json!(["\u{0}\u{1b}[31m\u{202e}"]), Either),
            ("fn_index", json!(99), unread),
            ("session_hash", json!("x".repeat(5_000)), bad),
        ],
    );
    check("/run/chat", cases.clone());
    check("/api/chat", broken_json());
    check("/run/nobody", rows(&chat, vec![("x", json!(1), unknown)]));
    let sampling = json!({ "data": [0.7, 1.0, 16], "session_hash": "t" });
    check(
        "/run/add_text",
        vec![("a message".into(), json!({ "data": [MODEL, "Hi"], "session_hash": "t" }).to_string().into(), Served)],
    );
    let cases = [
        (json!([-1, 1.0, 16]), unread),
        (json!([1e300, 1.0, 16]), unread),
        (json!([0.7, -0.5, 16]), unread),
        (json!([0.7, 2, 16]), unread),
        (json!(["hot", 1.0, 16]), unread),
        (json!([0.7, 1.0, -5]), Served),
        (json!([0.7, 1.0, [16]]), unread),
    ];
    let cases = cases.into_iter().map(|(data, fate)| ("data", data, fate)).collect();
    check("/run/bot_response", rows(&sampling, cases));
    let names = ["../x", "a\\b", "con", "a\u{0}b", &"x".repeat(300)];
    let cases = names.map(|name| ("data", json!([name, "Hi"]), unread)).into();
    check("/run/add_text", rows(&json!({ "session_hash": "u" }), cases));

    check("/call/chat", broken_json());
    check("/call/v2/chat", broken_json());
    check("/call/nobody", rows(&chat, vec![("x", json!(1), unknown)]));
    let cases = rows(
        &json!({}),
        vec![
            ("event_id", json!("../x"), Served),
            ("event_id", json!("x".repeat(60_000)), Served),
            ("event_id", json!("x".repeat(100_000)), Refused(&[413])),
            ("event_id", json!(7), unread),
        ],
    );
    check("/cancel", cases.clone());
    check("/reset", cases);
    check("/cancel", broken_json());
    check_memory(&server, before_kib);
}

/// Row 29 of the table: paths that would lead elsewhere if they were paths.
#[test]
fn gradio_gives_no_file_that_was_not_sent() {
    let server = Server::start();
    let forbidden = [
        "/gradio/file=/etc/passwd",
        "/gradio/gradio_api/file=/proc/self/environ",
        "/gradio/file=files/..%2f..%2fetc/passwd",
        "/gradio/file=files/%2e%2e/%2e%2e/etc/passwd",
        "/gradio/file/etc/passwd",
        "/gradio/file/C:/Windows/win.ini",
        "/gradio/multi/file/C:%5CWindows%5Cwin.ini",
        "/gradio/file=files/0123/a.txt",
    ];
    for path in forbidden {
        let answer = server.get(path).expect(403);
        assert!(
            answer.json()["detail"].as_str().is_some_and(|detail| detail.starts_with("File not allowed")),
            "{path}"
        );
    }
    let unknown = [
        "/gradio/file=%2fetc%2fpasswd",
        "/gradio/file=C:%5CWindows%5Cwin.ini",
        "/gradio/file=../../etc/passwd",
        "/gradio/file=file:%2f%2f%2fetc%2fpasswd",
        "/gradio/file=files/00000000000000000000000000000000/a.txt",
    ];
    for path in unknown {
        assert!(server.get(path).expect(404).json()["detail"].is_string(), "{path}");
    }
}

/// Row 30: many files, and forms that are none.
#[test]
fn gradio_bounds_uploads() {
    let server = Server::start();
    let part = |index: usize| {
        format!("--b\r\ncontent-disposition: form-data; name=\"files\"; filename=\"{index}.txt\"\r\n\r\nx\r\n")
    };
    let form = |count: usize| (0..count).map(part).collect::<String>() + "--b--\r\n";
    let upload = |kind: &str, body: &[u8]| {
        let mut connection = server.connect();
        let sent = connection.send("POST", "/gradio/upload", &[("content-type", kind)], body);
        connection.answer().unwrap_or_else(|error| panic!("no answer: {error} (sent: {sent:?})"))
    };
    let kind = "multipart/form-data; boundary=b";
    let paths = upload(kind, form(64).as_bytes()).expect(200).json();
    assert_eq!(paths.as_array().map(Vec::len), Some(64));
    for (name, kind, body) in [
        ("65 files", kind, form(65).into_bytes()),
        ("10,000 files", kind, form(10_000).into_bytes()),
        ("half a form", kind, form(3).as_bytes()[..100].to_vec()),
        ("no form", "application/json", b"{}".to_vec()),
        ("no boundary", "multipart/form-data", form(1).into_bytes()),
        ("nothing", kind, Vec::new()),
        ("noise", kind, vec![0xff; 1 << 20]),
    ] {
        let answer = upload(kind, &body).expect(400);
        assert!(answer.json()["detail"].is_string(), "{name}");
    }
    upload(kind, &vec![b'x'; (32 << 20) + 1]).expect(413);
    upload(kind, form(1).as_bytes()).expect(200);
}

/// Row 31: one session's hash twice, and the stream of a hash that is somebody else's.
#[test]
fn gradio_keeps_sessions_apart() {
    let server = Server::start();
    let join = |hash: &str, text: &str| {
        let body = json!({ "data": [text], "fn_index": 12, "session_hash": hash });
        server.post("/gradio/queue/join", &body).expect(200).json()["event_id"].as_str().expect("an id").to_owned()
    };
    let (first, second) = (join("mine", "My word is canary."), join("mine", "What is my word?"));
    let other = server.get("/gradio/queue/data?session_hash=other").expect(200).text();
    assert!(other.contains("session_not_found") && !other.contains("canary"), "{other}");
    // The same hash at another app is another session.
    let other = server.get("/gradio/multi/queue/data?session_hash=mine").expect(200).text();
    assert!(other.contains("session_not_found"), "{other}");
    let told = server.get("/gradio/queue/data?session_hash=mine").expect(200).text();
    for event in [&first, &second] {
        let end = told.lines().rfind(|line| line.contains(event.as_str())).expect("it was told");
        assert!(end.contains("process_completed") && end.contains("\"success\":true"), "{end}");
    }
    assert!(told.ends_with("\"msg\":\"close_stream\"}\n\n"), "{told}");
    server.get("/gradio/queue/data").expect(400);
    server.get(&format!("/gradio/queue/data?session_hash={}", "x".repeat(129))).expect(400);
}

/// Row 32: pages of other origins.
#[test]
fn gradio_takes_nothing_from_foreign_pages() {
    let server =
        super::harness::server::Setup::default().config("[http]\ncors_origins = [\"http://friend.test\"]\n").start();
    let body = json!({ "data": ["m"], "fn_index": 0, "session_hash": "s" }).to_string();
    let own = format!("http://{}", server.listen);
    let cases: [(&str, u16); 5] =
        [("http://evil.test", 403), ("null", 403), (&own, 403), ("http://test", 200), ("http://friend.test", 200)];
    for path in ["/gradio/queue/join", "/gradio/gradio_api/run/upvote_last_response", "/gradio/cancel", "/gradio/reset"]
    {
        for (origin, status) in cases {
            let headers = [("content-type", "application/json"), ("origin", origin), ("cookie", "session=1")];
            let answer = server.request("POST", path, &headers, body.as_bytes());
            assert_eq!(answer.status, status, "{path} {origin} {}", answer.text());
            assert!(status == 200 || answer.json()["detail"].is_string(), "{path} {origin}");
        }
    }
    let upgrade = [
        ("origin", "http://evil.test"),
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ];
    assert_eq!(server.request("GET", "/gradio/queue/join", &upgrade, &[]).status, 403);
}
