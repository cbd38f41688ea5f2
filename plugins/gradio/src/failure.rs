//! Why a function did not end well.

use mimus_sdk::{WriteError, inference, log, state};

/// What ends a function early.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Failure {
    /// In words for the client's user.
    Told(String),
    /// The client has asked for the end.
    Cancelled,
    /// The client has left, so nobody is to be told.
    Left,
}

impl Failure {
    pub(crate) fn told(message: impl Into<String>) -> Self {
        Failure::Told(message.into())
    }
}

impl From<inference::Error> for Failure {
    fn from(error: inference::Error) -> Self {
        match error {
            inference::Error::Cancelled => Failure::Cancelled,
            error => {
                if let inference::Error::Failed(why) = &error {
                    mimus_sdk::error!("the model failed: {why}");
                }
                Failure::Told(error.message())
            }
        }
    }
}

impl From<state::Error> for Failure {
    fn from(error: state::Error) -> Self {
        match error {
            state::Error::Busy => Failure::told("another call of this session is still running"),
            state::Error::Full => Failure::told("the server keeps as many conversations as it can, try again later"),
            error => {
                log::write(log::Level::Error, &format!("a conversation could not be kept: {error:?}"));
                Failure::told("the conversation could not be kept")
            }
        }
    }
}

impl From<WriteError> for Failure {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Closed => Failure::Left,
            error => {
                log::write(log::Level::Error, &format!("values could not be written: {error:?}"));
                Failure::told("the values could not be written")
            }
        }
    }
}
