//! Filters in which minijinja's differ from Jinja's where templates show it.

use minijinja::value::Kwargs;
use minijinja::{Error, ErrorKind, Value};

use crate::json;

/// Spaces that `indent` and `tojson` may put before a line or a level.
const INDENT_MAX: usize = 100;

/// `tojson(ensure_ascii=False, indent=None, separators=None, sort_keys=False)`: Python's `json.dumps`, without escapes for HTML.
pub(crate) fn to_json(value: &Value, arguments: Kwargs) -> Result<String, Error> {
    let indent = arguments.get::<Option<usize>>("indent")?;
    if indent.is_some_and(|spaces| spaces > INDENT_MAX) {
        return Err(too_wide());
    }
    let style = json::Style {
        indent,
        is_ascii: arguments.get::<Option<bool>>("ensure_ascii")?.unwrap_or(false),
        has_sorted_keys: arguments.get::<Option<bool>>("sort_keys")?.unwrap_or(false),
        separators: separators(arguments.get::<Option<Value>>("separators")?)?,
    };
    arguments.assert_all_used()?;
    json::dumps(value, &style)
}

fn separators(pair: Option<Value>) -> Result<Option<(String, String)>, Error> {
    let Some(pair) = pair.filter(|pair| !pair.is_none()) else { return Ok(None) };
    let text = |index: usize| pair.get_item(&Value::from(index)).map(|separator| separator.to_string());
    Ok(Some((text(0)?, text(1)?)))
}

/// `indent(width=4, first=False, blank=False)`, which keeps a line end at the end.
pub(crate) fn indent(text: &str, width: Option<Value>, arguments: Kwargs) -> Result<String, Error> {
    let width = match width {
        Some(width) => Some(width),
        None => arguments.get::<Option<Value>>("width")?,
    };
    let is_first = arguments.get::<Option<bool>>("first")?.unwrap_or(false);
    let is_blank = arguments.get::<Option<bool>>("blank")?.unwrap_or(false);
    arguments.assert_all_used()?;
    let margin = match width {
        None => " ".repeat(4),
        Some(width) => match (width.as_str(), width.as_usize()) {
            (Some(margin), _) => margin.to_owned(),
            (None, Some(spaces)) if spaces <= INDENT_MAX => " ".repeat(spaces),
            _ => return Err(too_wide()),
        },
    };
    let mut result = String::with_capacity(text.len());
    for (index, line) in text.split('\n').enumerate() {
        if index > 0 {
            result.push('\n');
        }
        if if index == 0 { is_first } else { is_blank || !line.is_empty() } {
            result.push_str(&margin);
        }
        result.push_str(line);
    }
    Ok(result)
}

fn too_wide() -> Error {
    Error::new(ErrorKind::InvalidOperation, format!("at most {INDENT_MAX} spaces of indent"))
}
