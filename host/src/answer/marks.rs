//! How a prompt format marks the parts of an answer.

/// Marks of a format. Without any, an answer is text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Marks {
    /// Around what the model thinks before it answers.
    pub reasoning: Option<Span>,
    /// How calls are written.
    pub calls: Option<CallSyntax>,
    /// How a document is judged, in formats of models that rerank.
    pub verdict: Option<Verdict>,
}

/// The tokens by which a model says whether a document answers a query.
#[derive(Clone, Debug, PartialEq)]
pub struct Verdict {
    /// Yes.
    pub positive: String,
    /// No.
    pub negative: String,
}

/// Two texts around something.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct Span {
    pub open: String,
    pub close: String,
}

/// `begin`, then calls as `before_name` NAME `before_arguments` ARGUMENTS `after_arguments`, `separator` between two, then `end`.
#[derive(Clone, Debug, PartialEq)]
#[allow(missing_docs)]
pub struct CallSyntax {
    /// What the first call begins with, and text never does.
    pub trigger: String,
    pub begin: String,
    pub before_name: String,
    pub before_arguments: String,
    pub after_arguments: String,
    pub separator: String,
    pub end: String,
}

impl CallSyntax {
    /// For models whose format has no calls: a list of JSON objects.
    pub fn json() -> CallSyntax {
        let text = str::to_owned;
        CallSyntax {
            trigger: text("[{\"name\": \""),
            begin: text("["),
            before_name: text("{\"name\": \""),
            before_arguments: text("\", \"arguments\": "),
            after_arguments: text("}"),
            separator: text(", "),
            end: text("]"),
        }
    }

    /// What stands before the first call's name.
    pub fn head(&self) -> String {
        format!("{}{}", self.begin, self.before_name)
    }

    /// What stands between one call's arguments and the next call's name.
    pub fn between(&self) -> String {
        format!("{}{}{}", self.after_arguments, self.separator, self.before_name)
    }

    /// What stands behind the last call's arguments.
    pub fn tail(&self) -> String {
        format!("{}{}", self.after_arguments, self.end)
    }

    /// Whether a reader can tell calls from text and from each other by these texts.
    pub fn is_sound(&self) -> bool {
        let has_marks = !self.before_name.is_empty() && !self.before_arguments.is_empty() && !self.trigger.is_empty();
        has_marks && self.head().starts_with(&self.trigger)
    }
}

/// The calls of Hermes and of many models after it.
#[cfg(test)]
pub fn hermes() -> CallSyntax {
    let text = str::to_owned;
    CallSyntax {
        trigger: text("<tool_call>"),
        begin: String::new(),
        before_name: text("<tool_call>\n{\"name\": \""),
        before_arguments: text("\", \"arguments\": "),
        after_arguments: text("}\n</tool_call>"),
        separator: text("\n"),
        end: String::new(),
    }
}
