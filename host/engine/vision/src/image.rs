//! Pictures as models take them.

use std::sync::Arc;

/// A picture: 8-bit RGB, row after row from the top. Clones share the pixels.
#[derive(Clone, PartialEq, Eq)]
pub struct Image {
    width: u32,
    height: u32,
    pixels: Arc<Vec<u8>>,
}

impl Image {
    /// A picture of `width * height * 3` bytes; none when a side is 0 or the bytes are not as many.
    pub fn new(width: u32, height: u32, pixels: Vec<u8>) -> Option<Self> {
        let bytes = (width as usize).checked_mul(height as usize)?.checked_mul(3)?;
        (bytes > 0 && pixels.len() == bytes).then(|| Image { width, height, pixels: Arc::new(pixels) })
    }

    /// In pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// In pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// `[height, width, 3]`, RGB.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }

    /// The pixels to draw on; copied first where another clone holds them too.
    pub fn pixels_mut(&mut self) -> &mut [u8] {
        Arc::<Vec<u8>>::make_mut(&mut self.pixels)
    }

    /// The pixels, copied only where another clone holds them too.
    pub fn into_pixels(self) -> Vec<u8> {
        Arc::unwrap_or_clone(self.pixels)
    }
}

impl std::fmt::Debug for Image {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Image({} x {})", self.width, self.height)
    }
}
