//! Pictures behind addresses: the one place from which a client can make the server ask another.
//!
//! An address is fetched when the operator's list has a place for it, and from a wildcard's place only when it leads to the public
//! internet: a name is resolved once, its addresses are checked, and the connection goes to one that was. Nothing is followed,
//! no proxy and no cookie is used, and time and size are bounded.

mod address;
mod network;
mod place;
mod resolver;

#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::Resolve;
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, HeaderMap, HeaderValue};
use reqwest::redirect::Policy;
use reqwest::{Client, Response, Url};
use tokio::sync::Semaphore;

use crate::{MediaError, limits};
use network::Network;
pub use place::{Place, PlaceError};
use resolver::{Checked, Lookup, Outside};

/// What may be fetched. Nothing by default.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FetchRules {
    /// Places that pictures may come from, at most [`limits::PLACES_MAX`].
    pub allow: Vec<Place>,
}

/// Why there is no [`Fetcher`]; for the operator.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FetcherError {
    /// The list of places is too long.
    #[error("{0} places to fetch from are too many: list at most {max}, or wildcards such as `*.example.com`", max = limits::PLACES_MAX)]
    Places(usize),
    /// TLS is not to be had.
    #[error("no addresses can be fetched: {0}; are the machine's certificates installed?")]
    Client(String),
}

/// Fetches files from addresses of clients.
#[derive(Debug)]
pub struct Fetcher {
    allow: Vec<Place>,
    bounds: Bounds,
    /// None when nothing may be fetched.
    clients: Option<Clients>,
    turns: Semaphore,
}

/// How long and how large. Tests have smaller ones.
#[derive(Clone, Copy, Debug)]
struct Bounds {
    connect: Duration,
    whole: Duration,
    bytes: usize,
}

const BOUNDS: Bounds = Bounds {
    connect: Duration::from_millis(limits::FETCH_CONNECT_MS),
    whole: Duration::from_millis(limits::FETCH_MS),
    bytes: limits::FETCH_BYTES_MAX,
};

/// One client for each network that a name may lead to.
#[derive(Debug)]
struct Clients {
    public: Client,
    private: Client,
}

impl Fetcher {
    /// A fetcher that keeps to these rules. Connects to nothing yet.
    ///
    /// # Errors
    /// When the list is too long, or there are no certificates to check hosts by.
    pub fn new(rules: FetchRules) -> Result<Fetcher, FetcherError> {
        Fetcher::build(rules, BOUNDS, Arc::new(Lookup))
    }

    fn build(rules: FetchRules, bounds: Bounds, names: Arc<dyn Resolve>) -> Result<Fetcher, FetcherError> {
        let allow = rules.allow;
        if allow.len() > limits::PLACES_MAX {
            return Err(FetcherError::Places(allow.len()));
        }
        let client = |network| client(bounds, Checked::new(names.clone(), network));
        let clients = match allow.is_empty() {
            true => None,
            false => Some(Clients { public: client(Network::Public)?, private: client(Network::Private)? }),
        };
        Ok(Fetcher { allow, bounds, clients, turns: Semaphore::new(limits::FETCHES_AT_ONCE) })
    }

    /// The file behind an address.
    ///
    /// # Errors
    /// `Refused` when the rules do not allow it, `TooLarge` when it is, `Empty` when there is nothing, `Unreachable` for all that may
    /// go wrong on the way. No message has an address of this network.
    pub async fn fetch(&self, url: &str) -> Result<Bytes, MediaError> {
        let Some(clients) = &self.clients else {
            let message = "this server fetches no addresses; send the picture itself as base64";
            return Err(MediaError::Refused(message.into()));
        };
        let url = address::parse(url)?;
        let client = match self.network_of(&url)? {
            Network::Public => &clients.public,
            Network::Private => &clients.private,
        };
        let work = async {
            let _turn = self.turns.acquire().await.expect("the semaphore is never closed");
            self.read(client, url).await
        };
        let late = || Err(unreachable(format!("it took more than {} s", self.bounds.whole.as_secs_f32())));
        tokio::time::timeout(self.bounds.whole, work).await.unwrap_or_else(|_| late())
    }

    /// Where an address may lead. A place that names the host may be in this network; a wildcard's must be public.
    fn network_of(&self, url: &Url) -> Result<Network, MediaError> {
        let mut places = self.allow.iter().filter(|place| place.admits(url)).peekable();
        if places.peek().is_none() {
            let message = "the address is none that this server fetches; send the picture itself as base64";
            return Err(MediaError::Refused(message.into()));
        }
        if places.any(Place::names_a_host) {
            return Ok(Network::Private);
        }
        // A name is looked at when it is resolved.
        match address::literal(url) {
            Some(literal) if !Network::Public.has(literal) => Err(leads_inside()),
            _ => Ok(Network::Public),
        }
    }

    async fn read(&self, client: &Client, url: Url) -> Result<Bytes, MediaError> {
        let mut response = client.get(url).send().await.map_err(failed)?;
        self.check_head(&response)?;
        let mut bytes = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if chunk.len() > self.bounds.bytes - bytes.len() {
                return Err(self.too_large());
            }
            bytes.extend_from_slice(&chunk);
        }
        if bytes.is_empty() { Err(MediaError::Empty) } else { Ok(bytes.freeze()) }
    }

    fn check_head(&self, response: &Response) -> Result<(), MediaError> {
        let status = response.status();
        if status.is_redirection() {
            return Err(unreachable("it redirects, which is not followed; send the address that it leads to"));
        }
        if !status.is_success() {
            return Err(unreachable(format!("it answered {}", status.as_u16())));
        }
        if response.headers().get(CONTENT_ENCODING).is_some_and(|encoding| encoding != "identity") {
            return Err(unreachable("it sent the file compressed, which was not asked for"));
        }
        match response.content_length() {
            Some(length) if length > self.bounds.bytes as u64 => Err(self.too_large()),
            _ => Ok(()),
        }
    }

    fn too_large(&self) -> MediaError {
        MediaError::TooLarge(format!("the file behind the address has more than {} MiB", self.bounds.bytes >> 20))
    }
}

fn client(bounds: Bounds, resolver: Checked) -> Result<Client, FetcherError> {
    let headers =
        [(ACCEPT, HeaderValue::from_static("image/*")), (ACCEPT_ENCODING, HeaderValue::from_static("identity"))];
    let client = Client::builder()
        .user_agent(concat!("mimus/", env!("CARGO_PKG_VERSION")))
        .default_headers(HeaderMap::from_iter(headers))
        .connect_timeout(bounds.connect)
        .timeout(bounds.whole)
        .redirect(Policy::none())
        .referer(false)
        .no_proxy()
        // A connection serves one request, so that each request goes where it was checked.
        .pool_max_idle_per_host(0)
        .dns_resolver(resolver)
        .build();
    client.map_err(|error| FetcherError::Client(error.to_string()))
}

/// Why a request came to nothing, without what only the operator should see.
fn failed(error: reqwest::Error) -> MediaError {
    let mut cause = std::error::Error::source(&error);
    while let Some(error) = cause {
        if error.is::<Outside>() {
            return leads_inside();
        }
        cause = error.source();
    }
    unreachable(match () {
        () if error.is_timeout() => "its host took too long",
        () if error.is_connect() => "its host cannot be reached",
        () => "its host broke off, or speaks no HTTP",
    })
}

fn leads_inside() -> MediaError {
    MediaError::Refused("the address leads into a network that is not public; send the picture itself as base64".into())
}

fn unreachable(reason: impl std::fmt::Display) -> MediaError {
    MediaError::Unreachable(format!("the address cannot be fetched: {reason}"))
}
