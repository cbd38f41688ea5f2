//! Launching models of the registry while the server runs, and ending them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use mimus_engine::{LoadError, Source};

use super::catalog::{Catalog, now_ms};
use super::job::Job;
use super::memory::shown;
use super::plan::{Files, Origin, Planned, load_options, source_of};
use super::remembered::Remembered;
use super::shelf::{Entry, Lookup, Replica, State};
use super::wish::{LaunchError, Launched, Wish};
use super::{Builtin, choice};
use crate::config::Config;
use crate::hub::{CachedModel, Hub};
use crate::limits;
use crate::registry::{self, Family, Kind, RegisterError, Registry, Weights};

/// Launches models. One for the whole server.
pub struct Launcher {
    catalog: Arc<Catalog>,
    registry: Arc<Registry>,
    hub: Arc<Hub>,
    builtins: Vec<Builtin>,
    config: Config,
    remembered: Remembered,
    /// False until the models of the last run are back.
    is_restored: AtomicBool,
}

impl Launcher {
    /// A launcher. Models of the last run come back by [`Launcher::restore`].
    ///
    /// # Errors
    /// When the list of launched models cannot be read.
    pub fn new(
        catalog: Arc<Catalog>,
        registry: Arc<Registry>,
        hub: Arc<Hub>,
        builtins: Vec<Builtin>,
        config: Config,
    ) -> Result<Launcher, String> {
        let remembered = Remembered::open(config.data.as_deref())?;
        let is_restored = AtomicBool::new(false);
        Ok(Launcher { catalog, registry, hub, builtins, config, remembered, is_restored })
    }

    /// Launches what was launched when the server last ran, under the same names. Blocks while files are looked at, not while they load.
    pub fn restore(&self) {
        let wishes = self.remembered.wishes();
        if self.config.launch.is_restored {
            for wish in wishes {
                let (name, family) = (wish.name.clone().unwrap_or_default(), wish.family.clone());
                if let Err(error) = self.start(wish) {
                    tracing::warn!(model = name, family, %error, "a model of the last run is not launched again");
                }
            }
        }
        self.is_restored.store(true, Ordering::Release);
        self.remember();
    }

    /// Starts to launch a model. Returns once everything is checked that can be without a download; blocks while headers are read.
    ///
    /// # Errors
    /// See [`LaunchError`]; nothing is changed then.
    pub fn launch(&self, wish: Wish) -> Result<Launched, LaunchError> {
        self.allowed()?;
        let launched = self.start(wish)?;
        self.remember();
        Ok(launched)
    }

    fn start(&self, wish: Wish) -> Result<Launched, LaunchError> {
        wish.check()?;
        let family = self.family(&wish)?;
        let (weights, quantization, reason) = self.weights(&wish, &family)?;
        let files = self.files(&weights, &quantization)?;
        let hub_id = match &files {
            Files::Hub(wanted) => Some(wanted.repo.clone()),
            Files::Here(_) => None,
        };
        let mut options = load_options(&self.config, &self.config.model.get(&family.name).cloned().unwrap_or_default());
        options.context_tokens_max = wish.context_tokens.or(options.context_tokens_max);
        let mut planned = Planned {
            template: family.template.clone(),
            family: Some(family.name.clone()),
            hub_id,
            abilities: Some(choice::abilities(&family)),
            replicas: wish.replicas,
            requests_max: wish.requests_max,
            is_pinned: wish.is_pinned,
            ..Planned::new(&family.name, files, options, Origin::Launched)
        };
        self.inspect(&planned)?;
        let entry = self.catalog.update(|shelf| {
            let launching =
                |entry: &&Arc<Entry>| entry.planned.origin == Origin::Launched && entry.jobs().next().is_some();
            if shelf.models.values().filter(launching).count() >= limits::LAUNCHES_MAX
                || shelf.models.len() >= limits::MODELS_MAX
            {
                return Err(LaunchError::Overloaded);
            }
            planned.name = match wish.name.clone() {
                Some(name) if shelf.has(&name) => return Err(LaunchError::Taken(name)),
                Some(name) => name,
                None if shelf.has(&family.name) => format!("{}-{}", family.name, random_suffix()),
                None => family.name.clone(),
            };
            let kept = Wish { name: Some(planned.name.clone()), ..wish.chosen(&weights, &quantization) };
            let entry = Entry { wish: Some(kept), ..Entry::new(Arc::new(planned), now_ms()) };
            shelf.put(entry.clone());
            Ok(entry)
        })?;
        let name = entry.planned.name.clone();
        tracing::info!(model = name, family = family.name, reason, "a model is launched");
        self.catalog.note(&name, format!("it is launched: {reason}"), false);
        self.catalog.begin(&entry, |_| true);
        Ok(Launched { name, format: weights.format.clone(), quantization, reason })
    }

    /// Waits until a launched model answers or has failed.
    ///
    /// # Errors
    /// `UnknownModel`, `Cancelled` when it was ended meanwhile, `Failed` with the reason.
    pub async fn wait(&self, name: &str) -> Result<(), LaunchError> {
        if self.catalog.origin(name).is_none() {
            return Err(LaunchError::UnknownModel(name.to_owned()));
        }
        let is_settled = |entry: &Arc<Entry>| entry.jobs().next().is_none();
        self.catalog.wait(|shelf| shelf.entry(name).is_none_or(is_settled)).await;
        match self.catalog.get(name) {
            Lookup::Unknown => Err(LaunchError::Cancelled),
            Lookup::Failed(why) => Err(LaunchError::Failed(why)),
            Lookup::Ready(_) | Lookup::Loading(_) | Lookup::Idle => Ok(()),
        }
    }

    /// Ends a launch that has not succeeded yet; its name is free again. False for a model that answers.
    ///
    /// # Errors
    /// `UnknownModel`, and `Forbidden` for a model that was not launched.
    pub fn cancel(&self, name: &str) -> Result<bool, LaunchError> {
        self.remove(name, |entry| matches!(entry.lookup(), Lookup::Loading(_) | Lookup::Failed(_)))
    }

    /// Ends a launched model. Its name is free when this returns; requests under way finish, then its memory is given back.
    ///
    /// # Errors
    /// As for `cancel`.
    pub fn terminate(&self, name: &str) -> Result<(), LaunchError> {
        self.remove(name, |_| true).map(drop)
    }

    fn remove(&self, name: &str, is_wanted: impl Fn(&Entry) -> bool) -> Result<bool, LaunchError> {
        self.allowed()?;
        let removed = self.catalog.update(|shelf| {
            let entry = shelf.entry(name).ok_or_else(|| LaunchError::UnknownModel(name.to_owned()))?;
            launched(entry)?;
            if !is_wanted(entry) {
                return Ok(None);
            }
            let name = entry.planned.name.clone();
            Ok(shelf.remove(&name))
        })?;
        let Some(entry) = removed else { return Ok(false) };
        entry.jobs().for_each(|(_, job)| job.cancel());
        self.catalog.note(&entry.planned.name, "it was ended", false);
        self.remember();
        Ok(true)
    }

    /// Loads one more replica; returns its id.
    ///
    /// # Errors
    /// `UnknownModel`, `Forbidden`, and `Invalid` when there are enough.
    pub fn add_replica(&self, name: &str) -> Result<u32, LaunchError> {
        self.allowed()?;
        let (entry, id) = self.catalog.update(|shelf| {
            let mut entry = own(shelf.entry(name), name)?;
            if entry.replicas.len() >= limits::REPLICAS_MAX as usize {
                let reason = format!("there are {} already, the most that a model may have", entry.replicas.len());
                return Err(LaunchError::Invalid { field: "replicas", reason });
            }
            let id = entry.next_id;
            entry.next_id += 1;
            entry.replicas.push(Replica { id, created_ms: now_ms(), state: State::Loading(Arc::<Job>::default()) });
            shelf.put(entry.clone());
            Ok((entry, id))
        })?;
        self.catalog.note(name, format!("replica {id} is launched"), false);
        self.catalog.begin(&entry, |other| other == id);
        self.remember();
        Ok(id)
    }

    /// Ends a replica; requests under way finish.
    ///
    /// # Errors
    /// `UnknownModel`, `Forbidden`, and `Invalid` for the last one or one that is not there.
    pub fn remove_replica(&self, name: &str, id: u32) -> Result<(), LaunchError> {
        self.allowed()?;
        let removed = self.catalog.update(|shelf| {
            let mut entry = own(shelf.entry(name), name)?;
            let invalid = |reason: String| Err(LaunchError::Invalid { field: "replica", reason });
            let Some(at) = entry.replicas.iter().position(|replica| replica.id == id) else {
                return invalid(format!("there is no replica {id}"));
            };
            if entry.replicas.len() == 1 {
                return invalid(format!("{id} is the last one: terminate the model instead"));
            }
            let removed = entry.replicas.remove(at);
            shelf.put(entry);
            Ok(removed)
        })?;
        if let State::Loading(job) = &removed.state {
            job.cancel();
        }
        self.catalog.note(name, format!("replica {id} was ended"), false);
        self.remember();
        Ok(())
    }

    /// The families that can be launched.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// Why this server cannot run some weights of a family.
    pub fn refusal(&self, family: &Family, weights: &Weights) -> Option<String> {
        choice::supports(family, family.architecture_of(weights), &weights.format).err()
    }

    /// Whether the files of some weights are on this machine.
    pub fn is_cached(&self, weights: &Weights, quantization: &str) -> bool {
        choice::is_cached(weights, quantization, &self.hub)
    }

    /// Adds a family for others to launch. Blocks on the disk.
    ///
    /// # Errors
    /// See [`Registry::register`]; `Forbidden` where the operator lets clients launch nothing.
    pub fn register(&self, family: Family, is_persistent: bool) -> Result<(), RegisterError> {
        self.allowed().map_err(|error| RegisterError::Forbidden(error.to_string()))?;
        self.registry.register(family, is_persistent)
    }

    /// Removes a family that was registered. Blocks on the disk.
    ///
    /// # Errors
    /// See [`Registry::unregister`]; `Forbidden` where the operator lets clients launch nothing.
    pub fn unregister(&self, kind: &Kind, name: &str) -> Result<bool, RegisterError> {
        self.allowed().map_err(|error| RegisterError::Forbidden(error.to_string()))?;
        self.registry.unregister(kind, name)
    }

    /// Models of which files are on this machine. Blocks on the disk.
    pub fn downloads(&self) -> Vec<CachedModel> {
        self.hub.list_cached()
    }

    /// Deletes the files of a repository; returns the bytes freed. Blocks on the disk.
    ///
    /// # Errors
    /// When a model of the server came from it, and see [`Hub::remove`].
    pub fn remove_download(&self, repo: &str) -> Result<u64, String> {
        self.allowed().map_err(|error| error.to_string())?;
        let shelf = self.catalog.shelf();
        if let Some(entry) = shelf.models.values().find(|entry| entry.planned.hub_id.as_deref() == Some(repo)) {
            return Err(format!("the model `{}` came from it: terminate that first", entry.planned.name));
        }
        self.hub.remove(repo).map_err(|error| error.to_string())
    }

    fn allowed(&self) -> Result<(), LaunchError> {
        if self.config.launch.is_allowed {
            return Ok(());
        }
        Err(LaunchError::Forbidden(
            "this server's operator does not let clients launch or end models (allow in [launch])".into(),
        ))
    }

    fn family(&self, wish: &Wish) -> Result<Arc<Family>, LaunchError> {
        let kind = wish.kind.as_deref().and_then(Kind::parse);
        let found = match (&wish.kind, &kind) {
            (None, _) => self.registry.find(&wish.family),
            (Some(_), Some(kind)) => self.registry.get(kind, &wish.family),
            (Some(_), None) => None,
        };
        found.ok_or_else(|| choice::unknown(&self.registry, kind.as_ref(), &wish.family))
    }

    /// Which weights of a family, which quantization of them, and why.
    fn weights(&self, wish: &Wish, family: &Family) -> Result<(Weights, String, String), LaunchError> {
        if let Some(path) = &wish.path {
            let path = self.allowed_path(path)?;
            let is_gguf = matches!(source_of(&path), Source::Gguf(_));
            let quantization = wish.quantization.clone().unwrap_or_else(|| "none".into());
            let weights = Weights {
                size: wish.size.clone(),
                format: if is_gguf { "gguf" } else { "safetensors" }.to_owned(),
                architecture: None,
                quantizations: vec![quantization.clone()],
                origin: registry::Origin::Path(path),
                bytes: None,
            };
            return Ok((weights, quantization, "the files were named".into()));
        }
        let (memory_max, _) = self.catalog.memory();
        choice::choose(family, &wish.asked(), memory_max, &self.hub)
    }

    /// A path that clients may name: below the models folder or one that the operator allows.
    fn allowed_path(&self, path: &Path) -> Result<PathBuf, LaunchError> {
        let roots = self.config.models.iter().chain(&self.config.launch.folders);
        let real = path.canonicalize().ok();
        let is_inside = |root: &PathBuf| {
            let root = root.canonicalize().ok();
            root.is_some_and(|root| real.as_ref().is_some_and(|real| real.starts_with(root)))
        };
        // Whether a path elsewhere exists is nobody's business.
        match real.clone().filter(|_| roots.clone().any(is_inside)) {
            Some(real) => Ok(real),
            None => Err(LaunchError::Forbidden(
                "models can be launched by their path only from the models folder and the folders in [launch]; nothing that may be launched is at this path".into(),
            )),
        }
    }

    fn files(&self, weights: &Weights, quantization: &str) -> Result<Files, LaunchError> {
        if let Some(wanted) = choice::wanted(weights, quantization) {
            return Ok(Files::Hub(wanted));
        }
        match &weights.origin {
            registry::Origin::Path(path) => Ok(Files::Here(source_of(&self.allowed_path(path)?))),
            registry::Origin::Builtin(name) => {
                let builtin = self.builtins.iter().find(|builtin| builtin.name == name);
                let missing = || LaunchError::Unsupported(format!("`{name}` does not come with this server"));
                Ok(Files::Here(Source::Embedded(builtin.ok_or_else(missing)?.files)))
            }
            registry::Origin::Hub { id, .. } => Err(LaunchError::Unsupported(format!("`{id}` names no files"))),
        }
    }

    /// Looks at files that are here before anything is promised.
    fn inspect(&self, planned: &Planned) -> Result<(), LaunchError> {
        let source = match &planned.files {
            Files::Here(source) => source.clone(),
            Files::Hub(wanted) => match self.hub.cached(wanted) {
                Some(path) => source_of(&path),
                None if self.config.hub.allows_pull => return Ok(()),
                None => {
                    return Err(LaunchError::Forbidden(format!(
                        "the files of `{}` are not on this machine, and its operator does not let clients download any (allow_pull in [hub])",
                        wanted.repo
                    )));
                }
            },
        };
        let needed = self.catalog.read.measure(planned, &source).map_err(|error| match error {
            LoadError::Unsupported(_) | LoadError::UnsupportedArchitecture(_) => {
                LaunchError::Unsupported(error.to_string())
            }
            error => LaunchError::Failed(error.to_string()),
        })?;
        let (max, _) = self.catalog.memory();
        if needed > max {
            return Err(LaunchError::TooLarge(format!(
                "it needs {} of memory, and all models together may take {}: choose smaller weights, a shorter context, or raise memory_mib in [engine]",
                shown(needed),
                shown(max)
            )));
        }
        Ok(())
    }

    /// Writes down what is launched, so that it comes back.
    fn remember(&self) {
        if !self.is_restored.load(Ordering::Acquire) {
            return;
        }
        let shelf = self.catalog.shelf();
        let wish = |entry: &Arc<Entry>| {
            let replicas = u32::try_from(entry.replicas.len()).unwrap_or(limits::REPLICAS_MAX);
            entry.wish.clone().map(|wish| Wish { replicas, ..wish })
        };
        self.remembered.store(shelf.models.values().filter_map(wish).collect());
    }
}

fn own(entry: Option<&Arc<Entry>>, name: &str) -> Result<Entry, LaunchError> {
    let entry = entry.ok_or_else(|| LaunchError::UnknownModel(name.to_owned()))?;
    launched(entry)?;
    Ok(Entry::clone(entry))
}

fn launched(entry: &Entry) -> Result<(), LaunchError> {
    if entry.planned.origin == Origin::Launched {
        return Ok(());
    }
    Err(LaunchError::Forbidden(format!(
        "`{}` was not launched: it belongs to the server's configuration, which alone can end it",
        entry.planned.name
    )))
}

/// Eight characters that make a name unlike others.
fn random_suffix() -> String {
    use rand::RngExt;
    rand::rng().sample_iter(rand::distr::Alphanumeric).take(8).map(char::from).collect()
}
