//! Constraints that are made to cost: each ends in a refusal or in an answer, and the model lives on.
#![allow(missing_docs)]

mod support;

use mimus_engine::EngineError;
use support::constraints::{choice, drawn, lark, noise, regex, schema};
use support::run;

#[test]
fn costly_constraints_are_bounded() {
    let many = |count: usize, write: &dyn Fn(usize) -> String| (0..count).map(write).collect::<Vec<_>>();
    let ref_cycle = format!(
        r##"{{"$ref":"#/$defs/d0","$defs":{{{}}}}}"##,
        many(7_000, &|at| format!(r##""d{at}":{{"$ref":"#/$defs/d{}"}}"##, (at + 1) % 7_000)).join(",")
    );
    let ref_chain = format!(
        r##"{{"$ref":"#/$defs/d0","$defs":{{{},"d3000":{{}}}}}}"##,
        many(3_000, &|at| format!(r##""d{at}":{{"items":{{"$ref":"#/$defs/d{}"}}}}"##, at + 1)).join(",")
    );
    let all_of = format!(
        r#"{{"allOf":[{}]}}"#,
        many(500, &|at| format!(r#"{{"anyOf":[{{"minLength":{at}}},{{"minimum":{at}}}]}}"#)).join(",")
    );
    let rule_chain = many(6_000, &|at| format!("r{at}: \"(\" r{} \")\"", at + 1)).join("\n");
    let terminal_chain = many(6_000, &|at| format!("T{at}: \"a\" T{} | \"b\"", at + 1)).join("\n");
    let constraints = [
        schema(&ref_cycle),
        schema(&ref_chain),
        schema(&all_of),
        schema(&format!("{}{}{}", r#"{"items":"#.repeat(100), "{}", "}".repeat(100))),
        schema(&format!(r#"{{"enum":[{}]}}"#, many(6_000, &|at| format!("\"v{at}\"")).join(","))),
        schema(&format!(r#"{{"properties":{{{}}}}}"#, many(1_500, &|at| format!("\"v{at}\":{{}}")).join(","))),
        schema(&format!(r#"{{"const":"{}"}}"#, "x".repeat(60_000))),
        schema(r#"{"type":"string","maxLength":1000000000}"#),
        schema(r#"{"type":"array","minItems":1000000,"maxItems":2000000}"#),
        schema(r#"{"type":"string","pattern":"(a+)+b"}"#),
        schema(r#"{"type":"number","multipleOf":0.0000001,"minimum":1e-300,"maximum":1e300}"#),
        schema(r#"{"type":"object","patternProperties":{"(a|b)*c(a|b){20}":{},"(a|b)*d(a|b){20}":{}}}"#),
        schema(r#"{"x-guidance":{"whitespace_pattern":"(((a{9}){9}){9}){9}"}}"#),
        regex("(a+)+b"),
        regex("a{1000000}"),
        regex("((((a{100}){100}){100}){100}){100}"),
        regex("(a|b)*a(a|b){30}"),
        regex("(.*a){20}.*"),
        regex(&format!("{}a{}", "(".repeat(20_000), ")".repeat(20_000))),
        regex(&"(a|".repeat(10_000)),
        regex(&"a?".repeat(20_000)),
        regex("\\p{L}{500}\\p{N}{500}"),
        lark("start: start \"a\" | \"a\""),
        lark("start: \"a\" start | \"a\""),
        lark("start: start start | \"a\""),
        lark("start: a\na: b\nb: a"),
        lark("start: (((\"a\"*)*)*)*"),
        lark("start: \"a\"{1000000}"),
        lark(&format!("start: {}\"a\"{}", "(".repeat(30_000), ")".repeat(30_000))),
        lark(&format!("start: r0\n{rule_chain}\nr6000: \"x\"")),
        lark(&format!("start: T0\n{terminal_chain}\nT6000: \"x\"")),
        lark("start: A\nA: ~/a*/ & ~/(a|b)*c(a|b){15}/ & /(?s:.)*/"),
        lark("start: %json {\"x-guidance\":{\"nonsense\":1}}"),
        lark("start: <[0-4294967295]>*"),
        lark("start: <[*]>*"),
        choice(&many(4_000, &|at| format!("choice{at}")).iter().map(String::as_str).collect::<Vec<_>>()),
    ];
    for constraint in constraints {
        let shown: String = format!("{constraint:?}").chars().take(60).collect();
        let model = noise(9);
        let begin = std::time::Instant::now();
        let compiled = model.compile(&constraint);
        let compiling = begin.elapsed();
        let ended = match compiled {
            Ok(_) => {
                let mut wanted = drawn(&*model, &constraint, 1);
                wanted.tokens_max = Some(300);
                let output = run(&*model, wanted);
                assert!(
                    matches!(output, Ok(_) | Err(EngineError::Invalid { field: "constraint", .. })),
                    "{shown}: {output:?}"
                );
                output.map_or_else(|error| error.to_string(), |output| format!("{:?}", output.finish))
            }
            Err(EngineError::Invalid { field: "constraint", reason }) => reason,
            Err(other) => panic!("{shown}: {other}"),
        };
        println!("{compiling:>10.1?} {:>10.1?} {shown} -> {ended:.100}", begin.elapsed() - compiling);
        let after = run(&*model, drawn(&*model, &choice(&["yes", "no"]), 1)).unwrap();
        assert!(["yes", "no"].contains(&after.text.as_str()), "{shown}: {after:?}");
    }
}
