//! Leases: the sole right to something for as long as a request needs it.
//!
//! They live in memory: a server that ends holds no request that could still need one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::limits;

/// All leases of the server, each plugin's apart.
#[derive(Default)]
pub struct Leases {
    held: Arc<Held>,
}

/// The sole right to a key, until it is dropped; then the one who waited longest gets it.
pub struct Lease {
    // Given back first, so that a waiter finds the place still counted.
    _permit: OwnedSemaphorePermit,
    _place: Place,
}

/// Another request holds the lease, and did so for as long as was waited; or too many wait already.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lease is held by another request")]
pub struct Busy;

/// Plugin and key.
type Name = (String, String);

#[derive(Default)]
struct Held(Mutex<HashMap<Name, Queue>>);

/// Who holds or waits for one lease.
struct Queue {
    // Fair: permits go out in the order in which they were asked for.
    turn: Arc<Semaphore>,
    users: usize,
}

impl Leases {
    /// No leases.
    pub fn new() -> Leases {
        Leases::default()
    }

    /// Takes a plugin's lease of that key, waiting for it at most `wait`, bounded by [`limits::LEASE_WAIT_MS_MAX`]. Those who wait
    /// get it in their order; one who stops waiting leaves no trace.
    ///
    /// # Errors
    /// [`Busy`] when the time is over, and at once when [`limits::LEASE_WAITERS_MAX`] wait or [`limits::LEASES_MAX`] are held.
    pub async fn acquire(&self, plugin: &str, key: &str, wait: Duration) -> Result<Lease, Busy> {
        let (turn, place) = self.enter(plugin, key)?;
        // A lease that is free is taken without a timer.
        let permit = match turn.clone().try_acquire_owned() {
            Ok(permit) => permit,
            Err(_) => {
                let wait = wait.min(Duration::from_millis(limits::LEASE_WAIT_MS_MAX));
                match tokio::time::timeout(wait, turn.acquire_owned()).await {
                    Ok(Ok(permit)) => permit,
                    _ => return Err(Busy),
                }
            }
        };
        Ok(Lease { _permit: permit, _place: place })
    }

    fn enter(&self, plugin: &str, key: &str) -> Result<(Arc<Semaphore>, Place), Busy> {
        let name = (plugin.to_owned(), key.to_owned());
        let mut held = self.held.lock();
        let leases = held.len();
        let is_full = |queue: &Queue| queue.users > limits::LEASE_WAITERS_MAX;
        if held.get(&name).map_or(leases >= limits::LEASES_MAX, is_full) {
            return Err(Busy);
        }
        let queue = held.entry(name.clone()).or_insert_with(|| Queue { turn: Arc::new(Semaphore::new(1)), users: 0 });
        queue.users += 1;
        Ok((queue.turn.clone(), Place { held: self.held.clone(), name }))
    }
}

impl Held {
    fn lock(&self) -> MutexGuard<'_, HashMap<Name, Queue>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One user's place in a queue; the queue goes with its last user.
struct Place {
    held: Arc<Held>,
    name: Name,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut held = self.held.lock();
        if let Some(queue) = held.get_mut(&self.name) {
            queue.users -= 1;
            if queue.users == 0 {
                held.remove(&self.name);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(30);

    #[tokio::test]
    async fn a_lease_is_held_by_one_and_freed_by_dropping() {
        let leases = Leases::new();
        let first = leases.acquire("a", "key", Duration::ZERO).await.expect("free");
        assert_eq!(leases.acquire("a", "key", Duration::ZERO).await.err(), Some(Busy));
        let _other_key = leases.acquire("a", "other", Duration::ZERO).await.expect("another key");
        let _other_plugin = leases.acquire("b", "key", Duration::ZERO).await.expect("another plugin");
        drop(first);
        drop(leases.acquire("a", "key", Duration::ZERO).await.expect("free again"));
        drop((_other_key, _other_plugin));
        assert!(leases.held.lock().is_empty());
    }

    #[tokio::test]
    async fn waiters_come_in_their_order() {
        let leases = Arc::new(Leases::new());
        let first = leases.acquire("a", "key", Duration::ZERO).await.expect("free");
        let (sender, mut order) = tokio::sync::mpsc::unbounded_channel();
        for number in 0..8 {
            let task = {
                let (leases, sender) = (leases.clone(), sender.clone());
                async move {
                    let lease = leases.acquire("a", "key", LONG).await.expect("its turn comes");
                    sender.send(number).expect("the test listens");
                    drop(lease);
                }
            };
            tokio::spawn(task);
            while leases.held.lock()[&("a".to_owned(), "key".to_owned())].users < number + 2 {
                tokio::task::yield_now().await;
            }
        }
        drop(first);
        for number in 0..8 {
            assert_eq!(order.recv().await, Some(number));
        }
    }

    #[tokio::test]
    async fn one_who_stops_waiting_leaves_no_trace() {
        let leases = Arc::new(Leases::new());
        let first = leases.acquire("a", "key", Duration::ZERO).await.expect("free");
        let waiting = tokio::spawn({
            let leases = leases.clone();
            async move { leases.acquire("a", "key", LONG).await }
        });
        while leases.held.lock()[&("a".to_owned(), "key".to_owned())].users < 2 {
            tokio::task::yield_now().await;
        }
        waiting.abort();
        assert!(waiting.await.is_err_and(|error| error.is_cancelled()));
        drop(first);
        assert!(leases.held.lock().is_empty());
        leases.acquire("a", "key", Duration::ZERO).await.expect("free");
    }

    #[tokio::test]
    async fn waiters_are_bounded() {
        let leases = Leases::new();
        let _first = leases.acquire("a", "key", Duration::ZERO).await.expect("free");
        let places: Vec<_> = (0..limits::LEASE_WAITERS_MAX).map(|_| leases.enter("a", "key").expect("room")).collect();
        assert_eq!(leases.acquire("a", "key", LONG).await.err(), Some(Busy));
        drop(places);
        assert_eq!(leases.held.lock().len(), 1);
    }
}
