//! What FastChat's functions say of their buttons, in the words of Gradio 3.

use serde_json::{Value, json};

/// As it was.
pub(crate) fn unchanged() -> Value {
    json!({ "__type__": "update" })
}

/// To be pressed.
pub(crate) fn enabled() -> Value {
    json!({ "mode": "dynamic", "__type__": "update" })
}

/// Not to be pressed.
pub(crate) fn disabled() -> Value {
    json!({ "mode": "static", "__type__": "update" })
}

/// Not to be seen.
pub(crate) fn invisible() -> Value {
    json!({ "mode": "static", "visible": false, "__type__": "update" })
}

/// Values with so many buttons behind them.
pub(crate) fn with(mut values: Vec<Value>, count: usize, button: fn() -> Value) -> Vec<Value> {
    values.extend((0..count).map(|_| button()));
    values
}
