mod worker;

use mimus_sdk::dialect;
use mimus_sdk::inference::{Error, Options};
use mimus_sdk::models::{Model, Readiness};
use mimus_sdk::scripted::{self, Captured, Input, ScriptedHost};
use serde_json::{Value, json};

use crate::FastChat;

fn post(host: &ScriptedHost, path: &str, body: &str) -> Captured {
    host.call(&FastChat, "POST", path, &[], body.as_bytes())
}

/// A body with the scripted model and the fields given.
fn with(input: &str, fields: &str) -> String {
    let comma = if fields.is_empty() { "" } else { "," };
    format!(r#"{{"model":"scripted",{input}{comma}{fields}}}"#)
}

fn chat(fields: &str) -> String {
    with(r#""messages":[{"role":"user","content":"hi"}]"#, fields)
}

fn asked(host: &ScriptedHost) -> Options {
    host.asked().last().expect("the model was asked").options.clone()
}

#[track_caller]
fn check_refusal(path: &str, body: &str, code: u32, message: &str) {
    let captured = post(&ScriptedHost::new(), path, body);
    let message = Value::from(message);
    assert_eq!(captured.text(), format!(r#"{{"object":"error","message":{message},"code":{code}}}"#), "{body}");
    assert_eq!(captured.status, 400, "{body}");
}

#[test]
fn the_manifest_is_sound() {
    assert_eq!(dialect::self_test(&FastChat), Ok(()));
    let manifest = dialect::describe(&FastChat);
    assert_eq!((manifest.name.as_str(), manifest.conventional_port), ("fastchat", Some(21001)));
    let openapi: Value = serde_json::from_str(&manifest.openapi).expect("JSON");
    let described = openapi["paths"].as_object().expect("paths");
    for route in &manifest.routes {
        assert!(described.contains_key(&route.path), "{} is routed and not described", route.path);
    }
    assert_eq!(described.len(), manifest.routes.len());
}

/// Each example of the document is answered.
#[test]
fn the_examples_are_answered() {
    let openapi: Value = serde_json::from_str(include_str!("../openapi.json")).expect("JSON");
    for (path, item) in openapi["paths"].as_object().expect("paths") {
        let example = &item["post"]["requestBody"]["content"]["application/json"]["example"];
        if example.is_null() || path == "/register_worker" {
            continue;
        }
        let embed = Model { abilities: vec!["chat".into(), "embed".into()], ..scripted::model("mimus-chat") };
        let host = ScriptedHost::new().model(embed).setting("model_names", "text-embedding-ada-002");
        let captured = post(&host, &path.replace("{model}", "mimus-chat"), &example.to_string());
        assert_eq!(captured.status, 200, "{path}: {}", captured.text());
        assert!(!captured.text().contains("error_code\":5"), "{path}: {}", captured.text());
    }
}

#[test]
fn a_chat_is_answered_with_the_keys_in_order() {
    let captured = post(&ScriptedHost::new(), "/v1/chat/completions", &chat(r#""user":"me","unknown":{"a":1}"#));
    assert_eq!(captured.status, 200);
    assert_eq!(
        captured.text(),
        r#"{"id":"chatcmpl-7YfbXYMmEDmhdFNGuJz4F9","object":"chat.completion","created":1700000000,"model":"scripted","choices":[{"index":0,"message":{"role":"assistant","content":"Hello there friend"},"finish_reason":"stop"}],"usage":{"prompt_tokens":2,"total_tokens":5,"completion_tokens":3}}"#
    );
}

#[test]
fn the_defaults_are_fastchats() {
    let host = ScriptedHost::new();
    post(&host, "/v1/chat/completions", &chat(""));
    let options = Options {
        temperature: Some(0.7),
        top_p: Some(1.0),
        top_k: Some(0),
        min_p: Some(0.0),
        repetition_penalty: Some(1.0),
        ..Options::default()
    };
    assert_eq!(asked(&host), options);
    post(&host, "/v1/completions", &with(r#""prompt":"a""#, ""));
    assert_eq!(asked(&host), Options { tokens_max: Some(16), ..options.clone() });
    post(&host, "/worker_generate", &with(r#""prompt":"a""#, ""));
    assert_eq!(asked(&host), Options { tokens_max: Some(256), temperature: Some(1.0), ..options });
}

#[test]
fn fields_reach_the_model() {
    let cases: [(&str, Options); 6] = [
        (
            r#""temperature":0,"top_p":0.5,"top_k":7"#,
            Options { temperature: Some(0.0), top_p: Some(0.5), top_k: Some(7), ..Options::default() },
        ),
        (r#""stop":"x""#, Options { stop: vec!["x".into()], ..Options::default() }),
        (r#""stop":["x","","y"]"#, Options { stop: vec!["x".into(), "y".into()], ..Options::default() }),
        (r#""stop":"""#, Options::default()),
        (
            r#""presence_penalty":1,"frequency_penalty":-1"#,
            Options { presence_penalty: 1.0, frequency_penalty: -1.0, ..Options::default() },
        ),
        (r#""n":2,"max_tokens":3"#, Options { choices: 2, tokens_max: Some(3), ..Options::default() }),
    ];
    for (fields, expect) in cases {
        let host = ScriptedHost::new();
        assert_eq!(post(&host, "/v1/chat/completions", &chat(fields)).status, 200, "{fields}");
        let asked = asked(&host);
        let expect = Options {
            temperature: expect.temperature.or(Some(0.7)),
            top_p: expect.top_p.or(Some(1.0)),
            top_k: expect.top_k.or(Some(0)),
            min_p: Some(0.0),
            repetition_penalty: Some(1.0),
            ..expect
        };
        assert_eq!(asked, expect, "{fields}");
    }
}

#[test]
fn the_repetition_penalty_is_for_the_general_path() {
    for (path, expect) in [("/v1/chat/completions", 1.0), ("/api/v1/chat/completions", 1.5)] {
        let host = ScriptedHost::new();
        assert_eq!(post(&host, path, &chat(r#""repetition_penalty":1.5"#)).status, 200);
        assert_eq!(asked(&host).repetition_penalty, Some(expect), "{path}");
    }
}

#[test]
fn messages_may_be_a_prompt() {
    let host = ScriptedHost::new();
    let captured = post(&host, "/v1/chat/completions", &with(r#""messages":"USER: hi ASSISTANT:""#, ""));
    assert_eq!(captured.json()["choices"][0]["message"]["content"], "Hello there friend");
    let prompt = mimus_sdk::inference::Prompt::Text("USER: hi ASSISTANT:".into());
    assert_eq!(host.asked()[0].input, Input::Prompt(prompt));
}

#[test]
fn the_last_system_message_stands_first() {
    let host = ScriptedHost::new();
    let messages = r#""messages":[{"role":"user","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},
        {"role":"system","content":"old"},{"role":"assistant","content":"c"},{"role":"system","content":"new"},{"role":"user","content":"d"}]"#;
    assert_eq!(post(&host, "/v1/chat/completions", &with(messages, "")).status, 200);
    let Input::Chat(messages, _) = &host.asked()[0].input else { panic!("a conversation") };
    let said: Vec<String> = messages
        .iter()
        .map(|message| format!("{}: {}", message.role.name(), message.plain_text().unwrap_or_default()))
        .collect();
    assert_eq!(said, ["system: new", "user: a\nb", "assistant: c", "user: d"]);
}

#[test]
fn a_stream_tells_role_text_and_reasons_at_the_end() {
    let host = ScriptedHost::new().answer("Hello \u{fffd}friend");
    let captured = post(&host, "/v1/chat/completions", &chat(r#""stream":true,"n":2"#));
    assert_eq!(captured.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let id = "chatcmpl-7YfbXYMmEDmhdFNGuJz4F9";
    let chunk = |index: u32, delta: &str| {
        format!(
            r#"{{"id":"{id}","model":"scripted","choices":[{{"index":{index},"delta":{delta},"finish_reason":null}}]}}"#
        )
    };
    let last = |index: u32| {
        format!(
            r#"{{"id":"{id}","object":"chat.completion.chunk","created":1700000000,"model":"scripted","choices":[{{"index":{index},"delta":{{}},"finish_reason":"stop"}}]}}"#
        )
    };
    let events: Vec<String> = captured.events().iter().map(|event| (*event).to_owned()).collect();
    // The second choice has been computed beside the first, so that its text is there when its turn comes.
    let expect = [
        chunk(0, r#"{"role":"assistant"}"#),
        chunk(0, r#"{"content":"Hello"}"#),
        chunk(0, r#"{"content":" friend"}"#),
        chunk(1, r#"{"role":"assistant"}"#),
        chunk(1, r#"{"content":"Hello friend"}"#),
        last(0),
        last(1),
        "[DONE]".to_owned(),
    ];
    assert_eq!(events, expect);
}

#[test]
fn a_failure_in_the_stream_is_told_in_the_workers_words() {
    let host = ScriptedHost::new().fail_after(1, Error::Failed("disk".into()));
    let captured = post(&host, "/v1/chat/completions", &chat(r#""stream":true"#));
    let events = captured.events();
    let fault = r#"{"text":"the model failed on this request","error_code":50001}"#;
    assert_eq!(events[events.len() - 2..], [fault, "[DONE]"]);
    let host = ScriptedHost::new().fail_after(0, Error::Failed("disk".into()));
    let captured = post(&host, "/v1/chat/completions", &chat(r#""stream":true"#));
    assert_eq!((captured.status, captured.json()["code"].clone()), (400, json!(50001)));
}

#[test]
fn a_client_that_leaves_ends_the_generation() {
    for path in ["/v1/chat/completions", "/worker_generate_stream"] {
        let host = ScriptedHost::new().client_leaves_after(1);
        post(&host, path, r#"{"model":"scripted","messages":"a","prompt":"a","stream":true}"#);
        assert_eq!((host.running(), host.logged().len()), (0, 0), "{path}");
    }
}

#[test]
fn refusals_are_flat_with_fastchats_codes() {
    let chats = "/v1/chat/completions";
    let only = "Only scripted allowed now, your model";
    check_refusal(chats, r#"{"model":"nope","messages":"a","n":0}"#, 40301, &format!("{only} nope"));
    check_refusal(chats, r#"{"model":"scripted,other","messages":"a"}"#, 40301, &format!("{only} scripted,other"));
    check_refusal(chats, "{", 40001, "the body is not valid JSON: EOF while parsing an object at line 1 column 1");
    check_refusal(chats, r#"{"messages":"a"}"#, 40001, "`model` is required");
    check_refusal(chats, r#"{"model":"scripted"}"#, 40001, "`messages` is required");
    let cases = [
        (r#""max_tokens":0"#, "0 is less than the minimum of 1 - 'max_tokens'"),
        (r#""n":0"#, "0 is less than the minimum of 1 - 'n'"),
        (r#""n":17"#, "17 is greater than the maximum of 16 - 'n'"),
        (r#""temperature":-1"#, "-1.0 is less than the minimum of 0 - 'temperature'"),
        (r#""temperature":2.5"#, "2.5 is greater than the maximum of 2 - 'temperature'"),
        (r#""top_p":-0.5"#, "-0.5 is less than the minimum of 0 - 'top_p'"),
        (r#""top_p":1.5"#, "1.5 is greater than the maximum of 1 - 'top_p'"),
        (r#""top_k":0"#, "0 is out of Range. Either set top_k to -1 or >=1."),
        (r#""presence_penalty":3"#, "3.0 is greater than the maximum of 2 - 'presence_penalty'"),
    ];
    for (fields, message) in cases {
        check_refusal(chats, &chat(fields), 40302, message);
    }
    let cases = [
        (r#""temperature":"hot""#, "`temperature` must be a number, got a string"),
        (r#""stop":7"#, "`stop` must be a string or an array of strings, got integer 7"),
        (r#""stop":[7]"#, "`stop[0]` must be a string, got integer 7"),
        (r#""user":7"#, "`user` must be a string, got integer 7"),
    ];
    for (fields, message) in cases {
        check_refusal(chats, &chat(fields), 40001, message);
    }
    let messages = [
        (r#""messages":[{"role":"tool","content":"a"}]"#, 40001, "Unknown role: tool"),
        (r#""messages":[{"role":"user"}]"#, 40001, "`messages[0].content` is required"),
        (r#""messages":7"#, 40001, "`messages` must be a string or an array of messages, got integer 7"),
        (
            r#""messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"x"}}]}]"#,
            40302,
            "`messages[0].content[0]`: the model `scripted` does not take images",
        ),
    ];
    for (messages, code, message) in messages {
        check_refusal(chats, &with(messages, ""), code, message);
    }
    for (prompt, message) in
        [("[]", "`prompt` must not be empty"), (r#"["a",1]"#, "`prompt` must not mix texts, token ids and arrays")]
    {
        check_refusal("/v1/completions", &with(&format!(r#""prompt":{prompt}"#), ""), 40001, message);
    }
}

#[test]
fn overload_and_loading_keep_a_status_that_clients_act_on() {
    let cases = [(Error::Overloaded(2500), 429, "3", 42903), (Error::ModelNotReady("loading".into()), 503, "5", 50005)];
    for (error, status, retry_after, code) in cases {
        let captured = post(&ScriptedHost::new().refuse(error), "/v1/chat/completions", &chat(""));
        assert_eq!((captured.status, captured.header("retry-after")), (status, Some(retry_after)));
        assert_eq!(captured.json()["code"], json!(code));
    }
}

#[test]
fn an_answer_is_cut_to_the_context_and_a_prompt_is_not() {
    let host = ScriptedHost::new();
    assert_eq!(post(&host, "/v1/chat/completions", &chat(r#""max_tokens":100000"#)).status, 200);
    assert_eq!(asked(&host).tokens_max, Some(4094));
    let prompts = r#""prompt":["a","a b c"]"#;
    assert_eq!(post(&host, "/v1/completions", &with(prompts, r#""max_tokens":100000"#)).status, 200);
    assert_eq!(asked(&host).tokens_max, Some(4092));
    let long = "a ".repeat(4097);
    let message = |tokens: usize| {
        format!(
            "This model's maximum context length is 4096 tokens. However, your messages resulted in {tokens} tokens. Please reduce the length of the messages."
        )
    };
    check_refusal("/v1/completions", &with(&format!(r#""prompt":"{long}""#), ""), 40303, &message(4099));
    let messages = format!(r#""messages":[{{"role":"user","content":"{long}"}}]"#);
    check_refusal("/v1/chat/completions", &with(&messages, ""), 40303, &message(4099));
}

#[test]
fn completions_count_their_choices_through() {
    let host = ScriptedHost::new().echo();
    let fields = r#""n":2,"echo":true,"suffix":"x","best_of":4,"use_beam_search":true"#;
    let captured = post(&host, "/v1/completions", &with(r#""prompt":["a","b c"]"#, fields));
    let answer = captured.json();
    let texts: Vec<(u64, &str)> = answer["choices"]
        .as_array()
        .expect("choices")
        .iter()
        .map(|choice| (choice["index"].as_u64().expect("a number"), choice["text"].as_str().expect("text")))
        .collect();
    assert_eq!(texts, [(0, "aa"), (1, "aa"), (2, "b cb c"), (3, "b cb c")]);
    // Each choice counts its prompt again: 2 times 2 tokens and 2 times 3.
    assert_eq!(answer["usage"], json!({"prompt_tokens":10,"total_tokens":16,"completion_tokens":6}));
    assert!(captured.text().contains(r#""text":"aa","logprobs":null,"finish_reason":"stop"}"#), "{}", captured.text());
}

#[test]
fn logprobs_have_no_alternatives() {
    let host = ScriptedHost::new().answer("x y");
    let captured = post(&host, "/v1/completions", &with(r#""prompt":"a""#, r#""logprobs":3,"max_tokens":2"#));
    assert_eq!(
        captured.json()["choices"][0]["logprobs"],
        json!({"text_offset":[0,1],"token_logprobs":[-0.5,-0.5],"tokens":["x"," y"],"top_logprobs":[{},{}]})
    );
    let echoed = r#""logprobs":1,"max_tokens":1,"echo":true"#;
    let captured = post(&host, "/v1/completions", &with(r#""prompt":"a""#, echoed));
    assert_eq!(captured.json()["choices"][0]["logprobs"]["token_logprobs"], json!([null, -0.5, -0.5]));
}

#[test]
fn a_stream_of_completions_repeats_its_logprobs() {
    let host = ScriptedHost::new().answer("x y z");
    let captured =
        post(&host, "/v1/completions", &with(r#""prompt":["a","b"]"#, r#""stream":true,"logprobs":1,"max_tokens":3"#));
    let events = captured.events();
    assert_eq!(events.last(), Some(&"[DONE]"));
    let chunks: Vec<Value> =
        events[..events.len() - 1].iter().map(|event| serde_json::from_str(event).expect("JSON")).collect();
    let told: Vec<(String, usize, Value)> = chunks
        .iter()
        .map(|chunk| {
            let choice = &chunk["choices"][0];
            let tokens = choice["logprobs"]["tokens"].as_array().expect("tokens").len();
            (choice["text"].as_str().expect("text").to_owned(), tokens, choice["finish_reason"].clone())
        })
        .collect();
    let piece = |text: &str, tokens| (text.to_owned(), tokens, Value::Null);
    let last = || (String::new(), 3, json!("length"));
    let one = [piece("x", 1), piece(" y z", 3)];
    assert_eq!(told, [one.clone().to_vec(), one.to_vec(), vec![last(), last()]].concat());
    assert!(events[0].starts_with(r#"{"id":"cmpl-7YfbXYMmEDmhdFNGuJz4F9","object":"text_completion","model":"scripted","choices":[{"index":0,"text":"x","#));
}

#[test]
fn models_have_permissions() {
    let failed = Model { readiness: Readiness::Failed, ..scripted::model("broken") };
    let host = ScriptedHost::new().model(failed).model(scripted::model("a"));
    let captured = host.call(&FastChat, "GET", "/v1/models", &[], b"");
    let list = captured.json();
    let names: Vec<&str> =
        list["data"].as_array().expect("cards").iter().filter_map(|card| card["id"].as_str()).collect();
    assert_eq!(names, ["a", "scripted"]);
    let start = r#"{"object":"list","data":[{"id":"a","object":"model","created":1700000000,"owned_by":"fastchat","root":"a","parent":null,"permission":[{"id":"modelperm-"#;
    assert!(captured.text().starts_with(start), "{}", captured.text());
    let end = r#""allow_create_engine":false,"allow_sampling":true,"allow_logprobs":true,"allow_search_indices":true,"allow_view":true,"allow_fine_tuning":false,"organization":"*","group":null,"is_blocking":false}]}]}"#;
    assert!(captured.text().ends_with(end), "{}", captured.text());
}

/// As FastChat's manual for LangChain has it: three of OpenAI's names for one server.
#[test]
fn a_model_answers_to_other_names() {
    let names = "gpt-3.5-turbo, text-davinci-003,text-embedding-ada-002";
    let given: [(Value, &str); 2] = [
        (json!(names), "embedder"),
        (json!({"gpt-3.5-turbo,text-davinci-003": "scripted", "text-embedding-ada-002": "embedder"}), "embedder"),
    ];
    for (setting, embedder) in given {
        let host = ScriptedHost::new().model(scripted::embedding_model("embedder")).setting("model_names", setting);
        let listed = post(&host, "/list_models", "").json();
        let expect = ["embedder", "gpt-3.5-turbo", "scripted", "text-davinci-003", "text-embedding-ada-002"];
        assert_eq!(listed, json!({ "models": expect }));
        let captured = post(&host, "/v1/chat/completions", r#"{"model":"gpt-3.5-turbo","messages":"a"}"#);
        assert_eq!(captured.json()["model"], "gpt-3.5-turbo");
        assert_eq!(host.asked()[0].model, "scripted");
        let captured = post(&host, "/v1/embeddings", r#"{"model":"text-embedding-ada-002","input":"a"}"#);
        assert_eq!(
            (captured.status, captured.json()["model"].clone()),
            (200, json!("text-embedding-ada-002")),
            "{embedder}"
        );
    }
}

#[test]
fn a_setting_of_another_kind_is_for_the_operator() {
    let host = ScriptedHost::new().setting("model_names", 7);
    assert_eq!(post(&host, "/list_models", "").json(), json!({"models":["scripted"]}));
    assert_eq!(host.logged().len(), 1);
}

#[test]
fn embeddings() {
    let host = ScriptedHost::new().model(scripted::embedding_model("e"));
    let whole = r#"{"object":"list","data":[{"object":"embedding","embedding":[3.0,1.0,1.0,1.0],"index":0},{"object":"embedding","embedding":[2.0,1.0,1.0,1.0],"index":1}],"model":"e","usage":{"prompt_tokens":5,"total_tokens":5}}"#;
    let body = r#"{"model":"e","input":["a b","a"],"user":"me"}"#;
    assert_eq!(post(&host, "/v1/embeddings", body).text(), whole);
    for (path, body) in [
        ("/v1/engines/e/embeddings", r#"{"input":["a b","a"]}"#),
        ("/v1/embeddings", r#"{"engine":"e","input":["a b","a"],"encoding_format":"float"}"#),
    ] {
        assert_eq!(post(&host, path, body).text(), whole, "{path}");
    }
    let captured = post(&host, "/v1/embeddings", r#"{"model":"e","input":[5,6],"encoding_format":"base64"}"#);
    assert_eq!(captured.json()["data"][0]["embedding"], "AAAAQAAAgD8AAIA/AACAPw==");
    let captured = post(&host, "/worker_get_embeddings", r#"{"input":["a b"]}"#);
    assert_eq!(captured.text(), r#"{"embedding":[[3.0,1.0,1.0,1.0]],"token_num":3}"#);
    check_refusal("/v1/embeddings", r#"{"input":"a"}"#, 40301, "Only scripted allowed now, your model None");
}

#[test]
fn a_text_that_is_too_long_is_embedded_in_parts() {
    let host = ScriptedHost::new().model(scripted::embedding_model("e"));
    let long = "a ".repeat(512);
    let captured = post(&host, "/v1/embeddings", &format!(r#"{{"model":"e","input":["{long}","b"]}}"#));
    assert_eq!(captured.status, 200, "{}", captured.text());
    let answer = captured.json();
    assert_eq!(answer["usage"]["prompt_tokens"], json!(516));
    let length: f64 = answer["data"][0]["embedding"]
        .as_array()
        .expect("numbers")
        .iter()
        .map(|number| number.as_f64().expect("a number").powi(2))
        .sum();
    assert!((length - 1.0).abs() < 1e-5, "{length}");
}

#[test]
fn tokens_are_checked() {
    let body = r#"{"prompts":[{"model":"scripted","prompt":"a b","max_tokens":4093},{"model":"scripted","prompt":"a b","max_tokens":4094}]}"#;
    assert_eq!(
        post(&ScriptedHost::new(), "/api/v1/token_check", body).text(),
        r#"{"prompts":[{"fits":true,"tokenCount":3,"contextLength":4096},{"fits":false,"tokenCount":3,"contextLength":4096}]}"#
    );
    let unknown = r#"{"prompts":[{"model":"nope","prompt":"a","max_tokens":1}]}"#;
    check_refusal("/api/v1/token_check", unknown, 40301, "Only scripted allowed now, your model nope");
}
