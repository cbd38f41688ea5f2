//! Marks looked at before anything is drawn: which are out of bounds, and how many pixels all of them touch.

use mimus_vision::Image;

use super::{DrawError, Mark, Point, label};
use crate::limits;

/// Whether all marks can be drawn, in bounded time.
///
/// # Errors
/// Names the mark that cannot, or that is one too many.
pub fn check(image: &Image, marks: &[Mark]) -> Result<(), DrawError> {
    let (mut points, mut pixels) = (0_usize, 0_u64);
    for (index, mark) in marks.iter().enumerate() {
        let refuse = |reason: String| Err(DrawError { mark: index, reason });
        if let Some(reason) = fault(mark) {
            return refuse(reason);
        }
        points = points.saturating_add(mark.points().len().max(1));
        pixels = pixels.saturating_add(touched(image, mark));
        if points > limits::POINTS_MAX {
            return refuse(format!("all marks to here have more than {} points; draw fewer", limits::POINTS_MAX));
        }
        if pixels > limits::PIXELS_TOUCHED_MAX {
            let most = limits::PIXELS_TOUCHED_MAX >> 20;
            return refuse(format!("all marks to here touch more than {most} Mi pixels; draw fewer or thinner ones"));
        }
    }
    Ok(())
}

impl Mark {
    fn points(&self) -> &[Point] {
        match self {
            Mark::Line { points, .. } | Mark::Area { points, .. } => points,
            Mark::Dot { center: point, .. } | Mark::Label { anchor: point, .. } => std::slice::from_ref(point),
        }
    }
}

/// What is wrong with one mark.
fn fault(mark: &Mark) -> Option<String> {
    if let Some(at) = mark.points().iter().position(|point| !point.x.is_finite() || !point.y.is_finite()) {
        return Some(format!("point {at} is no place: its coordinates are not finite"));
    }
    // None of these hold for what is no number.
    let outside = |name: &str, value: f32, least: f32, most: f32| {
        (!(least..=most).contains(&value)).then(|| format!("a {name} of {value} is not between {least} and {most}"))
    };
    match mark {
        Mark::Line { stroke, .. } => outside("stroke", *stroke, limits::STROKE_MIN, limits::STROKE_MAX),
        Mark::Area { opacity, .. } => outside("opacity", *opacity, 0.0, 1.0),
        Mark::Dot { radius, .. } => outside("radius", *radius, 0.0, limits::RADIUS_MAX),
        Mark::Label { text, size, .. } => {
            let is_long = text.chars().nth(limits::LABEL_CHARS_MAX).is_some();
            let too_long = || format!("a label has at most {} characters", limits::LABEL_CHARS_MAX);
            let size = size.and_then(|size| outside("size", size, limits::LABEL_SIZE_MIN, limits::LABEL_SIZE_MAX));
            is_long.then(too_long).or(size)
        }
    }
}

/// How many pixels a mark touches, at most and roughly.
fn touched(image: &Image, mark: &Mark) -> u64 {
    /// Looking at a pixel that stays as it is costs this part of changing it.
    const LOOK: f64 = 1.0 / 8.0;
    /// Finding a letter's place costs as much as so many pixels.
    const LETTER: f64 = 64.0;
    let inside = |points: &mut dyn Iterator<Item = &Point>, reach: f64| Extent::of(points, reach, image);
    let pixels = match mark {
        Mark::Line { points, is_closed, stroke, .. } => {
            let stroke = f64::from(*stroke) + 2.0;
            let pieces = points.windows(2).map(|pair| inside(&mut pair.iter(), stroke).longer_side() * stroke);
            let closing = points.first().into_iter().chain(points.last()).take(if *is_closed { 2 } else { 0 });
            let closing = inside(&mut closing.into_iter(), stroke).longer_side() * stroke;
            pieces.sum::<f64>() + closing + inside(&mut points.iter(), stroke).area() * LOOK
        }
        Mark::Area { points, .. } => {
            let sides = points.windows(2).map(|pair| inside(&mut pair.iter(), 1.0).longer_side() * 2.0);
            sides.sum::<f64>() + inside(&mut points.iter(), 1.0).area()
        }
        Mark::Dot { center, radius, .. } => inside(&mut std::iter::once(center), f64::from(*radius) + 1.0).area(),
        Mark::Label { text, size, .. } => {
            let letters = text.chars().count() as f64;
            let size = size.unwrap_or_else(|| label::suited_size(image.width() as usize, image.height() as usize));
            let (size, width, height) = (f64::from(size), f64::from(image.width()), f64::from(image.height()));
            letters * LETTER + ((letters + 2.0) * size * 1.5).min(width) * (size * 2.0).min(height)
        }
    };
    pixels as u64
}

/// The sides of the smallest rectangle around points, as far as it is inside a picture.
struct Extent([f64; 2]);

impl Extent {
    fn of(points: &mut dyn Iterator<Item = &Point>, reach: f64, image: &Image) -> Extent {
        let (mut low, mut high) = ([f64::MAX; 2], [f64::MIN; 2]);
        for point in points {
            for (axis, value) in [point.x, point.y].into_iter().enumerate() {
                low[axis] = low[axis].min(f64::from(value));
                high[axis] = high[axis].max(f64::from(value));
            }
        }
        let sides = [image.width(), image.height()].map(f64::from);
        let inside = |axis: usize| ((high[axis] + reach).min(sides[axis]) - (low[axis] - reach).max(0.0)).max(0.0);
        let sides = [inside(0), inside(1)];
        // A rectangle that lies beside the picture has one side in it.
        Extent(if sides.contains(&0.0) { [0.0; 2] } else { sides })
    }

    fn longer_side(&self) -> f64 {
        self.0[0].max(self.0[1])
    }

    fn area(&self) -> f64 {
        self.0[0] * self.0[1]
    }
}
