//! Rows and how they are judged.

use serde_json::Value;

use crate::harness::client::Answer;
use crate::harness::server::Server;

/// The built-in chat model.
pub const MODEL: &str = "mimus-chat";

/// What is wrong, or nothing.
pub type Verdict = Result<(), String>;

/// One behaviour: what is sent, and what the answer must be like.
pub struct Row {
    /// The behaviour, in the words of `JUDGES.md`.
    pub name: &'static str,
    /// Sent as JSON by POST.
    pub body: Value,
    /// Judges the answer.
    pub judge: fn(&Answer) -> Verdict,
}

/// A row.
pub fn row(name: &'static str, body: Value, judge: fn(&Answer) -> Verdict) -> Row {
    Row { name, body, judge }
}

/// Sends each row's body to one path of the shared server and tells all failures at once.
#[track_caller]
pub fn check(path: &str, rows: Vec<Row>) {
    let server = Server::shared();
    let mut wrong = Vec::new();
    for Row { name, body, judge } in rows {
        let answer = server.post(path, &body);
        if let Err(why) = judge(&answer) {
            let text: String = answer.text().chars().take(600).collect();
            wrong.push(format!("{name}: {why}\n    {body}\n    {} {text}", answer.status));
        }
    }
    assert!(wrong.is_empty(), "{path}: {} wrong\n{}", wrong.len(), wrong.join("\n"));
}

/// Nothing, where it is so.
pub fn is(is_so: bool, what: &str) -> Verdict {
    if is_so { Ok(()) } else { Err(what.to_owned()) }
}

/// The body of an answer with status 200.
pub fn good(answer: &Answer) -> Result<Value, String> {
    is(answer.status == 200, "another status")?;
    let kind = answer.header("content-type").unwrap_or_default();
    is(kind.starts_with("application/json"), "another content type")?;
    serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))
}

/// A JSON value as the server's list of choices has it.
pub fn choices(body: &Value) -> &[Value] {
    body["choices"].as_array().map_or(&[], Vec::as_slice)
}

/// The text of the first choice, of either kind of completion.
pub fn text(body: &Value) -> &str {
    let choice = &body["choices"][0];
    choice["text"].as_str().or(choice["message"]["content"].as_str()).unwrap_or_default()
}

/// The reason of the first choice.
pub fn reason(body: &Value) -> &str {
    body["choices"][0]["finish_reason"].as_str().unwrap_or_default()
}

/// A number of the usage.
pub fn used(body: &Value, key: &str) -> u64 {
    body["usage"][key].as_u64().unwrap_or_default()
}

/// Whether the usage adds up.
pub fn adds_up(body: &Value) -> Verdict {
    let (prompt, completion) = (used(body, "prompt_tokens"), used(body, "completion_tokens"));
    is(prompt > 0 && completion > 0, "usage without tokens")?;
    is(used(body, "total_tokens") == prompt + completion, "usage does not add up")
}

/// The JSON events of a stream that ends with `[DONE]`.
pub fn events(answer: &Answer) -> Result<Vec<Value>, String> {
    is(answer.status == 200, "another status")?;
    let kind = answer.header("content-type").unwrap_or_default();
    is(kind.starts_with("text/event-stream"), "another content type")?;
    let text = answer.text();
    let mut lines: Vec<&str> =
        text.split("\n\n").filter(|event| !event.is_empty()).filter_map(|event| event.strip_prefix("data: ")).collect();
    is(lines.pop() == Some("[DONE]"), "no [DONE] at the end")?;
    lines.iter().map(|line| serde_json::from_str(line).map_err(|error| format!("no JSON: {error}: {line}"))).collect()
}

/// The text of one choice's chunks, joined.
pub fn joined(events: &[Value], index: u64) -> String {
    let of = events.iter().flat_map(choices).filter(|choice| choice["index"] == index);
    of.filter_map(|choice| choice["delta"]["content"].as_str().or(choice["text"].as_str())).collect()
}

/// A refusal with the nested object of OpenAI's API, with one of these statuses.
pub fn refused_with(answer: &Answer, statuses: &[u16]) -> Result<Value, String> {
    is(statuses.contains(&answer.status), "another status")?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
    let error = &body["error"];
    for key in ["message", "type", "param", "code"] {
        is(error.get(key).is_some(), &format!("the error lacks `{key}`"))?;
    }
    is(error["message"].as_str().is_some_and(|message| !message.is_empty()), "no message")?;
    Ok(error.clone())
}

/// A refusal with status 400.
pub fn refused(answer: &Answer) -> Verdict {
    refused_with(answer, &[400]).map(drop)
}

/// A refusal with status 400 that names the field.
pub fn names(answer: &Answer, field: &str) -> Verdict {
    let error = refused_with(answer, &[400])?;
    is(error["param"].as_str().is_some_and(|param| param.starts_with(field)), "another param")
}

/// The same answer twice, where chance has no part in it.
#[track_caller]
pub fn check_repeats(path: &str, bodies: Vec<Value>) {
    let server = Server::shared();
    for body in bodies {
        let answers: Vec<String> =
            (0..3).map(|_| text(&good(&server.post(path, &body)).expect("an answer")).to_owned()).collect();
        assert!(answers.iter().all(|answer| *answer == answers[0]), "{path} {body}: {answers:?}");
    }
}
