//! Marks over a picture: lines, areas, dots and labels with smooth edges.
//!
//! Every edge is computed from its distance to a pixel's centre or from the part of a pixel that it covers, so that nothing is drawn
//! larger and made smaller. What is outside the picture is cut. Time is bounded before the first pixel is written.

mod area;
mod canvas;
mod check;
mod clip;
mod dot;
mod label;
mod line;

#[cfg(test)]
mod tests;

use mimus_vision::Image;

use canvas::Canvas;

/// A place in a picture, in pixels from its top left corner. A pixel's centre is at a half: that of the first at (0.5, 0.5).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

/// Red, green and blue.
pub type Color = [u8; 3];

/// Something that is drawn over a picture.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A line through points, with round corners and ends. One point is a round spot.
    Line {
        /// In order.
        points: Vec<Point>,
        /// The last point is joined to the first.
        is_closed: bool,
        /// Of the line.
        color: Color,
        /// Width in pixels, 1 to 64.
        stroke: f32,
    },
    /// What a line through points encloses.
    Area {
        /// In order; the last is joined to the first.
        points: Vec<Point>,
        /// Of the inside.
        color: Color,
        /// 0 to 1.
        opacity: f32,
    },
    /// A filled circle.
    Dot {
        /// Its centre.
        center: Point,
        /// In pixels, 0 to 1,024.
        radius: f32,
        /// Of the whole.
        color: Color,
    },
    /// Text in a box.
    Label {
        /// Where the box's bottom left corner goes; the box is moved to lie inside the picture.
        anchor: Point,
        /// At most 256 characters. What does not fit the picture's width ends in an ellipsis.
        text: String,
        /// Of the box; the text is black or white.
        color: Color,
        /// Height of a capital letter in pixels, 6 to 256; none suits the picture's size.
        size: Option<f32>,
    },
}

/// A mark that is out of bounds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("mark {mark}: {reason}")]
pub struct DrawError {
    /// Its index.
    pub mark: usize,
    /// What is wrong with it.
    pub reason: String,
}

/// Draws marks over a picture, in order. Where another clone holds the pixels they are copied.
///
/// # Errors
/// When a mark is out of bounds, or all of them together are. Then nothing is drawn.
pub fn draw(image: &mut Image, marks: &[Mark]) -> Result<(), DrawError> {
    check::check(image, marks)?;
    let (width, height) = (image.width() as usize, image.height() as usize);
    let mut canvas = Canvas::new(width, height, image.pixels_mut());
    for mark in marks {
        match mark {
            Mark::Line { points, is_closed, color, stroke } => {
                line::draw(&mut canvas, points, *is_closed, *color, *stroke)
            }
            Mark::Area { points, color, opacity } => area::draw(&mut canvas, points, *color, *opacity),
            Mark::Dot { center, radius, color } => dot::draw(&mut canvas, *center, *radius, *color),
            Mark::Label { anchor, text, color, size } => label::draw(&mut canvas, *anchor, text, *color, *size),
        }
    }
    Ok(())
}
