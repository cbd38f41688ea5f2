//! Faces for L2CS-Net, and angles from what it gives.
//!
//! Source: L2CS-Net, `l2cs/pipeline.py` and `l2cs/utils.py`; how the Roboflow server calls it.

use crate::preprocess::pixels::Pixels;
use crate::preprocess::resize::{Window, resize_into};

/// Side of the network's input, in pixels.
pub(super) const SIDE: usize = 448;

/// Side that a face is brought to first.
const FACE_SIDE: usize = SIDE / 2;

/// Classes of an angle.
const BINS: usize = 90;

/// Degrees of a class, and of the first one.
const BIN_DEGREES: f64 = 4.0;
const FIRST_DEGREES: f64 = -180.0;

/// Mean and deviation of ImageNet's channels.
const MEAN: [f32; 3] = [0.485, 0.456, 0.406];
const STD: [f32; 3] = [0.229, 0.224, 0.225];

/// Appends a face to a batch: `[3, 448, 448]`, RGB, normalised.
pub(super) fn place(face: &Pixels, batch: &mut Vec<f32>) {
    let mut small = vec![0; FACE_SIDE * FACE_SIDE * 3];
    let window = Window { left: 0, top: 0, width: FACE_SIDE, height: FACE_SIDE };
    resize_into(face, &mut small, FACE_SIDE, window);
    for channel in 0..3 {
        let values: Vec<f32> = small
            .iter()
            .skip(channel)
            .step_by(3)
            .map(|&value| (f32::from(value) / 255.0 - MEAN[channel]) / STD[channel])
            .collect();
        let wide: Vec<f32> = values.chunks_exact(FACE_SIDE).flat_map(doubled).collect();
        for y in 0..SIDE {
            let (near, far) = neighbours(y, FACE_SIDE);
            let (near, far) = (&wide[near * SIDE..][..SIDE], &wide[far * SIDE..][..SIDE]);
            batch.extend(near.iter().zip(far).map(|(near, far)| 0.75 * near + 0.25 * far));
        }
    }
}

/// A row of twice as many values, each between its two neighbours.
fn doubled(row: &[f32]) -> Vec<f32> {
    let value = |x: usize| {
        let (near, far) = neighbours(x, row.len());
        0.75 * row[near] + 0.25 * row[far]
    };
    (0..2 * row.len()).map(value).collect()
}

/// The places that a place of a doubled side lies between, the nearer one first.
fn neighbours(place: usize, length: usize) -> (usize, usize) {
    let near = place / 2;
    let far = if place.is_multiple_of(2) { near.saturating_sub(1) } else { (near + 1).min(length - 1) };
    (near, far)
}

/// An angle in radians: the mean of the classes by their softmax, or the number itself where the network gives just one. None of anything
/// else.
pub(super) fn angle(numbers: &[f32]) -> Option<f32> {
    let angle = match numbers {
        [radians] => *radians,
        _ if numbers.len() == BINS => {
            let highest = numbers.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let powers = numbers.iter().map(|number| f64::from(number - highest).exp());
            let (sum, weighted) = powers
                .enumerate()
                .fold((0.0, 0.0), |(sum, weighted), (index, power)| (sum + power, weighted + power * index as f64));
            (weighted / sum * BIN_DEGREES + FIRST_DEGREES).to_radians() as f32
        }
        _ => return None,
    };
    angle.is_finite().then_some(angle)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bins_are_four_degrees() {
        let one = |best: usize| (0..BINS).map(|bin| if bin == best { 60.0 } else { 0.0 }).collect::<Vec<f32>>();
        let check = |numbers: &[f32], degrees: f32| {
            let angle = angle(numbers).unwrap().to_degrees();
            assert!((angle - degrees).abs() < 1e-4, "{angle} {degrees}");
        };
        check(&one(45), 0.0);
        check(&one(0), -180.0);
        check(&one(89), 176.0);
        check(&[0.0; BINS], -2.0);
        check(&[0.5_f32], 0.5_f32.to_degrees());
    }

    #[test]
    fn what_is_no_angle_is_none() {
        for numbers in
            [&[f32::NAN; BINS][..], &[f32::INFINITY; BINS], &[f32::NEG_INFINITY; BINS], &[f32::NAN], &[0.0; 3], &[]]
        {
            assert_eq!(angle(numbers), None);
        }
    }
}
