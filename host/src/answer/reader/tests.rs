use std::sync::Arc;

use super::super::marks::{CallSyntax, Marks, Span, hermes};
use super::super::{Event, Whole, append};
use super::*;

fn think() -> Option<Span> {
    Some(Span { open: "<think>\n".into(), close: "\n</think>\n\n".into() })
}

/// What is read when the text comes in pieces of so many bytes; each size must give the same.
fn read(marks: &Marks, is_in_reasoning: bool, text: &str) -> Whole {
    let whole_in = |size: usize| {
        let mut reader = Reader::new(Arc::new(marks.clone()), is_in_reasoning);
        let mut choices = std::collections::BTreeMap::new();
        let mut rest = text;
        while !rest.is_empty() {
            let mut end = size.min(rest.len());
            while !rest.is_char_boundary(end) {
                end += 1;
            }
            let mut events = Vec::new();
            reader.push(&rest[..end], &mut events);
            rest = &rest[end..];
            append(&mut choices, super::super::Part { events, ..Default::default() });
        }
        let mut events = Vec::new();
        reader.finish(&mut events);
        append(&mut choices, super::super::Part { events, ..Default::default() });
        choices.remove(&0).unwrap()
    };
    let at_once = whole_in(usize::MAX);
    for size in [1, 2, 3, 7] {
        let other = whole_in(size);
        let parts = |whole: &Whole| (whole.reasoning.clone(), whole.text.clone(), whole.calls.clone());
        assert_eq!(parts(&other), parts(&at_once), "{text:?} in pieces of {size}");
    }
    at_once
}

#[test]
fn answers_come_apart() {
    let all = Marks { reasoning: think(), calls: Some(hermes()), verdict: None };
    let none = Marks::default();
    let json = Marks { calls: Some(CallSyntax::json()), ..Marks::default() };
    let check =
        |marks: &Marks, opened: bool, text: &str, reasoning: Option<&str>, expect: &str, calls: &[(&str, &str)]| {
            let whole = read(marks, opened, text);
            let found: Vec<_> =
                whole.calls.iter().map(|(name, arguments)| (name.as_str(), arguments.as_str())).collect();
            assert_eq!(
                (whole.reasoning.as_deref(), whole.text.as_str(), &found[..]),
                (reasoning, expect, calls),
                "{text:?}"
            );
        };
    check(&none, false, " a <think>b</think> <tool_call>", None, " a <think>b</think> <tool_call>", &[]);
    check(&all, false, "hello there ", None, "hello there ", &[]);
    check(&all, false, "  hello", None, "  hello", &[]);
    check(&all, false, "<think>\nhm, 3 < 4\n</think>\n\nyes", Some("hm, 3 < 4"), "yes", &[]);
    check(&all, false, "<thinking is hard", None, "<thinking is hard", &[]);
    check(&all, true, "\nhm\n</think>\n\nyes", Some("hm"), "yes", &[]);
    check(&all, true, "cut of", Some("cut of"), "", &[]);
    check(&all, true, "cut of </thi", Some("cut of </thi"), "", &[]);
    check(&all, false, "a <tool", None, "a <tool", &[]);
    check(&all, false, "a <tool_call> is what?", None, "a <tool_call> is what?", &[]);
    let call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"}\\\"{\", \"b\": [1, {}]}}\n</tool_call>";
    check(&all, false, call, None, "", &[("f", "{\"a\": \"}\\\"{\", \"b\": [1, {}]}")]);
    let several = format!("<think>\n</think>\n\nLook:\n{call}\n{call}");
    let arguments = ("f", "{\"a\": \"}\\\"{\", \"b\": [1, {}]}");
    check(&all, false, &several, None, "Look:", &[arguments, arguments]);
    check(&all, false, "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1", None, "", &[("f", "{\"a\": 1")]);
    check(&all, false, "<tool_call>\n{\"name\": \"f", None, "", &[]);
    let listed = "[{\"name\": \"f\", \"arguments\": {}}, {\"name\": \"g\", \"arguments\": {\"é\": \"ü\"}}]";
    check(&json, false, listed, None, "", &[("f", "{}"), ("g", "{\"é\": \"ü\"}")]);
}

#[test]
fn arguments_stream_as_they_come() {
    let marks = Arc::new(Marks { calls: Some(hermes()), ..Marks::default() });
    let mut reader = Reader::new(marks, false);
    let mut events = Vec::new();
    reader.push("<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\":", &mut events);
    reader.push(" 1}", &mut events);
    let text = |text: &str| Event::Arguments { index: 0, text: text.into() };
    assert_eq!(events, [Event::Call { index: 0, name: "f".into() }, text("{\"a\": 1}")]);
    events.clear();
    reader.push("}\n</tool_call>", &mut events);
    reader.finish(&mut events);
    assert_eq!(events, []);
}
