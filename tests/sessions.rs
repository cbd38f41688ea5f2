//! Conversations that the server keeps: what a turn costs, what survives a crash, and that none hears another.

#[path = "harness/mod.rs"]
mod harness;

use std::collections::BTreeMap;

use harness::client::Connection;
use harness::component::{bundled, with_custom_section};
use harness::eventually;
use harness::server::{Server, Setup};
use serde_json::{Value, json};

const INTERACTIVE: &str = "/lmdeploy/v1/chat/interactive";

/// Positions of one block of the engine's cache, of which whole ones are shared.
const BLOCK_TOKENS: u64 = 32;

/// Restarts in one test; `MIMUS_TEST_RESTARTS` asks for more.
fn restarts() -> usize {
    std::env::var("MIMUS_TEST_RESTARTS").map_or(10, |count| count.parse().expect("MIMUS_TEST_RESTARTS is a count"))
}

fn turn_of(session: usize, prompt: &str) -> Value {
    json!({
        "prompt": prompt, "session_id": session, "interactive_mode": true, "request_output_len": 12, "top_k": 1,
        "ignore_eos": true,
    })
}

/// One whole turn.
fn turn(server: &Server, session: usize, prompt: &str) -> Value {
    let answer = server.post(INTERACTIVE, &turn_of(session, prompt)).expect(200).json();
    assert_eq!(answer["tokens"], 12, "{answer}");
    answer
}

fn number(answer: &Value, field: &str) -> u64 {
    answer[field].as_u64().unwrap_or_else(|| panic!("no {field} in {answer}"))
}

/// Tokens of the session after that turn.
fn total(answer: &Value) -> u64 {
    number(answer, "history_tokens") + number(answer, "input_tokens") + number(answer, "tokens")
}

fn computed(server: &Server) -> u64 {
    let sample = "mimus_computed_prompt_tokens_total{model=\"mimus-chat\"}";
    server.metric(sample).expect("the model reports what it computed") as u64
}

fn running(server: &Server) -> f64 {
    server.metric("mimus_engine_running_sequences{model=\"mimus-chat\"}").expect("the model reports what it does")
}

#[test]
fn a_turn_costs_its_own_tokens() {
    let server = Server::start();
    let mut history = 0;
    for round in 0..10 {
        let before = computed(&server);
        let answer = turn(&server, 1, &format!("This is question number {round}, what do you say?"));
        let cost = computed(&server) - before;
        assert!(cost > 0, "a turn that computes nothing");
        assert_eq!(number(&answer, "history_tokens"), history, "turn {round}");
        history = total(&answer);
        // The last token of an answer has not been computed, and a block that is not full is not shared.
        let most = number(&answer, "input_tokens") + BLOCK_TOKENS;
        assert!(cost <= most, "turn {round} computed {cost} tokens, at most {most}: {answer}");
        println!(
            "turn {round}: {cost} computed of {}",
            number(&answer, "history_tokens") + number(&answer, "input_tokens")
        );
    }
    assert!(history > 8 * BLOCK_TOKENS, "the conversation is too short to tell: {history}");
}

/// What a session was told it has, and whether a turn of it was cut off before its last line.
#[derive(Clone, Copy)]
struct Kept {
    total: u64,
    is_cut: bool,
}

impl Kept {
    /// The next turn must find what was acknowledged; a turn that was cut off may be there or not.
    fn check(self, session: usize, answer: &Value) {
        let found = number(answer, "history_tokens");
        let is_good = if self.is_cut { found >= self.total } else { found == self.total };
        assert!(is_good, "session {session} was acknowledged with {} tokens and has {found}", self.total);
    }
}

/// Crashes and stops in the middle of turns. A turn whose last line the client has is never lost.
#[test]
fn restarts_lose_no_acknowledged_turn() {
    const SESSIONS_AT_ONCE: usize = 3;
    /// Rounds until new sessions begin, so that none grows past the context.
    const ROUNDS: usize = 5;
    let mut server = Server::start();
    let mut sessions: BTreeMap<usize, Kept> = BTreeMap::new();
    for restart in 0..restarts() {
        let first = restart / ROUNDS * SESSIONS_AT_ONCE;
        for session in first..first + SESSIONS_AT_ONCE {
            let answer = turn(&server, session, "And what then?");
            if let Some(kept) = sessions.get(&session) {
                kept.check(session, &answer);
            }
            sessions.insert(session, Kept { total: total(&answer), is_cut: false });
        }
        let session = first + restart % SESSIONS_AT_ONCE;
        let mut body = turn_of(session, "Go on.");
        body["stream"] = json!(true);
        let mut stream = server.open_stream(INTERACTIVE, &body);
        let mut text = Vec::new();
        for _ in 0..restart % 4 {
            text.extend(stream.piece().expect("the stream flows").unwrap_or_default());
        }
        let is_crash = restart % 3 != 2;
        if is_crash {
            server.kill();
        } else {
            server.terminate();
        }
        // After a crash this is cut off somewhere; a server that is asked to stop finishes it.
        let rest = read_on(&mut stream);
        text.extend(rest);
        if !is_crash {
            assert!(server.wait_for_exit().success(), "the server was asked to stop and failed");
        }
        let last = String::from_utf8_lossy(&text).lines().last().and_then(|line| serde_json::from_str(line).ok());
        let kept = sessions.get_mut(&session).expect("the session had a turn");
        match last.filter(|line: &Value| line["finish_reason"].is_string()) {
            Some(line) => *kept = Kept { total: total(&line), is_cut: false },
            None => kept.is_cut = true,
        }
        assert!(is_crash || !kept.is_cut, "a stream was cut off although the server was only asked to stop");
        server.start_again();
    }
    for (&session, kept) in &sessions {
        kept.check(session, &turn(&server, session, "Still there?"));
    }
    println!("{} restarts, {} sessions", restarts(), sessions.len());
}

/// What is left of a stream, whether or not it ends as it should.
fn read_on(stream: &mut Connection) -> Vec<u8> {
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = stream.piece() {
        bytes.extend(piece);
    }
    bytes
}

#[test]
fn a_session_survives_a_swap_of_its_plugin() {
    let server = Server::start();
    let hash = || server.plugin("lmdeploy").map(|plugin| plugin["hash"].clone());
    let before = hash();
    let first = turn(&server, 1, "Hello!");
    server.install("lmdeploy.wasm", &with_custom_section(bundled("mimus-lmdeploy"), b"a copy"));
    eventually("the copy is live", || hash().filter(|hash| Some(hash) != before.as_ref()));
    assert_eq!(number(&turn(&server, 1, "And now?"), "history_tokens"), total(&first));
}

/// Fifty conversations, eight at a time, each with a name of its own.
#[test]
fn sessions_at_once_do_not_mix() {
    const SESSIONS: usize = 50;
    const NAMES: [&str; 4] = ["Alice", "Robert", "Maria", "Peter"];
    let server = Server::start();
    let say = |session: usize, prompt: &str| {
        let body = json!({"prompt": prompt, "session_id": session, "interactive_mode": true, "top_k": 1, "request_output_len": 24});
        server.post(INTERACTIVE, &body).expect(200).json()
    };
    let at_once = |each: &(dyn Fn(usize) + Sync)| {
        std::thread::scope(|scope| {
            for thread in 0..8 {
                scope.spawn(move || (thread..SESSIONS).step_by(8).for_each(each));
            }
        });
    };
    at_once(&|session| {
        let answer = say(session, &format!("My name is {}.", NAMES[session % NAMES.len()]));
        assert_eq!(answer["history_tokens"], 0, "{answer}");
    });
    at_once(&|session| {
        let answer = say(session, "What is my name?");
        let text = answer["text"].as_str().expect("a text");
        for (index, name) in NAMES.iter().enumerate() {
            assert_eq!(text.contains(name), index == session % NAMES.len(), "session {session}: {text}");
        }
    });
}

/// A turn of one session while another of it runs waits for it, and sees it.
#[test]
fn turns_of_one_session_follow_each_other() {
    let server = Server::start();
    let totals: Vec<(u64, u64)> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let answer = turn(&server, 1, "Hello!");
                    (number(&answer, "history_tokens"), total(&answer))
                })
            })
            .collect();
        threads.into_iter().map(|thread| thread.join().expect("the turn is answered")).collect()
    });
    let mut sorted = totals;
    sorted.sort_unstable();
    assert_eq!(sorted[0].0, 0);
    assert!(sorted.windows(2).all(|pair| pair[0].1 == pair[1].0), "{sorted:?}");
}

#[test]
fn a_cancelled_or_abandoned_turn_frees_its_slot() {
    let server = Server::start();
    let long = json!({
        "prompt": "Tell me a short story.", "session_id": 1, "interactive_mode": true, "stream": true, "ignore_eos": true,
    });
    let mut stream = server.open_stream(INTERACTIVE, &long);
    stream.piece().expect("the stream flows");
    let cancelled = server.post(INTERACTIVE, &json!({"session_id": 1, "cancel": true})).expect(200).json();
    assert_eq!((&cancelled["finish_reason"], &cancelled["tokens"]), (&json!("stop"), &json!(0)));
    let text = String::from_utf8(stream.rest().expect("the stream ends as it should")).expect("text");
    let last: Value = serde_json::from_str(text.lines().last().expect("a line")).expect("JSON");
    assert_eq!(last["finish_reason"], "stop", "{last}");
    eventually("the cancelled turn's slot is free", || (running(&server) == 0.0).then_some(()));
    // What was said before the cancellation counts.
    assert_eq!(number(&turn(&server, 1, "And?"), "history_tokens"), total(&last));
    let mut abandoned = server.open_stream(INTERACTIVE, &long);
    abandoned.piece().expect("the stream flows");
    drop(abandoned);
    eventually("the abandoned turn's slot is free", || (running(&server) == 0.0).then_some(()));
    turn(&server, 1, "Hello?");
}

#[test]
fn a_session_has_the_length_that_the_operator_sets() {
    let server = Setup::default().config("[plugin.lmdeploy.settings]\nsession_len = 100\n").start();
    let mut before = 0;
    let full = (0..50).find_map(|_| {
        let answer = server.post(INTERACTIVE, &turn_of(1, "Hello there, how are you?")).expect(200).json();
        if answer["tokens"] == 0 {
            return Some(answer);
        }
        before = total(&answer);
        None
    });
    let full = full.expect("the session fills up");
    assert_eq!((&full["finish_reason"], &full["text"]), (&json!("length"), &json!("")));
    assert!(before <= 100, "{before}");
}

#[test]
fn a_sleep_is_its_dialects_alone() {
    Server::shared().post("/lmdeploy/sleep?level=1", &json!({})).expect(400);
    let server = Setup::default().config("[plugin.lmdeploy.settings]\nallow_sleep_by_client = true\n").start();
    let chat = json!({"model": "mimus-chat", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 2});
    let ask = |server: &Server| server.post("/lmdeploy/v1/chat/completions", &chat).status;
    server.post("/lmdeploy/sleep?level=1", &json!({})).expect(200);
    assert_eq!(ask(&server), 503);
    // The other dialects do not sleep.
    server.post("/openai/v1/chat/completions", &chat).expect(200);
    server.post("/lmdeploy/wakeup", &json!({})).expect(200);
    assert_eq!(ask(&server), 200);
}
