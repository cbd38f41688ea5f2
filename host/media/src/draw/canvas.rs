//! The pixels that marks are drawn on.

use super::Color;

/// Rows that lines and areas are worked on at once: what they cover is held for so many, whatever the picture's height.
const BAND_ROWS: usize = 64;

/// A picture's pixels.
pub struct Canvas<'a> {
    /// In pixels.
    pub width: usize,
    /// In pixels.
    pub height: usize,
    pixels: &'a mut [[u8; 3]],
}

/// A rectangle of whole pixels inside the canvas, never empty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    pub left: usize,
    pub top: usize,
    pub right: usize,
    pub bottom: usize,
}

impl<'a> Canvas<'a> {
    /// `pixels` are `[height, width, 3]`.
    pub fn new(width: usize, height: usize, pixels: &'a mut [u8]) -> Self {
        let pixels = pixels.as_chunks_mut().0;
        assert_eq!(pixels.len(), width * height, "a picture has as many pixels as its sides say");
        Canvas { width, height, pixels }
    }

    /// The rows of a rectangle, from the top.
    pub fn rows(&mut self, bounds: Bounds) -> impl Iterator<Item = &mut [[u8; 3]]> {
        let rows = self.pixels.chunks_exact_mut(self.width).take(bounds.bottom).skip(bounds.top);
        rows.map(move |row| &mut row[bounds.left..bounds.right])
    }

    /// The pixels of a rectangle, which may lie outside; none when it does wholly.
    pub fn bounds(&self, left: f32, top: f32, right: f32, bottom: f32) -> Option<Bounds> {
        // Casts of floats saturate, so that what is far outside ends at the border.
        let bounds = Bounds {
            left: left.floor() as usize,
            top: top.floor() as usize,
            right: (right.ceil() as usize).min(self.width),
            bottom: (bottom.ceil() as usize).min(self.height),
        };
        (bounds.left < bounds.right && bounds.top < bounds.bottom).then_some(bounds)
    }
}

impl Bounds {
    pub fn width(&self) -> usize {
        self.right - self.left
    }

    /// The same columns, a few rows at a time.
    pub fn bands(self) -> impl Iterator<Item = Bounds> {
        let tops = (self.top..self.bottom).step_by(BAND_ROWS);
        tops.map(move |top| Bounds { top, bottom: (top + BAND_ROWS).min(self.bottom), ..self })
    }
}

/// Lays a colour over a pixel. `coverage` of 255 replaces it.
pub fn blend(pixel: &mut [u8; 3], color: Color, coverage: u8) {
    let coverage = u32::from(coverage);
    for (value, color) in pixel.iter_mut().zip(color) {
        let sum = u32::from(*value) * (255 - coverage) + u32::from(color) * coverage;
        *value = ((sum + 127) / 255) as u8;
    }
}

/// How much of a pixel is covered whose centre lies `inside` pixels within a smooth edge; negative ones lie without.
pub fn edge(inside: f32) -> u8 {
    ((inside + 0.5).clamp(0.0, 1.0) * 255.0 + 0.5) as u8
}
