//! A rectangle of a picture's pixels, borrowed where nothing was changed yet.

use std::borrow::Cow;

use crate::image::Image;

/// 8-bit RGB rows, `stride` bytes apart.
#[derive(Clone, Debug)]
pub(crate) struct Pixels<'a> {
    bytes: Cow<'a, [u8]>,
    /// Where the first row begins.
    start: usize,
    stride: usize,
    pub(crate) width: usize,
    pub(crate) height: usize,
}

impl<'a> Pixels<'a> {
    /// All of a picture.
    pub(crate) fn of(image: &'a Image) -> Self {
        let (width, height) = (image.width() as usize, image.height() as usize);
        Self { bytes: Cow::Borrowed(image.pixels()), start: 0, stride: width * 3, width, height }
    }

    /// Pixels of their own, `[height, width, 3]`.
    pub(crate) fn owned(bytes: Vec<u8>, width: usize, height: usize) -> Self {
        debug_assert_eq!(bytes.len(), width * height * 3);
        Self { bytes: Cow::Owned(bytes), start: 0, stride: width * 3, width, height }
    }

    /// A part; it must lie inside and not be empty.
    pub(crate) fn crop(mut self, left: usize, top: usize, width: usize, height: usize) -> Self {
        assert!(width > 0 && height > 0 && left + width <= self.width && top + height <= self.height);
        self.start += top * self.stride + left * 3;
        (self.width, self.height) = (width, height);
        self
    }

    /// A row's bytes.
    pub(crate) fn row(&self, y: usize) -> &[u8] {
        let start = self.start + y * self.stride;
        &self.bytes[start..start + self.width * 3]
    }

    /// All rows from the top.
    pub(crate) fn rows(&self) -> impl Iterator<Item = &[u8]> {
        (0..self.height).map(|y| self.row(y))
    }

    /// The same picture with each byte replaced by what a table says.
    pub(crate) fn mapped(&self, table: &[u8; 256]) -> Pixels<'static> {
        let bytes = self.rows().flatten().map(|&value| table[usize::from(value)]).collect();
        Pixels::owned(bytes, self.width, self.height)
    }

    /// Brightness of each pixel, `[height, width]`, with OpenCV's fixed-point weights.
    pub(crate) fn gray(&self) -> Vec<u8> {
        let mut gray = Vec::with_capacity(self.width * self.height);
        for row in self.rows() {
            gray.extend(row.as_chunks::<3>().0.iter().map(|&[red, green, blue]| {
                ((u32::from(red) * 9798 + u32::from(green) * 19235 + u32::from(blue) * 3735 + 16384) >> 15) as u8
            }));
        }
        gray
    }

    /// Three equal channels of one, `[height, width]`.
    pub(crate) fn from_gray(gray: &[u8], width: usize, height: usize) -> Pixels<'static> {
        Pixels::owned(gray.iter().flat_map(|&value| [value; 3]).collect(), width, height)
    }
}
