//! Which web pages may read what dialects answer.
//!
//! A browser asks before a page of another origin may call (a preflight, `OPTIONS`), and lets the page read an answer only when it
//! names the page's origin. The server's own paths never do: what they show is for the operator, and a page that he happens to
//! visit is not him. Credentials that a browser adds by itself (cookies) are never allowed, so `*` gives a page nothing that its
//! author could not have asked for himself, as long as he can reach the server; who reaches it through a visitor's browser alone is
//! kept out by a list of origins, or by keys.

use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, ACCESS_CONTROL_REQUEST_HEADERS, ALLOW, HOST, HeaderMap,
    HeaderValue, ORIGIN, VARY,
};

use crate::limits;
use crate::plugin::route::Method;

/// Every origin but `null`.
pub const ANY: &str = "*";

/// Headers that a page may read besides those that every page may.
const EXPOSED: HeaderValue = HeaderValue::from_static("x-request-id, retry-after");
/// What a page may send where it does not say what it wants to.
const SENT: HeaderValue = HeaderValue::from_static("authorization, content-type, x-api-key, api-key, x-request-id");

/// The operator's choice.
pub enum Cors {
    /// Every page, without telling it apart.
    Any,
    /// Pages of these origins; none may be among them.
    Listed(Vec<String>),
}

impl Cors {
    /// Of origins that the configuration has checked; [`ANY`] stands alone.
    pub fn new(origins: Vec<String>) -> Cors {
        if origins.iter().any(|origin| origin == ANY) { Cors::Any } else { Cors::Listed(origins) }
    }

    /// Says in an answer's headers whether a page of that origin may read it. `origin` is none where the client is no page.
    pub fn mark(&self, origin: Option<&HeaderValue>, answer: &mut HeaderMap) {
        if let Cors::Listed(origins) = self
            && !origins.is_empty()
        {
            // A cache must not show one origin what was allowed to another.
            answer.append(VARY, HeaderValue::from_static("origin"));
        }
        if let Some(allowed) = origin.and_then(|origin| self.allowed(origin)) {
            answer.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            answer.insert(ACCESS_CONTROL_EXPOSE_HEADERS, EXPOSED);
        }
    }

    /// The headers of the answer to `OPTIONS` on a path with these methods: which methods, and for an allowed page also that it may
    /// send what it asks to send. [`Cors::mark`] adds the rest.
    pub fn preflight(&self, methods: &[Method], request: &HeaderMap) -> HeaderMap {
        let mut names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
        if methods.contains(&Method::Get) {
            names.push("HEAD");
        }
        names.push("OPTIONS");
        let mut answer = HeaderMap::new();
        let Ok(names) = HeaderValue::from_str(&names.join(", ")) else { return answer };
        answer.insert(ALLOW, names.clone());
        if request.get(ORIGIN).and_then(|origin| self.allowed(origin)).is_some() {
            // A star would not cover `authorization`, so what the page asks for is repeated.
            let asked = request.get(ACCESS_CONTROL_REQUEST_HEADERS).filter(|asked| is_list_of_names(asked)).cloned();
            answer.insert(ACCESS_CONTROL_ALLOW_METHODS, names);
            answer.insert(ACCESS_CONTROL_ALLOW_HEADERS, asked.unwrap_or(SENT));
            answer.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from(limits::CORS_MAX_AGE_S));
        }
        answer
    }

    /// Whether a request that does something is answered: not one that a page of a foreign origin makes a visitor's browser send,
    /// unless pages of that origin may call. A page of the server itself has the host for its origin that the request names, and what
    /// is no page has none.
    pub fn may_act(&self, headers: &HeaderMap) -> bool {
        let Some(origin) = headers.get(ORIGIN) else { return true };
        let authority =
            origin.to_str().ok().and_then(|origin| origin.split_once("://")).map(|(_, authority)| authority);
        let is_own = authority.is_some_and(|authority| headers.get(HOST).is_some_and(|host| host == authority));
        is_own || self.allowed(origin).is_some()
    }

    /// What to name as allowed. `null` is nobody's in particular: any page can take it on by a sandboxed frame.
    fn allowed(&self, origin: &HeaderValue) -> Option<HeaderValue> {
        match self {
            _ if origin == "null" => None,
            Cors::Any => Some(HeaderValue::from_static(ANY)),
            Cors::Listed(origins) => {
                origins.iter().any(|listed| listed.as_bytes() == origin.as_bytes()).then(|| origin.clone())
            }
        }
    }
}

/// Whether a header holds names of headers and nothing else, and not too many.
fn is_list_of_names(value: &HeaderValue) -> bool {
    let is_good = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_, ".contains(byte);
    (1..=limits::CORS_REQUEST_HEADERS_BYTES_MAX).contains(&value.len()) && value.as_bytes().iter().all(is_good)
}

/// Whether a text is an origin as browsers write it: scheme and authority, in lower case, without a path.
pub fn is_origin(text: &str) -> bool {
    let Some((scheme, authority)) = text.split_once("://") else { return false };
    let is_scheme =
        !scheme.is_empty() && scheme.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    let is_authority = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b"-.:[]_".contains(&b);
    is_scheme && !authority.is_empty() && authority.len() <= 255 && authority.bytes().all(is_authority)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(origin: Option<&'static str>, asked: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in [(ORIGIN, origin), (ACCESS_CONTROL_REQUEST_HEADERS, asked)] {
            if let Some(value) = value {
                headers.insert(name, HeaderValue::from_static(value));
            }
        }
        headers
    }

    fn text(headers: &HeaderMap) -> String {
        let mut lines: Vec<String> =
            headers.iter().map(|(name, value)| format!("{name}: {}", value.to_str().expect("text"))).collect();
        lines.sort();
        lines.join("\n")
    }

    #[test]
    fn answers_name_whom_they_are_for() {
        let exposed = "access-control-expose-headers: x-request-id, retry-after";
        let any = format!("access-control-allow-origin: *\n{exposed}");
        let listed = format!("access-control-allow-origin: http://a.test:1\n{exposed}\nvary: origin");
        let cases: [(&[&str], Option<&'static str>, &str); 8] = [
            (&["*"], Some("http://b.test"), &any),
            (&["*"], Some("null"), ""),
            (&["*"], None, ""),
            (&["http://a.test:1", "http://c.test"], Some("http://a.test:1"), &listed),
            (&["http://a.test:1"], Some("http://a.test"), "vary: origin"),
            (&["http://a.test:1"], Some("null"), "vary: origin"),
            (&["http://a.test:1"], None, "vary: origin"),
            (&[], Some("http://a.test:1"), ""),
        ];
        for (origins, origin, expect) in cases {
            let cors = Cors::new(origins.iter().map(|origin| (*origin).to_owned()).collect());
            let mut answer = HeaderMap::new();
            cors.mark(request(origin, None).get(ORIGIN), &mut answer);
            assert_eq!(text(&answer), expect, "{origins:?} {origin:?}");
        }
    }

    #[test]
    fn preflights_repeat_what_is_asked() {
        let allow = "allow: GET, DELETE, HEAD, OPTIONS";
        let full = |headers: &str| {
            format!(
                "access-control-allow-headers: {headers}\naccess-control-allow-methods: GET, DELETE, HEAD, OPTIONS\n\
                 access-control-max-age: 600\n{allow}"
            )
        };
        let usual = full("authorization, content-type, x-api-key, api-key, x-request-id");
        let cases: [(Option<&'static str>, Option<&'static str>, String); 5] = [
            (Some("http://a.test"), Some("Authorization,x-stainless-os"), full("Authorization,x-stainless-os")),
            (Some("http://a.test"), None, usual.clone()),
            (Some("http://a.test"), Some("a;b"), usual),
            (Some("null"), Some("authorization"), allow.to_owned()),
            (None, None, allow.to_owned()),
        ];
        for (origin, asked, expect) in cases {
            let cors = Cors::new(vec![ANY.to_owned()]);
            let answer = cors.preflight(&[Method::Get, Method::Delete], &request(origin, asked));
            assert_eq!(text(&answer), expect, "{origin:?} {asked:?}");
        }
    }

    #[test]
    fn origins_are_told_from_other_texts() {
        for good in ["http://localhost:3000", "https://a.test", "http://[::1]:80", "chrome-extension://abc"] {
            assert!(is_origin(good), "{good}");
        }
        for bad in ["", "*", "null", "a.test", "http://", "http://a.test/", "HTTP://a.test", "http://a test", "://a"] {
            assert!(!is_origin(bad), "{bad}");
        }
    }
}
