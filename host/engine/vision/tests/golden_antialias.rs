//! Resizing is Pillow's, bit for bit. `golden_antialias.py` writes the expectations.

use mimus_vision::Image;
use mimus_vision::antialias::{Filter, Part, centre_crop, resize, resize_part};

/// The same bytes as the script's `picture`.
fn picture(width: u32, height: u32) -> Image {
    let mut state = u64::from(width * 1_000 + height);
    let mut next = || {
        state = (state * 1_103_515_245 + 12_345) % (1 << 31);
        match state >> 16 & 255 {
            ..64 => 0,
            192.. => 255,
            value => value as u8,
        }
    };
    Image::new(width, height, (0..width * height * 3).map(|_| next()).collect()).unwrap()
}

#[test]
fn pixels_are_those_of_pillow() {
    let cases: Vec<serde_json::Value> = serde_json::from_str(include_str!("golden/antialias.json")).unwrap();
    assert_eq!(cases.len(), 16);
    for case in cases {
        let side = |name: &str, index: usize| case[name][index].as_u64().unwrap() as u32;
        let filter = if case["filter"] == "bicubic" { Filter::Bicubic } else { Filter::Bilinear };
        let source = picture(side("source", 0), side("source", 1));
        let resized = resize(&source, side("wanted", 0), side("wanted", 1), filter);
        let hex: String = resized.pixels().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, case["pixels"].as_str().unwrap(), "{} {} {filter:?}", case["source"], case["wanted"]);
    }
}

#[test]
fn the_middle_is_cut_out() {
    let row: Vec<u8> = (1..=5).flat_map(|value| [value; 3]).collect();
    let image = Image::new(5, 1, row).unwrap();
    let check = |width: u32, height: u32, expect: &[u8]| {
        let cut = centre_crop(&image, width, height);
        let reds: Vec<u8> = cut.pixels().iter().copied().step_by(3).collect();
        assert_eq!(reds, expect, "{width} x {height}");
    };
    check(5, 1, &[1, 2, 3, 4, 5]);
    check(3, 1, &[2, 3, 4]);
    check(2, 1, &[2, 3]);
    check(8, 1, &[0, 0, 1, 2, 3, 4, 5, 0]);
    check(1, 2, &[0, 3]);
}

#[test]
fn a_part_is_what_the_whole_has_there() {
    let image = picture(37, 23);
    let check = |left: u32, top: u32, width: u32, height: u32| {
        for filter in [Filter::Bilinear, Filter::Bicubic] {
            let whole = resize(&image, 12, 40, filter);
            let part = resize_part(&image, 12, 40, filter, Part { left, top, width, height });
            let row = |y: u32| &whole.pixels()[((top + y) * 12 + left) as usize * 3..][..width as usize * 3];
            let expect: Vec<u8> = (0..height).flat_map(row).copied().collect();
            assert_eq!(part.pixels(), expect, "{left} {top} {width} {height} {filter:?}");
        }
    };
    check(0, 0, 12, 40);
    check(3, 11, 5, 7);
    check(11, 39, 1, 1);
    check(0, 20, 12, 20);
}
