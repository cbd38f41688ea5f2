//! `GET /info`: what each function takes and gives, for clients that show it or check arguments by it.

use mimus_sdk::{Request, Response};
use serde::{Serialize, Serializer};
use serde_json::{Value, json};

use crate::app::{App, Component, Function, Kind};
use crate::refusal::Refusal;
use crate::{model_choice, place};

/// The functions with names, and the others by index.
#[derive(Default, Serialize)]
struct Info {
    named_endpoints: InOrder,
    unnamed_endpoints: InOrder,
}

/// Members of an object in the functions' order, in which clients show them.
#[derive(Default)]
struct InOrder(Vec<(String, Value)>);

impl Serialize for InOrder {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

/// `GET /info`.
pub(crate) fn show(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &of(place::app(request)))?)
}

/// All functions of an app: by name, or by index where they have none.
fn of(app: &App) -> Info {
    let models = model_choice::offered();
    let mut info = Info::default();
    for (index, function) in app.functions().enumerate() {
        let endpoint = endpoint(app, function, &models);
        match function.name {
            Some(name) => info.named_endpoints.0.push((format!("/{name}"), endpoint)),
            None => info.unnamed_endpoints.0.push((index.to_string(), endpoint)),
        }
    }
    info
}

/// The name of a function's input, by its place among those without states.
pub(crate) fn parameter_name(function: &Function, place: usize, component: &Component) -> String {
    match function.parameters.get(place) {
        Some(name) => (*name).to_owned(),
        None => sanitize(&label(component, "parameter")),
    }
}

/// What an input is where a client does not say; none where it must.
pub(crate) fn default_value(component: &Component) -> Option<Value> {
    match component.kind {
        Kind::Dropdown => model_choice::offered().first().cloned().map(Value::from),
        Kind::Slider { value, .. } => Some(value.into()),
        Kind::Button(value) => Some(value.into()),
        Kind::Json | Kind::Image | Kind::Markdown | Kind::Dataset => Some(Value::Null),
        Kind::State | Kind::Textbox | Kind::Chatbot | Kind::Tabs => None,
    }
}

fn endpoint(app: &App, function: &'static Function, models: &[String]) -> Value {
    let taken = app.taken(function).enumerate().filter(|(_, component)| !component.is_left_out());
    let parameter = |(place, component): (usize, &'static Component)| {
        let default = default_value(component);
        let mut parameter = shape(component, models);
        parameter["label"] = label(component, "parameter").into();
        parameter["parameter_name"] = parameter_name(function, place, component).into();
        parameter["parameter_has_default"] = default.is_some().into();
        parameter["parameter_default"] = default.unwrap_or(Value::Null);
        parameter["example_input"] = example(component, models);
        parameter
    };
    let given = app.given(function).filter(|component| !component.is_left_out());
    let value = |component: &'static Component| {
        let mut value = shape(component, models);
        value["label"] = label(component, "value").into();
        value
    };
    json!({
        "parameters": taken.map(parameter).collect::<Vec<_>>(),
        "returns": given.map(value).collect::<Vec<_>>(),
        "show_api": true,
        "api_visibility": "public",
        "description": "",
    })
}

fn label(component: &Component, prefix: &str) -> String {
    component.label.map_or_else(|| format!("{prefix}_{}", component.id), str::to_owned)
}

/// A label as a name in Python, as clients make one of it.
fn sanitize(label: &str) -> String {
    let kept = label.chars().filter(|letter| letter.is_ascii_alphanumeric() || matches!(letter, ' ' | '_'));
    kept.map(|letter| if letter == ' ' { '_' } else { letter.to_ascii_lowercase() }).collect()
}

fn shape(component: &Component, models: &[String]) -> Value {
    let (schema, python, description, serializer) = match component.kind {
        Kind::Textbox | Kind::Button(_) | Kind::Markdown => ("string", "str", String::new(), "StringSerializable"),
        Kind::Dropdown => {
            let choices: Vec<String> = models.iter().map(|name| format!("({0}, {0})", python_text(name))).collect();
            ("string", "str", format!("Option from: [{}]", choices.join(", ")), "SimpleSerializable")
        }
        Kind::Slider { min, max, .. } => {
            ("number", "float", format!("numeric value between {min:?} and {max:?}"), "NumberSerializable")
        }
        Kind::Chatbot => ("array", "list", "pairs of a message and its answer".into(), "JSONSerializable"),
        Kind::Image => ("object", "dict", "an image's file".into(), "ImgSerializable"),
        Kind::Json | Kind::State | Kind::Tabs | Kind::Dataset => {
            ("object", "dict", "any JSON".into(), "JSONSerializable")
        }
    };
    json!({
        "type": { "type": schema },
        "python_type": { "type": python, "description": description },
        "component": component.class(),
        "serializer": serializer,
    })
}

/// A text as Python writes it.
fn python_text(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn example(component: &Component, models: &[String]) -> Value {
    match component.kind {
        Kind::Dropdown => models.first().cloned().into(),
        Kind::Slider { value, .. } => value.into(),
        Kind::Chatbot => json!([["Hello!", "Hello there!"]]),
        Kind::Textbox | Kind::Button(_) | Kind::Markdown => "Hello!!".into(),
        Kind::Json | Kind::State | Kind::Tabs | Kind::Dataset => json!({}),
        Kind::Image => Value::Null,
    }
}
