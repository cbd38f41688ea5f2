//! Filled circles.

use super::canvas::{Canvas, blend, edge};
use super::{Color, Point};

/// Draws a filled circle.
pub fn draw(canvas: &mut Canvas<'_>, center: Point, radius: f32, color: Color) {
    let reach = radius + 0.5;
    let bounds = canvas.bounds(center.x - reach, center.y - reach, center.x + reach, center.y + reach);
    let Some(bounds) = bounds.filter(|_| radius > 0.0) else { return };
    for (y, row) in (bounds.top..).zip(canvas.rows(bounds)) {
        let away_y = y as f32 + 0.5 - center.y;
        for (x, pixel) in (bounds.left..).zip(row) {
            let away_x = x as f32 + 0.5 - center.x;
            match edge(radius - away_x.hypot(away_y)) {
                0 => {}
                coverage => blend(pixel, color, coverage),
            }
        }
    }
}
