//! The templates of `tests/families`: what they render, and the marks that are read off them.

use std::collections::BTreeMap;

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, RenderOptions};
use mimus_sdk::template::{CallSyntax, Marks};
use serde::Deserialize;
use serde_json::Value;

use super::{context, message, tool, variables};
use crate::Jinja;

#[derive(Deserialize)]
struct Golden {
    now_s: u64,
    tools: Vec<Value>,
    conversations: Vec<Vec<Value>>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    conversation: usize,
    has_tools: bool,
    add_generation_prompt: bool,
    continue_final_message: bool,
    variables: BTreeMap<String, Value>,
    prompt: Option<String>,
}

fn golden() -> Golden {
    serde_json::from_str(include_str!("../../tests/families.json")).expect("a golden file")
}

fn source(family: &str) -> String {
    let path = format!("{}/tests/families/{family}.jinja", env!("CARGO_MANIFEST_DIR"));
    std::fs::read_to_string(path).expect("the family has a template")
}

fn marks(source: &str) -> Marks {
    Jinja.marks(&context(source, 0))
}

#[test]
fn families_render_as_transformers_does() {
    let golden = golden();
    let mut differences = Vec::new();
    for case in &golden.cases {
        let messages: Vec<Message> = golden.conversations[case.conversation].iter().map(message).collect();
        let options = RenderOptions {
            tools: if case.has_tools { golden.tools.iter().map(tool).collect() } else { Vec::new() },
            add_generation_prompt: case.add_generation_prompt,
            continue_final_message: case.continue_final_message,
            variables: variables(&case.variables),
            ..RenderOptions::default()
        };
        let rendered = Jinja.render(&context(&source(&case.template), golden.now_s), &messages, &options);
        let prompt = rendered.as_ref().ok().map(|rendered| rendered.prompt.clone());
        if prompt != case.prompt {
            let Case { template, conversation, .. } = case;
            differences.push(format!("{template} {conversation}\nexpect {:?}\ngot    {rendered:?}", case.prompt));
        }
    }
    assert!(differences.is_empty(), "{} of {}\n{}", differences.len(), golden.cases.len(), differences.join("\n"));
}

/// What a model writes that makes `calls`, by the marks.
fn written(syntax: &CallSyntax, calls: &[(&str, &str)]) -> String {
    let CallSyntax { before_name, before_arguments, after_arguments, .. } = syntax;
    let call =
        |(name, arguments): &(&str, &str)| format!("{before_name}{name}{before_arguments}{arguments}{after_arguments}");
    let calls: Vec<String> = calls.iter().map(call).collect();
    [syntax.begin.as_str(), &calls.join(&syntax.separator), &syntax.end].concat()
}

#[test]
fn marks_are_what_the_templates_render() {
    const ONE: (&str, &str) = ("weather", r#"{"city": "Paris"}"#);
    const TWO: (&str, &str) =
        ("weather", r#"{"city": "Köln\n", "days": [1, 2], "limits": {"low": 1e+20, "high": 0.1}, "unit": null}"#);
    let golden = golden();
    let mut checked = BTreeMap::<&str, usize>::new();
    for case in &golden.cases {
        if !case.variables.is_empty() {
            continue;
        }
        let (Some(prompt), Some(syntax)) = (&case.prompt, marks(&source(&case.template)).calls) else { continue };
        let conversation = &golden.conversations[case.conversation];
        let last = &conversation[conversation.len() - 1];
        let calls: &[(&str, &str)] = match last["tool_calls"].as_array().map_or(0, Vec::len) {
            1 => &[ONE],
            2 => &[ONE, TWO],
            _ => continue,
        };
        let described = written(&syntax, calls);
        assert!(described.starts_with(&syntax.trigger), "{}: {described}", case.template);
        let shown = match case.template.as_str() {
            // Only the server knows the ids.
            "mistral-v3" | "mistral-nemo" => {
                prompt.replace(r#", "id": "call00001""#, "").replace(r#", "id": "call00002""#, "")
            }
            // Arguments are spread over lines, and two calls are numbered.
            "command-r" => prompt.replace("{\n            \"city\": \"Paris\"\n        }", ONE.1),
            "smollm3" => continue,
            _ => prompt.clone(),
        };
        if calls.len() == 2 && ["command-r", "command-r7b"].contains(&case.template.as_str()) {
            continue;
        }
        assert!(shown.contains(&described), "{}\nthe marks say {described:?}\nit renders    {shown:?}", case.template);
        *checked.entry(&case.template).or_default() += 1;
    }
    let once = ["command-r", "command-r7b", "llama3.1"];
    for (family, count) in &checked {
        assert_eq!(*count, if once.contains(family) { 1 } else { 2 }, "{family}");
    }
    assert_eq!(checked.len(), 16, "{checked:?}");
}

#[test]
fn marks_of_the_families() {
    // Reasoning, and the beginning of the first call.
    let cases = [
        ("baichuan2", None, None),
        ("command-r", None, Some("Action:\n```json\n[\n    {\n        \"tool_name\": \"")),
        (
            "command-r7b",
            Some(("<|START_THINKING|>", "<|END_THINKING|>")),
            Some("<|START_ACTION|>[\n    {\"tool_call_id\": \"0\", \"tool_name\": \""),
        ),
        ("deepseek-r1", Some(("<think>\n", "</think>")), None),
        ("deepseek-v2.5", None, None),
        ("deepseek-v3", None, Some("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>")),
        ("deepseek-v3.1", Some(("<think>", "</think>")), Some("<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>")),
        ("falcon", None, None),
        ("functionary", None, Some("<function=")),
        ("gemma2", None, None),
        ("gemma3", None, None),
        ("glm4", None, None),
        ("glm4.5", Some(("<think>", "</think>")), None),
        ("granite3", None, Some("<|tool_call|>[{\"name\": \"")),
        (
            "harmony",
            Some(("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>")),
            None,
        ),
        ("internlm2.5", None, Some("<|action_start|><|plugin|>\n{\"name\": \"")),
        ("llama2", None, None),
        ("llama3.1", None, Some("{\"name\": \"")),
        ("magistral", Some(("[THINK]", "[/THINK]")), Some("[TOOL_CALLS]")),
        ("minicpm", None, None),
        ("minimax", None, Some("<tool_calls>\n{\"name\": \"")),
        ("mistral-nemo", None, Some("[TOOL_CALLS][{\"name\": \"")),
        ("mistral-v3", None, Some("[TOOL_CALLS] [{\"name\": \"")),
        ("mixtral", None, None),
        ("nemotron", Some(("<think>\n", "</think>")), Some("<TOOLCALL>[{\"name\": \"")),
        ("olmo2", None, None),
        ("phi3", None, None),
        ("phi4", None, None),
        ("phi4-mini", None, Some("<|tool_call|>{\"name\": \"")),
        ("qwen2.5", None, Some("<tool_call>\n{\"name\": \"")),
        ("qwen2.5-vl", None, None),
        ("qwen3", Some(("<think>\n", "</think>")), Some("<tool_call>\n{\"name\": \"")),
        ("smollm3", Some(("<think>\n", "</think>")), Some("<tool_call>\n{\"name\": \"")),
        ("stablelm2", None, None),
        ("vicuna", None, None),
        ("yi", None, None),
        ("zephyr", None, None),
    ];
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/families");
    assert_eq!(std::fs::read_dir(folder).expect("a folder").count(), cases.len(), "every family is here");
    for (family, reasoning, calls) in cases {
        let Marks { reasoning: span, calls: syntax, .. } = marks(&source(family));
        let span = span.as_ref().map(|span| (span.open.as_str(), span.close.as_str()));
        let first = syntax.as_ref().map(|syntax| format!("{}{}", syntax.begin, syntax.before_name));
        assert_eq!((span, first.as_deref()), (reasoning, calls), "{family}");
    }
}

#[test]
fn marks_of_other_templates() {
    // What the source holds, and the beginning of the first call.
    let cases = [
        ("{{ tools }}", None),
        ("{{ messages }}<tool_call>", Some("<tool_call>{\"name\": \"")),
        ("{{ tools }}{{ '<tool_call>\\n{\\\"name\\\": ' }}", Some("<tool_call>\n{\"name\": \"")),
        ("{{ tools }}<tool_call>\n<function=x>\n<parameter=y>", None),
        ("{{ tools }}<|tool_call|>[{}]<|/tool_call|>", Some("<|tool_call|>[{\"name\": \"")),
        ("{{ tools }}functools[{}]", Some("functools[{\"name\": \"")),
        (
            "{{ tools }}<|action_start|><|plugin|>\n{\"name\": 1, \"arguments\": 2}",
            Some("<|action_start|><|plugin|>\n{\"name\": \""),
        ),
        ("{{ messages }}[ARGS]", None),
        ("{{ messages }}{{ '<think>' }}", None),
    ];
    for (source, calls) in cases {
        let Marks { reasoning, calls: syntax, .. } = marks(source);
        let first = syntax.map(|syntax| format!("{}{}", syntax.begin, syntax.before_name));
        assert_eq!((reasoning.is_none(), first.as_deref()), (true, calls), "{source}");
    }
    assert_eq!(Jinja.marks(&super::Context { source: None, ..context("", 0) }), Marks::NONE);
}
