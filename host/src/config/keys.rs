//! Every key there is, in one table: what the file may hold, what the example shows.

use std::fmt::Write;

/// One key of a section.
pub struct Key {
    /// Its name.
    pub name: &'static str,
    /// Its default, or an example of a value, as TOML.
    pub value: &'static str,
    /// What it is for.
    pub about: &'static str,
}

/// A table of the file.
pub struct Section {
    /// `server`, or `plugin` for the tables `[plugin.<name>]`.
    pub name: &'static str,
    /// The header that the example shows.
    pub header: &'static str,
    /// What it is for.
    pub about: &'static str,
    /// Whether the keys stand one level deeper, below a name that the operator chooses.
    pub is_named: bool,
    /// Its keys.
    pub keys: &'static [Key],
}

const fn key(name: &'static str, value: &'static str, about: &'static str) -> Key {
    Key { name, value, about }
}

/// All sections, in the order of the example.
pub const SECTIONS: [Section; 9] = [
    Section {
        name: "server",
        header: "server",
        about: "The server itself.",
        is_named: false,
        keys: &[
            key("listen", "\"127.0.0.1:8080\"", "Address and port of the main listener."),
            key(
                "ports",
                "\"mounted\"",
                "\"conventional\" also gives each dialect a listener of its own, on the port its clients expect.",
            ),
            key(
                "api_keys",
                "[]",
                "SHA-256 digests of the keys that clients send, 64 hexadecimal digits each: `printf %s KEY | sha256sum`.",
            ),
            key("public", "false", "Let other machines use the server without a key."),
            key(
                "data",
                "\"~/.local/share/mimus\"",
                "Folder for state and blobs. \":memory:\" keeps them in memory, where they are lost with the server.",
            ),
            key("cache", "\"~/.cache/mimus\"", "Folder for compiled plugins. Only the server's user may enter it."),
            key("plugins", "\"~/.local/share/mimus/plugins\"", "Folder of plugins. A file put there serves at once."),
            key(
                "models",
                "\"~/.local/share/mimus/models\"",
                "Folder of models: folders with config.json and safetensors, packages of picture models, GGUF and ONNX files, at any depth up to 6.",
            ),
            key("builtin_models", "true", "Load the small models that come with the server."),
            key(
                "order",
                "[]",
                "Plugins in the order in which they win when they claim the same path; others follow by name.",
            ),
            key("drain_s", "30", "Seconds for requests in flight when the server stops."),
            key("log", "\"text\"", "\"text\" or \"json\", to standard error."),
            key("log_level", "\"info\"", "\"error\", \"warn\", \"info\", \"debug\" or \"trace\"."),
        ],
    },
    Section {
        name: "http",
        header: "http",
        about: "What holds for every dialect's HTTP.",
        is_named: false,
        keys: &[key(
            "cors_origins",
            "[\"*\"]",
            "Origins of web pages that may read what dialects answer, such as \"https://app.example\". \"*\" is every page, [] is none.",
        )],
    },
    Section {
        name: "engine",
        header: "engine",
        about: "What holds for every model that does not say otherwise.",
        is_named: false,
        keys: &[
            key("threads", "8", "Threads that compute, for each model. Default: as many as there are processors."),
            key("kv_mib", "1024", "MiB of memory for keys and values, for each model."),
            key("slots", "32", "Sequences that each model decodes together."),
            key("context_tokens", "32768", "Cuts the context of models that have a longer one. Default: no cut."),
            key("queue_requests", "1024", "Requests that may wait for a model; further ones are refused."),
            key("queue_wait_s", "30", "Seconds a request may wait."),
            key("batch_wait_ms", "2", "Milliseconds that a picture may wait for others to be computed with it."),
            key(
                "memory_mib",
                "16384",
                "MiB of memory that all models together may take; the one longest unused leaves for another. Default: 4/5 of the machine's.",
            ),
        ],
    },
    Section {
        name: "launch",
        header: "launch",
        about: "Launching models while the server runs.",
        is_named: false,
        keys: &[
            key("allow", "true", "Let clients launch and end models."),
            key("restore", "true", "Launch them again when the server starts."),
            key("folders", "[]", "Folders whose models clients may launch by their path, besides the models folder."),
        ],
    },
    Section {
        name: "hub",
        header: "hub",
        about: "Where models are downloaded from. A token for models that need one comes from HF_TOKEN, never from this file.",
        is_named: false,
        keys: &[
            key(
                "endpoint",
                "\"https://huggingface.co\"",
                "Address of the hub. HF_ENDPOINT in the environment goes before it.",
            ),
            key(
                "cache",
                "\"~/.cache/huggingface/hub\"",
                "Folder of what was downloaded, also by other programs. HF_HUB_CACHE and HF_HOME in the environment go before it.",
            ),
            key(
                "offline",
                "false",
                "Take what the cache has and ask no hub. HF_HUB_OFFLINE=1 in the environment says the same.",
            ),
            key("allow_pull", "true", "Let clients of the server make it download models."),
            key(
                "stall_s",
                "30",
                "Seconds without a byte after which a download is tried again, some times, and then given up.",
            ),
        ],
    },
    Section {
        name: "media",
        header: "media",
        about: "Pictures that clients name by an address.",
        is_named: false,
        keys: &[key(
            "allow",
            "[]",
            "Places from which the server fetches: \"images.example\", \"*.example\", \"*\" for every public host, \"http://10.0.0.5:8000\" for one inside.",
        )],
    },
    Section {
        name: "registry",
        header: "registry",
        about: "Families of models that can be launched.",
        is_named: false,
        keys: &[key(
            "files",
            "[\"families.toml\"]",
            "Files that add families or replace built-in ones. The folder registry in the data folder is read as well.",
        )],
    },
    Section {
        name: "plugin",
        header: "plugin.example",
        about: "One plugin, by its name.",
        is_named: true,
        keys: &[
            key("enabled", "true", "Whether it serves."),
            key(
                "port",
                "8000",
                "Port of a listener of its own. Default: none, or the conventional one with ports = \"conventional\".",
            ),
            key(
                "grants",
                "[\"websocket\", \"inference\", \"answers\", \"embeddings\", \"reranking\", \"media\", \"vision\", \"models\", \"registry\", \"launching\", \"machine\", \"state\", \"blobs\", \"log\", \"metrics\", \"config\", \"clock\", \"random\"]",
                "Interfaces of the host that it may use. Default: all.",
            ),
            key("memory_mib", "64", "MiB of memory that one request may use in it."),
            key("settings", "{}", "Settings of its own; its documentation names them."),
        ],
    },
    Section {
        name: "model",
        header: "model.\"family/example\"",
        about: "One model, by the name that clients use.",
        is_named: true,
        keys: &[
            key(
                "path",
                "\"models/example.gguf\"",
                "Its folder or GGUF file. Not needed for models in the models folder.",
            ),
            key("template", "\"chatml\"", "Prompt format. Default: the template that the model brings."),
            key("aliases", "[]", "Other names for it."),
            key("context_tokens", "32768", "Cuts its context."),
            key("slots", "32", "Sequences decoded together."),
            key("threads", "8", "Threads that compute."),
            key("kv_mib", "1024", "MiB of memory for keys and values."),
            key("replicas", "1", "Copies of it that share its requests."),
            key("requests_max", "64", "Requests at once; more are refused. Default: no such bound."),
            key("pinned", "false", "Keep it in memory when another model needs the room."),
        ],
    },
];

/// The section of that name.
pub fn section(name: &str) -> Option<&'static Section> {
    SECTIONS.iter().find(|section| section.name == name)
}

/// The candidate that is most like a word, if one is like it at all.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (strsim::damerau_levenshtein(word, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= candidate.len().div_ceil(3))
        .min()
        .map(|(_, candidate)| candidate)
}

/// See [`super::Config::example`].
pub fn example() -> String {
    let mut text = String::from(
        "# Configuration of Mimus. Every key is shown with its default, or with an example where there is none.\n\
         # Take away the # in front of what you change, and in front of its [section].\n",
    );
    for section in &SECTIONS {
        // Writing to a string cannot fail.
        let _ = write!(text, "\n# {}\n#[{}]\n", section.about, section.header);
        for key in section.keys {
            let _ = write!(text, "\n# {}\n#{} = {}\n", key.about, key.name, key.value);
        }
    }
    text
}
