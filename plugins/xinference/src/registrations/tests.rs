use mimus_sdk::registry::Origin;
use mimus_sdk::scripted::ScriptedHost;
use serde_json::{Value, json};

use crate::tests::{delete, detail, get, host, ok, post};

fn register(host: &ScriptedHost, model_type: &str, definition: &Value) -> mimus_sdk::scripted::Captured {
    let body = json!({ "model": definition.to_string(), "worker_ip": null, "persist": true });
    post(host, &format!("/v1/model_registrations/{model_type}"), &body)
}

#[test]
fn lists_are_sorted_whatever_the_capitals() {
    let host = host();
    let names = |path: &str| -> Vec<String> {
        let list = ok(&get(&host, path));
        let entries = list.as_array().expect("a list").iter();
        entries.filter_map(|entry| entry["model_name"].as_str().map(str::to_owned)).collect()
    };
    assert_eq!(names("/v1/model_registrations/LLM"), ["Base", "chatty"]);
    assert_eq!(names("/v1/model_registrations/LLM?detailed=false"), ["Base", "chatty"]);
    assert_eq!(names("/v1/model_registrations/flexible"), Vec::<String>::new());
    assert_eq!(
        ok(&get(&host, "/v1/model_registrations/rerank")),
        json!([{ "model_name": "Small-rerank", "is_builtin": true }])
    );
    assert_eq!(detail(&get(&host, "/v1/model_registrations/boat"), 400), "Unsupported model type: boat.");
}

#[test]
fn the_long_list_tells_what_is_here() {
    let list = ok(&get(&host(), "/v1/model_registrations/LLM?detailed=true"));
    let chatty = &list[1];
    assert_eq!((&chatty["is_builtin"], &chatty["cache_status"]), (&json!(true), &json!(true)));
    let cached: Vec<&Value> =
        chatty["model_specs"].as_array().expect("specs").iter().map(|spec| &spec["cache_status"]).collect();
    assert_eq!(cached, [&json!(true), &json!(false), &json!(false), &json!(true)]);
}

#[test]
fn families_have_the_keys_of_both_generations() {
    let host = host();
    let llm = ok(&get(&host, "/v1/model_registrations/LLM/chatty"));
    for key in "version context_length model_name model_lang model_ability model_description model_family model_specs prompt_style \
                chat_template stop stop_token_ids reasoning_start_tag reasoning_end_tag tool_parser architectures virtualenv \
                cache_config"
        .split_whitespace()
    {
        assert!(llm.get(key).is_some(), "`{key}`");
    }
    assert!(llm["model_specs"][0].get("cache_status").is_none());
    assert_eq!(
        llm["model_specs"][2],
        json!({
            "model_format": "ggufv2", "quantization": "q4_k_m", "quantizations": ["q4_k_m"], "model_size_in_billions": 7,
            "activated_size_in_billions": null, "model_hub": "huggingface", "model_id": "people/chatty-7-gguf",
            "model_uri": null, "model_revision": "abc", "model_file_name_template": "chatty-{quantization}.gguf",
        })
    );
    assert_eq!(llm["model_specs"][0]["model_size_in_billions"], "0_5");
    let embedding = ok(&get(&host, "/v1/model_registrations/embedding/small-embed"));
    for key in "model_name dimensions max_tokens language model_id model_revision model_specs".split_whitespace() {
        assert!(embedding.get(key).is_some(), "`{key}`");
    }
    let rerank = ok(&get(&host, "/v1/model_registrations/rerank/Small-rerank"));
    assert_eq!((&rerank["type"], &rerank["language"]), (&json!("normal"), &json!(["en"])));
    assert_eq!(detail(&get(&host, "/v1/model_registrations/LLM/nobody"), 400), "Model nobody not found");
    assert_eq!(detail(&get(&host, "/v1/model_registrations/boat/nobody"), 400), "Model nobody not found");
}

#[test]
fn the_first_generations_definition_is_kept() {
    let host = host();
    let definition = json!({
        "version": 1, "context_length": 2048, "model_name": "mine", "model_lang": ["en", "zh"],
        "model_ability": ["embed", "chat"], "model_family": "other",
        "model_specs": [
            {
                "model_format": "pytorch", "model_size_in_billions": 7, "quantizations": ["none", "8-bit"],
                "model_id": "people/mine-7b", "model_revision": "main",
            },
            {
                "model_format": "ggmlv3", "model_size_in_billions": "1_8", "quantizations": ["q4_0"],
                "model_uri": "file:///models/mine", "model_file_name_template": "mine-{quantization}.bin",
            },
        ],
        "prompt_style": { "style_name": "QWEN", "roles": ["user", "assistant"] },
        "unknown_key": { "kept": true },
    });
    assert_eq!(ok(&register(&host, "LLM", &definition)), Value::Null);
    let shown = ok(&get(&host, "/v1/model_registrations/LLM/mine"));
    for (key, value) in definition.as_object().expect("an object") {
        assert_eq!(&shown[key], value, "{key}");
    }
    assert!(shown.get("chat_template").is_some());
    let family = mimus_sdk::native::with_backend(std::rc::Rc::new(host.clone()), || {
        mimus_sdk::registry::family("text", "mine").expect("registered")
    });
    assert_eq!((family.weights[0].format.as_str(), family.weights[0].size.as_deref()), ("safetensors", Some("7")));
    assert_eq!(family.weights[0].quantizations, ["none", "8-bit"]);
    assert_eq!(family.weights[1].origin, Origin::Path("/models/mine".into()));
    assert_eq!((family.weights[1].size.as_deref(), family.format.as_deref()), (Some("1.8"), Some("chatml")));
    let entries = ok(&get(&host, "/v1/model_registrations/LLM"));
    assert!(entries.as_array().expect("a list").contains(&json!({ "model_name": "mine", "is_builtin": false })));
    assert_eq!(ok(&post(&host, "/v1/models", &json!({ "model_name": "mine" })))["model_uid"], "mine");
}

#[test]
fn the_second_generations_definition_is_kept() {
    let host = host();
    let spec = |quantization: &str| {
        json!({
            "model_format": "gptq", "model_size_in_billions": "0_5", "quantization": quantization, "model_hub": "huggingface",
            "model_id": "people/mine", "model_revision": null,
        })
    };
    let definition = json!({
        "version": 2, "context_length": 4096, "model_name": "mine", "model_lang": ["en"], "model_ability": ["chat", "tools"],
        "model_family": "qwen2.5-instruct", "model_specs": [spec("Int4"), spec("Int8")], "chat_template": "{{ x }}", "stop": ["e"],
    });
    ok(&register(&host, "LLM", &definition));
    let shown = ok(&get(&host, "/v1/model_registrations/LLM/mine"));
    assert_eq!((&shown["model_specs"], &shown["chat_template"]), (&definition["model_specs"], &json!("{{ x }}")));
    let body = json!({ "model_name": "mine", "model_format": "gptq", "quantization": "Int8", "model_engine": "vLLM" });
    ok(&post(&host, "/v1/models", &body));
    assert_eq!(ok(&get(&host, "/v1/models/mine"))["quantization"], "Int8");
}

#[test]
fn definitions_of_other_types_register() {
    let host = host();
    let cases = [
        (
            "embedding",
            json!({ "model_name": "mine", "dimensions": 768, "max_tokens": 512, "language": ["zh"], "model_id": "a/b" }),
        ),
        (
            "embedding",
            json!({
                "version": 2, "model_name": "mine", "dimensions": 768, "max_tokens": 512, "language": ["en"],
                "model_specs": [{ "model_format": "pytorch", "model_uri": "/models/b", "quantization": "none" }],
            }),
        ),
        ("rerank", json!({ "model_name": "mine", "language": ["en"], "model_id": "a/b", "model_revision": null })),
        ("image", json!({ "model_name": "mine", "model_family": "stable_diffusion", "model_id": "a/b" })),
    ];
    for (model_type, definition) in cases {
        ok(&register(&host, model_type, &definition));
        let shown = ok(&get(&host, &format!("/v1/model_registrations/{model_type}/mine")));
        for (key, value) in definition.as_object().expect("an object") {
            assert_eq!(&shown[key], value, "{model_type} {key}");
        }
    }
    // The shape of the files that the original publishes, and an object in place of its text.
    let published = json!({
        "model_name": "published", "context_length": 1024, "model_ability": ["chat"],
        "model_specs": [{
            "model_format": "ggufv2", "model_size_in_billions": 7,
            "model_src": { "huggingface": { "quantizations": ["q4_k_m"], "model_id": "a/b", "model_file_name_template": "{quantization}.gguf" } },
        }],
    });
    ok(&post(&host, "/v1/model_registrations/LLM", &json!({ "model": published, "persist": false })));
    let body = json!({ "model_name": "published", "quantization": "q4_k_m" });
    ok(&post(&host, "/v1/models", &body));
}

#[test]
fn bad_definitions_say_what_is_wrong() {
    let host = host();
    let llm = |specs: Value| json!({ "model_name": "mine", "model_ability": ["chat"], "model_specs": specs });
    let cases = [
        (json!({}), "`model_name`"),
        (json!({ "model_name": "mine" }), "`model_specs` is required"),
        (
            llm(json!([{ "model_size_in_billions": 7, "model_format": "pytorch" }])),
            "`model_specs[0].model_id` is required",
        ),
        (llm(json!([{ "model_id": "a/b" }])), "`model_specs[0].model_size_in_billions` is required"),
        (llm(json!([{ "model_uri": "s3://bucket/x", "model_size_in_billions": 7 }])), "s3"),
        (json!([]), "Invalid model definition"),
    ];
    for (definition, words) in cases {
        let text = detail(&register(&host, "LLM", &definition), 400);
        assert!(text.contains(words), "{definition}: {text}");
    }
    assert!(
        detail(&register(&host, "embedding", &json!({ "model_name": "m", "model_id": "a/b" })), 400)
            .contains("dimensions")
    );
    let path = "/v1/model_registrations/LLM";
    assert!(detail(&post(&host, path, &json!({ "model": "nonsense", "persist": true })), 400).contains("not JSON"));
    assert!(detail(&post(&host, path, &json!({ "model": "{}" })), 400).contains("`persist`"));
    let taken = llm(json!([{ "model_id": "a/b", "model_size_in_billions": 7 }]));
    let taken = json!({ "model_name": "chatty", "model_specs": taken["model_specs"] });
    assert_eq!(detail(&register(&host, "LLM", &taken), 400), "Model name conflicts with existing model chatty");
}

#[test]
fn unregistering_leaves_what_came_with_the_server() {
    let host = host();
    ok(&register(&host, "rerank", &json!({ "model_name": "mine", "model_id": "a/b" })));
    for name in ["mine", "nobody", "Small-rerank"] {
        assert_eq!(ok(&delete(&host, &format!("/v1/model_registrations/rerank/{name}"))), Value::Null, "{name}");
    }
    assert_eq!(ok(&get(&host, "/v1/model_registrations/rerank")).as_array().map(Vec::len), Some(1));
    detail(&delete(&host, "/v1/model_registrations/boat/x"), 400);
}

#[test]
fn names_and_engines_are_listed() {
    let host = host();
    assert_eq!(ok(&get(&host, "/v1/models/families")), json!({ "chat": ["chatty"], "generate": ["Base"] }));
    assert_eq!(ok(&get(&host, "/v1/models/vllm-supported")), json!({ "chat": ["chatty"], "generate": ["Base"] }));
    assert_eq!(ok(&get(&host, "/v1/models/prompts")), json!({ "chatty": { "style_name": "chatml" } }));
    let engines = ok(&get(&host, "/v1/engines/LLM/chatty"));
    let names: std::collections::BTreeSet<&str> =
        engines.as_object().expect("an object").keys().map(String::as_str).collect();
    assert_eq!(names.into_iter().collect::<Vec<_>>(), ["Mimus", "SGLang", "Transformers", "llama.cpp", "vLLM"]);
    assert_eq!(
        engines["llama.cpp"],
        json!([{
            "model_name": "chatty", "model_format": "ggufv2", "model_size_in_billions": 7, "quantization": "q4_k_m",
            "quantizations": ["q4_k_m", "q8_0"],
        }])
    );
    assert_eq!(ok(&get(&host, "/v1/engines/chatty")), engines);
    assert_eq!(ok(&get(&host, "/v1/engines/LLM/nobody")), Value::Null);
    detail(&get(&host, "/v1/engines/boat/x"), 400);
}
