//! `GET /config`: everything about an app, as all generations of clients read it.

use mimus_sdk::{Request, Response};
use serde_json::{Value, json};

use crate::app::{App, Component, Function, Kind};
use crate::place;
use crate::refusal::Refusal;
use crate::{UPLOAD_BYTES_MAX, model_choice};

/// The Gradio that clients take this for. Up to 3.36.1 they would ask a public service about the app.
const VERSION: &str = "5.50.0";

/// `GET /config`.
pub(crate) fn show(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    Ok(response.json(200, &of(place::app(request), &place::root(request)))?)
}

/// The configuration of an app whose clients see it at `root`.
pub(crate) fn of(app: &App, root: &str) -> Value {
    let models = model_choice::offered();
    let components: Vec<Value> = app.components().map(|component| describe(component, &models)).collect();
    let dependencies: Vec<Value> =
        app.functions().enumerate().map(|(index, function)| dependency(index, function)).collect();
    let children: Vec<Value> = app.components().map(|component| json!({ "id": component.id })).collect();
    json!({
        "version": VERSION,
        // The one value that every client from 0.7 on takes. Older ones do not look at it, and open a websocket.
        "protocol": "sse_v1",
        "api_prefix": "/gradio_api",
        "mode": "blocks",
        "app_id": 1,
        "dev_mode": false,
        "analytics_enabled": false,
        "enable_queue": true,
        "connect_heartbeat": true,
        "show_error": true,
        "show_api": true,
        "is_colab": false,
        "is_space": false,
        "space_id": null,
        "username": null,
        "title": app.title,
        "max_file_size": UPLOAD_BYTES_MAX,
        "theme": "default",
        "css": null,
        "js": null,
        "head": null,
        "stylesheets": [],
        "pages": [["", "Home"]],
        "page": {},
        // npm's clients send everything to it.
        "root": root,
        "components": components,
        "layout": { "id": 0, "children": children },
        "dependencies": dependencies,
    })
}

fn describe(component: &Component, models: &[String]) -> Value {
    let kind = component.class().to_lowercase();
    let mut props = json!({ "name": kind, "visible": true });
    if let Some(label) = component.label {
        props["label"] = label.into();
    }
    match component.kind {
        Kind::Dropdown => {
            props["choices"] = models.iter().map(|name| json!([name, name])).collect();
            props["value"] = models.first().cloned().into();
        }
        Kind::Button(value) => props["value"] = value.into(),
        Kind::Slider { min, max, step, value } => {
            for (key, number) in [("minimum", min), ("maximum", max), ("step", step), ("value", value)] {
                props[key] = number.into();
            }
        }
        Kind::Chatbot => props["value"] = json!([]),
        Kind::State | Kind::Textbox | Kind::Json | Kind::Image | Kind::Markdown | Kind::Tabs | Kind::Dataset => {}
    }
    json!({ "id": component.id, "type": kind, "props": props, "skip_api": component.is_left_out() })
}

fn dependency(index: usize, function: &Function) -> Value {
    let target = match function.target {
        Some((id, event)) => json!([id, event]),
        None => json!([null, "then"]),
    };
    json!({
        "id": index,
        "targets": [target],
        "inputs": function.inputs,
        "outputs": function.outputs,
        "backend_fn": true,
        "js": null,
        "queue": true,
        "api_name": function.name,
        "show_api": true,
        "api_visibility": "public",
        "scroll_to_output": false,
        "show_progress": "full",
        "batch": false,
        "max_batch_size": 4,
        "cancels": [],
        "types": { "generator": function.is_generator, "cancel": false, "continuous": false },
        "collects_event_data": false,
        "trigger_after": null,
        "trigger_only_on_success": false,
        "trigger_mode": "once",
        "connection": "sse",
        "rendered_in": null,
    })
}
