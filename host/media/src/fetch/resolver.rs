//! Names to addresses, each checked in the same step that the connection is made from.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::network::Network;

/// Asks the machine's resolver.
#[derive(Debug)]
pub struct Lookup;

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}

/// Leaves only addresses of one network. What asks it connects to what it gives: a name that changes afterwards changes nothing.
pub struct Checked {
    names: Arc<dyn Resolve>,
    network: Network,
}

/// A name has no address in the network that it must be in.
#[derive(Debug, thiserror::Error)]
#[error("the name leads outside its network")]
pub struct Outside;

impl Checked {
    /// Checks what `names` finds.
    pub fn new(names: Arc<dyn Resolve>, network: Network) -> Checked {
        Checked { names, network }
    }
}

impl Resolve for Checked {
    fn resolve(&self, name: Name) -> Resolving {
        let network = self.network;
        let found = self.names.resolve(name);
        Box::pin(async move {
            // The port is the address's own.
            let inside =
                found.await?.filter(|found| network.has(found.ip())).map(|found| SocketAddr::new(found.ip(), 0));
            let inside: Vec<SocketAddr> = inside.collect();
            if inside.is_empty() { Err(Outside.into()) } else { Ok(Box::new(inside.into_iter()) as Addrs) }
        })
    }
}
