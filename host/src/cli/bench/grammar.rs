//! `mimus bench grammar`: what it costs to follow a JSON Schema, on a model that computes nothing and on built-in ones.

use std::time::Duration;

use mimus_engine::bench::{Comparison, Workload, compare};
use mimus_engine::{Answer, Constraint, LoadOptions, Model, Progress, Script, Source, TextModel, load, scripted};
use serde::Serialize;

use super::Making;

/// Never satisfied within a measurement: a list of a thousand people.
const SCHEMA: &str = r#"{"type": "array", "minItems": 1000, "items": {"type": "object", "properties": {
    "name": {"type": "string"}, "age": {"type": "integer", "minimum": 0, "maximum": 130},
    "tags": {"type": "array", "items": {"enum": ["red", "green", "blue"]}}},
    "required": ["name", "age", "tags"], "additionalProperties": false}}"#;

/// What a scripted model says: the schema lets it.
const PERSON: &str = r#"{"name": "Ada Lovelace, who wrote the first program", "age": 36, "tags": ["red", "blue"]}"#;

/// Requests at the same time.
const STREAMS: [usize; 2] = [1, 8];

/// Time of a step of the slower scripted model; a model of half a billion parameters takes longer.
const STEP: Duration = Duration::from_millis(1);

#[derive(Serialize)]
struct Row {
    model: String,
    streams: usize,
    free_tokens_per_s: f64,
    constrained_tokens_per_s: f64,
    /// The second over the first, the median of the rounds' own quotients.
    ratio: f64,
    /// Time that the constraint adds to a token.
    added_us_per_token: f64,
}

/// Runs the benchmark.
pub fn run(making: &Making, rounds: usize, is_json: bool) -> Result<(), String> {
    let config = making.config()?;
    let people = vec![PERSON; 200].join(", ");
    let script = |token_delay| Script {
        answer: Answer::Fixed(format!("[{people}]")),
        tokens_per_piece: 16,
        token_delay,
        ..Script::default()
    };
    let mut rows = Vec::new();
    let mut add = |name: &str, model: &dyn TextModel, output_tokens: u32| {
        for streams in STREAMS {
            let workload = Workload { streams, prompt_tokens: 16, output_tokens };
            let constraint = Constraint::JsonSchema(SCHEMA.to_owned());
            let comparison = compare(model, workload, &constraint, rounds).map_err(|error| error.to_string())?;
            rows.push(row(name, streams, comparison));
        }
        Ok::<(), String>(())
    };
    add("scripted", &*scripted(script(Duration::ZERO)), 8_000)?;
    add("scripted, 1 ms a step", &*scripted(script(STEP)), 400)?;
    for builtin in crate::contents().models {
        let options = LoadOptions { threads: config.engine.threads, ..LoadOptions::default() };
        let loaded =
            load(Source::Embedded(builtin.files), &options, &Progress::ignore).map_err(|error| error.to_string())?;
        // Vectors follow no grammar.
        if let Model::Text(model) = loaded {
            add(builtin.name, &*model, 400)?;
        }
    }
    if is_json {
        println!("{}", serde_json::to_string_pretty(&rows).map_err(|error| error.to_string())?);
    } else {
        print(&rows);
    }
    Ok(())
}

fn row(model: &str, streams: usize, comparison: Comparison) -> Row {
    let (free, constrained) = (comparison.free_tokens_per_second, comparison.constrained_tokens_per_second);
    Row {
        model: model.to_owned(),
        streams,
        free_tokens_per_s: free,
        constrained_tokens_per_s: constrained,
        ratio: comparison.ratio,
        added_us_per_token: 1e6 / constrained - 1e6 / free,
    }
}

fn print(rows: &[Row]) {
    println!("tokens/s of all streams, free and under a JSON Schema, drawn at temperature 1\n");
    for row in rows {
        println!(
            "{:24}{:2} streams   free {:9.0}   constrained {:9.0}   ratio {:.3}   {:+.1} µs a token",
            row.model,
            row.streams,
            row.free_tokens_per_s,
            row.constrained_tokens_per_s,
            row.ratio,
            row.added_us_per_token
        );
    }
}
