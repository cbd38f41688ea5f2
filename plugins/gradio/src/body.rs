//! What clients send to call a function, in each generation's form.

use mimus_sdk::Request;
use serde::Deserialize;
use serde_json::Value;

use crate::app::App;
use crate::refusal::Refusal;
use crate::session::Session;

/// Fields that are not named here (`event_data`, `trigger_id`, …) are ignored.
#[derive(Debug, Deserialize)]
pub(crate) struct CallBody {
    /// One for each input; checked when the function runs.
    pub(crate) data: Option<Vec<Value>>,
    pub(crate) fn_index: Option<u64>,
    pub(crate) session_hash: Option<String>,
}

impl CallBody {
    pub(crate) fn read(request: &Request) -> Result<CallBody, Refusal> {
        Ok(request.json()?)
    }

    /// The function that is meant: by its index, or else by the name in the path.
    pub(crate) fn function(&self, app: &App, name: Option<&str>) -> Result<usize, Refusal> {
        match (self.fn_index, name) {
            (Some(index), _) => known(app, index),
            (None, Some(name)) => named(app, name),
            (None, None) => Err(Refusal::new(422, "`fn_index` is required")),
        }
    }

    pub(crate) fn data(&mut self) -> Result<Vec<Value>, Refusal> {
        self.data.take().ok_or_else(|| Refusal::new(422, "`data` is required: a list with one value for each input"))
    }

    pub(crate) fn session(&self) -> Result<Session, Refusal> {
        Session::parse(self.session_hash.as_deref())
    }
}

/// An index that a function has.
///
/// # Errors
/// 422 for another.
pub(crate) fn known(app: &App, index: u64) -> Result<usize, Refusal> {
    let count = app.functions().count();
    usize::try_from(index).ok().filter(|index| *index < count).ok_or_else(|| {
        Refusal::new(422, format!("there is no function {index}: fn_index is 0 to {}", count.saturating_sub(1)))
    })
}

/// The index of the function with that name.
///
/// # Errors
/// 404 for a name that none has.
pub(crate) fn named(app: &App, name: &str) -> Result<usize, Refusal> {
    app.index_of(name).ok_or_else(|| {
        let names: Vec<String> = app.functions().filter_map(|function| Some(format!("/{}", function.name?))).collect();
        let name: String = name.chars().take(80).collect();
        Refusal::new(404, format!("there is no function `/{name}`; there are: {}", names.join(", ")))
    })
}
