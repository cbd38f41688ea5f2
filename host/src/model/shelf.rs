//! What stands behind each name: an immutable snapshot that readers share.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use serde::{Deserialize, Serialize};
use tokio::sync::Semaphore;

use super::Loaded;
use super::job::{Job, Progress};
use super::plan::{Origin, Planned};
use super::wish::Wish;

/// A snapshot.
#[derive(Clone, Default)]
pub(super) struct Shelf {
    pub models: BTreeMap<String, Arc<Entry>>,
    pub aliases: HashMap<String, String>,
}

/// A model that the server has, in memory or not.
#[derive(Clone)]
pub(super) struct Entry {
    pub planned: Arc<Planned>,
    /// At least one.
    pub replicas: Vec<Replica>,
    /// Id of the next replica; ids are not used again.
    pub next_id: u32,
    /// Requests that it takes at once.
    pub requests: Option<Arc<Semaphore>>,
    /// When it was last asked for, in milliseconds since 1970.
    pub used_ms: Arc<AtomicU64>,
    /// What it was launched by, for models that were.
    pub wish: Option<Wish>,
}

/// One of several copies of a model.
#[derive(Clone)]
pub(super) struct Replica {
    pub id: u32,
    pub created_ms: u64,
    pub state: State,
}

/// How a replica stands.
#[derive(Clone)]
pub(super) enum State {
    /// It is on its way.
    Loading(Arc<Job>),
    /// It answers.
    Ready(Loaded),
    /// Its memory was needed; the next request brings it back.
    Idle,
    /// It did not load: why, without paths of this machine.
    Failed(String),
}

/// What stands behind a name.
#[derive(Clone)]
pub enum Lookup {
    /// A model that answers.
    Ready(Loaded),
    /// A model that will, and how far it is.
    Loading(Progress),
    /// A model that was taken out of memory.
    Idle,
    /// A model that did not load: why, without paths of this machine.
    Failed(String),
    /// No model has this name.
    Unknown,
}

/// Whether a model answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Readiness {
    /// It will.
    Loading,
    /// It does.
    Ready,
    /// It did not load.
    Failed,
    /// Its memory was needed; the next request loads it again.
    Idle,
}

/// What is known of a replica.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReplicaStatus {
    /// From 0; not used again.
    pub id: u32,
    /// Whether it answers.
    pub readiness: Readiness,
    /// Why it does not; empty when it does.
    pub detail: String,
    /// How far it is, while it loads.
    pub progress: Option<Progress>,
    /// Sequences that it works on.
    pub running: usize,
    /// Requests that wait for it.
    pub waiting: usize,
    /// When it was asked for, in milliseconds since 1970.
    pub created_ms: u64,
}

/// What is known of a model.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ModelStatus {
    /// The name clients use.
    pub name: String,
    /// Other names.
    pub aliases: Vec<String>,
    /// What it can do, from an open list; empty until that is known.
    pub abilities: Vec<String>,
    /// Whether it answers.
    pub readiness: Readiness,
    /// Why it does not; empty when it does.
    pub detail: String,
    /// How far it is, while it loads.
    pub progress: Option<Progress>,
    /// The family of the registry that it was launched from.
    pub registry_family: Option<String>,
    /// Family; empty until it is ready.
    pub architecture: String,
    /// Kind of files; empty until it is ready.
    pub format: String,
    /// Kind of most quantized weights.
    pub quantization: Option<String>,
    /// Numbers in the weights.
    pub parameters: u64,
    /// Bytes of the weights in memory.
    pub weight_bytes: u64,
    /// Memory of one replica at its most, in bytes.
    pub memory_bytes: u64,
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// Tokens of the vocabulary.
    pub vocab_tokens: u32,
    /// Numbers in a vector, for a model that embeds.
    pub dimensions: Option<u32>,
    /// When it was loaded, in seconds since 1970; 0 until then.
    pub created_s: u64,
    /// The token that begins a sequence.
    pub bos_token: Option<u32>,
    /// The repository of the hub that its files came from.
    pub hub_id: Option<String>,
    /// Requests that it takes at once.
    pub requests_max: Option<u32>,
    /// Whether it was launched, and may be terminated.
    pub is_launched: bool,
    /// Whether it stays in memory.
    pub is_pinned: bool,
    /// Its copies.
    pub replicas: Vec<ReplicaStatus>,
}

impl Shelf {
    /// The model behind a name or an alias.
    pub fn entry(&self, name: &str) -> Option<&Arc<Entry>> {
        self.models.get(name).or_else(|| self.models.get(self.aliases.get(name)?))
    }

    /// Whether a name or alias is taken by a model that has not failed.
    pub fn has(&self, name: &str) -> bool {
        self.entry(name).is_some_and(|entry| !matches!(entry.lookup(), Lookup::Failed(_)))
    }

    /// Adds a model, or replaces one.
    pub fn put(&mut self, entry: Entry) {
        let name = &entry.planned.name;
        self.aliases.retain(|_, owner| owner != name);
        self.aliases.extend(entry.planned.aliases.iter().map(|alias| (alias.clone(), name.clone())));
        self.models.insert(name.clone(), Arc::new(entry));
    }

    /// Takes a model away.
    pub fn remove(&mut self, name: &str) -> Option<Arc<Entry>> {
        self.aliases.retain(|_, owner| owner != name);
        self.models.remove(name)
    }
}

impl Entry {
    /// A model that is to be loaded, and a job for each of its replicas.
    pub fn new(planned: Arc<Planned>, now_ms: u64) -> Self {
        let replicas = planned.replicas.max(1);
        let requests = planned.requests_max.map(|max| Arc::new(Semaphore::new(max.max(1) as usize)));
        let replica = |id| Replica { id, created_ms: now_ms, state: State::Loading(Arc::default()) };
        Entry {
            planned,
            replicas: (0..replicas).map(replica).collect(),
            next_id: replicas,
            requests,
            used_ms: Arc::new(AtomicU64::new(now_ms)),
            wish: None,
        }
    }

    /// What stands behind the name: the replica with least to do, of those that answer.
    pub fn lookup(&self) -> Lookup {
        let mut ready = self.ready();
        if let Some(first) = ready.next() {
            let Some(second) = ready.next() else { return Lookup::Ready(first.clone()) };
            let least = [first, second].into_iter().chain(ready).min_by_key(|loaded| loaded.load());
            return Lookup::Ready(least.unwrap_or(first).clone());
        }
        let mut found = Lookup::Unknown;
        for replica in &self.replicas {
            match (&replica.state, &found) {
                (State::Loading(job), _) => return Lookup::Loading(job.progress()),
                (State::Idle, _) => found = Lookup::Idle,
                (State::Failed(why), Lookup::Unknown) => found = Lookup::Failed(why.clone()),
                _ => {}
            }
        }
        found
    }

    /// The replicas that answer.
    pub fn ready(&self) -> impl Iterator<Item = &Loaded> {
        self.replicas.iter().filter_map(|replica| match &replica.state {
            State::Ready(loaded) => Some(loaded),
            _ => None,
        })
    }

    /// The loads under way.
    pub fn jobs(&self) -> impl Iterator<Item = (u32, &Arc<Job>)> {
        self.replicas.iter().filter_map(|replica| match &replica.state {
            State::Loading(job) => Some((replica.id, job)),
            _ => None,
        })
    }

    /// When it was last asked for.
    pub fn used_ms(&self) -> u64 {
        self.used_ms.load(Ordering::Relaxed)
    }

    /// What is known of it.
    pub fn status(&self) -> ModelStatus {
        let planned = &*self.planned;
        let mut status = ModelStatus {
            name: planned.name.clone(),
            aliases: planned.aliases.clone(),
            abilities: planned.abilities.clone().unwrap_or_default(),
            readiness: Readiness::Loading,
            detail: String::new(),
            progress: None,
            registry_family: planned.family.clone(),
            architecture: String::new(),
            format: String::new(),
            quantization: None,
            parameters: 0,
            weight_bytes: 0,
            memory_bytes: 0,
            context_tokens: 0,
            vocab_tokens: 0,
            dimensions: None,
            created_s: 0,
            bos_token: None,
            hub_id: planned.hub_id.clone(),
            requests_max: planned.requests_max,
            is_launched: planned.origin == Origin::Launched,
            is_pinned: planned.is_pinned,
            replicas: self.replicas.iter().map(Replica::status).collect(),
        };
        match self.lookup() {
            Lookup::Ready(loaded) => {
                status.readiness = Readiness::Ready;
                loaded.describe(&mut status);
            }
            Lookup::Loading(progress) => {
                status.detail = progress.sentence();
                status.progress = Some(progress);
            }
            Lookup::Idle | Lookup::Unknown => {
                status.readiness = Readiness::Idle;
                IDLE.clone_into(&mut status.detail);
            }
            Lookup::Failed(reason) => {
                status.readiness = Readiness::Failed;
                status.detail = reason;
            }
        }
        status
    }
}

/// Why an idle model does not answer yet.
const IDLE: &str = "its memory was needed; the next request loads it again";

impl Replica {
    fn status(&self) -> ReplicaStatus {
        let (readiness, detail, progress) = match &self.state {
            State::Loading(job) => {
                let progress = job.progress();
                (Readiness::Loading, progress.sentence(), Some(progress))
            }
            State::Ready(_) => (Readiness::Ready, String::new(), None),
            State::Idle => (Readiness::Idle, IDLE.to_owned(), None),
            State::Failed(why) => (Readiness::Failed, why.clone(), None),
        };
        let activity = match &self.state {
            State::Ready(loaded) => Some(loaded.activity()),
            _ => None,
        };
        ReplicaStatus {
            id: self.id,
            readiness,
            detail,
            progress,
            running: activity.as_ref().map_or(0, |activity| activity.running_sequences),
            waiting: activity.as_ref().map_or(0, |activity| activity.waiting_requests),
            created_ms: self.created_ms,
        }
    }
}
