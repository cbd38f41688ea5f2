//! Figures for Prometheus.
//!
//! Labels come from manifests, the configuration and fixed sets, never from a client. What a request touches is found by a borrowed
//! name and counted without allocating.

mod figures;
mod traffic;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use mimus_engine::Activity;
use prometheus_client::encoding::text;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

use crate::limits;
use crate::model::Catalog;
use figures::{GuestFigures, Labels, Named, PluginFigures, RouteFigures};
pub use traffic::SPREAD_MS;
use traffic::{Counts, Traffic};

/// Label of whatever passes the bound on names.
const OTHER: &str = "other";

/// All figures of the server.
pub struct Metrics {
    registry: Registry,
    plugins: Named<PluginFigures>,
    guests: Named<GuestFigures>,
    models: Named<ModelFigures>,
    in_flight: Gauge,
    connections: Gauge,
    refused: Counter,
    faults: Family<Labels, Counter>,
    swaps: Family<Labels, Counter>,
    requests: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
    first_byte: Family<Labels, Histogram>,
    prompt_tokens: Family<Labels, Counter>,
    generated_tokens: Family<Labels, Counter>,
    events: Family<Labels, Counter>,
    values: Family<Labels, Histogram>,
    waiting: Family<Labels, Gauge>,
    running: Family<Labels, Gauge>,
    kv_used: Family<Labels, Gauge>,
    kv_max: Family<Labels, Gauge>,
    computed: Family<Labels, Counter>,
}

struct ModelFigures {
    prompt_tokens: Counter,
    generated_tokens: Counter,
}

impl Default for Metrics {
    fn default() -> Self {
        Metrics::new()
    }
}

impl Metrics {
    /// Figures that start at zero.
    pub fn new() -> Metrics {
        let seconds = || Family::new_with_constructor(figures::seconds as fn() -> Histogram);
        let mut metrics = Metrics {
            registry: Registry::with_prefix("mimus"),
            plugins: Named::new(2 * limits::PLUGINS_MAX),
            guests: Named::new(2 * limits::PLUGINS_MAX),
            models: Named::new(limits::MODELS_MAX),
            in_flight: Gauge::default(),
            connections: Gauge::default(),
            refused: Counter::default(),
            faults: Family::default(),
            swaps: Family::default(),
            requests: Family::default(),
            seconds: seconds(),
            first_byte: seconds(),
            prompt_tokens: Family::default(),
            generated_tokens: Family::default(),
            events: Family::default(),
            values: Family::new_with_constructor(figures::values as fn() -> Histogram),
            waiting: Family::default(),
            running: Family::default(),
            kv_used: Family::default(),
            kv_max: Family::default(),
            computed: Family::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&mut self) {
        let registry = &mut self.registry;
        registry.register("requests", "Requests by route and class of status", self.requests.clone());
        registry.register("request_seconds", "Time from a request's head to its response's end", self.seconds.clone());
        registry.register("first_byte_seconds", "Time to the first byte of a response's body", self.first_byte.clone());
        registry.register("requests_in_flight", "Requests that are being answered", self.in_flight.clone());
        registry.register("connections", "Open connections", self.connections.clone());
        registry.register("connections_refused", "Connections past the bound", self.refused.clone());
        registry.register("plugin_faults", "Guests that failed, by kind", self.faults.clone());
        registry.register("plugin_swaps", "New contents of plugins, by outcome", self.swaps.clone());
        registry.register("plugin_events", "What plugins count themselves", self.events.clone());
        registry.register("plugin_value", "What plugins measure themselves", self.values.clone());
        registry.register("prompt_tokens", "Tokens of prompts", self.prompt_tokens.clone());
        registry.register("generated_tokens", "Tokens of answers", self.generated_tokens.clone());
        let computed = "Tokens of prompts that a model computed, which are those that were not in its cache";
        registry.register("computed_prompt_tokens", computed, self.computed.clone());
        registry.register("engine_waiting_requests", "Requests that wait for a model", self.waiting.clone());
        registry.register("engine_running_sequences", "Sequences that a model decodes", self.running.clone());
        registry.register("engine_kv_blocks_used", "Blocks of the cache in use", self.kv_used.clone());
        registry.register("engine_kv_blocks_max", "Blocks the cache may have", self.kv_max.clone());
    }

    /// A request's head has arrived.
    pub fn request_began(&self) {
        self.in_flight.inc();
    }

    /// The first byte of a response's body was sent.
    pub fn first_byte(&self, plugin: &str, elapsed: Duration) {
        let figures = self.plugin(plugin);
        figures.first_byte.observe(elapsed.as_secs_f64());
        figures.counts.first_byte(elapsed);
    }

    /// A request is over: its route as the manifest writes it, its status or 0 where the client left before it.
    pub fn request_ended(&self, plugin: &str, route: &str, status: u16, elapsed: Duration) {
        self.in_flight.dec();
        let figures = self.plugin(plugin);
        figures.seconds.observe(elapsed.as_secs_f64());
        figures.counts.ended(status, elapsed);
        let class = usize::from(status / 100).min(figures::CLASSES.len() - 1);
        let counters =
            figures.routes.get(route, |name| RouteFigures { name: name.to_owned(), ..RouteFigures::default() });
        let counter = counters.classes[class].get_or_init(|| {
            let status = figures::CLASSES[class].to_owned();
            let labels = vec![("plugin", figures.name.clone()), ("route", counters.name.clone()), ("status", status)];
            self.requests.get_or_create_owned(&labels)
        });
        counter.inc();
    }

    /// A guest failed; `kind` is from a fixed set.
    pub fn plugin_fault(&self, plugin: &str, kind: &'static str) {
        self.faults.get_or_create(&vec![("plugin", plugin.to_owned()), ("kind", kind.to_owned())]).inc();
    }

    /// A plugin's file had new content, which serves now or was refused.
    pub fn plugin_swap(&self, plugin: &str, is_serving: bool) {
        // A file that does not load has only its file's name, of which there may be any number.
        let plugin = self.plugin(plugin).name.clone();
        let outcome = if is_serving { "swapped" } else { "refused" };
        self.swaps.get_or_create(&vec![("plugin", plugin), ("outcome", outcome.to_owned())]).inc();
    }

    /// A connection was accepted.
    pub fn connection_opened(&self) {
        self.connections.inc();
    }

    /// A connection has ended.
    pub fn connection_closed(&self) {
        self.connections.dec();
    }

    /// A connection was closed at once, because there are too many.
    pub fn connection_refused(&self) {
        self.refused.inc();
    }

    /// A prompt was accepted.
    pub fn prompt_tokens(&self, model: &str, tokens: u32) {
        self.model(model).prompt_tokens.inc_by(u64::from(tokens));
    }

    /// An answer is over.
    pub fn generated_tokens(&self, model: &str, tokens: u64) {
        self.model(model).generated_tokens.inc_by(tokens);
    }

    /// Counts for a plugin under a name of its own: `[a-z][a-z0-9_]{0,63}`, of which there are at most
    /// [`limits::METRIC_NAMES_MAX`]. Others are ignored.
    pub fn plugin_count(&self, plugin: &str, name: &str, by: u64) {
        if let Some(event) = self.guest(plugin).event(name, |labels| self.events.get_or_create_owned(&labels)) {
            event.inc_by(by);
        }
    }

    /// Records a value for a plugin, with names as for [`Metrics::plugin_count`]. What is no number is ignored.
    pub fn plugin_observe(&self, plugin: &str, name: &str, value: f64) {
        if !value.is_finite() {
            return;
        }
        if let Some(values) = self.guest(plugin).value(name, |labels| self.values.get_or_create_owned(&labels)) {
            values.observe(value);
        }
    }

    /// Requests that are being answered now.
    pub fn in_flight(&self) -> i64 {
        self.in_flight.get()
    }

    /// Connections that are open now.
    pub fn connections(&self) -> i64 {
        self.connections.get()
    }

    /// What has been asked of each dialect, and of the server itself as `host`, in the order of names.
    pub fn traffic(&self) -> Vec<Traffic> {
        let mut traffic: Vec<Traffic> =
            self.plugins.all().iter().map(|figures| figures.counts.read(&figures.name)).collect();
        traffic.sort_by(|one, other| one.name.cmp(&other.name));
        traffic
    }

    /// Everything in OpenMetrics text, with what the models of a catalog do now.
    pub fn encode(&self, catalog: &Catalog) -> String {
        self.encode_with(&catalog.activities())
    }

    fn encode_with(&self, activities: &[(String, Activity)]) -> String {
        for family in [&self.waiting, &self.running, &self.kv_used, &self.kv_max] {
            family.clear();
        }
        self.computed.clear();
        for (model, activity) in activities {
            let labels = vec![("model", model.clone())];
            let set = |family: &Family<Labels, Gauge>, value: usize| {
                family.get_or_create(&labels).set(i64::try_from(value).unwrap_or(i64::MAX));
            };
            set(&self.waiting, activity.waiting_requests);
            set(&self.running, activity.running_sequences);
            set(&self.kv_used, activity.kv_blocks_used);
            set(&self.kv_max, activity.kv_blocks_max);
            // Set and not added to, because two may be asking at once.
            self.computed.get_or_create(&labels).inner().store(activity.computed_prompt_tokens, Ordering::Relaxed);
        }
        let mut text = String::new();
        text::encode(&mut text, &self.registry).expect("writing to a string cannot fail");
        text
    }

    fn plugin(&self, plugin: &str) -> Arc<PluginFigures> {
        self.plugins.get(plugin, |name| PluginFigures {
            seconds: self.seconds.get_or_create_owned(&vec![("plugin", name.to_owned())]),
            first_byte: self.first_byte.get_or_create_owned(&vec![("plugin", name.to_owned())]),
            routes: Named::new(2 * limits::ROUTES_MAX),
            counts: Counts::default(),
            name: name.to_owned(),
        })
    }

    fn guest(&self, plugin: &str) -> Arc<GuestFigures> {
        self.guests.get(plugin, GuestFigures::new)
    }

    fn model(&self, model: &str) -> Arc<ModelFigures> {
        self.models.get(model, |name| {
            let labels = vec![("model", name.to_owned())];
            ModelFigures {
                prompt_tokens: self.prompt_tokens.get_or_create_owned(&labels),
                generated_tokens: self.generated_tokens.get_or_create_owned(&labels),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample(text: &str, name: &str) -> f64 {
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.unwrap_or_else(|| panic!("no {name} in\n{text}")).parse().expect("a number")
    }

    #[test]
    fn requests_are_counted_by_plugin_route_and_class() {
        let metrics = Metrics::new();
        metrics.request_began();
        metrics.request_began();
        metrics.first_byte("a", Duration::from_millis(20));
        metrics.request_ended("a", "/v1/{id}", 204, Duration::from_millis(30));
        let text = metrics.encode_with(&[]);
        assert_eq!(sample(&text, "mimus_requests_total{plugin=\"a\",route=\"/v1/{id}\",status=\"2xx\"}"), 1.0);
        assert_eq!(
            text.lines().filter(|line| line.starts_with("mimus_requests_total")).count(),
            1,
            "what never was is not shown"
        );
        assert_eq!(sample(&text, "mimus_requests_in_flight"), 1.0);
        assert_eq!(sample(&text, "mimus_request_seconds_count{plugin=\"a\"}"), 1.0);
        assert_eq!(sample(&text, "mimus_first_byte_seconds_bucket{le=\"0.025\",plugin=\"a\"}"), 1.0);
        metrics.request_ended("a", "/v1/{id}", 0, Duration::ZERO);
        let text = metrics.encode_with(&[]);
        assert_eq!(sample(&text, "mimus_requests_total{plugin=\"a\",route=\"/v1/{id}\",status=\"none\"}"), 1.0);
        assert!(text.ends_with("# EOF\n"));
    }

    #[test]
    fn names_of_plugins_are_bounded() {
        let metrics = Metrics::new();
        for number in 0..3 * limits::PLUGINS_MAX {
            metrics.plugin_swap(&format!("file-{number}"), false);
        }
        let text = metrics.encode_with(&[]);
        let lines = text.lines().filter(|line| line.starts_with("mimus_plugin_swaps_total")).count();
        assert_eq!(lines, 2 * limits::PLUGINS_MAX + 1);
        let other = format!("mimus_plugin_swaps_total{{plugin=\"{OTHER}\",outcome=\"refused\"}}");
        assert_eq!(sample(&text, &other), limits::PLUGINS_MAX as f64);
    }

    #[test]
    fn guests_count_under_bounded_names() {
        let metrics = Metrics::new();
        for number in 0..2 * limits::METRIC_NAMES_MAX {
            metrics.plugin_count("a", &format!("name_{number}"), 2);
            metrics.plugin_observe("a", &format!("name_{number}"), 0.5);
        }
        metrics.plugin_count("b", "jobs", 7);
        for wrong in ["", "Jobs", "1jobs", "jobs-2", "jobs\"} 1\n", &"x".repeat(limits::METRIC_NAME_BYTES_MAX + 1)] {
            metrics.plugin_count("b", wrong, 1);
        }
        metrics.plugin_observe("b", "wait", f64::NAN);
        let text = metrics.encode_with(&[]);
        let lines = text.lines().filter(|line| line.starts_with("mimus_plugin_events_total{plugin=\"a\"")).count();
        assert_eq!(lines, limits::METRIC_NAMES_MAX);
        assert_eq!(sample(&text, "mimus_plugin_value_count{plugin=\"a\",name=\"name_0\"}"), 1.0);
        assert_eq!(text.lines().filter(|line| line.contains("plugin=\"b\"")).count(), 1);
        assert_eq!(sample(&text, "mimus_plugin_events_total{plugin=\"b\",name=\"jobs\"}"), 7.0);
    }

    #[test]
    fn models_show_what_they_do_now() {
        let metrics = Metrics::new();
        metrics.prompt_tokens("m", 12);
        metrics.generated_tokens("m", 3);
        let activity = Activity { waiting_requests: 4, computed_prompt_tokens: 7, ..Activity::default() };
        let text = metrics.encode_with(&[("m".into(), activity)]);
        assert_eq!(sample(&text, "mimus_prompt_tokens_total{model=\"m\"}"), 12.0);
        assert_eq!(sample(&text, "mimus_generated_tokens_total{model=\"m\"}"), 3.0);
        assert_eq!(sample(&text, "mimus_computed_prompt_tokens_total{model=\"m\"}"), 7.0);
        assert_eq!(sample(&text, "mimus_engine_waiting_requests{model=\"m\"}"), 4.0);
        assert!(!metrics.encode_with(&[]).contains("mimus_engine_waiting_requests{"), "a model that is gone");
    }
}
