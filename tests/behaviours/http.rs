//! What holds for every dialect: pages of other origins, request ids, keys, methods, spellings of paths, kinds of content.

use serde_json::json;

use crate::harness::client::Answer;
use crate::harness::server::{Server, Setup};
use crate::table::MODEL;

/// A route of each dialect that is served by POST.
const ROUTES: [&str; 5] = [
    "/openai/v1/chat/completions",
    "/lmdeploy/v1/chat/completions",
    "/fastchat/v1/chat/completions",
    "/xinference/v1/chat/completions",
    "/v1/chat/completions",
];

const ALLOW_ORIGIN: &str = "access-control-allow-origin";

fn preflight(server: &Server, path: &str, origin: &str) -> Answer {
    let headers = [
        ("origin", origin),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type,x-stainless-os"),
    ];
    server.request("OPTIONS", path, &headers, &[])
}

fn is_silent(answer: &Answer) -> bool {
    !answer.headers.iter().any(|(name, _)| name.starts_with("access-control-"))
}

#[test]
fn any_page_may_call_a_dialect() {
    let server = Server::shared();
    for path in ROUTES {
        let answer = preflight(&server, path, "https://app.test").expect(200);
        assert_eq!(answer.header(ALLOW_ORIGIN), Some("*"), "{path}");
        let methods = answer.header("access-control-allow-methods").expect("methods");
        assert!(methods.contains("POST"), "{path}: {methods}");
        let headers = answer.header("access-control-allow-headers").expect("headers");
        assert_eq!(headers, "authorization,content-type,x-stainless-os", "{path}");
        assert_eq!(answer.header("access-control-max-age"), Some("600"), "{path}");
        assert_eq!(answer.header("access-control-allow-credentials"), None, "{path}");
        assert!(answer.body.is_empty() && answer.header("x-request-id").is_some(), "{path}");
    }
    let models = server.request("GET", "/openai/v1/models", &[("origin", "https://app.test")], &[]);
    assert_eq!(models.header(ALLOW_ORIGIN), Some("*"));
    assert!(models.header("access-control-expose-headers").is_some_and(|names| names.contains("x-request-id")));
}

#[test]
fn refusals_and_streams_can_be_read_by_pages_too() {
    let server = Server::shared();
    let headers = [("origin", "https://app.test"), ("content-type", "application/json")];
    let stream =
        json!({"model": MODEL, "stream": true, "messages": [{"role": "user", "content": "Hello"}]}).to_string();
    for (method, path, body, status) in [
        ("POST", ROUTES[0], "{", 400),
        ("GET", ROUTES[0], "", 405),
        ("GET", "/openai/nothing", "", 404),
        ("POST", ROUTES[0], stream.as_str(), 200),
    ] {
        let answer = server.request(method, path, &headers, body.as_bytes()).expect(status);
        assert_eq!(answer.header(ALLOW_ORIGIN), Some("*"), "{method} {path}");
    }
}

/// `null` is the origin of sandboxed frames, which any page can make.
#[test]
fn nobody_is_not_an_origin() {
    let server = Server::shared();
    let answer = preflight(&server, ROUTES[0], "null");
    assert!(answer.status == 200 && is_silent(&answer), "{:?}", answer.headers);
    assert!(is_silent(&server.request("GET", "/openai/v1/models", &[("origin", "null")], &[])));
    assert!(is_silent(&server.get("/openai/v1/models")), "who is no page is told nothing");
}

#[test]
fn no_page_may_read_the_servers_own_paths() {
    let server = Server::shared();
    for path in [
        "/_mimus/models",
        "/_mimus/plugins",
        "/_mimus/dialects",
        "/_mimus/figures",
        "/_mimus/chat",
        "/metrics",
        "/healthz",
        "/openapi.json",
        "/docs",
        "/openai/docs",
    ] {
        assert!(is_silent(&preflight(&server, path, "https://app.test")), "{path}");
        assert!(is_silent(&server.request("GET", path, &[("origin", "https://app.test")], &[])), "{path}");
    }
}

#[test]
fn listed_origins_are_repeated_and_others_are_not() {
    let server =
        Setup::default().config("[http]\ncors_origins = [\"https://app.test\", \"http://localhost:3000\"]\n").start();
    for origin in ["https://app.test", "http://localhost:3000"] {
        let answer = preflight(&server, ROUTES[0], origin);
        assert_eq!((answer.header(ALLOW_ORIGIN), answer.header("vary")), (Some(origin), Some("origin")));
        let models = server.request("GET", "/openai/v1/models", &[("origin", origin)], &[]);
        assert_eq!((models.header(ALLOW_ORIGIN), models.header("vary")), (Some(origin), Some("origin")));
    }
    for origin in
        ["https://evil.test", "https://app.test.evil.test", "https://app.test:444", "http://app.test", "null", "*"]
    {
        let answer = preflight(&server, ROUTES[0], origin);
        assert!(is_silent(&answer), "{origin}: {:?}", answer.headers);
        assert_eq!(answer.header("vary"), Some("origin"), "{origin}");
    }
}

#[test]
fn no_origins_means_none() {
    let server = Setup::default().config("[http]\ncors_origins = []\n").start();
    assert!(is_silent(&preflight(&server, ROUTES[0], "https://app.test")));
    assert!(is_silent(&server.request("GET", "/openai/v1/models", &[("origin", "https://app.test")], &[])));
}

#[test]
fn options_name_the_methods() {
    let server = Server::shared();
    for (path, allow) in [("/openai/v1/models", "GET, HEAD, OPTIONS"), (ROUTES[0], "POST, OPTIONS")] {
        let answer = server.request("OPTIONS", path, &[], &[]).expect(200);
        assert_eq!(answer.header("allow"), Some(allow), "{path}");
    }
    server.request("OPTIONS", "/openai/nothing", &[], &[]).expect(404);
}

#[test]
fn a_key_is_asked_for_before_anything_else() {
    // The SHA-256 digest of `secret`.
    let digest = "2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b";
    let server = Setup::default().config(&format!("[server]\napi_keys = [\"{digest}\"]\n")).start();
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}).to_string();
    for path in ROUTES {
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("authorization", "secret")],
            &[("authorization", "Bearer ")],
        ] {
            // Not even a body that no dialect can read gets past it.
            for body in [body.as_str(), "{"] {
                let answer = server.request("POST", path, headers, body.as_bytes()).expect(401);
                assert!(
                    answer.header("content-type").is_some_and(|kind| kind.starts_with("application/json")),
                    "{path}"
                );
                assert!(
                    answer.header("x-request-id").is_some() && answer.header("www-authenticate") == Some("Bearer"),
                    "{path}"
                );
                let said = answer.json();
                let texts = [&said["error"]["message"], &said["message"], &said["detail"]];
                assert!(texts.iter().any(|text| text.is_string()), "{path}: {said}");
            }
        }
        for headers in [("authorization", "Bearer secret"), ("x-api-key", "secret"), ("api-key", "secret")] {
            server.request("POST", path, &[headers], body.as_bytes()).expect(200);
        }
        // Browsers send no key with the question whether they may.
        preflight(&server, path, "https://app.test").expect(200);
    }
    for path in
        ["/openai/health", "/lmdeploy/health", "/fastchat/test_connection", "/xinference/v1/cluster/auth", "/healthz"]
    {
        server.get(path).expect(200);
    }
    for path in ["/openai/v1/models", "/lmdeploy/v1/models", "/fastchat/v1/models", "/_mimus/models"] {
        server.get(path).expect(401);
    }
    server.get("/xinference/v1/models").expect(401);
    let login = |password: &str| {
        let credentials = json!({"username": "anybody", "password": password});
        server.post("/xinference/token", &credentials)
    };
    assert_eq!(login("secret").expect(200).json()["access_token"], "secret");
    login("guess").expect(401);
    assert_eq!(server.get("/openai/v1/models").json()["error"]["code"], "invalid_api_key");
    assert_eq!(server.get("/fastchat/v1/models").json()["code"], 40102);
}

#[test]
fn request_ids_come_back() {
    let server = Server::shared();
    for (method, path) in [
        ("GET", "/openai/v1/models"),
        ("HEAD", "/openai/v1/models"),
        ("OPTIONS", "/openai/v1/models"),
        ("GET", "/openai/nothing"),
        ("PUT", "/openai/v1/models"),
        ("POST", "/fastchat/v1/chat/completions"),
        ("GET", "/healthz"),
    ] {
        let answer = server.request(method, path, &[("x-request-id", "Custom")], &[]);
        assert_eq!(answer.header("x-request-id"), Some("Custom"), "{method} {path}");
        assert!(
            server.request(method, path, &[], &[]).header("x-request-id").is_some_and(|id| id.len() >= 16),
            "{path}"
        );
    }
}

#[test]
fn heads_have_no_bodies() {
    let server = Server::shared();
    for path in ["/openai/v1/models", "/lmdeploy/v1/models", "/fastchat/v1/models", "/openai/health", "/healthz"] {
        let whole = server.get(path);
        let head = server.request("HEAD", path, &[], &[]);
        assert_eq!((head.status, head.body.len()), (whole.status, 0), "{path}");
        assert_eq!(head.header("content-type"), whole.header("content-type"), "{path}");
    }
    server.request("HEAD", ROUTES[0], &[], &[]).expect(405);
}

#[test]
fn a_slash_at_the_end_changes_nothing() {
    let server = Server::shared();
    for path in
        ["/openai/v1/models/", "/lmdeploy/v1/models/", "/fastchat/v1/models/", "/xinference/v1/models/", "/v1/models/"]
    {
        server.get(path).expect(200);
    }
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1});
    server.post("/openai/v1/chat/completions/", &body).expect(200);
    server.get("/openai/v1/models//").expect(404);
}

#[test]
fn the_kind_of_content_is_taken_as_json() {
    let server = Server::shared();
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}).to_string();
    for kind in ["application/json", "application/json; charset=utf-8", "APPLICATION/JSON", "text/plain"] {
        server.request("POST", ROUTES[0], &[("content-type", kind)], body.as_bytes()).expect(200);
    }
    // A form is not JSON, whatever it says of itself.
    for kind in ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "application/json"] {
        server.request("POST", ROUTES[0], &[("content-type", kind)], b"model=mimus-chat&n=1").expect(400);
    }
}
