//! Pictures of clients: decoded within bounds, fetched under rules, drawn on, encoded.
//!
//! What it refuses to do: it knows no HTTP routes, no plugin and no configuration file, reads no file of this machine, and unpickles
//! nothing. Everything here is for the files of strangers: sizes are checked before memory is taken, and a broken picture is an error.

pub mod base64;
mod decode;
mod draw;
mod encode;
mod error;
mod fetch;
pub mod limits;
mod orientation;

pub use decode::{Decoded, decode, measure};
pub use draw::{Color, DrawError, Mark, Point, draw};
pub use encode::{Format, encode};
pub use error::MediaError;
pub use fetch::{FetchRules, Fetcher, FetcherError, Place, PlaceError};
pub use orientation::{Orientation, orient};
