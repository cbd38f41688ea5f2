//! One call of a function, and the one way in which every transport runs it.

use mimus_sdk::clock;
use serde_json::{Value, json};

use crate::app::{App, Component, Function};
use crate::failure::Failure;
use crate::session::Session;

/// Does a function's work. Takes inputs and gives outputs without those of states.
pub(crate) type Handler = fn(&mut Turn<'_>) -> Result<Vec<Value>, Failure>;

/// Takes the values of a generator as they come, states included (null).
pub(crate) type Sink<'a> = dyn FnMut(&[Value]) -> Result<(), Failure> + 'a;

/// What a client asks for.
#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) app: &'static App,
    /// Index of the function.
    pub(crate) function: usize,
    pub(crate) session: Session,
    /// As the client sent it, states present or not.
    pub(crate) data: Vec<Value>,
    /// Under which the call can be cancelled, and whose end means that it was.
    pub(crate) event: Option<String>,
}

impl Call {
    /// The function's data.
    pub(crate) fn function(&self) -> &'static Function {
        self.app.function(self.function).expect("a call is made of an index that was looked up")
    }
}

/// How a call ended.
#[derive(Debug, PartialEq)]
pub(crate) enum End {
    /// The last values, states included.
    Done(Vec<Value>),
    /// Cancelled by the client: the last values, nulls where there were none.
    Cancelled(Vec<Value>),
    /// In words for the client's user.
    Failed(String),
    /// Nobody is there to be told.
    Left,
}

/// How a call ended, and how long it took in seconds.
pub(crate) struct Ran {
    pub(crate) end: End,
    pub(crate) duration_s: f64,
}

/// Runs a call. A generator's values go to `sink` as they come, the last ones included; other functions give theirs at the end alone.
pub(crate) fn run(call: &Call, sink: &mut Sink<'_>) -> Ran {
    let started_us = clock::monotonic_us();
    let function = call.function();
    let mut turn = Turn { call, function, inputs: Vec::new(), last: nulls(function), sink };
    let ended = inputs(call.app, function, &call.data).and_then(|inputs| {
        turn.inputs = inputs;
        let values = (function.handler)(&mut turn)?;
        let values = turn.with_states(values);
        let is_news = function.is_generator && values != turn.last;
        turn.last = values;
        if is_news { (turn.sink)(&turn.last) } else { Ok(()) }
    });
    let end = match ended {
        Ok(()) => End::Done(turn.last),
        Err(Failure::Cancelled) => End::Cancelled(turn.last),
        Err(Failure::Told(message)) => End::Failed(message),
        Err(Failure::Left) => End::Left,
    };
    Ran { end, duration_s: seconds(started_us) }
}

/// Nulls for each output.
pub(crate) fn nulls(function: &Function) -> Vec<Value> {
    vec![Value::Null; function.outputs.len()]
}

/// `output` of a message or an answer: values and times.
pub(crate) fn output(values: &[Value], is_generating: bool, duration_s: f64) -> Value {
    json!({
        "data": values,
        "is_generating": is_generating,
        "duration": duration_s,
        "average_duration": duration_s,
        "render_config": null,
        "changed_state_ids": [],
    })
}

/// Seconds since a reading of the clock that never jumps.
pub(crate) fn seconds(since_us: u64) -> f64 {
    clock::monotonic_us().saturating_sub(since_us) as f64 / 1e6
}

/// The values of all inputs but states.
///
/// Clients send null for a state or leave it out. What they send too much is passed over.
fn inputs(app: &App, function: &'static Function, data: &[Value]) -> Result<Vec<Value>, Failure> {
    let taken = app.taken(function).count();
    let is_whole = data.len() >= function.inputs.len();
    if data.len() < taken || (data.len() != taken && !is_whole) {
        let words = if taken == 1 { "value" } else { "values" };
        return Err(Failure::told(format!("the function needs {taken} {words}, got {}", data.len())));
    }
    if !is_whole {
        return Ok(data.to_vec());
    }
    let values = function.inputs.iter().zip(data);
    Ok(values.filter(|(id, _)| !app.component(**id).is_state()).map(|(_, value)| value.clone()).collect())
}

/// A call while its function works on it.
pub(crate) struct Turn<'a> {
    pub(crate) call: &'a Call,
    pub(crate) function: &'static Function,
    /// Without those of states.
    inputs: Vec<Value>,
    /// The values told last, states included.
    last: Vec<Value>,
    sink: &'a mut Sink<'a>,
}

impl Turn<'_> {
    /// An input, by its place among those without states.
    pub(crate) fn input(&self, index: usize) -> &Value {
        self.inputs.get(index).unwrap_or(&Value::Null)
    }

    /// An input that is text; null is the empty text.
    pub(crate) fn text(&self, index: usize) -> Result<&str, Failure> {
        match self.input(index) {
            Value::Null => Ok(""),
            Value::String(text) => Ok(text),
            other => Err(self.wrong(index, "text", other)),
        }
    }

    /// An input that is text and must be there.
    pub(crate) fn needed_text(&self, index: usize) -> Result<&str, Failure> {
        match self.input(index) {
            Value::Null => Err(self.wrong(index, "text", &Value::Null)),
            _ => self.text(index),
        }
    }

    /// An input that is a number; null is what the component shows at first.
    pub(crate) fn number(&self, index: usize) -> Result<f64, Failure> {
        let usual = || match self.component(index).kind {
            crate::app::Kind::Slider { value, .. } => Some(value),
            _ => None,
        };
        match self.input(index) {
            Value::Null => usual().ok_or_else(|| self.wrong(index, "a number", &Value::Null)),
            Value::Number(number) => number.as_f64().ok_or_else(|| Failure::told("a number is out of bounds")),
            other => Err(self.wrong(index, "a number", other)),
        }
    }

    /// Tells values that are not the last ones, without those of states.
    pub(crate) fn tell(&mut self, values: Vec<Value>) -> Result<(), Failure> {
        self.last = self.with_states(values);
        (self.sink)(&self.last)
    }

    fn component(&self, index: usize) -> &'static Component {
        self.call.app.taken(self.function).nth(index).expect("a handler asks for inputs that its function has")
    }

    fn wrong(&self, index: usize, wanted: &str, got: &Value) -> Failure {
        let name = crate::info::parameter_name(self.function, index, self.component(index));
        let got = match got {
            Value::Null => "null",
            Value::Bool(_) => "a boolean",
            Value::Number(_) => "a number",
            Value::String(_) => "text",
            Value::Array(_) => "a list",
            Value::Object(_) => "an object",
        };
        Failure::told(format!("`{name}` must be {wanted}, got {got}"))
    }

    /// Puts null where states are.
    fn with_states(&self, values: Vec<Value>) -> Vec<Value> {
        let mut values = values.into_iter();
        let app = self.call.app;
        let place =
            |id: &u32| if app.component(*id).is_state() { Value::Null } else { values.next().unwrap_or(Value::Null) };
        self.function.outputs.iter().map(place).collect()
    }
}
