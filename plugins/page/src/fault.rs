//! What goes wrong: a file that is not there, or a client that has left.

use mimus_sdk::{DialectError, Reply, WriteError};

/// An error as the browser sees it.
pub enum Fault {
    /// No such file.
    Missing,
    /// The client took no answer; nobody reads this.
    Gone(WriteError),
}

impl DialectError for Fault {
    fn reply(&self) -> Reply {
        match self {
            Fault::Missing => Reply::text(404, "the page has no such file; reload it, the server may have a newer one"),
            Fault::Gone(error) => Reply::text(500, &error.to_string()),
        }
    }
}

impl From<WriteError> for Fault {
    fn from(error: WriteError) -> Self {
        Fault::Gone(error)
    }
}
