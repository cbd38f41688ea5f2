use mimus_sdk::models::{Model, Readiness};
use mimus_sdk::registry::Weights;
use mimus_sdk::scripted;
use serde_json::{Value, json};

use crate::tests::{chat_family, detail, get, host, ok, post};

fn launch(body: Value) -> mimus_sdk::scripted::Captured {
    post(&host(), "/v1/models", &body)
}

#[test]
fn uids_are_the_name_or_the_clients_own() {
    let host = host();
    let launch = |body: Value| post(&host, "/v1/models", &body);
    assert_eq!(ok(&launch(json!({ "model_name": "chatty" }))), json!({ "model_uid": "chatty" }));
    let second = ok(&launch(json!({ "model_name": "chatty" })));
    let suffix = second["model_uid"].as_str().and_then(|uid| uid.strip_prefix("chatty-")).expect("a suffix");
    assert_eq!(suffix.len(), 8);
    assert_eq!(ok(&launch(json!({ "model_name": "chatty", "model_uid": "mine" })))["model_uid"], "mine");
    let again = launch(json!({ "model_name": "chatty", "model_uid": "mine" }));
    assert_eq!(detail(&again, 400), "Model is already in the model list, uid: mine");
}

#[test]
fn bodies_of_all_generations_launch() {
    let uuid = "6bd0a2a0-1234-11ee-b9d1-0242ac120002";
    let cases = [
        // 0.5: the client makes the uid and knows no engine.
        json!({
            "model_uid": uuid, "model_name": "chatty", "model_type": "LLM", "model_size_in_billions": 7,
            "model_format": "pytorch", "quantization": "none", "replica": 1, "n_gpu": "auto", "trust_remote_code": true,
        }),
        json!({ "model_uid": null, "model_name": "chatty", "model_type": null, "n_gpu": null, "request_limits": null }),
        json!({
            "model_uid": uuid, "model_name": "chatty", "model_engine": "vLLM", "peft_model_config": null, "model_type": "LLM",
            "model_size_in_billions": "0_5", "model_format": null, "quantization": null, "replica": 1, "n_worker": 1,
            "n_gpu": "auto", "request_limits": null, "worker_ip": null, "gpu_idx": null, "replica_config": null,
            "model_path": null, "enable_thinking": null, "enable_virtual_env": null, "virtual_env_packages": null,
            "virtual_env_find_links": null, "envs": null, "trust_remote_code": true, "max_model_len": 2048,
        }),
        json!({ "model_name": "chatty", "model_size_in_billions": "0.5" }),
        json!({ "model_name": "chatty", "model_format": "ggmlv3", "quantization": "Q4_K_M" }),
        json!({ "model_name": "small-embed", "model_type": "embedding", "model_engine": "sentence_transformers" }),
        json!({ "model_name": "Small-rerank", "model_type": "rerank", "gpu_idx": 0 }),
    ];
    for body in cases {
        assert!(ok(&launch(body.clone()))["model_uid"].is_string(), "{body}");
    }
}

#[test]
fn the_answer_comes_at_once_or_when_the_model_does() {
    for path in ["/v1/models?wait_ready=False", "/v1/models?wait_ready=true", "/v1/models"] {
        let host = host();
        assert_eq!(ok(&post(&host, path, &json!({ "model_name": "chatty" })))["model_uid"], "chatty", "{path}");
        assert_eq!(ok(&get(&host, "/v1/models/instances?model_name=chatty"))[0]["status"], "READY");
    }
}

#[test]
fn a_launched_model_is_what_was_asked_for() {
    let host = host();
    post(
        &host,
        "/v1/models",
        &json!({ "model_name": "chatty", "model_engine": "llama.cpp", "quantization": "Q8_0", "request_limits": 3 }),
    );
    let model = ok(&get(&host, "/v1/models/chatty"));
    assert_eq!((&model["model_format"], &model["quantization"]), (&json!("ggufv2"), &json!("q8_0")));
    assert_eq!(model["model_ability"], json!(["chat", "generate", "tools"]));
    assert_eq!((&model["model_name"], &model["model_lang"]), (&json!("chatty"), &json!(["en"])));
}

#[test]
fn engines_go_by_the_names_of_others() {
    let engine = |name: &str| launch(json!({ "model_name": "chatty", "model_engine": name }));
    for name in ["Transformers", "vllm", "SGLang", "llama.cpp", "Mimus"] {
        assert_eq!(engine(name).status, 200, "{name}");
    }
    for name in ["MLX", "TensorRT", "sentence_transformers"] {
        assert_eq!(detail(&engine(name), 400), format!("Model chatty cannot be run on engine {name}."));
    }
    let both = json!({ "model_name": "chatty", "model_engine": "vLLM", "model_format": "ggufv2" });
    assert_eq!(detail(&launch(both), 400), "Model chatty cannot be run on engine vLLM.");
}

#[test]
fn what_cannot_be_launched_is_told_in_known_words() {
    let none = "format: None, size: None, quantization: None";
    let cases = [
        (json!({}), 400, "Please specify the `model_name` field."),
        (json!({ "model_name": "" }), 400, "Please specify the `model_name` field."),
        (json!({ "model_name": "nobody" }), 400, &format!("Model not found, name: nobody, {none}") as &str),
        (
            json!({ "model_name": "chatty", "model_size_in_billions": "13", "model_format": "pytorch" }),
            400,
            "Model not found, name: chatty, format: pytorch, size: 13, quantization: None",
        ),
        (
            json!({ "model_name": "nobody", "model_type": "embedding" }),
            400,
            "Embedding model nobody not found, available models: dict_keys(['small-embed'])",
        ),
        (json!({ "model_name": "sd-turbo", "model_type": "image" }), 400, "Image model sd-turbo not found"),
        (json!({ "model_name": "x", "model_type": "boat" }), 400, "Unsupported model type: boat."),
        (json!({ "model_name": "chatty", "replica": 0 }), 400, "Invalid replica"),
        (json!({ "model_name": "chatty", "request_limits": -1 }), 400, "`request_limits`"),
        (json!({ "model_name": "chatty", "replica": 2, "gpu_idx": [0] }), 400, "multiple of replica"),
        (json!({ "model_name": "chatty", "model_uid": "" }), 400, "The model UID is invalid"),
        (json!({ "model_name": "chatty", "model_uid": "a-rep1" }), 400, "The model UID is invalid"),
        (json!({ "model_name": "chatty", "model_uid": "x".repeat(101) }), 400, "The model UID is invalid"),
        (
            json!({ "model_name": "chatty", "peft_model_config": { "lora_list": [{ "lora_name": "a", "local_path": "b" }] } }),
            400,
            "LoRA",
        ),
    ];
    for (body, status, words) in cases {
        let text = detail(&launch(body.clone()), status);
        assert!(text.contains(words), "{body}: {text}");
    }
    let host = host();
    let not_json = host.call(&crate::Xinference, "POST", "/v1/models", &[], b"nonsense");
    detail(&not_json, 400);
}

#[test]
fn uids_are_bounded() {
    for uid in ["a".to_owned(), "x".repeat(100), "a-rep".into(), "a-repeat1".into()] {
        assert_eq!(ok(&launch(json!({ "model_name": "chatty", "model_uid": uid })))["model_uid"], uid);
    }
}

#[test]
fn weights_that_cannot_run_say_why() {
    let mut family = chat_family();
    family.weights = vec![Weights { refusal: Some("8-bit only".into()), ..family.weights[0].clone() }];
    let answer = post(&host().family(family), "/v1/models", &json!({ "model_name": "chatty" }));
    assert_eq!(detail(&answer, 400), "Model chatty cannot be run on this server: 8-bit only");
}

#[test]
fn a_failed_launch_does_not_hold_the_name() {
    let failed = Model { readiness: Readiness::Failed, is_launched: true, ..scripted::model("chatty") };
    let host = host().model(failed);
    assert_eq!(ok(&post(&host, "/v1/models", &json!({ "model_name": "chatty" })))["model_uid"], "chatty");
    assert_eq!(ok(&get(&host, "/v1/models/instances?model_name=chatty"))[0]["status"], "READY");
}

#[test]
fn versions_launch_what_they_name() {
    let host = host();
    let versions = ok(&get(&host, "/v1/models/LLM/chatty/versions"));
    let names: Vec<&str> =
        versions.as_array().expect("a list").iter().filter_map(|version| version["model_version"].as_str()).collect();
    assert_eq!(
        names,
        [
            "chatty--0_5B--pytorch--none",
            "chatty--7B--pytorch--none",
            "chatty--7B--ggufv2--q4_k_m",
            "chatty--7B--ggufv2--q8_0"
        ]
    );
    let body = json!({ "model_type": "LLM", "model_engine": "llama.cpp", "model_version": names[3], "model_uid": "v" });
    assert_eq!(ok(&post(&host, "/v1/models/instance", &body))["model_uid"], "v");
    assert_eq!(ok(&get(&host, "/v1/models/v"))["quantization"], "q8_0");
    let version = ok(&get(&host, "/v1/models/embedding/small-embed/versions"))[0]["model_version"].clone();
    let body = json!({ "model_type": "embedding", "model_version": version });
    assert_eq!(ok(&post(&host, "/v1/models/instance", &body))["model_uid"], "small-embed");
    for version in ["chatty", "chatty--7--pytorch--none"] {
        detail(&post(&host, "/v1/models/instance", &json!({ "model_type": "LLM", "model_version": version })), 400);
    }
}

#[test]
fn a_launch_says_whether_the_model_thinks() {
    let host = host();
    let chat = || {
        let body = json!({ "model": "chatty", "messages": [{ "role": "user", "content": "x" }] });
        ok(&post(&host, "/v1/chat/completions", &body));
        match host.asked().pop().expect("it was asked").input {
            mimus_sdk::scripted::Input::Answer(_, render, _) => render.variables,
            other => panic!("{other:?}"),
        }
    };
    post(&host, "/v1/models", &json!({ "model_name": "chatty", "enable_thinking": false }));
    assert_eq!(chat(), [("enable_thinking".into(), "false".into()), ("thinking".into(), "false".into())]);
    crate::tests::delete(&host, "/v1/models/chatty");
    post(&host, "/v1/models", &json!({ "model_name": "chatty", "enable_thinking": null }));
    assert!(chat().is_empty());
}
