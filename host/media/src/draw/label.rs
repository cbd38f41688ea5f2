//! Text in a box with round corners.
//!
//! The font has Latin, Greek and Cyrillic letters; what it lacks is a hollow box. Text runs from left to right.

use std::sync::LazyLock;

use ab_glyph::{Font, FontRef, Glyph, GlyphId, PxScale, ScaleFont, point};

use super::canvas::{Canvas, blend, edge};
use super::{Color, Point};
use crate::limits;

/// DejaVu Sans Bold, cut down by `fonts/subset.py`.
static FONT: LazyLock<FontRef<'static>> = LazyLock::new(|| {
    let bytes = include_bytes!("../../fonts/DejaVuSans-Bold-subset.ttf");
    FontRef::try_from_slice(bytes).expect("the font is part of the program")
});

/// A capital letter's height, as a part of the font's.
static CAPITAL: LazyLock<f32> = LazyLock::new(|| {
    let outline = FONT.outline(FONT.glyph_id('H')).expect("the font has Latin letters");
    (outline.bounds.max.y - outline.bounds.min.y).abs() / FONT.height_unscaled()
});

/// Space between the text and its box's sides, and its corners' radius, as parts of a capital letter's height.
const PADDING_X: f32 = 0.5;
const PADDING_Y: f32 = 0.45;
const CORNER: f32 = 0.3;

/// Draws a label whose box has its bottom left corner at `anchor`, or as near to it as the picture allows.
pub fn draw(canvas: &mut Canvas<'_>, anchor: Point, text: &str, color: Color, size: Option<f32>) {
    let size = size.unwrap_or_else(|| suited_size(canvas.width, canvas.height));
    let (padding_x, padding_y) = ((size * PADDING_X).round(), (size * PADDING_Y).round());
    let (glyphs, text_width) = layout(text, size, canvas.width as f32 - 2.0 * padding_x);
    let (width, height) = ((text_width + 2.0 * padding_x).ceil(), size.round() + 2.0 * padding_y);
    // Whole pixels keep the box's sides and the letters' feet sharp. What is larger than the picture begins at its corner.
    let left = anchor.x.round().min(canvas.width as f32 - width).max(0.0);
    let top = (anchor.y.round() - height).min(canvas.height as f32 - height).max(0.0);
    fill(canvas, left, top, width, height, size * CORNER, color);
    let (start, baseline) = (left + padding_x, top + height - padding_y);
    let ink = if is_light(color) { [0; 3] } else { [255; 3] };
    for (id, x) in glyphs {
        let glyph = Glyph { id, scale: scale(size), position: point(start + x, baseline) };
        write(canvas, glyph, ink);
    }
}

/// A size of letters that suits a picture: small ones are readable in it, large ones hide little of it.
pub fn suited_size(width: usize, height: usize) -> f32 {
    /// Looks right on photographs of every size.
    const PART_OF_MEAN_SIDE: f32 = 0.012;
    let readable = (width.min(height) as f32 / 12.0).min(10.0);
    let size = ((width + height) as f32 / 2.0 * PART_OF_MEAN_SIDE).max(readable).round();
    size.clamp(limits::LABEL_SIZE_MIN, limits::LABEL_SIZE_MAX)
}

/// The font's size whose capital letters have this height.
fn scale(size: f32) -> PxScale {
    PxScale::from(size / *CAPITAL)
}

/// Where each letter goes, from the text's start, and the text's width. What is wider than `most` ends in an ellipsis.
fn layout(text: &str, size: f32, most: f32) -> (Vec<(GlyphId, f32)>, f32) {
    let font = FONT.as_scaled(scale(size));
    let mut glyphs = Vec::with_capacity(text.len());
    let mut width = 0.0;
    for char in text.chars() {
        let id = font.glyph_id(if char.is_control() { ' ' } else { char });
        glyphs.push((id, width));
        width += font.h_advance(id);
    }
    if width > most {
        let ellipsis = font.glyph_id('…');
        let room = most - font.h_advance(ellipsis);
        while let Some((id, x)) = glyphs.pop() {
            width = x;
            if x + font.h_advance(id) <= room {
                glyphs.push((id, x));
                width += font.h_advance(id);
                break;
            }
        }
        glyphs.push((ellipsis, width));
        width += font.h_advance(ellipsis);
    }
    (glyphs, width)
}

/// Fills a box with round corners.
fn fill(canvas: &mut Canvas<'_>, left: f32, top: f32, width: f32, height: f32, corner: f32, color: Color) {
    let Some(bounds) = canvas.bounds(left, top, left + width, top + height) else { return };
    let (half_width, half_height) = (width / 2.0, height / 2.0);
    for (y, row) in (bounds.top..).zip(canvas.rows(bounds)) {
        let away_y = ((y as f32 + 0.5 - top - half_height).abs() - (half_height - corner)).max(0.0);
        for (x, pixel) in (bounds.left..).zip(row) {
            let away_x = ((x as f32 + 0.5 - left - half_width).abs() - (half_width - corner)).max(0.0);
            blend(pixel, color, edge(corner - away_x.hypot(away_y)));
        }
    }
}

/// Draws one letter, as far as it is inside the picture.
fn write(canvas: &mut Canvas<'_>, glyph: Glyph, ink: Color) {
    let Some(outlined) = FONT.outline_glyph(glyph) else { return };
    let bounds = outlined.px_bounds();
    let Some(inside) = canvas.bounds(bounds.min.x, bounds.min.y, bounds.max.x, bounds.max.y) else { return };
    let (hidden_left, hidden_top) = ((-bounds.min.x).max(0.0) as u32, (-bounds.min.y).max(0.0) as u32);
    let mut rows: Vec<_> = canvas.rows(inside).collect();
    outlined.draw(|x, y, covered| {
        let place = x.checked_sub(hidden_left).zip(y.checked_sub(hidden_top));
        let pixel = place.and_then(|(x, y)| rows.get_mut(y as usize)?.get_mut(x as usize));
        if let Some(pixel) = pixel {
            blend(pixel, ink, (covered.min(1.0) * 255.0 + 0.5) as u8);
        }
    });
}

/// Whether black reads better than white on a colour.
fn is_light([r, g, b]: Color) -> bool {
    // Brightness as the eye sees it, in thousandths (ITU-R BT.601).
    let brightness = 299 * u32::from(r) + 587 * u32::from(g) + 114 * u32::from(b);
    brightness > 140_000
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_font_has_the_letters_of_labels() {
        let letters =
            "Person 0.87 % Größe Škoda Çağrı Ćwikła Ærø Tiếng Việt Ελληνικά Привет Київ – “quoted” … € ± × → ✓ №";
        for char in letters.chars().filter(|char| *char != ' ') {
            assert!(FONT.glyph_id(char).0 != 0 && FONT.outline(FONT.glyph_id(char)).is_some(), "{char}");
        }
        assert_eq!(FONT.glyph_id('語').0, 0, "what it lacks is a box");
        assert!(FONT.outline(GlyphId(0)).is_some());
    }

    #[test]
    fn long_text_ends_in_an_ellipsis() {
        let (glyphs, width) = layout("a label that is long", 10.0, 100.0);
        assert!(width <= 100.0 && width > 80.0, "{width}");
        assert_eq!(glyphs.last().map(|(id, _)| *id), Some(FONT.glyph_id('…')));
        let (glyphs, _) = layout("short", 10.0, 100.0);
        assert_eq!(glyphs.len(), 5);
        let (glyphs, _) = layout("no room", 10.0, -1.0);
        assert_eq!(glyphs.len(), 1);
    }

    #[test]
    fn sizes_suit_pictures() {
        for (width, height, size) in
            [(1, 1, 6.0), (100, 100, 8.0), (640, 480, 10.0), (1_920, 1_080, 18.0), (16_384, 4_096, 123.0)]
        {
            assert_eq!(suited_size(width, height), size, "{width} x {height}");
        }
    }

    #[test]
    fn text_is_black_on_light_colours_and_white_on_dark_ones() {
        for (color, expect) in [
            ([255; 3], true),
            ([0; 3], false),
            ([255, 255, 0], true),
            ([0, 255, 0], true),
            ([255, 0, 0], false),
            ([0, 0, 255], false),
            ([128, 0, 128], false),
        ] {
            assert_eq!(is_light(color), expect, "{color:?}");
        }
    }
}
