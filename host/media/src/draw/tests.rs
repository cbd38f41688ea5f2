//! Marks on small pictures, pixel by pixel, and marks that must not be drawn.

use super::*;
use crate::limits;

const RED: Color = [255, 0, 0];

fn white(width: u32, height: u32) -> Image {
    Image::new(width, height, vec![255; (width * height * 3) as usize]).expect("as many bytes")
}

fn point(x: f32, y: f32) -> Point {
    Point { x, y }
}

fn points(places: &[(f32, f32)]) -> Vec<Point> {
    places.iter().map(|(x, y)| point(*x, *y)).collect()
}

fn line(places: &[(f32, f32)], is_closed: bool, stroke: f32) -> Mark {
    Mark::Line { points: points(places), is_closed, color: RED, stroke }
}

fn area(places: &[(f32, f32)], opacity: f32) -> Mark {
    Mark::Area { points: points(places), color: RED, opacity }
}

fn label(anchor: (f32, f32), text: &str, size: Option<f32>) -> Mark {
    Mark::Label { anchor: point(anchor.0, anchor.1), text: text.to_owned(), color: RED, size }
}

/// How red each pixel is, in tenths, `.` for none and `#` for all.
fn sketch(image: &Image) -> Vec<String> {
    let shade = |pixel: &[u8]| match 255 - pixel[1] {
        0 => '.',
        255 => '#',
        red => char::from_digit(u32::from(red) * 10 / 255, 10).expect("less than ten"),
    };
    let rows = image.pixels().chunks(image.width() as usize * 3);
    rows.map(|row| row.chunks(3).map(shade).collect()).collect()
}

fn check(mark: Mark, expect: &[&str]) {
    let mut image = white(expect[0].len() as u32, expect.len() as u32);
    draw(&mut image, std::slice::from_ref(&mark)).expect("a mark");
    assert_eq!(sketch(&image), expect, "{mark:?}");
}

#[test]
fn lines_cover_what_is_near_them() {
    check(line(&[(2.0, 2.0), (6.0, 2.0)], false, 2.0), &["........", ".7####7.", ".7####7.", "........"]);
    check(line(&[(4.0, -9.0), (4.0, 99.0)], false, 2.0), &["...##...", "...##...", "...##..."]);
    check(line(&[(3.5, -1e30), (3.5, 1e30)], false, 1.0), &["...#....", "...#....", "...#...."]);
    check(line(&[(2.5, 1.5)], false, 1.0), &[".....", "..#..", "....."]);
    check(line(&[], true, 1.0), &["..", ".."]);
    check(line(&[(-5.0, 1.0), (-9.0, 1.0)], false, 4.0), &["...", "..."]);
}

#[test]
fn closed_lines_have_a_last_side() {
    let corners = [(1.5, 1.5), (5.5, 1.5), (5.5, 4.5), (1.5, 4.5)];
    let closed = [".......", ".#####.", ".#...#.", ".#...#.", ".#####.", "......."];
    let open = [".......", ".#####.", ".....#.", ".....#.", ".#####.", "......."];
    check(line(&corners, true, 1.0), &closed);
    check(line(&corners, false, 1.0), &open);
}

#[test]
fn corners_and_crossings_are_not_darker_than_lines() {
    // The same line in one piece and in a hundred.
    let (mut whole, mut pieces) = (white(40, 40), white(40, 40));
    let places: Vec<(f32, f32)> = (0..=100).map(|at| (3.0 + at as f32 * 0.3, 5.0 + at as f32 * 0.2)).collect();
    draw(&mut whole, &[line(&[places[0], places[100]], false, 3.0)]).expect("a mark");
    draw(&mut pieces, &[line(&places, false, 3.0)]).expect("a mark");
    let difference = whole.pixels().iter().zip(pieces.pixels()).map(|(a, b)| a.abs_diff(*b)).max();
    assert!(difference <= Some(2), "{difference:?}");
}

#[test]
fn areas_cover_what_they_enclose() {
    check(area(&[(1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 3.0)], 1.0), &[".....", ".###.", ".###.", "....."]);
    check(area(&[(1.5, 1.0), (4.0, 1.0), (4.0, 2.5), (1.5, 2.5)], 1.0), &[".....", ".5##.", ".255.", "....."]);
    check(area(&[(1.0, 1.0), (4.0, 1.0), (4.0, 3.0), (1.0, 3.0)], 0.4), &[".....", ".444.", ".444.", "....."]);
    check(area(&[(-9.0, -9.0), (99.0, -9.0), (99.0, 99.0), (-9.0, 99.0)], 1.0), &["###", "###"]);
    check(area(&[(0.0, 0.0), (1e38, 0.0), (1e38, 1e38), (0.0, 1e38)], 1.0), &["###", "###"]);
    check(area(&[(0.0, 0.0), (4.0, 0.0), (0.0, 4.0)], 1.0), &["###5", "##5.", "#5..", "5..."]);
    check(area(&[(1.0, 1.0), (2.0, 2.0)], 1.0), &["...", "..."]);
    check(area(&[], 1.0), &["...", "..."]);
}

#[test]
fn areas_are_the_same_in_every_band() {
    // Higher than what is worked on at once, and with slanting sides.
    let mut image = white(50, 300);
    draw(&mut image, &[area(&[(10.0, 0.0), (40.0, 0.0), (30.0, 300.0), (20.0, 300.0)], 1.0)]).expect("a mark");
    for (y, row) in image.pixels().chunks(150).enumerate() {
        let red: f32 = row.chunks(3).map(|pixel| f32::from(255 - pixel[1]) / 255.0).sum();
        let width = 30.0 - (y as f32 + 0.5) / 15.0;
        assert!((red - width).abs() < 0.05, "row {y}: {red} of {width}");
    }
}

#[test]
fn dots_are_round() {
    let mark = |x: f32, y: f32, radius: f32| Mark::Dot { center: point(x, y), radius, color: RED };
    check(mark(2.5, 2.5, 1.0), &[".....", ".050.", ".5#5.", ".050.", "....."]);
    check(mark(0.0, 0.0, 2.0), &["#9.", "93.", "..."]);
    check(mark(1.0, 1.0, 0.0), &["..", ".."]);
    check(mark(-1e30, 1e30, 1_024.0), &["..", ".."]);
    let mut image = white(101, 101);
    draw(&mut image, &[mark(50.5, 50.5, 40.0)]).expect("a mark");
    let red: f32 = image.pixels().chunks(3).map(|pixel| f32::from(255 - pixel[1]) / 255.0).sum();
    assert!((red - std::f32::consts::PI * 1_600.0).abs() < 5.0, "{red}");
}

/// Left, top, right and bottom of what is not white.
fn drawn(image: &Image) -> (usize, usize, usize, usize) {
    let width = image.width() as usize;
    let places = image
        .pixels()
        .chunks(3)
        .enumerate()
        .filter(|(_, pixel)| **pixel != [255; 3])
        .map(|(at, _)| (at % width, at / width));
    places.fold((usize::MAX, usize::MAX, 0, 0), |(left, top, right, bottom), (x, y)| {
        (left.min(x), top.min(y), right.max(x + 1), bottom.max(y + 1))
    })
}

#[test]
fn labels_lie_inside_the_picture() {
    let place = |x: f32, y: f32, text: &str, size: Option<f32>| {
        let mut image = white(200, 100);
        draw(&mut image, &[label((x, y), text, size)]).expect("a mark");
        drawn(&image)
    };
    let (left, top, right, bottom) = place(50.0, 60.0, "cat", Some(10.0));
    assert_eq!((left, bottom, bottom - top), (50, 60, 20), "at its anchor");
    let width = right - left;
    assert!((30..45).contains(&width), "{width}");
    assert_eq!(place(50.0, 5.0, "cat", Some(10.0)), (50, 0, 50 + width, 20), "moved down");
    assert_eq!(place(190.0, 60.0, "cat", Some(10.0)), (200 - width, 40, 200, 60), "moved to the left");
    assert_eq!(place(-1e30, 1e30, "cat", Some(10.0)), (0, 80, width, 100), "moved from far away");
    let (left, top, right, bottom) = place(0.0, 0.0, &"long ".repeat(50), Some(12.0));
    assert!(left == 0 && top == 0 && bottom == 22 && (180..=200).contains(&right), "{left} {top} {right} {bottom}");
    assert_eq!(place(0.0, 0.0, "large", Some(256.0)), (0, 0, 200, 100), "larger than the picture");
    let (.., right, bottom) = place(0.0, 0.0, "", None);
    assert!(right > 0 && bottom > 0, "an empty label is a box");
}

#[test]
fn the_text_of_a_label_is_in_it() {
    let mut image = white(200, 100);
    draw(&mut image, &[label((10.0, 90.0), "HHH", Some(40.0))]).expect("a mark");
    // Letters are white on red: in a row through their middle there are six upright strokes.
    let row = &image.pixels()[62 * 600..63 * 600];
    let is_white: Vec<bool> = row.chunks(3).map(|pixel| pixel == [255; 3]).collect();
    let (left, _, right, _) = drawn(&image);
    let strokes = is_white[left..right].windows(2).filter(|pair| !pair[0] && pair[1]).count();
    assert_eq!(strokes, 6, "{is_white:?}");
}

#[test]
fn marks_out_of_bounds_are_named_and_nothing_is_drawn() {
    let fine = || line(&[(0.0, 0.0), (9.0, 9.0)], false, 1.0);
    let dot = |x: f32, radius: f32| Mark::Dot { center: point(x, 1.0), radius, color: RED };
    for (mark, reason) in [
        (line(&[(0.0, f32::NAN)], false, 1.0), "point 0"),
        (line(&[(0.0, 0.0), (f32::INFINITY, 0.0)], false, 1.0), "point 1"),
        (area(&[(f32::NEG_INFINITY, 0.0)], 1.0), "point 0"),
        (dot(f32::NAN, 1.0), "point 0"),
        (label((0.0, f32::NAN), "", None), "point 0"),
        (line(&[], false, 0.99), "stroke"),
        (line(&[], false, 64.01), "stroke"),
        (line(&[], false, f32::NAN), "stroke"),
        (area(&[], -0.01), "opacity"),
        (area(&[], 1.01), "opacity"),
        (dot(0.0, -0.01), "radius"),
        (dot(0.0, 1_024.1), "radius"),
        (label((0.0, 0.0), "", Some(5.99)), "size"),
        (label((0.0, 0.0), "", Some(256.1)), "size"),
        (label((0.0, 0.0), "", Some(f32::NAN)), "size"),
        (label((0.0, 0.0), &"ü".repeat(257), None), "256 characters"),
    ] {
        let mut image = white(10, 10);
        let error = draw(&mut image, &[fine(), mark]).expect_err(reason);
        assert!(
            error.mark == 1 && error.to_string().starts_with("mark 1: ") && error.reason.contains(reason),
            "{error}"
        );
        assert_eq!(image, white(10, 10));
    }
    let mut image = white(10, 10);
    for mark in [
        line(&[(0.0, 0.0)], false, 64.0),
        area(&[], 0.0),
        dot(0.0, 1_024.0),
        label((0.0, 0.0), &"ü".repeat(256), Some(256.0)),
        label((0.0, 0.0), "\0\n\u{202e}", Some(6.0)),
    ] {
        draw(&mut image, &[mark]).expect("within bounds");
    }
}

#[test]
fn points_are_bounded_in_all() {
    let mut image = white(10, 10);
    let many = |count: usize| line(&vec![(1.0, 1.0); count], true, 1.0);
    assert_eq!(draw(&mut image, &[many(limits::POINTS_MAX)]), Ok(()));
    assert_eq!(draw(&mut image, &[many(limits::POINTS_MAX - 1), many(0)]), Ok(()));
    assert_eq!(draw(&mut image, &[many(limits::POINTS_MAX), many(0)]).map_err(|error| error.mark), Err(1));
    assert_eq!(
        draw(&mut image, &vec![many(0); limits::POINTS_MAX + 1]).map_err(|error| error.mark),
        Err(limits::POINTS_MAX)
    );
}

#[test]
fn pixels_are_bounded_in_all() {
    // Lines from side to side that cross each other thousands of times.
    let zigzag = |count: usize, stroke: f32| {
        let places: Vec<_> =
            (0..count).map(|at| if at % 2 == 0 { (0.0, at as f32 / 8.0) } else { (4_000.0, 0.0) }).collect();
        line(&places, false, stroke)
    };
    let mut image = white(4_000, 400);
    assert_eq!(draw(&mut image, &[zigzag(1_000, 4.0)]), Ok(()));
    let error = draw(&mut image, &[zigzag(3_000, 64.0)]).expect_err("too many pixels");
    assert!(error.mark == 0 && error.reason.contains("pixels"), "{error}");
    let whole = area(&[(0.0, 0.0), (4_000.0, 0.0), (4_000.0, 400.0), (0.0, 400.0)], 0.0);
    let error = draw(&mut image, &vec![whole; 1_000]).expect_err("too many pixels");
    assert!(error.mark > 100, "{error}");
}

#[test]
fn other_holders_of_a_picture_keep_their_pixels() {
    let image = white(10, 10);
    let mut copy = image.clone();
    draw(&mut copy, &[Mark::Dot { center: point(5.0, 5.0), radius: 3.0, color: RED }]).expect("a mark");
    assert_eq!(image, white(10, 10));
    assert_ne!(copy, image);
}
