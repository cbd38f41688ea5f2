//! The scores on the built-in chat model's card hold when the model is asked through the server.
//!
//! The questions are those of `host/models/mimus-chat/eval/`, none of which is in the training data. Asked at temperature 0.

#[path = "harness/mod.rs"]
mod harness;

use std::collections::VecDeque;
use std::sync::Mutex;

use harness::repository;
use harness::server::Server;
use serde_json::{Value, json};

/// Connections that ask at once.
const ASKERS: usize = 8;

/// Share of answers that must be right.
const RATE: f64 = 0.9;

#[test]
fn held_out_paraphrases_are_answered() {
    check("paraphrases.jsonl", 200, |server, row| {
        let answer = ask(server, &row["messages"]);
        fits(&answer, row).then_some(()).ok_or(answer)
    });
}

#[test]
fn what_was_told_is_remembered() {
    check("memory.jsonl", 50, |server, row| {
        let mut messages = Vec::new();
        let mut answer = String::new();
        for turn in row["turns"].as_array().expect("turns") {
            messages.push(json!({"role": "user", "content": turn}));
            answer = ask(server, &json!(messages));
            messages.push(json!({"role": "assistant", "content": answer}));
        }
        fits(&answer, row).then_some(()).ok_or(answer)
    });
}

/// Asks every row of a file and compares the share of right answers; the wrong ones are shown.
fn check(file: &str, rows_min: usize, judge: impl Fn(&Server, &Value) -> Result<(), String> + Sync) {
    let path = repository().join("host/models/mimus-chat/eval").join(file);
    let text = std::fs::read_to_string(&path).expect("the evaluation file is in the repository");
    let rows: VecDeque<Value> = text.lines().map(|line| serde_json::from_str(line).expect("a line of JSON")).collect();
    let count = rows.len();
    assert!(count >= rows_min, "{file} has {count} rows, {rows_min} are promised");
    let server = Server::shared();
    let rows = Mutex::new(rows);
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..ASKERS {
            scope.spawn(|| {
                loop {
                    let Some(row) = rows.lock().expect("no asker panics here").pop_front() else {
                        return;
                    };
                    if let Err(answer) = judge(&server, &row) {
                        wrong.lock().expect("no asker panics here").push(format!("{answer:?} for {row}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().expect("no asker has panicked");
    let rate = 1.0 - wrong.len() as f64 / count as f64;
    println!("{file}: {:.1} % of {count} right", rate * 100.0);
    assert!(rate >= RATE, "{file}: {:.1} % of {count} right; wrong:\n{}", rate * 100.0, wrong.join("\n"));
}

fn ask(server: &Server, messages: &Value) -> String {
    let body = json!({"model": "mimus-chat", "messages": messages, "temperature": 0, "max_tokens": 200});
    let answer = server.post("/openai/v1/chat/completions", &body).expect(200).json();
    answer["choices"][0]["message"]["content"].as_str().expect("text").to_owned()
}

/// Whether the answer holds one of the accepted texts and none of the rejected ones, in any case.
fn fits(answer: &str, row: &Value) -> bool {
    let answer = answer.to_lowercase();
    let holds_one_of = |key: &str| {
        let texts = row[key].as_array().map(Vec::as_slice).unwrap_or_default();
        texts.iter().filter_map(Value::as_str).any(|text| answer.contains(&text.to_lowercase()))
    };
    holds_one_of("accept") && !holds_one_of("reject")
}
