//! `POST /gaze/gaze_detection`: faces and where they look. The answer is a list, also for one picture.

use mimus_sdk::media::Image;
use mimus_sdk::vision::{self, Face};
use mimus_sdk::{Request, Response, body, clock};
use serde::{Deserialize, Serialize};

use crate::choice::{Found, Kind};
use crate::fault::Fault;
use crate::fields::Flag;
use crate::ids::Ids;
use crate::look::seconds_since;
use crate::pictures::{Loose, OneOrMany};
use crate::{keys, registry};

const KIND: Kind = Kind {
    prefix: "gaze",
    defaults: &["L2CS"],
    setting: "gaze_model",
    ability: "gaze",
    missing: "No model for gazes is loaded. Download `L2CSNet_gaze360_resnet50_90bins.onnx` and an ONNX file of the BlazeFace \
              short-range face detector, and put both in the folder `gaze/L2CS` of the server's folder of models.",
};

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    image: OneOrMany<'a>,
    gaze_version_id: Option<String>,
    do_run_face_detection: Option<Flag>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

#[derive(Serialize)]
struct Answer {
    predictions: Vec<Prediction>,
    time: f64,
    time_face_det: Option<f64>,
    time_gaze_det: Option<f64>,
}

/// Angles in radians.
#[derive(Serialize)]
struct Prediction {
    face: Shown,
    yaw: f32,
    pitch: f32,
}

#[derive(Serialize)]
struct Shown {
    x: f32,
    y: f32,
    width: f32,
    height: f32,
    confidence: f32,
    class: &'static str,
    class_id: u32,
    detection_id: String,
    landmarks: Vec<Landmark>,
}

/// In whole pixels within the picture.
#[derive(Serialize)]
struct Landmark {
    x: u32,
    y: u32,
}

/// `POST /gaze/gaze_detection`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let bytes = request.take_body();
    let (places, version, finds_faces) = {
        let body: Body<'_> = body::json(&bytes)?;
        keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
        let finds_faces = body.do_run_face_detection.is_none_or(|flag| flag.0);
        (body.image.places(&bytes)?, body.gaze_version_id, finds_faces)
    };
    let found = KIND.find(version.as_deref())?;
    let mut ids = Ids::default();
    let images = places.open(bytes)?;
    let answers: Vec<Answer> =
        images.iter().map(|image| of_image(&found, image, finds_faces, &mut ids)).collect::<Result<_, _>>()?;
    registry::touch(&found);
    Ok(response.json(200, &answers)?)
}

fn of_image(found: &Found, image: &Image, finds_faces: bool, ids: &mut Ids) -> Result<Answer, Fault> {
    let started_us = clock::monotonic_us();
    if found.description.is_oriented {
        image.orient();
    }
    let faces = vision::gaze(&found.name, image, finds_faces)?;
    let predictions = faces.into_iter().map(|face| prediction(face, image, ids)).collect();
    Ok(Answer { predictions, time: seconds_since(started_us), time_face_det: None, time_gaze_det: None })
}

fn prediction(face: Face, image: &Image, ids: &mut Ids) -> Prediction {
    // A cast cuts what is below 0 and what is no number.
    let within = |place: f32, size: u32| (place.round() as u32).min(size.saturating_sub(1));
    let landmarks = face.landmarks.iter();
    let landmarks =
        landmarks.map(|point| Landmark { x: within(point.x, image.width()), y: within(point.y, image.height()) });
    let shown = Shown {
        x: face.x,
        y: face.y,
        width: face.width,
        height: face.height,
        confidence: face.confidence,
        class: "face",
        class_id: 0,
        detection_id: ids.next(),
        landmarks: landmarks.collect(),
    };
    Prediction { face: shown, yaw: face.yaw, pitch: face.pitch }
}

#[cfg(test)]
mod tests;
