//! Methods of Python's strings that published templates call and `minijinja-contrib` lacks.

use minijinja::value::from_args;
use minijinja::{Error, State, Value};
use minijinja_contrib::pycompat::unknown_method_callback;

pub(crate) fn call(state: &mut State, value: &Value, method: &str, arguments: &[Value]) -> Result<Value, Error> {
    let Some(text) = value.as_str() else { return unknown_method_callback(state, value, method, arguments) };
    let argument = || from_args::<(&str,)>(arguments).map(|(argument,)| argument);
    // Before, the separator, after; without a separator the whole text stands at the given place.
    let parts = |found: Option<(&str, &str)>, separator: &str, whole_at: usize| {
        let mut parts = ["", "", ""];
        match found {
            Some((before, after)) => parts = [before, separator, after],
            None => parts[whole_at] = text,
        }
        Value::from(parts.map(Value::from).to_vec())
    };
    Ok(match method {
        "removeprefix" => text.strip_prefix(argument()?).unwrap_or(text).into(),
        "removesuffix" => text.strip_suffix(argument()?).unwrap_or(text).into(),
        "partition" => parts(text.split_once(argument()?), argument()?, 0),
        "rpartition" => parts(text.rsplit_once(argument()?), argument()?, 2),
        "rsplit" if arguments.len() == 2 => {
            let (separator, times): (&str, usize) = from_args(arguments)?;
            let mut pieces: Vec<Value> = text.rsplitn(times.saturating_add(1), separator).map(Value::from).collect();
            pieces.reverse();
            pieces.into()
        }
        "rsplit" => return unknown_method_callback(state, value, "split", arguments),
        _ => return unknown_method_callback(state, value, method, arguments),
    })
}
