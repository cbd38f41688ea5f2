//! The scores that the cards of built-in models state hold when the models are asked through the server.
//!
//! The questions are those of `host/models/mimus-chat/eval/`, none of which is in the training data; `scores.json` beside them has
//! what the recipe's `evaluate.py` measured with another implementation of the model. Asked at temperature 0.

#[path = "harness/mod.rs"]
mod harness;

use std::collections::VecDeque;
use std::sync::Mutex;

use harness::repository;
use harness::server::Server;
use serde_json::{Value, json};

/// Connections that ask at once.
const ASKERS: usize = 8;

/// How far the share of right answers may lie below the card's, in percentage points: sums in another order can tip an answer.
const SLACK: f64 = 2.0;

#[test]
fn held_out_paraphrases_are_answered() {
    check("paraphrases", 200, |server, row| converse(server, &[&row["messages"][0]["content"]]));
}

#[test]
fn what_was_told_is_remembered() {
    check("memory", 50, |server, row| converse(server, &[&row["turns"][0], &row["turns"][1]]));
}

#[test]
fn texts_are_continued() {
    check("completions", 30, |server, row| {
        let body = json!({"model": "mimus-chat", "prompt": row["prompt"], "temperature": 0, "max_tokens": 60});
        text(&server.post("/openai/v1/completions", &body).expect(200).json()["choices"][0]["text"])
    });
}

/// Asks every row of a file and compares the share of right answers with the card's; the wrong ones are shown.
fn check(name: &str, rows_min: usize, ask: impl Fn(&Server, &Value) -> String + Sync) {
    let folder = repository().join("host/models/mimus-chat/eval");
    let read = |file: String| std::fs::read_to_string(folder.join(file)).expect("the evaluation is in the repository");
    let json = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    let rows: VecDeque<Value> = read(format!("{name}.jsonl")).lines().map(json).collect();
    let count = rows.len();
    assert!(count >= rows_min, "{name}: {count} rows, {rows_min} are promised");
    let card = json(&read("scores.json".into()))[name].clone();
    assert_eq!(card["of"], count, "{name}: the card is about other questions");
    let stated = card["percent"].as_f64().expect("the card states a percentage");

    let server = Server::shared();
    let rows = Mutex::new(rows);
    let wrong = Mutex::new(Vec::new());
    let next = || rows.lock().expect("no asker panics with the lock").pop_front();
    std::thread::scope(|scope| {
        for _ in 0..ASKERS {
            scope.spawn(|| {
                while let Some(row) = next() {
                    let answer = ask(&server, &row);
                    if !is_right(&answer, &row) {
                        wrong.lock().expect("no asker panics with the lock").push(format!("{answer:?} for {row}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no asker has panicked");
    let measured = 100.0 * (count - wrong.len()) as f64 / count as f64;
    println!("{name}: {measured:.1} % of {count} right, the card says {stated:.1} %");
    assert!(
        measured >= stated - SLACK,
        "{name}: {measured:.1} % of {count} right, the card says {stated:.1} %; wrong:\n{}",
        wrong.join("\n")
    );
}

/// The model's last answer in a conversation of these turns.
fn converse(server: &Server, turns: &[&Value]) -> String {
    let mut messages = Vec::new();
    let mut answer = String::new();
    for turn in turns {
        messages.push(json!({"role": "user", "content": turn}));
        let body = json!({"model": "mimus-chat", "messages": messages, "temperature": 0, "max_tokens": 160});
        answer = text(
            &server.post("/openai/v1/chat/completions", &body).expect(200).json()["choices"][0]["message"]["content"],
        );
        messages.push(json!({"role": "assistant", "content": answer}));
    }
    answer
}

fn text(value: &Value) -> String {
    value.as_str().expect("text").to_owned()
}

/// Whether the answer holds one of the accepted texts as whole words, in any case, and none of the rejected ones.
fn is_right(answer: &str, row: &Value) -> bool {
    let answer = answer.to_lowercase();
    let holds_one_of = |key: &str| {
        let texts = row[key].as_array().map(Vec::as_slice).unwrap_or_default();
        texts.iter().filter_map(Value::as_str).any(|text| holds_words(&answer, &text.to_lowercase()))
    };
    holds_one_of("accept") && !holds_one_of("reject")
}

fn holds_words(text: &str, words: &str) -> bool {
    let is_word = |character: char| character.is_alphanumeric() || character == '_';
    text.match_indices(words).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + words.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The first lines of the reranker's evaluation, which have a score of their own in its card.
#[test]
fn held_out_texts_are_ranked() {
    let folder = repository().join("host/models/mimus-rerank/eval");
    let read = |file: &str| std::fs::read_to_string(folder.join(file)).expect("the evaluation is in the repository");
    let json = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
    let documents: Vec<Value> = read("documents.jsonl").lines().map(json).collect();
    let card = json(&read("scores.json"))["head"].clone();
    let lines = card["lines"].as_u64().expect("the card says how many") as usize;
    assert!(lines >= 100, "too few to tell");
    let server = Server::shared();
    let is_right = |row: &Value| {
        let candidates = row["candidates"].as_array().expect("a list");
        let texts: Vec<&Value> =
            candidates.iter().map(|number| &documents[number.as_u64().expect("a number") as usize]).collect();
        let body = json!({"model": "mimus-rerank", "query": row["query"], "documents": texts, "top_n": 1});
        let answer = server.post("/openai/v1/rerank", &body).expect(200).json();
        let best = answer["results"][0]["index"].as_u64().expect("an index") as usize;
        candidates[best] == row["relevant"]
    };
    let right = read("queries.jsonl").lines().take(lines).filter(|line| is_right(&json(line))).count();
    let percent = right as f64 / lines as f64 * 100.0;
    let stated = card["rerank"]["recall_at_1_percent"].as_f64().expect("the card states a percentage");
    assert!(percent >= stated - SLACK, "{percent} % are ranked first, the card says {stated} %");
}
