//! Pictures from clients and for clients.

use crate::backend::{Backend, Picture, host};

pub use crate::bindings::personality::mimus::plugin::media::{
    Area, Color, Dot, Error, Format, Label, Line, Mark, Point, Source,
};

/// Pictures that one request holds at once.
pub const IMAGES_MAX: usize = 64;

/// A decoded picture, which the host holds. Dropping it gives its memory back.
///
/// ```
/// use mimus_sdk::media::{self, Color, Format, Line, Mark, Point, Source};
///
/// /// The picture with a red stroke from corner to corner.
/// fn cross_out(file: Vec<u8>) -> Result<Vec<u8>, String> {
///     let image = media::open(Source::Bytes(file)).map_err(|error| error.message())?;
///     image.orient();
///     let corner = Point { x: image.width() as f32, y: image.height() as f32 };
///     let stroke = Line {
///         points: vec![Point { x: 0.0, y: 0.0 }, corner],
///         is_closed: false,
///         color: Color { r: 255, g: 0, b: 0 },
///         stroke: 4.0,
///     };
///     image.draw(&[Mark::Line(stroke)])?;
///     image.encode(Format::Jpeg(90))
/// }
/// ```
pub struct Image(pub(crate) Box<dyn Picture>);

/// Decodes a picture.
pub fn open(source: Source) -> Result<Image, Error> {
    Backend::open_picture(&*host(), source).map(Image)
}

impl Image {
    /// In pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.0.width()
    }

    /// In pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.0.height()
    }

    /// Turns and flips the pixels as the file's EXIF orientation says; width and height may change places.
    pub fn orient(&self) {
        self.0.orient();
    }

    /// Draws marks over the picture, in order. An error names the mark that is out of bounds.
    pub fn draw(&self, marks: &[Mark]) -> Result<(), String> {
        self.0.draw(marks)
    }

    /// The picture as a file.
    pub fn encode(&self, format: Format) -> Result<Vec<u8>, String> {
        self.0.encode(format)
    }
}

impl Error {
    /// One sentence for the client's user.
    pub fn message(&self) -> String {
        match self {
            Error::Empty => "the picture has no bytes".into(),
            Error::Malformed(why) | Error::TooLarge(why) | Error::Refused(why) | Error::Unreachable(why) => why.clone(),
            Error::Overloaded(_) => "too many pictures are held just now, try again later".into(),
        }
    }
}
