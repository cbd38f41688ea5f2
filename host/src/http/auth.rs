//! Keys. Checked on the parsed route before any guest runs.

use hyper::HeaderMap;
use sha2::{Digest, Sha256};

/// The keys that may use the server, as SHA-256 digests. Empty: everyone may.
pub struct Keys(Vec<[u8; 32]>);

impl Keys {
    /// Keys by their digests.
    pub fn new(digests: Vec<[u8; 32]>) -> Keys {
        Keys(digests)
    }

    /// Whether a request with these headers may pass.
    pub fn admit(&self, headers: &HeaderMap) -> bool {
        self.0.is_empty() || given(headers).is_some_and(|key| self.has(key))
    }

    /// Whether a key is asked for.
    pub fn are_required(&self) -> bool {
        !self.0.is_empty()
    }

    /// Whether a request with this key may pass.
    pub fn accepts(&self, key: &str) -> bool {
        self.0.is_empty() || self.has(key)
    }

    /// A number for whoever sent these headers: the same for the same key, unlike any other's, and 0 where no keys are asked for.
    pub fn tenant(&self, headers: &HeaderMap) -> u64 {
        let key = given(headers).filter(|_| !self.0.is_empty());
        key.map_or(0, |key| {
            u64::from_be_bytes(Sha256::digest(key.as_bytes())[..8].try_into().expect("a digest has 32 bytes"))
        })
    }

    /// Compares with every digest in constant time: neither which key nor how much of it matched can be measured.
    fn has(&self, key: &str) -> bool {
        let digest: [u8; 32] = Sha256::digest(key.as_bytes()).into();
        let differs = |known: &[u8; 32]| known.iter().zip(&digest).fold(0, |sum, (a, b)| sum | (a ^ b));
        self.0.iter().fold(false, |found, known| found | (differs(known) == 0))
    }
}

/// The key that a client sent, by the header its dialect uses.
fn given(headers: &HeaderMap) -> Option<&str> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let bearer = text("authorization").and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then_some(key.trim())
    });
    bearer.or_else(|| text("x-api-key")).or_else(|| text("api-key"))
}

/// Headers that hold keys; guests do not see them.
pub fn is_secret(name: &str) -> bool {
    matches!(name, "authorization" | "proxy-authorization" | "x-api-key" | "api-key")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_compared_by_digest() {
        let keys = Keys::new(vec![Sha256::digest(b"right").into()]);
        let check = |name: &'static str, value: &str, expect: bool| {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header"));
            assert_eq!(keys.admit(&headers), expect, "{name}: {value}");
        };
        check("authorization", "Bearer right", true);
        check("authorization", "bearer right", true);
        check("authorization", "Bearer wrong", false);
        check("authorization", "right", false);
        check("x-api-key", "right", true);
        check("accept", "right", false);
        assert!(Keys::new(Vec::new()).admit(&HeaderMap::new()));
        assert!(!keys.admit(&HeaderMap::new()));
    }
}
