//! Answers that follow a constraint: what each kind lets through, how it ends, and what a hostile one costs.
#![allow(missing_docs)]

mod support;

use std::sync::Arc;

use mimus_engine::{
    Answer, Constraint, EngineError, Finish, GenerateRequest, Sampling, Script, TextModel, limits, scripted,
};
use serde_json::Value;
use support::constraints::{choice, constrained, drawn, lark, noise, regex, schema};
use support::{Output, chat_model, read_all, request, run, wait_until};

/// A model that says `text`, as far as it may.
fn says(text: &str) -> Arc<dyn TextModel> {
    scripted(Script { answer: Answer::Fixed(text.to_owned()), ..Script::default() })
}

/// What a model that wants to say `wanted` says under `constraint`.
#[track_caller]
fn check(constraint: &Constraint, wanted: &str, text: &str, finish: Finish, generated: u32) {
    check_with(constraint, wanted, |_| {}, text, finish, generated);
}

/// As [`check`], with changes to the request.
#[track_caller]
fn check_with(
    constraint: &Constraint,
    wanted: &str,
    change: impl FnOnce(&mut GenerateRequest),
    text: &str,
    finish: Finish,
    generated: u32,
) {
    let model = says(wanted);
    let mut request = constrained(&*model, constraint);
    change(&mut request);
    let output = run(&*model, request).unwrap();
    assert_eq!((output.text.as_str(), output.finish, output.generated), (text, Some(finish), generated));
}

#[test]
fn each_kind_shapes_the_text() {
    // What may be said is said; where the model wants something else, the lowest token that may come stands.
    check(&regex("[a-c]+"), "abcabc", "abcabc", Finish::Eos, 7);
    check(&regex("a{3}"), "xyz", "aaa", Finish::Eos, 3);
    check(&regex("[0-9]{2}/[0-9]"), "12/3 and more", "12/3", Finish::Eos, 4);
    check(&regex("(é|è)!"), "è!", "è!", Finish::Eos, 3);
    check(&regex("^yes$"), "yes", "yes", Finish::Eos, 3);
    check(&choice(&["red", "green", "blue"]), "green", "green", Finish::Eos, 5);
    check(&choice(&["a", "ab\"\n"]), "ab\"\n", "ab\"\n", Finish::Eos, 4);
    check(&choice(&["a", "ab"]), "a", "a", Finish::Eos, 2);
    check(&Constraint::JsonObject, r#"{"a": [1, "é"]}"#, r#"{"a": [1, "é"]}"#, Finish::Eos, 16);
    let person = r#"{"type":"object","properties":{"age":{"type":"integer","maximum":9}},"required":["age"],
        "additionalProperties":false}"#;
    check(&schema(person), r#"{"age": 7}"#, r#"{"age": 7}"#, Finish::Eos, 10);
    check(&lark("start: \"(\" start \")\" | \"x\""), "((x))", "((x))", Finish::Eos, 5);
}

#[test]
fn ends_are_the_grammars_before_the_requests() {
    let stop = |text: &str| Finish::StopString(text.to_owned());
    let digits = regex("[0-9]+");
    let eos = mimus_eos();
    check_with(&digits, "123", |request| request.tokens_max = Some(2), "12", Finish::Length, 2);
    check_with(&digits, "123", |request| request.stop_strings = vec!["3".into()], "12", stop("3"), 3);
    // A stop token that the grammar does not know may come where the grammar may end, and nowhere else.
    check_with(&digits, "12x", |request| request.stop_tokens = vec![120], "12", Finish::StopToken(120), 3);
    check_with(&regex("[0-9]{4}"), "12x", |request| request.stop_tokens = vec![120], "1201", Finish::Eos, 4);
    // What ends a choice waits for `tokens_min`, but not where the grammar lets nothing else follow.
    check_with(&digits, "1", |request| request.tokens_min = 3, "111", Finish::Eos, 4);
    check_with(&regex("[0-9]{2}"), "12", |request| request.tokens_min = 5, "12", Finish::Eos, 2);
    check_with(&regex("[0-9]{2}"), "12", |request| request.ignore_eos = true, "12", Finish::Eos, 2);
    check_with(
        &digits,
        "12",
        |request| {
            request.ignore_eos = true;
            request.tokens_max = Some(6);
        },
        "121212",
        Finish::Length,
        6,
    );
    // A finished answer is finished, even with its last token.
    check_with(&regex("[0-9]{2}"), "12", |request| request.tokens_max = Some(2), "12", Finish::Eos, 2);
    check_with(&regex("a?"), "", |_| {}, "", Finish::Eos, 1);
    check_with(&regex(""), "abc", |_| {}, "", Finish::Eos, 0);
    // A token that a grammar names for itself is followed, and those that end a sequence end it.
    check(&lark(&format!("start: \"a\" <[{eos}]>")), "b", "a", Finish::Eos, 2);
}

/// The scripted model's token that ends a sequence.
fn mimus_eos() -> u32 {
    noise(0).tokenizer().eos_ids()[0]
}

#[test]
fn sampling_keeps_to_what_may_come() {
    let model = noise(7);
    let digits = regex("[0-9]{20}");
    let check = |name: &str, change: &dyn Fn(&mut Sampling)| {
        let mut request = drawn(&*model, &digits, 3);
        change(&mut request.sampling);
        let output = run(&*model, request).unwrap();
        let is_digits = output.text.len() == 20 && output.text.bytes().all(|byte| byte.is_ascii_digit());
        assert!(is_digits && output.finish == Some(Finish::Eos), "{name}: {output:?}");
    };
    check("greedy", &|sampling| sampling.temperature = 0.0);
    check("drawn", &|_| {});
    check("top-k", &|sampling| sampling.top_k = 1);
    check("top-p", &|sampling| sampling.top_p = 0.1);
    check("min-p", &|sampling| sampling.min_p = 1.0);
    check("penalties", &|sampling| {
        sampling.repetition_penalty = 5.0;
        sampling.frequency_penalty = 2.0;
    });
    check("bias towards what may not come", &|sampling| sampling.logit_bias = vec![(120, 100.0)]);
    check("bias against what must come", &|sampling| {
        sampling.logit_bias = (48..58).map(|digit| (digit, -100.0)).collect();
    });
    let mut biased = drawn(&*model, &digits, 3);
    biased.sampling.logit_bias = vec![(55, 100.0)];
    assert_eq!(run(&*model, biased).unwrap().text, "7".repeat(20));
}

#[test]
fn log_probabilities_are_those_before_the_grammar() {
    let model = says("hello");
    let mut wanted = constrained(&*model, &regex("[0-9]"));
    wanted.logprobs = Some(1);
    let output = run(&*model, wanted).unwrap();
    assert_eq!(output.text, "0");
    assert_eq!(output.tokens[0].top[0].id, u32::from(b'h'));
    assert!(output.tokens[0].top[0].logprob > -0.01 && output.tokens[0].logprob.unwrap() < -100.0);
}

#[test]
fn every_choice_goes_its_own_way() {
    let model = noise(11);
    let mut wanted = drawn(&*model, &regex("[a-z]{3,30}\\.[0-9]"), 5);
    wanted.choices = 4;
    let outputs = read_all(model.submit(wanted).unwrap()).unwrap();
    let whole = regex::Regex::new("^[a-z]{3,30}\\.[0-9]$").unwrap();
    for output in &outputs {
        assert!(whole.is_match(&output.text) && output.finish == Some(Finish::Eos), "{output:?}");
    }
    let mut texts: Vec<&str> = outputs.iter().map(|output| output.text.as_str()).collect();
    texts.sort_unstable();
    texts.dedup();
    assert_eq!(texts.len(), 4);
}

#[test]
fn free_requests_do_not_notice_constrained_ones() {
    for model in [noise(1), chat_model()] {
        let free = |seed: u64| {
            let sampling = Sampling { temperature: 1.0, seed: Some(seed), ..Sampling::default() };
            GenerateRequest {
                sampling,
                tokens_max: Some(60),
                logprobs: Some(2),
                cache_scope: seed,
                ..request(&*model, "hello")
            }
        };
        let alone: Vec<Output> = (0..4).map(|seed| run(&*model, free(seed)).unwrap()).collect();
        let running: Vec<_> = (0..4)
            .map(|seed| {
                let mut constrained = drawn(&*model, &Constraint::JsonObject, seed);
                constrained.tokens_max = Some(300);
                let constrained = model.submit(constrained).unwrap();
                // Another scope, so that the prompt is computed as it was.
                (constrained, model.submit(GenerateRequest { cache_scope: 10 + seed, ..free(seed) }).unwrap())
            })
            .collect();
        let readers: Vec<_> = running
            .into_iter()
            .map(|(constrained, free)| {
                (std::thread::spawn(|| read_all(constrained)), std::thread::spawn(|| read_all(free)))
            })
            .collect();
        for ((constrained, free), alone) in readers.into_iter().zip(alone) {
            constrained.join().unwrap().unwrap();
            let together = free.join().unwrap().unwrap().remove(0);
            assert_eq!((together.text, together.tokens), (alone.text, alone.tokens));
        }
    }
}

#[test]
fn leaving_a_constrained_answer_frees_its_slot() {
    let model = noise(3);
    for _ in 0..20 {
        let mut wanted = drawn(&*model, &regex("[a-z]*"), 1);
        wanted.ignore_eos = true;
        let mut generation = model.submit(wanted).unwrap();
        generation.next_blocking().unwrap().unwrap();
        drop(generation);
        wait_until("the slot is free", || model.activity().running_sequences == 0);
    }
}

#[test]
fn grammars_belong_to_their_model() {
    let (model, other) = (noise(1), noise(1));
    let foreign = constrained(&*other, &Constraint::JsonObject);
    assert!(matches!(model.submit(foreign), Err(EngineError::Invalid { field: "grammar", .. })));
}

#[test]
fn known_constraints_are_at_hand() {
    let model = noise(1);
    assert!(model.compiled(&Constraint::JsonObject).is_none());
    let first = model.compile(&Constraint::JsonObject).unwrap();
    let again = model.compile(&Constraint::JsonObject).unwrap();
    assert!(Arc::ptr_eq(&first, &again));
    assert_eq!(model.compiled(&Constraint::JsonObject), Some(Ok(first)));
    assert!(model.compile(&regex("(")).is_err());
    assert!(matches!(model.compiled(&regex("(")), Some(Err(_))), "refusals are known as well");
}

#[test]
fn hostile_constraints_cost_their_own_request_only() {
    let model = noise(5);
    let refused = |constraint: Constraint, expect: &str| match model.compile(&constraint) {
        Err(EngineError::Invalid { field: "constraint", reason }) => {
            assert!(reason.contains(expect), "{:.80?}: {reason}", format!("{constraint:?}"));
            assert!(reason.len() < 2_000 && !reason.contains("panic") && !reason.contains('\n'), "{reason}");
        }
        other => panic!("{:.80?}: {other:?}", format!("{constraint:?}")),
    };
    refused(schema(""), "not JSON");
    refused(schema("{"), "not JSON");
    refused(schema("[]"), "neither an object nor a boolean");
    refused(schema("false"), "nsatisfiable");
    refused(schema(&"[".repeat(60_000)), "not JSON");
    refused(schema(r#"{"type":"strange"}"#), "strange");
    refused(schema(r#"{"type":"object","if":{},"then":{}}"#), "if");
    refused(schema(r#"{"type":"string","format":"strange"}"#), "strange");
    refused(schema(r##"{"$ref":"#/$defs/none"}"##), "none");
    refused(schema(r##"{"$ref":"https://example.com/schema.json"}"##), "example.com");
    refused(schema(r#"{"minimum":2,"maximum":1,"type":"integer"}"#), "nsatisfiable");
    refused(schema(r#"{"oneOf":[{"type":"integer"},{"type":"number"}]}"#), "oneOf");
    refused(regex("("), "regex");
    refused(regex("(?=a)b"), "look-around");
    refused(regex("a\\b"), "");
    refused(regex("[a-z&&[^a-z]]"), "no text matches");
    refused(lark(""), "");
    refused(lark("start: unknown"), "unknown");
    refused(lark("start: start"), "");
    refused(lark("start: start start"), "");
    refused(lark("start: \"a\" <[999999]>"), "");
    refused(lark("start: @other"), "other");
    refused(choice(&[]), "nothing to choose");
    refused(choice(&["a", ""]), "no text");
    refused(regex(&"a".repeat(limits::GRAMMAR_SOURCE_BYTES_MAX + 1)), "bytes");
    // The model goes on.
    let output = run(&*model, drawn(&*model, &choice(&["yes", "no"]), 1)).unwrap();
    assert!(["yes", "no"].contains(&output.text.as_str()), "{output:?}");
}

#[test]
fn a_trained_tokenizer_follows_too() {
    let model = chat_model();
    let weather = r#"{"type":"object","properties":{"city":{"type":"string","maxLength":20},
        "unit":{"enum":["celsius","fahrenheit"]},"days":{"type":"integer","minimum":1,"maximum":14}},
        "required":["city","unit","days"],"additionalProperties":false}"#;
    let validator = jsonschema::validator_for(&serde_json::from_str(weather).unwrap()).unwrap();
    for seed in 0..8 {
        let mut wanted = drawn(&*model, &schema(weather), seed);
        wanted.tokens_max = Some(300);
        wanted.return_tokens = true;
        let output = run(&*model, wanted).unwrap();
        assert_eq!(output.finish, Some(Finish::Eos), "{output:?}");
        let value: Value = serde_json::from_str(&output.text).unwrap();
        assert!(validator.is_valid(&value), "{value}");
        let bytes: Vec<u8> = output.tokens.iter().flat_map(|token| token.bytes.clone()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), output.text);
    }
    // Text that spells a special token is text.
    for text in ["The capital of France is Paris.", "a<|im_end|>b"] {
        let mut wanted = constrained(&*model, &choice(&[text]));
        wanted.tokens_max = Some(60);
        assert_eq!(run(&*model, wanted).unwrap().text, text);
    }
}

/// The shapes that tool calls take, on a model with special tokens.
#[test]
fn lark_joins_special_tokens_text_and_json() {
    let model = chat_model();
    let token = |name: &str| model.tokenizer().token_id(name).unwrap();
    let call = r#"{"type":"object","properties":{"name":{"const":"add"},"n":{"type":"integer","minimum":0,"maximum":99}},
        "required":["name","n"],"additionalProperties":false,"x-guidance":{"whitespace_flexible":false}}"#;
    let validator = jsonschema::validator_for(&serde_json::from_str(call).unwrap()).unwrap();
    let text_of = |grammar: &str, seed: u64| {
        let mut wanted = drawn(&*model, &lark(grammar), seed);
        wanted.tokens_max = Some(400);
        wanted.skip_special = false;
        let output = run(&*model, wanted).unwrap();
        assert_eq!(output.finish, Some(Finish::Eos), "{grammar}: {output:?}");
        output.text
    };
    let is_call = |text: &str| serde_json::from_str(text).is_ok_and(|value: Value| validator.is_valid(&value));
    for seed in 0..6 {
        // A special token by its id, then JSON, then one by its name.
        let id = token("<|im_start|>");
        let text = text_of(&format!("start: <[{id}]> call <pad>\ncall: %json {call}"), seed);
        let json = text.strip_prefix("<|im_start|>").and_then(|text| text.strip_suffix("<pad>"));
        assert!(json.is_some_and(is_call), "{text}");

        // Free text up to a trigger that ends it, then JSON.
        let grammar = format!("start: head call \"</tool>\"\nhead[lazy]: /(.|\\n){{0,40}}<tool>/\ncall: %json {call}");
        let text = text_of(&grammar, seed);
        let (_, rest) = text.split_once("<tool>").unwrap_or_else(|| panic!("{text}"));
        assert!(rest.strip_suffix("</tool>").is_some_and(is_call), "{text}");

        // The same by `suffix`.
        let grammar =
            format!("start: head call \"</tool>\"\nhead[suffix=\"<tool>\"]: /(.|\\n){{0,40}}/\ncall: %json {call}");
        let text = text_of(&grammar, seed);
        let (_, rest) = text.split_once("<tool>").unwrap_or_else(|| panic!("{text}"));
        assert!(rest.strip_suffix("</tool>").is_some_and(is_call), "{text}");

        // A thought that may be left out, then one call or several.
        let grammar = format!(
            "start: think? call (\"\\n\" call){{0,2}}\nthink[lazy]: /<think>(.|\\n){{0,30}}<\\/think>/\ncall: %json {call}"
        );
        let text = text_of(&grammar, seed);
        let calls = match text.strip_prefix("<think>") {
            Some(thought) => thought.split_once("</think>").unwrap_or_else(|| panic!("{text}")).1,
            None => &text,
        };
        let mut stream = serde_json::Deserializer::from_str(calls).into_iter::<Value>();
        assert!(stream.all(|value| value.is_ok_and(|value| validator.is_valid(&value))), "{text}");
    }
    // A special token is no text: free text never has one.
    let anything = text_of("start: /(.|\\n){0,60}/", 1);
    assert!(!anything.contains("<|im_start|>"), "{anything}");
}
