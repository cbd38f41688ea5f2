//! FastChat's dialect against the real model: what its manual shows, and what its own tests and tools look at.

use serde_json::{Value, json};

use crate::harness::client::Answer;
use crate::harness::server::{Server, Setup};
use crate::table::*;

const CHAT: &str = "/fastchat/v1/chat/completions";
const COMPLETIONS: &str = "/fastchat/v1/completions";

fn refused_as(answer: &Answer, code: u32) -> Verdict {
    is(answer.status == 400, "another status")?;
    let body: Value = serde_json::from_slice(&answer.body).map_err(|error| format!("no JSON: {error}"))?;
    is(body["object"] == "error" && body["code"] == code && body["message"].is_string(), "object, code, message")
}

/// The manual's calls (`docs/openai_api.md`), with this server's model.
#[test]
fn the_calls_of_the_manual_are_answered() {
    check(
        CHAT,
        vec![row(
            "chat",
            json!({"model": MODEL, "messages": [{"role": "user", "content": "Hello! What is your name?"}]}),
            |answer| {
                let body = good(answer)?;
                let keys: Vec<&String> = body.as_object().map(|body| body.keys().collect()).unwrap_or_default();
                is(
                    keys.len() == 6 && body["id"].as_str().is_some_and(|id| id.len() == "chatcmpl-".len() + 22),
                    "keys and id",
                )?;
                is(!text(&body).is_empty() && ["stop", "length"].contains(&reason(&body)), "text and reason")?;
                adds_up(&body)
            },
        )],
    );
    let prompt = json!({"model": MODEL, "prompt": "Once upon a time", "max_tokens": 41, "temperature": 0.5});
    check(
        COMPLETIONS,
        vec![row("completion", prompt, |answer| {
            let body = good(answer)?;
            is(body["id"].as_str().is_some_and(|id| id.len() == "cmpl-".len() + 22), "id")?;
            is(used(&body, "completion_tokens") <= 41 && choices(&body)[0]["logprobs"].is_null(), "41 tokens")?;
            adds_up(&body)
        })],
    );
    let models = Server::shared().get("/fastchat/v1/models").expect(200).json();
    let card = &models["data"][0];
    assert!(card["owned_by"] == "fastchat" && card["root"] == card["id"] && card["parent"].is_null(), "{card}");
    assert!(card["permission"][0]["id"].as_str().is_some_and(|id| id.starts_with("modelperm-")), "{card}");
}

#[test]
fn streams_are_fastchats() {
    let question = json!([{"role": "user", "content": "What is the capital of France?"}]);
    check(
        CHAT,
        vec![
            row(
                "role, text, reasons at the very end",
                json!({"model": MODEL, "messages": question, "stream": true, "n": 2}),
                |answer| {
                    let events = events(answer)?;
                    is(choices(&events[0])[0]["delta"] == json!({"role": "assistant"}), "role")?;
                    let (text, ends): (Vec<Value>, Vec<Value>) =
                        events.iter().cloned().partition(|event| choices(event)[0]["finish_reason"].is_null());
                    is(ends.len() == 2 && events[text.len()..] == ends[..], "reasons at the end")?;
                    is(text.iter().all(|event| event.get("created").is_none()), "created in chunks of text")?;
                    is(ends.iter().all(|event| event["object"] == "chat.completion.chunk"), "object at the end")?;
                    let indices: Vec<u64> =
                        text.iter().filter_map(|event| choices(event)[0]["index"].as_u64()).collect();
                    is(indices.is_sorted() && indices.contains(&1), "one choice after the other")
                },
            ),
            row(
                "a prompt as messages",
                json!({"model": MODEL, "messages": "Once upon a time", "max_tokens": 5}),
                |answer| good(answer).map(drop),
            ),
        ],
    );
    let prompt =
        json!({"model": MODEL, "prompt": "Once upon a time", "max_tokens": 6, "stream": true, "temperature": 0});
    let server = Server::shared();
    let events = events(&server.post(COMPLETIONS, &prompt)).expect("a stream");
    let whole = server
        .post(COMPLETIONS, &json!({"model": MODEL, "prompt": "Once upon a time", "max_tokens": 6, "temperature": 0}));
    assert_eq!(joined(&events, 0), text(&whole.expect(200).json()));
}

#[test]
fn refusals_have_fastchats_codes() {
    let chat = |fields: Value| {
        let mut body = json!({"model": MODEL, "messages": [{"role": "user", "content": "Hello"}]});
        body.as_object_mut().expect("an object").extend(fields.as_object().expect("fields").clone());
        body
    };
    check(
        CHAT,
        vec![
            row("an unknown model", chat(json!({"model": "nope"})), |answer| refused_as(answer, 40301)),
            row("names with a comma are one name", chat(json!({"model": "mimus-chat,other"})), |answer| {
                refused_as(answer, 40301)
            }),
            row("a value out of range", chat(json!({"temperature": 3})), |answer| refused_as(answer, 40302)),
            row("a value of another type", chat(json!({"temperature": "x"})), |answer| refused_as(answer, 40001)),
            row("no messages", json!({"model": MODEL}), |answer| refused_as(answer, 40001)),
            row(
                "a prompt past the context",
                chat(json!({"messages": [{"role": "user", "content": "word ".repeat(60_000)}]})),
                |answer| refused_as(answer, 40303),
            ),
            row("an answer past the context is cut", chat(json!({"max_tokens": 1_000_000})), |answer| {
                good(answer).map(drop)
            }),
        ],
    );
}

#[test]
fn the_worker_and_the_controller_find_each_other() {
    let server = Server::shared();
    let post = |path: &str, body: Value| server.post(&format!("/fastchat{path}"), &body).expect(200);
    assert!(post("/list_models", json!({})).json()["models"].to_string().contains(MODEL));
    let address = post("/get_worker_address", json!({"model": MODEL})).json()["address"].clone();
    assert_eq!(address, "http://test/fastchat", "by the Host that the client named");
    assert_eq!(post("/get_worker_address", json!({"model": "nope"})).json()["address"], "");
    let template = post("/worker_get_conv_template", json!({"model": MODEL})).json()["conv"].clone();
    assert_eq!(template["roles"], json!(["<|im_start|>user", "<|im_start|>assistant"]), "{template}");

    let prompt = "<|im_start|>user\nWhat is the capital of France?<|im_end|>\n<|im_start|>assistant\n";
    let body = json!({"model": MODEL, "prompt": prompt, "temperature": 0, "max_new_tokens": 32, "stop": template["stop_str"],
        "stop_token_ids": template["stop_token_ids"], "echo": false});
    let streamed = post("/worker_generate_stream", body.clone());
    let messages: Vec<Value> = streamed
        .text()
        .split_terminator('\0')
        .map(|message| serde_json::from_str(message).expect("JSON before each NUL"))
        .collect();
    let last = messages.last().expect("a message");
    assert!(last["text"].as_str().is_some_and(|text| text.contains("Paris")), "{last}");
    assert_eq!((&last["error_code"], &last["finish_reason"]), (&json!(0), &json!("stop")));
    let lengths: Vec<usize> = messages.iter().filter_map(|message| message["text"].as_str().map(str::len)).collect();
    assert!(lengths.len() == messages.len() && lengths.is_sorted(), "each message holds the one before");
    assert_eq!(post("/worker_generate", body).json()["text"], last["text"]);

    let count = post("/count_token", json!({"model": MODEL, "prompt": "Hello"})).json();
    assert!(count["count"].as_u64().is_some_and(|count| count > 0), "{count}");
    let check = json!({"prompts": [{"model": MODEL, "prompt": "Hello", "max_tokens": 10}, {"model": MODEL, "prompt": "Hello", "max_tokens": 1_000_000}]});
    let fits: Vec<Value> = post("/api/v1/token_check", check).json()["prompts"].as_array().expect("answers").clone();
    assert_eq!((&fits[0]["fits"], &fits[1]["fits"]), (&json!(true), &json!(false)));
}

/// Advisories on FastChat's controller: whoever reaches it can register a worker.
#[test]
fn workers_cannot_register() {
    let body = json!({"worker_name": "http://127.0.0.1:9", "check_heart_beat": false, "worker_status": {"model_names": [MODEL], "speed": 1, "queue_length": 0}});
    let answer = Server::shared().post("/fastchat/register_worker", &body).expect(403);
    assert_eq!(answer.json()["code"], 40103);
}

#[test]
fn models_answer_to_other_names() {
    let config = "[plugin.fastchat.settings]\nmodel_names = \"gpt-3.5-turbo,text-davinci-003\"\n";
    let server = Setup::default().config(config).start();
    let models = server.get("/fastchat/v1/models").expect(200).json().to_string();
    assert!(
        models.contains("gpt-3.5-turbo") && models.contains("text-davinci-003") && models.contains(MODEL),
        "{models}"
    );
    let body = json!({"model": "gpt-3.5-turbo", "messages": [{"role": "user", "content": "Hello"}]});
    assert_eq!(server.post(CHAT, &body).expect(200).json()["model"], "gpt-3.5-turbo");
}
