//! Reads a choice's text as it comes and takes it apart.
//!
//! What may be the beginning of a mark is held back until it is known. Text that only looks like a call is given as text.

use std::sync::Arc;

use super::Event;
use super::marks::{CallSyntax, Marks};

/// Characters of a tool's name. What is longer is no call.
const NAME_BYTES_MAX: usize = 256;

/// One choice's answer, read so far.
pub struct Reader {
    marks: Arc<Marks>,
    state: State,
    /// Text that is not yet told.
    held: String,
    /// Space before a trigger. It is no text, unless the trigger turns out to be some.
    gap: String,
    /// Calls that have begun.
    calls: u32,
    json: JsonObject,
}

/// Where the reader is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing but space so far: reasoning or text may follow.
    Start,
    /// At the beginning of the reasoning or of the text after it, where space is left out.
    Reasoning {
        is_first: bool,
    },
    Text {
        is_first: bool,
    },
    /// The trigger is there; the rest of what stands before the name is not.
    Head,
    Name,
    Arguments,
    /// Behind a call's arguments.
    Between,
    /// Behind the last call.
    Done,
}

impl Reader {
    /// * `is_in_reasoning`: the prompt has opened the reasoning already.
    pub fn new(marks: Arc<Marks>, is_in_reasoning: bool) -> Reader {
        let state = match (&marks.reasoning, is_in_reasoning) {
            (Some(_), true) => State::Reasoning { is_first: true },
            (Some(_), false) => State::Start,
            (None, _) => State::Text { is_first: false },
        };
        Reader { marks, state, held: String::new(), gap: String::new(), calls: 0, json: JsonObject::default() }
    }

    /// Whether what comes next is reasoning.
    pub fn is_reasoning(&self) -> bool {
        matches!(self.state, State::Reasoning { .. })
    }

    /// Takes in text and gives what it is known to be.
    pub fn push(&mut self, text: &str, events: &mut Vec<Event>) {
        self.held.push_str(text);
        let marks = self.marks.clone();
        while self.step(&marks, events) {}
    }

    /// The answer has ended: what is held back is what it seemed to be.
    pub fn finish(&mut self, events: &mut Vec<Event>) {
        let held = std::mem::take(&mut self.held);
        if held.is_empty() {
            return;
        }
        match self.state {
            State::Reasoning { is_first } => tell_reasoning(events, if is_first { held.trim_start() } else { &held }),
            State::Start | State::Text { .. } => tell_text(events, &held),
            // A call that was cut off before its name, or marks around calls.
            State::Head | State::Name | State::Between | State::Done => {}
            State::Arguments => tell_arguments(events, self.calls - 1, &held),
        }
    }

    /// One step forward. False: more text is needed.
    fn step(&mut self, marks: &Marks, events: &mut Vec<Event>) -> bool {
        if self.held.is_empty() {
            return false;
        }
        match (self.state, &marks.reasoning, &marks.calls) {
            (State::Start, Some(span), _) => self.start(span.open.trim()),
            (State::Reasoning { is_first }, Some(span), _) => self.reason(is_first, span.close.trim(), events),
            (State::Text { is_first }, _, calls) => self.text(is_first, calls.as_ref(), events),
            (State::Head, _, Some(calls)) => self.head(calls, events),
            (State::Name, _, Some(calls)) => self.name(calls, events),
            (State::Arguments, ..) => self.arguments(events),
            (State::Between, _, Some(calls)) => self.between(calls),
            (State::Done, ..) => {
                self.held.clear();
                false
            }
            // A state is entered only where its marks are.
            (State::Start | State::Reasoning { .. } | State::Head | State::Name | State::Between, ..) => false,
        }
    }

    fn start(&mut self, open: &str) -> bool {
        let seen = self.held.trim_start();
        if let Some(rest) = seen.strip_prefix(open) {
            self.held = rest.to_owned();
            self.state = State::Reasoning { is_first: true };
            return true;
        }
        if open.starts_with(seen) {
            return false;
        }
        self.state = State::Text { is_first: false };
        true
    }

    fn reason(&mut self, mut is_first: bool, close: &str, events: &mut Vec<Event>) -> bool {
        if is_first {
            self.held.drain(..self.held.len() - self.held.trim_start().len());
            is_first = self.held.is_empty();
            self.state = State::Reasoning { is_first };
        }
        if let Some(at) = self.held.find(close) {
            tell_reasoning(events, self.held[..at].trim_end());
            self.held.drain(..at + close.len());
            self.state = State::Text { is_first: true };
            return true;
        }
        // The space before the mark belongs to the mark.
        let told = spaceless(&self.held[..self.held.len() - held_back(&self.held, close)]);
        tell_reasoning(events, &self.held[..told]);
        self.held.drain(..told);
        false
    }

    fn text(&mut self, is_first: bool, calls: Option<&CallSyntax>, events: &mut Vec<Event>) -> bool {
        if is_first {
            self.held.drain(..self.held.len() - self.held.trim_start().len());
            self.state = State::Text { is_first: self.held.is_empty() };
        }
        let Some(calls) = calls else {
            tell_text(events, &self.held);
            self.held.clear();
            return false;
        };
        if let Some(at) = self.held.find(&calls.trigger) {
            let told = spaceless(&self.held[..at]);
            tell_text(events, &self.held[..told]);
            self.gap = self.held[told..at].to_owned();
            self.held.drain(..at);
            self.state = State::Head;
            return true;
        }
        let told = spaceless(&self.held[..self.held.len() - held_back(&self.held, &calls.trigger)]);
        tell_text(events, &self.held[..told]);
        self.held.drain(..told);
        false
    }

    fn head(&mut self, calls: &CallSyntax, events: &mut Vec<Event>) -> bool {
        let head = calls.head();
        if let Some(rest) = self.held.strip_prefix(&head) {
            self.held = rest.to_owned();
            self.state = State::Name;
            return true;
        }
        if head.starts_with(&self.held) {
            return false;
        }
        self.give_up_call(calls.trigger.len(), events)
    }

    /// It was no call: the mark is text.
    fn give_up_call(&mut self, mark_bytes: usize, events: &mut Vec<Event>) -> bool {
        let mark_bytes = mark_bytes.min(self.held.len());
        tell_text(events, &std::mem::take(&mut self.gap));
        tell_text(events, &self.held[..mark_bytes]);
        self.held.drain(..mark_bytes);
        self.state = State::Text { is_first: false };
        true
    }

    fn name(&mut self, calls: &CallSyntax, events: &mut Vec<Event>) -> bool {
        let Some(at) = self.held.find(&calls.before_arguments) else {
            if self.held.len() <= NAME_BYTES_MAX + calls.before_arguments.len() {
                return false;
            }
            self.held.insert_str(0, &calls.before_name);
            return self.give_up_call(calls.before_name.len(), events);
        };
        // In a JSON string a name is escaped; elsewhere names have no character that would need it.
        let written = &self.held[..at];
        let name = serde_json::from_str(&format!("\"{written}\"")).unwrap_or_else(|_| written.to_owned());
        events.push(Event::Call { index: self.calls, name });
        self.calls += 1;
        self.held.drain(..at + calls.before_arguments.len());
        self.json = JsonObject::default();
        self.state = State::Arguments;
        true
    }

    fn arguments(&mut self, events: &mut Vec<Event>) -> bool {
        let (read, is_whole) = self.json.read(&self.held);
        tell_arguments(events, self.calls - 1, &self.held[..read]);
        self.held.drain(..read);
        if is_whole {
            self.state = State::Between;
        }
        is_whole
    }

    fn between(&mut self, calls: &CallSyntax) -> bool {
        let between = calls.between();
        if let Some(rest) = self.held.strip_prefix(&between) {
            self.held = rest.to_owned();
            self.state = State::Name;
            return true;
        }
        if between.starts_with(&self.held) {
            return false;
        }
        self.state = State::Done;
        true
    }
}

fn tell_reasoning(events: &mut Vec<Event>, text: &str) {
    match events.last_mut() {
        _ if text.is_empty() => {}
        Some(Event::Reasoning(last)) => last.push_str(text),
        _ => events.push(Event::Reasoning(text.to_owned())),
    }
}

fn tell_text(events: &mut Vec<Event>, text: &str) {
    match events.last_mut() {
        _ if text.is_empty() => {}
        Some(Event::Text(last)) => last.push_str(text),
        _ => events.push(Event::Text(text.to_owned())),
    }
}

fn tell_arguments(events: &mut Vec<Event>, index: u32, text: &str) {
    match events.last_mut() {
        _ if text.is_empty() => {}
        Some(Event::Arguments { index: last_index, text: last }) if *last_index == index => last.push_str(text),
        _ => events.push(Event::Arguments { index, text: text.to_owned() }),
    }
}

/// Bytes at the end of `text` that may begin `mark`.
fn held_back(text: &str, mark: &str) -> usize {
    let lengths = mark.char_indices().map(|(index, _)| index).skip(1);
    lengths.filter(|length| text.ends_with(&mark[..*length])).max().unwrap_or(0)
}

/// Bytes of `text` without the space at its end.
fn spaceless(text: &str) -> usize {
    text.trim_end().len()
}

/// Finds the end of a JSON object without understanding it.
#[derive(Default)]
struct JsonObject {
    depth: u32,
    is_in_string: bool,
    is_escaped: bool,
}

impl JsonObject {
    /// Bytes of `text` that belong to the object, and whether it ends there. Space before the object belongs to it.
    fn read(&mut self, text: &str) -> (usize, bool) {
        for (index, byte) in text.bytes().enumerate() {
            if self.is_in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.is_in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.is_in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (index + 1, true);
                    }
                }
                _ => {}
            }
        }
        (text.len(), false)
    }
}

#[cfg(test)]
mod tests;
