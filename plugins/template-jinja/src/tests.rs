use std::collections::BTreeMap;

use mimus_sdk::Template;
use mimus_sdk::chat::{Message, Part, RenderOptions, Role, Tool, ToolCall};
use mimus_sdk::template::{Context, RenderError};
use serde::Deserialize;
use serde_json::Value;

use crate::Jinja;

mod families;

#[derive(Deserialize)]
struct Golden {
    now_s: u64,
    templates: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    template: String,
    messages: Vec<Value>,
    tools: Option<Vec<Value>>,
    add_generation_prompt: bool,
    continue_final_message: bool,
    variables: BTreeMap<String, Value>,
    prompt: Option<String>,
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn message(value: &Value) -> Message {
    let role = match value["role"].as_str() {
        Some("system") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => Role::Tool,
    };
    let part = |part: &Value| match part["type"].as_str() {
        Some("image") => Part::Image(text(&part["image"])),
        Some("video") => Part::Video(text(&part["video"])),
        _ => Part::Text(text(&part["text"])),
    };
    let call = |call: &Value| ToolCall {
        id: text(&call["id"]),
        name: text(&call["function"]["name"]),
        arguments: call["function"]["arguments"].to_string(),
    };
    Message {
        content: match &value["content"] {
            Value::Array(parts) => parts.iter().map(part).collect(),
            content => vec![Part::Text(text(content))],
        },
        reasoning: value["reasoning_content"].as_str().map(str::to_owned),
        tool_calls: value["tool_calls"].as_array().into_iter().flatten().map(call).collect(),
        tool_call_id: value["tool_call_id"].as_str().map(str::to_owned),
        ..Message::text(role, "")
    }
}

fn tool(value: &Value) -> Tool {
    let function = &value["function"];
    Tool {
        name: text(&function["name"]),
        description: function["description"].as_str().map(str::to_owned),
        parameters: function["parameters"].to_string(),
    }
}

fn variables(variables: &BTreeMap<String, Value>) -> Vec<(String, String)> {
    variables.iter().map(|(name, value)| (name.clone(), value.to_string())).collect()
}

fn context(source: &str, now_s: u64) -> Context {
    let source = Some(source.to_owned());
    Context { format: "jinja".into(), source, bos_token: "<s>".into(), eos_token: "</s>".into(), now_s }
}

fn render(source: &str) -> Result<String, RenderError> {
    let messages = [Message::text(Role::User, "hi")];
    Jinja.render(&context(source, 0), &messages, &RenderOptions::default()).map(|rendered| rendered.prompt)
}

#[test]
fn renders_as_transformers_does() {
    let golden: Golden = serde_json::from_str(include_str!("../tests/golden.json")).expect("a golden file");
    let mut differences = Vec::new();
    for (index, case) in golden.cases.iter().enumerate() {
        let messages: Vec<Message> = case.messages.iter().map(message).collect();
        let options = RenderOptions {
            tools: case.tools.iter().flatten().map(tool).collect(),
            add_generation_prompt: case.add_generation_prompt,
            continue_final_message: case.continue_final_message,
            variables: variables(&case.variables),
            ..RenderOptions::default()
        };
        let rendered = Jinja.render(&context(&golden.templates[&case.template], golden.now_s), &messages, &options);
        let prompt = rendered.as_ref().ok().map(|rendered| rendered.prompt.clone());
        if prompt != case.prompt {
            differences.push(format!("case {index} {}\nexpect {:?}\ngot    {rendered:?}", case.template, case.prompt));
        }
    }
    assert!(differences.is_empty(), "{} of {}\n{}", differences.len(), golden.cases.len(), differences.join("\n"));
}

#[test]
fn what_the_template_says_of_the_conversation_is_the_clients_fault() {
    assert_eq!(
        render("{{ raise_exception('no ' ~ messages[0].role) }}"),
        Err(RenderError::Conversation("no user".into()))
    );
}

#[test]
fn a_broken_template_is_not() {
    for source in
        ["{% if %}", "{{ 1 + }}", "{{ nothing.at.all }}", "{% for x in 7 %}{% endfor %}", "{{ no_such_function() }}"]
    {
        assert!(matches!(render(source), Err(RenderError::Template(_))), "{source}");
    }
}

#[test]
fn endless_work_ends() {
    let cases = [
        "{% for a in range(99999) %}{% for b in range(99999) %}{% set c = a + b %}{% endfor %}{% endfor %}",
        "{% for a in range(1000000000) %}{{ a }}{% endfor %}",
        "{% macro f(x) %}{{ f(x + 1) }}{% endmacro %}{{ f(0) }}",
        "{% macro f(x) %}{{ g(x) }}{% endmacro %}{% macro g(x) %}{{ f(x) }}{% endmacro %}{{ f(0) }}",
        "{% for a in [1] recursive %}{{ loop([1]) }}{% endfor %}",
        "{% include 'chat_template' %}",
        "{{ 'x' * 1000000000 }}",
        "{{ ([1] * 1000000000) | list }}",
        "{{ 'x' | indent(1000000000, first=true) }}",
        "{{ [1] | tojson(indent=1000000000) }}",
        "{{ 10 ** 1000000000 }}",
    ];
    for source in cases {
        let rendered = render(source);
        let Err(RenderError::Template(why)) = rendered else { panic!("{source}: {rendered:?}") };
        assert!(!why.is_empty(), "{source}");
    }
}

#[test]
fn a_model_without_a_template() {
    let context = Context { source: None, ..context("", 0) };
    let rendered = Jinja.render(&context, &[], &RenderOptions::default());
    assert_eq!(rendered, Err(RenderError::Template("the model ships no chat template".into())));
}

#[test]
fn wrong_json_is_the_clients_fault() {
    let variables = vec![("x".to_owned(), "{".to_owned())];
    let options = RenderOptions { variables, ..RenderOptions::default() };
    let rendered = Jinja.render(&context("{{ x }}", 0), &[], &options);
    assert!(matches!(rendered, Err(RenderError::Conversation(_))));
}

#[test]
fn variables_do_not_replace_the_conversation() {
    let of_the_server = ["messages", "tools", "add_generation_prompt", "bos_token", "eos_token"];
    let mut variables: Vec<_> = of_the_server.map(|name| (name.to_owned(), "[7]".to_owned())).into();
    variables.push(("y".to_owned(), "[1]".to_owned()));
    let options = RenderOptions { variables, ..RenderOptions::default() };
    let source = "{{ messages[0].content }} {{ tools is none }} {{ add_generation_prompt }} {{ bos_token }}{{ eos_token }} {{ y[0] }}";
    let rendered = Jinja.render(&context(source, 0), &[Message::text(Role::User, "hi")], &options);
    assert_eq!(rendered.map(|rendered| rendered.prompt), Ok("hi True True <s></s> 1".into()));
}

#[test]
fn rare_filters_tests_and_functions_are_there() {
    let cases = [
        ("{{ 'a b' | title }}{{ [1, 2] | sum }}", Ok("A B3")),
        ("{{ 3 is odd }}{{ 'x' is in 'xyz' }}", Ok("TrueTrue")),
        ("{{ dict(a=1).a }}", Ok("1")),
        ("{{ 'a' | no_such_filter }}", Err(())),
    ];
    for (source, expect) in cases {
        assert_eq!(render(source).map_err(|_| ()), expect.map(str::to_owned), "{source}");
    }
}
