//! One request from its head to its response: route, key, body, plugin.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CONNECTION, HOST, HeaderName, HeaderValue, ORIGIN};
use hyper::{HeaderMap, Request, Response, StatusCode, Version};

use super::auth;
use super::body::{self, Body, Source};
use super::error::Trouble;
use super::exchange::Exchange;
use super::listen::Connection;
use super::own;
use super::reply::{REQUEST_ID, build, plain, refuse};
use super::websocket;
use crate::limits;
use crate::plugin::manifest::ErrorKind;
use crate::plugin::route::{Found, Method, RouteTable};
use crate::plugin::{Dialect, GuestRun, IncomingRequest, Reply, RequestHead, Snapshot, SocketEnds};
use crate::server::Shared;

/// Which door a request came in by.
#[derive(Clone, Debug)]
pub enum Door {
    /// The main listener: every dialect below its mount point, the server's own pages, and root paths.
    Main,
    /// A listener of one dialect's own.
    Dialect(String),
}

/// Answers a request. Never fails: troubles become responses.
pub async fn respond(
    shared: Arc<Shared>,
    door: Door,
    connection: Arc<Connection>,
    mut request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let request_id: Arc<str> = request_id(request.headers()).into();
    let method = Method::parse(request.method().as_str());
    let shown = method.map_or("OTHER", |_| {
        if request.method() == hyper::Method::HEAD { "HEAD" } else { method.map_or("", Method::as_str) }
    });
    let exchange = Exchange::new(shared.metrics.clone(), request_id.clone(), shown);
    let upgrade = hyper::upgrade::on(&mut request);
    let mut response = match route(&shared, &door, connection.local, request, method, exchange).await {
        Outcome::Response(response) => response,
        Outcome::Socket { ends, run, exchange } => {
            let (response, conversation) = websocket::take_over(upgrade, ends, run, exchange);
            tokio::spawn(async move {
                conversation.await;
                drop(connection);
            });
            response
        }
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(HeaderName::from_static(REQUEST_ID), value);
    }
    Ok(response)
}

/// Finds who answers.
async fn route(
    shared: &Arc<Shared>,
    door: &Door,
    local: SocketAddr,
    request: Request<Incoming>,
    method: Option<Method>,
    exchange: Exchange,
) -> Outcome {
    let path = request.uri().path().to_owned();
    if request.uri().path_and_query().is_some_and(|whole| whole.as_str().len() > limits::URL_BYTES_MAX) {
        let why = format!("the address is longer than {} bytes", limits::URL_BYTES_MAX);
        return plain(exchange, StatusCode::URI_TOO_LONG, &why).into();
    }
    if !has_good_host(&request) {
        return plain(exchange, StatusCode::BAD_REQUEST, "the request needs exactly one proper Host header").into();
    }
    let snapshot = shared.snapshot.load_full();
    let place = match door {
        Door::Main => at_main(&snapshot, method, &path),
        Door::Dialect(name) => at_dialect(&snapshot, name, method, &path),
    };
    let origin = request.headers().get(ORIGIN).cloned();
    let mut response = match place {
        Place::Own => return own::respond(shared, &snapshot, door, request, exchange).await.into(),
        Place::Route { dialect, route, values, mount, below } => {
            let site = Site { dialect, route, values, mount, below };
            match serve(shared, &snapshot, site, local, request, exchange).await {
                Outcome::Response(response) => response,
                socket => return socket,
            }
        }
        Place::Nowhere { dialect, trouble, allow } => {
            let dialect = dialect.map(|index| &snapshot.dialects[index]);
            let mut exchange = exchange;
            if let Some(dialect) = dialect {
                exchange.routed(&dialect.personality.manifest.name, "none".into());
            }
            if request.method() == hyper::Method::OPTIONS && !allow.is_empty() {
                // Browsers ask without a key, and nothing but the manifest is needed to answer.
                let mut response = build(200, Vec::new(), Source::Whole(None), exchange);
                response.headers_mut().extend(shared.cors.preflight(&allow, request.headers()));
                shared.cors.mark(origin.as_ref(), response.headers_mut());
                return response.into();
            }
            // Whether a path exists is told to strangers as well: the dialects are public knowledge.
            let mut response =
                refuse(&trouble, dialect.map(|dialect| &dialect.personality.manifest.error_style), exchange);
            if !allow.is_empty()
                && let Ok(value) =
                    HeaderValue::from_str(&allow.iter().map(|method| method.as_str()).collect::<Vec<_>>().join(", "))
            {
                response.headers_mut().insert(ALLOW, value);
            }
            response
        }
    };
    shared.cors.mark(origin.as_ref(), response.headers_mut());
    response.into()
}

/// What a request comes to.
enum Outcome {
    Response(Response<Body>),
    /// The connection becomes a websocket.
    Socket {
        ends: SocketEnds,
        run: GuestRun,
        exchange: Exchange,
    },
}

impl From<Response<Body>> for Outcome {
    fn from(response: Response<Body>) -> Self {
        Outcome::Response(response)
    }
}

/// Where a path leads.
enum Place {
    Route { dialect: usize, route: u32, values: Vec<String>, mount: String, below: String },
    Own,
    Nowhere { dialect: Option<usize>, trouble: Trouble, allow: Vec<Method> },
}

fn at_main(snapshot: &Snapshot, method: Option<Method>, path: &str) -> Place {
    if own::is_own(path) {
        return Place::Own;
    }
    let first = path.trim_start_matches('/').split('/').next().unwrap_or_default();
    if let Some(index) = snapshot.dialects.iter().position(|dialect| dialect.personality.manifest.name == first) {
        let below = match &path[1 + first.len()..] {
            "" => "/",
            below => below,
        };
        return within(snapshot, index, method, path, below, &format!("/{first}"));
    }
    match find(&snapshot.root, method, path) {
        Found::Route(target, values) => Place::Route {
            dialect: target.dialect,
            route: target.route,
            values,
            mount: String::new(),
            below: path.to_owned(),
        },
        Found::OtherMethods(allow) => {
            // The refusal speaks the dialect that owns the path by one of its methods.
            let owner = allow.first().and_then(|method| match find(&snapshot.root, Some(*method), path) {
                Found::Route(target, _) => Some(target.dialect),
                _ => None,
            });
            Place::Nowhere { dialect: owner, trouble: wrong_method(path), allow }
        }
        Found::Nothing if own::is_free(path) => Place::Own,
        Found::Nothing => Place::Nowhere { dialect: None, trouble: no_route(path), allow: Vec::new() },
    }
}

fn at_dialect(snapshot: &Snapshot, name: &str, method: Option<Method>, path: &str) -> Place {
    match snapshot.dialects.iter().position(|dialect| dialect.personality.manifest.name == name) {
        Some(index) => match within(snapshot, index, method, path, path, "") {
            Place::Nowhere { allow, .. } if allow.is_empty() && own::is_everywhere(path) => Place::Own,
            place => place,
        },
        None => Place::Nowhere {
            dialect: None,
            trouble: Trouble::new(ErrorKind::Unavailable, format!("the dialect `{name}` is not loaded")),
            allow: Vec::new(),
        },
    }
}

fn within(snapshot: &Snapshot, index: usize, method: Option<Method>, path: &str, below: &str, mount: &str) -> Place {
    match find(&snapshot.dialects[index].routes, method, below) {
        Found::Route(route, values) => {
            Place::Route { dialect: index, route, values, mount: mount.to_owned(), below: below.to_owned() }
        }
        Found::OtherMethods(allow) => Place::Nowhere { dialect: Some(index), trouble: wrong_method(path), allow },
        Found::Nothing if !mount.is_empty() && own::is_below_mount(below) => Place::Own,
        Found::Nothing => Place::Nowhere { dialect: Some(index), trouble: no_route(path), allow: Vec::new() },
    }
}

/// What serves a path; where nothing does, what serves it without a slash at its end, which some clients add.
fn find<T: Clone>(routes: &RouteTable<T>, method: Option<Method>, path: &str) -> Found<T> {
    match (routes.find(method, path), path.strip_suffix('/')) {
        (Found::Nothing, Some(shorter)) if !shorter.ends_with('/') => routes.find(method, shorter),
        (found, _) => found,
    }
}

fn no_route(path: &str) -> Trouble {
    Trouble::new(ErrorKind::RouteNotFound, format!("nothing is served at `{}`", shown(path)))
}

fn wrong_method(path: &str) -> Trouble {
    Trouble::new(ErrorKind::MethodNotAllowed, format!("`{}` is not served for this method", shown(path)))
}

fn shown(path: &str) -> String {
    path.chars().take(200).flat_map(char::escape_debug).collect()
}

/// A request whose dialect and route are known.
struct Site {
    dialect: usize,
    route: u32,
    values: Vec<String>,
    mount: String,
    below: String,
}

async fn serve(
    shared: &Arc<Shared>,
    snapshot: &Snapshot,
    site: Site,
    local: SocketAddr,
    request: Request<Incoming>,
    mut exchange: Exchange,
) -> Outcome {
    let dialect = &snapshot.dialects[site.dialect];
    let manifest = &dialect.personality.manifest;
    let style = Some(&manifest.error_style);
    let route = &manifest.routes[site.route as usize];
    exchange.routed(&manifest.name, route.pattern.to_string());
    let (parts, body) = request.into_parts();
    if !route.is_public && !shared.keys.admit(&parts.headers) {
        return refuse(&Trouble::new(ErrorKind::Unauthorized, "a valid API key is required"), style, exchange).into();
    }
    let websocket = websocket::offer(&parts);
    let acts = websocket.is_some() || !matches!(parts.method, hyper::Method::GET | hyper::Method::HEAD);
    if acts && !shared.cors.may_act(&parts.headers) {
        let why = "pages of this origin may not call; the operator allows origins by `http.cors_origins`";
        return refuse(&Trouble::new(ErrorKind::Forbidden, why), style, exchange).into();
    }
    let body = match body::read(body, route.body_bytes_max).await {
        Ok(body) => body,
        Err(error) => {
            let mut response = refuse(&error.into(), style, exchange);
            if parts.version <= Version::HTTP_11 {
                // What is left of the body would be read as the next request.
                response.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
            }
            return response.into();
        }
    };
    let incoming = IncomingRequest {
        head: RequestHead {
            route: site.route,
            method: parts.method.as_str().to_owned(),
            path: crate::plugin::route::decode(&site.below).unwrap_or(site.below),
            path_params: site.values,
            query: parts.uri.query().unwrap_or_default().to_owned(),
            request_id: exchange.request_id().to_string(),
            mount: site.mount,
            origin: origin(&parts.headers, &parts.uri, local),
        },
        headers: visible(&parts.headers),
        tenant: shared.keys.tenant(&parts.headers),
        is_admitted: shared.keys.admit(&parts.headers),
        websocket,
        body,
    };
    call(shared, dialect, incoming, exchange).await
}

async fn call(shared: &Arc<Shared>, dialect: &Dialect, incoming: IncomingRequest, exchange: Exchange) -> Outcome {
    match shared.caller.call(&dialect.personality, incoming).await {
        Ok(Reply::Whole { status, headers, body }) => {
            build(status, headers, Source::Whole(Some(body)), exchange).into()
        }
        Ok(Reply::Streamed { status, headers, body }) => build(status, headers, Source::Guest(body), exchange).into(),
        Ok(Reply::Socket { ends, run }) => Outcome::Socket { ends, run, exchange },
        Err(fault) => refuse(&fault.into(), Some(&dialect.personality.manifest.error_style), exchange).into(),
    }
}

/// A client's id where it is harmless, else a new one.
fn request_id(headers: &HeaderMap) -> String {
    let given = headers.get(REQUEST_ID).and_then(|value| value.to_str().ok());
    let is_harmless = |id: &&str| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.:".contains(&b))
    };
    given.filter(is_harmless).map_or_else(|| format!("req-{:016x}", rand::random::<u64>()), str::to_owned)
}

fn visible(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| std::str::from_utf8(value.as_bytes()).ok().map(str::to_owned);
    headers
        .iter()
        .filter(|(name, _)| !auth::is_secret(name.as_str()))
        .filter_map(|(name, value)| Some((name.as_str().to_owned(), text(value)?)))
        .collect()
}

/// Whether the request names one host in the proper form (RFC 9112, section 3.2): what is built from a doubtful one could lead
/// elsewhere than the path that was checked.
fn has_good_host(request: &Request<Incoming>) -> bool {
    let mut hosts = request.headers().get_all(HOST).iter();
    match (hosts.next(), hosts.next()) {
        (Some(host), None) => host.to_str().is_ok_and(is_authority),
        (None, _) => request.version() != Version::HTTP_11,
        (Some(_), Some(_)) => false,
    }
}

fn is_authority(host: &str) -> bool {
    !host.is_empty() && host.len() <= 255 && host.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.:[]_".contains(&b))
}

/// How the client reached the server.
fn origin(headers: &HeaderMap, uri: &hyper::Uri, local: SocketAddr) -> String {
    let named = headers.get(HOST).and_then(|host| host.to_str().ok());
    let named = named.or_else(|| uri.authority().map(|authority| authority.as_str())).filter(|host| is_authority(host));
    named.map_or_else(|| format!("http://{local}"), |host| format!("http://{host}"))
}
