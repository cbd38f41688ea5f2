use mimus_sdk::inference::{ContextExcess, Error, Options, Prompt};
use mimus_sdk::scripted::{Captured, Input, ScriptedHost};
use serde_json::{Value, json};

use crate::OpenAi;
use crate::tests::USAGE_DETAILS;

fn post(host: &ScriptedHost, body: &str) -> Captured {
    host.call(&OpenAi, "POST", "/v1/completions", &[], body.as_bytes())
}

fn request(more: &str) -> String {
    let comma = if more.is_empty() { "" } else { "," };
    format!(r#"{{"model":"scripted","prompt":"one two"{comma}{more}}}"#)
}

#[test]
fn answers_whole() {
    let captured = post(&ScriptedHost::new(), &request(""));
    assert_eq!(
        captured.text(),
        concat!(
            r#"{"id":"cmpl-000000000000000000000001","object":"text_completion","created":1700000000,"model":"scripted","#,
            r#""system_fingerprint":"fp_mimus_0.1.0","choices":[{"index":0,"text":"Hello there friend","logprobs":null,"#,
            r#""finish_reason":"stop"}],"usage":{"prompt_tokens":3,"completion_tokens":3,"total_tokens":6,"prompt_tokens_details":{"cached_tokens":0},"completion_tokens_details":{"reasoning_tokens":0}}}"#
        )
    );
}

#[test]
fn answers_as_stream() {
    let host = ScriptedHost::new().answer("Hi you");
    let captured = post(&host, &request(r#""stream":true,"stream_options":{"include_usage":true},"max_tokens":2"#));
    let head = concat!(
        r#"data: {"id":"cmpl-000000000000000000000001","object":"text_completion","created":1700000000,"#,
        r#""model":"scripted","system_fingerprint":"fp_mimus_0.1.0","choices":"#
    );
    let chunk = |text: &str, reason: &str| {
        format!(
            "{head}[{{\"index\":0,\"text\":\"{text}\",\"logprobs\":null,\"finish_reason\":{reason}}}],\"usage\":null}}\n\n"
        )
    };
    let expect = chunk("Hi", "null")
        + &chunk(" you", "\"length\"")
        + &format!(
            "{head}[],\"usage\":{{\"prompt_tokens\":3,\"completion_tokens\":2,\"total_tokens\":5,{USAGE_DETAILS}}}}}\n\ndata: [DONE]\n\n"
        );
    assert_eq!(captured.text(), expect);
}

#[test]
fn prompts_reach_the_model() {
    let cases = [
        (r#""prompt":"a""#, vec![Prompt::Text("a".into())]),
        (r#""prompt":["a","b"]"#, vec![Prompt::Text("a".into()), Prompt::Text("b".into())]),
        (r#""prompt":[1,2]"#, vec![Prompt::Tokens(vec![1, 2])]),
        (r#""prompt":[[1],[2,3]]"#, vec![Prompt::Tokens(vec![1]), Prompt::Tokens(vec![2, 3])]),
        (r#""prompt":null"#, vec![Prompt::Text(String::new())]),
    ];
    for (prompt, expect) in cases {
        let host = ScriptedHost::new();
        let captured = post(&host, &format!(r#"{{"model":"scripted",{prompt}}}"#));
        assert_eq!(captured.status, 200, "{prompt}: {}", captured.text());
        let inputs: Vec<Input> = host.asked().into_iter().map(|asked| asked.input).collect();
        assert_eq!(inputs, expect.into_iter().map(Input::Prompt).collect::<Vec<_>>(), "{prompt}");
        assert_eq!(host.asked()[0].options, Options { tokens_max: Some(16), ..Options::default() });
    }
}

#[test]
fn many_prompts_keep_their_order() {
    let prompts: Vec<String> = (0..20).map(|index| format!("p{index}")).collect();
    for stream in [false, true] {
        let body =
            json!({"model":"scripted","prompt":prompts,"n":2,"echo":true,"max_tokens":1,"stream":stream}).to_string();
        let captured = post(&ScriptedHost::new(), &body);
        let answers: Vec<Value> = match stream {
            false => captured.json()["choices"].as_array().expect("choices").clone(),
            true => {
                let events =
                    captured.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(event).ok());
                events.map(|event| event["choices"][0].clone()).collect()
            }
        };
        assert_eq!(answers.len(), 40);
        for (index, answer) in answers.iter().enumerate() {
            assert_eq!(answer["index"], index);
            assert_eq!(answer["text"], format!("p{}Hello", index / 2));
        }
    }
}

#[test]
fn echo_and_logprobs() {
    let host = ScriptedHost::new().answer("Hi you");
    let expect = json!({
        "tokens":["<s>","one"," two","Hi"," you"],
        "token_logprobs":[null,-0.5,-0.5,-0.5,-0.5],
        "top_logprobs":[null,{"one":-0.5},{" two":-0.5},{"Hi":-0.5},{" you":-0.5}],
        "text_offset":[0,0,3,7,9]});
    let answer = post(&host, &request(r#""echo":true,"logprobs":0"#)).json();
    assert_eq!((&answer["choices"][0]["text"], &answer["choices"][0]["logprobs"]), (&json!("one twoHi you"), &expect));

    let stream = post(&host, &request(r#""echo":true,"logprobs":0,"stream":true"#));
    let mut joined = json!({"tokens":[],"token_logprobs":[],"top_logprobs":[],"text_offset":[]});
    for event in stream.events().into_iter().filter_map(|event| serde_json::from_str::<Value>(event).ok()) {
        for (key, list) in joined.as_object_mut().expect("an object") {
            let more = event["choices"][0]["logprobs"][key].as_array().cloned().unwrap_or_default();
            list.as_array_mut().expect("an array").extend(more);
        }
    }
    assert_eq!(joined, expect);
}

#[test]
fn each_choice_echoes_the_scored_prompt() {
    let host = ScriptedHost::new().answer("Hi");
    let answer = post(&host, &request(r#""echo":true,"logprobs":0,"n":2,"best_of":3"#)).json();
    for index in 0..2 {
        let choice = &answer["choices"][index];
        assert_eq!(choice["logprobs"]["tokens"], json!(["<s>", "one", " two", "Hi"]), "{index}");
    }
}

#[test]
fn scores_a_prompt() {
    let answer = post(&ScriptedHost::new(), &request(r#""echo":true,"max_tokens":0,"logprobs":1"#)).json();
    let choice = &answer["choices"][0];
    assert_eq!((&choice["text"], &choice["finish_reason"]), (&json!("one two"), &json!("length")));
    assert_eq!(choice["logprobs"]["tokens"], json!(["<s>", "one", " two"]));
    assert_eq!(choice["logprobs"]["token_logprobs"][0], Value::Null);
    assert_eq!(answer["usage"]["completion_tokens"], 0);
}

#[test]
fn top_logprobs_hold_the_chosen_token() {
    let host = ScriptedHost::new().answer("Hi");
    let answer = post(&host, &request(r#""logprobs":2"#)).json();
    assert_eq!(answer["choices"][0]["logprobs"]["top_logprobs"], json!([{"Hi":-0.5,"alt1":-1.5}]));
}

#[test]
fn the_best_of_several() {
    let host = ScriptedHost::new();
    let answer = post(&host, &request(r#""best_of":3"#)).json();
    assert_eq!(answer["choices"].as_array().map(Vec::len), Some(1));
    assert_eq!(answer["choices"][0]["logprobs"], Value::Null);
    assert_eq!(answer["usage"]["completion_tokens"], 9);
    assert_eq!((host.asked()[0].options.choices, host.asked()[0].options.logprobs), (3, Some(0)));
}

#[test]
fn wrong_requests() {
    let cases = [
        (r#"{"prompt":"a"}"#.into(), "model", "missing_required_parameter"),
        (r#"{"model":"scripted","prompt":[]}"#.into(), "prompt", "invalid_value"),
        (r#"{"model":"scripted","prompt":[[]]}"#.into(), "prompt", "invalid_value"),
        (r#"{"model":"scripted","prompt":[[1],[]]}"#.into(), "prompt", "invalid_value"),
        (r#"{"model":"scripted","prompt":7}"#.into(), "prompt", "invalid_type"),
        (r#"{"model":"scripted","prompt":["a",1]}"#.into(), "prompt", "invalid_value"),
        (r#"{"model":"scripted","prompt":[-1]}"#.into(), "prompt[0]", "invalid_type"),
        (r#"{"model":"scripted","prompt":[5000]}"#.into(), "prompt", "invalid_value"),
        (request(r#""max_tokens":0"#), "max_tokens", "invalid_value"),
        (request(r#""max_tokens":-1"#), "max_tokens", "invalid_value"),
        (request(r#""logprobs":-1"#), "logprobs", "invalid_value"),
        (request(r#""logprobs":21"#), "logprobs", "invalid_value"),
        (request(r#""logprobs":true"#), "logprobs", "invalid_type"),
        (request(r#""n":2,"best_of":1"#), "best_of", "invalid_value"),
        (request(r#""best_of":2,"stream":true"#), "best_of", "invalid_value"),
        (request(r#""suffix":"x","echo":true"#), "suffix", "unsupported_value"),
        (request(r#""prompt_logprobs":1,"stream":true"#), "prompt_logprobs", "unsupported_value"),
        (request(r#""prompt_logprobs":-1"#), "prompt_logprobs", "invalid_value"),
        (request(r#""bad_words":["two words"]"#), "bad_words", "unsupported_value"),
        (request(r#""truncate_prompt_tokens":0"#), "truncate_prompt_tokens", "invalid_value"),
        (request(r#""best_of":17"#), "best_of", "invalid_value"),
        (request(r#""n":2147483648"#), "n", "invalid_value"),
        (request(r#""max_tokens":9223372036854775807"#), "max_tokens", "invalid_value"),
        (request(r#""guided_choice":[]"#), "guided_choice", "invalid_value"),
        (request(r#""guided_regex":"a","guided_choice":["a"]"#), "guided_choice", "invalid_value"),
        (request(r#""guided_json":7"#), "guided_json", "invalid_value"),
        (request(r#""stream_options":{}"#), "stream_options", "invalid_value"),
    ];
    for (body, param, code) in cases {
        let captured = post(&ScriptedHost::new(), &body);
        let error = &captured.json()["error"];
        assert_eq!(captured.status, 400, "{body}");
        assert_eq!((error["param"].as_str(), error["code"].as_str()), (Some(param), Some(code)), "{body}");
    }
}

#[test]
fn errors_name_the_prompt() {
    let excess = ContextExcess { limit: 10, prompt: 8, wanted: 4 };
    let host = ScriptedHost::new().refuse(Error::ContextExceeded(excess));
    for more in ["", r#""stream":true"#] {
        let captured = post(&host, &request(more));
        let error = &captured.json()["error"];
        assert_eq!((captured.status, error["param"].as_str()), (400, Some("prompt")));
        assert_eq!(error["code"], "context_length_exceeded");
    }
}

/// A host whose tokens for `texts` come first: 2, 3, 4, …
fn host_that_knows(texts: &[&str]) -> ScriptedHost {
    let host = ScriptedHost::new();
    let body = json!({"prompt":texts.join(" "),"add_special_tokens":false}).to_string();
    host.call(&OpenAi, "POST", "/tokenize", &[], body.as_bytes());
    host
}

#[test]
fn fills_in_the_middle() {
    let host = host_that_knows(&["before", "after"]);
    let captured = post(&host, r#"{"model":"scripted","prompt":"before","suffix":" after"}"#);
    assert_eq!(captured.status, 200, "{}", captured.text());
    assert_eq!(captured.json()["choices"][0]["text"], "Hello there friend");
    // Begin, prefix mark, text before, suffix mark, text after, middle mark.
    assert_eq!(host.asked()[0].input, Input::Prompt(Prompt::Tokens(vec![0, 4, 2, 5, 3, 6])));
}

#[test]
fn a_model_without_the_marks_does_not_fill() {
    // A full vocabulary has one token for everything that it does not know.
    let words: Vec<String> = (0..1000).map(|index| format!("w{index}")).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let captured = post(&host_that_knows(&words), &request(r#""suffix":"x""#));
    let error = &captured.json()["error"];
    assert_eq!((captured.status, error["param"].as_str()), (400, Some("suffix")));
    assert_eq!(error["code"], "unsupported_value");
}

#[test]
fn prompts_of_another_making() {
    let cases = [
        (r#""add_special_tokens":false"#, vec![2, 3]),
        (r#""truncate_prompt_tokens":1"#, vec![3]),
        (r#""truncate_prompt_tokens":9"#, vec![0, 2, 3]),
        (r#""truncate_prompt_tokens":-1"#, vec![0, 2, 3]),
    ];
    for (more, tokens) in cases {
        let host = host_that_knows(&["one", "two"]);
        assert_eq!(post(&host, &request(more)).status, 200, "{more}");
        assert_eq!(host.asked()[0].input, Input::Prompt(Prompt::Tokens(tokens)), "{more}");
    }
}

#[test]
fn vllms_reports() {
    let host = host_that_knows(&["one", "two", "Hi"]).answer("Hi");
    let more = r#""prompt_logprobs":1,"logprobs":0,"return_token_ids":true,"return_tokens_as_token_ids":true"#;
    let choice = &post(&host, &request(more)).json()["choices"][0];
    let token = |word: &str| json!({"logprob":-0.5,"rank":1,"decoded_token":word});
    assert_eq!(choice["prompt_logprobs"], json!([null, {"2":token("one")}, {"3":token(" two")}]));
    assert_eq!((&choice["prompt_token_ids"], &choice["token_ids"]), (&json!([0, 2, 3]), &json!([5])));
    assert_eq!(choice["logprobs"]["tokens"], json!(["token_id:5"]));

    let stream = post(&host, &request(r#""return_token_ids":true,"stream":true"#));
    let first: Value = serde_json::from_str(stream.events()[0]).expect("JSON");
    assert_eq!(first["choices"][0]["prompt_token_ids"], json!([0, 2, 3]));
    assert_eq!(first["choices"][0]["token_ids"], json!([5]));
}

#[test]
fn words_and_tokens_that_are_ruled_out() {
    let cases = [
        (r#""bad_words":["one"]"#, vec![(2, -100.0), (4, -100.0)]),
        (r#""bad_words":["one"],"logit_bias":{"2":5,"9":1}"#, vec![(9, 1.0), (2, -100.0), (4, -100.0)]),
        (r#""allowed_token_ids":[7,8]"#, vec![(7, 100.0), (8, 100.0)]),
    ];
    for (more, biases) in cases {
        let host = host_that_knows(&["one", "two"]);
        assert_eq!(post(&host, &request(more)).status, 200, "{more}");
        assert_eq!(host.asked()[0].options.logit_bias, biases, "{more}");
    }
}
