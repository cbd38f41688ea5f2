//! `/call/{name}`, for people with curl: POST leaves a call and answers its event id, GET of that id runs it and tells its values.

use std::collections::BTreeMap;

use mimus_sdk::{Request, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::app::App;
use crate::body::{self, CallBody};
use crate::jobs::{self, Found};
use crate::queue::failure;
use crate::refusal::Refusal;
use crate::session::Session;
use crate::turn::{self, Call, End};
use crate::{info, place};

/// `POST /call/{name}`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let app = place::app(request);
    let mut body = CallBody::read(request)?;
    let function = body::named(app, request.param("name"))?;
    let session = Session::parse_or_new(body.session_hash.as_deref())?;
    leave(Call { app, function, session, data: body.data()?, event: None }, response)
}

/// `POST /call/v2/{name}`: the body holds the inputs by name.
pub(crate) fn create_named(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    #[derive(Deserialize)]
    struct Named {
        session_hash: Option<String>,
        #[serde(flatten)]
        values: BTreeMap<String, Value>,
    }
    let app = place::app(request);
    let body: Named = request.json()?;
    let function = body::named(app, request.param("name"))?;
    let session = Session::parse_or_new(body.session_hash.as_deref())?;
    let data = by_name(app, function, body.values)?;
    leave(Call { app, function, session, data, event: None }, response)
}

fn leave(call: Call, response: &mut Response) -> Result<(), Refusal> {
    if let Some(at_once) = call.function().at_once {
        at_once(&call);
    }
    let event = jobs::put(call)?;
    Ok(response.json(200, &json!({ "event_id": event }))?)
}

/// The inputs in order; what is left out is what the component shows at first.
fn by_name(app: &App, index: usize, mut values: BTreeMap<String, Value>) -> Result<Vec<Value>, Refusal> {
    let function = app.function(index).expect("the index was looked up");
    let mut data = Vec::new();
    for (place, component) in app.taken(function).enumerate() {
        let name = info::parameter_name(function, place, component);
        let value = values.remove(&name).or_else(|| info::default_value(component));
        data.push(value.ok_or_else(|| Refusal::new(422, format!("`{name}` is required")))?);
    }
    match values.keys().next() {
        Some(name) => {
            let name: String = name.chars().take(80).collect();
            Err(Refusal::new(422, format!("the function has no input `{name}`")))
        }
        None => Ok(data),
    }
}

/// `GET /call/{name}/{event}`.
pub(crate) fn stream(request: &Request, response: &mut Response) -> Result<(), Refusal> {
    let found = jobs::take(request.param("event"))?;
    let mut events = response.sse()?;
    let call = match found {
        Found::Mine(call) => call,
        Found::Taken => return Ok(()),
        Found::Nothing => return Ok(events.event("error", &"404: Not Found")?),
    };
    let ran = turn::run(&call, &mut |values| Ok(events.event("generating", &values)?));
    jobs::finish(&call);
    match ran.end {
        End::Done(values) | End::Cancelled(values) => Ok(events.event("complete", &values)?),
        End::Failed(message) => Ok(events.event("error", &failure(&message))?),
        End::Left => Ok(()),
    }
}
