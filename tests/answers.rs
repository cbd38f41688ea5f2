//! Answers that have a shape: tool calls in the marks of several model families, reasoning, JSON, regular expressions, choices.
//!
//! The built-in model knows none of this. That is the point: whatever a model would rather say, what it says has the shape.

#[path = "harness/mod.rs"]
mod harness;

use harness::server::Server;
use serde_json::{Value, json};

const CHAT: &str = "/openai/v1/chat/completions";

/// Templates in the formats of families, each as short as still tells the family.
const FAMILIES: [(&str, &str); 6] = [
    (
        "Qwen 2.5",
        "{%- if tools %}{{- '<|im_start|>system\\n<tools>' }}{% for tool in tools %}{{ tool | tojson }}{% endfor %}{{- '</tools> Answer by <tool_call>\\n{\"name\": <function-name>, \"arguments\": <args-json-object>}\\n</tool_call><|im_end|>\\n' }}{% endif %}\
         {%- for message in messages %}{{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>\\n' }}{% endfor %}{{- '<|im_start|>assistant\\n' }}",
    ),
    (
        "Mistral 0.3",
        "{{ bos_token }}{% if tools %}[AVAILABLE_TOOLS] {{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}{% for message in messages %}{% if message.tool_calls is defined and message.tool_calls %}{{ '[TOOL_CALLS] [' }}{% else %}{{ '[INST] ' + message.content + '[/INST]' }}{% endif %}{% endfor %}",
    ),
    (
        "Mistral Small 3.2",
        "{{ bos_token }}{% if tools %}[AVAILABLE_TOOLS]{{ tools | tojson }}[/AVAILABLE_TOOLS]{% endif %}{% for message in messages %}{% if message.tool_calls is defined and message.tool_calls %}{{ '[TOOL_CALLS]' + message.tool_calls[0].function.name + '[ARGS]' }}{% else %}{{ '[INST]' + message.content + '[/INST]' }}{% endif %}{% endfor %}",
    ),
    (
        "Llama 3.1",
        "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message.role + '<|end_header_id|>\\n\\n' }}{% if tools and loop.last %}{{ 'Respond in the format {\"name\": function name, \"parameters\": dictionary of argument name and its value}.' }}{{ tools | tojson }}{% endif %}{{ message.content + '<|eot_id|>' }}{% endfor %}{{ '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% if false %}{{ '{\"name\": \"' + '\", \"parameters\": ' }}{% endif %}",
    ),
    (
        "DeepSeek V3",
        "{{ bos_token }}{% for message in messages %}{% if message.tool_calls is defined and message.tool_calls %}{{ '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>' + 'f' + '\\n```json\\n' + '\\n```<｜tool▁call▁end｜>' }}{% else %}{{ '<｜User｜>' + message.content }}{% endif %}{% endfor %}{{ '<｜Assistant｜>' }}",
    ),
    (
        "Granite 3",
        "{% if tools %}{{ '<|start_of_role|>tools<|end_of_role|>' + tools | tojson + '<|end_of_text|>' }}{% endif %}{% for message in messages %}{{ '<|start_of_role|>' + message.role + '<|end_of_role|>' + message.content + '<|end_of_text|>' }}{% endfor %}{{ '<|start_of_role|>assistant<|end_of_role|>' }}{% if false %}{{ '<|tool_call|>[' }}{% endif %}",
    ),
];

fn tools() -> Value {
    let weather = json!({
        "type": "object", "additionalProperties": false, "required": ["city", "days"],
        "properties": {"city": {"type": "string", "maxLength": 12}, "days": {"type": "integer", "minimum": 1, "maximum": 7}},
    });
    let light = json!({
        "type": "object", "additionalProperties": false, "required": ["on"], "properties": {"on": {"type": "boolean"}},
    });
    json!([
        {"type": "function", "function": {"name": "get_weather", "description": "Weather of a city", "parameters": weather}},
        {"type": "function", "function": {"name": "switch-light", "parameters": light}},
    ])
}

#[track_caller]
fn check_call(family: &str, name: &str, arguments: &str) {
    let value: Value = serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{family}: {error}: {arguments}"));
    let keys = value.as_object().map(|object| object.len());
    let is_sound = match name {
        "get_weather" => {
            let is_city = value["city"].as_str().is_some_and(|city| city.chars().count() <= 12);
            keys == Some(2) && is_city && value["days"].as_u64().is_some_and(|days| (1..=7).contains(&days))
        }
        "switch-light" => keys == Some(1) && value["on"].is_boolean(),
        _ => false,
    };
    assert!(is_sound, "{family}: {name}({arguments})");
}

fn ask(more: Value) -> Value {
    let mut body = json!({"model": "mimus-chat", "messages": [{"role": "user", "content": "Will it rain in Paris?"}]});
    body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
    body
}

#[test]
fn calls_in_the_marks_of_each_family() {
    let server = Server::shared();
    for (family, template) in FAMILIES {
        for (seed, choice) in
            [json!("required"), json!({"type": "function", "function": {"name": "get_weather"}})].iter().enumerate()
        {
            let mut body = ask(json!({
                "tools": tools(), "tool_choice": choice, "parallel_tool_calls": false, "chat_template": template,
                "seed": seed, "temperature": 1.2, "max_tokens": 300,
            }));
            let answer = server.post(CHAT, &body).expect(200).json();
            let message = &answer["choices"][0]["message"];
            assert!(message["content"].is_null(), "{family}: {message}");
            let calls = message["tool_calls"].as_array().unwrap_or_else(|| panic!("{family}: {answer}"));
            assert_eq!(calls.len(), 1, "{family}: {answer}");
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            let (name, arguments) = (text(&calls[0]["function"]["name"]), text(&calls[0]["function"]["arguments"]));
            check_call(family, &name, &arguments);

            // The same, as it streams.
            body["stream"] = json!(true);
            let (mut streamed_name, mut streamed, mut finish) = (String::new(), String::new(), Value::Null);
            for event in
                server.post(CHAT, &body).expect(200).text().lines().filter_map(|line| line.strip_prefix("data: {"))
            {
                let chunk: Value = serde_json::from_str(&format!("{{{event}")).expect("a chunk is JSON");
                let choice = &chunk["choices"][0];
                let function = &choice["delta"]["tool_calls"][0]["function"];
                streamed_name += function["name"].as_str().unwrap_or_default();
                streamed += function["arguments"].as_str().unwrap_or_default();
                assert!(choice["delta"]["content"].as_str().unwrap_or_default().is_empty(), "{family}: {chunk}");
                if !choice["finish_reason"].is_null() {
                    finish = choice["finish_reason"].clone();
                }
            }
            assert_eq!((streamed_name, streamed), (name, arguments), "{family}");
            assert!(finish == "tool_calls" || finish == "stop", "{family}: {finish}");
        }
    }
}

#[test]
fn several_calls_at_once() {
    let server = Server::shared();
    let found = (0..6).map(|seed| {
        let body = ask(json!({
            "tools": tools(), "tool_choice": "required", "chat_template": FAMILIES[0].1,
            "seed": seed, "temperature": 1.5, "max_tokens": 600,
        }));
        let answer = server.post(CHAT, &body).expect(200).json();
        let is_cut = answer["choices"][0]["finish_reason"] == "length";
        let calls = answer["choices"][0]["message"]["tool_calls"].as_array().cloned().unwrap_or_default();
        let whole = calls.len() - usize::from(is_cut && !calls.is_empty());
        for call in &calls[..whole] {
            let text = |key: &str| call["function"][key].as_str().unwrap_or_default().to_owned();
            check_call("Qwen 2.5", &text("name"), &text("arguments"));
        }
        let mut ids: Vec<&str> = calls.iter().filter_map(|call| call["id"].as_str()).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), calls.len(), "ids are unique: {answer}");
        whole
    });
    assert!(found.sum::<usize>() >= 6, "each answer has a call");
}

#[test]
fn reasoning_is_told_apart() {
    let server = Server::shared();
    let template = "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' + message.content.split('</think>')[-1] + '<|im_end|>\\n' }}{% endfor %}{{ '<|im_start|>assistant\\n' }}{% if open %}{{ '<think>\\n' }}{% endif %}";
    let plain = server.post(CHAT, &ask(json!({"temperature": 0}))).expect(200).json();
    let check = |variables: Value, is_reasoning: bool| {
        let body = ask(
            json!({"temperature": 0, "max_tokens": 24, "chat_template": template, "chat_template_kwargs": variables}),
        );
        let answer = server.post(CHAT, &body).expect(200).json();
        let message = &answer["choices"][0]["message"];
        let reasoning = message["reasoning_content"].as_str().unwrap_or_default();
        assert_eq!(!reasoning.is_empty(), is_reasoning, "{answer}");
        let tokens = answer["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64();
        assert_eq!(tokens.is_some_and(|tokens| tokens > 0), is_reasoning, "{answer}");
        message["content"].as_str().unwrap_or_default().to_owned()
    };
    assert_eq!(check(json!({"open": false}), false), plain["choices"][0]["message"]["content"]);
    assert_eq!(check(json!({"open": true}), true), "");
}

#[test]
fn shapes_hold_whatever_the_model_would_say() {
    let server = Server::shared();
    let schema = json!({
        "type": "object", "additionalProperties": false, "required": ["name", "tags", "place"],
        "properties": {
            "name": {"type": "string", "pattern": "^[A-Z][a-z]{1,7}$"},
            "tags": {"type": "array", "maxItems": 3, "items": {"enum": ["red", "green"]}},
            "place": {"anyOf": [{"type": "null"}, {"$ref": "#/$defs/point"}]},
        },
        "$defs": {"point": {
            "type": "object", "additionalProperties": false, "required": ["x"], "properties": {"x": {"type": "integer", "minimum": 0, "maximum": 99}},
        }},
    });
    let is_json_object = |text: &str| serde_json::from_str::<Value>(text).is_ok_and(|value| value.is_object());
    let fits_schema = |text: &str| {
        let Ok(value) = serde_json::from_str::<Value>(text) else { return false };
        let name = value["name"].as_str().unwrap_or_default();
        let is_name = name.len() >= 2 && name.len() <= 8 && name.starts_with(|c: char| c.is_ascii_uppercase());
        let is_tag = |tag: &Value| tag == "red" || tag == "green";
        let is_place = value["place"].is_null() || value["place"]["x"].as_u64().is_some_and(|x| x < 100);
        is_name && value["tags"].as_array().is_some_and(|tags| tags.len() <= 3 && tags.iter().all(is_tag)) && is_place
    };
    let is_date = |text: &str| {
        let parts: Vec<&str> = text.split('-').collect();
        parts.len() == 3
            && [4, 2, 2]
                .iter()
                .zip(&parts)
                .all(|(length, part)| part.len() == *length && part.bytes().all(|b| b.is_ascii_digit()))
    };
    type Check<'a> = &'a dyn Fn(&str) -> bool;
    let named = json!({"name": "n", "schema": schema});
    let cases: [(Value, Check<'_>); 10] = [
        (json!({"response_format": {"type": "json_schema", "json_schema": named}}), &fits_schema),
        (json!({"guided_json": schema}), &fits_schema),
        (json!({"structured_outputs": {"json": schema}}), &fits_schema),
        (json!({"response_format": {"type": "json_object"}}), &is_json_object),
        (json!({"guided_regex": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}), &is_date),
        (json!({"response_format": {"type": "regex_schema", "regex_schema": "[0-9]{4}-[0-9]{2}-[0-9]{2}"}}), &is_date),
        (json!({"structured_outputs": {"regex": "\\d{4}-\\d{2}-\\d{2}"}}), &is_date),
        (json!({"guided_choice": ["rain", "no rain", "雪"]}), &|text| ["rain", "no rain", "雪"].contains(&text)),
        (json!({"guided_grammar": "start: \"it \" verb\nverb: \"rains\" | \"snows\""}), &|text| {
            text == "it rains" || text == "it snows"
        }),
        (json!({"structured_outputs": {"grammar": "start: /[a-c]/ start | \"!\""}}), &|text| text.ends_with('!')),
    ];
    let mut finished = 0;
    for (more, check) in &cases {
        for seed in 0..3 {
            for stream in [false, true] {
                let mut body = ask(json!({"temperature": 1.3, "seed": seed, "max_tokens": 400, "stream": stream}));
                body.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
                let answer = server.post(CHAT, &body).expect(200);
                let (text, finish) = if stream { streamed(&answer.text()) } else { whole(&answer.json()) };
                if finish == "length" {
                    continue;
                }
                finished += 1;
                assert!(check(&text), "{more}: {text}");
            }
        }
    }
    assert!(finished >= 50, "only {finished} of 60 answers ended by themselves");
}

fn whole(answer: &Value) -> (String, String) {
    let choice = &answer["choices"][0];
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    (text(&choice["message"]["content"]), text(&choice["finish_reason"]))
}

fn streamed(body: &str) -> (String, String) {
    let (mut text, mut finish) = (String::new(), String::new());
    for event in body.lines().filter_map(|line| line.strip_prefix("data: ")).filter(|event| *event != "[DONE]") {
        let chunk: Value = serde_json::from_str(event).expect("a chunk is JSON");
        text += chunk["choices"][0]["delta"]["content"].as_str().unwrap_or_default();
        finish += chunk["choices"][0]["finish_reason"].as_str().unwrap_or_default();
    }
    (text, finish)
}

/// What cannot be held to, and what is made to cost: refused in the dialect's shape or answered, and the server goes on.
#[test]
fn shapes_that_cannot_be_held() {
    let server = Server::shared();
    let mut deep = json!({"type": "string"});
    for _ in 0..40 {
        deep = json!({"type": "object", "properties": {"a": deep}, "required": ["a"]});
    }
    let format = |schema: Value| json!({"response_format": {"type": "json_schema", "json_schema": {"name": "n", "schema": schema}}});
    let refused = [
        json!({"guided_regex": "("}),
        json!({"guided_choice": []}),
        json!({"guided_grammar": "start: nowhere"}),
        json!({"guided_grammar": "no grammar at all ::="}),
        format(json!({"type": "nonsense"})),
        format(json!(7)),
        format(json!({"$ref": "#/$defs/none"})),
        format(json!({"$ref": "http://127.0.0.1/schema.json"})),
        json!({"response_format": {"type": "json_schema"}}),
        json!({"tools": [{"type": "function", "function": {"name": "f", "parameters": {"type": "string"}}}], "tool_choice": "required"}),
        json!({"tools": tools(), "tool_choice": {"type": "function", "function": {"name": "unknown"}}}),
        json!({"tool_choice": "required"}),
    ];
    for more in refused {
        let answer = server.post(CHAT, &ask(more.clone())).expect(400).json();
        assert_eq!(answer["error"]["type"], "invalid_request_error", "{more}: {answer}");
        assert!(answer["error"]["message"].as_str().is_some_and(|message| !message.is_empty()), "{more}: {answer}");
    }
    let costly = [
        json!({"guided_regex": "(a+)+b"}),
        json!({"guided_regex": "a{1000000}"}),
        json!({"guided_regex": "(((((a{1,100}){1,100}){1,100}){1,100}){1,100})"}),
        json!({"guided_grammar": "start: start \"a\" | \"a\""}),
        format(json!({"$ref": "#"})),
        format(json!({"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"})),
        format(deep),
        format(json!({"type": "string", "pattern": "^(a+)+b$"})),
        format(json!({"enum": (0..5_000).collect::<Vec<u32>>()})),
    ];
    for more in costly {
        let mut body = ask(more.clone());
        body["max_tokens"] = json!(16);
        let answer = server.post(CHAT, &body);
        assert!([200, 400, 413].contains(&answer.status), "{more}: {} {}", answer.status, answer.text());
    }
    server.post(CHAT, &ask(json!({"temperature": 0, "max_tokens": 8}))).expect(200);
}
