//! A dialect's routes as data: the host matches them, the index it hands over picks the handler.

use crate::bindings::personality::mimus::plugin::manifest as wit;
use crate::{Request, Response};

pub use wit::Method;

/// Answers one request. An error becomes the dialect's error answer, or the last event of a stream that has begun.
pub type Handler<E> = fn(&Request, &mut Response) -> Result<(), E>;

/// One method and path, and who answers it.
pub struct Route<E> {
    /// The method.
    pub method: Method,
    /// `/v1/models/{id...}`: `{name}` matches one segment, a last `{name...}` one or more. Literal segments win.
    pub path: &'static str,
    /// Largest body in bytes; 0 is the host's default.
    pub body_bytes_max: u64,
    /// Whether it answers without a key.
    pub is_public: bool,
    /// Who answers.
    pub handler: Handler<E>,
}

/// The route table.
///
/// ```
/// # use mimus_sdk::{Request, Response, Routes, WriteError};
/// # fn list(_: &Request, _: &mut Response) -> Result<(), WriteError> { Ok(()) }
/// # fn create(_: &Request, _: &mut Response) -> Result<(), WriteError> { Ok(()) }
/// let routes = Routes::new()
///     .get("/health", list).public()
///     .post("/things", create).body_bytes_max(1 << 20)
///     .get("/things/{id}", list);
/// assert_eq!(routes.list().len(), 3);
/// ```
pub struct Routes<E> {
    routes: Vec<Route<E>>,
}

impl<E> Default for Routes<E> {
    fn default() -> Self {
        Routes::new()
    }
}

impl<E> Routes<E> {
    /// No routes.
    pub fn new() -> Self {
        // Made anew for each request: one allocation for most dialects.
        Routes { routes: Vec::with_capacity(32) }
    }

    /// Adds a route for `GET`. The host answers `HEAD` with it.
    pub fn get(self, path: &'static str, handler: Handler<E>) -> Self {
        self.on(Method::Get, path, handler)
    }

    /// Adds a route for `POST`.
    pub fn post(self, path: &'static str, handler: Handler<E>) -> Self {
        self.on(Method::Post, path, handler)
    }

    /// Adds a route for `PUT`.
    pub fn put(self, path: &'static str, handler: Handler<E>) -> Self {
        self.on(Method::Put, path, handler)
    }

    /// Adds a route for `PATCH`.
    pub fn patch(self, path: &'static str, handler: Handler<E>) -> Self {
        self.on(Method::Patch, path, handler)
    }

    /// Adds a route for `DELETE`.
    pub fn delete(self, path: &'static str, handler: Handler<E>) -> Self {
        self.on(Method::Delete, path, handler)
    }

    /// Bounds the body of the route added last, in bytes.
    pub fn body_bytes_max(mut self, bytes: u64) -> Self {
        self.last().body_bytes_max = bytes;
        self
    }

    /// Lets the route added last answer without a key.
    pub fn public(mut self) -> Self {
        self.last().is_public = true;
        self
    }

    /// The routes in the order of the manifest.
    pub fn list(&self) -> &[Route<E>] {
        &self.routes
    }

    fn on(mut self, method: Method, path: &'static str, handler: Handler<E>) -> Self {
        self.routes.push(Route { method, path, body_bytes_max: 0, is_public: false, handler });
        self
    }

    fn last(&mut self) -> &mut Route<E> {
        self.routes.last_mut().expect("a setting follows the route it is for")
    }

    /// The list for the manifest.
    pub(crate) fn describe(&self) -> Vec<wit::Route> {
        let describe = |route: &Route<E>| wit::Route {
            method: route.method,
            path: route.path.into(),
            body_bytes_max: route.body_bytes_max,
            is_public: route.is_public,
        };
        self.routes.iter().map(describe).collect()
    }
}
