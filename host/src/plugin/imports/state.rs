//! `state`: what outlives a request.

use std::time::Duration;

use wasmtime::component::Resource;

use crate::limits;
use crate::plugin::bindings::personality::mimus::plugin::state as wit;
use crate::plugin::guest::Guest;
use crate::state::{Entry, Lease, StateError};

impl wit::Host for Guest {
    async fn get(&mut self, key: String) -> wasmtime::Result<Result<Option<wit::Entry>, wit::Error>> {
        self.count_call()?;
        let (store, identity) = (self.services.store.clone(), self.identity.clone());
        let entry = self.wait(store.get(&identity.name, &key)).await;
        Ok(entry.map(|entry| entry.map(|Entry { value, version }| wit::Entry { value, version })).map_err(to_wit))
    }

    async fn put(
        &mut self,
        key: String,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.count_call()?;
        let (store, identity) = (self.services.store.clone(), self.identity.clone());
        Ok(self.wait(store.put(&identity.name, &key, value, ttl(ttl_ms))).await.map_err(to_wit))
    }

    async fn compare_and_swap(
        &mut self,
        key: String,
        version: u64,
        value: Vec<u8>,
        ttl_ms: Option<u64>,
    ) -> wasmtime::Result<Result<u64, wit::Error>> {
        self.count_call()?;
        let (store, identity) = (self.services.store.clone(), self.identity.clone());
        Ok(self.wait(store.compare_and_swap(&identity.name, &key, version, value, ttl(ttl_ms))).await.map_err(to_wit))
    }

    async fn delete(&mut self, key: String) -> wasmtime::Result<Result<bool, wit::Error>> {
        self.count_call()?;
        let (store, identity) = (self.services.store.clone(), self.identity.clone());
        Ok(self.wait(store.delete(&identity.name, &key)).await.map_err(to_wit))
    }

    async fn list(
        &mut self,
        prefix: String,
        after: Option<String>,
        max: u32,
    ) -> wasmtime::Result<Result<Vec<String>, wit::Error>> {
        self.count_call()?;
        let (store, identity) = (self.services.store.clone(), self.identity.clone());
        Ok(self.wait(store.list(&identity.name, &prefix, after.as_deref(), max)).await.map_err(to_wit))
    }

    async fn acquire(&mut self, key: String, wait_ms: u32) -> wasmtime::Result<Result<Resource<Lease>, wit::Error>> {
        self.count_call()?;
        let (leases, identity) = (self.services.leases.clone(), self.identity.clone());
        let wait = Duration::from_millis(u64::from(wait_ms).min(limits::LEASE_WAIT_MS_MAX));
        match self.wait(leases.acquire(&identity.name, &key, wait)).await {
            Ok(lease) => Ok(Ok(self.table.push(lease)?)),
            Err(_) => Ok(Err(wit::Error::Busy)),
        }
    }
}

impl wit::HostLease for Guest {
    async fn drop(&mut self, lease: Resource<Lease>) -> wasmtime::Result<()> {
        self.table.delete(lease)?;
        Ok(())
    }
}

fn ttl(ttl_ms: Option<u64>) -> Option<Duration> {
    ttl_ms.map(|ms| Duration::from_millis(ms.min(limits::TTL_MS_MAX)))
}

fn to_wit(error: StateError) -> wit::Error {
    match error {
        StateError::TooLarge(which) => wit::Error::TooLarge(which),
        StateError::Full => wit::Error::Full,
        StateError::Conflict(version) => wit::Error::Conflict(version),
        StateError::Failed(why) => wit::Error::Failed(why),
    }
}
