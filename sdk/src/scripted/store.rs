//! State in memory, with versions, expiry and leases.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use crate::state::{Entry, Error};

#[derive(Default)]
pub(super) struct Store {
    entries: BTreeMap<String, (Entry, Option<u64>)>,
    leases: BTreeSet<String>,
    version: u64,
}

impl Store {
    pub(super) fn get(&self, key: &str, now_ms: u64) -> Result<Option<Entry>, Error> {
        check(key, 0)?;
        Ok(self.entries.get(key).filter(|entry| is_alive(entry, now_ms)).map(|(entry, _)| entry.clone()))
    }

    pub(super) fn put(&mut self, key: &str, value: &[u8], ttl_ms: Option<u64>, now_ms: u64) -> Result<u64, Error> {
        check(key, value.len())?;
        self.version += 1;
        let entry = Entry { value: value.into(), version: self.version };
        self.entries.insert(key.into(), (entry, ttl_ms.map(|ttl_ms| now_ms.saturating_add(ttl_ms))));
        Ok(self.version)
    }

    pub(super) fn delete(&mut self, key: &str, now_ms: u64) -> Result<bool, Error> {
        check(key, 0)?;
        Ok(self.entries.remove(key).is_some_and(|entry| is_alive(&entry, now_ms)))
    }

    pub(super) fn list(&self, prefix: &str, after: Option<&str>, max: u32, now_ms: u64) -> Vec<String> {
        let is_wanted = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let alive = self.entries.iter().filter(|(_, entry)| is_alive(entry, now_ms));
        alive.map(|(key, _)| key.clone()).filter(|key| is_wanted(key)).take(max as usize).collect()
    }

    pub(super) fn acquire(store: &Rc<RefCell<Store>>, key: &str) -> Result<Lease, Error> {
        if !store.borrow_mut().leases.insert(key.into()) {
            return Err(Error::Busy);
        }
        Ok(Lease { store: store.clone(), key: key.into() })
    }
}

fn is_alive((_, expires_ms): &(Entry, Option<u64>), now_ms: u64) -> bool {
    expires_ms.is_none_or(|expires_ms| now_ms < expires_ms)
}

fn check(key: &str, value_bytes: usize) -> Result<(), Error> {
    match key.len() {
        1..=512 if value_bytes <= 4 << 20 => Ok(()),
        1..=512 => Err(Error::TooLarge(format!("a value of {value_bytes} bytes"))),
        length => Err(Error::TooLarge(format!("a key of {length} bytes"))),
    }
}

pub(super) struct Lease {
    store: Rc<RefCell<Store>>,
    key: String,
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.store.borrow_mut().leases.remove(&self.key);
    }
}
