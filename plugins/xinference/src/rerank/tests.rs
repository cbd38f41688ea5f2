use serde_json::{Value, json};

use crate::tests::{detail, host, ok, post};

const PATH: &str = "/v1/rerank";

fn rerank(mut more: Value) -> Value {
    let shared =
        json!({ "model": "reranker", "query": "red boat", "documents": ["a house", "a red boat", "the boat"] });
    for (key, value) in shared.as_object().expect("an object") {
        if more.get(key).is_none() {
            more[key] = value.clone();
        }
    }
    more
}

fn order(answer: &Value) -> Vec<u64> {
    answer["results"].as_array().expect("results").iter().filter_map(|result| result["index"].as_u64()).collect()
}

#[test]
fn the_best_comes_first() {
    let answer = ok(&post(&host(), PATH, &rerank(json!({}))));
    assert_eq!(order(&answer), [1, 2, 0]);
    assert_eq!(answer["results"][0], json!({ "index": 1, "relevance_score": 1.0, "document": null }));
    assert_eq!(answer["id"].as_str().map(str::len), Some(36));
    assert_eq!(answer["meta"], json!({ "api_version": null, "billed_units": null, "tokens": null, "warnings": null }));
    assert_eq!((&answer["model"], &answer["object"]), (&json!("reranker"), &json!("list")));
    assert!(answer["usage"]["total_tokens"].as_u64().is_some_and(|tokens| tokens > 0));
}

#[test]
fn clients_say_how_much_they_want() {
    let host = host();
    let answer = ok(&post(
        &host,
        PATH,
        &rerank(
            json!({ "top_n": 1, "return_documents": true, "return_len": true, "max_chunks_per_doc": null, "kwargs": "{}" }),
        ),
    ));
    assert_eq!(order(&answer), [1]);
    assert_eq!(answer["results"][0]["document"], json!({ "text": "a red boat" }));
    assert!(answer["meta"]["tokens"]["input_tokens"].is_u64());
    assert_eq!(order(&ok(&post(&host, PATH, &rerank(json!({ "top_n": 9 }))))), [1, 2, 0]);
    assert_eq!(order(&ok(&post(&host, PATH, &rerank(json!({ "documents": [] }))))), Vec::<u64>::new());
}

#[test]
fn documents_come_as_texts_or_objects() {
    let documents = json!([{ "text": "a house" }, "a red boat"]);
    let body = rerank(json!({ "documents": documents, "query": { "text": "red" }, "return_documents": true }));
    let answer = ok(&post(&host(), PATH, &body));
    assert_eq!(order(&answer), [1, 0]);
    assert_eq!(answer["results"][1]["document"], json!({ "text": "a house" }));
}

#[test]
fn what_cannot_be_ranked_says_why() {
    let host = host();
    let cases = [
        (rerank(json!({ "model": "nobody" })), 404, "uid: nobody"),
        (rerank(json!({ "model": "nobody", "documents": [] })), 404, "uid: nobody"),
        (rerank(json!({ "model": "embedder" })), 400, "type embedding"),
        (rerank(json!({ "top_n": -1 })), 400, "`top_n`"),
        (rerank(json!({ "kwargs": "nonsense" })), 400, "`kwargs`"),
        (rerank(json!({ "documents": [{ "image": "x" }] })), 400, "`documents[0]`"),
        (rerank(json!({ "documents": "x" })), 400, "`documents`"),
        (rerank(json!({ "documents": [["x"]] })), 400, "`documents"),
        (rerank(json!({ "documents": vec!["x"; 2049] })), 400, "2048"),
        (json!({ "model": "reranker", "documents": [] }), 400, "`query`"),
    ];
    for (body, status, words) in cases {
        let text = detail(&post(&host, PATH, &body), status);
        assert!(text.contains(words), "{words}: {text}");
    }
}
