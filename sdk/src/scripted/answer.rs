//! The parts of a scripted answer: reasoning, text, calls.

use super::generation::Scripted;
use crate::answers::{Call, CallArguments, CallStart, Event, Part, ToolChoice, ToolUse, Whole};
use crate::backend::{RunningAnswer, RunningGeneration};
use crate::inference::{Error, Finish, FinishReason, Piece};

/// What the script says besides text.
#[derive(Clone, Default)]
pub(super) struct Extras {
    pub(super) reasoning: Option<String>,
    pub(super) calls: Vec<(String, String)>,
}

impl Extras {
    /// The calls that a choice of tools leaves.
    pub(super) fn chosen(mut self, tools: &ToolUse) -> Extras {
        match &tools.choice {
            ToolChoice::None => self.calls.clear(),
            ToolChoice::Named(name) => self.calls.retain(|(called, _)| called == name),
            ToolChoice::Auto | ToolChoice::Required => {}
        }
        if !tools.is_parallel {
            self.calls.truncate(1);
        }
        self
    }
}

/// A generation whose text has reasoning before it, and calls in place of it.
pub(super) struct ScriptedAnswer {
    generation: Scripted,
    extras: Extras,
    begun: Vec<u32>,
}

impl ScriptedAnswer {
    pub(super) fn new(generation: Scripted, extras: Extras) -> Self {
        ScriptedAnswer { generation, extras, begun: Vec::new() }
    }

    fn part(&mut self, piece: Piece) -> Part {
        let is_first = !self.begun.contains(&piece.choice);
        let mut events = Vec::new();
        let reasoning = u32::from(self.extras.reasoning.is_some());
        if is_first {
            self.begun.push(piece.choice);
            events.extend(self.extras.reasoning.clone().map(Event::Reasoning));
        }
        if self.extras.calls.is_empty() {
            events.extend((!piece.text.is_empty()).then_some(Event::Text(piece.text)));
        } else if is_first {
            for (index, (name, arguments)) in (0u32..).zip(&self.extras.calls) {
                events.push(Event::Call(CallStart { index, name: name.clone() }));
                let middle = arguments.char_indices().nth(arguments.chars().count() / 2).map_or(0, |(at, _)| at);
                for text in [&arguments[..middle], &arguments[middle..]].into_iter().filter(|text| !text.is_empty()) {
                    events.push(Event::Arguments(CallArguments { index, text: text.to_owned() }));
                }
            }
        }
        let (tokens, generated) = (piece.tokens, piece.generated);
        Part {
            choice: piece.choice,
            events,
            tokens,
            generated,
            reasoning: reasoning.min(generated),
            finish: piece.finish,
        }
    }
}

impl RunningAnswer for ScriptedAnswer {
    fn prompt_tokens(&self) -> u32 {
        self.generation.prompt_tokens()
    }

    fn cached_tokens(&self) -> u32 {
        0
    }

    fn next(&mut self, max: u32) -> Result<Vec<Part>, Error> {
        let pieces = self.generation.next(max)?;
        Ok(pieces.into_iter().map(|piece| self.part(piece)).collect())
    }

    fn collect(&mut self) -> Result<Vec<Whole>, Error> {
        let mut choices: Vec<Whole> = Vec::new();
        loop {
            let parts = self.next(u32::MAX)?;
            if parts.is_empty() {
                choices.sort_by_key(|whole| whole.choice);
                return Ok(choices);
            }
            for part in parts {
                let index = choices.iter().position(|whole| whole.choice == part.choice).unwrap_or_else(|| {
                    choices.push(empty(part.choice));
                    choices.len() - 1
                });
                append(&mut choices[index], part);
            }
        }
    }
}

fn empty(choice: u32) -> Whole {
    Whole {
        choice,
        reasoning: None,
        text: String::new(),
        calls: Vec::new(),
        tokens: Vec::new(),
        generated: 0,
        reasoning_tokens: 0,
        finish: Finish { reason: FinishReason::Stop, stop_string: None, stop_token: None },
    }
}

fn append(whole: &mut Whole, part: Part) {
    for event in part.events {
        match event {
            Event::Reasoning(text) => whole.reasoning.get_or_insert_default().push_str(&text),
            Event::Text(text) => whole.text.push_str(&text),
            Event::Call(start) => whole.calls.push(Call { name: start.name, arguments: String::new() }),
            Event::Arguments(more) => whole.calls[more.index as usize].arguments.push_str(&more.text),
        }
    }
    whole.tokens.extend(part.tokens);
    whole.generated = part.generated;
    whole.reasoning_tokens = part.reasoning;
    if let Some(finish) = part.finish {
        whole.finish = finish;
    }
}
