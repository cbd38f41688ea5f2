//! Areas: each pixel is coloured by the part of it that is inside.

use ab_glyph_rasterizer::{Rasterizer, point};

use super::canvas::{Canvas, blend};
use super::clip::{self, Exact, Window, exact};
use super::{Color, Point};

/// Fills what a line through points encloses. Where the line crosses itself, what it goes around in both directions is left out.
pub fn draw(canvas: &mut Canvas<'_>, points: &[Point], color: Color, opacity: f32) {
    let window = Window { min: [0.0; 2], max: [canvas.width as f64, canvas.height as f64] };
    let polygon = clip::polygon(points.iter().copied().map(exact), &window);
    let lowest = |axis: usize| polygon.iter().fold(f64::MAX, |low, point| low.min(point[axis])) as f32;
    let highest = |axis: usize| polygon.iter().fold(f64::MIN, |high, point| high.max(point[axis])) as f32;
    let Some(bounds) = canvas.bounds(lowest(0), lowest(1), highest(0), highest(1)) else { return };
    let mut rasterizer = Rasterizer::new(0, 0);
    for band in bounds.bands() {
        let (rows, columns) = (band.bottom - band.top, band.width());
        rasterizer.reset(columns, rows);
        let local = |exact: &Exact| point((exact[0] - band.left as f64) as f32, (exact[1] - band.top as f64) as f32);
        for (at, to) in polygon.iter().enumerate() {
            let from = local(&polygon[(at + polygon.len() - 1) % polygon.len()]);
            let to = local(to);
            if from.y.max(to.y) > 0.0 && from.y.min(to.y) < rows as f32 {
                rasterizer.draw_line(from, to);
            }
        }
        let mut pixels = canvas.rows(band).flatten();
        rasterizer.for_each_pixel(|_, covered| {
            let pixel = pixels.next().expect("a band has as many pixels");
            let coverage = (covered.min(1.0) * opacity * 255.0 + 0.5) as u8;
            if coverage > 0 {
                blend(pixel, color, coverage);
            }
        });
    }
}
