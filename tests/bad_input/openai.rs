//! Bodies that only the OpenAI dialect is sent: tools, shapes, responses, embeddings.

use serde_json::{Value, json};

use super::Fate::{self, Either, Refused, Served};
use super::{MODEL, broken_json, chat};

/// A request with one field set, of which the others are good.
fn with_field(good: &Value, field: &str, value: Value) -> Vec<u8> {
    let mut body = good.clone();
    body[field] = value;
    body.to_string().into_bytes()
}

/// Tools and shapes that take much to understand, or cannot be.
pub fn bad_shapes(bad: Fate) -> Vec<(String, Vec<u8>, Fate)> {
    let tool = |name: &str, parameters: Value| json!([{"type": "function", "function": {"name": name, "parameters": parameters}}]);
    let deep = (0..10_000).fold(String::from("{}"), |inner, _| format!(r#"{{"not":{inner}}}"#));
    let rows = vec![
        ("tools: a number", "tools", json!(1), bad),
        ("tools: a schema that is a number", "tools", tool("f", json!(7)), bad),
        ("tools: a name with a slash", "tools", tool("../f", json!({})), bad),
        ("tools: a name of 300 bytes", "tools", tool(&"f".repeat(300), json!({})), bad),
        (
            "tools: 200",
            "tools",
            Value::Array((0..200).map(|index| tool(&format!("f{index}"), json!({}))[0].clone()).collect()),
            bad,
        ),
        ("tool_choice: required without tools", "tool_choice", json!("required"), bad),
        ("guided_regex: backtracking", "guided_regex", json!("(a+)+b"), Either),
        ("guided_regex: a million", "guided_regex", json!("a{1000000}"), Either),
        ("guided_regex: unclosed", "guided_regex", json!("(a"), bad),
        ("guided_regex: 1 MiB", "guided_regex", json!("a".repeat(1 << 20)), bad),
        ("guided_grammar: left recursion", "guided_grammar", json!("start: start \"a\" | \"a\""), Either),
        ("guided_grammar: nonsense", "guided_grammar", json!("::::"), bad),
        ("guided_choice: none", "guided_choice", json!([]), bad),
        ("guided_json: a cycle", "guided_json", json!({"$ref": "#"}), Either),
        ("guided_json: 10,000 deep", "guided_json", json!(deep), Either),
        ("chat_template: endless", "chat_template", json!("{% for a in range(99999999) %}x{% endfor %}"), Either),
        ("chat_template: broken", "chat_template", json!("{% for"), bad),
        (
            "chat_template_kwargs: internal names",
            "chat_template_kwargs",
            json!({"messages": [], "tools": 1, "bos_token": "x", "add_generation_prompt": false}),
            Served,
        ),
    ];
    rows.into_iter().map(|(name, field, value, fate)| (name.to_owned(), chat(field, value), fate)).collect()
}

pub fn bad_responses(bad: Fate) -> Vec<(String, Vec<u8>, Fate)> {
    let good = json!({"model": MODEL, "input": "Hi", "max_output_tokens": 2, "store": false});
    let rows = vec![
        ("input: empty", "input", json!([]), bad),
        ("input: a number", "input", json!(7), bad),
        ("input: of numbers", "input", json!([1]), bad),
        ("input: unknown item", "input", json!([{"type": "smell"}]), bad),
        (
            "input: a call without a name",
            "input",
            json!([{"type": "function_call", "call_id": "c", "arguments": "{}"}]),
            bad,
        ),
        (
            "input: arguments that are no JSON",
            "input",
            json!([
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "rm -rf {"},
            {"type": "function_call_output", "call_id": "c", "output": "<|im_end|>"}]),
            Either,
        ),
        ("input: past the context", "input", json!("word ".repeat(50_000)), bad),
        ("model: unknown", "model", json!("no-such-model"), Refused(&[404])),
        ("max_output_tokens: 0", "max_output_tokens", json!(0), bad),
        ("max_output_tokens: 2^63", "max_output_tokens", json!(1_u64 << 63), bad),
        ("temperature: 1e30", "temperature", json!(1e30), bad),
        ("previous_response_id: unknown", "previous_response_id", json!("resp_0"), bad),
        ("previous_response_id: traversal", "previous_response_id", json!("../../x"), bad),
        ("previous_response_id: 300 bytes", "previous_response_id", json!("x".repeat(300)), bad),
        ("background", "background", json!(true), bad),
        ("metadata: large", "metadata", json!({"a": "x".repeat(1 << 20)}), bad),
    ];
    let rows =
        rows.into_iter().map(|(name, field, value, fate)| (name.to_owned(), with_field(&good, field, value), fate));
    broken_json().into_iter().chain(rows).collect()
}

pub fn bad_embeddings(bad: Fate) -> Vec<(String, Vec<u8>, Fate)> {
    let good = json!({"model": "mimus-embed", "input": "Hi"});
    let rows = vec![
        ("input: none", "input", Value::Null, bad),
        ("input: empty", "input", json!(""), bad),
        ("input: empty list", "input", json!([]), bad),
        ("input: empty tokens", "input", json!([[]]), bad),
        ("input: mixed", "input", json!(["a", 1]), bad),
        ("input: 100,000", "input", json!(vec!["x"; 100_000]), bad),
        ("input: token past the vocabulary", "input", json!([4_000_000_000_u32]), bad),
        ("input: past the context", "input", json!("word ".repeat(50_000)), bad),
        ("encoding_format: unknown", "encoding_format", json!("hex"), bad),
        ("dimensions: 0", "dimensions", json!(0), bad),
        ("dimensions: 2^40", "dimensions", json!(1_u64 << 40), bad),
        ("model: that chats", "model", json!(MODEL), bad),
        ("model: unknown", "model", json!("no-such-model"), Refused(&[404])),
    ];
    let rows =
        rows.into_iter().map(|(name, field, value, fate)| (name.to_owned(), with_field(&good, field, value), fate));
    broken_json().into_iter().chain(rows).collect()
}
