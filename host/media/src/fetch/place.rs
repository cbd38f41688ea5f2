//! Places of the operator's list: which hosts may be asked, and how.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use reqwest::Url;

/// A place that pictures may be fetched from.
///
/// | Written | Means |
/// | --- | --- |
/// | `images.example.com` | this host, over https; also where it is in this network |
/// | `*.example.com` | every public host below that domain |
/// | `*` | every public host |
/// | `http://…` | the same over http, and only over http |
/// | `…:8443` | on this port instead of the usual one |
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    scheme: &'static str,
    host: Host,
    port: u16,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Host {
    /// Each in the form that the parser of addresses gives it.
    Named(String),
    /// With a dot before it.
    Below(String),
    Any,
}

/// A place that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no place to fetch from: write `host`, `*.domain`, `*` or `http://host:port`, without a path")]
pub struct PlaceError(String);

impl Place {
    /// Whether an address is at this place.
    pub(super) fn admits(&self, url: &Url) -> bool {
        let Some(host) = url.host_str().filter(|_| url.scheme() == self.scheme) else { return false };
        let is_host = match &self.host {
            Host::Named(name) => host == name,
            Host::Below(end) => host.ends_with(end.as_str()) && host.len() > end.len(),
            Host::Any => true,
        };
        is_host && url.port_or_known_default() == Some(self.port)
    }

    /// Whether it is one host that the operator wrote out.
    pub(super) fn names_a_host(&self) -> bool {
        matches!(self.host, Host::Named(_))
    }
}

impl FromStr for Place {
    type Err = PlaceError;

    fn from_str(text: &str) -> Result<Place, PlaceError> {
        read(text).ok_or_else(|| PlaceError(text.escape_debug().take(100).collect()))
    }
}

fn read(text: &str) -> Option<Place> {
    let (scheme, rest) = match text.split_once("://") {
        None => ("https", text),
        Some(("https", rest)) => ("https", rest),
        Some(("http", rest)) => ("http", rest),
        Some(_) => return None,
    };
    let is_plain = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"/\\?#@%".contains(&byte));
    // A wildcard is no part of what the parser takes for a host.
    let (wildcard, host) = match (rest.strip_prefix("*."), rest.strip_prefix('*')) {
        (Some(domain), _) => (Some("."), domain.to_owned()),
        (None, Some(port)) => (Some(""), format!("any{port}")),
        (None, None) => (None, rest.to_owned()),
    };
    let url = Url::parse(&format!("{scheme}://{host}")).ok().filter(|_| is_plain && !host.contains('*'))?;
    let name = url.host_str()?.to_owned();
    let is_address = name.starts_with('[') || name.parse::<IpAddr>().is_ok();
    let host = match wildcard {
        None => Host::Named(name),
        Some("") if name == "any" => Host::Any,
        Some(".") if !is_address => Host::Below(format!(".{name}")),
        Some(_) => return None,
    };
    Some(Place { scheme, host, port: url.port_or_known_default()? })
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}://", self.scheme)?;
        match &self.host {
            Host::Named(name) => formatter.write_str(name)?,
            Host::Below(end) => write!(formatter, "*{end}")?,
            Host::Any => formatter.write_str("*")?,
        }
        write!(formatter, ":{}", self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_read_and_shown_in_full() {
        for (text, shown) in [
            ("example.com", "https://example.com:443"),
            ("Example.COM", "https://example.com:443"),
            ("https://example.com", "https://example.com:443"),
            ("http://example.com", "http://example.com:80"),
            ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
            ("http://[::1]:8123", "http://[::1]:8123"),
            ("*.example.com:8443", "https://*.example.com:8443"),
            ("*", "https://*:443"),
            ("http://*:81", "http://*:81"),
        ] {
            let place: Place = text.parse().expect(text);
            assert_eq!(place.to_string(), shown, "{text}");
            assert_eq!(shown.parse(), Ok(place), "{text}");
        }
        for text in [
            "",
            "*.",
            "**",
            "*example.com",
            "a.*.com",
            "https://",
            "ftp://example.com",
            "HTTP://x",
            "example.com/",
            "example.com/path",
            "user@example.com",
            "example.com?x",
            "example.com#x",
            "exa mple.com",
            "a\\b",
            "*.0.0.1",
            "*.[::1]",
            "host:99999",
            "::1",
            "%41.com",
        ] {
            assert_eq!(text.parse::<Place>(), Err(PlaceError(text.escape_debug().collect())), "{text}");
        }
    }

    #[test]
    fn a_place_admits_what_is_at_it() {
        let admits = |place: &str, url: &str| {
            let url = Url::parse(url).expect(url);
            place.parse::<Place>().expect(place).admits(&url)
        };
        for (place, url, expect) in [
            ("example.com", "https://example.com/a", true),
            ("example.com", "https://EXAMPLE.com:443/a", true),
            ("example.com", "http://example.com/a", false),
            ("example.com", "https://example.com:444/a", false),
            ("example.com", "https://www.example.com/a", false),
            ("example.com", "https://example.com.evil.org/a", false),
            ("*.example.com", "https://a.b.example.com/a", true),
            ("*.example.com", "https://example.com/a", false),
            ("*.example.com", "https://evilexample.com/a", false),
            ("*.example.com", "https://.example.com/a", false),
            ("*", "https://anything.org/a", true),
            ("*", "https://8.8.8.8/a", true),
            ("*", "https://anything.org:8443/a", false),
            ("*", "http://anything.org/a", false),
            ("http://*", "http://anything.org/a", true),
            ("http://*", "https://anything.org/a", false),
            ("http://127.0.0.1:81", "http://0x7f.1:81/a", true),
            ("http://127.0.0.1:81", "http://127.0.0.2:81/a", false),
        ] {
            assert_eq!(admits(place, url), expect, "{place} {url}");
        }
    }
}
