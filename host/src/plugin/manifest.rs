//! A personality's description, checked.

use super::bindings::personality::exports::mimus::plugin::dialect;
use super::bindings::personality::mimus::plugin::manifest as wit;
use super::route::{Method, Pattern};
use crate::limits;

pub use wit::ErrorKind;

/// What the host knows of a dialect without running it. Made only by [`Manifest::parse`].
pub struct Manifest {
    /// Mount point and key.
    pub name: String,
    /// For people.
    pub version: String,
    /// For people.
    pub description: String,
    /// In the guest's order: the index is what the guest is given.
    pub routes: Vec<Route>,
    /// How the host refuses in this dialect's shape.
    pub error_style: ErrorStyle,
    /// Where clients of this API expect a server.
    pub conventional_port: Option<u16>,
    /// What clients append to the mounted URL.
    pub client_base_path: String,
    /// OpenAPI `paths` and `components`, or an empty object.
    pub openapi: serde_json::Value,
}

/// One method on one path.
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path below the mount point.
    pub pattern: Pattern,
    /// Largest body, in bytes.
    pub body_bytes_max: usize,
    /// Whether it answers without a key.
    pub is_public: bool,
}

/// The shape of refusals.
pub struct ErrorStyle {
    content_type: String,
    body: String,
    cases: Vec<(ErrorKind, u16, String, String)>,
}

/// A refusal in a dialect's shape.
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Value of `content-type`.
    pub content_type: String,
    /// Body.
    pub body: String,
}

impl Manifest {
    /// Checks a guest's description.
    ///
    /// # Errors
    /// A sentence for the plugin's author that names the field and the bound.
    pub fn parse(raw: dialect::Manifest) -> Result<Manifest, String> {
        let name = parse_name(&raw.name)?;
        if raw.routes.is_empty() || raw.routes.len() > limits::ROUTES_MAX {
            return Err(format!("routes: {} given, 1 to {} allowed", raw.routes.len(), limits::ROUTES_MAX));
        }
        let routes = raw.routes.iter().map(parse_route).collect::<Result<Vec<_>, _>>()?;
        for (index, route) in routes.iter().enumerate() {
            if let Some(twin) = routes[..index]
                .iter()
                .find(|other| other.method == route.method && other.pattern.has_shape_of(&route.pattern))
            {
                return Err(format!(
                    "routes: {} {} and {} match the same requests",
                    route.method, twin.pattern, route.pattern
                ));
            }
        }
        if !raw.client_base_path.is_empty() && !raw.client_base_path.starts_with('/') {
            return Err(format!("client-base-path: `{}` must be empty or start with /", raw.client_base_path));
        }
        Ok(Manifest {
            name,
            version: parse_line("version", &raw.version, 64)?,
            description: parse_line("description", &raw.description, 256)?,
            routes,
            error_style: ErrorStyle::parse(raw.error_style)?,
            conventional_port: raw.conventional_port,
            client_base_path: raw.client_base_path,
            openapi: parse_openapi(&raw.openapi)?,
        })
    }
}

/// A plugin's name: `[a-z][a-z0-9-]{0,31}`.
///
/// # Errors
/// A sentence naming the rule.
pub fn parse_name(name: &str) -> Result<String, String> {
    let is_good = name.len() <= 32
        && name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if is_good {
        Ok(name.to_owned())
    } else {
        Err(format!("name: `{}` is not [a-z][a-z0-9-]{{0,31}}", name.escape_debug()))
    }
}

/// One line of text for people.
pub fn parse_line(field: &str, text: &str, bytes_max: usize) -> Result<String, String> {
    if text.len() > bytes_max || text.chars().any(char::is_control) {
        return Err(format!("{field}: must be one line of at most {bytes_max} bytes"));
    }
    Ok(text.to_owned())
}

fn parse_route(raw: &wit::Route) -> Result<Route, String> {
    let method = match raw.method {
        wit::Method::Get => Method::Get,
        wit::Method::Post => Method::Post,
        wit::Method::Put => Method::Put,
        wit::Method::Patch => Method::Patch,
        wit::Method::Delete => Method::Delete,
    };
    let body_bytes_max = match usize::try_from(raw.body_bytes_max).unwrap_or(usize::MAX) {
        0 => limits::BODY_BYTES_DEFAULT,
        bytes => bytes.min(limits::BODY_BYTES_MAX),
    };
    Ok(Route { method, pattern: Pattern::parse(&raw.path)?, body_bytes_max, is_public: raw.is_public })
}

fn parse_openapi(text: &str) -> Result<serde_json::Value, String> {
    if text.is_empty() {
        return Ok(serde_json::json!({}));
    }
    if text.len() > limits::OPENAPI_BYTES_MAX {
        return Err(format!("openapi: {} bytes, at most {}", text.len(), limits::OPENAPI_BYTES_MAX));
    }
    match serde_json::from_str(text) {
        Ok(value @ serde_json::Value::Object(_)) => Ok(value),
        Ok(_) => Err("openapi: must be a JSON object".into()),
        Err(error) => Err(format!("openapi: {error}")),
    }
}

impl ErrorStyle {
    fn parse(raw: wit::ErrorStyle) -> Result<ErrorStyle, String> {
        let mut cases = Vec::new();
        for case in raw.cases {
            if !(400..=599).contains(&case.status) {
                return Err(format!("error-style: status {} is not 400 to 599", case.status));
            }
            serde_json::from_str::<serde_json::Value>(&case.code)
                .map_err(|_| format!("error-style: code `{}` is not a JSON value", case.code.escape_debug()))?;
            cases.push((case.kind, case.status, case.type_name, case.code));
        }
        Ok(ErrorStyle {
            content_type: parse_line("error-style content-type", &raw.content_type, 128)?,
            body: raw.body,
            cases,
        })
    }

    /// The refusal for one kind of error.
    pub fn refuse(&self, kind: ErrorKind, message: &str) -> Refusal {
        let (status, type_name, code) = self.cases.iter().find(|case| case.0 == kind).map_or_else(
            || {
                let status = default_status(kind);
                (status, if status >= 500 { "server_error" } else { "invalid_request_error" }, "null")
            },
            |(_, status, type_name, code)| (*status, type_name.as_str(), code.as_str()),
        );
        let body = fill(
            &self.body,
            &[
                ("$message", &serde_json::Value::from(message).to_string()),
                ("$type", &serde_json::Value::from(type_name).to_string()),
                ("$code", code),
                ("$status", &status.to_string()),
            ],
        );
        Refusal { status, content_type: self.content_type.clone(), body }
    }
}

/// The status of a refusal where a dialect names none.
pub fn default_status(kind: ErrorKind) -> u16 {
    match kind {
        ErrorKind::RouteNotFound => 404,
        ErrorKind::MethodNotAllowed => 405,
        ErrorKind::BodyTooLarge => 413,
        ErrorKind::BodyTimeout => 408,
        ErrorKind::Unauthorized => 401,
        ErrorKind::Forbidden => 403,
        ErrorKind::Overloaded => 429,
        ErrorKind::Unavailable => 503,
        ErrorKind::Timeout => 504,
        ErrorKind::Internal => 500,
    }
}

/// Replaces names in one pass, so that what was filled in is never read as a name.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 128);
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        filled.push_str(&rest[..at]);
        rest = &rest[at..];
        match values.iter().find(|(name, _)| rest.starts_with(name)) {
            Some((name, value)) => {
                filled.push_str(value);
                rest = &rest[name.len()..];
            }
            None => {
                filled.push('$');
                rest = &rest[1..];
            }
        }
    }
    filled.push_str(rest);
    filled
}

#[cfg(test)]
mod tests {
    use super::*;

    fn style(body: &str) -> ErrorStyle {
        ErrorStyle { content_type: "application/json".into(), body: body.into(), cases: Vec::new() }
    }

    #[test]
    fn refusals_hold_json_values() {
        let refusal = style(r#"{"error":{"message":$message,"type":$type,"code":$code},"status":$status}"#)
            .refuse(ErrorKind::RouteNotFound, "no \"$type\" here");
        assert_eq!(refusal.status, 404);
        assert_eq!(
            refusal.body,
            r#"{"error":{"message":"no \"$type\" here","type":"invalid_request_error","code":null},"status":404}"#
        );
    }

    #[test]
    fn unknown_names_stay() {
        assert_eq!(style("$other $ $status").refuse(ErrorKind::Internal, "").body, "$other $ 500");
    }

    #[test]
    fn names_follow_the_rule() {
        for good in ["a", "openai", "a-1"] {
            assert!(parse_name(good).is_ok(), "{good}");
        }
        for bad in ["", "A", "1a", "a_b", "../x", &"a".repeat(33)] {
            assert!(parse_name(bad).is_err(), "{bad}");
        }
    }
}
