//! Equalisation in tiles with bounded slopes (CLAHE), as scikit-image and OpenCV do it.

use super::pixels::Pixels;

/// Tiles along each side.
const TILES: usize = 8;

/// Share of a tile's pixels that one brightness may have.
const CLIP: f64 = 0.03;

/// scikit-image counts in this many levels.
const LEVELS: u32 = 1 << 14;

/// scikit-image's histograms have 256 bins, of which values this far apart share one.
const BIN_LEVELS: u32 = 1 + LEVELS / 256;

/// scikit-image's `equalize_adapthist(clip_limit=0.03)`: the brightest channel is equalised, hue and saturation stay.
pub(super) fn by_value(pixels: &Pixels) -> Pixels<'static> {
    let (width, height) = (pixels.width, pixels.height);
    let values: Vec<u8> =
        pixels.rows().flat_map(|row| row.as_chunks::<3>().0.iter().map(|&[r, g, b]| r.max(g).max(b))).collect();
    let (Some(&least), Some(&greatest)) = (values.iter().min(), values.iter().max()) else {
        return pixels.mapped(&[0; 256]);
    };
    let equalized = equalize_levels(&values, width, height, least, greatest);
    let (Some(&low), Some(&high)) = (equalized.iter().min(), equalized.iter().max()) else {
        return pixels.mapped(&[0; 256]);
    };
    // A flat result is cut to 0 to 1.
    let unit = |level: u16| {
        if low == high { f32::from(level).min(1.0) } else { f32::from(level - low) / f32::from(high - low) }
    };
    let mut bytes = Vec::with_capacity(width * height * 3);
    let pixels = pixels.rows().flat_map(|row| row.as_chunks::<3>().0);
    for ((&channels, &value), &level) in pixels.zip(&values).zip(&equalized) {
        let scaled = unit(level) * 255.0;
        bytes.extend(channels.map(|channel| {
            let share = if value == 0 { 1.0 } else { f32::from(channel) / f32::from(value) };
            (share * scaled) as u8
        }));
    }
    Pixels::owned(bytes, width, height)
}

/// Levels of each pixel, 0 to `LEVELS - 1`, after equalisation of 8-bit values in tiles of an eighth of each side.
fn equalize_levels(values: &[u8], width: usize, height: usize, least: u8, greatest: u8) -> Vec<u16> {
    let (tile_width, tile_height) = ((width / TILES).max(1), (height / TILES).max(1));
    let bins = value_bins(least, greatest);
    let across = Axis::new(width, tile_width);
    let down = Axis::new(height, tile_height);
    let tile_pixels = tile_width * tile_height;
    let limit = ((CLIP * tile_pixels as f64) as i64).max(1);
    let mut maps = Vec::with_capacity(across.tiles * down.tiles);
    for tile_y in 0..down.tiles {
        for tile_x in 0..across.tiles {
            let mut counts = [0i64; 256];
            for y in 0..tile_height {
                let row = down.source(tile_y * tile_height + y) * width;
                for x in 0..tile_width {
                    let value = values[row + across.source(tile_x * tile_width + x)];
                    counts[bins[usize::from(value)]] += 1;
                }
            }
            clip(&mut counts, limit);
            maps.push(cumulate(&counts, tile_pixels));
        }
    }
    let columns: Vec<_> = (0..width).map(|x| across.neighbours(x)).collect();
    let mut levels = Vec::with_capacity(width * height);
    for (y, row) in values.chunks_exact(width).enumerate() {
        let (above, below, down_share) = down.neighbours(y);
        let (above, below) = (&maps[above * across.tiles..], &maps[below * across.tiles..]);
        for (&value, &(left, right, share)) in row.iter().zip(&columns) {
            let bin = bins[usize::from(value)];
            let weighted = |map: &[u16; 256], weight: f64| (f64::from(map[bin]) * weight) as f32;
            let mut level = weighted(&above[left], (1.0 - share) * (1.0 - down_share));
            level += weighted(&above[right], share * (1.0 - down_share));
            level += weighted(&below[left], (1.0 - share) * down_share);
            level += weighted(&below[right], share * down_share);
            levels.push(level as u16);
        }
    }
    levels
}

/// The bin of each 8-bit value, spread over all levels.
fn value_bins(least: u8, greatest: u8) -> [usize; 256] {
    let spread = |value: usize| {
        let value = (value as f64).clamp(f64::from(least), f64::from(greatest)) * 257.0;
        let (low, high) = (f64::from(least) * 257.0, f64::from(greatest) * 257.0);
        let top = f64::from(LEVELS - 1);
        if low == high { value.min(top) } else { (value - low) / (high - low) * top }
    };
    std::array::from_fn(|value| (spread(value).round_ties_even() as u32 / BIN_LEVELS) as usize)
}

/// Tiles along one side of a picture that is mirrored at its ends.
struct Axis {
    pixels: usize,
    tile: usize,
    tiles: usize,
}

impl Axis {
    fn new(pixels: usize, tile: usize) -> Self {
        Self { pixels, tile, tiles: pixels.div_ceil(tile) }
    }

    /// The pixel that stands for the one at `place`, which may lie behind the end.
    fn source(&self, place: usize) -> usize {
        mirrored(place, self.pixels)
    }

    /// The two tiles whose centres lie around a pixel, and the share of the second.
    fn neighbours(&self, pixel: usize) -> (usize, usize, f64) {
        let padded = pixel + self.tile / 2;
        let (block, offset) = (padded / self.tile, padded % self.tile);
        (block.saturating_sub(1), block.min(self.tiles - 1), offset as f64 / self.tile as f64)
    }
}

/// Cuts bins above the limit and shares what was cut among the others.
fn clip(counts: &mut [i64; 256], limit: i64) {
    let mut excess: i64 = counts.iter().map(|&count| (count - limit).max(0)).sum();
    counts.iter_mut().for_each(|count| *count = (*count).min(limit));
    let increment = excess / counts.len() as i64;
    let upper = limit - increment;
    for count in counts.iter_mut() {
        if *count < upper {
            *count += increment;
            excess -= increment;
        } else if *count < limit {
            excess -= limit - *count;
            *count = limit;
        }
    }
    while excess > 0 {
        let before = excess;
        for first in 0..counts.len() {
            let room = counts.iter().filter(|&&count| count < limit).count() as i64;
            let step = usize::try_from((room / excess).max(1)).unwrap_or(1);
            for count in counts[first..].iter_mut().step_by(step).filter(|count| **count < limit) {
                *count += 1;
                excess -= 1;
            }
            if excess <= 0 {
                break;
            }
        }
        if before == excess {
            break;
        }
    }
}

/// The level of each bin.
fn cumulate(counts: &[i64; 256], pixels: usize) -> [u16; 256] {
    let scale = f64::from(LEVELS - 1) / pixels as f64;
    let mut sum = 0;
    std::array::from_fn(|bin| {
        sum += counts[bin];
        (sum as f64 * scale).min(f64::from(LEVELS - 1)) as u16
    })
}

/// OpenCV's `createCLAHE(clipLimit=0.03, tileGridSize=(8, 8))` on the grey picture.
pub(super) fn gray(pixels: &Pixels) -> Pixels<'static> {
    let (width, height) = (pixels.width, pixels.height);
    let source = pixels.gray();
    // A picture that cannot be cut in even tiles grows to the right and down, mirrored.
    let is_even = width.is_multiple_of(TILES) && height.is_multiple_of(TILES);
    let grown = |side: usize| if is_even { side } else { side + TILES - side % TILES };
    let (tile_width, tile_height) = (grown(width) / TILES, grown(height) / TILES);
    let mut tables = Vec::with_capacity(TILES * TILES);
    for tile_y in 0..TILES {
        for tile_x in 0..TILES {
            let mut counts = [0usize; 256];
            for y in tile_y * tile_height..(tile_y + 1) * tile_height {
                let row = mirrored(y, height) * width;
                for x in tile_x * tile_width..(tile_x + 1) * tile_width {
                    counts[usize::from(source[row + mirrored(x, width)])] += 1;
                }
            }
            tables.push(tile_table(counts, tile_width * tile_height));
        }
    }
    let columns: Vec<_> = (0..width).map(|x| between(x, tile_width)).collect();
    let mut equalized = Vec::with_capacity(width * height);
    for (y, row) in source.chunks_exact(width).enumerate() {
        let (above, below, down) = between(y, tile_height);
        let (above, below) = (&tables[above * TILES..], &tables[below * TILES..]);
        for (&value, &(left, right, across)) in row.iter().zip(&columns) {
            let at = |table: &[u8; 256]| f32::from(table[usize::from(value)]);
            let top = at(&above[left]) * (1.0 - across) + at(&above[right]) * across;
            let bottom = at(&below[left]) * (1.0 - across) + at(&below[right]) * across;
            equalized.push((top * (1.0 - down) + bottom * down).round_ties_even() as u8);
        }
    }
    Pixels::from_gray(&equalized, width, height)
}

/// The pixel that stands for one at or behind the end.
fn mirrored(place: usize, pixels: usize) -> usize {
    let period = (2 * (pixels - 1)).max(1);
    let place = place % period;
    if place < pixels { place } else { period - place }
}

/// The two tiles whose centres lie around a pixel, and the share of the second.
fn between(pixel: usize, tile: usize) -> (usize, usize, f32) {
    let place = pixel as f32 * (1.0 / tile as f32) - 0.5;
    let near = place.floor();
    let clamped = |tile: f32| (tile.max(0.0) as usize).min(TILES - 1);
    (clamped(near), clamped(near + 1.0), place - near)
}

/// What a tile makes of each value.
fn tile_table(mut counts: [usize; 256], pixels: usize) -> [u8; 256] {
    let limit = ((CLIP * pixels as f64 / 256.0) as usize).max(1);
    let excess: usize = counts.iter().map(|&count| count.saturating_sub(limit)).sum();
    let (batch, rest) = (excess / 256, excess % 256);
    counts.iter_mut().for_each(|count| *count = (*count).min(limit) + batch);
    if let Some(step) = 256usize.checked_div(rest) {
        let step = step.max(1);
        counts.iter_mut().step_by(step).take(rest).for_each(|count| *count += 1);
    }
    let scale = 255.0 / pixels as f32;
    let mut sum = 0;
    std::array::from_fn(|value| {
        sum += counts[value];
        (sum as f32 * scale).round_ties_even() as u8
    })
}
