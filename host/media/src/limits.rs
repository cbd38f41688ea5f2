//! Every bound on pictures, in one place. Sizes are in bytes, times in milliseconds, lengths in pixels.
//!
//! They protect the process from clients and plugins, and are fixed.

// ---- Pictures -----------------------------------------------------------------------------------------------------------------

/// Longest side. Cameras end at some 12,000; the whole of [`PIXELS_MAX`] may be a strip of this length.
pub const SIDE_MAX: u32 = 16_384;

/// Pixels of one picture: 64 Mi, 192 MiB as RGB. The largest sensors of phones have 200 million in a mode nobody sends to models;
/// what they send has 12 to 50 million.
pub const PIXELS_MAX: u64 = 64 << 20;

/// Largest memory that a decoder may fill for one picture, before it is RGB: [`PIXELS_MAX`] with transparency.
pub const DECODED_BYTES_MAX: u64 = 256 << 20;

/// Colour profiles and texts of a PNG, once unpacked. A small file can hold gigabytes of them; real ones have less than 4 MiB.
pub const METADATA_BYTES_MAX: u64 = 32 << 20;

/// Size of a picture's file. As base64 it fits the largest body of a request.
pub const ENCODED_BYTES_MAX: usize = 24 << 20;

/// Scans of a JPEG. Progressive files have some ten; each one walks the whole picture, so that a small file could cost hours.
pub const JPEG_SCANS_MAX: usize = 100;

// ---- Addresses ----------------------------------------------------------------------------------------------------------------

/// Bytes of an address.
pub const URL_BYTES_MAX: usize = 8 << 10;

/// Size of a file that is fetched.
pub const FETCH_BYTES_MAX: usize = 20 << 20;

/// Time for a connection.
pub const FETCH_CONNECT_MS: u64 = 3_000;

/// Time for the whole of it, from the wait for a turn to the last byte: a slow body ends here too.
pub const FETCH_MS: u64 = 10_000;

/// Files that one request fetches at once.
pub const FETCHES_PER_REQUEST: usize = 4;

/// Files that the server fetches at once; a further one waits for its turn. 640 MiB at most.
pub const FETCHES_AT_ONCE: usize = 32;

/// Places in the operator's list. Each costs one comparison per address.
pub const PLACES_MAX: usize = 1_024;

// ---- Marks --------------------------------------------------------------------------------------------------------------------

/// Points of all marks that are drawn at once; a dot and a label count as one, and so does a mark without any.
pub const POINTS_MAX: usize = 65_536;

/// Width of a line.
pub const STROKE_MIN: f32 = 1.0;
/// Width of a line.
pub const STROKE_MAX: f32 = 64.0;

/// Radius of a dot.
pub const RADIUS_MAX: f32 = 1_024.0;

/// Characters of a label.
pub const LABEL_CHARS_MAX: usize = 256;

/// Height of a label's letters: smaller ones cannot be read.
pub const LABEL_SIZE_MIN: f32 = 6.0;
/// Height of a label's letters.
pub const LABEL_SIZE_MAX: f32 = 256.0;

/// Pixels that all marks of one call may touch together, counted generously: bounds the time to about a second. A thousand outlines
/// on the largest picture touch half of it.
pub const PIXELS_TOUCHED_MAX: u64 = 256 << 20;
