//! Addresses as clients write them, read by one parser and by no other.
//!
//! What two parsers may understand differently is refused, even where this one would understand it well.

use std::net::IpAddr;

use reqwest::Url;

use crate::{MediaError, limits};

/// Reads an address.
///
/// # Errors
/// `Refused` when it is not `https://host/…` or `http://host/…` in plain characters.
pub fn parse(text: &str) -> Result<Url, MediaError> {
    let refused = |reason: &str| Err(MediaError::Refused(format!("the address is not fetched: {reason}")));
    if text.len() > limits::URL_BYTES_MAX {
        return refused(&format!("it has more than {} characters", limits::URL_BYTES_MAX));
    }
    // The parser takes tabs and line ends out, and a backslash for a slash.
    if text.chars().any(|char| char.is_control() || char.is_whitespace() || char == '\\') {
        return refused("it has white space, a backslash or control characters");
    }
    let after = |scheme: &str| {
        text.get(..scheme.len()).filter(|start| start.eq_ignore_ascii_case(scheme)).map(|_| &text[scheme.len()..])
    };
    let Some(rest) = after("https://").or_else(|| after("http://")) else {
        return refused("only https addresses are");
    };
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    if authority.is_empty() {
        return refused("it names no host");
    }
    if authority.contains('@') {
        return refused("it has a user name before the host");
    }
    let url = Url::parse(text);
    match url.as_ref().ok().filter(|url| url.has_host() && url.username().is_empty() && url.password().is_none()) {
        Some(url) => Ok(url.clone()),
        None => refused("it cannot be read"),
    }
}

/// The host, when it is written as numbers in any way that the parser knows, such as `0x7f.1`.
pub fn literal(url: &Url) -> Option<IpAddr> {
    url.host_str()?.trim_start_matches('[').trim_end_matches(']').parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_in_plain_characters_are_read() {
        for (text, host) in [
            ("https://example.com/a.jpg?size=1&x=a@b#part", "example.com"),
            ("HTTPS://Example.COM:8443/", "example.com"),
            ("http://127.0.0.1:8123", "127.0.0.1"),
            ("https://bücher.example/x", "xn--bcher-kva.example"),
            ("https://[2606:4700::1111]/", "[2606:4700::1111]"),
        ] {
            assert_eq!(parse(text).map(|url| url.host_str().map(str::to_owned)), Ok(Some(host.to_owned())), "{text}");
        }
    }

    #[test]
    fn what_could_be_read_otherwise_is_refused() {
        let long = format!("https://example.com/{}", "a".repeat(limits::URL_BYTES_MAX));
        for text in [
            "",
            "example.com",
            "https://ok@127.0.0.1",
            "https://ok:secret@example.com/",
            "https://@example.com/",
            "https://ok\\@evil",
            "https:\\\\example.com",
            "https://example.com\\.evil/",
            "https://exa\tmple.com/",
            "https://example.com/\r\nHost: evil",
            " https://example.com/",
            "https://example.com/a b",
            "https:example.com",
            "https:/example.com",
            "https:///example.com",
            "https://?x",
            "https://",
            "https://:80/",
            "https://example.com:99999/",
            "https://[::1/",
            "https://a..b\u{7f}/",
            "file:///etc/passwd",
            "gopher://example.com/",
            "ftp://example.com/",
            "data:image/png;base64,AAAA",
            "javascript:alert(1)",
            "unix:/run/docker.sock",
            long.as_str(),
        ] {
            assert!(matches!(parse(text), Err(MediaError::Refused(_))), "{text}");
        }
    }

    #[test]
    fn numbers_in_disguise_are_seen() {
        for text in [
            "http://2130706433",
            "http://0x7f.1",
            "http://0177.0.0.1",
            "http://127.1",
            "http://127.0.0.1./",
            "http://127%2e0.0.1",
            "http://１２７.0.0.1",
            "http://①②⑦.0.0.1",
        ] {
            assert_eq!(literal(&parse(text).expect(text)), Some(IpAddr::from([127, 0, 0, 1])), "{text}");
        }
        assert_eq!(literal(&parse("http://[::ffff:127.0.0.1]").expect("an address")), "::ffff:127.0.0.1".parse().ok());
        assert_eq!(literal(&parse("http://example.com").expect("an address")), None);
    }
}
