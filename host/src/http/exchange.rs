//! The account of one request: what is logged and counted of it, exactly once, however it ends.

use std::sync::Arc;
use std::time::Instant;

use crate::plugin::Fault;
use crate::telemetry::Metrics;

/// Opened when a request's head has arrived, closed when its response has been sent or the client has left.
pub struct Exchange {
    metrics: Arc<Metrics>,
    request_id: Arc<str>,
    plugin: String,
    route: String,
    method: &'static str,
    status: u16,
    start: Instant,
    bytes: usize,
    outcome: &'static str,
}

impl Exchange {
    /// Opens the account.
    pub fn new(metrics: Arc<Metrics>, request_id: Arc<str>, method: &'static str) -> Exchange {
        metrics.request_began();
        Exchange {
            metrics,
            request_id,
            plugin: "host".into(),
            route: "none".into(),
            method,
            status: 0,
            start: Instant::now(),
            bytes: 0,
            outcome: "left",
        }
    }

    /// Names what serves the request. Both come from a bounded set: never from the client's path.
    pub fn routed(&mut self, plugin: &str, route: String) {
        plugin.clone_into(&mut self.plugin);
        self.route = route;
    }

    /// Notes the response's status.
    pub fn answered(&mut self, status: u16) {
        self.status = status;
    }

    /// The request's id.
    pub fn request_id(&self) -> &Arc<str> {
        &self.request_id
    }

    pub(super) fn sent(&mut self, bytes: usize) {
        if self.bytes == 0 {
            self.metrics.first_byte(&self.plugin, self.start.elapsed());
        }
        self.bytes += bytes;
    }

    pub(super) fn broke(&mut self, fault: &Fault) {
        self.outcome = fault.kind();
    }

    pub(super) fn ended(&mut self) {
        self.outcome = "ok";
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let elapsed = self.start.elapsed();
        self.metrics.request_ended(&self.plugin, &self.route, self.status, elapsed);
        tracing::info!(
            request_id = &*self.request_id,
            plugin = self.plugin,
            method = self.method,
            route = self.route,
            status = self.status,
            bytes = self.bytes,
            us = u64::try_from(elapsed.as_micros()).unwrap_or(u64::MAX),
            outcome = self.outcome,
            "request"
        );
    }
}
