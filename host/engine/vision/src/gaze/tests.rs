//! Against a plain reading of MediaPipe's and L2CS-Net's steps: `tests/golden_gaze.py` writes the expectations.

use serde_json::Value;

use super::*;

const ANGLES: (&str, &[u8]) = ("angles.onnx", include_bytes!("../../tests/golden/gaze/angles.onnx"));
const FACES: (&str, &[u8]) = ("faces.onnx", include_bytes!("../../tests/golden/gaze/faces.onnx"));
const FACES_CHANNELS_LAST: (&str, &[u8]) =
    ("faces.onnx", include_bytes!("../../tests/golden/gaze/faces_channels_last.onnx"));

static BOTH: &[(&str, &[u8])] = &[ANGLES, FACES];
static BOTH_CHANNELS_LAST: &[(&str, &[u8])] = &[ANGLES, FACES_CHANNELS_LAST];
static ANGLES_ALONE: &[(&str, &[u8])] = &[ANGLES];
static FACES_ALONE: &[(&str, &[u8])] = &[FACES];

fn cases() -> Vec<Value> {
    serde_json::from_str(include_str!("../../tests/golden/gaze.json")).unwrap()
}

/// A picture of rectangles `[x, y, width, height, grey]`, painted in turn, darker to the right and below.
fn picture(case: &Value) -> Image {
    let number = |value: &Value| value.as_u64().unwrap() as usize;
    let (width, height) = (number(&case["width"]), number(&case["height"]));
    let mut pixels = vec![0; width * height * 3];
    for rectangle in case["rectangles"].as_array().unwrap() {
        let [x, y, w, h, grey] = [0, 1, 2, 3, 4].map(|index| number(&rectangle[index]));
        for row in y..(y + h).min(height) {
            for column in x..(x + w).min(width) {
                let colour = [grey as u8, grey as u8, grey.saturating_sub(30) as u8];
                pixels[(row * width + column) * 3..][..3].copy_from_slice(&colour);
            }
        }
    }
    for (index, value) in pixels.iter_mut().enumerate() {
        let (x, y) = (index / 3 % width, index / 3 / width);
        *value = value.saturating_sub((x * 40 / width + y * 17 / height) as u8);
    }
    Image::new(width as u32, height as u32, pixels).unwrap()
}

fn looks(finds_faces: bool) -> Vec<Look> {
    cases().iter().map(|case| Look { image: picture(case), finds_faces }).collect()
}

fn angles_are(face: &Face, expected: &Value) {
    let [yaw, pitch] = [0, 1].map(|index| expected[index].as_f64().unwrap() as f32);
    assert!((face.yaw - yaw).abs() < 1e-3 && (face.pitch - pitch).abs() < 1e-3, "{face:?} {expected}");
}

#[test]
fn faces_and_gazes_are_as_expected() {
    for files in [BOTH, BOTH_CHANNELS_LAST] {
        let pipeline = Pipeline::load(&Source::Embedded(files)).unwrap();
        let looks = looks(true);
        let answers = pipeline.gaze(&looks.iter().collect::<Vec<_>>());
        let mut faces = 0;
        for (case, answer) in cases().iter().zip(answers) {
            let (answer, expected) = (answer.unwrap(), case["faces"].as_array().unwrap());
            assert_eq!(answer.len(), expected.len());
            for (face, expected) in answer.iter().zip(expected) {
                let score = expected["score"].as_f64().unwrap() as f32;
                assert!((face.confidence - score).abs() < 1e-4, "{face:?} {expected}");
                let corners = [
                    face.x - face.width / 2.0,
                    face.y - face.height / 2.0,
                    face.x + face.width / 2.0,
                    face.y + face.height / 2.0,
                ];
                let is_box = corners
                    .iter()
                    .zip(expected["box"].as_array().unwrap())
                    .all(|(a, b)| *a == b.as_f64().unwrap() as f32);
                assert!(is_box, "{face:?} {expected}");
                let points: Vec<[f32; 2]> = face.landmarks.iter().map(|point| [point.x, point.y]).collect();
                assert_eq!(points, serde_json::from_value::<Vec<[f32; 2]>>(expected["points"].clone()).unwrap());
                angles_are(face, &expected["angles"]);
                faces += 1;
            }
        }
        assert!(faces >= 4);
    }
}

#[test]
fn a_whole_picture_is_a_face() {
    let pipeline = Pipeline::load(&Source::Embedded(ANGLES_ALONE)).unwrap();
    assert!(!pipeline.finds_faces());
    let looks = looks(false);
    let answers = pipeline.gaze(&looks.iter().collect::<Vec<_>>());
    for ((case, look), answer) in cases().iter().zip(&looks).zip(answers) {
        let [face] = &answer.unwrap()[..] else { panic!("one face is expected") };
        let (width, height) = (look.image.width() as f32, look.image.height() as f32);
        assert_eq!((face.x, face.y, face.width, face.height), (width / 2.0, height / 2.0, width, height));
        assert_eq!((face.confidence, face.landmarks.len()), (1.0, 0));
        angles_are(face, &case["whole"]);
    }
}

#[test]
fn requests_end_on_their_own() {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let model = GazeModel::load(&Source::Embedded(ANGLES_ALONE), &LoadOptions::default()).unwrap();
    let image = picture(&cases()[3]);
    let refused = runtime.block_on(model.gaze(image.clone(), true)).unwrap_err();
    assert!(
        matches!(&refused, VisionError::Unsupported(why) if why.contains("face_detection_short_range.onnx")),
        "{refused}"
    );
    assert_eq!(runtime.block_on(model.gaze(image.clone(), false)).unwrap().len(), 1);
    model.close();
    assert_eq!(runtime.block_on(model.gaze(image, false)), Err(VisionError::ShuttingDown));
}

#[test]
fn any_picture_ends_well() {
    let pipeline = Pipeline::load(&Source::Embedded(BOTH)).unwrap();
    for (width, height) in [(1, 1), (16_384, 1), (1, 16_384), (3, 2)] {
        for finds_faces in [true, false] {
            let image = Image::new(width, height, vec![255; (width * height * 3) as usize]).unwrap();
            for face in pipeline.gaze(&[&Look { image, finds_faces }]).remove(0).unwrap() {
                assert!(face.width <= width as f32 && face.height <= height as f32 && face.yaw.is_finite());
                assert!(face.landmarks.iter().all(|point| point.x < width as f32 && point.y < height as f32));
            }
        }
    }
}

#[test]
fn folders_are_known_by_their_files() {
    let error = Pipeline::load(&Source::Embedded(FACES_ALONE)).err().unwrap().to_string();
    assert!(error.contains("[batch, 3, 448, 448], the network of gazes"), "{error}");
    assert!(!GazeModel::sniff(&Source::Embedded(BOTH)));
    let named: &'static [(&str, &[u8])] = Box::leak(Box::new([("L2CSNet_gaze360_resnet50_90bins.onnx", ANGLES.1)]));
    assert!(GazeModel::sniff(&Source::Embedded(named)));
}
