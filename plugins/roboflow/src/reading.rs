//! The text in pictures: `POST /doctr/ocr`, `/ocr/trocr`, `/easy_ocr/ocr` and `/ocr/pp-ocr`. All are answered by a model that reads.

use mimus_sdk::media::Image;
use mimus_sdk::vision::{self, PostProcessing, TextBlock, Word};
use mimus_sdk::{Request, Response, body, clock};
use serde::{Deserialize, Serialize};

use crate::answer::{Detection, Size};
use crate::choice::{Found, Kind};
use crate::fault::Fault;
use crate::fields::Flag;
use crate::ids::Ids;
use crate::look::seconds_since;
use crate::pictures::{Loose, OneOrMany};
use crate::{keys, registry, settings};

const MISSING: &str = "No model that reads text is loaded. Put one in the server's folder of models.";

const fn kind(prefix: &'static str, defaults: &'static [&'static str]) -> Kind {
    Kind { prefix, defaults, setting: "ocr_model", ability: "read-text", missing: MISSING }
}

const DOCTR: Kind = kind("doctr", &["default"]);
const TROCR: Kind = kind("trocr", &["trocr-base-printed"]);
const EASY_OCR: Kind = kind("easy_ocr", &["english_g2"]);
const PP_OCR: Kind = kind("pp-ocr", &["small", "small-small"]);

/// What the boxes show, by class id.
const BOXES: [&str; 3] = ["block", "line", "word"];

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    image: OneOrMany<'a>,
    id: Option<String>,
    doctr_version_id: Option<String>,
    trocr_version_id: Option<String>,
    easy_ocr_version_id: Option<String>,
    pp_ocr_version_id: Option<String>,
    generate_bounding_boxes: Option<Flag>,
    #[serde(borrow)]
    api_key: Option<Loose<'a>>,
}

#[derive(Serialize)]
struct Answer {
    inference_id: String,
    time: f64,
    result: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    image: Option<Size>,
    #[serde(skip_serializing_if = "Option::is_none")]
    predictions: Option<Vec<Detection>>,
    /// Old clients look for it.
    parent_id: Option<String>,
}

/// `POST /doctr/ocr`.
pub(crate) fn doctr(request: &Request, response: &mut Response) -> Result<(), Fault> {
    read(request, response, &DOCTR, |body| body.doctr_version_id.take())
}

/// `POST /ocr/trocr`.
pub(crate) fn trocr(request: &Request, response: &mut Response) -> Result<(), Fault> {
    read(request, response, &TROCR, |body| body.trocr_version_id.take())
}

/// `POST /easy_ocr/ocr`.
pub(crate) fn easy_ocr(request: &Request, response: &mut Response) -> Result<(), Fault> {
    read(request, response, &EASY_OCR, |body| body.easy_ocr_version_id.take())
}

/// `POST /ocr/pp-ocr`.
pub(crate) fn pp_ocr(request: &Request, response: &mut Response) -> Result<(), Fault> {
    read(request, response, &PP_OCR, |body| body.pp_ocr_version_id.take())
}

fn read(
    request: &Request,
    response: &mut Response,
    kind: &Kind,
    version: impl Fn(&mut Body<'_>) -> Option<String>,
) -> Result<(), Fault> {
    let started_us = clock::monotonic_us();
    let bytes = request.take_body();
    let (places, version, id, has_boxes) = {
        let mut body: Body<'_> = body::json(&bytes)?;
        keys::check(request, body.api_key.as_ref().and_then(|key| key.0.as_deref()))?;
        let has_boxes = body.generate_bounding_boxes.is_some_and(|flag| flag.0);
        (body.image.places(&bytes)?, version(&mut body), body.id, has_boxes)
    };
    let found = kind.find(version.as_deref())?;
    let is_list = places.is_list;
    let mut ids = Ids::default();
    let mut answers = Vec::new();
    for image in places.open(bytes)? {
        let mut answer = of_image(&found, &image, has_boxes, &mut ids)?;
        answer.inference_id = id.clone().unwrap_or_else(|| ids.next());
        answers.push(answer);
    }
    let time = seconds_since(started_us);
    answers.iter_mut().for_each(|answer| answer.time = time);
    registry::touch(&found);
    match answers.pop() {
        Some(answer) if !is_list => Ok(response.json(200, &answer)?),
        last => {
            answers.extend(last);
            Ok(response.json(200, &answers)?)
        }
    }
}

fn of_image(found: &Found, image: &Image, has_boxes: bool, ids: &mut Ids) -> Result<Answer, Fault> {
    if found.description.is_oriented {
        image.orient();
    }
    let blocks = vision::read_text(&found.name, image)?;
    Ok(Answer {
        inference_id: String::new(),
        time: 0.0,
        result: text(&blocks, settings::post_processing()?),
        image: has_boxes.then(|| Size { width: image.width(), height: image.height() }),
        predictions: has_boxes.then(|| boxes(&blocks, ids)),
        parent_id: None,
    })
}

/// Words by spaces; lines by line ends and blocks by an empty line, or, as it was, all on one line.
fn text(blocks: &[TextBlock], post_processing: PostProcessing) -> String {
    let (line_end, block_end) = match post_processing {
        PostProcessing::Modern => ("\n", "\n\n"),
        PostProcessing::Legacy => (" ", " "),
    };
    let line = |words: &[Word]| words.iter().map(|word| word.text.as_str()).collect::<Vec<_>>().join(" ");
    let block = |block: &TextBlock| block.lines.iter().map(|one| line(&one.words)).collect::<Vec<_>>().join(line_end);
    blocks.iter().map(block).collect::<Vec<_>>().join(block_end)
}

/// A box for each block, each followed by those of its lines, each followed by those of its words.
fn boxes(blocks: &[TextBlock], ids: &mut Ids) -> Vec<Detection> {
    let mut boxes = Vec::new();
    let mut add = |words: &[&Word], class: usize| {
        boxes.extend(around(words).map(|frame| Detection::of_box(frame, BOXES[class], class as u32, ids)));
    };
    for block in blocks {
        let words: Vec<&Word> = block.lines.iter().flat_map(|line| &line.words).collect();
        add(&words, 0);
        for line in &block.lines {
            add(&line.words.iter().collect::<Vec<_>>(), 1);
            line.words.iter().for_each(|word| add(&[word], 2));
        }
    }
    boxes
}

/// Centre and size of the box around words.
fn around(words: &[&Word]) -> Option<[f32; 4]> {
    let mut words = words.iter().map(|word| {
        let (half_width, half_height) = (word.width / 2.0, word.height / 2.0);
        [word.x - half_width, word.y - half_height, word.x + half_width, word.y + half_height]
    });
    let first = words.next()?;
    let [left, top, right, bottom] =
        words.fold(first, |a, b| [a[0].min(b[0]), a[1].min(b[1]), a[2].max(b[2]), a[3].max(b[3])]);
    Some([(left + right) / 2.0, (top + bottom) / 2.0, right - left, bottom - top])
}

#[cfg(test)]
mod tests;
