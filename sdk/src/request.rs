//! The request to answer.

use std::borrow::Cow;
use std::cell::OnceCell;

use serde::de::Deserialize;

use crate::backend::RequestSource;
use crate::body::{self, BodyError};
use crate::query;

pub use crate::bindings::personality::mimus::plugin::http::{Header, RequestHead};

/// One request. The host has matched its route, checked its key and read its body before the plugin sees it.
pub struct Request {
    head: RequestHead,
    /// The matched route's path, for parameters by name.
    route_path: &'static str,
    source: Box<dyn RequestSource>,
    body: OnceCell<Vec<u8>>,
}

impl Request {
    /// A request for the route with the path `route_path`. The export macro and [`crate::dialect::serve`] do this.
    pub(crate) fn new(head: RequestHead, route_path: &'static str, source: Box<dyn RequestSource>) -> Self {
        Request { head, route_path, source, body: OnceCell::new() }
    }

    /// Where headers and body come from.
    pub(crate) fn source(&self) -> &dyn RequestSource {
        &*self.source
    }

    /// Everything about the request but headers and body.
    pub fn head(&self) -> &RequestHead {
        &self.head
    }

    /// The method in upper case.
    pub fn method(&self) -> &str {
        &self.head.method
    }

    /// Path below the mount point, percent-decoded.
    pub fn path(&self) -> &str {
        &self.head.path
    }

    /// The request's id, which is also in the log and in the header `x-request-id`.
    pub fn id(&self) -> &str {
        &self.head.request_id
    }

    /// Value of the segment `{name}` or `{name...}` of the route, percent-decoded.
    ///
    /// # Panics
    /// When the route has no such segment: that is a mistake in the plugin.
    pub fn param(&self, name: &str) -> &str {
        let index = param_names(self.route_path).position(|candidate| candidate == name);
        index
            .and_then(|index| self.head.path_params.get(index))
            .unwrap_or_else(|| panic!("route {} has no segment {{{name}}}", self.route_path))
    }

    /// First value of a query parameter, decoded.
    pub fn query(&self, name: &str) -> Option<Cow<'_, str>> {
        self.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// The query's pairs in order, decoded (`+` is a space).
    pub fn query_pairs(&self) -> impl Iterator<Item = (Cow<'_, str>, Cow<'_, str>)> {
        query::pairs(&self.head.query)
    }

    /// First value of a header, by its lower-case name.
    pub fn header(&self, name: &str) -> Option<String> {
        self.source.header(name)
    }

    /// All headers in order.
    pub fn headers(&self) -> Vec<Header> {
        self.source.headers()
    }

    /// Whether the client's headers hold a key that lets it in; true where none is asked for. For public routes whose clients may send
    /// their key elsewhere: see [`crate::config::accepts_key`].
    pub fn is_admitted(&self) -> bool {
        self.source.is_admitted()
    }

    /// The whole body.
    pub fn body(&self) -> &[u8] {
        self.body.get_or_init(|| self.source.body())
    }

    /// The whole body by value, for handlers that cut a large part out of it in place ([`body::cut`]). [`Request::body`] is empty
    /// afterwards.
    pub fn take_body(&self) -> Vec<u8> {
        match self.body.get() {
            Some(body) => body.clone(),
            None => self.source.body(),
        }
    }

    /// The body as text; an error that says where it stops being UTF-8 otherwise.
    pub fn text(&self) -> Result<&str, BodyError> {
        body::text(self.body())
    }

    /// The body as a value of the endpoint's own type. The error names the field and what is wrong with it, in words for clients.
    ///
    /// ```
    /// # use mimus_sdk::{BodyError, Request};
    /// #[derive(serde::Deserialize)]
    /// struct Say {
    ///     text: String,
    ///     times: Option<u32>, // absent or null
    /// }
    ///
    /// fn parse(request: &Request) -> Result<Say, BodyError> {
    ///     request.json()
    /// }
    /// ```
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, BodyError> {
        body::json(self.body())
    }
}

/// Names of the variable segments of a route's path, in order.
fn param_names(route_path: &str) -> impl Iterator<Item = &str> {
    route_path.split('/').filter_map(|segment| {
        let name = segment.strip_prefix('{')?.strip_suffix('}')?;
        Some(name.strip_suffix("...").unwrap_or(name))
    })
}
