//! JSON Schemas drawn at random, and answers drawn at random under them: each must be what its schema says, in the
//! eyes of another library.
//!
//! `MIMUS_TEST_SEED=<number>` repeats a run.
#![allow(missing_docs)]

mod support;

use mimus_engine::{Answer, Constraint, Finish, GenerateRequest, Sampling, Script, scripted};
use serde_json::{Map, Value, json};
use support::{read_all, request};

/// Schemas of one run.
const SCHEMAS: usize = 300;
/// Answers to each.
const ANSWERS: u32 = 3;
/// Most tokens of an answer; a token is a byte.
const TOKENS_MAX: u32 = 6_000;
/// Deepest nesting of objects, lists and alternatives.
const DEPTH_MAX: u32 = 4;

/// Numbers that follow from a seed (SplitMix64).
struct Draw(u64);

impl Draw {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to `end`, exclusive.
    fn below(&mut self, end: u64) -> u64 {
        self.next() % end
    }

    fn one_of<'a>(&mut self, texts: &[&'a str]) -> &'a str {
        texts[self.below(texts.len() as u64) as usize]
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }

    /// A schema whose answers end soon.
    fn schema(&mut self, depth: u32) -> Value {
        let kinds = if depth >= DEPTH_MAX { 8 } else { 12 };
        match self.below(kinds) {
            0 => json!({"type": "boolean"}),
            1 => json!({"type": "null"}),
            2 => self.integer(),
            3 => self.number(),
            4 => self.string(),
            5 => {
                json!({"type": "string", "pattern": self.one_of(&["^[a-z]{2,5}$", "^(x|yz)+$", "[0-9]", "^\\d{4}-\\d\\d$", "^a?b*$"])})
            }
            6 => json!({"enum": [self.one_of(&["red", "a\"b", "é", ""]), 7, null, {"k": [1]}]}),
            7 => json!({"const": [self.below(100), "c", {"deep": true}]}),
            8 | 9 => self.object(depth + 1),
            10 => self.array(depth + 1),
            _ => json!({"anyOf": [self.schema(depth + 1), self.schema(depth + 1)]}),
        }
    }

    fn integer(&mut self) -> Value {
        let mut schema = json!({"type": "integer"});
        let low = self.below(2_000) as i64 - 1_000;
        let span = self.below(500) as i64;
        schema[self.one_of(&["minimum", "exclusiveMinimum"])] = json!(low);
        schema["maximum"] = json!(low + span + 2);
        if self.below(4) == 0 {
            schema = json!({"type": "integer", "minimum": 0, "maximum": 900, "multipleOf": self.below(9) + 2});
        }
        schema
    }

    fn number(&mut self) -> Value {
        let low = self.below(4_000) as f64 / 8.0 - 250.0;
        let high = low + self.below(80) as f64 / 4.0 + 0.25;
        json!({"type": "number", "minimum": low, "maximum": high})
    }

    fn string(&mut self) -> Value {
        let low = self.below(6);
        let mut schema = json!({"type": "string", "minLength": low, "maxLength": low + self.below(12)});
        // No dates: llguidance lets every year have its 29 February.
        if self.below(4) == 0 {
            schema = json!({"type": "string", "format": self.one_of(&["uuid", "ipv4"])});
        }
        schema
    }

    fn object(&mut self, depth: u32) -> Value {
        let names = ["id", "name", "a b", "é", "x\"y", "list", "t/u", ""];
        let mut properties = Map::new();
        let mut required = Vec::new();
        for _ in 0..self.below(5) {
            let name = self.one_of(&names);
            properties.insert(name.to_owned(), self.schema(depth));
            if self.coin() && !required.contains(&name) {
                required.push(name);
            }
        }
        let mut schema = json!({"type": "object", "properties": properties, "required": required});
        schema["additionalProperties"] = match self.below(4) {
            0 => self.integer(),
            _ => json!(false),
        };
        schema
    }

    fn array(&mut self, depth: u32) -> Value {
        let low = self.below(3);
        match self.below(4) {
            0 => json!({"type": "array", "prefixItems": [self.schema(depth), self.schema(depth)], "items": false,
                "minItems": 2}),
            _ => json!({"type": "array", "items": self.schema(depth), "minItems": low,
                "maxItems": low + self.below(4)}),
        }
    }

    /// A whole schema, often with parts that it refers to, itself among them.
    fn document(&mut self) -> Value {
        let mut schema = self.object(0);
        match self.below(3) {
            0 => {
                schema["properties"]["ref"] = json!({"$ref": "#/$defs/part"});
                schema["$defs"] = json!({"part": self.schema(2)});
            }
            1 => {
                let node = json!({"type": "object", "properties": {"v": self.integer(), "next": {"anyOf": [
                    {"type": "null"}, {"type": "null"}, {"$ref": "#/$defs/node"}]}},
                    "required": ["v", "next"], "additionalProperties": false});
                schema["properties"]["tree"] = json!({"$ref": "#/$defs/node"});
                schema["$defs"] = json!({"node": node});
            }
            _ => {}
        }
        schema
    }
}

#[test]
fn random_answers_are_what_random_schemas_say() {
    let seed = std::env::var("MIMUS_TEST_SEED").ok().and_then(|seed| seed.parse().ok());
    let seed: u64 = seed.unwrap_or_else(|| u64::from(std::process::id()) << 16);
    println!("MIMUS_TEST_SEED={seed}");
    let mut draw = Draw(seed);
    let model = scripted(Script { answer: Answer::Noise(seed), tokens_per_piece: 64, ..Script::default() });
    let (mut finished, mut cut) = (0, 0);
    for number in 0..SCHEMAS {
        let schema = draw.document();
        let text = schema.to_string();
        let grammar = model
            .compile(&Constraint::JsonSchema(text.clone()))
            .unwrap_or_else(|error| panic!("schema {number}: {error}: {text}"));
        let validator = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
        let sampling = Sampling { temperature: 2.0, seed: Some(draw.next()), ..Sampling::default() };
        let wanted = GenerateRequest {
            grammar: Some(grammar),
            sampling,
            choices: ANSWERS,
            tokens_max: Some(TOKENS_MAX),
            ..request(&*model, "x")
        };
        let outputs = read_all(model.submit(wanted).unwrap()).unwrap_or_else(|error| panic!("{error}: {text}"));
        for output in outputs {
            if output.finish == Some(Finish::Length) {
                assert_eq!(output.generated, TOKENS_MAX);
                cut += 1;
                continue;
            }
            assert_eq!(output.finish, Some(Finish::Eos));
            let value: Value = serde_json::from_str(&output.text)
                .unwrap_or_else(|error| panic!("schema {number}: {error}: {}\n{text}", output.text));
            if let Err(error) = validator.validate(&value) {
                panic!("schema {number}: {error}: {value}\n{text}");
            }
            finished += 1;
        }
    }
    println!("{finished} answers finished, {cut} were cut");
    assert!(finished > 50 * cut, "most answers come to an end");
}

#[test]
fn random_answers_match_expressions_lists_and_json() {
    let model = scripted(Script { answer: Answer::Noise(17), tokens_per_piece: 64, ..Script::default() });
    let run = |constraint: &Constraint, seed: u64| {
        let sampling = Sampling { temperature: 2.0, seed: Some(seed), ..Sampling::default() };
        let grammar = model.compile(constraint).unwrap();
        let wanted =
            GenerateRequest { grammar: Some(grammar), sampling, tokens_max: Some(TOKENS_MAX), ..request(&*model, "x") };
        read_all(model.submit(wanted).unwrap()).unwrap().remove(0)
    };
    let patterns = [
        "[a-z]+@[a-z]+\\.(com|org)",
        "(foo|bar){2,4}",
        "\\d{1,3}(\\.\\d{1,3}){3}",
        "a*b?c+",
        "[^\\n]{5,10}",
        "(?i)yes|no",
        "\\w+( \\w+)*[.!?]",
        "x/y\\\\z",
        "[à-ü]{2}",
        "(a+)+b",
    ];
    for pattern in patterns {
        let whole = regex::Regex::new(&format!("^(?:{pattern})$")).unwrap();
        for seed in 0..20 {
            let output = run(&Constraint::Regex(pattern.to_owned()), seed);
            assert!(output.finish == Some(Finish::Eos) && whole.is_match(&output.text), "{pattern}: {output:?}");
        }
    }
    let texts: Vec<String> = ["a", "ab", "abc", "b\"c", "né", "two words", "\\"].map(str::to_owned).to_vec();
    for seed in 0..40 {
        let output = run(&Constraint::Choice(texts.clone()), seed);
        assert!(output.finish == Some(Finish::Eos) && texts.contains(&output.text), "{output:?}");
    }
    let mut finished = 0;
    for seed in 0..100 {
        let output = run(&Constraint::JsonObject, seed);
        if output.finish == Some(Finish::Eos) {
            // Numbers too large for any machine are JSON all the same.
            let parsed: Result<Map<String, Value>, _> = serde_json::from_str(&output.text);
            let is_json = parsed.as_ref().map_or_else(|error| error.to_string().contains("out of range"), |_| true);
            assert!(is_json, "{parsed:?}: {}", output.text);
            finished += 1;
        }
    }
    assert!(finished > 80, "{finished} of 100 objects come to an end");
}
