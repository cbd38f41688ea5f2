use mimus_engine::{Answer, Finish, GenerateRequest, Sampling, Script, scripted};
use serde_json::Value;

use super::super::marks::{Span, hermes};
use super::super::reader::Reader;
use super::super::{Part, Whole, append};
use super::*;

fn tool(name: &str, parameters: &str) -> Tool {
    Tool { name: name.into(), description: None, parameters: parameters.into() }
}

fn tools() -> Vec<Tool> {
    let weather = r#"{"type":"object","properties":{"city":{"type":"string","maxLength":8},"days":{"enum":[1,2,3]}},"required":["city","days"],"additionalProperties":false}"#;
    let free = r##"{"$ref":"#/$defs/pair","$defs":{"pair":{"type":"object","properties":{"a/b":{"type":"boolean"}},"required":["a/b"],"additionalProperties":false}}}"##;
    vec![tool("get_weather", weather), tool("now", ""), tool("odd \"name\"", free)]
}

fn think() -> Option<Span> {
    Some(Span { open: "<think>".into(), close: "</think>".into() })
}

struct Case<'a> {
    marks: &'a Marks,
    choice: ToolChoice,
    is_parallel: bool,
    shape: Option<Constraint>,
    opened: bool,
}

impl Case<'_> {
    /// What a model says that would say anything, held to the grammar and read again.
    fn answer(&self, seed: u64) -> Whole {
        let model = scripted(Script { answer: Answer::Noise(seed), ..Script::default() });
        let tools = tools();
        let wanted = Wanted {
            tokenizer: model.tokenizer(),
            marks: self.marks,
            is_in_reasoning: self.opened,
            tools: &tools,
            calls: self.marks.calls.as_ref(),
            choice: &self.choice,
            is_parallel: self.is_parallel,
            shape: self.shape.clone(),
            is_strict: true,
        };
        let constraint = wanted.constraint().expect("sound tools").expect("something to hold to");
        let grammar = model.compile(&constraint).unwrap_or_else(|error| panic!("{error}: {constraint:?}"));
        let sampling = Sampling { temperature: 1.0, seed: Some(seed), ..Sampling::default() };
        let request = GenerateRequest {
            grammar: Some(grammar),
            sampling,
            tokens_max: Some(3_000),
            ..GenerateRequest::new(vec![65])
        };
        let mut generation = model.submit(request).expect("a sound request");
        let mut reader = Reader::new(std::sync::Arc::new(self.marks.clone()), self.opened);
        let mut choices = std::collections::BTreeMap::new();
        while let Some(piece) = generation.next_blocking() {
            let piece = piece.expect("a piece");
            let mut events = Vec::new();
            reader.push(&piece.text, &mut events);
            if piece.finish.is_some() {
                reader.finish(&mut events);
            }
            append(&mut choices, Part { events, finish: piece.finish, ..Part::default() });
        }
        choices.remove(&0).expect("an answer")
    }
}

fn fits(whole: &Whole) {
    let tools = tools();
    for (name, arguments) in &whole.calls {
        let tool = tools.iter().find(|tool| tool.name == *name).unwrap_or_else(|| panic!("no tool {name}"));
        let value: Value = serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{error}: {arguments}"));
        if tool.name == "get_weather" {
            assert!(value["city"].is_string() && value["days"].is_u64(), "{arguments}");
        }
    }
}

#[test]
fn calls_that_must_come_do_and_fit() {
    let json = Marks { calls: Some(CallSyntax::json()), ..Marks::default() };
    let thinking = Marks { reasoning: think(), calls: Some(hermes()), verdict: None };
    for seed in 0..12 {
        for marks in [&json, &thinking] {
            let required = Case { marks, choice: ToolChoice::Required, is_parallel: false, shape: None, opened: false };
            let whole = required.answer(seed);
            if whole.finish == Some(Finish::Length) {
                continue;
            }
            assert_eq!((whole.calls.len(), whole.text.as_str()), (1, ""), "seed {seed}: {whole:?}");
            fits(&whole);
            let choice = ToolChoice::Named("odd \"name\"".into());
            let named = Case { choice, is_parallel: true, ..required };
            let whole = named.answer(seed);
            assert_eq!(whole.calls.len(), 1, "seed {seed}: {whole:?}");
            assert_eq!(whole.calls[0].0, "odd \"name\"");
            fits(&whole);
        }
    }
}

#[test]
fn several_calls_fit() {
    let marks = Marks { calls: Some(CallSyntax::json()), ..Marks::default() };
    let calls = (0..12).map(|seed| {
        let case = Case { marks: &marks, choice: ToolChoice::Required, is_parallel: true, shape: None, opened: false };
        let whole = case.answer(seed);
        fits(&whole);
        whole.calls.len()
    });
    assert!(calls.max() > Some(1), "noise makes several calls now and then");
}

#[test]
fn a_shape_follows_the_reasoning() {
    let marks = Marks { reasoning: think(), ..Marks::default() };
    let shape = Some(Constraint::Regex("[a-c/]{3}".into()));
    let choice = ToolChoice::Auto;
    let mut shaped = 0;
    for seed in 0..12 {
        let case =
            Case { marks: &marks, choice: choice.clone(), is_parallel: true, shape: shape.clone(), opened: false };
        let whole = case.answer(seed);
        // Noise may begin to think, and then thinks for ever.
        if whole.finish == Some(Finish::Length) && whole.reasoning.is_some() {
            continue;
        }
        shaped += 1;
        let is_three = whole.text.len() == 3 && whole.text.bytes().all(|byte| b"abc/".contains(&byte));
        assert!(is_three, "seed {seed}: {whole:?}");
    }
    assert!(shaped >= 6, "only {shaped} answers had a shape");
}

/// What is not random: the grammar's text where nothing is to be held, and tools that cannot be.
#[test]
fn grammars_only_where_needed() {
    let model = scripted(Script::default());
    let (bare, tools) = (Marks::default(), tools());
    let check = |marks: &Marks, tools: &[Tool], shape: Option<Constraint>, expect: Result<Option<Constraint>, &str>| {
        let wanted = Wanted {
            tokenizer: model.tokenizer(),
            marks,
            is_in_reasoning: false,
            tools,
            calls: marks.calls.as_ref(),
            choice: &ToolChoice::Auto,
            is_parallel: true,
            shape,
            is_strict: true,
        };
        match (wanted.constraint(), expect) {
            (Ok(found), Ok(expect)) => assert_eq!(found, expect),
            (Err(found), Err(expect)) => assert!(found.contains(expect), "{found}"),
            (found, _) => panic!("{found:?}"),
        }
    };
    check(&bare, &tools, None, Ok(None));
    check(&Marks { reasoning: think(), ..Marks::default() }, &tools, None, Ok(None));
    check(&bare, &tools, Some(Constraint::JsonObject), Ok(Some(Constraint::JsonObject)));
    let lark = Constraint::Lark("start: \"a\"".into());
    check(&Marks { reasoning: think(), ..Marks::default() }, &[], Some(lark.clone()), Ok(Some(lark)));
    let calling = Marks { calls: Some(hermes()), ..Marks::default() };
    check(&calling, &[tool("f", "{")], None, Err("the parameters of `f` are not JSON"));
    check(&calling, &[tool("f", "7")], None, Err("are not a JSON Schema"));
    check(&calling, &[tool("f", r#"{"type":"string"}"#)], None, Err("must have the type `object`"));
}
