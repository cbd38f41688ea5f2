//! The server as HTTP: its own pages, routing, limits, request ids, HTTP/2, and how it stops.

#[path = "harness/mod.rs"]
mod harness;

use std::collections::BTreeSet;
use std::net::TcpStream;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use bytes::Bytes;
use harness::client::Connection;
use harness::server::{Server, Setup};
use harness::{eventually, repository};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2;
use hyper_util::rt::{TokioExecutor, TokioIo};
use mimus_test_guests::{Temper, versioned};
use serde_json::{Value, json};

const CHAT: &str = "/openai/v1/chat/completions";

fn question(stream: bool) -> Value {
    json!({
        "model": "mimus-chat", "temperature": 0, "stream": stream,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    })
}

#[test]
fn it_says_that_it_is_well() {
    let server = Server::shared();
    server.get("/healthz").expect(200);
    server.get("/readyz").expect(200);
    let answer = server.request("HEAD", "/healthz", &[], &[]);
    assert_eq!(answer.status, 200);
}

#[test]
fn it_counts_what_it_does() {
    let server = Server::shared();
    server.post(CHAT, &question(false)).expect(200);
    let answer = server.get("/metrics").expect(200);
    let kind = answer.header("content-type").expect("a content type").to_owned();
    assert!(kind.starts_with("text/plain") || kind.starts_with("application/openmetrics-text"), "{kind}");
    let text = answer.text();
    let samples = text.lines().filter(|line| !line.is_empty() && !line.starts_with('#'));
    for sample in samples.clone() {
        let value = sample.rsplit(' ').next().expect("a sample has a value");
        assert!(value.parse::<f64>().is_ok(), "{sample}");
    }
    assert!(samples.clone().count() > 3, "{text}");
    assert!(samples.clone().any(|sample| sample.starts_with("mimus_") && sample.contains("openai")), "{text}");
    assert!(!text.contains("capital of"), "a prompt became a label");
}

#[test]
fn every_dialect_is_mounted_and_printed() {
    let server = Server::shared();
    for dialect in ["openai", "lmdeploy", "fastchat", "xinference"] {
        assert_eq!(server.base(dialect), format!("http://{}/{dialect}", server.listen));
        let models = server.get(&format!("/{dialect}/v1/models")).expect(200).json();
        assert!(models["data"].to_string().contains("mimus-chat"), "{models}");
    }
}

/// What one dialect, or the server itself, has answered so far by `/_mimus/figures`.
fn requests(figures: &Value, dialect: &str) -> u64 {
    let dialects = figures["dialects"].as_array().expect("a list of dialects");
    let found = dialects.iter().find(|one| one["name"] == dialect);
    found.map_or(0, |one| one["requests"].as_u64().expect("a count"))
}

#[test]
fn its_figures_grow_with_what_it_does() {
    let server = Server::start();
    let figures = || server.get("/_mimus/figures").expect(200).json();
    let before = figures();
    assert_eq!(requests(&before, "openai"), 0, "{before}");
    assert_eq!((&before["status"], &before["requests_in_flight"]), (&json!("ready"), &json!(0)), "{before}");
    server.post(CHAT, &question(false)).expect(200);
    server.post(CHAT, &question(true)).expect(200);
    // A request is over when its account is closed, a moment after its last byte.
    let after = eventually("both are counted", || Some(figures()).filter(|after| requests(after, "openai") == 2));
    assert!(requests(&after, "host") > requests(&before, "host"), "{after}");
    let model = |figures: &Value| {
        let models = figures["models"].as_array().expect("a list of models").clone();
        models.into_iter().find(|model| model["name"] == "mimus-chat").expect("the built-in model")
    };
    assert_eq!(model(&before)["generated_tokens"], 0);
    assert!(model(&after)["generated_tokens"].as_u64().is_some_and(|tokens| tokens > 4), "{after}");
    let openai =
        &after["dialects"].as_array().expect("dialects").iter().find(|one| one["name"] == "openai").expect("it");
    let classes = after["spread_ms"].as_array().expect("bounds").len() + 1;
    for spread in ["first_byte", "whole"] {
        let counts: Vec<u64> = openai[spread].as_array().expect("counts").iter().filter_map(Value::as_u64).collect();
        assert_eq!((counts.len(), counts.iter().sum::<u64>()), (classes, 2), "{after}");
    }
    assert!(after["memory_bytes"].as_u64().is_some_and(|bytes| bytes > 1 << 20), "{after}");
}

#[test]
fn it_tells_which_dialects_serve_and_where() {
    let server = Server::shared();
    let told = server.get("/_mimus/dialects").expect(200).json();
    let dialects = told["dialects"].as_array().expect("a list of dialects");
    assert_eq!(dialects.len(), server.bases.len());
    for dialect in dialects {
        let name = dialect["name"].as_str().expect("a name");
        assert_eq!(
            format!("http://{}{}", server.listen, dialect["mount"].as_str().expect("a path")),
            server.base(name)
        );
        assert!(dialect["version"].is_string() && dialect["description"].is_string(), "{dialect}");
        assert_eq!(dialect["port"], Value::Null, "none has a listener of its own");
    }
    let openai = dialects.iter().find(|dialect| dialect["name"] == "openai").expect("the dialect");
    let chat = json!({"method": "POST", "path": "/v1/chat/completions", "is_public": false});
    assert!(openai["routes"].as_array().expect("routes").contains(&chat), "{openai}");
    assert_eq!(openai["client_path"], "/v1");
}

/// The root belongs to the first dialect that claims it, and to the documents where none does.
#[test]
fn the_root_shows_the_page_or_the_documents() {
    let page = Server::shared().get("/").expect(200);
    assert!(page.header("content-security-policy").is_some_and(|policy| policy.starts_with("default-src 'none'")));
    assert_eq!(page.text(), Server::shared().get("/page/").expect(200).text());
    Server::shared().request("POST", "/", &[], b"").expect(405);

    let claims = |dialect: &&Value| {
        dialect["routes"]
            .as_array()
            .expect("routes")
            .iter()
            .any(|route| route["path"] == "/" && route["method"] == "GET")
    };
    let told = Server::shared().get("/_mimus/dialects").expect(200).json();
    let claiming = told["dialects"].as_array().expect("a list").iter().filter(claims);
    let disabled: String =
        claiming.map(|one| format!("[plugin.{}]\nenabled = false\n", one["name"].as_str().expect("a name"))).collect();
    let server = Setup::default().config(&disabled).start();
    let documents = server.get("/").expect(200);
    assert_eq!(documents.header("content-security-policy"), None);
    assert_eq!(documents.text(), server.get("/docs").expect(200).text());
    server.request("POST", "/", &[], b"").expect(405);
}

/// A path that one dialect alone claims also answers at the root; of two that claim one, the first in the configuration does.
#[test]
fn paths_without_a_rival_answer_at_the_root() {
    let server = Server::shared();
    let turn = json!({"prompt": "Hi", "request_output_len": 2});
    server.post("/v1/chat/interactive", &turn).expect(200);
    server.get("/v1/models").expect(200);
    server.post("/v1/chat/completions", &question(false)).expect(200);
}

#[test]
fn the_openapi_document_is_whole() {
    let server = Server::shared();
    let document = server.get("/openapi.json").expect(200).json();
    assert!(document["openapi"].as_str().is_some_and(|version| version.starts_with("3.1")), "{}", document["openapi"]);
    assert!(document["info"]["title"].is_string() && document["info"]["version"].is_string());
    for path in [CHAT, "/openai/v1/models", "/lmdeploy/v1/chat/interactive", "/lmdeploy/v1/encode"] {
        assert!(document["paths"][path].is_object(), "{path} is not described");
    }
    let mut references = BTreeSet::new();
    collect_references(&document, &mut references);
    assert!(!references.is_empty(), "no schema is named");
    for reference in references {
        let pointer = reference.strip_prefix('#').unwrap_or_else(|| panic!("a reference to elsewhere: {reference}"));
        assert!(document.pointer(pointer).is_some(), "{reference} leads nowhere");
    }
    let mut ids = BTreeSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        for operation in item.as_object().expect("a path item").values() {
            if let Some(id) = operation["operationId"].as_str() {
                assert!(ids.insert(id.to_owned()), "{path}: the operation id {id} is given twice");
            }
        }
    }
}

fn collect_references(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(map) => {
            found.extend(map.get("$ref").and_then(Value::as_str).map(str::to_owned));
            map.values().for_each(|value| collect_references(value, found));
        }
        Value::Array(list) => list.iter().for_each(|value| collect_references(value, found)),
        _ => {}
    }
}

/// A machine without internet shows the same pages: they load nothing from elsewhere.
#[test]
fn the_pages_work_offline() {
    let server = Server::shared();
    for path in ["/", "/docs"] {
        let answer = server.get(path).expect(200);
        assert!(answer.header("content-type").is_some_and(|kind| kind.starts_with("text/html")), "{path}");
        let page = answer.text();
        for loads in [
            "src=\"http",
            "src='http",
            "src=\"//",
            "href=\"//",
            "@import",
            "url(http",
            "<link rel=\"stylesheet\" href=\"http",
            "import(\"http",
            "from \"http",
        ] {
            assert!(!page.contains(loads), "{path} loads something from elsewhere: {loads}");
        }
    }
}

#[test]
fn unknown_paths_and_methods_are_refused() {
    let server = Server::shared();
    // In the server's own shape: a dialect whose paths may begin with anything does not have the root for them.
    assert!(server.get("/nothing/here").expect(404).json()["error"]["status"].is_number());
    server.get("/openai").expect(404);
    let answer = server.request("DELETE", "/healthz", &[], &[]);
    assert_eq!(answer.status, 405);
    assert!(answer.header("allow").is_some_and(|allow| allow.contains("GET")));
}

/// The length alone is enough to refuse a body, so the client need not send it.
#[test]
fn a_body_too_large_is_refused_by_its_length() {
    let server = Server::shared();
    for dialect in ["openai", "lmdeploy"] {
        let mut connection = server.connect();
        let head = format!(
            "POST /{dialect}/v1/chat/completions HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n",
            1_u64 << 40,
        );
        connection.write(head.as_bytes()).expect("the head is sent");
        let answer = connection.answer().expect("an answer without the body");
        assert_eq!(answer.status, 413, "{}", answer.text());
        assert!(answer.json()["error"]["message"].is_string(), "{}", answer.text());
    }
}

#[test]
fn a_client_that_waits_for_continue_is_told() {
    let server = Server::shared();
    let body = question(false).to_string();
    let mut connection = server.connect();
    let head = format!(
        "POST {CHAT} HTTP/1.1\r\nhost: test\r\ncontent-type: application/json\r\nexpect: 100-continue\r\ncontent-length: {}\r\n\r\n",
        body.len(),
    );
    connection.write(head.as_bytes()).expect("the head is sent");
    connection.write(body.as_bytes()).expect("the body is sent");
    assert_eq!(connection.answer().expect("an answer").status, 200);
}

#[test]
fn every_answer_has_a_request_id() {
    let server = Server::shared();
    let id = |path: &str, headers: &[(&str, &str)]| {
        let answer = server.request("GET", path, headers, &[]);
        answer.header("x-request-id").unwrap_or_else(|| panic!("{path}: no request id")).to_owned()
    };
    let mut seen = BTreeSet::new();
    for path in [
        "/openai/v1/models",
        "/openai/v1/models/none",
        "/openai/nothing",
        "/lmdeploy/v1/models",
        "/nothing",
        "/healthz",
    ] {
        assert!(seen.insert(id(path, &[])), "{path}: an id came twice");
    }
    assert_eq!(id("/openai/v1/models", &[("x-request-id", "from-the-client-7")]), "from-the-client-7");
    for bad in ["", " ", "with space", &"x".repeat(65), "quote\"s", "caf\u{e9}"] {
        let given = id("/openai/v1/models", &[("x-request-id", bad)]);
        assert!(given != bad || bad == "quote\"s", "{bad:?} was taken for an id");
        assert!(given.len() <= 64 && given.bytes().all(|byte| byte.is_ascii_graphic()), "{given:?}");
    }
}

#[test]
fn one_connection_serves_many_requests() {
    let server = Server::shared();
    let mut connection = server.connect();
    for _ in 0..100 {
        assert_eq!(connection.request("GET", "/openai/v1/models", &[], &[]).expect("kept alive").status, 200);
        let body = b"{}";
        let headers = [("content-type", "application/json")];
        assert_eq!(connection.request("POST", CHAT, &headers, body).expect("kept alive").status, 400);
    }
}

#[test]
fn requests_sent_ahead_are_answered_in_order() {
    let server = Server::shared();
    let mut connection = server.connect();
    connection.send("GET", "/openai/v1/models", &[], &[]).expect("sent");
    connection.send("GET", "/nothing", &[], &[]).expect("sent");
    connection.send("GET", "/lmdeploy/v1/models", &[], &[]).expect("sent");
    let statuses: Vec<u16> = (0..3).map(|_| connection.answer().expect("an answer").status).collect();
    assert_eq!(statuses, [200, 404, 200]);
}

/// Each token reaches the client when it is made, in its own piece, not all at the end.
#[test]
fn a_stream_flows() {
    let server = Server::shared();
    let mut body = question(true);
    body["messages"][0]["content"] = json!("Tell me a short story.");
    let mut stream = server.open_stream(CHAT, &body);
    let mut pieces = 0;
    let mut text = String::new();
    while let Some(piece) = stream.piece().expect("the stream goes on") {
        pieces += 1;
        text += &String::from_utf8(piece).expect("pieces end between characters");
    }
    assert!(pieces > 3, "{pieces} pieces: {text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    assert!(!text.contains('\r'), "{text}");
    for event in text.split_terminator("\n\n") {
        let data = event.strip_prefix("data: ").unwrap_or_else(|| panic!("not an event: {event:?}"));
        assert!(!data.contains('\n'), "{event:?}");
        assert!(data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok(), "{data}");
    }
}

/// One client's place is free again soon after it left.
#[test]
fn a_client_that_leaves_stops_its_generation() {
    let server = Server::shared();
    let endless = json!({
        "model": "mimus-chat", "stream": true, "ignore_eos": true, "temperature": 1,
        "messages": [{"role": "user", "content": "Tell me a short story."}],
    });
    for _ in 0..50 {
        let mut stream = server.open_stream(CHAT, &endless);
        stream.piece().expect("the stream starts").expect("the stream starts");
        drop(stream);
    }
    let started = Instant::now();
    server.post(CHAT, &question(false)).expect(200);
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "the abandoned generations still run: {:?}",
        started.elapsed()
    );
}

/// The answer that each of many clients gets is the one it would get alone.
#[test]
fn many_at_once_get_their_own_answers() {
    let server = Server::shared();
    let ask = |place: &str| {
        let mut body = question(false);
        body["messages"][0]["content"] = json!(format!("What is the capital of {place}?"));
        let answer = server.post(CHAT, &body).expect(200).json();
        answer["choices"][0]["message"]["content"].as_str().expect("text").to_owned()
    };
    let places = ["France", "Italy", "Japan", "Spain", "Egypt", "Peru", "Kenya", "Norway"];
    let alone: Vec<String> = places.iter().map(|place| ask(place)).collect();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            for (place, expected) in places.iter().zip(&alone) {
                let ask = &ask;
                scope.spawn(move || assert_eq!(&ask(place), expected, "{place}"));
            }
        }
    });
}

// HTTP/2 without TLS.

async fn h2c(server: &Server) -> http2::SendRequest<Full<Bytes>> {
    let socket = tokio::net::TcpStream::connect(server.listen).await.expect("the server accepts connections");
    let (sender, connection) =
        http2::handshake(TokioExecutor::new(), TokioIo::new(socket)).await.expect("the server speaks HTTP/2");
    tokio::spawn(connection);
    sender
}

fn h2_request(server: &Server, method: &str, path: &str, body: &str) -> hyper::Request<Full<Bytes>> {
    hyper::Request::builder()
        .method(method)
        .uri(format!("http://{}{path}", server.listen))
        .header("content-type", "application/json")
        .body(Full::new(Bytes::from(body.to_owned())))
        .expect("a request")
}

#[tokio::test]
async fn http2_serves_many_streams_on_one_connection() {
    let server = Server::shared();
    let mut sender = h2c(&server).await;
    let answer = sender.send_request(h2_request(&server, "GET", "/healthz", "")).await.expect("an answer");
    assert_eq!(answer.status(), 200);

    let body = question(true).to_string();
    let answers: Vec<_> = (0..20)
        .map(|_| {
            let request = h2_request(&server, "POST", CHAT, &body);
            let answer = sender.send_request(request);
            tokio::spawn(async move {
                let answer = answer.await.expect("an answer");
                assert_eq!(answer.status(), 200);
                let body = answer.into_body().collect().await.expect("the whole stream").to_bytes();
                let text = String::from_utf8(body.to_vec()).expect("text");
                assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
                text.lines()
                    .filter_map(|line| serde_json::from_str::<Value>(line.strip_prefix("data: ")?).ok())
                    .filter_map(|event| event["choices"][0]["delta"]["content"].as_str().map(str::to_owned))
                    .collect::<String>()
            })
        })
        .collect();
    let mut texts = BTreeSet::new();
    for answer in answers {
        texts.insert(answer.await.expect("no panic"));
    }
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[tokio::test]
async fn http2_refuses_in_the_dialects_shape() {
    let server = Server::shared();
    let mut sender = h2c(&server).await;
    let answer = sender.send_request(h2_request(&server, "POST", CHAT, "{")).await.expect("an answer");
    assert_eq!(answer.status(), 400);
    assert!(answer.headers().contains_key("x-request-id"));
    let body = answer.into_body().collect().await.expect("the body").to_bytes();
    let body: Value = serde_json::from_slice(&body).expect("JSON");
    assert!(body["error"]["message"].is_string(), "{body}");
}

// Stopping.

#[test]
fn a_stopping_server_finishes_its_streams() {
    let mut server = Setup::default().plugin("versioned.wasm", &versioned("0001", Temper::Good)).start();
    let mut slow = server.connect();
    slow.send("GET", "/versioned/stream", &[], &[]).expect("the request is sent");
    assert_eq!(slow.head().expect("the stream starts").status, 200);
    let mut text = slow.piece().expect("a piece").expect("a piece");
    let mut chat = server.open_stream(CHAT, &question(true));
    let mut idle = server.connect();
    assert_eq!(idle.request("GET", "/healthz", &[], &[]).expect("an answer").status, 200);

    server.terminate();
    eventually("the listener closes, or says that it is not ready", || {
        let Ok(_) = TcpStream::connect(server.listen) else {
            return Some(());
        };
        // Accepted just before it closed; such a connection is answered or ended.
        let answer = Connection::open(server.listen).request("GET", "/readyz", &[], &[]);
        (!answer.is_ok_and(|answer| answer.status == 200)).then_some(())
    });
    text.extend(slow.rest().expect("the stream ends well"));
    assert_eq!(String::from_utf8_lossy(&text), "0001\n".repeat(100));
    let answer = String::from_utf8(chat.rest().expect("the stream ends well")).expect("text");
    assert!(answer.ends_with("data: [DONE]\n\n"), "{answer}");
    let status = server.wait_for_exit();
    assert!(status.success(), "{status}");
}

#[test]
fn a_second_signal_stops_at_once() {
    let mut server = Setup::default().plugin("versioned.wasm", &versioned("0001", Temper::Good)).start();
    let mut slow = server.connect();
    slow.send("GET", "/versioned/stream", &[], &[]).expect("the request is sent");
    assert_eq!(slow.head().expect("the stream starts").status, 200);
    let started = Instant::now();
    server.terminate();
    // Two signals that arrive together are one.
    eventually("the drain begins", || server.log().contains("draining").then_some(()));
    server.terminate();
    server.wait_for_exit();
    assert!(started.elapsed() < Duration::from_secs(2), "it took {:?}", started.elapsed());
}

#[test]
fn an_idle_server_stops_at_once() {
    let mut server = Server::start();
    let _idle = server.connect();
    let started = Instant::now();
    server.terminate();
    let status = server.wait_for_exit();
    assert!(status.success(), "{status}");
    assert!(started.elapsed() < Duration::from_secs(5), "it took {:?}", started.elapsed());
}

// The command line.

/// Runs the binary and returns whether it succeeded, and what it said.
fn run(arguments: &[&str]) -> (bool, String) {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let output = Command::new(env!("CARGO_BIN_EXE_mimus"))
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("the server's binary starts");
    let text = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    (output.status.success(), text)
}

#[test]
fn a_taken_port_is_named() {
    let server = Server::shared();
    let (is_good, text) = run(&["serve", "--listen", &server.listen.to_string()]);
    assert!(!is_good);
    assert!(text.contains(&server.listen.to_string()) && !text.contains("panicked"), "{text}");
}

#[test]
fn a_misspelt_key_in_the_configuration_is_named_with_the_right_one() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let file = folder.path().join("mimus.toml");
    std::fs::write(&file, "[server]\nlistne = \"127.0.0.1:0\"\n").expect("the folder is writable");
    let (is_good, text) = run(&["serve", "--config", file.to_str().expect("a plain path")]);
    assert!(!is_good);
    assert!(text.contains("listne") && text.contains("listen`") || text.contains("`listen"), "{text}");
}

#[test]
fn a_missing_configuration_file_is_named() {
    let (is_good, text) = run(&["serve", "--config", "nowhere.toml"]);
    assert!(!is_good);
    assert!(text.contains("nowhere.toml") && !text.contains("panicked"), "{text}");
}

#[test]
fn models_are_listed_by_the_command_line() {
    let server = Server::shared();
    let models = server.command(&["model", "list"]).to_string();
    assert!(models.contains("mimus-chat"), "{models}");
}

/// Every model folder below `--models` is served under its relative path.
#[test]
fn a_folder_of_models_is_served() {
    let folder = tempfile::tempdir().expect("a temporary folder can be made");
    let model = folder.path().join("some/copy");
    std::fs::create_dir_all(&model).expect("the folder is writable");
    let built_in = repository().join("host/models/mimus-chat");
    for entry in std::fs::read_dir(&built_in).expect("the model is in the repository").flatten() {
        if entry.path().is_file() {
            std::fs::copy(entry.path(), model.join(entry.file_name())).expect("the folder is writable");
        }
    }
    let server = Setup::default().argument("--models").argument(folder.path().to_str().expect("a plain path")).start();
    let mut body = question(false);
    let built_in = server.post(CHAT, &body).expect(200).json();
    body["model"] = json!("some/copy");
    let copy = server.post(CHAT, &body).expect(200).json();
    assert_eq!(copy["choices"], built_in["choices"]);
    server.get("/openai/v1/models/some/copy").expect(200);
    server.get("/openai/v1/models/some%2Fcopy").expect(200);
}
