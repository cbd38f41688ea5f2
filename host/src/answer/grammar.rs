//! The grammar that an answer follows, so that its calls and its shape cannot go wrong. Written in llguidance's variant of Lark.

use std::fmt::Write as _;

use mimus_engine::{Constraint, Tokenizer};
use serde_json::{Value, json};

use super::ToolChoice;
use super::marks::{CallSyntax, Marks};
use crate::limits;
use crate::plugin::chat::Tool;

/// Space between the parts of a call's JSON, at most: the programs that read calls need none.
const CALL_WHITESPACE: &str = " ";

/// What a grammar is made of.
pub struct Wanted<'a> {
    /// The model's, for the ids of special tokens.
    pub tokenizer: &'a Tokenizer,
    /// Of the prompt's format.
    pub marks: &'a Marks,
    /// The prompt has opened the reasoning already.
    pub is_in_reasoning: bool,
    /// Tools that may be called.
    pub tools: &'a [Tool],
    /// How calls are written; none when there are none to be made.
    pub calls: Option<&'a CallSyntax>,
    /// Which.
    pub choice: &'a ToolChoice,
    /// Whether there may be several calls.
    pub is_parallel: bool,
    /// The shape of the text.
    pub shape: Option<Constraint>,
    /// Whether arguments are held to the tools' schemas, and not only to be objects.
    pub is_strict: bool,
}

impl Wanted<'_> {
    /// The grammar; none where anything may come.
    ///
    /// # Errors
    /// A sentence for the client about a tool whose schema is none.
    pub fn constraint(self) -> Result<Option<Constraint>, String> {
        let has_calls = self.calls.is_some() && !matches!(self.choice, ToolChoice::None);
        let Some(shape) = &self.shape else {
            return if has_calls { self.lark(None).map(Some) } else { Ok(None) };
        };
        // Whoever writes a grammar writes the whole of it.
        let has_reasoning = self.marks.reasoning.is_some();
        let is_alone = matches!(shape, Constraint::Lark(_)) || !(has_calls || has_reasoning);
        if is_alone { Ok(self.shape) } else { self.lark(Some(shape)).map(Some) }
    }

    fn lark(&self, shape: Option<&Constraint>) -> Result<Constraint, String> {
        let mut rules = String::new();
        let thought = match &self.marks.reasoning {
            None => "",
            Some(span) => {
                let close = self.up_to(span.close.trim(), "thought_text", &mut rules);
                let open = if self.is_in_reasoning { String::new() } else { self.literal(span.open.trim()) };
                let _ = writeln!(rules, "thought: {open} {close}");
                if self.is_in_reasoning { "thought SPACE? " } else { "(thought SPACE?)? " }
            }
        };
        let body = match (shape, self.calls, self.choice) {
            (Some(shape), None, _) | (Some(shape), _, ToolChoice::None) => {
                write_shape(&mut rules, shape)?;
                "shape"
            }
            (None, Some(calls), ToolChoice::Auto) => {
                self.write_calls(&mut rules, calls, true)?;
                "(calls | TEXT)"
            }
            (Some(shape), Some(calls), ToolChoice::Auto) => {
                write_shape(&mut rules, shape)?;
                self.write_calls(&mut rules, calls, false)?;
                "(calls | shape)"
            }
            (_, Some(calls), _) => {
                self.write_calls(&mut rules, calls, false)?;
                "calls"
            }
            (None, None, _) => "TEXT",
        };
        Ok(Constraint::Lark(format!("start: {thought}{body}\n{rules}TEXT: /(.|\\n)*/\nSPACE: /[ \\n]{{1,8}}/\n")))
    }

    /// What stands for text and the first mark in it. A mark without special token needs a rule of its own, `rule`.
    fn up_to(&self, mark: &str, rule: &str, rules: &mut String) -> String {
        let literal = self.literal(mark);
        if literal.starts_with("<[") {
            return format!("TEXT {literal}");
        }
        let _ = writeln!(rules, "{rule}[lazy]: TEXT {literal}");
        rule.to_owned()
    }

    /// * `has_text`: the first call's trigger ends the text before it.
    fn write_calls(&self, rules: &mut String, calls: &CallSyntax, has_text: bool) -> Result<(), String> {
        let chosen = |tool: &&Tool| !matches!(self.choice, ToolChoice::Named(name) if *name != tool.name);
        let chosen: Vec<&Tool> = self.tools.iter().filter(chosen).collect();
        let names =
            |prefix: &str| (0..chosen.len()).map(|index| format!("{prefix}{index}")).collect::<Vec<_>>().join(" | ");
        let head = calls.head();
        let first = match has_text {
            true => {
                let text = self.up_to(&calls.trigger, "text_before_calls", rules);
                format!("{text} {}", self.literal(&head[calls.trigger.len()..]))
            }
            false => self.literal(&head),
        };
        let more = match self.is_parallel && !matches!(self.choice, ToolChoice::Named(_)) {
            true => {
                let between = self.literal(&calls.between());
                format!(" ({between} ({})){{0,{}}}", names("call_"), limits::CALLS_MAX - 1)
            }
            false => String::new(),
        };
        let _ = writeln!(rules, "calls: {first} ({}){more} {}", names("call_"), self.literal(&calls.tail()));
        for (index, tool) in chosen.iter().enumerate() {
            let name = Value::from(tool.name.as_str()).to_string();
            // The name as it stands inside a JSON string.
            let name = self.literal(&name[1..name.len() - 1]);
            let arguments = self.schema(tool)?;
            let between = self.literal(&calls.before_arguments);
            let _ = writeln!(rules, "call_{index}: {name} {between} arguments_{index}");
            let _ = writeln!(rules, "arguments_{index}: %json {arguments}");
        }
        Ok(())
    }

    /// The schema of a tool's arguments: always of an object.
    fn schema(&self, tool: &Tool) -> Result<Value, String> {
        let any = json!({"type": "object"});
        let mut schema = match tool.parameters.trim() {
            "" => json!({"type": "object", "properties": {}, "additionalProperties": false}),
            _ if !self.is_strict => any,
            text => {
                let refusal = |why: &str| format!("the parameters of `{}` {why}", tool.name);
                let schema: Value =
                    serde_json::from_str(text).map_err(|error| refusal(&format!("are not JSON: {error}")))?;
                match schema {
                    Value::Object(_) => schema,
                    Value::Null | Value::Bool(true) => any,
                    _ => return Err(refusal("are not a JSON Schema")),
                }
            }
        };
        if let Some(keywords) = schema.as_object_mut() {
            match keywords.get("type") {
                None | Some(Value::Null) => {
                    keywords.insert("type".to_owned(), "object".into());
                }
                Some(Value::String(kind)) if kind == "object" => {}
                Some(_) => return Err(format!("the parameters of `{}` must have the type `object`", tool.name)),
            }
            keywords.insert("x-guidance".to_owned(), json!({"whitespace_pattern": CALL_WHITESPACE}));
        }
        Ok(schema)
    }

    /// The special token that a mark is.
    fn special(&self, mark: &str) -> Option<u32> {
        self.tokenizer.token_id(mark).filter(|id| self.tokenizer.is_special(*id))
    }

    /// A text of the model as Lark writes it: special tokens by their ids, the rest quoted.
    fn literal(&self, text: &str) -> String {
        let mut written = Vec::new();
        let mut rest = text;
        while let Some((start, end, id)) = self.first_special(rest) {
            if start > 0 {
                written.push(quoted(&rest[..start]));
            }
            written.push(format!("<[{id}]>"));
            rest = &rest[end..];
        }
        if !rest.is_empty() || written.is_empty() {
            written.push(quoted(rest));
        }
        written.join(" ")
    }

    /// Start, end and id of the first special token in a text. They stand in brackets; the longest that fits is meant.
    fn first_special(&self, text: &str) -> Option<(usize, usize, u32)> {
        text.match_indices(['<', '[']).find_map(|(start, _)| {
            let mut ends = text[start..].rmatch_indices(['>', ']']).map(|(at, _)| start + at + 1);
            ends.find_map(|end| Some((start, end, self.special(&text[start..end])?)))
        })
    }
}

/// The special tokens among the texts of some marks, which have to show for the marks to be read.
pub fn special_tokens(tokenizer: &Tokenizer, marks: &Marks) -> Vec<u32> {
    let calls = marks
        .calls
        .iter()
        .flat_map(|calls| [calls.head(), calls.between(), calls.tail(), calls.before_arguments.clone()]);
    let reasoning = marks.reasoning.iter().flat_map(|span| [span.open.clone(), span.close.clone()]);
    let mut ids: Vec<u32> = calls
        .chain(reasoning)
        .filter_map(|text| tokenizer.encode(&text, false).ok())
        .flatten()
        .filter(|id| tokenizer.is_special(*id))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn write_shape(rules: &mut String, shape: &Constraint) -> Result<(), String> {
    let whitespace = json!({"whitespace_pattern": mimus_engine::limits::JSON_WHITESPACE});
    let rule = match shape {
        Constraint::JsonObject => format!("%json {}", json!({"type": "object", "x-guidance": whitespace})),
        Constraint::JsonSchema(text) => {
            let mut schema: Value =
                serde_json::from_str(text).map_err(|error| format!("the schema is not JSON: {error}"))?;
            if let Some(keywords) = schema.as_object_mut() {
                keywords.entry("x-guidance").or_insert(whitespace);
            }
            format!("%json {schema}")
        }
        Constraint::Regex(pattern) => regex(pattern),
        Constraint::Choice(texts) => texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(" | "),
        Constraint::Lark(_) => return Err("a grammar stands for itself".to_owned()),
    };
    let _ = writeln!(rules, "shape: {rule}");
    Ok(())
}

/// A regular expression between slashes.
fn regex(pattern: &str) -> String {
    let mut written = String::from("/");
    let mut is_escaped = false;
    for character in pattern.chars() {
        match character {
            '/' if !is_escaped => written.push_str("\\/"),
            '\n' => written.push_str("\\n"),
            _ => written.push(character),
        }
        is_escaped = character == '\\' && !is_escaped;
    }
    written + "/"
}

/// Lark reads the escapes of JSON.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests;
