//! Forms of several parts, as far as this API looks into them: the names of parts, and the texts of those that are no files.

/// Parts of a form.
const PARTS_MAX: usize = 256;

/// A part's name, and its text unless it is a file.
pub(crate) struct Part<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: Option<&'a str>,
}

/// The parts of a body with that content type; none when it is no such form.
pub(crate) fn parts<'a>(content_type: &str, body: &'a [u8]) -> Option<Vec<Part<'a>>> {
    let (kind, parameters) = content_type.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let boundary = parameters.split(';').find_map(|parameter| parameter.trim().strip_prefix("boundary="))?;
    let delimiter = format!("--{}", boundary.trim_matches('"'));
    let mut parts = Vec::new();
    let mut rest = &body[find(body, delimiter.as_bytes())? + delimiter.len()..];
    while parts.len() < PARTS_MAX && !rest.starts_with(b"--") {
        let end = find(rest, delimiter.as_bytes())?;
        parts.extend(part(&rest[..end]));
        rest = &rest[end + delimiter.len()..];
    }
    Some(parts)
}

/// The part between two delimiters, line ends at both sides.
fn part(bytes: &[u8]) -> Option<Part<'_>> {
    let bytes = bytes.strip_prefix(b"\r\n")?.strip_suffix(b"\r\n")?;
    let end = find(bytes, b"\r\n\r\n")?;
    let head = std::str::from_utf8(&bytes[..end]).ok()?;
    let disposition = head.split("\r\n").find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let value = |key: &str| {
        let mut parameters = disposition.split(';').map(str::trim);
        parameters.find_map(|parameter| parameter.strip_prefix(key)?.strip_prefix("=\"")?.strip_suffix('"'))
    };
    let is_file = disposition.contains("filename");
    let text = std::str::from_utf8(&bytes[end + 4..]).ok().filter(|_| !is_file);
    Some(Part { name: value("name")?, text })
}

fn find(bytes: &[u8], wanted: &[u8]) -> Option<usize> {
    bytes.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: &[u8] = b"--x\r\nContent-Disposition: form-data; name=\"model\"\r\n\r\nm\r\n--x\r\nContent-Disposition: form-data; \
        name=\"image\"; filename=\"image\"\r\nContent-Type: application/octet-stream\r\n\r\n\xff--\r\n\r\n\r\n--x--\r\n";

    #[test]
    fn reads_texts_and_passes_files() {
        let parts = parts("multipart/form-data; boundary=x", FORM).expect("a form");
        let named: Vec<(&str, Option<&str>)> = parts.iter().map(|part| (part.name, part.text)).collect();
        assert_eq!(named, [("model", Some("m")), ("image", None)]);
        assert!(super::parts("multipart/form-data; charset=x; boundary=\"x\"", FORM).is_some());
    }

    #[test]
    fn what_is_no_form_is_none() {
        for (kind, body) in [
            ("application/json", FORM),
            ("multipart/form-data", FORM),
            ("multipart/form-data; boundary=y", FORM),
            ("multipart/form-data; boundary=x", &FORM[..FORM.len() - 8]),
        ] {
            assert!(parts(kind, body).is_none(), "{kind}");
        }
    }
}
