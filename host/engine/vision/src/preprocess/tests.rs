use super::*;

const UNIT: Preprocessing =
    Preprocessing { crop: None, contrast: None, is_gray: false, fit: Fit::Stretch, values: Values::UNIT };

/// A picture of one colour.
fn flat(width: u32, height: u32, color: [u8; 3]) -> Image {
    Image::new(width, height, color.repeat((width * height) as usize)).expect("a picture")
}

/// The red channel of what a network of `width` by `height` gets.
fn red(image: &Image, steps: &Preprocessing, width: usize, height: usize, options: &PredictOptions) -> Vec<u8> {
    let prepared = prepare(image, steps, Size { width, height }, options).expect("a picture");
    let Canvas::Bytes(bytes) = prepared.canvas else { panic!("not rounded") };
    bytes.iter().step_by(3).copied().collect()
}

#[test]
fn letterboxes_are_filled_as_each_server_does() {
    let image = flat(4, 2, [9, 9, 9]);
    for (fill, rules, expect) in [
        (Fill::Value(255), PostProcessing::Modern, 255),
        (Fill::Grey, PostProcessing::Modern, 127),
        (Fill::Grey, PostProcessing::Legacy, 114),
    ] {
        let steps = Preprocessing { fit: Fit::Letterbox(fill), ..UNIT };
        let options = PredictOptions { post_processing: rules, ..Default::default() };
        let pixels = red(&image, &steps, 2, 4, &options);
        assert_eq!(pixels, [expect, expect, 9, 9, expect, expect, expect, expect], "{fill:?} {rules:?}");
    }
}

#[test]
fn the_middle_is_cut_and_what_is_missing_is_black() {
    let steps = Preprocessing { fit: Fit::CenterCrop, ..UNIT };
    let options = PredictOptions::default();
    let image = Image::new(5, 1, (0..5).flat_map(|x| [x * 10; 3]).collect()).expect("a picture");
    assert_eq!(red(&image, &steps, 2, 1, &options), [10, 20]);
    assert_eq!(red(&image, &steps, 8, 1, &options), [0, 0, 10, 20, 30, 40, 0, 0]);
}

#[test]
fn the_shorter_side_fits_when_all_is_covered() {
    let steps = Preprocessing { fit: Fit::Cover, ..UNIT };
    let image = Image::new(6, 2, (0..12).flat_map(|index| [(index % 6) * 10; 3]).collect()).expect("a picture");
    assert_eq!(red(&image, &steps, 2, 2, &PredictOptions::default()), [20, 30, 20, 30]);
    let long = flat(16_000, 1, [7, 7, 7]);
    assert_eq!(red(&long, &steps, 4, 4, &PredictOptions::default()), [7; 16]);
}

#[test]
fn steps_are_left_out_when_asked_to() {
    let crop = StaticCrop { x_min: 50.0, x_max: 100.0, y_min: 0.0, y_max: 100.0 };
    let steps = Preprocessing { crop: Some(crop), contrast: Some(Contrast::Stretching), is_gray: true, ..UNIT };
    let image = Image::new(2, 1, vec![10, 20, 30, 100, 150, 200]).expect("a picture");
    let all = PredictOptions::default();
    let none = PredictOptions { skip_static_crop: true, skip_contrast: true, skip_grayscale: true, ..all.clone() };
    assert_eq!(red(&image, &steps, 2, 1, &none), [10, 100]);
    let gray_crop = PredictOptions { skip_contrast: true, ..all };
    assert_eq!(red(&image, &steps, 1, 1, &gray_crop), [141]);
}

#[test]
fn a_crop_of_nothing_is_the_requests_error() {
    let crop = StaticCrop { x_min: 25.0, x_max: 75.0, y_min: 25.0, y_max: 75.0 };
    let steps = Preprocessing { crop: Some(crop), ..UNIT };
    let network = Size { width: 8, height: 8 };
    let error = prepare(&flat(1, 1, [0; 3]), &steps, network, &PredictOptions::default()).expect_err("nothing is left");
    assert!(matches!(error, VisionError::Invalid { field: "images", .. }), "{error}");
    prepare(&flat(2, 2, [0; 3]), &steps, network, &PredictOptions::default()).expect("a pixel is left");
}

#[test]
fn a_line_keeps_a_pixel_of_height() {
    for rules in [PostProcessing::Modern, PostProcessing::Legacy] {
        let steps = Preprocessing { fit: Fit::Letterbox(Fill::Value(0)), ..UNIT };
        let options = PredictOptions { post_processing: rules, ..Default::default() };
        let pixels = red(&flat(16_000, 1, [9; 3]), &steps, 8, 8, &options);
        assert_eq!(pixels.iter().filter(|&&value| value == 9).count(), 8, "{rules:?}");
    }
}

#[test]
fn legacy_stretching_does_not_round() {
    let image = Image::new(2, 1, vec![0, 0, 0, 1, 1, 1]).expect("a picture");
    let options = PredictOptions { post_processing: PostProcessing::Legacy, ..Default::default() };
    let stretched = |width, height| prepare(&image, &UNIT, Size { width, height }, &options).expect("a picture").canvas;
    let expect = [0.0, 0.25, 0.75, 1.0].iter().flat_map(|&value| [value; 3]).collect();
    assert_eq!(stretched(4, 1), Canvas::Floats(expect));
    assert_eq!(stretched(1, 1), Canvas::Floats(vec![0.5; 3]));
}
