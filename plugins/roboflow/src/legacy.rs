//! `POST /{project}/{version}`, and `GET` with the picture's address: the route of the first clients, which today's still take when
//! they are told to (`select_api_v0`). Options stand in the query, the picture in the body.

use mimus_sdk::media::Source;
use mimus_sdk::{Request, Response, body, clock, multipart};

use crate::drawing::Style;
use crate::fault::{Fault, internal};
use crate::fields::{Confidence, Count, Flag, Number};
use crate::look::{MaskWish, Wish, look};
use crate::pictures::{self, range_within};
use crate::{choice, keys, registry};

/// Name of the part of a form that holds the picture.
const PART: &str = "file";

/// The least confidence of this route.
const CONFIDENCE_LEAST: f64 = 0.01;

/// What to answer with.
#[derive(Clone, Copy, PartialEq)]
enum Format {
    Json,
    /// A JPEG file alone.
    Image,
    ImageAndJson,
}

/// `POST` and `GET /{dataset_id}/{version_id}`.
pub(crate) fn create(request: &Request, response: &mut Response) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    keys::check(request, None)?;
    let wish = wish(request)?;
    let style = Style::new(count(request, "stroke", 1)?, flag(request, "labels")?);
    let format = match request.query("format").as_deref() {
        Some("image") => Format::Image,
        Some("image_and_json") => Format::ImageAndJson,
        _ => Format::Json,
    };
    let id = format!("{}/{}", request.param("dataset_id"), request.param("version_id"));
    let found = choice::find(&id)?;
    let image = pictures::open(source(request)?, None)?;
    let look = look(&found, vec![image], wish, started_us)?;
    let outcome = match format {
        Format::Image => response.bytes(200, "image/jpeg", look.draw(0, style)?),
        Format::Json | Format::ImageAndJson => {
            let answers = look.answers((format == Format::ImageAndJson).then_some(style))?;
            response.json(200, answers.first().ok_or_else(|| internal("a picture has no answer"))?)
        }
    };
    registry::touch(&found);
    Ok(outcome?)
}

/// Numbers of 1 and more are percents: 1 is one of them.
fn percent(value: f64) -> f64 {
    if value >= 1.0 { value / 100.0 } else { value }
}

fn wish(request: &Request) -> Result<Wish, Fault> {
    let confidence = match request.query("confidence") {
        None => Confidence::Least(Confidence::DEFAULT),
        Some(text) => Confidence::parse(&text).ok_or_else(|| {
            Fault::field(&["query", "confidence"], "float_parsing", "Input should be a number, 'best' or 'default'")
        })?,
    };
    let confidence = match confidence {
        Confidence::Least(value) => Confidence::Least(percent(value).max(CONFIDENCE_LEAST)),
        other => other,
    };
    let mask = MaskWish::default();
    Ok(Wish {
        confidence,
        keypoint_confidence: Number(number(request, "keypoint_confidence", 0.0)?).share(),
        iou: Number(percent(number(request, "overlap", 0.3)?)).share(),
        detections_max: Count(count(request, "max_detections", 300)?).or_zero(),
        candidates_max: 3000,
        is_class_agnostic: false,
        classes: Vec::new(),
        mask: MaskWish {
            mode: request.query("mask_decode_mode").map_or(mask.mode, |mode| mode.into_owned()),
            factor: number(request, "tradeoff_factor", mask.factor)?,
            is_rle: match request.query("response_mask_format").as_deref() {
                None | Some("polygon") => false,
                Some("rle") => true,
                Some(_) => {
                    let message = "Input should be 'polygon' or 'rle'";
                    return Err(Fault::field(&["query", "response_mask_format"], "literal_error", message));
                }
            },
            is_reduced: flag(request, "allow_reduced_mask_resolution")?,
        },
        skip_orientation: flag(request, "disable_preproc_auto_orient")?,
        skip_static_crop: flag(request, "disable_preproc_static_crop")?,
        skip_contrast: flag(request, "disable_preproc_contrast")?,
        skip_grayscale: flag(request, "disable_preproc_grayscale")?,
        id: None,
    })
}

/// Where the picture is: its address in the query, else a part of a form, else the body as base64, whatever its type says.
fn source(request: &Request) -> Result<Source, Fault> {
    if let Some(address) = request.query("image").filter(|address| !address.is_empty()) {
        return Ok(Source::Url(address.into_owned()));
    }
    if request.query("image_type").is_some_and(|kind| kind.starts_with("numpy")) {
        return Err(pictures::no_numpy(None));
    }
    let missing = || Fault::bad("Content-Type header not provided with request.");
    let content_type = request.header("content-type").filter(|kind| !kind.is_empty()).ok_or_else(missing)?;
    let bytes = request.take_body();
    if !multipart::is_form(&content_type) {
        let text = String::from_utf8(bytes).map_err(|_| Fault::picture("Malformed base64 input image.", None))?;
        return Ok(Source::Base64(text));
    }
    let range = {
        let parts =
            multipart::parts(&content_type, &bytes).map_err(|why| Fault::bad(format!("Malformed form: {why}.")))?;
        let part = parts.iter().find(|part| part.name == PART).ok_or_else(|| {
            Fault::bad(format!("Expected image to be sent in part named '{PART}' of multipart/form-data request"))
        })?;
        range_within(&bytes, part.body)
    };
    Ok(Source::Bytes(body::cut(bytes, range)))
}

fn number(request: &Request, name: &'static str, default: f64) -> Result<f64, Fault> {
    let Some(text) = request.query(name) else { return Ok(default) };
    let message = "Input should be a valid number, unable to parse string as a number";
    Number::parse(&text).map(|number| number.0).ok_or_else(|| Fault::field(&["query", name], "float_parsing", message))
}

fn count(request: &Request, name: &'static str, default: i64) -> Result<i64, Fault> {
    let Some(text) = request.query(name) else { return Ok(default) };
    let message = "Input should be a valid integer, unable to parse string as an integer";
    Count::parse(&text).map(|count| count.0).ok_or_else(|| Fault::field(&["query", name], "int_parsing", message))
}

fn flag(request: &Request, name: &'static str) -> Result<bool, Fault> {
    let Some(text) = request.query(name) else { return Ok(false) };
    let message = "Input should be a valid boolean, unable to interpret input";
    Flag::parse(&text).map(|flag| flag.0).ok_or_else(|| Fault::field(&["query", name], "bool_parsing", message))
}
