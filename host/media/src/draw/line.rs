//! Lines with round corners: every pixel's coverage is that of the nearest of their pieces, so that corners are not darker.

use super::canvas::{Bounds, Canvas, blend, edge};
use super::clip::{self, Exact, Window, exact};
use super::{Color, Point};

/// A straight piece.
struct Piece {
    from: [f32; 2],
    to: [f32; 2],
}

/// Draws a line through points.
pub fn draw(canvas: &mut Canvas<'_>, points: &[Point], is_closed: bool, color: Color, stroke: f32) {
    let radius = stroke / 2.0;
    let reach = radius + 0.5;
    let border = f64::from(reach) + 1.0;
    let window = Window { min: [-border; 2], max: [canvas.width as f64 + border, canvas.height as f64 + border] };
    let pieces: Vec<Piece> = ends(points, is_closed)
        .filter_map(|(from, to)| clip::segment(from, to, &window))
        .map(|(from, to)| Piece { from: from.map(|value| value as f32), to: to.map(|value| value as f32) })
        .collect();
    let lowest = |axis: usize| pieces.iter().fold(f32::MAX, |low, piece| low.min(piece.from[axis]).min(piece.to[axis]));
    let highest =
        |axis: usize| pieces.iter().fold(f32::MIN, |high, piece| high.max(piece.from[axis]).max(piece.to[axis]));
    let bounds = canvas.bounds(lowest(0) - reach, lowest(1) - reach, highest(0) + reach, highest(1) + reach);
    let Some(bounds) = bounds else { return };
    let mut coverage = Vec::new();
    for band in bounds.bands() {
        coverage.clear();
        coverage.resize(band.width() * (band.bottom - band.top), 0);
        for piece in &pieces {
            cover(&mut coverage, &band, piece, radius);
        }
        for (row, coverage) in canvas.rows(band).zip(coverage.chunks_exact(band.width())) {
            blend_row(row, coverage, color);
        }
    }
}

/// The ends of a line's straight pieces. One point is a piece without length.
fn ends(points: &[Point], is_closed: bool) -> impl Iterator<Item = (Exact, Exact)> {
    let closing = (is_closed && points.len() > 2 || points.len() == 1).then(|| (points.last(), points.first()));
    let closing = closing.and_then(|(last, first)| Some((exact(*last?), exact(*first?))));
    points.windows(2).map(|pair| (exact(pair[0]), exact(pair[1]))).chain(closing)
}

/// Notes what a piece covers of a band.
fn cover(coverage: &mut [u8], band: &Bounds, piece: &Piece, radius: f32) {
    let reach = radius + 0.5;
    let ([ax, ay], [bx, by]) = (piece.from, piece.to);
    let (dx, dy) = (bx - ax, by - ay);
    let length_squared = dx * dx + dy * dy;
    let per_length_squared = if length_squared > 0.0 { length_squared.recip() } else { 0.0 };
    let top = (ay.min(by) - reach).floor().max(band.top as f32) as usize;
    let bottom = (ay.max(by) + reach).ceil().clamp(0.0, band.bottom as f32) as usize;
    for y in top..bottom {
        let center_y = y as f32 + 0.5;
        let Some((low, high)) = extent(piece, reach, center_y) else { continue };
        let left = (low - 0.5).floor().max(band.left as f32) as usize;
        let right = (high + 0.5).ceil().clamp(0.0, band.right as f32) as usize;
        let line = &mut coverage[(y - band.top) * band.width()..][..band.width()];
        for x in left..right {
            let (px, py) = (x as f32 + 0.5 - ax, center_y - ay);
            let along = ((px * dx + py * dy) * per_length_squared).clamp(0.0, 1.0);
            let (away_x, away_y) = (px - along * dx, py - along * dy);
            let distance_squared = away_x * away_x + away_y * away_y;
            if distance_squared < reach * reach {
                let value = &mut line[x - band.left];
                *value = (*value).max(edge(radius - distance_squared.sqrt()));
            }
        }
    }
}

/// The columns that lie within `reach` of a piece on the line at `y`.
fn extent(piece: &Piece, reach: f32, y: f32) -> Option<(f32, f32)> {
    let ([ax, ay], [bx, by]) = (piece.from, piece.to);
    let (mut low, mut high) = (f32::MAX, f32::MIN);
    let mut include = |x: f32| (low, high) = (low.min(x), high.max(x));
    for (x, center) in [(ax, ay), (bx, by)] {
        let half_squared = reach * reach - (y - center) * (y - center);
        if half_squared >= 0.0 {
            let half = half_squared.sqrt();
            include(x - half);
            include(x + half);
        }
    }
    // The two sides along the piece.
    let (dx, dy) = (bx - ax, by - ay);
    let length = dx.hypot(dy);
    if dy != 0.0 {
        for side in [reach, -reach] {
            let (side_x, side_y) = (-dy / length * side, dx / length * side);
            let along = (y - (ay + side_y)) / dy;
            if (0.0..=1.0).contains(&along) {
                include(ax + side_x + along * dx);
            }
        }
    }
    (low <= high).then_some((low, high))
}

/// Lays the covered pixels of one row over the picture's. Most of a row between a box's sides is empty.
fn blend_row(row: &mut [[u8; 3]], coverage: &[u8], color: Color) {
    const STEP: usize = 16;
    for (pixels, coverage) in row.chunks_mut(STEP).zip(coverage.chunks(STEP)) {
        if coverage.iter().fold(0, |all, value| all | value) == 0 {
            continue;
        }
        for (pixel, coverage) in pixels.iter_mut().zip(coverage) {
            if *coverage > 0 {
                blend(pixel, color, *coverage);
            }
        }
    }
}
