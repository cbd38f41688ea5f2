//! Promise two: plugins are added, replaced, broken, repaired and deleted while clients use them, and a guest that misbehaves hurts its
//! own request alone.

#[path = "harness/mod.rs"]
mod harness;

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use harness::client::Connection;
use harness::component::{bundled, with_custom_section};
use harness::server::{Server, Setup};
use harness::{eventually, repository};
use mimus_test_guests::{CORE_MODULE, FAULTS, Temper, UNKNOWN_IMPORT, WRONG_WORLD, versioned};
use serde_json::{Value, json};

/// Swaps under load in one test; `MIMUS_TEST_SWAPS` asks for more.
fn swaps() -> usize {
    std::env::var("MIMUS_TEST_SWAPS").map_or(200, |count| count.parse().expect("MIMUS_TEST_SWAPS is a count"))
}

/// Longest time in which a guest that loops must be ended, on a machine that is busy besides.
const SPIN_ENDS_WITHIN: Duration = Duration::from_secs(20);

fn good(version: &str) -> Vec<u8> {
    versioned(version, Temper::Good)
}

/// The version that answers now; none while the plugin is not there.
fn version(server: &Server) -> Option<String> {
    let answer = server.get("/versioned/version");
    (answer.status == 200).then(|| answer.text())
}

#[track_caller]
fn wait_for_version(server: &Server, wanted: &str) {
    eventually(&format!("version {wanted} answers"), || version(server).filter(|version| version == wanted));
}

fn last_error(server: &Server) -> Option<String> {
    server.plugin("versioned")?["last_error"].as_str().map(str::to_owned)
}

fn is_deleted(plugin: &Value) -> bool {
    plugin["state"].as_str().is_some_and(|state| state.contains("deleted"))
}

#[test]
fn a_plugin_is_added_replaced_and_deleted() {
    let server = Server::start();
    server.get("/versioned/version").expect(404);

    server.install("versioned.wasm", &good("0001"));
    wait_for_version(&server, "0001");
    let first = server.plugin("versioned").expect("it is listed");
    assert_eq!(first["version"], "0.0.1", "{first}");
    assert!(first["hash"].as_str().is_some_and(|hash| hash.len() >= 12), "{first}");
    assert!(first["state"].is_string(), "{first}");
    assert_eq!(first["last_error"], Value::Null, "{first}");

    server.install("versioned.wasm", &good("0002"));
    wait_for_version(&server, "0002");
    let second = server.plugin("versioned").expect("it is listed");
    assert_eq!(second["version"], "0.0.2", "{second}");
    assert_ne!(second["hash"], first["hash"]);
    let listed = server.command(&["plugin", "list"])["plugins"].as_array().expect("a list of plugins").clone();
    assert!(listed.contains(&second), "the command line says something else: {listed:?}");

    server.overwrite("versioned.wasm", &good("0003"));
    wait_for_version(&server, "0003");
    let told = server.get("/_mimus/plugins").expect(200).json();
    let swaps: Vec<(&Value, &Value)> =
        told["swaps"].as_array().expect("a history").iter().map(|swap| (&swap["before"], &swap["version"])).collect();
    let (first, second, third) = (&json!("0.0.1"), &json!("0.0.2"), &json!("0.0.3"));
    assert_eq!(swaps, [(second, third), (first, second), (&Value::Null, first)], "newest first: {told}");

    // A file that is deleted takes nothing away: it may be on its way to being replaced.
    server.remove("versioned.wasm");
    eventually("the deletion is told of", || server.plugin("versioned").filter(is_deleted));
    assert_eq!(version(&server).as_deref(), Some("0003"));
    server.install("versioned.wasm", &good("0004"));
    wait_for_version(&server, "0004");
}

#[test]
fn a_plugin_that_is_there_from_the_start_serves() {
    let server = Setup::default().plugin("any-file-name.wasm", &good("0042")).start();
    assert_eq!(version(&server).as_deref(), Some("0042"));
}

#[test]
fn a_running_stream_ends_on_the_version_it_began_with() {
    let server = Setup::default().plugin("versioned.wasm", &good("0001")).start();
    let mut stream = server.connect();
    stream.send("GET", "/versioned/stream", &[], &[]).expect("the request is sent");
    assert_eq!(stream.head().expect("the stream starts").status, 200);
    let mut text = stream.piece().expect("a piece").expect("a piece");

    server.install("versioned.wasm", &good("0002"));
    wait_for_version(&server, "0002");
    server.remove("versioned.wasm");

    text.extend(stream.rest().expect("the stream ends well"));
    assert_eq!(String::from_utf8_lossy(&text), "0001\n".repeat(100));
}

/// Every bad file: the old version goes on, the list says why, and the next good file is taken without a restart.
#[test]
fn a_bad_file_keeps_the_old_version() {
    let whole = good("9999");
    let bad: Vec<(&str, Vec<u8>)> = vec![
        ("empty", Vec::new()),
        ("half written", whole[..whole.len() / 2].to_vec()),
        ("without its last byte", whole[..whole.len() - 1].to_vec()),
        ("text", b"this is no WebAssembly".to_vec()),
        ("another format", b"\x7fELF\x02\x01\x01\0 and so on".to_vec()),
        ("a core module", CORE_MODULE.to_vec()),
        ("the wrong world", WRONG_WORLD.to_vec()),
        ("an unknown import", UNKNOWN_IMPORT.to_vec()),
        ("conflicting routes", versioned("9999", Temper::ConflictingRoutes)),
        ("a failing self-test", versioned("9999", Temper::FailingSelfTest)),
        ("a trap in describe", versioned("9999", Temper::TrapInDescribe)),
        ("a loop in describe", versioned("9999", Temper::SpinInDescribe)),
        ("an OpenAPI fragment that is no JSON", versioned("9999", Temper::BadOpenapi)),
        ("a bad name", versioned("9999", Temper::BadName)),
        ("noise inside", {
            let mut noise = whole.clone();
            let middle = noise.len() / 2;
            noise[middle..middle + 512].fill(0xff);
            noise
        }),
        ("20 MiB", vec![0; 20 << 20]),
    ];
    let server = Setup::default().plugin("versioned.wasm", &good("0000")).start();
    let mut current = "0000".to_owned();
    for (index, (case, bytes)) in bad.iter().enumerate() {
        server.overwrite("versioned.wasm", bytes);
        let error = eventually(&format!("the list tells of the bad file: {case}"), || last_error(&server));
        assert!(!error.is_empty() && !error.contains('\n'), "{case}: {error:?}");
        assert_eq!(version(&server).as_ref(), Some(&current), "{case}: the old version is gone ({error})");

        current = format!("{:04}", index + 1);
        server.install("versioned.wasm", &good(&current));
        wait_for_version(&server, &current);
        eventually(&format!("the error is forgotten after: {case}"), || last_error(&server).is_none().then_some(()));
    }
    server.get("/healthz").expect(200);
}

#[test]
fn a_bad_file_at_the_start_does_not_keep_the_server_down() {
    let server = Setup::default().plugin("garbage.wasm", b"garbage").plugin("versioned.wasm", &good("0001")).start();
    assert_eq!(version(&server).as_deref(), Some("0001"));
    let plugins = server.command(&["plugin", "list"]).to_string();
    assert!(plugins.contains("garbage"), "the bad file is shown: {plugins}");
}

/// Things in the folder that are no plugin files.
#[test]
fn strange_entries_in_the_folder_are_left_alone() {
    let server = Setup::default().plugin("versioned.wasm", &good("0001")).start();
    let folder = &server.plugins;
    fs::create_dir(folder.join("folder.wasm")).expect("the folder is writable");
    fs::write(folder.join("README.md"), "no plugin").expect("the folder is writable");
    std::os::unix::fs::symlink("/etc/passwd", folder.join("passwd.wasm")).expect("the folder is writable");
    std::os::unix::fs::symlink("nowhere.wasm", folder.join("dangling.wasm")).expect("the folder is writable");
    let fifo = std::process::Command::new("mkfifo").arg(folder.join("fifo.wasm")).status().expect("mkfifo starts");
    assert!(fifo.success());
    let huge = fs::File::create(folder.join("huge.wasm")).expect("the folder is writable");
    huge.set_len(1 << 30).expect("sparse files can be made");
    // The watcher has seen all of it when it sees what comes last.
    server.install("versioned.wasm", &good("0002"));
    wait_for_version(&server, "0002");
    assert!(!server.command(&["plugin", "list"]).to_string().contains("root:"), "a file outside the folder was shown");
}

/// The bundled dialect itself is replaced, broken, repaired and deleted while clients talk through it.
#[test]
fn a_bundled_dialect_is_swapped_while_clients_stream() {
    let bundled = bundled("mimus-openai");
    // The same plugin under another hash: a custom section changes nothing.
    let copy = with_custom_section(bundled, b"a copy");
    let server = Server::start();
    let hash = |server: &Server| server.plugin("openai").map(|plugin| plugin["hash"].clone()).unwrap_or_default();
    let bundled_hash = hash(&server);
    let load = Load::start(server.listen, 2, |connection| {
        let body = json!({
            "model": "mimus-chat", "stream": true, "temperature": 0,
            "messages": [{"role": "user", "content": "What is the capital of France?"}],
        });
        let answer = connection
            .request(
                "POST",
                "/openai/v1/chat/completions",
                &[("content-type", "application/json")],
                body.to_string().as_bytes(),
            )
            .map_err(|error| error.to_string())?;
        let text = answer.text();
        match answer.status == 200 && text.ends_with("data: [DONE]\n\n") {
            true => Ok(text.matches("\"content\":\"").count().to_string()),
            false => Err(format!("{} {text}", answer.status)),
        }
    });
    server.install("openai.wasm", &copy);
    eventually("the copy is live", || (hash(&server) != bundled_hash).then_some(()));
    let copy_hash = hash(&server);
    server.overwrite("openai.wasm", &copy[..copy.len() / 3]);
    eventually("the broken file is told of", || {
        server.plugin("openai").filter(|plugin| plugin["last_error"].is_string())
    });
    assert_eq!(hash(&server), copy_hash);
    server.overwrite("openai.wasm", &with_custom_section(bundled, b"repaired"));
    eventually("the repaired file is live", || (hash(&server) != copy_hash).then_some(()));
    server.remove("openai.wasm");
    eventually("the deletion is told of", || server.plugin("openai").filter(is_deleted));
    server.install("openai.wasm", bundled);
    eventually("the bundled content is back", || (hash(&server) == bundled_hash).then_some(()));
    load.wait_for(10);
    let answers = load.stop();
    assert_eq!(answers.len(), 1, "the answers differ: {answers:?}");
}

#[test]
fn swaps_under_load_lose_and_mix_nothing() {
    let versions = [good("000A"), good("000B")];
    let server = Setup::default().plugin("versioned.wasm", &versions[1]).start();
    let load = Load::start(server.listen, 3, |connection| {
        let answer = connection.request("GET", "/versioned/version", &[], &[]).map_err(|error| error.to_string())?;
        if answer.status == 200 { Ok(answer.text()) } else { Err(format!("{} {}", answer.status, answer.text())) }
    });
    let streams = Load::start(server.listen, 2, |connection| {
        let answer = connection.request("GET", "/versioned/stream", &[], &[]).map_err(|error| error.to_string())?;
        let text = answer.text();
        let lines: BTreeSet<&str> = text.lines().collect();
        match lines.len() == 1 && text.lines().count() == 100 {
            true => Ok(text.lines().next().unwrap_or_default().to_owned()),
            false => Err(format!("{} {text}", answer.status)),
        }
    });
    for swap in 0..swaps() {
        server.install("versioned.wasm", &versions[swap % 2]);
        wait_for_version(&server, ["000A", "000B"][swap % 2]);
    }
    for load in [load, streams] {
        let seen = load.stop();
        assert!(seen.iter().all(|version| version == "000A" || version == "000B"), "{seen:?}");
    }
}

/// What must come of each route of the guest `faults`.
enum Outcome {
    /// This status, in the shape that the guest's manifest gives to the host's refusals.
    Status(&'static [u16]),
    /// A body that is cut off.
    CutOff,
    /// A body that flows as long as it is read; so many bytes are.
    Flows(usize),
    /// No answer while we wait; the client leaves.
    NoAnswer,
}

/// Every route of the guest.
const OUTCOMES: &[(&str, Outcome)] = &[
    ("/ok", Outcome::Status(&[200])),
    ("/trap", Outcome::Status(&[500])),
    ("/late-trap", Outcome::CutOff),
    ("/spin", Outcome::Status(&[500, 504])),
    ("/grow", Outcome::Status(&[500])),
    ("/recurse", Outcome::Status(&[500])),
    ("/flood-calls", Outcome::Status(&[500, 504])),
    ("/leak-handles", Outcome::Status(&[500])),
    ("/flood-log", Outcome::Status(&[200])),
    ("/huge-reply", Outcome::Status(&[500])),
    ("/endless", Outcome::Flows(8 << 20)),
    ("/silent", Outcome::Status(&[500])),
    ("/never", Outcome::NoAnswer),
    ("/socket", Outcome::Status(&[500])),
    ("/alive", Outcome::Flows(24)),
];

#[test]
fn a_misbehaving_guest_fails_alone() {
    let server = Setup::default().plugin("faults.wasm", FAULTS).plugin("versioned.wasm", &good("0001")).start();
    let before_kib = server.resident_kib();
    let neighbours = Load::start(server.listen, 2, |connection| {
        let answer = connection.request("GET", "/versioned/version", &[], &[]).map_err(|error| error.to_string())?;
        if answer.status == 200 { Ok(answer.text()) } else { Err(format!("{} {}", answer.status, answer.text())) }
    });
    for round in 0..3 {
        for (path, outcome) in OUTCOMES {
            let started = Instant::now();
            let case = format!("{path}, round {round}");
            misbehave(&server, path, outcome, &case);
            assert!(started.elapsed() < SPIN_ENDS_WITHIN, "{case} took {:?}", started.elapsed());
            assert_eq!(server.get("/faults/ok").expect(200).text(), "ok", "after {case}");
        }
    }
    assert_eq!(neighbours.stop(), BTreeSet::from(["0001".to_owned()]));
    let after_kib = server.resident_kib();
    assert!(after_kib <= before_kib + (160 << 10), "{before_kib} KiB before, {after_kib} KiB after");
    let log = server.log();
    assert!(log.matches("flood ").count() < 5_000, "the flood reached the log");
    assert!(!log.contains('\u{1b}') || !log.contains("\u{1b}[31mred"), "control characters reached the log");
}

fn misbehave(server: &Server, path: &str, outcome: &Outcome, case: &str) {
    let mut connection = server.connect();
    connection.send("GET", &format!("/faults{path}"), &[], &[]).expect("the request is sent");
    match outcome {
        Outcome::Status(statuses) => {
            let answer = connection.answer().unwrap_or_else(|error| panic!("{case}: {error}"));
            assert!(statuses.contains(&answer.status), "{case}: {} {}", answer.status, answer.text());
            if answer.status != 200 {
                let body = answer.json();
                assert_eq!(body["status"], answer.status, "{case}: {body}");
                let message = body["fault"].as_str().unwrap_or_else(|| panic!("{case}: {body}"));
                assert!(
                    !message.contains("wasm") && !message.contains(".rs"),
                    "{case}: the client sees our insides: {message}"
                );
            }
        }
        // Cut off after the head, or before it where the guest failed so soon that nothing had been sent.
        Outcome::CutOff => {
            if let Ok(head) = connection.head() {
                assert_eq!(head.status, 200, "{case}");
                assert!(connection.rest().is_err(), "{case}: the body must not end as if it were whole");
            }
        }
        Outcome::Flows(bytes) => {
            assert_eq!(connection.head().expect("the answer starts").status, 200);
            let mut read = 0;
            while read < *bytes {
                read += connection.piece().expect("the body flows").expect("the body flows").len();
            }
        }
        Outcome::NoAnswer => {
            // Some of the time in which an answer would have come.
            std::thread::sleep(Duration::from_millis(300));
        }
    }
}

/// A reader that never reads: the guest is held back instead of the server's memory growing.
#[test]
fn readers_that_never_read_hold_their_guests_back() {
    let server = Setup::default().plugin("faults.wasm", FAULTS).start();
    let before_kib = server.resident_kib();
    let mut connections: Vec<Connection> = (0..20).map(|_| server.connect()).collect();
    for connection in &mut connections {
        connection.send("GET", "/faults/endless", &[], &[]).expect("the request is sent");
        assert_eq!(connection.head().expect("the answer starts").status, 200);
    }
    for _ in 0..50 {
        server.get("/healthz").expect(200);
        std::thread::sleep(Duration::from_millis(20));
    }
    let after_kib = server.resident_kib();
    assert!(after_kib <= before_kib + 20 * (4 << 10), "{before_kib} KiB before, {after_kib} KiB after");
    drop(connections);
    server.get("/faults/ok").expect(200);
}

/// Many loops at once: other routes are answered meanwhile, and all loops are ended.
#[test]
fn loops_do_not_starve_the_server() {
    let server = Setup::default().plugin("faults.wasm", FAULTS).plugin("versioned.wasm", &good("0001")).start();
    let mut spinning: Vec<Connection> = (0..8).map(|_| server.connect()).collect();
    for connection in &mut spinning {
        connection.send("GET", "/faults/spin", &[], &[]).expect("the request is sent");
    }
    let mut slowest = Duration::ZERO;
    for _ in 0..20 {
        let started = Instant::now();
        server.get("/healthz").expect(200);
        assert_eq!(version(&server).as_deref(), Some("0001"));
        slowest = slowest.max(started.elapsed());
    }
    println!("slowest answer beside 8 loops: {slowest:?}");
    assert!(slowest < Duration::from_secs(5), "the loops held the server up for {slowest:?}");
    for connection in &mut spinning {
        let answer = connection.answer().expect("the loop is answered for");
        assert!([500, 504].contains(&answer.status), "{} {}", answer.status, answer.text());
    }
}

#[test]
fn a_thousand_traps_leave_nothing_behind() {
    let server = Setup::default().plugin("faults.wasm", FAULTS).start();
    let trap = |connection: &mut Connection| {
        let answer = connection.request("GET", "/faults/trap", &[], &[]).map_err(|error| error.to_string())?;
        if answer.status == 500 { Ok(String::new()) } else { Err(answer.text()) }
    };
    let warm = Load::start(server.listen, 4, trap);
    warm.wait_for(200);
    warm.stop();
    let before_kib = server.resident_kib();
    let load = Load::start(server.listen, 4, trap);
    load.wait_for(1_000);
    load.stop();
    let after_kib = server.resident_kib();
    assert!(after_kib <= before_kib + (32 << 10), "{before_kib} KiB before, {after_kib} KiB after");
}

/// A guest without a case is a guest that nobody watches.
#[test]
fn every_fault_has_its_case() {
    let source =
        fs::read_to_string(repository().join("tests/guests/faults/src/lib.rs")).expect("the guest's source is there");
    let routes: Vec<&str> =
        source.lines().filter_map(|line| line.trim().strip_prefix(".get(\"")?.split('"').next()).collect();
    assert!(!routes.is_empty());
    for route in &routes {
        assert!(OUTCOMES.iter().any(|(path, _)| path == route), "{route} has no case");
    }
    assert_eq!(routes.len(), OUTCOMES.len());
}

/// Threads that send one request after the other until they are stopped; the first failure ends the test.
struct Load {
    threads: Vec<std::thread::JoinHandle<Result<BTreeSet<String>, String>>>,
    is_over: std::sync::Arc<AtomicBool>,
    count: std::sync::Arc<AtomicUsize>,
}

impl Load {
    /// `ask` sends one request on a connection that is kept, and says what came back, or what was wrong with it.
    fn start<A>(address: SocketAddr, threads: usize, ask: A) -> Self
    where
        A: Fn(&mut Connection) -> Result<String, String> + Clone + Send + 'static,
    {
        let is_over = std::sync::Arc::new(AtomicBool::new(false));
        let count = std::sync::Arc::new(AtomicUsize::new(0));
        let thread = |_| {
            let (ask, is_over, count) = (ask.clone(), is_over.clone(), count.clone());
            std::thread::spawn(move || {
                let mut connection = Connection::open(address);
                let mut seen = BTreeSet::new();
                while !is_over.load(Ordering::Relaxed) {
                    seen.insert(ask(&mut connection)?);
                    count.fetch_add(1, Ordering::Relaxed);
                }
                Ok(seen)
            })
        };
        let threads = (0..threads).map(thread).collect();
        Self { threads, is_over, count }
    }

    /// Waits until so many requests have been answered, or one has failed.
    fn wait_for(&self, requests: usize) {
        eventually("the load goes on", || {
            let is_enough = self.count.load(Ordering::Relaxed) >= requests;
            (is_enough || self.threads.iter().any(|thread| thread.is_finished())).then_some(())
        });
    }

    /// Stops the load and returns the different answers that came. Fails when a request failed.
    fn stop(self) -> BTreeSet<String> {
        self.is_over.store(true, Ordering::Relaxed);
        let mut seen = BTreeSet::new();
        for thread in self.threads {
            seen.extend(
                thread
                    .join()
                    .expect("the load's thread does not panic")
                    .unwrap_or_else(|error| panic!("a request failed: {error}")),
            );
        }
        println!("{} requests", self.count.load(Ordering::Relaxed));
        seen
    }
}
