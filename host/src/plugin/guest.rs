//! What a running guest owns on the host's side: its handles, its bounds, and the services it may call.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use super::fault::{CpuSpent, LimitPassed};
use super::imports::http::Repeat;
use crate::http::Keys;
use crate::inference::Inference;
use crate::limits;
use crate::media::Media;
use crate::model::{Catalog, Launcher};
use crate::state::{Blobs, Leases, Store as StateStore};
use crate::telemetry::{LogGate, Metrics};

/// Everything in the host that a personality can reach. One for the whole server.
pub struct Services {
    /// Models by name.
    pub catalog: Arc<Catalog>,
    /// Launches models.
    pub launcher: Arc<Launcher>,
    /// Who may come in.
    pub keys: Arc<Keys>,
    /// When the server started.
    pub started: Instant,
    /// Pictures.
    pub media: Arc<Media>,
    /// Generation of text.
    pub inference: Arc<Inference>,
    /// Key-value state of all plugins.
    pub store: Arc<StateStore>,
    /// Leases of all plugins.
    pub leases: Arc<Leases>,
    /// Large bytes.
    pub blobs: Arc<Blobs>,
    /// Figures.
    pub metrics: Arc<Metrics>,
    /// Turns of busy guests.
    pub turns: Arc<Semaphore>,
    /// Turns true when the server stops.
    pub stopping: watch::Receiver<bool>,
}

/// As many busy guests as leave a processor to the others, but one at least.
pub fn turns() -> Arc<Semaphore> {
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    Arc::new(Semaphore::new(processors.saturating_sub(1).max(1)))
}

/// What the host knows of the plugin that a guest runs.
pub struct Identity {
    /// The plugin's name, its key everywhere.
    pub name: String,
    /// Its settings, as JSON text by key.
    pub settings: BTreeMap<String, String>,
    /// Its share of the log.
    pub log: LogGate,
    /// Largest linear memory, in bytes.
    pub memory_bytes_max: usize,
}

/// The data of a guest's store.
pub struct Guest {
    /// Handles that the guest holds.
    pub table: ResourceTable,
    wasi: WasiCtx,
    /// The plugin.
    pub identity: Arc<Identity>,
    /// The host.
    pub services: Arc<Services>,
    /// Id of the request that the guest answers; empty in a probe.
    pub request_id: Arc<str>,
    /// Whose request it is: what one tenant asked must not show in the speed of another's answer.
    pub tenant: u64,
    /// Tokens that the request's generations may take, all together.
    pub work_tokens: u64,
    /// Pictures that the guest holds, and the bytes of their pixels.
    pub pictures: usize,
    /// See `pictures`.
    pub picture_bytes: usize,
    /// What goes on after the guest has returned.
    pub repeat: Option<Repeat>,
    is_memory_denied: bool,
    calls: u32,
    cpu_ticks: u64,
    cpu_ticks_max: u64,
    waited: Duration,
    turn: Turn,
}

/// The right of a busy guest to run on, from one tick of the clock to the next.
type Turn = Arc<Mutex<Option<OwnedSemaphorePermit>>>;

impl Guest {
    /// A guest without request: its handles are empty and its counters zero.
    pub fn new(identity: Arc<Identity>, services: Arc<Services>, request_id: Arc<str>) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits::GUEST_HANDLES_MAX);
        Guest {
            table,
            // No files, no network, no environment, no arguments; standard output goes nowhere, the log has its own interface.
            wasi: WasiCtxBuilder::new().build(),
            identity,
            services,
            request_id,
            tenant: 0,
            work_tokens: 0,
            pictures: 0,
            picture_bytes: 0,
            repeat: None,
            is_memory_denied: false,
            calls: 0,
            cpu_ticks: 0,
            cpu_ticks_max: limits::GUEST_CPU_MS.div_ceil(limits::EPOCH_TICK_MS),
            waited: Duration::ZERO,
            turn: Turn::default(),
        }
    }

    /// A store whose guest is bounded in memory, processor time, handles and bytes a call.
    pub fn into_store(self, engine: &Engine) -> Store<Guest> {
        let mut store = Store::new(engine, self);
        store.limiter(|guest| guest);
        store.set_hostcall_fuel(limits::HOSTCALL_BYTES_MAX);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(|mut store| store.data_mut().tick());
        store
    }

    /// Counts a call of the guest into the host.
    ///
    /// # Errors
    /// `LimitPassed`, which ends the guest, once there were too many.
    pub fn count_call(&mut self) -> wasmtime::Result<()> {
        self.calls += 1;
        if self.calls > limits::HOST_CALLS_MAX {
            return Err(LimitPassed(format!("{} host calls", limits::HOST_CALLS_MAX)).into());
        }
        Ok(())
    }

    /// Awaits something on the guest's behalf; the time does not count as the guest's own.
    pub async fn wait<T>(&mut self, event: impl Future<Output = T>) -> T {
        self.rest();
        let start = Instant::now();
        let result = event.await;
        self.add_wait(start.elapsed());
        result
    }

    /// Notes time that the guest spent waiting for the host.
    pub fn add_wait(&mut self, time: Duration) {
        self.waited += time;
    }

    /// Whether the guest was refused memory.
    pub fn is_memory_denied(&self) -> bool {
        self.is_memory_denied
    }

    /// Gives up the turn, if the guest has one. To be called before it waits for anything.
    pub fn rest(&mut self) {
        if self.cpu_ticks >= limits::GUEST_CPU_TICKS_FREE {
            *self.turn.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Called at the guest's first epoch check after a tick of the clock. A tick that the guest mostly spent waiting for the host
    /// is not charged; a spinning guest is charged each tick it is given and yields to others in between. Busy guests take turns on a
    /// part of the processors, so that however many spin, the others' requests find a thread that is free.
    fn tick(&mut self) -> wasmtime::Result<UpdateDeadline> {
        let waited = std::mem::take(&mut self.waited);
        if waited < Duration::from_millis(limits::EPOCH_TICK_MS) / 2 {
            self.cpu_ticks += 1;
        }
        if self.cpu_ticks > self.cpu_ticks_max {
            return Err(CpuSpent.into());
        }
        if self.cpu_ticks < limits::GUEST_CPU_TICKS_FREE {
            return Ok(UpdateDeadline::Yield(1));
        }
        self.rest();
        let (turns, turn) = (self.services.turns.clone(), self.turn.clone());
        let next = async move {
            // The semaphore is never closed, and would only let the guest run on if it were.
            let permit = turns.acquire_owned().await.ok();
            *turn.lock().unwrap_or_else(PoisonError::into_inner) = permit;
        };
        Ok(UpdateDeadline::YieldCustom(1, Box::pin(next)))
    }
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

impl ResourceLimiter for Guest {
    fn memory_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        let is_granted = desired <= self.identity.memory_bytes_max;
        self.is_memory_denied |= !is_granted;
        Ok(is_granted)
    }

    fn table_growing(&mut self, _current: usize, desired: usize, _maximum: Option<usize>) -> wasmtime::Result<bool> {
        Ok(desired <= limits::GUEST_TABLE_ELEMENTS)
    }
}
