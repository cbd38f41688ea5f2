//! A dialect's description as data.

use crate::bindings::personality::mimus::plugin::manifest as wit;

pub use wit::{ErrorCase, ErrorKind, Manifest};

/// Who a dialect is: the manifest without its routes.
///
/// ```
/// use mimus_sdk::{About, ErrorKind, ErrorStyle};
///
/// let about = About::new("openai", "0.1.0", "OpenAI's chat API")
///     .port(8000)
///     .client_base_path("/v1")
///     .error_style(
///         ErrorStyle::json(r#"{"error":{"message":$message,"code":$code}}"#)
///             .case(ErrorKind::Unauthorized, 401, "invalid_request_error", r#""invalid_api_key""#),
///     );
/// # let _ = about;
/// ```
pub struct About {
    manifest: Manifest,
}

impl About {
    /// `name`: `[a-z][a-z0-9-]{0,31}`, the mount point. `description`: one line for people.
    pub fn new(name: &str, version: &str, description: &str) -> Self {
        About {
            manifest: Manifest {
                name: name.into(),
                version: version.into(),
                description: description.into(),
                routes: Vec::new(),
                error_style: ErrorStyle::default().0,
                conventional_port: None,
                client_base_path: String::new(),
                openapi: String::new(),
            },
        }
    }

    /// The TCP port where clients of this API expect a server.
    pub fn port(mut self, port: u16) -> Self {
        self.manifest.conventional_port = Some(port);
        self
    }

    /// What people append to the base URL in their client.
    pub fn client_base_path(mut self, path: &str) -> Self {
        self.manifest.client_base_path = path.into();
        self
    }

    /// How the host's own refusals look.
    pub fn error_style(mut self, style: ErrorStyle) -> Self {
        self.manifest.error_style = style.0;
        self
    }

    /// JSON text of an object with the OpenAPI keys `paths` and `components`; best kept in a file of its own (`include_str!`).
    pub fn openapi(mut self, json: impl Into<String>) -> Self {
        self.manifest.openapi = json.into();
        self
    }

    pub(crate) fn into_manifest(self, routes: Vec<wit::Route>) -> Manifest {
        Manifest { routes, ..self.manifest }
    }
}

/// How the host's own refusals look in a dialect (see `error-style` in `wit/manifest.wit`).
pub struct ErrorStyle(wit::ErrorStyle);

impl Default for ErrorStyle {
    /// `{"error":"…"}`.
    fn default() -> Self {
        ErrorStyle::json(r#"{"error":$message}"#)
    }
}

impl ErrorStyle {
    /// A JSON body, in which `$message`, `$type`, `$code` and `$status` are replaced.
    pub fn json(body: &str) -> Self {
        ErrorStyle(wit::ErrorStyle { content_type: "application/json".into(), body: body.into(), cases: Vec::new() })
    }

    /// What to put for one kind of refusal. `code` is a JSON value as text.
    pub fn case(mut self, kind: ErrorKind, status: u16, type_name: &str, code: &str) -> Self {
        self.0.cases.push(ErrorCase { kind, status, type_name: type_name.into(), code: code.into() });
        self
    }
}

/// Status of a refusal where the dialect does not name another.
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

/// The status and body that a style makes of a refusal, as the host makes them.
pub fn render_error(style: &wit::ErrorStyle, kind: ErrorKind, message: &str) -> (u16, String) {
    let case = style.cases.iter().find(|case| case.kind == kind);
    let status = case.map_or(default_status(kind), |case| case.status);
    let usual_type = if status >= 500 { "server_error" } else { "invalid_request_error" };
    let type_name = case.map_or(usual_type, |case| &case.type_name);
    let code = case.map_or("null", |case| &case.code);
    let text = |value: &str| serde_json::Value::from(value).to_string();
    // The message last: it may hold a `$` of its own.
    let body = style
        .body
        .replace("$type", &text(type_name))
        .replace("$code", code)
        .replace("$status", &status.to_string())
        .replace("$message", &text(message));
    (status, body)
}

/// Finds the mistakes for which a host would refuse the manifest, and those that it could only find when it is too late.
pub fn check(manifest: &Manifest) -> Result<(), String> {
    let name = manifest.name.as_bytes();
    let is_name = matches!(name.first(), Some(b'a'..=b'z'))
        && name.len() <= 32
        && name.iter().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
    if !is_name {
        return Err(format!("the name `{}` is not [a-z][a-z0-9-]{{0,31}}", manifest.name));
    }
    if manifest.routes.len() > 256 {
        return Err(format!("{} routes, at most 256", manifest.routes.len()));
    }
    let mut shapes: Vec<(wit::Method, Vec<String>)> = Vec::with_capacity(manifest.routes.len());
    for route in &manifest.routes {
        let shape = (route.method, path_shape(&route.path)?);
        if shapes.contains(&shape) {
            return Err(format!("two routes for {:?} {}", route.method, route.path));
        }
        shapes.push(shape);
    }
    if !manifest.openapi.is_empty() {
        let fragment: serde_json::Value = serde_json::from_str(&manifest.openapi)
            .map_err(|error| format!("the OpenAPI fragment is not JSON: {error}"))?;
        if !fragment.is_object() {
            return Err("the OpenAPI fragment is not an object".into());
        }
    }
    if manifest.error_style.content_type == "application/json" {
        let (_, body) = render_error(&manifest.error_style, ErrorKind::Internal, "\"$type\"");
        serde_json::from_str::<serde::de::IgnoredAny>(&body)
            .map_err(|error| format!("the error style does not give JSON: {error}: {body}"))?;
    }
    Ok(())
}

/// A route's path with the variable names taken out, so that equal shapes are equal.
fn path_shape(path: &str) -> Result<Vec<String>, String> {
    let below = path.strip_prefix('/').ok_or_else(|| format!("the path `{path}` does not start with `/`"))?;
    let segments: Vec<&str> = below.split('/').collect();
    if segments.len() > 16 {
        return Err(format!("the path `{path}` has more than 16 segments"));
    }
    let last = segments.len() - 1;
    let shape = |(index, segment): (usize, &&str)| {
        let Some(name) = segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) else {
            return if segment.contains(['{', '}']) {
                Err(format!("the segment `{segment}` of `{path}` is neither literal nor a variable"))
            } else {
                Ok((*segment).to_owned())
            };
        };
        match name.strip_suffix("...") {
            Some(_) if index != last => Err(format!("`{segment}` is not the last segment of `{path}`")),
            Some(_) => Ok("{...}".into()),
            None => Ok("{}".into()),
        }
    };
    segments.iter().enumerate().map(shape).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::routes::Method;

    fn with_routes(paths: &[&str]) -> Manifest {
        let route =
            |path: &&str| wit::Route { method: Method::Get, path: (*path).into(), body_bytes_max: 0, is_public: false };
        About::new("test", "0.1.0", "").into_manifest(paths.iter().map(route).collect())
    }

    #[test]
    fn checks_paths() {
        let cases = [
            (&["/a", "/b", "/{x}", "/{x...}"][..], Ok(())),
            (&["/a", "/a"], Err("two routes for Method::Get /a")),
            (&["/{x}/b", "/{y}/b"], Err("two routes for Method::Get /{y}/b")),
            (&["a"], Err("the path `a` does not start with `/`")),
            (&["/{x...}/b"], Err("`{x...}` is not the last segment of `/{x...}/b`")),
            (&["/a{x}"], Err("the segment `a{x}` of `/a{x}` is neither literal nor a variable")),
        ];
        for (paths, expect) in cases {
            assert_eq!(check(&with_routes(paths)), expect.map_err(String::from), "{paths:?}");
        }
    }

    #[test]
    fn checks_names_and_error_style() {
        let mut manifest = with_routes(&[]);
        manifest.name = "Test".into();
        assert!(check(&manifest).is_err());
        let mut manifest = with_routes(&[]);
        manifest.error_style.body = "{$message".into();
        assert!(check(&manifest).is_err());
    }

    #[test]
    fn renders_errors() {
        let style = ErrorStyle::json(r#"{"m":$message,"t":$type,"c":$code,"s":$status}"#).case(
            ErrorKind::Overloaded,
            503,
            "busy",
            "7",
        );
        assert_eq!(
            render_error(&style.0, ErrorKind::Overloaded, "a \"$code\""),
            (503, r#"{"m":"a \"$code\"","t":"busy","c":7,"s":503}"#.into())
        );
        assert_eq!(
            render_error(&style.0, ErrorKind::RouteNotFound, "no"),
            (404, r#"{"m":"no","t":"invalid_request_error","c":null,"s":404}"#.into())
        );
    }
}
