//! `POST /infer/object_detection` and its like.

use mimus_sdk::{Request, Response, body, clock};
use serde::Deserialize;

use crate::drawing::Style;
use crate::fault::Fault;
use crate::fields::{Confidence, Count, Flag, Number, Text};
use crate::look::{MaskWish, Wish, look};
use crate::pictures::{Loose, OneOrMany, Places};
use crate::{choice, keys, registry};

/// A request to any of the routes. Fields that do not concern the model's task have no effect, and unknown ones neither.
#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    model_id: Option<Text<'a>>,
    #[serde(borrow)]
    image: OneOrMany<'a>,
    #[serde(borrow)]
    id: Option<Text<'a>>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
    confidence: Option<Confidence>,
    keypoint_confidence: Option<Number>,
    iou_threshold: Option<Number>,
    max_detections: Option<Count>,
    max_candidates: Option<Count>,
    class_agnostic_nms: Option<Flag>,
    class_filter: Option<Vec<String>>,
    mask_decode_mode: Option<String>,
    tradeoff_factor: Option<Number>,
    response_mask_format: Option<MaskFormat>,
    allow_reduced_mask_resolution: Option<Flag>,
    disable_preproc_auto_orient: Option<Flag>,
    disable_preproc_contrast: Option<Flag>,
    disable_preproc_grayscale: Option<Flag>,
    disable_preproc_static_crop: Option<Flag>,
    visualize_predictions: Option<Flag>,
    visualization_labels: Option<Flag>,
    visualization_stroke_width: Option<Count>,
}

#[derive(Deserialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
enum MaskFormat {
    Polygon,
    Rle,
}

/// A request, apart from its body's bytes.
struct Asked {
    model_id: Option<String>,
    places: Places,
    wish: Wish,
    style: Option<Style>,
}

/// `POST /infer/object_detection`, `/infer/instance_segmentation`, `/infer/classification`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Fault> {
    answer(request, response, true)
}

/// `POST /infer/keypoints_detection`, which takes no `best` confidence.
pub(crate) fn create_keypoints(request: &Request, response: &mut Response) -> Result<(), Fault> {
    answer(request, response, false)
}

fn answer(request: &Request, response: &mut Response, takes_best: bool) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    let bytes = request.take_body();
    let asked = read(request, &bytes)?;
    if asked.wish.confidence == Confidence::Best && !takes_best {
        return Err(Fault::field(&["body", "confidence"], "literal_error", "Input should be a number or 'default'"));
    }
    let found = choice::find(&asked.model_id.ok_or_else(|| Fault::bad("Invalid Model ID sent in request."))?)?;
    let is_list = asked.places.is_list;
    let images = asked.places.open(bytes)?;
    let mut answers = look(&found, images, asked.wish, started_us)?.answers(asked.style)?;
    registry::touch(&found);
    match answers.pop() {
        Some(answer) if !is_list => Ok(response.json(200, &answer)?),
        last => {
            answers.extend(last);
            Ok(response.json(200, &answers)?)
        }
    }
}

fn read(request: &Request, bytes: &[u8]) -> Result<Asked, Fault> {
    let body: Body<'_> = body::json(bytes)?;
    keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
    let is = |flag: Option<Flag>| flag.is_some_and(|flag| flag.0);
    let mask = MaskWish::default();
    let wish = Wish {
        confidence: body.confidence.unwrap_or(Confidence::Least(Confidence::DEFAULT)),
        keypoint_confidence: body.keypoint_confidence.map_or(0.0, Number::share),
        iou: body.iou_threshold.map_or(0.3, Number::share),
        detections_max: body.max_detections.map_or(300, Count::or_zero),
        candidates_max: body.max_candidates.map_or(3000, Count::or_zero),
        is_class_agnostic: is(body.class_agnostic_nms),
        classes: body.class_filter.unwrap_or_default(),
        mask: MaskWish {
            mode: body.mask_decode_mode.unwrap_or(mask.mode),
            factor: body.tradeoff_factor.map_or(mask.factor, |factor| factor.0),
            is_rle: body.response_mask_format == Some(MaskFormat::Rle),
            is_reduced: is(body.allow_reduced_mask_resolution),
        },
        skip_orientation: is(body.disable_preproc_auto_orient),
        skip_contrast: is(body.disable_preproc_contrast),
        skip_grayscale: is(body.disable_preproc_grayscale),
        skip_static_crop: is(body.disable_preproc_static_crop),
        id: body.id.map(|id| id.0.into_owned()),
    };
    let stroke = body.visualization_stroke_width.map_or(1, |count| count.0);
    Ok(Asked {
        model_id: body.model_id.map(|id| id.0.into_owned()),
        places: body.image.places(bytes)?,
        wish,
        style: is(body.visualize_predictions).then(|| Style::new(stroke, is(body.visualization_labels))),
    })
}
