//! What can be wrong with a client's picture.

/// Why there is no picture. Each message says what the client should change; none has a path or an address of this machine.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MediaError {
    /// There are no bytes.
    #[error("the picture is empty: send the bytes of a JPEG or PNG file")]
    Empty,
    /// Not base64, no picture, a broken one, or a format that is not read.
    #[error("{0}")]
    Malformed(String),
    /// More bytes, a longer side or more pixels than are taken.
    #[error("{0}")]
    TooLarge(String),
    /// An address that is not fetched.
    #[error("{0}")]
    Refused(String),
    /// An address that was tried and gave no picture.
    #[error("{0}")]
    Unreachable(String),
}
