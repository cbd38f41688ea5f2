//! `POST /v1/rerank` and `/v2/rerank`: a cross-encoder and a model that judges, both as the reference implementation scores.

use std::sync::{Arc, LazyLock};

use serde_json::{Value, json};

use crate::harness::client::Answer;
use crate::harness::repository;
use crate::harness::server::{Server, Setup};

/// A server with the golden cross-encoder and the golden judge.
fn server() -> Arc<Server> {
    static SERVER: LazyLock<Arc<Server>> = LazyLock::new(|| {
        let encoder = repository().join("host/engine/tests/golden/rerank-bert");
        let judge = repository().join("tests/golden/judge");
        let config = format!(
            "[model.encoder]\npath = {:?}\n[model.judge]\npath = {:?}\ntemplate = \"qwen3-reranker\"\n",
            encoder.display().to_string(),
            judge.display().to_string()
        );
        Arc::new(Setup::default().config(&config).start())
    });
    SERVER.clone()
}

fn rerank(path: &str, body: &Value) -> Answer {
    server().post(path, body)
}

/// Scores by the place of their documents.
fn scores(answer: &Value) -> Vec<f64> {
    let results = answer["results"].as_array().unwrap_or_else(|| panic!("no results in {answer}"));
    let mut scores: Vec<(u64, f64)> = results
        .iter()
        .map(|result| {
            let score = result["relevance_score"].as_f64().expect("a score");
            (result["index"].as_u64().expect("an index"), score)
        })
        .collect();
    assert!(scores.is_sorted_by(|one, other| one.1 >= other.1), "the best come first: {answer}");
    scores.sort_by_key(|(index, _)| *index);
    scores.into_iter().map(|(_, score)| score).collect()
}

fn golden(path: &str) -> Value {
    let text = std::fs::read_to_string(repository().join(path)).expect("the golden file is there");
    serde_json::from_str(&text).expect("JSON")
}

#[test]
fn a_cross_encoder_scores_as_the_reference_does() {
    let cases = golden("host/engine/tests/golden/rerank-bert/expect.json");
    let cases: Vec<&Value> = cases
        .as_array()
        .expect("a list")
        .iter()
        .filter(|case| case["query"] == "a" && case["score"].is_number())
        .collect();
    assert!(cases.len() > 4, "the golden file changed");
    let documents: Vec<&Value> = cases.iter().map(|case| &case["document"]).collect();
    let body = json!({"model": "encoder", "query": "a", "documents": documents});
    for path in ["/openai/v1/rerank", "/openai/v2/rerank", "/v1/rerank"] {
        let answer = rerank(path, &body).expect(200).json();
        for (score, case) in scores(&answer).iter().zip(&cases) {
            let expect = case["score"].as_f64().expect("a score");
            assert!((score - expect).abs() < 1e-4, "{path}: {score} for {case}");
        }
    }
}

#[test]
fn a_model_that_judges_scores_as_the_reference_does() {
    let golden = golden("tests/golden/judge/expect.json");
    let body = json!({"model": "judge", "query": golden["query"], "documents": golden["documents"]});
    let answer = rerank("/openai/v1/rerank", &body).expect(200).json();
    let odds = |score: f64| (score / (1.0 - score)).ln();
    for (score, expect) in scores(&answer).into_iter().zip(golden["scores"].as_array().expect("a list")) {
        let expect = expect.as_f64().expect("a score");
        assert!((odds(score) - odds(expect)).abs() < 5e-3, "{score}, not {expect}");
    }
    let tokens: u64 = golden["tokens"].as_array().expect("a list").iter().filter_map(Value::as_u64).sum();
    assert_eq!(answer["usage"]["total_tokens"], tokens);
}

#[test]
fn long_documents_are_cut_and_many_are_judged() {
    let words = "whale ".repeat(4000);
    for model in ["encoder", "judge"] {
        let body = json!({"model": model, "query": "whales?", "documents": [words, "a", words]});
        let answer = rerank("/openai/v1/rerank", &body).expect(200).json();
        let scores = scores(&answer);
        assert!((scores[0] - scores[2]).abs() < 1e-6, "{model}: equal texts have equal scores");
        let documents: Vec<String> = (0..100).map(|number| format!("document {number}")).collect();
        let body = json!({"model": model, "query": "q", "documents": documents, "top_n": 3});
        let answer = rerank("/openai/v1/rerank", &body).expect(200).json();
        assert_eq!(answer["results"].as_array().map(Vec::len), Some(3), "{model}");
    }
}

#[test]
fn other_models_say_that_they_do_not_rerank() {
    for model in ["mimus-chat", "mimus-embed"] {
        let body = json!({"model": model, "query": "q", "documents": ["d"]});
        let answer = rerank("/openai/v1/rerank", &body).expect(400).json();
        assert_eq!(answer["error"]["param"], "model", "{answer}");
    }
    let body = json!({"model": "judge", "query": "whale ".repeat(4000), "documents": ["d"]});
    let answer = rerank("/openai/v1/rerank", &body);
    assert!((400..500).contains(&answer.status), "a query that leaves no room: {}", answer.text());
    let body = json!({"model": "encoder", "messages": [{"role": "user", "content": "hi"}]});
    let answer = server().post("/openai/v1/chat/completions", &body).expect(400).json();
    assert!(answer["error"]["message"].as_str().is_some_and(|message| message.contains("not")), "{answer}");
}
