//! `clock`: time.

use std::sync::LazyLock;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::limits;
use crate::plugin::bindings::personality::mimus::plugin::clock as wit;
use crate::plugin::guest::Guest;

impl wit::Host for Guest {
    async fn sleep(&mut self, ms: u32) -> wasmtime::Result<()> {
        self.count_call()?;
        let time = Duration::from_millis(ms.min(limits::GUEST_WAIT_MS_MAX).into());
        self.wait(tokio::time::sleep(time)).await;
        Ok(())
    }

    fn now_ms(&mut self) -> wasmtime::Result<u64> {
        self.count_call()?;
        Ok(now_ms())
    }

    fn monotonic_us(&mut self) -> wasmtime::Result<u64> {
        self.count_call()?;
        static START: LazyLock<Instant> = LazyLock::new(Instant::now);
        Ok(u64::try_from(START.elapsed().as_micros()).unwrap_or(u64::MAX))
    }
}

/// Milliseconds since 1970.
pub fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}
