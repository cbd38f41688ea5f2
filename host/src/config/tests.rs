use super::*;

const DIGEST: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

fn environment() -> Environment {
    let folder = |path: &str| Some(PathBuf::from(path));
    Environment {
        data_home: folder("/data-home"),
        cache_home: folder("/cache-home"),
        home: folder("/of-user"),
        ..Environment::default()
    }
}

fn config(text: &str) -> Result<Config, ConfigError> {
    Config::from_text(Some((text, Path::new("conf/mimus.toml"))), &Overrides::default(), &environment())
}

#[track_caller]
fn refused(text: &str, message: &str) {
    assert_eq!(config(text).expect_err("refused").to_string(), message);
}

#[test]
fn without_a_file_everything_has_a_default() {
    let config = Config::from_text(None, &Overrides::default(), &environment()).expect("good");
    assert_eq!(config.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.ports, Ports::Mounted);
    assert_eq!(config.data.as_deref(), Some(Path::new("/data-home/mimus")));
    assert_eq!(config.cache, Path::new("/cache-home/mimus"));
    assert_eq!((&config.plugins, &config.models), (&None, &None), "the default folders are not there");
    assert_eq!(config.drain, Duration::from_secs(30));
    assert_eq!((config.log, config.log_level), (LogFormat::Text, LogLevel::Info));
    assert_eq!(config.plugin("any"), PluginConfig::default());
    assert_eq!(config.plugin("any").memory_bytes_max(), limits::GUEST_MEMORY_BYTES_MAX);
    assert!(config.has_builtin_models && config.api_keys.is_empty() && !config.is_public);
}

#[test]
fn the_example_shows_the_defaults_and_parses() {
    let example = Config::example();
    let config = config(&example).expect("all comments");
    assert_eq!(config.describe(), self::config("").expect("empty").describe());
    let keys = |line: &&str| line.starts_with('#') && !line.starts_with("# ");
    let text: String = example.lines().filter(keys).map(|line| format!("{}\n", &line[1..])).collect();
    let config = self::config(&text).expect("every key, with its default or an example");
    assert_eq!(config.plugin["example"].grants, GRANTS);
    assert_eq!(config.model["family/example"].path.as_deref(), Some(Path::new("conf/models/example.gguf")));
    assert_eq!(config.data.as_deref(), Some(Path::new("/of-user/.local/share/mimus")));
    for section in &keys::SECTIONS {
        for key in section.keys {
            assert!(text.contains(&format!("\n{} = ", key.name)), "{} is not in the example", key.name);
        }
    }
}

#[test]
fn what_the_file_says_is_read() {
    let text = format!(
        r#"
        [server]
        listen = "localhost:9000"
        ports = "conventional"
        api_keys = ["{DIGEST}"]
        data = ":memory:"
        cache = "cache"
        plugins = "/plugins"
        order = ["b", "a"]
        drain_s = 5
        log = "json"
        log_level = "debug"
        [engine]
        queue_wait_s = 3
        [registry]
        files = ["families.toml"]
        [plugin.echo]
        enabled = false
        port = 9001
        grants = ["log"]
        memory_mib = 128
        [plugin.echo.settings]
        text = "yes"
        nested = {{ list = [1, 2.5, true] }}
        when = 2026-01-02
        [model."owner/name"]
        path = "~/name"
        aliases = ["short"]
        context_tokens = 4096
        "#
    );
    let config = config(&text).expect("good");
    assert_eq!(config.listen.to_string(), "127.0.0.1:9000");
    assert_eq!(config.api_keys[0][..2], [0x9f, 0x86]);
    assert_eq!((config.data.clone(), &*config.cache), (None, Path::new("conf/cache")));
    assert_eq!(config.plugins.as_deref(), Some(Path::new("/plugins")));
    assert_eq!(config.order, ["b", "a"]);
    assert_eq!(config.engine.queue_wait, Some(Duration::from_secs(3)));
    assert_eq!(config.registry_files, [Path::new("conf/families.toml")]);
    let plugin = config.plugin("echo");
    assert!(!plugin.is_enabled);
    assert_eq!((plugin.port, plugin.memory_bytes_max()), (Some(9001), 128 << 20));
    let settings = serde_json::to_string(&plugin.settings).expect("JSON");
    assert_eq!(settings, r#"{"nested":{"list":[1,2.5,true]},"text":"yes","when":"2026-01-02"}"#);
    let model = &config.model["owner/name"];
    assert_eq!(model.path.as_deref(), Some(Path::new("/of-user/name")));
    assert_eq!((&model.aliases[..], model.context_tokens), (&["short".to_owned()][..], Some(4096)));
    let described = config.describe();
    for line in [
        "server.listen = 127.0.0.1:9000  (mimus.toml:3)",
        "server.public = false  (default)",
        "plugin.echo.settings = 3 settings  (mimus.toml:22)",
        "model.owner/name.context_tokens = 4096  (mimus.toml:29)",
    ] {
        assert!(described.lines().any(|other| other == line), "no `{line}` in\n{described}");
    }
    assert!(!described.contains("9f86") && !described.contains("yes"), "secrets are not shown");
}

#[test]
fn the_command_line_goes_before_the_file() {
    let overrides = Overrides {
        listen: Some("127.0.0.1:0".into()),
        data: Some("here".into()),
        log_level: Some(LogLevel::Warn),
        ..Overrides::default()
    };
    let text = "[server]\nlisten = \"127.0.0.1:1\"\nlog_level = \"debug\"\n";
    let config = Config::from_text(Some((text, Path::new("mimus.toml"))), &overrides, &environment()).expect("good");
    assert_eq!(config.listen.port(), 0);
    assert_eq!(config.data.as_deref(), Some(Path::new("here")), "the command line's paths start in the working folder");
    assert!(config.describe().contains("server.log_level = warn  (--log-level)"), "{}", config.describe());
}

#[test]
fn unknown_keys_are_refused_with_the_nearest_right_one() {
    refused("[server]\n\nplugns = \"x\"", "mimus.toml:3: unknown key `plugns` in [server], did you mean `plugins`?");
    refused("[sever]\n", "mimus.toml:1: unknown key `sever`, did you mean `server`?");
    refused("listen = \"x\"", "mimus.toml:1: unknown key `listen`, it belongs in [server]");
    refused("[engine]\ndrain_s = 1", "mimus.toml:2: unknown key `drain_s` in [engine], it belongs in [server]");
    refused("[plugin.a]\ngrant = []", "mimus.toml:2: unknown key `grant` in [plugin.a], did you mean `grants`?");
    refused("[model.\"a/b\"]\nzzz = 1", "mimus.toml:2: unknown key `zzz` in [model.a/b]");
}

#[test]
fn bad_values_are_refused_with_their_place() {
    refused(
        "[server]\nlisten = \"8080\"",
        "mimus.toml:2: server.listen: `8080` is no address with a port such as 127.0.0.1:8080",
    );
    refused(
        "[server]\napi_keys = [\"secret\"]",
        "mimus.toml:2: server.api_keys: a digest has 64 hexadecimal digits (make it with: printf %s KEY | sha256sum)",
    );
    refused("[server]\ndrain_s = 3601", "mimus.toml:2: server.drain_s: 3601 is not 0 to 3600");
    refused("[server]\norder = [\"a\", \"a\"]", "mimus.toml:2: server.order: `a` is there twice");
    refused(
        "[http]\ncors_origins = [\"null\"]",
        "mimus.toml:2: http.cors_origins: `null` is no origin such as https://app.example, in lower case and without a path",
    );
    refused(
        "[http]\ncors_origins = [\"*\", \"https://a.test\"]",
        "mimus.toml:2: http.cors_origins: `*` is every origin already and stands alone",
    );
    refused("[engine]\nslots = 0", "mimus.toml:2: engine.slots: 0 is not 1 to 4096");
    refused("[plugin.Echo]\n", "mimus.toml:1: plugin.Echo: `Echo` is no plugin's name: [a-z][a-z0-9-]{0,31}");
    refused(
        "[plugin.a]\ngrants = [\"inferense\"]",
        "mimus.toml:2: plugin.a.grants: no interface is called `inferense`, did you mean `inference`?",
    );
    refused("[plugin.a]\nmemory_mib = 513", "mimus.toml:2: plugin.a.memory_mib: 513 is not 1 to 512");
    refused("[plugin.a]\nport = 8080", "mimus.toml:2: plugin.a.port: 8080 is the port of server.listen already");
    refused("[plugin.a.settings]\nx = nan", "mimus.toml:1: plugin.a.settings: `x` holds a number that is none");
    refused(
        "[model.a]\naliases = [\"b\"]\n[model.b]\n",
        "mimus.toml:2: model.a.aliases: `b` is the name of another model",
    );
    let error = config("[server]\ndrain_s = \"x\"").expect_err("refused").to_string();
    assert!(error.starts_with("mimus.toml:2: invalid type: string"), "{error}");
    let error = config("[server]\nports = \"all\"").expect_err("refused").to_string();
    assert!(error.starts_with("mimus.toml:2: unknown variant `all`, expected `mounted` or `conventional`"), "{error}");
    let error = config("[server\n").expect_err("refused").to_string();
    assert!(error.starts_with("mimus.toml:1: "), "{error}");
}

#[test]
fn strangers_are_let_in_only_on_purpose() {
    let open = "[server]\nlisten = \"0.0.0.0:8080\"\n";
    let error = config(open).expect_err("refused").to_string();
    assert!(error.contains("api_keys") && error.contains("public = true") && error.contains("--public"), "{error}");
    assert!(config(&format!("{open}public = true")).expect("on purpose").is_public);
    config(&format!("{open}api_keys = [\"{DIGEST}\"]")).expect("with a key");
    config("[server]\nlisten = \"[::1]:8080\"").expect("loopback");
    let overrides = Overrides { public: true, ..Overrides::default() };
    Config::from_text(Some((open, Path::new("mimus.toml"))), &overrides, &environment()).expect("on purpose");
}

#[test]
fn a_file_that_is_named_must_be_there() {
    let error = Config::load(Some(Path::new("no/such/file.toml")), &Overrides::default()).expect_err("refused");
    assert!(error.to_string().starts_with("no/such/file.toml: cannot be read: "), "{error}");
}

#[test]
fn a_user_without_a_home_must_say_where_the_cache_is() {
    let error = Config::from_text(None, &Overrides::default(), &Environment::default()).expect_err("refused");
    assert!(error.to_string().contains("--cache"), "{error}");
    let overrides = Overrides { cache: Some("cache".into()), ..Overrides::default() };
    let config = Config::from_text(None, &overrides, &Environment::default()).expect("good");
    assert_eq!(config.data, None);
}
