//! Single steps against OpenCV, scikit-image and pycocotools: see `tests/make_golden.py`.

#[path = "../tests/golden/reader.rs"]
mod reader;

use reader::Array;

use crate::contour;
use crate::masks::Mask;
use crate::prediction::PostProcessing;
use crate::preprocess::contrast::{self, Contrast};
use crate::preprocess::pixels::Pixels;
use crate::preprocess::placement::Area;
use crate::preprocess::resize::{Window, resize_into, stretch};
use crate::rle;

/// Each array whose name begins with `kind/`, and the rest of its name.
fn each(kind: &str, count_min: usize, mut check: impl FnMut(&str, &Array, &dyn Fn(&str) -> Array)) {
    let arrays = reader::pictures();
    let other = |name: &str| {
        let array = &arrays[name];
        Array { shape: array.shape.clone(), bytes: array.bytes.clone() }
    };
    let mut count = 0;
    for (name, array) in &arrays {
        if let Some(name) = name.strip_prefix(kind).and_then(|name| name.strip_prefix('/')) {
            check(name, array, &other);
            count += 1;
        }
    }
    assert!(count >= count_min, "{kind}: {count}");
}

fn pixels(array: &Array) -> Pixels<'static> {
    Pixels::owned(array.bytes.clone(), array.shape[1], array.shape[0])
}

/// Most levels that two pictures differ by, and how many of their values differ at all.
fn difference(one: &[u8], other: &[u8]) -> (u8, usize) {
    assert_eq!(one.len(), other.len());
    let differences = one.iter().zip(other).map(|(&one, &other)| one.abs_diff(other));
    (differences.clone().max().unwrap_or(0), differences.filter(|&difference| difference > 0).count())
}

#[test]
fn resized_pictures_are_opencvs_bit_for_bit() {
    each("resize", 4, |name, expect, other| {
        let source = pixels(&other(&format!("picture/{name}")));
        let window = Window { left: 0, top: 0, width: expect.shape[1], height: expect.shape[0] };
        let mut canvas = vec![0; expect.bytes.len()];
        resize_into(&source, &mut canvas, window.width, window);
        assert_eq!(difference(&canvas, &expect.bytes), (0, 0), "{name}");
    });
}

#[test]
fn stretched_pictures_are_opencvs() {
    each("stretch", 2, |name, expect, other| {
        let mut source = pixels(&other(&format!("picture/{name}")));
        let (height, width) = (expect.shape[0], expect.shape[1]);
        // Halved exactly: OpenCV takes another way.
        if name == "tall" {
            source = source.crop(0, 0, 2 * width, 2 * height);
        }
        let expect = expect.bytes.as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
        let differences =
            stretch(&source, width, height).into_iter().zip(expect).map(|(one, other)| (one - other).abs());
        let most = differences.fold(0.0, f32::max);
        assert!(most < 1e-3, "{name}: {most}");
    });
}

#[test]
fn contrast_is_that_of_the_servers() {
    each("contrast", 8, |name, expect, other| {
        let parts: Vec<&str> = name.split('/').collect();
        let contrast = match parts[0] {
            "Contrast Stretching" => Contrast::Stretching,
            "Histogram Equalization" => Contrast::Histogram,
            _ => Contrast::Adaptive,
        };
        let rules = if parts[1] == "modern" { PostProcessing::Modern } else { PostProcessing::Legacy };
        let source = pixels(&other(&format!("picture/{}", parts[2])));
        let changed: Vec<u8> = contrast::apply(&source, contrast, rules).rows().flatten().copied().collect();
        let (most, count) = difference(&changed, &expect.bytes);
        // scikit-image cuts numbers that are whole but for the last bit, on either side.
        assert!(
            most <= 1 && count * 50 <= changed.len(),
            "{name}: {count} of {} differ, by up to {most}",
            changed.len()
        );
    });
}

fn mask(array: &Array) -> Mask {
    let (height, width) = (array.shape[0], array.shape[1]);
    Mask {
        grid_width: width,
        grid_height: height,
        part: Area { x: 0, y: 0, width, height },
        inside: array.bytes.clone(),
    }
}

#[test]
fn outlines_are_opencvs_point_for_point() {
    each("mask", 11, |name, array, other| {
        let expect = other(&format!("outline/{name}"));
        let numbers = expect.bytes.as_chunks::<4>().0.iter().map(|&bytes| i32::from_le_bytes(bytes) as u32);
        let numbers: Vec<u32> = numbers.collect();
        let points: Vec<(u32, u32)> = numbers.as_chunks::<2>().0.iter().map(|&[x, y]| (x, y)).collect();
        assert_eq!(contour::outline(&mask(array)), points, "{name}");
    });
}

#[test]
fn run_lengths_are_cocos() {
    each("mask", 11, |name, array, other| {
        let expect = other(&format!("rle/{name}"));
        assert_eq!(rle::encode(&mask(array)).as_bytes(), expect.bytes, "{name}");
    });
}
