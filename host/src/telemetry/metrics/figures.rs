//! Figures by name, and how many names there may be.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, RwLock};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};

use super::OTHER;
use super::traffic::Counts;
use crate::limits;

/// Labels of a metric, in the order in which they are shown.
pub type Labels = Vec<(&'static str, String)>;

/// Classes of status; the first is of requests that had none.
pub const CLASSES: [&str; 6] = ["none", "1xx", "2xx", "3xx", "4xx", "5xx"];

/// From a quarter of a millisecond to ten minutes.
pub fn seconds() -> Histogram {
    const BUCKETS: [f64; 19] = [
        0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
        300.0, 600.0,
    ];
    Histogram::new(BUCKETS)
}

/// Powers of ten: a plugin may measure anything.
pub fn values() -> Histogram {
    Histogram::new(exponential_buckets(0.001, 10.0, 10))
}

/// Things by name, made when they are first asked for. Past the bound everything is [`OTHER`].
pub struct Named<T> {
    names_max: usize,
    things: RwLock<HashMap<String, Arc<T>>>,
}

impl<T> Named<T> {
    /// None yet.
    pub fn new(names_max: usize) -> Named<T> {
        Named { names_max, things: RwLock::default() }
    }

    /// The thing of that name; `make` is given the name to use.
    pub fn get(&self, name: &str, make: impl FnOnce(&str) -> T) -> Arc<T> {
        {
            let things = self.things.read().unwrap_or_else(PoisonError::into_inner);
            let is_full = things.len() >= self.names_max;
            if let Some(thing) = things.get(name).or_else(|| things.get(OTHER).filter(|_| is_full)) {
                return thing.clone();
            }
        }
        let mut things = self.things.write().unwrap_or_else(PoisonError::into_inner);
        let name = if things.len() < self.names_max || things.contains_key(name) { name } else { OTHER };
        things.entry(name.to_owned()).or_insert_with(|| Arc::new(make(name))).clone()
    }

    /// All that were made, in no order.
    pub fn all(&self) -> Vec<Arc<T>> {
        self.things.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }
}

/// What is counted of one plugin's requests.
pub struct PluginFigures {
    /// Its name, or [`OTHER`].
    pub name: String,
    /// Time of requests.
    pub seconds: Histogram,
    /// Time to the first byte.
    pub first_byte: Histogram,
    /// The same as plain numbers, for `Metrics::traffic`.
    pub counts: Counts,
    /// By route.
    pub routes: Named<RouteFigures>,
}

/// What is counted of one route's requests.
#[derive(Default)]
pub struct RouteFigures {
    /// The route as the manifest writes it, or [`OTHER`].
    pub name: String,
    /// By class of status, as in [`CLASSES`]; a class that never was is not shown.
    pub classes: [OnceLock<Counter>; CLASSES.len()],
}

/// What one plugin counts itself.
pub struct GuestFigures {
    plugin: String,
    names: Mutex<Names>,
}

#[derive(Default)]
struct Names {
    events: HashMap<String, Counter>,
    values: HashMap<String, Histogram>,
}

impl GuestFigures {
    /// Nothing yet.
    pub fn new(plugin: &str) -> GuestFigures {
        GuestFigures { plugin: plugin.to_owned(), names: Mutex::default() }
    }

    /// The counter of that name; none where the name is not allowed or there are too many.
    pub fn event(&self, name: &str, make: impl FnOnce(Labels) -> Counter) -> Option<Counter> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        named(&mut names.events, name, || make(self.labels(name)))
    }

    /// As [`GuestFigures::event`], for values.
    pub fn value(&self, name: &str, make: impl FnOnce(Labels) -> Histogram) -> Option<Histogram> {
        let mut names = self.names.lock().unwrap_or_else(PoisonError::into_inner);
        named(&mut names.values, name, || make(self.labels(name)))
    }

    fn labels(&self, name: &str) -> Labels {
        vec![("plugin", self.plugin.clone()), ("name", name.to_owned())]
    }
}

fn named<T: Clone>(things: &mut HashMap<String, T>, name: &str, make: impl FnOnce() -> T) -> Option<T> {
    if let Some(thing) = things.get(name) {
        return Some(thing.clone());
    }
    let is_name = name.len() <= limits::METRIC_NAME_BYTES_MAX
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
    if !is_name || things.len() >= limits::METRIC_NAMES_MAX {
        return None;
    }
    let thing = make();
    things.insert(name.to_owned(), thing.clone());
    Some(thing)
}
