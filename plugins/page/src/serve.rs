//! `GET /` and the files behind it.

use mimus_sdk::{Request, Response};

use crate::assets::{ALL, ASSETS, PAGE};
use crate::digest::{START, digest, text};
use crate::fault::Fault;

/// What the page may do: load and ask of this server alone. Pictures that people drop are shown from memory.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// `GET /`: the page, with the addresses of its files.
pub(crate) fn page(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let base = format!("page-assets/{}", text(ALL));
    let page = PAGE.replace("{base}", &base);
    let tag = format!("\"{}\"", text(digest(START, page.as_bytes())));
    response.header("content-security-policy", POLICY);
    send(request, response, "text/html; charset=utf-8", page.as_bytes(), &tag, "no-cache")
}

/// `GET /page-assets/{digest}/{file}`. An address of another version leads to the present file, which is not to be kept then.
pub(crate) fn asset(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let name = request.param("file");
    let asset = ASSETS.iter().find(|asset| asset.name == name).ok_or(Fault::Missing)?;
    let is_present = request.param("digest") == text(ALL);
    let keep = if is_present { "public, max-age=31536000, immutable" } else { "no-cache" };
    let tag = format!("\"{}\"", text(asset.digest));
    send(request, response, content_type(asset.name), asset.bytes, &tag, keep)
}

fn send(
    request: &Request,
    response: &mut Response,
    content_type: &str,
    bytes: &[u8],
    tag: &str,
    keep: &str,
) -> Result<(), Fault> {
    response
        .header("etag", tag)
        .header("cache-control", keep)
        .header("x-content-type-options", "nosniff")
        .header("referrer-policy", "same-origin")
        .header("cross-origin-opener-policy", "same-origin")
        .header("cross-origin-resource-policy", "same-origin");
    let is_known = request.header("if-none-match").is_some_and(|known| holds(&known, tag));
    if is_known {
        return Ok(response.empty(304)?);
    }
    Ok(response.bytes(200, content_type, bytes.to_vec())?)
}

/// Whether an `if-none-match` names this tag; a weak one is as good, and `*` is any (RFC 9110, section 13.1.2).
fn holds(known: &str, tag: &str) -> bool {
    known.split(',').map(str::trim).any(|one| one == "*" || one.strip_prefix("W/").unwrap_or(one) == tag)
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.') {
        Some((_, "js")) => "text/javascript; charset=utf-8",
        Some((_, "css")) => "text/css; charset=utf-8",
        Some((_, "svg")) => "image/svg+xml",
        _ => "application/octet-stream",
    }
}
