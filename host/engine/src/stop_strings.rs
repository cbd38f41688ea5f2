//! Finds stop strings in text that arrives in parts.

/// The stop strings of a request.
#[derive(Clone, Debug, Default)]
pub(crate) struct StopStrings(Vec<String>);

/// What a text has of them.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    /// The stop string `index` lies at `start..end`.
    Found { index: usize, start: usize, end: usize },
    /// From `start` on the text may become a stop string.
    Possible { start: usize },
    /// Neither.
    None,
}

impl StopStrings {
    /// No stop strings.
    pub(crate) const NONE: Self = Self(Vec::new());

    /// Stop strings, none of them empty.
    pub(crate) fn new(stops: Vec<String>) -> Self {
        Self(stops)
    }

    /// The stop string at `index`.
    pub(crate) fn text(&self, index: usize) -> String {
        self.0.get(index).cloned().unwrap_or_default()
    }

    /// The earliest stop string in `text`, or where one may begin. Of two at one place the first listed wins.
    pub(crate) fn find(&self, text: &str) -> Stop {
        let found = self.0.iter().enumerate().filter_map(|(index, stop)| {
            let start = text.find(stop.as_str())?;
            Some((start, index, start + stop.len()))
        });
        if let Some((start, index, end)) = found.min() {
            return Stop::Found { index, start, end };
        }
        let possible = self.0.iter().filter_map(|stop| possible_start(text, stop)).min();
        possible.map_or(Stop::None, |start| Stop::Possible { start })
    }
}

/// The earliest place where `text` ends in the beginning of `stop`.
fn possible_start(text: &str, stop: &str) -> Option<usize> {
    let first = text.len().saturating_sub(stop.len().saturating_sub(1));
    (first..text.len()).find(|&start| {
        // Both are UTF-8, so equal bytes from the start of `stop` on are equal characters.
        text.is_char_boundary(start) && stop.as_bytes().starts_with(&text.as_bytes()[start..])
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(stops: &[&str], text: &str, expect: Stop) {
        let stops = StopStrings::new(stops.iter().map(|stop| (*stop).to_owned()).collect());
        assert_eq!(stops.find(text), expect, "{text:?}");
    }

    #[test]
    fn earliest_match_wins() {
        check(&["b", "ab"], "xab", Stop::Found { index: 1, start: 1, end: 3 });
        check(&["ab", "a"], "xab", Stop::Found { index: 0, start: 1, end: 3 });
        check(&["aab"], "aa", Stop::Possible { start: 0 });
        check(&["aab"], "aaa", Stop::Possible { start: 1 });
        check(&["xyz", "y"], "ax", Stop::Possible { start: 1 });
        check(&["é"], "e", Stop::None);
        check(&[], "anything", Stop::None);
    }
}
