//! The tables of the state file, and single changes to them inside a transaction.

use redb::{ReadableTable, TableDefinition, TableError, WriteTransaction};

use super::kv::StateError;
use crate::limits;

/// Plugin and key to version, expiry in ms since 1970 and value.
pub const ENTRIES: TableDefinition<(&str, &str), (u64, u64, &[u8])> = TableDefinition::new("entries");

/// Expiry, plugin and key, for the sweep. Only entries that expire are here.
const EXPIRY: TableDefinition<(u64, &str, &str), ()> = TableDefinition::new("expiry");

/// Plugin to bytes and entries.
const USAGE: TableDefinition<&str, (u64, u64)> = TableDefinition::new("usage");

/// Numbers of the whole store.
const NUMBERS: TableDefinition<&str, u64> = TableDefinition::new("numbers");

/// The last version that was given out. It only grows, so that a version names one content of one key for ever.
const LAST_VERSION: &str = "last-version";

/// Expiry of what does not expire.
pub const NEVER: u64 = u64::MAX;

/// One change.
#[derive(Debug)]
pub enum Change {
    /// Stores a value, if the key has the version `only_if`, where given.
    Put { plugin: String, key: String, value: Vec<u8>, expires_ms: u64, only_if: Option<u64> },
    /// Removes a key.
    Delete { plugin: String, key: String },
    /// Removes a batch of what has expired.
    Sweep,
}

/// How much one plugin may keep.
#[derive(Clone, Copy, Debug)]
pub struct Share {
    /// Bytes of keys and values together.
    pub bytes_max: u64,
    /// Entries.
    pub entries_max: u64,
}

/// When a change is made, and how much each plugin may keep.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Milliseconds since 1970.
    pub now_ms: u64,
    /// Each plugin's share.
    pub share: Share,
}

/// Makes one change. Returns the new version, 1 or 0 for whether something was deleted, or how many expired.
///
/// # Errors
/// Outside: the storage failed and the transaction is of no use. Inside: the change was refused and changed nothing.
pub fn apply(
    transaction: &WriteTransaction,
    change: &Change,
    terms: Terms,
) -> Result<Result<u64, StateError>, redb::Error> {
    match change {
        Change::Put { plugin, key, value, expires_ms, only_if } => {
            let entry = NewEntry { plugin, key, value, expires_ms: *expires_ms };
            put(transaction, &entry, *only_if, terms)
        }
        Change::Delete { plugin, key } => {
            let removed = remove(transaction, plugin, key)?;
            Ok(Ok(u64::from(removed.is_some_and(|removed| removed.expires_ms > terms.now_ms))))
        }
        Change::Sweep => sweep(transaction, terms.now_ms).map(Ok),
    }
}

/// Makes the tables, so that readers find them.
pub fn create(transaction: &WriteTransaction) -> Result<(), TableError> {
    transaction.open_table(ENTRIES)?;
    transaction.open_table(EXPIRY)?;
    transaction.open_table(USAGE)?;
    transaction.open_table(NUMBERS)?;
    Ok(())
}

struct NewEntry<'a> {
    plugin: &'a str,
    key: &'a str,
    value: &'a [u8],
    expires_ms: u64,
}

impl NewEntry<'_> {
    fn bytes(&self) -> u64 {
        (self.key.len() + self.value.len()) as u64
    }
}

/// What is known of an entry besides its value.
#[derive(Clone, Copy)]
struct Present {
    version: u64,
    expires_ms: u64,
    bytes: u64,
}

fn put(
    transaction: &WriteTransaction,
    entry: &NewEntry<'_>,
    only_if: Option<u64>,
    terms: Terms,
) -> Result<Result<u64, StateError>, redb::Error> {
    let present = present(transaction, entry.plugin, entry.key)?;
    let version = present.filter(|present| present.expires_ms > terms.now_ms).map_or(0, |present| present.version);
    if only_if.is_some_and(|wanted| wanted != version) {
        return Ok(Err(StateError::Conflict(version)));
    }
    if !has_room(transaction, entry, present, terms.share)? {
        // What is dead should not cost the living.
        while sweep(transaction, terms.now_ms)? > 0 {}
        let present = self::present(transaction, entry.plugin, entry.key)?;
        if !has_room(transaction, entry, present, terms.share)? {
            return Ok(Err(StateError::Full));
        }
    }
    remove(transaction, entry.plugin, entry.key)?;
    let mut numbers = transaction.open_table(NUMBERS)?;
    let version = numbers.get(LAST_VERSION)?.map_or(0, |last| last.value()) + 1;
    numbers.insert(LAST_VERSION, version)?;
    transaction.open_table(ENTRIES)?.insert((entry.plugin, entry.key), (version, entry.expires_ms, entry.value))?;
    if entry.expires_ms != NEVER {
        transaction.open_table(EXPIRY)?.insert((entry.expires_ms, entry.plugin, entry.key), ())?;
    }
    let (used, entries) = usage(transaction, entry.plugin)?;
    transaction.open_table(USAGE)?.insert(entry.plugin, (used + entry.bytes(), entries + 1))?;
    Ok(Ok(version))
}

fn has_room(
    transaction: &WriteTransaction,
    entry: &NewEntry<'_>,
    present: Option<Present>,
    share: Share,
) -> Result<bool, redb::Error> {
    let (used, entries) = usage(transaction, entry.plugin)?;
    let used = used.saturating_sub(present.map_or(0, |present| present.bytes));
    let entries = entries.saturating_sub(u64::from(present.is_some()));
    Ok(used + entry.bytes() <= share.bytes_max && entries < share.entries_max)
}

fn usage(transaction: &WriteTransaction, plugin: &str) -> Result<(u64, u64), redb::Error> {
    Ok(transaction.open_table(USAGE)?.get(plugin)?.map_or((0, 0), |usage| usage.value()))
}

fn present(transaction: &WriteTransaction, plugin: &str, key: &str) -> Result<Option<Present>, redb::Error> {
    let entries = transaction.open_table(ENTRIES)?;
    let guard = entries.get((plugin, key))?;
    Ok(guard.map(|guard| {
        let (version, expires_ms, value) = guard.value();
        Present { version, expires_ms, bytes: (key.len() + value.len()) as u64 }
    }))
}

/// Takes an entry out of all tables.
fn remove(transaction: &WriteTransaction, plugin: &str, key: &str) -> Result<Option<Present>, redb::Error> {
    let Some(present) = present(transaction, plugin, key)? else {
        return Ok(None);
    };
    transaction.open_table(ENTRIES)?.remove((plugin, key))?;
    if present.expires_ms != NEVER {
        transaction.open_table(EXPIRY)?.remove((present.expires_ms, plugin, key))?;
    }
    let (used, entries) = usage(transaction, plugin)?;
    let mut table = transaction.open_table(USAGE)?;
    if entries <= 1 {
        table.remove(plugin)?;
    } else {
        table.insert(plugin, (used.saturating_sub(present.bytes), entries - 1))?;
    }
    Ok(Some(present))
}

/// Removes at most [`limits::STATE_SWEEP_BATCH`] entries that have expired; returns how many.
fn sweep(transaction: &WriteTransaction, now_ms: u64) -> Result<u64, redb::Error> {
    let mut dead = Vec::new();
    {
        let mut table = transaction.open_table(EXPIRY)?;
        while dead.len() < limits::STATE_SWEEP_BATCH {
            // Taking rows out one by one also ends when a row names nothing.
            let first = table.first()?.map(|(key, _)| key.value().0);
            if first.is_none_or(|expires_ms| expires_ms > now_ms) {
                break;
            }
            if let Some((key, _)) = table.pop_first()? {
                let (_, plugin, key) = key.value();
                dead.push((plugin.to_owned(), key.to_owned()));
            }
        }
    }
    for (plugin, key) in &dead {
        remove(transaction, plugin, key)?;
    }
    Ok(dead.len() as u64)
}
