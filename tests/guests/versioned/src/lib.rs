//! A personality that answers with its version, and whose version and temper stand in its bytes for a test to patch: one build gives
//! as many versions as a test wants, and every fault that shows only at load time.

use std::hint::black_box;
use std::time::Duration;

use mimus_sdk::{About, Dialect, DialectError, ErrorStyle, Reply, Request, Response, Routes, WriteError, state};

/// `MIMUS-GUEST-MARK`, then four characters of version, then one of temper. Patched by `mimus_test_guests::versioned`.
static MARK: [u8; 21] = *b"MIMUS-GUEST-MARK0001.";

struct Versioned;

impl Dialect for Versioned {
    type Error = Failure;

    fn about(&self) -> About {
        match temper() {
            b't' => panic!("this guest panics on purpose in describe"),
            b's' => loop {
                black_box(0);
            },
            b'j' => About::new("versioned", "0.0.1", "has no OpenAPI").openapi("{"),
            b'n' => About::new("Not A Name", "0.0.1", "has no name"),
            _ => About::new(
                "versioned",
                &format!("0.0.{}", version().trim_start_matches('0')),
                "answers with its version",
            ),
        }
        .error_style(ErrorStyle::json(r#"{"message":$message}"#))
    }

    fn routes(&self) -> Routes<Failure> {
        let routes = Routes::new().get("/version", say).get("/stream", stream).get("/{name}/twice", say);
        match temper() {
            b'c' => routes.get("/{other}/twice", say),
            _ => routes,
        }
    }

    fn self_test(&self) -> Result<(), String> {
        match temper() {
            b'f' => Err("this guest fails its self-test on purpose".to_owned()),
            _ => Ok(()),
        }
    }
}

mimus_sdk::personality!(Versioned);

/// The version on one line.
fn say(_: &Request, response: &mut Response) -> Result<(), Failure> {
    if temper() == b'a' {
        panic!("this version traps on every request");
    }
    Ok(response.text(200, version())?)
}

/// The version a hundred times, slowly.
fn stream(_: &Request, response: &mut Response) -> Result<(), Failure> {
    let key = mimus_sdk::random::id(16);
    let _held = state::acquire(&key, Duration::ZERO)?;
    let mut body = response.stream(200, "text/plain")?;
    for _ in 0..100 {
        body.write(format!("{}\n", version()).as_bytes())?;
        // Held by ourselves, so this waits its time and fails: the contract has no sleep, and needs none but here.
        if state::acquire(&key, Duration::from_millis(20)).is_ok() {
            return Err(Failure("a lease was given twice".to_owned()));
        }
    }
    Ok(())
}

fn version() -> &'static str {
    // Behind a black box, so that the compiler leaves the mark where the test finds it.
    str::from_utf8(&black_box(&MARK)[16..20]).expect("the patched version is ASCII")
}

fn temper() -> u8 {
    black_box(&MARK)[20]
}

/// What went wrong, for the test to read.
struct Failure(String);

impl DialectError for Failure {
    fn reply(&self) -> Reply {
        Reply::text(500, &self.0)
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        Failure(format!("{error:?}"))
    }
}

impl From<state::Error> for Failure {
    fn from(error: state::Error) -> Self {
        Failure(format!("{error:?}"))
    }
}
