//! The real server as a child process: its own folders, a free port, gone when the test ends.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Mutex, Weak, mpsc};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::client::{Answer, Connection};
use super::{PATIENCE, eventually, kept_folder};

/// How to start a server.
#[derive(Default)]
pub struct Setup {
    config: Option<String>,
    plugins: Vec<(String, Vec<u8>)>,
    arguments: Vec<String>,
}

impl Setup {
    /// The text of a configuration file.
    pub fn config(mut self, text: &str) -> Self {
        self.config = Some(text.to_owned());
        self
    }

    /// A file that lies in the plugins folder from the start.
    pub fn plugin(mut self, file: &str, bytes: &[u8]) -> Self {
        self.plugins.push((file.to_owned(), bytes.to_owned()));
        self
    }

    /// A further argument of `mimus serve`.
    pub fn argument(mut self, argument: &str) -> Self {
        self.arguments.push(argument.to_owned());
        self
    }

    /// Starts the server and waits until it is ready.
    pub fn start(self) -> Server {
        let folder = tempfile::Builder::new().prefix("mimus-test-").tempdir().expect("a temporary folder can be made");
        let plugins = folder.path().join("plugins");
        fs::create_dir(&plugins).expect("the temporary folder is writable");
        for (file, bytes) in &self.plugins {
            fs::write(plugins.join(file), bytes).expect("the plugins folder is writable");
        }
        let mut arguments = vec![OsString::from("--plugins"), plugins.clone().into_os_string()];
        if let Some(text) = &self.config {
            let file = folder.path().join("mimus.toml");
            fs::write(&file, text).expect("the temporary folder is writable");
            arguments.extend(["--config".into(), file.into_os_string()]);
        }
        arguments.extend(self.arguments.iter().map(OsString::from));
        let (child, listen, bases) = spawn(folder.path(), &arguments);
        let server = Server { child, listen, bases, plugins, folder, arguments };
        server.wait_until_ready();
        server
    }
}

/// Starts the server's process and waits until it listens.
fn spawn(folder: &Path, arguments: &[OsString]) -> (Child, SocketAddr, BTreeMap<String, String>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_mimus"));
    command.args(["serve", "--json", "--listen", "127.0.0.1:0"]);
    command.arg("--data").arg(folder.join("data"));
    command.arg("--cache").arg(kept_folder("component-cache"));
    command.args(arguments);
    // A working folder of its own, so that no configuration file of the developer is found.
    command.current_dir(folder).stdin(Stdio::null()).stdout(Stdio::piped());
    let log = folder.join("log");
    let log_file = File::options().create(true).append(true).open(&log).expect("the temporary folder is writable");
    command.stderr(log_file);
    let mut child = command.spawn().expect("the server's binary starts");
    let (listen, bases) = wait_until_it_listens(&mut child, &log);
    (child, listen, bases)
}

/// A running server. Killed when dropped; its log is shown when the test has failed.
pub struct Server {
    child: Child,
    /// Where the main listener is.
    pub listen: SocketAddr,
    /// Base URL by the dialect's name.
    pub bases: BTreeMap<String, String>,
    /// The watched folder.
    pub plugins: PathBuf,
    folder: TempDir,
    arguments: Vec<OsString>,
}

impl Server {
    /// A server without a configuration of its own.
    pub fn start() -> Self {
        Setup::default().start()
    }

    /// One server for all tests of a target that do not change it. It ends with the last test that holds it.
    pub fn shared() -> Arc<Self> {
        static SHARED: Mutex<Weak<Server>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        if let Some(server) = shared.upgrade() {
            return server;
        }
        let server = Arc::new(Self::start());
        *shared = Arc::downgrade(&server);
        server
    }

    fn wait_until_ready(&self) {
        eventually("the models are loaded", || (self.get("/readyz").status == 200).then_some(()));
    }

    /// Ends the process at once, as a crash does.
    pub fn kill(&mut self) {
        self.child.kill().expect("the server is our child");
        self.child.wait().expect("the server is our child");
    }

    /// Starts the server again on the same folders after it has ended, and waits until it is ready. The port is another one.
    pub fn start_again(&mut self) {
        (self.child, self.listen, self.bases) = spawn(self.folder.path(), &self.arguments);
        self.wait_until_ready();
    }

    /// Base URL of a dialect, as the server printed it.
    pub fn base(&self, dialect: &str) -> &str {
        self.bases.get(dialect).unwrap_or_else(|| panic!("no dialect {dialect} among {:?}", self.bases))
    }

    /// A new connection to the main listener.
    pub fn connect(&self) -> Connection {
        Connection::open(self.listen)
    }

    /// A request on a connection of its own.
    #[track_caller]
    pub fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        self.connect().request(method, path, headers, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// GET on a connection of its own.
    #[track_caller]
    pub fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], &[])
    }

    /// POST of JSON on a connection of its own.
    #[track_caller]
    pub fn post(&self, path: &str, body: &Value) -> Answer {
        self.request("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
    }

    /// POST of JSON; status and headers have been read when it returns, the body streams.
    pub fn open_stream(&self, path: &str, body: &Value) -> Connection {
        let mut connection = self.connect();
        connection
            .send("POST", path, &[("content-type", "application/json")], body.to_string().as_bytes())
            .expect("the request is sent");
        let head = connection.head().expect("the answer starts");
        assert_eq!(head.status, 200);
        connection
    }

    /// Puts a file into the plugins folder the way a careful operator does: under another name first, then renamed.
    pub fn install(&self, file: &str, bytes: &[u8]) {
        let unfinished = self.plugins.join(format!(".{file}.part"));
        fs::write(&unfinished, bytes).expect("the plugins folder is writable");
        fs::rename(unfinished, self.plugins.join(file)).expect("the plugins folder is writable");
    }

    /// Puts a file into the plugins folder the careless way, in place.
    pub fn overwrite(&self, file: &str, bytes: &[u8]) {
        fs::write(self.plugins.join(file), bytes).expect("the plugins folder is writable");
    }

    /// Deletes a file from the plugins folder.
    pub fn remove(&self, file: &str) {
        fs::remove_file(self.plugins.join(file)).expect("the plugin file is there");
    }

    /// What the server says of the plugin that serves under this name, as `mimus plugin list --json` prints it; none when there is
    /// none. Asked over HTTP, because tests ask often and a process each time would take the processor from what they wait for.
    pub fn plugin(&self, name: &str) -> Option<Value> {
        let listing = self.get("/_mimus/plugins").expect(200).json();
        let plugins = listing["plugins"].as_array().expect("a list of plugins").clone();
        let serves = |plugin: &Value| plugin["state"].as_str().is_some_and(|state| state.starts_with("active"));
        plugins.into_iter().find(|plugin| plugin["name"] == name && serves(plugin))
    }

    /// Runs another command of the server's binary against this server and returns the JSON it prints.
    pub fn command(&self, arguments: &[&str]) -> Value {
        let output = Command::new(env!("CARGO_BIN_EXE_mimus"))
            .args(arguments)
            .args(["--json", "--url", &format!("http://{}", self.listen)])
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .output()
            .expect("the server's binary starts");
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error} in {}", String::from_utf8_lossy(&output.stdout)))
    }

    /// One sample of `/metrics` by the text before its value.
    pub fn metric(&self, sample: &str) -> Option<f64> {
        let text = self.get("/metrics").expect(200).text();
        text.lines().find_map(|line| line.strip_prefix(sample)?.strip_prefix(' ')?.split(' ').next()?.parse().ok())
    }

    /// Memory of the process in KiB, as the kernel counts it.
    pub fn resident_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id())).expect("the server runs");
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("the kernel counts memory");
        line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number of KiB")
    }

    /// Asks the server to stop, as a supervisor does.
    pub fn terminate(&self) {
        let status = Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().expect("kill starts");
        assert!(status.success(), "the server takes signals");
    }

    /// Waits for the process to end.
    pub fn wait_for_exit(&mut self) -> ExitStatus {
        eventually("the server ends", || self.child.try_wait().expect("the server is our child"))
    }

    /// Whether the process still runs.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("the server is our child").is_none()
    }

    /// What the server has written to its log.
    pub fn log(&self) -> String {
        read_log(&self.folder.path().join("log"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Either fails only when the process has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("--- the end of the server's log ---\n{}", last_lines(&self.log()));
        }
    }
}

/// Reads the line in which the server says where it listens.
fn wait_until_it_listens(child: &mut Child, log: &Path) -> (SocketAddr, BTreeMap<String, String>) {
    let stdout = child.stdout.take().expect("standard output is piped");
    let (sender, receiver) = mpsc::channel();
    // Reads on until the end, so that the server never waits for a full pipe.
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if let Ok(event) = serde_json::from_str::<Value>(&line)
                && event["event"] == "ready"
            {
                // Fails only when the test has given up.
                let _ = sender.send(event);
            }
        }
    });
    let started = Instant::now();
    let event = loop {
        match receiver.recv_timeout(Duration::from_millis(50)) {
            Ok(event) => break event,
            Err(mpsc::RecvTimeoutError::Timeout) if started.elapsed() < 2 * PATIENCE => {}
            Err(reason) => {
                // Either fails only when the process has ended already.
                let _ = child.kill();
                let status = child.wait();
                panic!("the server did not get ready ({reason}, {status:?}):\n{}", read_log(log));
            }
        }
    };
    let address = event["listen"]
        .as_str()
        .and_then(|url| url.strip_prefix("http://"))
        .expect("the ready line names the listener");
    let dialects = event["dialects"].as_array().expect("the ready line names the dialects");
    let bases = dialects.iter().map(|dialect| (text(&dialect["name"]), text(&dialect["base_url"]))).collect();
    (address.parse().expect("an address and a port"), bases)
}

fn text(value: &Value) -> String {
    value.as_str().expect("a string").to_owned()
}

/// The end of a log, which is where the trouble is.
fn last_lines(log: &str) -> String {
    let lines: Vec<&str> = log.lines().collect();
    lines[lines.len().saturating_sub(40)..].join("\n")
}

fn read_log(path: &Path) -> String {
    let mut log = String::new();
    if let Ok(mut file) = File::open(path) {
        // A log that cannot be read is shown as far as it could.
        let _ = file.read_to_string(&mut log);
    }
    log
}
