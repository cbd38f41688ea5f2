//! Forms of several parts (`multipart/form-data`, RFC 7578): names, files, bytes.
//!
//! Strict where a lenient reader would have to guess: lines end in CRLF, and a form that does not end is none.

use std::borrow::Cow;

/// Parts of one form.
pub const PARTS_MAX: usize = 256;

/// Bytes of one part's headers.
pub const HEAD_BYTES_MAX: usize = 16 << 10;

/// One part of a form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part<'a> {
    /// The field's name.
    pub name: Cow<'a, str>,
    /// Name of the file that it was, where it was one.
    pub file_name: Option<Cow<'a, str>>,
    /// As the part states it.
    pub content_type: Option<&'a str>,
    /// What it holds.
    pub body: &'a [u8],
}

/// Whether a content type is that of a form of several parts.
pub fn is_form(content_type: &str) -> bool {
    kind(content_type).eq_ignore_ascii_case("multipart/form-data")
}

/// The parts of a body with that content type, in order. An error says what is wrong with the form.
///
/// ```
/// use mimus_sdk::multipart;
///
/// let body = b"--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.png\"\r\n\r\n\x89PNG\r\n--x--\r\n";
/// let parts = multipart::parts("multipart/form-data; boundary=x", body).unwrap();
/// assert_eq!((&*parts[0].name, parts[0].body), ("file", &b"\x89PNG"[..]));
/// ```
pub fn parts<'a>(content_type: &str, body: &'a [u8]) -> Result<Vec<Part<'a>>, String> {
    if !is_form(content_type) {
        return Err(format!("the content type `{}` is not multipart/form-data", kind(content_type)));
    }
    let boundary = parameter(content_type, "boundary").filter(|boundary| (1..=70).contains(&boundary.len()));
    let boundary = boundary.ok_or("the content type names no boundary of 1 to 70 characters")?;
    let delimiter = format!("\r\n--{boundary}");
    // The first delimiter may stand at the very start, without a line end before it.
    let first = &delimiter.as_bytes()[2..];
    let mut rest = match body.strip_prefix(first) {
        Some(rest) => rest,
        None => split(body, delimiter.as_bytes()).ok_or("the boundary does not occur in the form")?.1,
    };
    let mut parts = Vec::new();
    while !rest.starts_with(b"--") {
        if parts.len() == PARTS_MAX {
            return Err(format!("the form has more than {PARTS_MAX} parts"));
        }
        let (line, after) = split(rest, b"\r\n").ok_or("the form does not end")?;
        if !line.iter().all(|byte| matches!(byte, b' ' | b'\t')) {
            return Err("something follows a boundary on its line".into());
        }
        // Goes back to the line end, which may be the one before the next delimiter.
        let part = &rest[rest.len() - after.len() - 2..];
        let (part, next) = split(part, delimiter.as_bytes()).ok_or("the form does not end")?;
        parts.push(read_part(part)?);
        rest = next;
    }
    Ok(parts)
}

/// A part from the line end before its headers to its last byte.
fn read_part(part: &[u8]) -> Result<Part<'_>, String> {
    let (head, body) = match part.strip_prefix(b"\r\n\r\n") {
        Some(body) => (&b""[..], body),
        None => split(part, b"\r\n\r\n").ok_or("a part has no empty line after its headers")?,
    };
    if head.len() > HEAD_BYTES_MAX {
        return Err(format!("the headers of a part are longer than {HEAD_BYTES_MAX} bytes"));
    }
    let head = std::str::from_utf8(head).map_err(|_| "the headers of a part are not UTF-8")?;
    let header = |name: &str| {
        let mut lines = head.split("\r\n").filter_map(|line| line.split_once(':'));
        lines.find(|(key, _)| key.trim().eq_ignore_ascii_case(name)).map(|(_, value)| value.trim())
    };
    let disposition = header("content-disposition").ok_or("a part has no content-disposition")?;
    let name = parameter(disposition, "name").ok_or("a part has no name")?;
    Ok(Part { name, file_name: parameter(disposition, "filename"), content_type: header("content-type"), body })
}

/// What stands before the first parameter.
fn kind(value: &str) -> &str {
    value.split_once(';').map_or(value, |(kind, _)| kind).trim()
}

/// A parameter of a header's value, `; name="value"`, its quotes taken off.
fn parameter<'a>(value: &'a str, wanted: &str) -> Option<Cow<'a, str>> {
    let mut rest = value.split_once(';')?.1;
    loop {
        let (name, after) = rest.split_once('=')?;
        // What has no value is passed over.
        let name = name.rsplit_once(';').map_or(name, |(_, name)| name).trim();
        let (found, next) = match after.trim_start().strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (found, next) = after.split_once(';').unwrap_or((after, ""));
                (Cow::Borrowed(found.trim()), next)
            }
        };
        if name.eq_ignore_ascii_case(wanted) {
            return Some(found);
        }
        rest = next;
    }
}

/// The text up to the closing quote, and what follows the next `;`. A backslash keeps its meaning unless a quote or another one
/// follows: browsers wrote the paths of Windows as they were.
fn unquote(quoted: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut escaped = String::new();
    let mut rest = quoted;
    let end = loop {
        let index = rest.find(['"', '\\'])?;
        if rest.as_bytes()[index] == b'"' {
            break index;
        }
        let is_escape = matches!(rest.as_bytes().get(index + 1), Some(b'"' | b'\\'));
        let kept = if is_escape { index } else { index + 1 };
        escaped.push_str(&rest[..kept]);
        rest = &rest[index + 1..];
        if is_escape {
            escaped.push(char::from(rest.as_bytes()[0]));
            rest = &rest[1..];
        }
    };
    let next = rest[end + 1..].split_once(';').map_or("", |(_, next)| next);
    if escaped.is_empty() {
        return Some((Cow::Borrowed(&rest[..end]), next));
    }
    escaped.push_str(&rest[..end]);
    Some((Cow::Owned(escaped), next))
}

/// What stands before and after the first `wanted`, which starts with a carriage return.
fn split<'a>(bytes: &'a [u8], wanted: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let mut from = 0;
    loop {
        let index = from + bytes[from..].iter().position(|byte| *byte == b'\r')?;
        if bytes[index..].starts_with(wanted) {
            return Some((&bytes[..index], &bytes[index + wanted.len()..]));
        }
        from = index + 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn form(boundary: &str, parts: &[(&str, &str)]) -> Vec<u8> {
        let part = |(head, body): &(&str, &str)| format!("--{boundary}\r\n{head}\r\n\r\n{body}\r\n");
        let mut form: String = parts.iter().map(part).collect();
        form.push_str(&format!("--{boundary}--\r\n"));
        form.into_bytes()
    }

    fn names(head: &str) -> (String, Option<String>) {
        let form = form("b", &[(head, "")]);
        let parts = parts("multipart/form-data; boundary=b", &form).unwrap_or_else(|error| panic!("{head}: {error}"));
        (parts[0].name.to_string(), parts[0].file_name.as_ref().map(|name| name.to_string()))
    }

    #[test]
    fn parts_have_names_and_bytes() {
        let file = "content-disposition: form-data; filename=\"x.jpg\"; name=file\r\nContent-Type: image/jpeg";
        let bytes =
            form("a b", &[("Content-Disposition: form-data; name=\"id\"", "7"), (file, "\r\n--a\r\n\r\n--\r\n")]);
        let found = parts("Multipart/Form-Data; charset=x; boundary=\"a b\"", &bytes).expect("a form");
        assert_eq!(found.len(), 2);
        assert_eq!((&*found[0].name, found[0].body, found[0].file_name.clone()), ("id", &b"7"[..], None));
        assert_eq!((&*found[1].name, found[1].file_name.as_deref()), ("file", Some("x.jpg")));
        assert_eq!((found[1].content_type, found[1].body), (Some("image/jpeg"), &b"\r\n--a\r\n\r\n--\r\n"[..]));
    }

    #[test]
    fn names_may_hold_quotes() {
        let cases = [
            (r#"Content-Disposition: form-data; name="a;b"; filename="c=d""#, "a;b", Some("c=d")),
            (r#"Content-Disposition: form-data; name="a\"b\\c""#, "a\"b\\c", None),
            (r#"Content-Disposition: form-data; name="n"; filename="C:\x\y.png""#, "n", Some(r"C:\x\y.png")),
            (r#"Content-Disposition: form-data; filename="name=wrong"; name="right""#, "right", Some("name=wrong")),
            ("Content-Disposition:form-data;name=n ; filename=f", "n", Some("f")),
            ("X-More: 1\r\nCONTENT-DISPOSITION: form-data; size; NAME=\"n\"", "n", None),
        ];
        for (head, name, file) in cases {
            assert_eq!(names(head), (name.into(), file.map(String::from)), "{head}");
        }
    }

    #[test]
    fn preamble_padding_and_epilogue_are_passed_over() {
        let body = b"hello\r\n--b \t\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nv\r\n--b--\r\nbye";
        assert_eq!(parts("multipart/form-data; boundary=b", body).expect("a form")[0].body, b"v");
        assert_eq!(parts("multipart/form-data; boundary=b", b"--b--").expect("a form"), []);
    }

    #[test]
    fn what_is_no_form_is_told() {
        let good = form("b", &[("Content-Disposition: form-data; name=\"n\"", "v")]);
        let kind = "multipart/form-data; boundary=b";
        let long = format!("multipart/form-data; boundary={}", "b".repeat(71));
        let head = format!("Content-Disposition: form-data; name=\"n\"\r\nX: {}", "y".repeat(HEAD_BYTES_MAX));
        let cases: [(&str, &[u8], &str); 11] = [
            ("application/json", &good, "`application/json` is not"),
            ("multipart/form-data", &good, "no boundary"),
            ("multipart/form-data; boundary=\"b", &good, "no boundary"),
            (&long, &good, "no boundary"),
            ("multipart/form-data; boundary=c", &good, "does not occur"),
            (kind, &good[..good.len() - 7], "does not end"),
            (kind, b"--b", "does not end"),
            (kind, b"--bc\r\n\r\n--b--", "follows a boundary"),
            (kind, &form("b", &[("X: y", "v")]), "no content-disposition"),
            (kind, &form("b", &[("Content-Disposition: form-data", "v")]), "no name"),
            (kind, &form("b", &[(&head, "v")]), "longer than"),
        ];
        for (kind, body, words) in cases {
            let error = parts(kind, body).expect_err(words);
            assert!(error.contains(words), "{error}");
        }
    }

    #[test]
    fn parts_are_bounded() {
        let part = ("Content-Disposition: form-data; name=\"n\"", "v");
        let kind = "multipart/form-data; boundary=b";
        assert_eq!(parts(kind, &form("b", &vec![part; PARTS_MAX])).expect("a form").len(), PARTS_MAX);
        assert!(parts(kind, &form("b", &vec![part; PARTS_MAX + 1])).is_err());
    }

    /// Cut or changed anywhere, a form is read or refused.
    #[test]
    fn no_bytes_break_the_reader() {
        let head = r#"Content-Disposition: form-data; name="a\"b"; filename=c"#;
        let good = form("b", &[(head, "v"), ("Content-Disposition: form-data; name=n", "w")]);
        let kind = "multipart/form-data; boundary=b";
        assert_eq!(parts(kind, &good).map(|parts| parts.len()), Ok(2));
        for end in 0..good.len() {
            let cut = parts(kind, &good[..end]);
            assert!(cut.is_err() || end >= good.len() - 2, "{end} bytes");
            for byte in [b'\r', b'\n', b'-', b'"', b'\\', b';', b'=', 0, 0xff] {
                let mut changed = good.clone();
                changed[end] = byte;
                let _ = parts(kind, &changed);
            }
        }
    }
}
