//! The fetcher against hosts on this machine that behave badly, and names that change.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Mutex;

use reqwest::dns::{Addrs, Name, Resolving};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

/// What a host does after it has read a request.
#[derive(Clone)]
enum Answer {
    /// Sends this and closes.
    Bytes(Vec<u8>),
    /// Sends the first, then the second again and again, each time after so long.
    Endless(Vec<u8>, Vec<u8>, Duration),
}

/// A host on this machine.
struct Host {
    address: SocketAddr,
    /// The heads of the requests that came; an empty one for a connection without any.
    heads: Arc<Mutex<Vec<String>>>,
    task: tokio::task::JoinHandle<()>,
}

impl Host {
    async fn start(ip: IpAddr, port: u16, answer: Answer) -> Host {
        let listener = TcpListener::bind((ip, port)).await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let heads = Arc::new(Mutex::new(Vec::new()));
        let task = tokio::spawn({
            let heads = heads.clone();
            async move {
                while let Ok((stream, _)) = listener.accept().await {
                    tokio::spawn(serve(stream, answer.clone(), heads.clone()));
                }
            }
        });
        Host { address, heads, task }
    }

    /// One that sends these bytes.
    async fn saying(answer: impl AsRef<[u8]>) -> Host {
        Host::start(LOOPBACK, 0, Answer::Bytes(answer.as_ref().to_vec())).await
    }

    fn url(&self) -> String {
        format!("http://{}/picture.jpg", self.address)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().expect("no panic").clone()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn serve(mut stream: TcpStream, answer: Answer, heads: Arc<Mutex<Vec<String>>>) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read_u8().await {
            Ok(byte) => head.push(byte),
            Err(_) => break,
        }
    }
    heads.lock().expect("no panic").push(String::from_utf8_lossy(&head).into_owned());
    match answer {
        Answer::Bytes(bytes) => drop(stream.write_all(&bytes).await),
        Answer::Endless(first, again, pause) => {
            let mut next = first;
            while stream.write_all(&next).await.is_ok() {
                next.clone_from(&again);
                tokio::time::sleep(pause).await;
            }
        }
    }
}

/// Gives one list of addresses after the other, and counts.
#[derive(Clone, Default)]
struct Names {
    answers: Arc<Mutex<VecDeque<Vec<IpAddr>>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Names {
    fn giving(answers: &[&[&str]]) -> Names {
        let parse = |list: &&[&str]| list.iter().map(|address| address.parse().expect("an address")).collect();
        Names { answers: Arc::new(Mutex::new(answers.iter().map(parse).collect())), asked: Arc::default() }
    }

    fn asked(&self) -> Vec<String> {
        self.asked.lock().expect("no panic").clone()
    }
}

impl Resolve for Names {
    fn resolve(&self, name: Name) -> Resolving {
        self.asked.lock().expect("no panic").push(name.as_str().to_owned());
        let answer = self.answers.lock().expect("no panic").pop_front().unwrap_or_default();
        // A port of the resolver's own must not count.
        let addresses = answer.into_iter().map(|ip| SocketAddr::new(ip, 1));
        Box::pin(async move { Ok(Box::new(addresses) as Addrs) })
    }
}

/// Smaller than the real ones, so that tests are quick.
const SMALL: Bounds = Bounds { connect: Duration::from_secs(3), whole: Duration::from_secs(10), bytes: 100_000 };

fn fetcher(places: &[&str], bounds: Bounds, names: &Names) -> Fetcher {
    let allow = places.iter().map(|place| place.parse().expect("a place")).collect();
    Fetcher::build(FetchRules { allow }, bounds, Arc::new(names.clone())).expect("certificates")
}

/// Fetches from a host that the operator named by its address.
async fn fetch(host: &Host) -> Result<Bytes, MediaError> {
    let place = format!("http://{}", host.address);
    fetcher(&[&place], SMALL, &Names::default()).fetch(&host.url()).await
}

fn ok(body: &[u8]) -> Vec<u8> {
    [format!("HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n", body.len()).as_bytes(), body].concat()
}

#[tokio::test]
async fn nothing_is_fetched_by_default() {
    let fetcher = Fetcher::new(FetchRules::default()).expect("needs no certificates");
    for url in ["https://example.com/a.jpg", "http://127.0.0.1/", "file:///etc/passwd", ""] {
        let error = fetcher.fetch(url).await.expect_err(url);
        assert!(matches!(&error, MediaError::Refused(message) if message.contains("base64")), "{url}: {error}");
    }
}

#[tokio::test]
async fn a_file_at_a_named_place_comes_as_it_is() {
    let body: Vec<u8> = (0..100_000_u32).map(|at| at as u8).collect();
    let host = Host::saying(ok(&body)).await;
    assert_eq!(fetch(&host).await.as_deref(), Ok(&body[..]), "as large as allowed");
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n";
    assert_eq!(fetch(&Host::saying(chunked).await).await.as_deref(), Ok(&b"abcde"[..]));
    assert_eq!(
        fetch(&Host::saying("HTTP/1.1 200 OK\r\n\r\nuntil the end").await).await.as_deref(),
        Ok(&b"until the end"[..])
    );

    let [head] = &host.heads()[..] else { panic!("one request") };
    let head = head.to_ascii_lowercase();
    assert!(head.starts_with("get /picture.jpg http/1.1\r\n"), "{head}");
    assert!(head.contains("accept-encoding: identity\r\n") && head.contains("accept: image/*\r\n"), "{head}");
    assert!(!head.contains("cookie") && !head.contains("referer") && !head.contains("authorization"), "{head}");
}

#[tokio::test]
async fn bad_answers_are_errors() {
    let large = "HTTP/1.1 200 OK\r\ncontent-length: 30000000\r\n\r\n";
    let over = ok(&[0; 100_001]);
    let chunked =
        [&b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n186a1\r\n"[..], &[0; 100_001], b"\r\n0\r\n\r\n"]
            .concat();
    let closed = [&b"HTTP/1.1 200 OK\r\n\r\n"[..], &[0; 100_001]].concat();
    for (answer, expect) in [
        (large.as_bytes(), "more than"),
        (&over, "more than"),
        (&chunked, "more than"),
        (&closed, "more than"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", "empty"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", "empty"),
        (b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n", "answered 404"),
        (b"HTTP/1.1 500 Oops\r\ncontent-length: 0\r\n\r\n", "answered 500"),
        (b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 3\r\n\r\nabc", "compressed"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\ncut short", "broke off"),
        (b"HTTP/1.1 200 OK\r\ncontent-length: -5\r\n\r\nabc", "broke off"),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n+5\r\nabcde", "broke off"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "broke off"),
        (b"", "broke off"),
    ] {
        let error = fetch(&Host::saying(answer).await).await.expect_err(expect).to_string();
        assert!(error.contains(expect), "{}: {error}", answer[..answer.len().min(80)].escape_ascii());
        assert!(!error.contains("127.0.0.1"), "{error}");
    }
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let inside = Host::saying(ok(b"secret")).await;
    for status in [301, 302, 303, 307, 308] {
        let location = format!("HTTP/1.1 {status} Moved\r\nlocation: {}\r\ncontent-length: 0\r\n\r\n", inside.url());
        let error = fetch(&Host::saying(location).await).await.expect_err("a redirect");
        assert!(matches!(&error, MediaError::Unreachable(message) if message.contains("redirects")), "{error}");
    }
    assert!(inside.heads().is_empty());
}

#[tokio::test]
async fn endless_bodies_end() {
    let head = b"HTTP/1.1 200 OK\r\n\r\n".to_vec();
    let fast = Host::start(LOOPBACK, 0, Answer::Endless(head.clone(), vec![0; 10_000], Duration::ZERO)).await;
    assert!(matches!(fetch(&fast).await, Err(MediaError::TooLarge(_))));

    let slow = Answer::Endless(head, vec![0], Duration::from_millis(10));
    let silent = Answer::Endless(Vec::new(), Vec::new(), Duration::from_secs(3_600));
    let dripping_head =
        Answer::Endless(b"HTTP/1.1 200 OK\r\n".to_vec(), b"x: y\r\n".to_vec(), Duration::from_millis(10));
    for answer in [slow, silent, dripping_head] {
        let host = Host::start(LOOPBACK, 0, answer).await;
        let bounds = Bounds { whole: Duration::from_millis(200), ..SMALL };
        let fetcher = fetcher(&[&format!("http://{}", host.address)], bounds, &Names::default());
        let error = fetcher.fetch(&host.url()).await.expect_err("it never ends");
        assert!(matches!(&error, MediaError::Unreachable(message) if message.contains("took")), "{error}");
    }
}

#[tokio::test]
async fn hosts_that_are_not_there_are_unreachable() {
    let host = Host::saying("").await;
    let url = host.url();
    let place = format!("http://{}", host.address);
    host.task.abort();
    while TcpStream::connect(host.address).await.is_ok() {}
    let error = fetcher(&[&place], SMALL, &Names::default()).fetch(&url).await.expect_err("nobody listens");
    assert!(matches!(error, MediaError::Unreachable(_)), "{error}");
}

#[tokio::test]
async fn wildcards_do_not_lead_into_this_network() {
    let host = Host::saying(ok(b"secret")).await;
    let port = host.address.port();
    let (any, below) = (format!("http://*:{port}"), format!("http://*.example:{port}"));
    for url in [
        "127.0.0.1",
        "2130706433",
        "0x7f.1",
        "0177.1",
        "127.1",
        "[::ffff:127.0.0.1]",
        "[::1]",
        "0.0.0.0",
        "169.254.169.254",
        "[64:ff9b::7f00:1]",
    ] {
        let names = Names::default();
        let error = fetcher(&[&any], SMALL, &names).fetch(&format!("http://{url}:{port}/")).await.expect_err(url);
        assert!(matches!(&error, MediaError::Refused(message) if message.contains("not public")), "{url}: {error}");
        assert!(names.asked().is_empty());
    }
    for addresses in
        [&["127.0.0.1"][..], &["10.0.0.1", "::1", "169.254.169.254", "0.0.0.0"], &["::ffff:127.0.0.1"], &[]]
    {
        for place in [&any, &below] {
            let names = Names::giving(&[addresses, &["127.0.0.1"]]);
            let error = fetcher(&[place], SMALL, &names)
                .fetch(&format!("http://evil.example:{port}/"))
                .await
                .expect_err("inside");
            assert!(matches!(&error, MediaError::Refused(message) if message.contains("not public")), "{error}");
            assert_eq!(names.asked(), ["evil.example"], "asked once");
        }
    }
    assert!(host.heads().is_empty());
}

#[tokio::test]
async fn addresses_that_no_place_admits_are_refused() {
    let host = Host::saying(ok(b"secret")).await;
    let names = Names::giving(&[&["127.0.0.1"]]);
    let fetcher = fetcher(&["https://*", "http://named.example:1"], SMALL, &names);
    for url in [
        host.url().as_str(),
        "http://named.example/",
        "https://named.example:1/",
        "https://a.example:8443/",
        "https://ok@127.0.0.1/",
        "https://ok\\@evil/",
        "file:///etc/passwd",
        "gopher://127.0.0.1/",
        "",
    ] {
        assert!(matches!(fetcher.fetch(url).await, Err(MediaError::Refused(_))), "{url}");
    }
    assert!(host.heads().is_empty() && names.asked().is_empty());
}

#[tokio::test]
async fn a_named_host_may_be_in_this_network_but_not_on_its_cable() {
    let host = Host::saying(ok(b"picture")).await;
    let port = host.address.port();
    let (place, url) = (format!("http://cameras.example:{port}"), format!("http://cameras.example:{port}/1"));
    let names = Names::giving(&[&["169.254.169.254", "0.0.0.0", "127.0.0.1"], &["169.254.169.254"]]);
    let fetcher = fetcher(&["https://*", &place], SMALL, &names);
    assert_eq!(fetcher.fetch(&url).await.as_deref(), Ok(&b"picture"[..]));
    assert!(matches!(fetcher.fetch(&url).await, Err(MediaError::Refused(_))));
    assert_eq!(host.heads().len(), 1);
}

#[tokio::test]
async fn a_name_that_changes_after_the_check_changes_nothing() {
    let checked = Host::saying(ok(b"checked")).await;
    let port = checked.address.port();
    let other = Host::start(IpAddr::from([127, 0, 0, 2]), port, Answer::Bytes(ok(b"other"))).await;
    let names = Names::giving(&[&["127.0.0.1"], &["127.0.0.2"], &["127.0.0.2"]]);
    let fetcher = fetcher(&[&format!("http://flip.example:{port}")], SMALL, &names);
    let url = format!("http://flip.example:{port}/");
    assert_eq!(fetcher.fetch(&url).await.as_deref(), Ok(&b"checked"[..]));
    assert_eq!(names.asked().len(), 1, "one lookup serves the check and the connection");
    assert!(other.heads().is_empty());
    // A later fetch is checked anew: no connection is kept for it.
    assert_eq!(fetcher.fetch(&url).await.as_deref(), Ok(&b"other"[..]));
    assert_eq!((names.asked().len(), checked.heads().len()), (2, 1));
}

#[tokio::test]
async fn of_public_and_private_addresses_only_the_public_are_left() {
    let names = Names::giving(&[&["10.0.0.1", "1.1.1.1", "::1", "2606:4700::1111", "127.0.0.1"]]);
    let checked = Checked::new(Arc::new(names), Network::Public);
    let left = checked.resolve("mixed.example".parse().expect("a name")).await.expect("two are public");
    let left: Vec<String> = left.map(|address| address.to_string()).collect();
    assert_eq!(left, ["1.1.1.1:0", "[2606:4700::1111]:0"]);
}

#[tokio::test]
async fn more_than_so_many_at_once_wait_for_their_turn() {
    let host = Host::saying(ok(b"picture")).await;
    let fetcher = fetcher(&[&format!("http://{}", host.address)], SMALL, &Names::default());
    let all = fetcher.turns.acquire_many(limits::FETCHES_AT_ONCE as u32).await.expect("as many turns");
    let url = host.url();
    let mut waiting = Box::pin(fetcher.fetch(&url));
    assert!(tokio::time::timeout(Duration::from_millis(50), &mut waiting).await.is_err());
    assert!(host.heads().is_empty());
    drop(all);
    assert_eq!(waiting.await.as_deref(), Ok(&b"picture"[..]));
}

#[test]
fn a_list_of_too_many_places_is_refused() {
    let place: Place = "*".parse().expect("a place");
    let rules = |count: usize| FetchRules { allow: vec![place.clone(); count] };
    assert!(Fetcher::new(rules(limits::PLACES_MAX)).is_ok());
    assert_eq!(Fetcher::new(rules(limits::PLACES_MAX + 1)).err(), Some(FetcherError::Places(limits::PLACES_MAX + 1)));
}
