//! From bytes to machine code: the compile cache, and the child process that compiles what a stranger wrote.

use std::fs;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sha2::{Digest, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::limits;

/// A plugin's content hash, 64 hexadecimal digits.
pub fn content_hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Why a component did not become machine code. The text is for the operator.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct CompileError(String);

impl CompileError {
    fn new(what: impl Into<String>) -> Self {
        CompileError(what.into())
    }
}

/// Turns components into machine code, each content once.
///
/// Machine code is loaded only from this cache, in a folder that only the server's user can enter: code from anywhere else could do
/// anything the server can.
pub struct Compiler {
    engine: Engine,
    folder: PathBuf,
}

/// Who does the compiling.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The bundle's own components: compiled in this process.
    Bundled,
    /// A file from the plugins folder: compiled at low priority in a child process with bounded time and memory.
    Foreign,
}

impl Compiler {
    /// A compiler that keeps its results below `cache`.
    ///
    /// # Errors
    /// When the folder cannot be made or is open to others.
    pub fn new(engine: Engine, cache: &Path) -> io::Result<Compiler> {
        let folder = cache.join("components");
        fs::create_dir_all(&folder)?;
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        Ok(Compiler { engine, folder })
    }

    /// The engine that runs what this compiles.
    pub fn engine(&self) -> &Engine {
        &self.engine
    }

    /// The component of these bytes, from the cache where it has been compiled before.
    ///
    /// # Errors
    /// When the bytes are no component, or compiling passed its bounds.
    pub fn component(&self, bytes: &[u8], hash: &str, trust: Trust) -> Result<Component, CompileError> {
        let path = self.folder.join(format!("{hash}-{}.cwasm", self.compatibility()));
        if path.is_file() {
            match self.load(&path) {
                Ok(component) => return Ok(component),
                Err(error) => tracing::warn!(%error, "a compiled plugin in the cache is unusable and is made anew"),
            }
        }
        match trust {
            Trust::Bundled => {
                let code = precompile(&self.engine, bytes)?;
                self.keep(&path, &code).map_err(|error| CompileError::new(format!("compile cache: {error}")))?;
            }
            Trust::Foreign => self.compile_in_child(bytes, &path)?,
        }
        self.load(&path)
    }

    /// A digest of everything on which machine code depends besides its source.
    fn compatibility(&self) -> String {
        struct Digested(Sha256);
        impl std::hash::Hasher for Digested {
            fn finish(&self) -> u64 {
                0
            }
            fn write(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }
        }
        let mut hasher = Digested(Sha256::new());
        std::hash::Hash::hash(&self.engine.precompile_compatibility_hash(), &mut hasher);
        hasher.0.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }

    #[allow(unsafe_code)]
    fn load(&self, path: &Path) -> Result<Component, CompileError> {
        // SAFETY: the file is machine code that this program wrote: it lies in a folder of mode 0700 that only `keep` and the
        // compiling child fill, under a name made of the source's hash and the engine's compatibility hash.
        unsafe { Component::deserialize_file(&self.engine, path) }
            .map_err(|error| CompileError::new(format!("compiled plugin: {error}")))
    }

    /// Writes beside and renames, so that a reader never sees half a file.
    fn keep(&self, path: &Path, code: &[u8]) -> io::Result<()> {
        let beside = self.beside();
        let mut file = fs::File::create(&beside)?;
        file.write_all(code)?;
        drop(file);
        fs::rename(&beside, path)
    }

    fn beside(&self) -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        self.folder.join(format!("new-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)))
    }

    fn compile_in_child(&self, bytes: &[u8], path: &Path) -> Result<(), CompileError> {
        let beside = self.beside();
        let result = run_child(bytes, &beside);
        let result = result.and_then(|()| {
            fs::rename(&beside, path).map_err(|error| CompileError::new(format!("compile cache: {error}")))
        });
        if result.is_err() {
            // The child may not have got as far as making the file.
            let _ = fs::remove_file(&beside);
        }
        result
    }
}

/// Runs this program as a compiler. The bytes go in by its standard input, the machine code comes out as `output`.
fn run_child(bytes: &[u8], output: &Path) -> Result<(), CompileError> {
    let failed = |what: &str, error: io::Error| CompileError::new(format!("{what}: {error}"));
    let program = std::env::current_exe().map_err(|error| failed("cannot find this program", error))?;
    let mut child = Command::new(program)
        .args(["plugin", "compile"])
        .arg(output)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| failed("cannot start the compiler", error))?;
    let mut input = child.stdin.take().expect("standard input was asked for");
    // A child that dies early closes the pipe; its message says why.
    let _ = input.write_all(bytes);
    drop(input);
    let deadline = Instant::now() + Duration::from_millis(limits::PLUGIN_COMPILE_WALL_MS);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(|error| failed("compiler", error))? {
            break status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return Err(CompileError::new(format!("compiling took longer than {} ms", limits::PLUGIN_COMPILE_WALL_MS)));
        }
        std::thread::sleep(Duration::from_millis(2));
    };
    if status.success() {
        return Ok(());
    }
    let mut message = String::new();
    if let Some(errors) = child.stderr.take() {
        let _ = errors.take(4 << 10).read_to_string(&mut message);
    }
    let message = message.trim();
    Err(CompileError::new(if message.is_empty() {
        format!("the compiler ended with {status}")
    } else {
        message.to_owned()
    }))
}

/// The child's work: standard input to machine code in `output`.
///
/// # Errors
/// When the input is no component or is too large.
pub fn compile_as_child(output: &Path) -> Result<(), CompileError> {
    restrain();
    let mut bytes = Vec::new();
    io::stdin()
        .take(limits::PLUGIN_FILE_BYTES_MAX as u64 + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| CompileError::new(error.to_string()))?;
    if bytes.len() > limits::PLUGIN_FILE_BYTES_MAX {
        return Err(CompileError::new(format!("larger than {} bytes", limits::PLUGIN_FILE_BYTES_MAX)));
    }
    let engine = Engine::new(&super::engine::config(&super::engine::pool_for_compiling()))
        .map_err(|error| CompileError::new(error.to_string()))?;
    let code = precompile(&engine, &bytes)?;
    fs::write(output, code).map_err(|error| CompileError::new(error.to_string()))
}

/// Lowers this process's priority and bounds its memory and processor time.
#[allow(unsafe_code)]
fn restrain() {
    let bound = |resource, most: u64| {
        let limit = libc::rlimit { rlim_cur: most, rlim_max: most };
        // SAFETY: the pointer is to a live rlimit on this stack frame; the call keeps nothing of it.
        unsafe { libc::setrlimit(resource, &limit) };
    };
    bound(libc::RLIMIT_DATA, limits::PLUGIN_COMPILE_BYTES_MAX);
    bound(libc::RLIMIT_CPU, limits::PLUGIN_COMPILE_MS.div_ceil(1000));
    bound(libc::RLIMIT_CORE, 0);
    // SAFETY: setpriority takes numbers only; 0 is this process.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 5) };
}

fn precompile(engine: &Engine, bytes: &[u8]) -> Result<Vec<u8>, CompileError> {
    if bytes.is_empty() {
        return Err(CompileError::new("the file is empty"));
    }
    match header_kind(bytes) {
        Kind::Component => {}
        Kind::Module => {
            return Err(CompileError::new(
                "this is a core WebAssembly module; build a component (target wasm32-wasip2)",
            ));
        }
        Kind::Other => return Err(CompileError::new("this is no WebAssembly component")),
    }
    engine.precompile_component(bytes).map_err(|error| CompileError::new(first_lines(&format!("{error:#}"))))
}

enum Kind {
    Component,
    Module,
    Other,
}

/// Tells by the header: magic, then version and layer.
fn header_kind(bytes: &[u8]) -> Kind {
    match bytes.get(..8) {
        Some([0, b'a', b's', b'm', _, _, 1, 0]) => Kind::Component,
        Some([0, b'a', b's', b'm', _, _, 0, 0]) => Kind::Module,
        _ => Kind::Other,
    }
}

fn first_lines(text: &str) -> String {
    text.lines().take(3).collect::<Vec<_>>().join("; ").chars().take(500).collect()
}
