//! Paths: the patterns that dialects declare, and the table that finds the one for a request.

use std::collections::HashMap;
use std::fmt;

use crate::limits;

/// HTTP methods that a dialect can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[allow(missing_docs)]
pub enum Method {
    Get,
    Post,
    Put,
    Patch,
    Delete,
}

impl Method {
    /// The method of a request; `HEAD` is answered as `GET` without its body. None for methods no dialect can have.
    pub fn parse(name: &str) -> Option<Method> {
        Some(match name {
            "GET" | "HEAD" => Method::Get,
            "POST" => Method::Post,
            "PUT" => Method::Put,
            "PATCH" => Method::Patch,
            "DELETE" => Method::Delete,
            _ => return None,
        })
    }

    /// As it stands in a request.
    pub fn as_str(self) -> &'static str {
        match self {
            Method::Get => "GET",
            Method::Post => "POST",
            Method::Put => "PUT",
            Method::Patch => "PATCH",
            Method::Delete => "DELETE",
        }
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    One(String),
    Rest(String),
}

/// A path with places, `/v1/models/{id}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    text: String,
    segments: Vec<Segment>,
}

impl Pattern {
    /// Reads a pattern.
    ///
    /// # Errors
    /// A sentence for the plugin's author.
    pub fn parse(text: &str) -> Result<Pattern, String> {
        let wrong = |why: &str| Err(format!("routes: path `{}` {why}", text.escape_debug()));
        let Some(path) = text.strip_prefix('/') else {
            return wrong("does not start with /");
        };
        if text.len() > limits::URL_BYTES_MAX
            || text.chars().any(|c| c.is_control() || c.is_whitespace() || c == '?' || c == '#')
        {
            return wrong("holds what no path can hold");
        }
        let mut segments = Vec::new();
        for segment in path.split('/') {
            if matches!(segments.last(), Some(Segment::Rest(_))) {
                return wrong("goes on after {name...}");
            }
            segments.push(match segment.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
                Some(name) => match name.strip_suffix("...") {
                    Some(name) => Segment::Rest(parse_place(text, name)?),
                    None => Segment::One(parse_place(text, name)?),
                },
                None if segment.contains(['{', '}']) => return wrong("mixes text and {name} in one segment"),
                None => Segment::Literal(segment.to_owned()),
            });
        }
        if segments.len() > limits::PATH_SEGMENTS_MAX {
            return wrong(&format!("has more than {} segments", limits::PATH_SEGMENTS_MAX));
        }
        Ok(Pattern { text: text.to_owned(), segments })
    }

    /// Whether its first segment is no text but a place for one.
    pub fn begins_with_anything(&self) -> bool {
        !matches!(self.segments.first(), Some(Segment::Literal(_)))
    }

    /// Whether both match the same paths.
    pub fn has_shape_of(&self, other: &Pattern) -> bool {
        self.shape() == other.shape()
    }

    fn shape(&self) -> String {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(text) => format!("/{text}"),
                Segment::One(_) => "/{}".to_owned(),
                Segment::Rest(_) => "/{...}".to_owned(),
            })
            .collect()
    }

    fn is_literal(&self) -> bool {
        self.segments.iter().all(|segment| matches!(segment, Segment::Literal(_)))
    }

    /// Sorts patterns so that the first match is the wanted one: literal before one place before the rest, segment by segment.
    fn rank(&self) -> Vec<u8> {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Literal(_) => 0,
                Segment::One(_) => 1,
                Segment::Rest(_) => 2,
            })
            .collect()
    }

    fn matches(&self, segments: &[&str]) -> Option<Vec<String>> {
        let mut values = Vec::new();
        for (index, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Literal(text) => {
                    if decode(segments.get(index)?)? != *text {
                        return None;
                    }
                }
                Segment::One(_) => {
                    let value = decode(segments.get(index)?)?;
                    if value.is_empty() {
                        return None;
                    }
                    values.push(value);
                }
                Segment::Rest(_) => {
                    let rest = segments.get(index..)?.join("/");
                    if rest.is_empty() {
                        return None;
                    }
                    values.push(decode(&rest)?);
                    return Some(values);
                }
            }
        }
        (segments.len() == self.segments.len()).then_some(values)
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

fn parse_place(text: &str, name: &str) -> Result<String, String> {
    let is_good = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if is_good { Ok(name.to_owned()) } else { Err(format!("routes: path `{text}` has a place without a proper name")) }
}

/// Percent-decodes a part of a path. None when it is not UTF-8, holds NUL, or a broken escape.
pub fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut index = 0;
    while index < bytes.len() {
        if bytes[index] == b'%' {
            let digits = text.get(index + 1..index + 3)?;
            let byte = u8::from_str_radix(digits, 16).ok().filter(|_| digits.bytes().all(|b| b.is_ascii_hexdigit()))?;
            if byte == 0 {
                return None;
            }
            decoded.push(byte);
            index += 3;
        } else {
            decoded.push(bytes[index]);
            index += 1;
        }
    }
    String::from_utf8(decoded).ok()
}

/// Finds what serves a request. `T` says where it leads.
pub struct RouteTable<T> {
    literal: HashMap<String, Vec<(Method, T)>>,
    patterns: Vec<(Pattern, Vec<(Method, T)>)>,
}

/// What the table says of a request.
#[derive(Debug, PartialEq, Eq)]
pub enum Found<T> {
    /// The target and the values of its places.
    Route(T, Vec<String>),
    /// The path exists, with these methods.
    OtherMethods(Vec<Method>),
    /// Nothing has this path.
    Nothing,
}

impl<T: Clone> RouteTable<T> {
    /// An empty table.
    pub fn new() -> Self {
        RouteTable { literal: HashMap::new(), patterns: Vec::new() }
    }

    /// Adds a route. Returns what already serves the same requests, in which case nothing is added.
    pub fn add(&mut self, method: Method, pattern: &Pattern, target: T) -> Result<(), T> {
        let targets = if pattern.is_literal() {
            self.literal.entry(pattern.text.clone()).or_default()
        } else {
            let index = match self.patterns.iter().position(|(other, _)| other.has_shape_of(pattern)) {
                Some(index) => index,
                None => {
                    let rank = pattern.rank();
                    let index = self.patterns.partition_point(|(other, _)| other.rank() <= rank);
                    self.patterns.insert(index, (pattern.clone(), Vec::new()));
                    index
                }
            };
            &mut self.patterns[index].1
        };
        if let Some((_, taken)) = targets.iter().find(|(other, _)| *other == method) {
            return Err(taken.clone());
        }
        targets.push((method, target));
        Ok(())
    }

    /// Finds the target for a raw (undecoded) path. `method` is none for methods that no dialect can have.
    pub fn find(&self, method: Option<Method>, path: &str) -> Found<T> {
        let mut others = Vec::new();
        if let Some(found) = self.literal.get(path).and_then(|targets| pick(targets, method, &mut others)) {
            return Found::Route(found, Vec::new());
        }
        let Some(tail) = path.strip_prefix('/') else { return Found::Nothing };
        let segments: Vec<&str> = tail.split('/').collect();
        // An escaped spelling of a literal path is the same path.
        if path.contains('%')
            && let Some(decoded) = decode(path)
            && decoded.matches('/').count() == segments.len()
            && let Some(found) = self.literal.get(&decoded).and_then(|targets| pick(targets, method, &mut others))
        {
            return Found::Route(found, Vec::new());
        }
        for (pattern, targets) in &self.patterns {
            if let Some(values) = pattern.matches(&segments)
                && let Some(found) = pick(targets, method, &mut others)
            {
                return Found::Route(found, values);
            }
        }
        if others.is_empty() { Found::Nothing } else { Found::OtherMethods(others) }
    }
}

fn pick<T: Clone>(targets: &[(Method, T)], method: Option<Method>, others: &mut Vec<Method>) -> Option<T> {
    if let Some((_, target)) = targets.iter().find(|(other, _)| Some(*other) == method) {
        return Some(target.clone());
    }
    others.extend(
        targets.iter().map(|(method, _)| *method).filter(|method| !others.contains(method)).collect::<Vec<_>>(),
    );
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> RouteTable<&'static str> {
        let mut table = RouteTable::new();
        for (method, path, target) in [
            (Method::Get, "/v1/models", "list"),
            (Method::Get, "/v1/models/{id...}", "rest"),
            (Method::Get, "/v1/models/{id}", "one"),
            (Method::Get, "/v1/models/prompts", "prompts"),
            (Method::Delete, "/v1/models/{id}", "delete"),
            (Method::Post, "/{project}/{version}", "infer"),
        ] {
            table.add(method, &Pattern::parse(path).expect(path), target).expect(path);
        }
        table
    }

    #[test]
    fn the_most_literal_route_wins() {
        let check = |method, path: &str, target, values: &[&str]| {
            let values = values.iter().map(|v| (*v).to_owned()).collect();
            assert_eq!(table().find(Some(method), path), Found::Route(target, values), "{path}");
        };
        check(Method::Get, "/v1/models", "list", &[]);
        check(Method::Get, "/v1/models/prompts", "prompts", &[]);
        check(Method::Get, "/v1/models/a", "one", &["a"]);
        check(Method::Get, "/v1/models/a%2Fb", "one", &["a/b"]);
        check(Method::Get, "/v1/models/a/b", "rest", &["a/b"]);
        check(Method::Get, "/v1/%6Dodels", "list", &[]);
        check(Method::Post, "/shapes/1", "infer", &["shapes", "1"]);
    }

    #[test]
    fn other_methods_are_named() {
        assert_eq!(
            table().find(Some(Method::Post), "/v1/models"),
            Found::Route("infer", vec!["v1".into(), "models".into()])
        );
        assert_eq!(
            table().find(Some(Method::Put), "/v1/models/x"),
            Found::OtherMethods(vec![Method::Get, Method::Delete])
        );
        assert_eq!(table().find(None, "/v1/models"), Found::OtherMethods(vec![Method::Get, Method::Post]));
    }

    #[test]
    fn strange_paths_lead_nowhere() {
        for path in ["", "x", "/", "/v1", "/a//", "/%00/1", "/%zz/1", "/%ff/1", "/a/b/c", "/%/1", "/v1/models/"] {
            assert_eq!(table().find(Some(Method::Post), path), Found::Nothing, "{path}");
        }
    }

    #[test]
    fn bad_patterns_are_refused() {
        for path in ["", "v1", "/{}", "/a{b}", "/{a...}/b", "/a b", "/a?b", "/{a b}", &"/a".repeat(17)] {
            assert!(Pattern::parse(path).is_err(), "{path}");
        }
    }

    #[test]
    fn a_taken_route_is_named() {
        assert_eq!(table().add(Method::Get, &Pattern::parse("/v1/models/{name}").expect("good"), "new"), Err("one"));
    }
}
