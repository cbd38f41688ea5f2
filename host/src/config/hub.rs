//! `[hub]`, and what the environment says of hubs: the variables are those of the hub's own tools, so that people set them once.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::sources::{Environment, Sources};
use super::{Config, ConfigError, check, file};
use crate::limits;

/// The hub that most models are on.
const ENDPOINT: &str = "https://huggingface.co";

/// Where models are downloaded from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HubConfig {
    /// Address of the hub.
    pub endpoint: String,
    /// Folder of what was downloaded, in the layout that other programs share.
    pub cache: PathBuf,
    /// Who we are to the hub.
    pub token: Option<Token>,
    /// Only what the cache has.
    pub is_offline: bool,
    /// Whether clients of the server may make it download.
    pub allows_pull: bool,
    /// Longest silence of the hub.
    pub stall: Duration,
    /// Address of the proxy by which other networks are reached.
    pub proxy: Option<String>,
}

/// A secret that opens the hub. Neither shown nor logged.
#[derive(Clone, PartialEq, Eq)]
pub struct Token(String);

impl Token {
    /// The secret itself.
    pub fn secret(&self) -> &str {
        &self.0
    }

    fn new(text: &str) -> Option<Token> {
        let text = text.trim();
        (!text.is_empty()).then(|| Token(text.to_owned()))
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

/// What the environment says of the hub.
#[derive(Clone, Debug, Default)]
pub struct HubEnvironment {
    /// `HF_ENDPOINT`.
    pub endpoint: Option<String>,
    /// The folder that `HF_HUB_CACHE`, `HUGGINGFACE_HUB_CACHE` or `HF_HOME` names, with the variable.
    pub cache: Option<(&'static str, PathBuf)>,
    /// `HF_TOKEN`, else the file that the hub's login writes.
    pub token: Option<Token>,
    /// `HF_HUB_OFFLINE`.
    pub is_offline: bool,
    /// `HTTPS_PROXY`, else `ALL_PROXY`.
    pub proxy: Option<String>,
}

impl HubEnvironment {
    /// This process's environment.
    pub fn read() -> HubEnvironment {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
        let folder = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let is_set = |name: &str| variable(name).is_some_and(|value| is_true(&value));
        let home = folder("HF_HOME");
        let cache = ["HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE"].into_iter().find_map(|name| Some((name, folder(name)?)));
        let below = |home: PathBuf, path: &str| home.join(path);
        let default_home = || {
            let cache = folder("XDG_CACHE_HOME").or_else(|| folder("HOME").map(|home| below(home, ".cache")))?;
            Some(below(cache, "huggingface"))
        };
        let token_file = || {
            let path = folder("HF_TOKEN_PATH").or_else(|| Some(below(home.clone().or_else(default_home)?, "token")))?;
            let mut text = String::new();
            std::fs::File::open(path).ok()?.take(limits::HUB_TOKEN_BYTES_MAX).read_to_string(&mut text).ok()?;
            Token::new(&text)
        };
        HubEnvironment {
            endpoint: variable("HF_ENDPOINT"),
            cache: cache.or_else(|| Some(("HF_HOME", below(home.clone()?, "hub")))),
            token: match is_set("HF_HUB_DISABLE_IMPLICIT_TOKEN") {
                true => None,
                false => variable("HF_TOKEN").and_then(|token| Token::new(&token)).or_else(token_file),
            },
            is_offline: is_set("HF_HUB_OFFLINE"),
            proxy: ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"].into_iter().find_map(variable),
        }
    }
}

/// As the hub's own tools read their switches.
fn is_true(value: &str) -> bool {
    ["1", "ON", "YES", "TRUE"].contains(&value.to_uppercase().as_str())
}

/// Puts environment, file and defaults together. `cache`: the server's own cache, for a user without a home.
pub fn resolve(
    file: file::Hub,
    sources: &mut Sources,
    inside: impl Fn(PathBuf) -> PathBuf,
    environment: &Environment,
    cache: &Path,
) -> HubConfig {
    let said = &environment.hub;
    let endpoint = said.endpoint.clone().map(|endpoint| ("HF_ENDPOINT", endpoint));
    let endpoint = sources.choose_variable("hub.endpoint", endpoint, file.endpoint);
    let folder = sources.choose_variable("hub.cache", said.cache.clone(), file.cache.map(inside));
    let offline = said.is_offline.then_some(("HF_HUB_OFFLINE", true));
    let stall_s = sources.choose("hub.stall_s", None, file.stall_s);
    HubConfig {
        endpoint: endpoint.unwrap_or_else(|| ENDPOINT.to_owned()),
        cache: folder
            .or_else(|| environment.cache_home.as_ref().map(|home| home.join("huggingface/hub")))
            .unwrap_or_else(|| cache.join("hub")),
        token: said.token.clone(),
        is_offline: sources.choose_variable("hub.offline", offline, file.offline).unwrap_or(false),
        allows_pull: sources.choose("hub.allow_pull", None, file.allow_pull).unwrap_or(true),
        stall: stall_s.map_or(Duration::from_millis(limits::HUB_STALL_MS), Duration::from_secs),
        proxy: said.proxy.clone(),
    }
}

/// Refuses what is no hub.
pub fn check(config: &Config) -> Result<(), ConfigError> {
    let endpoint = &config.hub.endpoint;
    let rest = ["https://", "http://"].into_iter().find_map(|scheme| endpoint.strip_prefix(scheme));
    if rest.is_none_or(|rest| rest.is_empty() || rest.starts_with('/')) {
        let reason = format!("`{}` is no address such as {ENDPOINT}", endpoint.escape_debug());
        return Err(config.wrong("hub.endpoint", reason));
    }
    check::within(config, "hub.stall_s", Some(config.hub.stall.as_secs()), 1, 3_600)
}

impl HubConfig {
    /// Every value by its key. The token is not shown.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        vec![
            ("hub.endpoint", self.endpoint.clone()),
            ("hub.cache", self.cache.display().to_string()),
            ("hub.offline", self.is_offline.to_string()),
            ("hub.allow_pull", self.allows_pull.to_string()),
            ("hub.stall_s", self.stall.as_secs().to_string()),
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Overrides;

    fn config(text: &str, hub: HubEnvironment) -> Result<Config, ConfigError> {
        let folder = |path: &str| Some(PathBuf::from(path));
        let environment = Environment { cache_home: folder("/cache-home"), hub, ..Environment::default() };
        Config::from_text(Some((text, Path::new("conf/mimus.toml"))), &Overrides::default(), &environment)
    }

    #[test]
    fn the_environment_goes_before_the_file() {
        let text = "[hub]\nendpoint = \"https://hub.example\"\ncache = \"models\"\nallow_pull = false\nstall_s = 5\n";
        let said = config(text, HubEnvironment::default()).expect("good").hub;
        assert_eq!((said.endpoint.as_str(), said.cache.as_path()), ("https://hub.example", Path::new("conf/models")));
        assert_eq!((said.is_offline, said.allows_pull, said.stall.as_secs()), (false, false, 5));
        let hub = HubEnvironment {
            endpoint: Some("http://127.0.0.1:1".into()),
            cache: Some(("HF_HOME", "/elsewhere/hub".into())),
            token: Token::new("hf_secret\n"),
            is_offline: true,
            proxy: None,
        };
        let config = config(text, hub).expect("good");
        let described = config.describe();
        for line in ["hub.endpoint = http://127.0.0.1:1  (HF_ENDPOINT)", "hub.cache = /elsewhere/hub  (HF_HOME)"] {
            assert!(described.lines().any(|other| other == line), "no `{line}` in\n{described}");
        }
        assert!(config.hub.is_offline);
        assert_eq!(config.hub.token.as_ref().map(Token::secret), Some("hf_secret"));
        assert!(!format!("{config:?}{described}").contains("hf_secret"), "the token is not shown");
    }

    #[test]
    fn without_a_word_the_cache_is_where_other_programs_have_it() {
        let said = config("", HubEnvironment::default()).expect("good").hub;
        assert_eq!(
            (said.endpoint.as_str(), said.cache.as_path()),
            (ENDPOINT, Path::new("/cache-home/huggingface/hub"))
        );
    }

    #[test]
    fn what_is_no_hub_is_refused() {
        for endpoint in ["hub.example", "ftp://hub.example", "https://", "http:///x"] {
            let text = format!("[hub]\nendpoint = \"{endpoint}\"\n");
            let error = config(&text, HubEnvironment::default()).expect_err(endpoint).to_string();
            assert!(error.starts_with("mimus.toml:2: hub.endpoint: "), "{error}");
        }
        assert!(config("[hub]\nstall_s = 0\n", HubEnvironment::default()).is_err());
    }
}
