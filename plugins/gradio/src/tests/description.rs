//! What clients read before they call.

use serde_json::{Value, json};

use super::{get, host};
use crate::apps;

/// The seed's view of function 0, and what every generation needs to be there.
#[test]
fn the_first_function_is_fastchats() {
    let config = get(&host(), "/config").json();
    assert_eq!(config["protocol"], "sse_v1");
    assert_eq!(config["api_prefix"], "/gradio_api");
    assert_eq!(config["root"], "http://127.0.0.1:8080/gradio");
    let first = &config["dependencies"][0];
    assert_eq!((&first["inputs"], &first["outputs"]), (&json!([2, 5]), &json!([9, 13, 14, 15])));
    for key in ["id", "backend_fn", "cancels", "types", "queue", "api_name"] {
        assert!(first.get(key).is_some(), "{key}");
    }
    let dropdown = config["components"].as_array().expect("a list").iter().find(|part| part["id"] == 5).expect("it");
    assert_eq!(dropdown["props"]["choices"], json!([["scripted", "scripted"], ["second", "second"]]));

    let info = get(&host(), "/gradio_api/info?serialize=False").json();
    let upvote = &info["named_endpoints"]["/upvote_last_response"];
    let parameter = &upvote["parameters"][0];
    assert_eq!((&parameter["label"], &parameter["parameter_name"]), (&json!("parameter_5"), &json!("parameter_5")));
    assert_eq!(
        parameter["python_type"],
        json!({ "type": "str", "description": "Option from: [('scripted', 'scripted'), ('second', 'second')]" })
    );
    let labels: Vec<&Value> =
        upvote["returns"].as_array().expect("a list").iter().map(|value| &value["label"]).collect();
    assert_eq!(labels, ["value_9", "value_13", "value_14", "value_15"]);
}

#[test]
fn the_apps_have_their_functions() {
    let names = |path: &str| -> Vec<String> {
        let config = get(&host(), path).json();
        let list = config["dependencies"].as_array().expect("a list").clone();
        list.iter().map(|function| function["api_name"].as_str().unwrap_or("-").to_owned()).collect()
    };
    let first = names("/config");
    assert_eq!(first.len(), 18);
    assert_eq!(first[7..13].join(" "), "add_text bot_response_1 add_text_1 bot_response_2 load_demo chat");
    let multi = names("/multi/config");
    assert_eq!(multi.len(), 56);
    for (index, name) in [
        (0, "leftvote_last_response"),
        (5, "bot_response_multi"),
        (9, "add_text"),
        (14, "flash_buttons_2"),
        (19, "regenerate_1"),
        (26, "add_text_2"),
        (31, "flash_buttons_5"),
        (32, "upvote_last_response"),
        (36, "bot_response"),
        (41, "add_text_5"),
        (42, "bot_response_2"),
        (43, "load_example"),
        (55, "load_demo"),
    ] {
        assert_eq!(multi[index], name, "{index}");
    }
    let lmdeploy = "chat_stream_restful lambda cancel_restful_func reset_restful_func init - -";
    assert_eq!(names("/lmdeploy/gradio_api/config").join(" "), lmdeploy);
    assert_eq!(names("/chat/config"), ["chat"]);
}

/// Every id that a function uses is there, and every function is described under its name or index.
#[test]
fn the_apps_are_whole() {
    for app in apps::ALL {
        assert_eq!(app.check(), Ok(()));
    }
    let info = get(&host(), "/lmdeploy/info").json();
    assert_eq!(info["named_endpoints"].as_object().expect("by name").len(), 5);
    let old: Vec<&String> = info["unnamed_endpoints"].as_object().expect("by index").keys().collect();
    assert_eq!(old, ["5", "6"]);
    let parameters = info["named_endpoints"]["/chat_stream_restful"]["parameters"].as_array().expect("a list");
    let names: Vec<&Value> = parameters.iter().map(|parameter| &parameter["parameter_name"]).collect();
    assert_eq!(names, ["instruction", "top_p", "temperature", "request_output_len"]);
    let required: Vec<&Value> = parameters.iter().map(|parameter| &parameter["parameter_has_default"]).collect();
    assert_eq!(required, [false, true, true, true]);
}

#[test]
fn the_configuration_chooses_the_first_app() {
    let host = host().setting("app", "chat");
    assert_eq!(get(&host, "/config").json()["dependencies"].as_array().expect("a list").len(), 1);
    assert_eq!(get(&host, "/multi/config").json()["dependencies"].as_array().expect("a list").len(), 56);
    let host = host.setting("app", "nobody");
    assert_eq!(get(&host, "/config").json()["dependencies"].as_array().expect("a list").len(), 18);
    assert!(host.logged()[0].1.contains("`nobody` is none of fastchat, multi, lmdeploy, chat"));
}

#[test]
fn the_root_is_what_the_client_asked_for() {
    let root = |path: &str, headers: &[(&str, &str)]| {
        host().call(&crate::Gradio, "GET", path, headers, b"").json()["root"].as_str().expect("text").to_owned()
    };
    assert_eq!(root("/multi/config", &[]), "http://127.0.0.1:8080/gradio/multi");
    let proxied = [("x-forwarded-proto", "https"), ("x-forwarded-host", "chat.test")];
    assert_eq!(root("/config", &proxied), "https://chat.test/gradio");
    let evil = [("x-forwarded-proto", "javascript"), ("x-forwarded-host", "a/b\"")];
    assert_eq!(root("/config", &evil), "http://127.0.0.1:8080/gradio");
}

/// Clients that find no configuration elsewhere look for it in the page by this pattern.
#[test]
fn the_page_holds_the_configuration_safely() {
    let host = host().model(mimus_sdk::scripted::model("</script><b>"));
    let answer = get(&host, "/multi");
    assert_eq!(answer.header("content-type"), Some("text/html; charset=utf-8"));
    let page = answer.text();
    assert!(page.contains("<a href=\"/\">"));
    let (_, rest) = page.split_once("window.gradio_config = ").expect("the configuration");
    let (config, _) = rest.split_once(";</script>").expect("its end");
    assert!(!config.contains('<'));
    let config: Value = serde_json::from_str(config).expect("JSON");
    assert_eq!(config["dependencies"].as_array().expect("a list").len(), 56);
    assert_eq!(config["components"][3]["props"], config["components"][2]["props"]);
    assert!(config.to_string().contains("</script>"), "the name is whole");
}

#[test]
fn the_small_routes_answer() {
    let host = host();
    let heartbeat = get(&host, "/gradio_api/heartbeat/abc");
    assert_eq!(heartbeat.text(), "data: ALIVE\n\n");
    assert_eq!(heartbeat.repeated, Some((b"data: ALIVE\n\n".to_vec(), 15_000)));
    assert_eq!(get(&host, "/app_id").json(), json!({ "app_id": 1 }));
    assert_eq!(get(&host, "/queue/status").json()["queue_size"], 0);
    assert_eq!(get(&host, "/login_check").json(), Value::Null);
    assert_eq!(get(&host, "/startup-events").json(), false);
    assert_eq!(get(&host, "/theme.css").header("content-type"), Some("text/css; charset=utf-8"));
    assert_eq!(get(&host, "/nobody").json()["detail"], "GET /nobody");
}
