//! The server: everything put together, started and drained.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use arc_swap::ArcSwap;
use mimus_media::{FetchRules, Fetcher, Place};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use crate::config::{Config, Ports};
use crate::http::{self, Cors, Door, Keys};
use crate::hub::Hub;
use crate::inference::Inference;
use crate::limits;
use crate::media::Media;
use crate::model::{Builtin, Catalog, EngineReader, Launcher, plan};

use crate::plugin::{
    self, Bundled, Caller, Compiler, Loader, Record, Reloader, Services, Snapshot, Swaps, Templates, Watch,
};
use crate::registry::{Machine, Registry};
use crate::state::{Blobs, Leases, Store};
use crate::telemetry::Metrics;

/// What every request reaches.
pub struct Shared {
    /// The plugins that serve.
    pub snapshot: Arc<ArcSwap<Snapshot>>,
    /// What is known of all plugins.
    pub records: Arc<ArcSwap<Vec<Record>>>,
    /// What became of new contents of plugins.
    pub swaps: Arc<Swaps>,
    /// Ports of the dialects that have a listener of their own; empty until all of them listen.
    pub ports: OnceLock<BTreeMap<String, u16>>,
    /// When the server was started.
    pub started: Instant,
    /// Runs guests.
    pub caller: Caller,
    /// Models.
    pub catalog: Arc<Catalog>,
    /// Generation.
    pub inference: Arc<Inference>,
    /// Large bytes.
    pub blobs: Arc<Blobs>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Who may come in.
    pub keys: Arc<Keys>,
    /// Which web pages may read what dialects answer.
    pub cors: Cors,
    /// True from the first signal on.
    pub is_draining: AtomicBool,
}

/// What comes with the program: given by `main`, so that the host knows neither dialects nor models by name.
pub struct Contents {
    /// Bundled components.
    pub components: Vec<Bundled>,
    /// Dialects that win paths at the root where the configuration says nothing.
    pub order: &'static [&'static str],
    /// Built-in models.
    pub models: Vec<Builtin>,
}

/// A running server.
pub struct Server {
    shared: Arc<Shared>,
    doors: Vec<(Door, SocketAddr)>,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    drain: Duration,
    _watch: Option<Watch>,
}

/// Where one dialect answers, for the lines that people read when the server is ready.
#[derive(Clone, Debug, serde::Serialize)]
pub struct Address {
    /// Name of the dialect.
    pub name: String,
    /// What people put before `client_path`.
    pub base_url: String,
    /// What the client's base URL has behind it.
    pub client_path: String,
    /// What it is.
    pub description: String,
}

/// The parts of a server that answer without sockets; benchmarks use them alone.
pub struct Core {
    /// What every request reaches.
    pub shared: Arc<Shared>,
    reloader: Reloader,
}

impl Core {
    /// Opens state, starts models, loads plugins. Blocks: call it where that is allowed.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub fn open(config: &Config, contents: Contents, stopping: watch::Receiver<bool>) -> Result<Core, String> {
        let started = Instant::now();
        let metrics = Arc::new(Metrics::new());
        let data = config.data.as_deref();
        let store = Arc::new(Store::open(data).map_err(|error| format!("state: {error}"))?);
        let blobs = Arc::new(Blobs::open(data).map_err(|error| format!("blobs: {error}"))?);
        let planned = plan(&contents.models, config)?;
        let hub = Arc::new(Hub::new(&config.hub));
        let registry = Registry::open(data, &config.registry_files).map_err(|error| format!("registry: {error}"))?;
        let catalog = Catalog::new(memory_bytes(config), Arc::new(EngineReader { hub: hub.clone() }));
        catalog.load_all(planned)?;
        let launcher =
            Launcher::new(catalog.clone(), Arc::new(registry), hub, contents.models, config.clone()).map(Arc::new)?;
        launcher.restore();
        let keys = Arc::new(Keys::new(config.api_keys.clone()));
        let snapshot: Arc<ArcSwap<Snapshot>> = Arc::default();
        let templates = Arc::new(Templates::new(snapshot.clone()));
        let inference = Arc::new(Inference::new(catalog.clone(), templates.clone(), metrics.clone()));
        let services = Arc::new(Services {
            catalog: catalog.clone(),
            launcher,
            keys: keys.clone(),
            media: Arc::new(Media::new(fetcher(config)?)),
            started,
            inference: inference.clone(),
            store,
            leases: Arc::new(Leases::new()),
            blobs: blobs.clone(),
            metrics: metrics.clone(),
            turns: plugin::turns(),
            stopping,
        });
        templates.connect(services.clone());
        let engine = plugin::new_engine().map_err(|error| format!("cannot start the plugin engine: {error:#}"))?;
        let compiler = Compiler::new(engine, &config.cache).map_err(|error| format!("cache folder: {error}"))?;
        let loader = Loader::new(compiler, services.clone(), {
            let config = config.clone();
            move |name| config.plugin(name)
        });
        let records: Arc<ArcSwap<Vec<Record>>> = Arc::default();
        let folder = config.plugins.clone();
        if let Some(folder) = &folder {
            check_folder(folder)?;
        }
        let order = config.order.iter().cloned().chain(contents.order.iter().map(|name| (*name).to_owned())).collect();
        let swaps: Arc<Swaps> = Arc::default();
        let (shown, listed) = (snapshot.clone(), records.clone());
        let mut reloader = Reloader::new(loader, shown, listed, swaps.clone(), metrics.clone(), order, folder);
        reloader.load_all(&contents.components, |name| config.plugin(name).is_enabled);
        let shared = Arc::new(Shared {
            snapshot,
            records,
            swaps,
            ports: OnceLock::new(),
            started,
            caller: Caller::new(services.clone()),
            catalog,
            inference,
            blobs,
            metrics,
            keys,
            cors: Cors::new(config.cors_origins.clone()),
            is_draining: AtomicBool::new(false),
        });
        Ok(Core { shared, reloader })
    }
}

/// The one that gets pictures from addresses, by the configuration's rules.
fn fetcher(config: &Config) -> Result<Fetcher, String> {
    let allow = config
        .media_allow
        .iter()
        .map(|place| place.parse::<Place>())
        .collect::<Result<_, _>>()
        .map_err(|error| format!("media: {error}"))?;
    Fetcher::new(FetchRules { allow }).map_err(|error| format!("media: {error}"))
}

impl Server {
    /// Starts everything and returns when the server answers.
    ///
    /// # Errors
    /// A sentence for the operator.
    pub async fn start(config: Config, contents: Contents) -> Result<Server, String> {
        raise_descriptor_limit();
        // Taken first: a port in use should not cost the time that models and plugins take.
        let main = http::bind(config.listen).await?;
        let (stop, stopping) = watch::channel(false);
        let opened = tokio::task::spawn_blocking({
            let (config, stopping) = (config.clone(), stopping.clone());
            move || Core::open(&config, contents, stopping)
        });
        let Core { shared, reloader } = opened.await.map_err(|error| format!("starting failed: {error}"))??;
        let watch = reloader.watch().map_err(|error| format!("cannot watch the plugins folder: {error}"))?;

        let mut sockets = vec![(Door::Main, main)];
        for dialect in &shared.snapshot.load().dialects {
            let manifest = &dialect.personality.manifest;
            let configured = config.plugin(&manifest.name).port;
            let conventional = manifest.conventional_port.filter(|_| config.ports == Ports::Conventional);
            if let Some(port) = configured.or(conventional) {
                let address = SocketAddr::new(config.listen.ip(), port);
                let socket = http::bind(address).await.map_err(|error| format!("{}: {error}", manifest.name))?;
                sockets.push((Door::Dialect(manifest.name.clone()), socket));
            }
        }
        let connections = Arc::new(Semaphore::new(limits::CONNECTIONS_MAX));
        let mut doors = Vec::new();
        let mut listeners = JoinSet::new();
        for (door, socket) in sockets {
            let address = socket.local_addr().map_err(|error| error.to_string())?;
            doors.push((door.clone(), address));
            listeners.spawn(http::listen(shared.clone(), socket, door, connections.clone(), stopping.clone()));
        }
        let own = |(door, address): &(Door, SocketAddr)| match door {
            Door::Main => None,
            Door::Dialect(name) => Some((name.clone(), address.port())),
        };
        // The one place that sets it.
        let _ = shared.ports.set(doors.iter().filter_map(own).collect());
        Ok(Server { shared, doors, stop, listeners, drain: config.drain, _watch: watch })
    }

    /// What every request reaches.
    pub fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Address of the main listener.
    pub fn main_address(&self) -> SocketAddr {
        self.doors[0].1
    }

    /// Where each dialect answers, its own listener first.
    pub fn addresses(&self) -> Vec<Address> {
        let snapshot = self.shared.snapshot.load();
        let own =
            |name: &str| self.doors.iter().find(|(door, _)| matches!(door, Door::Dialect(other) if other == name));
        let address = |manifest: &plugin::manifest::Manifest| Address {
            name: manifest.name.clone(),
            base_url: match own(&manifest.name) {
                Some((_, address)) => format!("http://{address}"),
                None => format!("http://{}/{}", self.main_address(), manifest.name),
            },
            client_path: manifest.client_base_path.clone(),
            description: manifest.description.clone(),
        };
        snapshot.dialects.iter().map(|dialect| address(&dialect.personality.manifest)).collect()
    }

    /// Stops accepting and waits for the requests under way, as long as the configuration allows. Returns whether all finished.
    pub async fn drain(mut self) -> bool {
        self.shared.is_draining.store(true, Ordering::Release);
        // Listeners see it at once; a failed send means that none is left.
        let _ = self.stop.send(true);
        let all = async { while self.listeners.join_next().await.is_some() {} };
        tokio::time::timeout(self.drain, all).await.is_ok()
    }
}

/// Bytes that all models together may take: what the configuration says, else four fifths of the machine's memory.
pub fn memory_bytes(config: &Config) -> u64 {
    let here = match Machine::here().memory_bytes {
        // Where nobody tells how much there is, nothing can be shared out.
        0 => u64::MAX,
        bytes => bytes / 5 * 4,
    };
    config.engine.memory_mib.map_or(here, |mib| mib << 20)
}

/// Refuses a plugins folder into which others can write: who writes there runs code here.
fn check_folder(folder: &Path) -> Result<(), String> {
    use std::os::unix::fs::PermissionsExt;
    let meta = std::fs::metadata(folder).map_err(|error| format!("plugins folder {}: {error}", folder.display()))?;
    if !meta.is_dir() {
        return Err(format!("plugins folder {}: not a folder", folder.display()));
    }
    if meta.permissions().mode() & 0o002 != 0 {
        return Err(format!("plugins folder {}: everyone can write to it; run `chmod o-w` on it", folder.display()));
    }
    Ok(())
}

/// Lets the server use as many descriptors as the system grants.
#[allow(unsafe_code)]
fn raise_descriptor_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: both calls get a pointer to a live rlimit on this stack frame and keep nothing of it.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}
