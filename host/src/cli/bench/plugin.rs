//! `mimus bench plugin`: what the plugin layer costs, against the same work done natively.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use mimus_engine::{Answer, Script, scripted};
use serde::Serialize;
use serde_json::{Value, json};

use super::Making;
use crate::cli::runtime;
use crate::inference::{Options, Prompt};
use crate::limits;
use crate::plugin::route::Method;
use crate::plugin::{IncomingRequest, Personality, Reply, RequestHead};
use crate::server::{Contents, Core, Shared};

/// Tokens of the short and the long stream whose difference gives the cost of one token.
const STREAM_TOKENS: (u32, u32) = (16, 1_016);
/// Tokens of the whole chat's answer.
const CHAT_TOKENS: u32 = 16;
const MODEL: &str = "scripted";
const SHORT: &str = "scripted-short";
const LONG: &str = "scripted-long";
/// Pairs of a short and a long stream.
const STREAM_PAIRS: usize = 61;

#[derive(Serialize)]
struct Report {
    processors: usize,
    dialects: Vec<DialectReport>,
    native_chat_us: Spread,
    native_first_token_us: Spread,
    /// Of processor time, all threads together.
    native_stream_token_us: f64,
}

#[derive(Serialize)]
struct DialectReport {
    name: String,
    /// A public GET route, a fresh instance each, all processors busy.
    trivial_requests_per_s: Option<f64>,
    trivial_us: Option<Spread>,
    chats: Vec<ChatReport>,
}

#[derive(Serialize)]
struct ChatReport {
    route: String,
    /// A whole chat that is not streamed, one after the other.
    chat_us: Spread,
    /// Above the same work done natively.
    plugin_layer_us: Spread,
    /// From the call to the first bytes of a stream; none where the route does not stream.
    first_token_us: Option<Spread>,
    /// Above the same work done natively.
    first_token_layer_us: Option<Spread>,
    /// Processor time that a streamed token takes, all threads together, above the same work done natively.
    stream_token_us: Option<f64>,
}

/// Of many single measurements, in microseconds.
#[derive(Clone, Copy, Serialize)]
struct Spread {
    median: f64,
    p99: f64,
}

/// Runs the benchmark; `time` for each measurement.
pub fn run(making: &Making, time: Duration, is_json: bool) -> Result<(), String> {
    let mut config = making.config()?;
    config.data = None;
    let contents = Contents { models: Vec::new(), ..crate::contents() };
    let core = Core::open(&config, contents, tokio::sync::watch::channel(false).1)?;
    let script = |tokens| Script { answer: Answer::Echo, tokens: Some(tokens), ..Script::default() };
    // One piece: the whole chat should measure the layers, not how fast threads wake each other.
    let at_once = Script { tokens_per_piece: CHAT_TOKENS, ..script(CHAT_TOKENS) };
    core.shared.catalog.insert(MODEL, scripted(at_once));
    core.shared.catalog.insert(SHORT, scripted(script(STREAM_TOKENS.0)));
    core.shared.catalog.insert(LONG, scripted(script(STREAM_TOKENS.1)));
    let report = runtime()?.block_on(measure(&core.shared, time))?;
    if is_json {
        println!("{}", serde_json::to_string_pretty(&report).map_err(|error| error.to_string())?);
    } else {
        report.print();
    }
    Ok(())
}

async fn measure(shared: &Arc<Shared>, time: Duration) -> Result<Report, String> {
    let native = spread(time, || native_chat(shared)).await?;
    let native_first = spread(time, || native_first_token(shared)).await?;
    let native_token = token_cost(|tokens| native_stream(shared, tokens)).await?;
    let mut dialects = Vec::new();
    let snapshot = shared.snapshot.load_full();
    for dialect in &snapshot.dialects {
        let personality = &dialect.personality;
        let mut report = DialectReport {
            name: personality.manifest.name.clone(),
            trivial_requests_per_s: None,
            trivial_us: None,
            chats: Vec::new(),
        };
        let trivial =
            personality.manifest.routes.iter().position(|route| route.is_public && route.method == Method::Get);
        if let Some(route) = trivial {
            report.trivial_us = Some(spread(time, || call(shared, personality, route, Bytes::new())).await?);
            report.trivial_requests_per_s = Some(rate(shared, personality, route, time).await?);
        }
        for (route, path, example) in examples(personality) {
            let body = |model: &str, is_stream: bool| {
                let mut body = example.clone();
                body["model"] = json!(model);
                body["stream"] = json!(is_stream);
                // As long as the script, whatever the dialect's default is and its word for it; others are ignored.
                for limit in ["max_tokens", "max_new_tokens", "request_output_len"] {
                    body[limit] = json!(STREAM_TOKENS.1 + 1);
                }
                Bytes::from(body.to_string())
            };
            let whole = body(MODEL, false);
            let chat = spread(time, || call(shared, personality, route, whole.clone())).await?;
            let streamed = body(SHORT, true);
            let first = spread(time, || first_bytes(shared, personality, route, streamed.clone())).await.ok();
            let token = token_cost(|tokens| {
                let model = if tokens == STREAM_TOKENS.0 { SHORT } else { LONG };
                call(shared, personality, route, body(model, true))
            })
            .await;
            report.chats.push(ChatReport {
                route: path,
                chat_us: chat,
                plugin_layer_us: chat.above(native),
                first_token_us: first,
                first_token_layer_us: first.map(|first| first.above(native_first)),
                stream_token_us: token.ok().map(|token| token - native_token),
            });
        }
        dialects.push(report);
    }
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Ok(Report {
        processors,
        dialects,
        native_chat_us: native,
        native_first_token_us: native_first,
        native_stream_token_us: native_token,
    })
}

/// Routes whose OpenAPI description has an example body with a conversation: the dialect's own words for the common case.
fn examples(personality: &Personality) -> Vec<(usize, String, Value)> {
    let manifest = &personality.manifest;
    let mut found = Vec::new();
    for (index, route) in manifest.routes.iter().enumerate().filter(|(_, route)| route.method == Method::Post) {
        let path = route.pattern.to_string();
        let example =
            manifest.openapi["paths"][&path]["post"]["requestBody"]["content"]["application/json"]["example"].clone();
        if example.get("messages").is_some() || example.get("prompt").is_some() {
            found.push((index, path, example));
        }
    }
    found
}

/// One request through a fresh guest, its stream read to the end. Returns the bytes of the body.
async fn call(shared: &Shared, personality: &Arc<Personality>, route: usize, body: Bytes) -> Result<usize, String> {
    match begin(shared, personality, route, body).await? {
        Reply::Whole { status, body, .. } => check(status, &body),
        Reply::Streamed { status, mut body, .. } => {
            let mut bytes = 0;
            while let Some(piece) = std::future::poll_fn(|context| body.poll_next(context)).await {
                bytes += piece.map_err(|fault| fault.to_string())?.len();
            }
            check(status, &Bytes::new()).map(|_| bytes)
        }
        Reply::Socket { .. } => Err("a websocket".into()),
    }
}

/// One request through a fresh guest up to the first bytes of its stream; then the client leaves.
async fn first_bytes(
    shared: &Shared,
    personality: &Arc<Personality>,
    route: usize,
    body: Bytes,
) -> Result<usize, String> {
    match begin(shared, personality, route, body).await? {
        Reply::Whole { .. } | Reply::Socket { .. } => Err("no stream".into()),
        Reply::Streamed { status, mut body, .. } => {
            let first = std::future::poll_fn(|context| body.poll_next(context)).await.ok_or("an empty stream")?;
            let first = first.map_err(|fault| fault.to_string())?;
            check(status, &Bytes::new()).map(|_| first.len())
        }
    }
}

async fn begin(shared: &Shared, personality: &Arc<Personality>, route: usize, body: Bytes) -> Result<Reply, String> {
    let declared = &personality.manifest.routes[route];
    let head = RequestHead {
        route: u32::try_from(route).map_err(|error| error.to_string())?,
        method: declared.method.as_str().to_owned(),
        path: declared.pattern.to_string(),
        path_params: Vec::new(),
        query: String::new(),
        request_id: "bench".into(),
        mount: format!("/{}", personality.manifest.name),
        origin: "http://127.0.0.1:8080".into(),
    };
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    let request = IncomingRequest { head, headers, tenant: 0, is_admitted: true, websocket: None, body };
    shared.caller.call(personality, request).await.map_err(|fault| fault.to_string())
}

fn check(status: u16, body: &Bytes) -> Result<usize, String> {
    if status == 200 { Ok(body.len()) } else { Err(format!("status {status}: {}", String::from_utf8_lossy(body))) }
}

/// What a handler does when it is compiled into the server: reads JSON, renders a prompt, generates, writes JSON.
async fn native_chat(shared: &Shared) -> Result<usize, String> {
    let body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hello! How are you?"}], "max_tokens": CHAT_TOKENS}).to_string();
    let mut running = native_start(shared, &body).await?;
    let (mut text, mut tokens) = (String::new(), 0);
    loop {
        let pieces = running.next(limits::PIECES_MAX).await.map_err(|error| error.to_string())?;
        if pieces.is_empty() {
            break;
        }
        for piece in pieces {
            text.push_str(&piece.text);
            tokens = piece.generated_tokens;
        }
    }
    let answer = json!({
        "id": "chat-0", "created": 0, "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": running.prompt_tokens(), "completion_tokens": tokens},
    });
    Ok(serde_json::to_vec(&answer).map_err(|error| error.to_string())?.len())
}

async fn native_first_token(shared: &Shared) -> Result<usize, String> {
    let body = json!({"model": SHORT, "messages": [{"role": "user", "content": "Hello! How are you?"}]}).to_string();
    let mut running = native_start(shared, &body).await?;
    let pieces = running.next(limits::PIECES_MAX).await.map_err(|error| error.to_string())?;
    Ok(pieces.iter().map(|piece| native_event(SHORT, &piece.text).len()).sum())
}

fn native_event(model: &str, text: &str) -> String {
    let event = json!({
        "id": "chat-0", "created": 0, "model": model,
        "choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}],
    });
    format!("data: {event}\n\n")
}

async fn native_stream(shared: &Shared, tokens: u32) -> Result<usize, String> {
    let model = if tokens == STREAM_TOKENS.0 { SHORT } else { LONG };
    let body = json!({"model": model, "messages": [{"role": "user", "content": "Hello! How are you?"}]}).to_string();
    let mut running = native_start(shared, &body).await?;
    let mut bytes = 0;
    loop {
        let pieces = running.next(limits::PIECES_MAX).await.map_err(|error| error.to_string())?;
        if pieces.is_empty() {
            return Ok(bytes);
        }
        bytes += pieces.iter().map(|piece| native_event(model, &piece.text).len()).sum::<usize>();
    }
}

async fn native_start(shared: &Shared, body: &str) -> Result<crate::inference::Running, String> {
    let body: Value = serde_json::from_str(body).map_err(|error| error.to_string())?;
    let mut prompt = String::new();
    for message in body["messages"].as_array().into_iter().flatten() {
        let text = |key: &str| message[key].as_str().unwrap_or_default();
        prompt.push_str(&format!("<|im_start|>{}\n{}<|im_end|>\n", text("role"), text("content")));
    }
    prompt.push_str("<|im_start|>assistant\n");
    let options = Options { choices: 1, skip_special_tokens: true, ..Options::default() };
    let model = body["model"].as_str().unwrap_or_default();
    shared.inference.generate(model, Prompt::Text(prompt), options).await.map_err(|error| error.to_string())
}

/// Repeats for `time`, one after the other, after a warm-up.
async fn spread<F: Future<Output = Result<usize, String>>>(
    time: Duration,
    work: impl Fn() -> F,
) -> Result<Spread, String> {
    for _ in 0..50 {
        work().await?;
    }
    let mut samples = Vec::new();
    let end = Instant::now() + time;
    while Instant::now() < end {
        let start = Instant::now();
        work().await?;
        samples.push(start.elapsed().as_secs_f64() * 1e6);
    }
    samples.sort_by(f64::total_cmp);
    let at = |share: f64| samples[((samples.len() - 1) as f64 * share) as usize];
    Ok(Spread { median: at(0.5), p99: at(0.99) })
}

/// Microseconds of processor time that one more streamed token costs, from pairs of a long and a short stream. Wall time would tell how
/// fast threads wake each other, which is longer than what is measured here.
async fn token_cost<F: Future<Output = Result<usize, String>>>(work: impl Fn(u32) -> F) -> Result<f64, String> {
    let (mut short_ns, mut long_ns) = (0, 0);
    for _ in 0..STREAM_PAIRS {
        let start = processor_ns()?;
        let short = work(STREAM_TOKENS.0).await?;
        let middle = processor_ns()?;
        let long = work(STREAM_TOKENS.1).await?;
        if long <= short {
            return Err("the long stream is not longer than the short one".into());
        }
        short_ns += middle.saturating_sub(start);
        long_ns += processor_ns()?.saturating_sub(middle);
    }
    let tokens = STREAM_PAIRS as f64 * f64::from(STREAM_TOKENS.1 - STREAM_TOKENS.0);
    Ok((long_ns as f64 - short_ns as f64) / 1e3 / tokens)
}

/// Processor time of all threads so far, in nanoseconds.
fn processor_ns() -> Result<u64, String> {
    let error = |error: &dyn std::fmt::Display| format!("the kernel does not tell processor time: {error}");
    let mut total = 0_u64;
    for thread in std::fs::read_dir("/proc/self/task").map_err(|why| error(&why))? {
        let path = thread.map_err(|why| error(&why))?.path().join("schedstat");
        // A thread that has ended meanwhile is one that does nothing here.
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        let on_processor = text.split_whitespace().next().and_then(|number| number.parse::<u64>().ok());
        total += on_processor.ok_or_else(|| error(&"schedstat has no number"))?;
    }
    Ok(total)
}

/// Requests per second with every processor busy.
async fn rate(
    shared: &Arc<Shared>,
    personality: &Arc<Personality>,
    route: usize,
    time: Duration,
) -> Result<f64, String> {
    let start = Instant::now();
    let workers: Vec<_> = (0..std::thread::available_parallelism().map_or(1, usize::from))
        .map(|_| {
            let (shared, personality) = (shared.clone(), personality.clone());
            tokio::spawn(async move {
                let mut count = 0_u64;
                while start.elapsed() < time {
                    call(&shared, &personality, route, Bytes::new()).await?;
                    count += 1;
                }
                Ok::<u64, String>(count)
            })
        })
        .collect();
    let mut count = 0;
    for worker in workers {
        count += worker.await.map_err(|error| error.to_string())??;
    }
    Ok(count as f64 / start.elapsed().as_secs_f64())
}

impl Report {
    fn print(&self) {
        println!("{} processors, scripted model; microseconds, median (p99)\n", self.processors);
        println!(
            "native   whole chat {}   first token {}   processor time of a streamed token {:.2}",
            self.native_chat_us, self.native_first_token_us, self.native_stream_token_us
        );
        for dialect in &self.dialects {
            if let (Some(rate), Some(trivial)) = (dialect.trivial_requests_per_s, dialect.trivial_us) {
                println!("\n{}   trivial route {trivial}, {rate:.0} requests/s", dialect.name);
            }
            for chat in &dialect.chats {
                println!("  {}\n    whole {}   plugin layer {}", chat.route, chat.chat_us, chat.plugin_layer_us);
                if let (Some(first), Some(layer)) = (chat.first_token_us, chat.first_token_layer_us) {
                    println!("    first token {first}   plugin layer {layer}");
                }
                if let Some(token) = chat.stream_token_us {
                    println!("    plugin layer for a streamed token {token:.2}, processor time");
                }
            }
        }
    }
}

impl Spread {
    fn above(self, other: Spread) -> Spread {
        Spread { median: self.median - other.median, p99: self.p99 - other.p99 }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.1} ({:.1})", self.median, self.p99)
    }
}
