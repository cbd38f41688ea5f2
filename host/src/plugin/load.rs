//! From a component to a plugin that can serve: imports against grants, linking, and the probe.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Engine, Store};

use super::bindings::marked_template::MarkedTemplatePre;
use super::bindings::personality::{Personality as PersonalityWorld, PersonalityPre};
use super::bindings::template::{Template as TemplateWorld, TemplatePre};
use super::compile::{Compiler, Trust, content_hash};
use super::fault::classify;
use super::guest::{Guest, Identity, Services};
use super::manifest::{self, Manifest};
use crate::config::{GRANTS, PluginConfig};
use crate::limits;
use crate::telemetry::LogGate;

/// What every plugin has.
pub struct Version {
    /// Content hash, 64 hexadecimal digits.
    pub hash: String,
    /// When it was loaded.
    pub loaded: SystemTime,
}

/// A loaded dialect.
pub struct Personality {
    /// Description.
    pub manifest: Manifest,
    /// Which bytes.
    pub version: Version,
    /// What its guests are told and allowed.
    pub identity: Arc<Identity>,
    pub(super) pre: PersonalityPre<Guest>,
}

/// A loaded prompt format plugin.
pub struct Template {
    /// Name.
    pub name: String,
    /// For people.
    pub label: String,
    /// The formats it renders.
    pub formats: Vec<String>,
    /// Which bytes.
    pub version: Version,
    pub(super) identity: Arc<Identity>,
    pub(super) pre: TemplatePre<Guest>,
    /// The same component with its second export, where it has one.
    pub(super) marked: Option<MarkedTemplatePre<Guest>>,
}

/// A plugin of either kind.
#[derive(Clone)]
pub enum Plugin {
    /// A dialect.
    Personality(Arc<Personality>),
    /// Prompt formats.
    Template(Arc<Template>),
}

impl Plugin {
    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Plugin::Personality(personality) => &personality.manifest.name,
            Plugin::Template(template) => &template.name,
        }
    }

    /// Its version for people.
    pub fn label(&self) -> &str {
        match self {
            Plugin::Personality(personality) => &personality.manifest.version,
            Plugin::Template(template) => &template.label,
        }
    }

    /// Which bytes it is.
    pub fn version(&self) -> &Version {
        match self {
            Plugin::Personality(personality) => &personality.version,
            Plugin::Template(template) => &template.version,
        }
    }

    /// `personality` or `template`.
    pub fn kind(&self) -> &'static str {
        match self {
            Plugin::Personality(_) => "personality",
            Plugin::Template(_) => "template",
        }
    }
}

/// Why a plugin cannot serve. The text is for the operator.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{0}")]
pub struct LoadError(pub String);

/// Makes plugins out of bytes.
pub struct Loader {
    compiler: Compiler,
    services: Arc<Services>,
    configured: Box<dyn Fn(&str) -> PluginConfig + Send + Sync>,
}

impl Loader {
    /// A loader; `configured` gives the configuration of a plugin by its name.
    pub fn new(
        compiler: Compiler,
        services: Arc<Services>,
        configured: impl Fn(&str) -> PluginConfig + Send + Sync + 'static,
    ) -> Loader {
        Loader { compiler, services, configured: Box::new(configured) }
    }

    /// Compiles, links and probes. Takes long when the bytes are new: never on a serving thread.
    ///
    /// # Errors
    /// With what the author or the operator should change.
    pub fn load(&self, bytes: &[u8], trust: Trust) -> Result<Plugin, LoadError> {
        if bytes.len() > limits::PLUGIN_FILE_BYTES_MAX {
            return Err(LoadError(format!("{} bytes, at most {}", bytes.len(), limits::PLUGIN_FILE_BYTES_MAX)));
        }
        let hash = content_hash(bytes);
        let component = self.compiler.component(bytes, &hash, trust).map_err(|error| LoadError(error.to_string()))?;
        let version = Version { hash, loaded: SystemTime::now() };
        match world_of(self.compiler.engine(), &component)? {
            World::Personality => self.personality(&component, version),
            World::Template => self.template(&component, version),
        }
    }

    fn personality(&self, component: &Component, version: Version) -> Result<Plugin, LoadError> {
        let imports = imports_of(self.compiler.engine(), component);
        // The name is known only after the guest has described itself, for which it needs no grant but must be linked.
        let probe = self.link(component, &GRANTS.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>())?;
        let manifest = self.probe(&probe)?;
        let config = (self.configured)(&manifest.name);
        if let Some(missing) = imports.iter().find(|import| !config.grants.contains(*import)) {
            return Err(LoadError(format!(
                "imports `{missing}`, which is not granted: add it to `grants` in [plugin.{}]",
                manifest.name
            )));
        }
        let pre = self.link(component, &config.grants)?;
        let identity = Arc::new(identity(&manifest.name, &config));
        Ok(Plugin::Personality(Arc::new(Personality { manifest, version, identity, pre })))
    }

    fn link(&self, component: &Component, grants: &[String]) -> Result<PersonalityPre<Guest>, LoadError> {
        let linker = linker(self.compiler.engine(), grants).map_err(|error| LoadError(format!("{error:#}")))?;
        linker.instantiate_pre(component).and_then(PersonalityPre::new).map_err(|error| LoadError(wrong_world(&error)))
    }

    /// Runs `describe` and `self-test` in an instance of their own, within the probe's time.
    fn probe(&self, pre: &PersonalityPre<Guest>) -> Result<Manifest, LoadError> {
        let mut store = self.probe_store();
        run_probe(async {
            let world: PersonalityWorld =
                pre.instantiate_async(&mut store).await.map_err(|error| failed("start", &error))?;
            let dialect = world.mimus_plugin_dialect();
            let raw = dialect.call_describe(&mut store).await.map_err(|error| failed("describe", &error))?;
            let manifest = Manifest::parse(raw).map_err(LoadError)?;
            let checked = dialect.call_self_test(&mut store).await.map_err(|error| failed("self-test", &error))?;
            checked.map_err(|why| LoadError(format!("self-test: {}", why.chars().take(500).collect::<String>())))?;
            Ok(manifest)
        })
    }

    fn template(&self, component: &Component, version: Version) -> Result<Plugin, LoadError> {
        let linker = linker(self.compiler.engine(), &[]).map_err(|error| LoadError(format!("{error:#}")))?;
        let linked = linker.instantiate_pre(component).map_err(|error| LoadError(wrong_world(&error)))?;
        let pre = TemplatePre::new(linked.clone()).map_err(|error| LoadError(wrong_world(&error)))?;
        let marked = match has_export(self.compiler.engine(), component, "answer-format") {
            true => Some(MarkedTemplatePre::new(linked).map_err(|error| LoadError(wrong_world(&error)))?),
            false => None,
        };
        let mut store = self.probe_store();
        let raw = run_probe(async {
            let world: TemplateWorld =
                pre.instantiate_async(&mut store).await.map_err(|error| failed("start", &error))?;
            world
                .mimus_plugin_prompt_format()
                .call_describe(&mut store)
                .await
                .map_err(|error| failed("describe", &error))
        })?;
        let name = manifest::parse_name(&raw.name).map_err(LoadError)?;
        let label = manifest::parse_line("version", &raw.version, 64).map_err(LoadError)?;
        if raw.formats.is_empty() || raw.formats.len() > limits::FORMATS_MAX {
            return Err(LoadError(format!(
                "formats: {} given, 1 to {} allowed",
                raw.formats.len(),
                limits::FORMATS_MAX
            )));
        }
        for format in &raw.formats {
            manifest::parse_line("formats", format, 64).map_err(LoadError)?;
        }
        let identity = Arc::new(identity(&name, &(self.configured)(&name)));
        Ok(Plugin::Template(Arc::new(Template { name, label, formats: raw.formats, version, identity, pre, marked })))
    }

    fn probe_store(&self) -> Store<Guest> {
        let identity = Arc::new(identity("probe", &PluginConfig::default()));
        Guest::new(identity, self.services.clone(), "".into()).into_store(self.compiler.engine())
    }
}

fn linker(engine: &Engine, grants: &[String]) -> wasmtime::Result<Linker<Guest>> {
    use super::bindings::personality::mimus::plugin as interfaces;
    fn guest(guest: &mut Guest) -> &mut Guest {
        guest
    }
    type Own = HasSelf<Guest>;
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    interfaces::http::add_to_linker::<_, Own>(&mut linker, guest)?;
    interfaces::chat::add_to_linker::<_, Own>(&mut linker, guest)?;
    interfaces::manifest::add_to_linker::<_, Own>(&mut linker, guest)?;
    for grant in grants {
        match grant.as_str() {
            "websocket" => interfaces::websocket::add_to_linker::<_, Own>(&mut linker, guest)?,
            "inference" => interfaces::inference::add_to_linker::<_, Own>(&mut linker, guest)?,
            "answers" => interfaces::answers::add_to_linker::<_, Own>(&mut linker, guest)?,
            "embeddings" => interfaces::embeddings::add_to_linker::<_, Own>(&mut linker, guest)?,
            "reranking" => interfaces::reranking::add_to_linker::<_, Own>(&mut linker, guest)?,
            "media" => interfaces::media::add_to_linker::<_, Own>(&mut linker, guest)?,
            "vision" => interfaces::vision::add_to_linker::<_, Own>(&mut linker, guest)?,
            "registry" => interfaces::registry::add_to_linker::<_, Own>(&mut linker, guest)?,
            "launching" => interfaces::launching::add_to_linker::<_, Own>(&mut linker, guest)?,
            "machine" => interfaces::machine::add_to_linker::<_, Own>(&mut linker, guest)?,
            "models" => interfaces::models::add_to_linker::<_, Own>(&mut linker, guest)?,
            "state" => interfaces::state::add_to_linker::<_, Own>(&mut linker, guest)?,
            "blobs" => interfaces::blobs::add_to_linker::<_, Own>(&mut linker, guest)?,
            "log" => interfaces::log::add_to_linker::<_, Own>(&mut linker, guest)?,
            "metrics" => interfaces::metrics::add_to_linker::<_, Own>(&mut linker, guest)?,
            "config" => interfaces::config::add_to_linker::<_, Own>(&mut linker, guest)?,
            "clock" => interfaces::clock::add_to_linker::<_, Own>(&mut linker, guest)?,
            "random" => interfaces::random::add_to_linker::<_, Own>(&mut linker, guest)?,
            other => return Err(wasmtime::Error::msg(format!("no interface is called `{other}`"))),
        }
    }
    Ok(linker)
}

fn has_export(engine: &Engine, component: &Component, interface: &str) -> bool {
    let name = format!("{PACKAGE}{interface}{PACKAGE_VERSION}");
    component.component_type().exports(engine).any(|(exported, _)| exported == name)
}

enum World {
    Personality,
    Template,
}

const PACKAGE: &str = "mimus:plugin/";
const PACKAGE_VERSION: &str = "@0.1.0";

fn world_of(engine: &Engine, component: &Component) -> Result<World, LoadError> {
    let exports: Vec<String> = component.component_type().exports(engine).map(|(name, _)| name.to_owned()).collect();
    let has = |interface: &str| exports.iter().any(|name| *name == format!("{PACKAGE}{interface}{PACKAGE_VERSION}"));
    if has("dialect") {
        return Ok(World::Personality);
    }
    if has("prompt-format") {
        return Ok(World::Template);
    }
    let newer = exports.iter().find(|name| name.starts_with(PACKAGE));
    Err(LoadError(match newer {
        Some(name) => format!("made for another version of the contract: exports `{name}`, this server has {PACKAGE_VERSION}"),
        None => "neither a personality nor a template: it exports neither `mimus:plugin/dialect` nor `mimus:plugin/prompt-format`".into(),
    }))
}

/// The grantable interfaces that a component imports.
fn imports_of(engine: &Engine, component: &Component) -> BTreeSet<String> {
    component
        .component_type()
        .imports(engine)
        .filter_map(|(name, _)| name.strip_prefix(PACKAGE)?.strip_suffix(PACKAGE_VERSION).map(str::to_owned))
        .filter(|name| GRANTS.contains(&name.as_str()))
        .collect()
}

fn identity(name: &str, config: &PluginConfig) -> Identity {
    Identity {
        name: name.to_owned(),
        settings: config.settings.iter().map(|(key, value)| (key.clone(), value.to_string())).collect(),
        log: LogGate::new(name),
        memory_bytes_max: config.memory_bytes_max(),
    }
}

/// Drives a probe on this thread, which is never one of the executor's.
fn run_probe<T>(probe: impl Future<Output = Result<T, LoadError>>) -> Result<T, LoadError> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .map_err(|error| LoadError(format!("cannot start the probe: {error}")))?;
    runtime.block_on(async {
        tokio::time::timeout(Duration::from_millis(limits::PROBE_MS), probe)
            .await
            .unwrap_or_else(|_| Err(LoadError(format!("the probe took longer than {} ms", limits::PROBE_MS))))
    })
}

fn failed(step: &str, error: &wasmtime::Error) -> LoadError {
    LoadError(format!("{step}: the plugin {}", classify(error, false)))
}

fn wrong_world(error: &wasmtime::Error) -> String {
    format!("does not fit the contract: {error:#}").chars().take(500).collect()
}
