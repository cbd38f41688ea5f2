//! The connection to a hub: how long it may be silent, and where it may lead us.
//!
//! A hub redirects to where the bytes are. It must not redirect into the network that this machine can see and strangers cannot, so
//! every address is checked when a name is resolved and when a redirect names one. A hub that is itself in that network is free to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{ACCEPT_ENCODING, AUTHORIZATION, HeaderMap, HeaderValue, LOCATION};
use reqwest::redirect::{Attempt, Policy};
use reqwest::{Client, Response, Url};

use super::HubError;
use crate::config::HubConfig;
use crate::limits;

/// A hub, as far as HTTP goes.
pub struct Remote {
    /// Follows redirects. Silence for as long as the configuration says is an error.
    pub client: Client,
    /// Follows none: what a hub says of a file stands beside its redirect.
    heads: Client,
    /// Without a slash at its end.
    pub endpoint: String,
    /// Longest silence.
    pub stall: Duration,
    headers: HeaderMap,
}

impl Remote {
    /// Prepares clients; connects to nothing yet.
    ///
    /// # Errors
    /// When the endpoint is no address, or there are no certificates to check it by.
    pub fn new(config: &HubConfig) -> Result<Remote, HubError> {
        let endpoint = config.endpoint.trim_end_matches('/').to_owned();
        let wrong = |reason: String| HubError::Unreachable { endpoint: endpoint.clone(), reason };
        let url = Url::parse(&endpoint).map_err(|error| wrong(error.to_string()))?;
        let proxy = config.proxy.as_deref().map(reqwest::Proxy::all).transpose();
        let proxy = proxy.map_err(|error| wrong(format!("the proxy is no address: {error}")))?;
        let proxy_host = config.proxy.as_deref().and_then(|proxy| Some(Url::parse(proxy).ok()?.host_str()?.to_owned()));
        let bounds = Arc::new(Bounds::new(&url, proxy_host));
        let mut headers = HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
        if let Some(token) = &config.token {
            let value = HeaderValue::from_str(&format!("Bearer {}", token.secret()));
            let mut value = value.map_err(|_| wrong("HF_TOKEN holds characters that no token has".into()))?;
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let build = |redirects: Policy| {
            let mut builder = Client::builder()
                .user_agent(concat!("mimus/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(config.stall.min(Duration::from_millis(limits::HUB_CONNECT_MS)))
                .read_timeout(config.stall)
                .dns_resolver(Resolver(bounds.clone()))
                .redirect(redirects)
                .no_proxy();
            // What is on this machine or beside it is not reached by way of a proxy.
            if let Some(proxy) = proxy.clone().filter(|_| !bounds.is_private()) {
                builder = builder.proxy(proxy);
            }
            builder.build().map_err(|error| wrong(chain(&error)))
        };
        let follow = {
            let bounds = bounds.clone();
            Policy::custom(move |attempt: Attempt<'_>| {
                let refused = match attempt.previous().len() > limits::HUB_REDIRECTS_MAX {
                    true => Some("too many redirects".to_owned()),
                    false => bounds.refuse(attempt.url()),
                };
                match refused {
                    Some(reason) => attempt.error(reason),
                    None => attempt.follow(),
                }
            })
        };
        Ok(Remote { client: build(follow)?, heads: build(Policy::none())?, endpoint, stall: config.stall, headers })
    }

    /// The headers of every request to the hub. They do not go along with a redirect to another host.
    pub fn headers(&self) -> HeaderMap {
        self.headers.clone()
    }

    /// Address of a file. Every name is checked before; what has a meaning in addresses is escaped.
    pub fn file_url(&self, repo: &str, commit: &str, file: &str) -> Result<Url, HubError> {
        let wrong = |error: String| HubError::Unreachable { endpoint: self.endpoint.clone(), reason: error };
        let mut url = Url::parse(&self.endpoint).map_err(|error| wrong(error.to_string()))?;
        url.path_segments_mut()
            .map_err(|()| wrong("no address with a path".into()))?
            .pop_if_empty()
            .extend(repo.split('/'))
            .extend(["resolve", commit])
            .extend(file.split('/'));
        Ok(url)
    }

    /// Asks for a file's headers, which stand beside the redirect to its bytes. Follows redirects within the hub: a repository that
    /// was renamed, or whose name is written otherwise.
    pub async fn head(&self, url: &Url) -> Result<Response, reqwest::Error> {
        let mut url = url.clone();
        let mut hops = 0;
        loop {
            let response = self.heads.head(url.clone()).headers(self.headers()).send().await?;
            let location = response.headers().get(LOCATION).and_then(|value| value.to_str().ok());
            let inside = location.filter(|location| location.starts_with('/') && !location.starts_with("//"));
            match inside.and_then(|location| url.join(location).ok()) {
                Some(next) if response.status().is_redirection() && hops < limits::HUB_REDIRECTS_MAX => url = next,
                _ => return Ok(response),
            }
            hops += 1;
        }
    }
}

/// Where the hub may lead us.
struct Bounds {
    scheme: String,
    host: String,
    proxy_host: Option<String>,
    /// The hub itself is on this machine or in its network: known from its address, else once its name is resolved.
    is_private: AtomicBool,
}

impl Bounds {
    fn new(endpoint: &Url, proxy_host: Option<String>) -> Bounds {
        let host = endpoint.host_str().unwrap_or_default().to_owned();
        let is_local = host == "localhost" || host.ends_with(".localhost");
        let is_private = is_local || address_of(endpoint).is_some_and(|address| !is_public(address));
        Bounds { scheme: endpoint.scheme().to_owned(), host, proxy_host, is_private: AtomicBool::new(is_private) }
    }

    fn is_private(&self) -> bool {
        self.is_private.load(Ordering::Relaxed)
    }

    /// Why a redirect is not followed, if it is not. A name is looked at again when it is resolved.
    fn refuse(&self, url: &Url) -> Option<String> {
        let scheme = url.scheme();
        if scheme != "https" && scheme != self.scheme {
            return Some(format!("the hub leads to an address that begins with {scheme}:"));
        }
        match address_of(url) {
            Some(address) if !is_public(address) && !self.is_private() => Some(leads_inside(&address.to_string())),
            _ => None,
        }
    }

    /// The addresses of a name that may be connected to.
    fn admit(&self, name: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, String> {
        let is_inside = |address: &SocketAddr| !is_public(address.ip());
        if self.proxy_host.as_deref() == Some(name) {
            return Ok(addresses);
        }
        if name == self.host && addresses.iter().any(is_inside) {
            self.is_private.store(true, Ordering::Relaxed);
        }
        if self.is_private() {
            return Ok(addresses);
        }
        let public: Vec<SocketAddr> = addresses.into_iter().filter(|address| !is_inside(address)).collect();
        if public.is_empty() { Err(leads_inside(name)) } else { Ok(public) }
    }
}

fn leads_inside(place: &str) -> String {
    format!("the hub leads to {place}, which is in this machine's own network")
}

/// Resolves names within the bounds.
struct Resolver(Arc<Bounds>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let bounds = self.0.clone();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let admitted = bounds.admit(name.as_str(), found)?;
            Ok(Box::new(admitted.into_iter()) as Addrs)
        })
    }
}

fn address_of(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

/// Whether an address is one of the whole internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        || address.is_documentation()
        // This network, addresses that carriers share, protocol assignments, benchmarks, reserved ones.
        || a == 0
        || (a == 100 && b & 0xc0 == 64)
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && b & 0xfe == 18)
        || a >= 240;
    !is_special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    // An IPv4 address in another dress is what it is: mapped, compatible, or behind NAT64 and 6to4.
    let [a, b, c, d, e, f, g, h] = address.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    match [a, b, c, d, e, f] {
        [0, 0, 0, 0, 0, 0 | 0xffff] | [0x64, 0xff9b, 0, 0, 0, 0] => return is_public_v4(v4(g, h)),
        [0x2002, ..] => return is_public_v4(v4(b, c)),
        _ => {}
    }
    // Global unicast is 2000::/3; documentation in it is not.
    a & 0xe000 == 0x2000 && !(a == 0x2001 && b == 0xdb8)
}

/// An error with all its causes: reqwest's own text leaves the interesting one out.
pub fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_network_are_told_from_public_ones() {
        for public in ["1.1.1.1", "18.64.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"] {
            assert!(is_public(public.parse().expect("an address")), "{public}");
        }
        for inside in [
            "127.0.0.1",
            "10.1.2.3",
            "172.16.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "0.0.0.0",
            "100.64.0.1",
            "224.0.0.1",
            "255.255.255.255",
            "198.18.0.1",
            "::",
            "::1",
            "fe80::1",
            "fd00::1",
            "ff02::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "64:ff9b::a00:1",
            "2002:7f00:1::",
            "2001:db8::1",
        ] {
            assert!(!is_public(inside.parse().expect("an address")), "{inside}");
        }
    }

    fn bounds(endpoint: &str) -> Bounds {
        Bounds::new(&Url::parse(endpoint).expect("an address"), None)
    }

    fn refuses(endpoint: &str, to: &str) -> bool {
        bounds(endpoint).refuse(&Url::parse(to).expect("an address")).is_some()
    }

    #[test]
    fn a_public_hub_leads_to_public_places_only() {
        let hub = "https://hub.example";
        assert!(!refuses(hub, "https://cdn.example/x"));
        assert!(!refuses(hub, "https://1.1.1.1/x"));
        for inside in ["http://cdn.example/x", "https://127.0.0.1/x", "https://[::1]/x", "https://169.254.169.254/x"] {
            assert!(refuses(hub, inside), "{inside}");
        }
        let socket = |text: &str| text.parse::<SocketAddr>().expect("an address");
        let (inside, outside) = (socket("10.0.0.1:0"), socket("1.1.1.1:0"));
        assert_eq!(bounds(hub).admit("cdn.example", vec![inside, outside]), Ok(vec![outside]));
        assert!(bounds(hub).admit("cdn.example", vec![inside]).is_err());
    }

    #[test]
    fn a_hub_on_this_machine_or_beside_it_leads_there() {
        for hub in ["http://127.0.0.1:1", "http://localhost:1", "http://[::1]:1", "http://192.168.1.1"] {
            assert!(!refuses(hub, "http://127.0.0.1:2/x"), "{hub}");
        }
        let inside: SocketAddr = "10.0.0.1:0".parse().expect("an address");
        let by_name = bounds("http://hub.corp.example");
        assert!(by_name.admit("cdn.example", vec![inside]).is_err(), "not known yet");
        assert_eq!(by_name.admit("hub.corp.example", vec![inside]), Ok(vec![inside]));
        assert_eq!(by_name.admit("cdn.example", vec![inside]), Ok(vec![inside]));
        assert!(by_name.refuse(&Url::parse("http://10.0.0.2/x").expect("an address")).is_none());
        assert!(refuses("http://127.0.0.1:1", "ftp://127.0.0.1/x"));
    }
}
