//! `POST /v1/completions`.

use serde_json::{Value, json};

use crate::harness::server::Server;
use crate::table::*;

const PATH: &str = "/openai/v1/completions";
const PROMPT: &str = "two steps to build a house:";

fn ask(fields: Value) -> Value {
    let mut body = json!({"model": MODEL, "prompt": PROMPT, "temperature": 0, "max_tokens": 6});
    for (key, value) in fields.as_object().expect("fields") {
        body[key] = value.clone();
    }
    body
}

fn logprobs(body: &Value) -> &Value {
    &body["choices"][0]["logprobs"]
}

/// Lengths of the four lists, which go together.
fn lengths(body: &Value) -> Result<usize, String> {
    let length = |key: &str| logprobs(body)[key].as_array().map(Vec::len).ok_or(format!("no {key}"));
    let tokens = length("tokens")?;
    for key in ["token_logprobs", "top_logprobs", "text_offset"] {
        is(length(key)? == tokens, key)?;
    }
    Ok(tokens)
}

#[test]
fn answers_have_their_shape() {
    check(
        PATH,
        vec![
            row("every key of a completion is there, with its type", ask(json!({})), |answer| {
                let body = good(answer)?;
                is(body["id"].as_str().is_some_and(|id| id.starts_with("cmpl-")), "id")?;
                is(body["object"] == "text_completion" && body["model"] == MODEL, "object and model")?;
                is(body["created"].as_u64().is_some_and(|created| created > 1_700_000_000), "created")?;
                let choice = &body["choices"][0];
                is(choice["index"] == 0 && choice["logprobs"].is_null(), "index and logprobs")?;
                is(choice["text"].as_str().is_some_and(|text| !text.is_empty()), "text")?;
                is(choice["finish_reason"] == "length" && used(&body, "completion_tokens") == 6, "six tokens")?;
                adds_up(&body)
            }),
            row("16 tokens where nothing is said", ask(json!({"max_tokens": null, "ignore_eos": true})), |answer| {
                is(used(&good(answer)?, "completion_tokens") == 16, "16 tokens")
            }),
            row("tokens as a prompt", ask(json!({"prompt": [5, 6, 7, 8, 9]})), |answer| {
                is(used(&good(answer)?, "prompt_tokens") == 5, "five tokens")
            }),
            row("a list of one text", ask(json!({"prompt": [PROMPT]})), |answer| {
                is(choices(&good(answer)?).len() == 1, "one")
            }),
            row("equal prompts, equal answers", ask(json!({"prompt": [PROMPT, PROMPT]})), |answer| {
                let body = good(answer)?;
                is(choices(&body).len() == 2 && choices(&body)[0]["text"] == choices(&body)[1]["text"], "two equal")
            }),
            row("equal lists of tokens, equal answers", ask(json!({"prompt": [[5, 6, 7], [5, 6, 7]]})), |answer| {
                let body = good(answer)?;
                is(choices(&body).len() == 2 && choices(&body)[0]["text"] == choices(&body)[1]["text"], "two equal")
            }),
            row(
                "n for each prompt, numbered through",
                ask(json!({"prompt": ["a", "b"], "n": 2, "echo": true})),
                |answer| {
                    let body = good(answer)?;
                    let numbered = choices(&body).iter().zip(0u64..).all(|(choice, index)| choice["index"] == index);
                    is(choices(&body).len() == 4 && numbered, "indices")?;
                    let starts: Vec<&str> =
                        choices(&body).iter().map(|choice| &choice["text"].as_str().unwrap_or_default()[..1]).collect();
                    is(starts == ["a", "a", "b", "b"], "in the order of the prompts")
                },
            ),
            row("best_of keeps n", ask(json!({"best_of": 3, "n": 1, "temperature": 1})), |answer| {
                is(choices(&good(answer)?).len() == 1, "one")
            }),
            row(
                "a stop string ends the answer and is not in it",
                ask(json!({"stop": "a", "max_tokens": 40})),
                |answer| {
                    let body = good(answer)?;
                    is(reason(&body) == "stop" && !text(&body).contains('a'), "stopped")
                },
            ),
            row("ignore_eos goes on to the limit", ask(json!({"ignore_eos": true, "max_tokens": 50})), |answer| {
                is(used(&good(answer)?, "completion_tokens") == 50, "50 tokens")
            }),
            row("echo repeats the prompt", ask(json!({"echo": true})), |answer| {
                is(text(&good(answer)?).starts_with(PROMPT), "prompt")
            }),
            row("echo without tokens is the prompt alone", ask(json!({"echo": true, "max_tokens": 0})), |answer| {
                is(text(&good(answer)?) == PROMPT, "prompt")
            }),
        ],
    );
}

#[test]
fn logprobs_are_parallel_lists() {
    check(
        PATH,
        vec![
            row("logprobs 0: the token itself", ask(json!({"logprobs": 0})), |answer| {
                let body = good(answer)?;
                is(lengths(&body)? == 6, "six tokens")?;
                is(logprobs(&body)["top_logprobs"][0].as_object().is_some_and(|top| top.len() == 1), "itself alone")
            }),
            row("logprobs 5: five, or six with the token", ask(json!({"logprobs": 5, "temperature": 1})), |answer| {
                let body = good(answer)?;
                lengths(&body)?;
                let top = logprobs(&body)["top_logprobs"].as_array().cloned().unwrap_or_default();
                is(top.iter().all(|top| top.as_object().is_some_and(|top| (5..=6).contains(&top.len()))), "five or six")
            }),
            row(
                "echo and logprobs: the prompt's too, none for its first",
                ask(json!({"logprobs": 1, "echo": true})),
                |answer| {
                    let body = good(answer)?;
                    is(lengths(&body)? > 6, "more than the answer")?;
                    is(
                        logprobs(&body)["token_logprobs"][0].is_null() && logprobs(&body)["top_logprobs"][0].is_null(),
                        "null first",
                    )?;
                    is(
                        logprobs(&body)["token_logprobs"][1].as_f64().is_some_and(|logprob| logprob <= 0.0),
                        "then numbers",
                    )
                },
            ),
            row("offsets rise and start at 0", ask(json!({"logprobs": 0})), |answer| {
                let body = good(answer)?;
                let offsets: Vec<u64> =
                    logprobs(&body)["text_offset"].as_array().into_iter().flatten().filter_map(Value::as_u64).collect();
                is(offsets.first() == Some(&0) && offsets.is_sorted(), "offsets")
            }),
            row("logprobs 21 is refused", ask(json!({"logprobs": 21})), |answer| names(answer, "logprobs")),
            row(
                "logprobs 30 with stream is refused before the stream",
                ask(json!({"logprobs": 30, "stream": true})),
                |answer| names(answer, "logprobs"),
            ),
            row("logprobs below 0 is refused", ask(json!({"logprobs": -1})), |answer| names(answer, "logprobs")),
        ],
    );
}

#[test]
fn streams_have_their_shape() {
    check(
        PATH,
        vec![
            row("text, one reason, [DONE]", ask(json!({"stream": true})), |answer| {
                let events = events(answer)?;
                is(
                    events.iter().all(|event| event["object"] == "text_completion" && event["id"] == events[0]["id"]),
                    "object, id",
                )?;
                let reasons = events.iter().filter(|event| event["choices"][0]["finish_reason"].is_string()).count();
                is(
                    reasons == 1 && events.last().is_some_and(|last| last["choices"][0]["finish_reason"] == "length"),
                    "reason",
                )
            }),
            row("each prompt has its index", ask(json!({"stream": true, "prompt": [PROMPT, PROMPT]})), |answer| {
                let events = events(answer)?;
                is(events.iter().all(|event| choices(event).len() == 1), "one choice a chunk")?;
                is(joined(&events, 0) == joined(&events, 1) && !joined(&events, 0).is_empty(), "equal texts")
            }),
            row("n choices, n reasons", ask(json!({"stream": true, "n": 3, "temperature": 1, "seed": 3})), |answer| {
                let events = events(answer)?;
                let reasons = events.iter().filter(|event| event["choices"][0]["finish_reason"].is_string()).count();
                is(reasons == 3 && (0..3).all(|index| !joined(&events, index).is_empty()), "three")
            }),
            row("no usage unless asked for", ask(json!({"stream": true})), |answer| {
                is(events(answer)?.iter().all(|event| event.get("usage").is_none_or(Value::is_null)), "usage")
            }),
            row(
                "include_usage: a last chunk without choices",
                ask(json!({"stream": true, "stream_options": {"include_usage": true}})),
                |answer| {
                    let events = events(answer)?;
                    let (last, rest) = events.split_last().ok_or("no chunks")?;
                    is(rest.iter().all(|event| event.get("usage").is_some_and(Value::is_null)), "null in chunks")?;
                    is(last["choices"] == json!([]), "no choices")?;
                    adds_up(last)
                },
            ),
            row(
                "continuous_usage_stats: in every chunk",
                ask(json!({"stream": true, "stream_options": {"include_usage": true, "continuous_usage_stats": true}})),
                |answer| is(events(answer)?.iter().all(|event| used(event, "prompt_tokens") > 0), "usage"),
            ),
            row("echo comes first", ask(json!({"stream": true, "echo": true})), |answer| {
                is(joined(&events(answer)?, 0).starts_with(PROMPT), "prompt")
            }),
        ],
    );
    let server = Server::shared();
    for fields in
        [json!({}), json!({"stop": "a", "max_tokens": 40}), json!({"echo": true}), json!({"temperature": 1, "seed": 5})]
    {
        let whole = server.post(PATH, &ask(fields.clone())).expect(200).json();
        let mut streamed = ask(fields.clone());
        streamed["stream"] = json!(true);
        let events = events(&server.post(PATH, &streamed)).expect("a stream");
        assert_eq!(joined(&events, 0), text(&whole), "{fields}");
    }
}

#[test]
fn bad_requests_are_refused() {
    let fields = [
        json!({"prompt": []}),
        json!({"prompt": [[]]}),
        json!({"prompt": {}}),
        json!({"prompt": 7}),
        json!({"prompt": ["a", 1]}),
        json!({"prompt": [1, "a"]}),
        json!({"prompt": [-1]}),
        json!({"prompt": [1.5]}),
        json!({"prompt": [4_000_000_000u32]}),
        json!({"prompt": [[4_000_000_000u32]]}),
        json!({"max_tokens": -1}),
        json!({"max_tokens": 0}),
        json!({"temperature": -0.5}),
        json!({"top_p": 1.5}),
        json!({"top_k": -5}),
        json!({"n": 0}),
        json!({"n": 2, "best_of": 1}),
        json!({"best_of": 3, "stream": true}),
        json!({"suffix": "end"}),
        json!({"stream_options": {"include_usage": null}}),
        json!({"stream_options": {"include_usage": true}}),
        json!({"stream_options": {"continuous_usage_stats": null}}),
        json!({"stream_options": {"continuous_usage_stats": true}}),
        json!({"prompt": "word ".repeat(60_000)}),
    ];
    check(PATH, fields.into_iter().map(|fields| row("a bad value", ask(fields), refused)).collect());
    check(
        PATH,
        vec![row("an unknown model", ask(json!({"model": "nope"})), |answer| refused_with(answer, &[404]).map(drop))],
    );
}

/// Prompts, choices and tokens multiply. What a request may ask for in all is bounded, whichever of them it grows by.
#[test]
fn the_work_of_a_request_is_bounded() {
    // Every answer ends with its first tokens, so that only what is asked for is large.
    let stop = json!(["a", "e", "i", "o", "u", " ", "\n", ".", "1", "s", "t"]);
    let many = vec![PROMPT; 60];
    let within = ask(json!({"prompt": &many[..8], "n": 16, "max_tokens": 500, "stop": stop}));
    let past = ask(json!({"prompt": many, "n": 16, "max_tokens": 500, "stop": stop}));
    check(
        PATH,
        vec![
            row("64,000 tokens in all are served", within, |answer| good(answer).map(drop)),
            row("480,000 are refused", past, |answer| {
                let error = refused_with(answer, &[400])?;
                is(error["message"].as_str().is_some_and(|message| message.contains("65536")), "the bound")
            }),
            row("the server goes on", ask(json!({})), |answer| good(answer).map(drop)),
        ],
    );
}
