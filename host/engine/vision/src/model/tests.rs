//! Requests at a whole model.

use std::sync::LazyLock;

use super::*;
use crate::prediction::{PostProcessing, Task};

/// Boxes of three classes, input of 64 x 64, any number of pictures.
const NETWORK: &[(&str, &[u8])] = &[("weights.onnx", include_bytes!("../../tests/golden/v8.onnx"))];

/// Boxes of two classes, input of 96 x 64, one picture.
const SINGLE: &[(&str, &[u8])] = &[("weights.onnx", include_bytes!("../../tests/golden/v8-wide.onnx"))];

static MODEL: LazyLock<VisionModel> = LazyLock::new(|| load(NETWORK, LoadOptions::default()));

fn load(files: &'static [(&'static str, &'static [u8])], options: LoadOptions) -> VisionModel {
    VisionModel::load(&Source::Embedded(files), &options).expect("a model")
}

/// A picture that differs from those of other numbers.
fn picture(number: u32) -> Image {
    let (width, height) = (50 + number, 40);
    let pixels = (0..width * height * 3).map(|index| ((index * (number + 3)) >> 4) as u8).collect();
    Image::new(width, height, pixels).expect("a picture")
}

fn options() -> PredictOptions {
    PredictOptions { confidence: 0.05, ..PredictOptions::default() }
}

#[test]
fn a_model_describes_itself() {
    let description = MODEL.description();
    assert_eq!((description.task, description.batch), (Task::ObjectDetection, None));
    assert_eq!((description.input_width, description.input_height), (Some(64), Some(64)));
    assert_eq!(description.classes, ["class_0", "class_1", "class_2"]);
    let info = MODEL.info();
    assert_eq!((info.architecture.as_str(), info.format), ("yolov8", "onnx"));
    assert!(info.parameters > 1000 && info.weight_bytes == info.parameters * 4, "{info:?}");
    assert_eq!(load(SINGLE, LoadOptions::default()).description().batch, Some(1));
}

#[tokio::test(flavor = "multi_thread")]
async fn pictures_of_many_requests_get_their_own_answers() {
    for files in [NETWORK, SINGLE] {
        let model = Arc::new(load(files, LoadOptions { threads: Some(2), ..LoadOptions::default() }));
        let mut alone = Vec::new();
        for number in 0..6 {
            alone.extend(model.predict(vec![picture(number)], options()).await.expect("an answer"));
        }
        assert!(
            alone
                .iter()
                .any(|prediction| !matches!(&prediction.findings, Findings::Objects(objects) if objects.is_empty()))
        );
        let together = model.predict((0..6).map(picture).collect(), options()).await.expect("answers");
        assert_same(&together, &alone);
        let requests: Vec<_> = (0..12)
            .map(|index| {
                let model = Arc::clone(&model);
                tokio::spawn(async move {
                    model.predict(vec![picture(index % 6), picture((index + 1) % 6)], options()).await
                })
            })
            .collect();
        for (index, request) in requests.into_iter().enumerate() {
            let answers = request.await.expect("no panic").expect("an answer");
            assert_same(&answers, &[alone[index % 6].clone(), alone[(index + 1) % 6].clone()]);
        }
        let activity = model.activity();
        assert_eq!((activity.running, activity.waiting), (0, 0));
    }
}

/// Numbers of a batch may differ in their last bits from those of a picture alone.
fn assert_same(one: &[Prediction], other: &[Prediction]) {
    assert_eq!(one.len(), other.len());
    for (one, other) in one.iter().zip(other) {
        assert_eq!((one.width, one.height), (other.width, other.height));
        let (Findings::Objects(one), Findings::Objects(other)) = (&one.findings, &other.findings) else {
            panic!("no objects");
        };
        assert_eq!(one.len(), other.len());
        for (one, other) in one.iter().zip(other) {
            assert_eq!((one.class_id, one.x, one.y, one.width), (other.class_id, other.x, other.y, other.width));
            assert!((one.confidence - other.confidence).abs() < 1e-4);
        }
    }
}

#[tokio::test]
async fn bad_requests_say_what_to_change() {
    let none = MODEL.predict(Vec::new(), options()).await;
    assert!(matches!(none, Err(VisionError::Invalid { field: "images", .. })));
    for (count, is_taken) in [(IMAGES_MAX - 1, true), (IMAGES_MAX, true), (IMAGES_MAX + 1, false)] {
        let many = MODEL.predict(vec![picture(0); count], options()).await;
        assert_eq!(many.is_ok(), is_taken, "{count} pictures");
    }
    for (factor, is_taken) in [(-0.1, false), (0.0, true), (1.0, true), (1.1, false), (f32::NAN, false)] {
        let options = PredictOptions { mask_mode: MaskMode::Tradeoff(factor), ..options() };
        assert_eq!(MODEL.predict(vec![picture(0)], options).await.is_ok(), is_taken, "{factor}");
    }
}

#[tokio::test]
async fn odd_numbers_do_no_harm() {
    for (confidence, iou, most) in [
        (f32::NAN, f32::NAN, 300),
        (-1.0, -1.0, u32::MAX),
        (2.0, 2.0, 300),
        (0.0, f32::INFINITY, u32::MAX),
        (f32::NEG_INFINITY, 0.0, 0),
    ] {
        for post_processing in [PostProcessing::Modern, PostProcessing::Legacy] {
            let options = PredictOptions { confidence, iou, detections_max: most, post_processing, ..options() };
            let answers = MODEL.predict(vec![picture(1)], options).await.expect("an answer");
            let Findings::Objects(objects) = &answers[0].findings else { panic!("no objects") };
            assert!(objects.len() <= 84 && (most > 0 || objects.is_empty()), "{confidence} {iou} {most}");
        }
    }
}

#[tokio::test]
async fn a_closed_model_refuses() {
    let model = load(NETWORK, LoadOptions::default());
    model.predict(vec![picture(0)], options()).await.expect("an answer");
    model.close();
    assert_eq!(model.predict(vec![picture(0)], options()).await, Err(VisionError::ShuttingDown));
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let model = load(NETWORK, LoadOptions { queue_requests_max: 0, ..LoadOptions::default() });
    let refused = model.predict(vec![picture(0)], options()).await;
    assert!(matches!(refused, Err(VisionError::Overloaded { .. })), "{refused:?}");
}

#[tokio::test]
async fn a_step_that_panics_ends_its_own_request_only() {
    steps::start().expect("a pool");
    let broken = steps::each(vec![1, 2, 3], |number| {
        assert!(number != 2, "2");
        Ok(number)
    });
    assert!(matches!(broken.await, Err(VisionError::Failed(_))));
    assert_eq!(steps::each(vec![1, 3], Ok).await, Ok(vec![1, 3]));
}
