//! Contrast as the two servers compute it: the modern one with scikit-image, the legacy one with OpenCV.
//!
//! Both stretch alike. The legacy server's equalisations make the picture grey first.

use super::adaptive;
use super::pixels::Pixels;
use crate::prediction::PostProcessing;

/// A step that spreads a picture's brightness.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contrast {
    /// From the 2nd to the 98th percentile.
    Stretching,
    /// Each brightness as often as every other.
    Histogram,
    /// The same in tiles, with bounds.
    Adaptive,
}

/// The picture with its contrast changed.
pub(crate) fn apply(pixels: &Pixels, contrast: Contrast, rules: PostProcessing) -> Pixels<'static> {
    match (contrast, rules) {
        (Contrast::Stretching, _) => pixels.mapped(&stretching(&histogram(pixels.rows().flatten()))),
        (Contrast::Histogram, PostProcessing::Modern) => {
            pixels.mapped(&equalizing_float(&histogram(pixels.rows().flatten())))
        }
        (Contrast::Histogram, PostProcessing::Legacy) => {
            let mut gray = pixels.gray();
            let table = equalizing(&histogram(gray.iter()));
            gray.iter_mut().for_each(|value| *value = table[usize::from(*value)]);
            Pixels::from_gray(&gray, pixels.width, pixels.height)
        }
        (Contrast::Adaptive, PostProcessing::Modern) => adaptive::by_value(pixels),
        (Contrast::Adaptive, PostProcessing::Legacy) => adaptive::gray(pixels),
    }
}

/// How often each value occurs.
fn histogram<'a>(values: impl Iterator<Item = &'a u8>) -> [u64; 256] {
    let mut counts = [0; 256];
    values.for_each(|&value| counts[usize::from(value)] += 1);
    counts
}

/// A table from a function.
fn table(value_of: impl Fn(usize) -> u8) -> [u8; 256] {
    std::array::from_fn(value_of)
}

/// scikit-image's `rescale_intensity` between two percentiles.
fn stretching(counts: &[u64; 256]) -> [u8; 256] {
    let (low, high) = (percentile(counts, 0.02), percentile(counts, 0.98));
    table(|value| {
        let value = (value as f64).clamp(low, high);
        if low == high { value as u8 } else { ((value - low) / (high - low) * 255.0) as u8 }
    })
}

/// numpy's `percentile`, linear between neighbours.
fn percentile(counts: &[u64; 256], share: f64) -> f64 {
    let total: u64 = counts.iter().sum();
    let place = share * total.saturating_sub(1) as f64;
    let at = |rank: u64| {
        let mut seen = 0;
        counts.iter().position(|count| {
            seen += count;
            seen > rank
        })
    };
    let (below, fraction) = (place.floor(), place - place.floor());
    let low = at(below as u64).unwrap_or(255) as f64;
    let high = at(below as u64 + 1).map_or(low, |value| value as f64);
    low + (high - low) * fraction
}

/// scikit-image's `equalize_hist` of a picture in single precision, 256 bins from the least value to the greatest.
fn equalizing_float(counts: &[u64; 256]) -> [u8; 256] {
    const BINS: usize = 256;
    let unit = |value: usize| value as f32 / 255.0;
    let Some(least) = counts.iter().position(|&count| count > 0) else { return table(|value| value as u8) };
    let greatest = counts.iter().rposition(|&count| count > 0).unwrap_or(least);
    // A picture of one value gets a range of one around it.
    let (first, last) =
        if least == greatest { (unit(least) - 0.5, unit(least) + 0.5) } else { (unit(least), unit(greatest)) };
    let edge = |bin: usize| {
        let step = (f64::from(last) - f64::from(first)) / BINS as f64;
        if bin == BINS { last } else { (f64::from(first) + bin as f64 * step) as f32 }
    };
    let mut bins = [0u64; BINS];
    for (value, &count) in counts.iter().enumerate().filter(|(_, count)| **count > 0) {
        let place = f64::from(unit(value) - first) / (f64::from(last) - f64::from(first)) * BINS as f64;
        let mut bin = (place as usize).min(BINS - 1);
        if unit(value) < edge(bin) {
            bin -= 1;
        } else if bin + 1 < BINS && unit(value) >= edge(bin + 1) {
            bin += 1;
        }
        bins[bin] += count;
    }
    let total = bins.iter().sum::<u64>() as f64;
    let mut seen = 0;
    let shares: [f64; BINS] = std::array::from_fn(|bin| {
        seen += bins[bin];
        f64::from((seen as f64 / total) as f32)
    });
    let centers: [f64; BINS] = std::array::from_fn(|bin| f64::from((edge(bin) + edge(bin + 1)) / 2.0));
    table(|value| (interpolate(f64::from(unit(value)), &centers, &shares) as f32 * 255.0) as u8)
}

/// numpy's `interp`: between the neighbours, and flat beyond the ends.
fn interpolate(place: f64, places: &[f64; 256], values: &[f64; 256]) -> f64 {
    let after = places.partition_point(|&known| known <= place);
    if after == 0 {
        values[0]
    } else if after == places.len() {
        values[after - 1]
    } else {
        let slope = (values[after] - values[after - 1]) / (places[after] - places[after - 1]);
        slope * (place - places[after - 1]) + values[after - 1]
    }
}

/// OpenCV's `equalizeHist`.
fn equalizing(counts: &[u64; 256]) -> [u8; 256] {
    let total: u64 = counts.iter().sum();
    let least = counts.iter().position(|&count| count > 0).unwrap_or(0);
    if counts[least] == total {
        return table(|_| least as u8);
    }
    let scale = 255.0 / (total - counts[least]) as f32;
    let mut sum = 0;
    let mut table = [0; 256];
    for value in least + 1..256 {
        sum += counts[value];
        table[value] = (sum as f32 * scale).round_ties_even() as u8;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_of_one_value_do_not_divide_by_zero() {
        for value in [0, 1, 128, 255] {
            let pixels = Pixels::owned(vec![value; 3 * 9 * 7], 9, 7);
            for contrast in [Contrast::Stretching, Contrast::Histogram, Contrast::Adaptive] {
                for rules in [PostProcessing::Modern, PostProcessing::Legacy] {
                    let changed = apply(&pixels, contrast, rules);
                    assert_eq!((changed.width, changed.height), (9, 7), "{contrast:?} {rules:?}");
                    assert!(changed.rows().flatten().all(|&other| other == changed.row(0)[0]));
                }
            }
            assert_eq!(apply(&pixels, Contrast::Stretching, PostProcessing::Modern).row(0)[0], value);
        }
    }

    #[test]
    fn percentiles_lie_between_neighbours() {
        let mut counts = [0; 256];
        (counts[10], counts[20]) = (1, 1);
        assert!((percentile(&counts, 0.02) - 10.2).abs() < 1e-9);
        assert!((percentile(&counts, 0.98) - 19.8).abs() < 1e-9);
    }
}
