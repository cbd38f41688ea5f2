//! Sending a request to a dialect and keeping what comes back.

use std::cell::RefCell;
use std::rc::Rc;

use super::ScriptedHost;
use crate::backend::ResponseSink;
use crate::bindings::personality::mimus::plugin::manifest::Route;
use crate::dialect::{self, Dialect};
use crate::manifest::{self, ErrorKind};
use crate::native;
use crate::query;
use crate::request::{Header, RequestHead};
use crate::response::{WriteError, header};
use crate::routes::Method;
use crate::websocket::Message;

/// The id of every scripted request.
pub const REQUEST_ID: &str = "scripted-request";

/// What a client would have got.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Captured {
    /// The HTTP status.
    pub status: u16,
    /// Headers in order.
    pub headers: Vec<Header>,
    /// The whole body.
    pub body: Vec<u8>,
    /// The body as it was written, piece by piece; one piece when it was sent whole.
    pub chunks: Vec<Vec<u8>>,
    /// What the host goes on writing after the plugin has returned, and the time between, in milliseconds.
    pub repeated: Option<(Vec<u8>, u32)>,
    /// What the plugin said over a websocket.
    pub messages: Vec<Message>,
    /// The code with which it closed the websocket.
    pub closed: Option<u16>,
}

impl Captured {
    /// The body as text.
    ///
    /// # Panics
    /// When it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON.
    ///
    /// # Panics
    /// When it is not JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    /// First value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|header| header.name == name).map(|header| header.value.as_str())
    }

    /// The `data:` of each server-sent event.
    pub fn events(&self) -> Vec<&str> {
        self.text().lines().filter_map(|line| line.strip_prefix("data: ")).collect()
    }
}

/// Sends one request to a dialect on a new [`ScriptedHost`], routed as a server does it: literal segments win over `{name}`, which
/// wins over `{name...}`; other paths and methods get the dialect's own refusals.
///
/// ```
/// # use mimus_sdk::*;
/// # struct Hello;
/// # impl Dialect for Hello {
/// #     type Error = Fault;
/// #     fn about(&self) -> About { About::new("hello", "0.1.0", "") }
/// #     fn routes(&self) -> Routes<Fault> { Routes::new().get("/hello", |_, response| Ok(response.text(200, "hi")?)) }
/// # }
/// # struct Fault;
/// # impl DialectError for Fault { fn reply(&self) -> Reply { Reply::text(500, "") } }
/// # impl From<WriteError> for Fault { fn from(_: WriteError) -> Self { Fault } }
/// assert_eq!(mimus_sdk::scripted::call(&Hello, "GET", "/hello?x=1", &[], b"").text(), "hi");
/// assert_eq!(mimus_sdk::scripted::call(&Hello, "GET", "/bye", &[], b"").status, 404);
/// assert_eq!(mimus_sdk::scripted::call(&Hello, "POST", "/hello", &[], b"").status, 405);
/// ```
pub fn call<D: Dialect>(
    dialect: &D,
    method: &str,
    path_and_query: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Captured {
    ScriptedHost::new().call(dialect, method, path_and_query, headers, body)
}

pub(super) fn call_on<D: Dialect>(
    host: &ScriptedHost,
    dialect: &D,
    method: &str,
    path_and_query: &str,
    headers: &[(&str, &str)],
    body: &[u8],
) -> Captured {
    let description = dialect::describe(dialect);
    let refuse = |kind, message: &str| {
        let (status, body) = manifest::render_error(&description.error_style, kind, message);
        let headers = vec![header("content-type", &description.error_style.content_type)];
        Captured { status, headers, chunks: vec![body.clone().into()], body: body.into(), ..Captured::default() }
    };
    let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
    let (route, path_params) = match find(&description.routes, method, path) {
        Ok(found) => found,
        Err(kind) => return refuse(kind, &format!("{method} {path}")),
    };
    let body_bytes_max = description.routes[route].body_bytes_max;
    if body_bytes_max > 0 && body.len() as u64 > body_bytes_max {
        return refuse(ErrorKind::BodyTooLarge, &format!("the body is larger than {body_bytes_max} bytes"));
    }
    let head = RequestHead {
        route: route as u32,
        method: method.into(),
        path: percent_decode(path),
        path_params,
        query: query.into(),
        request_id: REQUEST_ID.into(),
        mount: format!("/{}", description.name),
        origin: "http://127.0.0.1:8080".into(),
    };
    let headers = headers.iter().map(|(name, value)| header(&name.to_lowercase(), value)).collect();
    let source = native::Parts::new(headers, body.into());
    let captured = Rc::new(RefCell::new(Captured::default()));
    let sink = Capture { captured: captured.clone(), writes_left: host.inner.writes_before_leaving.get() };
    native::with_backend(Rc::new(host.clone()), || dialect::serve(dialect, head, Box::new(source), Box::new(sink)));
    let captured = captured.take();
    if captured.status == 0 {
        return refuse(ErrorKind::Internal, "the plugin did not answer");
    }
    captured
}

pub(super) struct Capture {
    pub captured: Rc<RefCell<Captured>>,
    pub writes_left: Option<u32>,
}

impl ResponseSink for Capture {
    fn send(&mut self, status: u16, headers: Vec<Header>, body: Vec<u8>) -> Result<(), WriteError> {
        self.start(status, headers)?;
        let mut captured = self.captured.borrow_mut();
        captured.chunks.push(body.clone());
        captured.body = body;
        Ok(())
    }

    fn start(&mut self, status: u16, headers: Vec<Header>) -> Result<(), WriteError> {
        let mut captured = self.captured.borrow_mut();
        if captured.status != 0 {
            return Err(WriteError::OutOfOrder("the response has a status already".into()));
        }
        if !(200..=599).contains(&status) {
            return Err(WriteError::Invalid(format!("status {status}")));
        }
        captured.status = status;
        captured.headers = headers;
        Ok(())
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), WriteError> {
        match &mut self.writes_left {
            Some(0) => return Err(WriteError::Closed),
            Some(left) => *left -= 1,
            None => {}
        }
        let mut captured = self.captured.borrow_mut();
        captured.chunks.push(bytes.into());
        captured.body.extend_from_slice(bytes);
        Ok(())
    }

    fn repeat(&mut self, bytes: &[u8], interval_ms: u32) -> Result<(), WriteError> {
        self.captured.borrow_mut().repeated = Some((bytes.into(), interval_ms));
        Ok(())
    }
}

/// The route for a raw path and the values of its segments.
fn find(routes: &[Route], method: &str, path: &str) -> Result<(usize, Vec<String>), ErrorKind> {
    let mut best: Option<(Vec<u8>, usize, Vec<String>)> = None;
    let mut is_known_path = false;
    for (index, route) in routes.iter().enumerate() {
        let Some((rank, values)) = matches(&route.path, path) else { continue };
        is_known_path = true;
        if method_name(route.method) == method && best.as_ref().is_none_or(|(best_rank, ..)| rank < *best_rank) {
            best = Some((rank, index, values));
        }
    }
    match best {
        Some((_, index, values)) => Ok((index, values)),
        None if is_known_path => Err(ErrorKind::MethodNotAllowed),
        None => Err(ErrorKind::RouteNotFound),
    }
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
    }
}

/// How literal the match is, segment by segment (less is more literal), and the values; none when the path does not match.
fn matches(pattern: &str, path: &str) -> Option<(Vec<u8>, Vec<String>)> {
    let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let (mut rank, mut values) = (Vec::new(), Vec::new());
    let patterns: Vec<&str> = pattern.strip_prefix('/')?.split('/').collect();
    for (index, pattern) in patterns.iter().enumerate() {
        let segment = segments.get(index)?;
        match pattern.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            None if percent_decode(segment) == *pattern => rank.push(0),
            None => return None,
            Some(name) if name.ends_with("...") => {
                let rest = percent_decode(&segments[index..].join("/"));
                rank.push(2);
                values.push(rest);
                return values.last().is_some_and(|rest| !rest.is_empty()).then_some((rank, values));
            }
            Some(_) if segment.is_empty() => return None,
            Some(_) => {
                rank.push(1);
                values.push(percent_decode(segment));
            }
        }
    }
    (segments.len() == patterns.len()).then_some((rank, values))
}

/// As in a path, where `+` is itself.
fn percent_decode(text: &str) -> String {
    query::decode(&text.replace('+', "%2B")).into_owned()
}
